/*
 * The output of `pdftotext -bbox-layout`: an element on each line, and in each
 * word's line its text. It is read line by line and not as XML: what a font
 * calls a letter may be a character that XML forbids, and one of them would
 * cost the rest of the document.
 */
#include "base/base.h"

#include "files/pdf.h"

#include <math.h>

#include "base/text.h"
#include "lang/letter.h"

static const struct {
    const char *name;
    char c;
} escapes[] = {
    {"amp;", '&'}, {"lt;", '<'}, {"gt;", '>'}, {"quot;", '"'}, {"apos;", '\''},
};

/* --- a line --------------------------------------------------------------- */

static bool
begins(const char *s, size_t n, const char *with)
{
    size_t len = strlen(with);

    return n >= len && memcmp(s, with, len) == 0;
}

/* xMin="12.5"; 0 if it is not there. s has a NUL behind it. */
static double
coordinate(const char *s, const char *name)
{
    const char *at = strstr(s, name);
    double v = at != NULL ? strtod(at + strlen(name), NULL) : 0;

    return isfinite(v) && fabs(v) < 1e6 ? v : 0;
}

/* "#233;" behind an '&': how many bytes; 0: it is none. */
static size_t
numeric(const char *s, size_t n, struct buf *out)
{
    size_t end = 1;
    char bytes[4];
    uint32_t c = 0;

    while (end < n && end < 9 && s[end] >= '0' && s[end] <= '9')
        c = c * 10 + (uint32_t)(s[end++] - '0');
    if (end < 2 || end >= n || s[end] != ';')
        return 0;
    if (c > 0 && c < 0x110000 && (c < 0xD800 || c > 0xDFFF))
        buf_add(out, bytes, letter_write(c, bytes));
    return end + 1;
}

static void
unescape(const char *s, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++) {
        size_t len = 0;

        if (s[i] == '&' && i + 1 < n && s[i + 1] == '#')
            len = numeric(s + i + 1, n - i - 1, out);
        for (size_t k = 0; s[i] == '&' && len == 0 && k < COUNT_OF(escapes);
             k++)
            if (begins(s + i + 1, n - i - 1, escapes[k].name)) {
                buf_addc(out, escapes[k].c);
                len = strlen(escapes[k].name);
            }
        if (len == 0)
            buf_addc(out, s[i]);
        i += len;
    }
}

/* What stands between the element's '>' and `close`. */
static void
content(const char *s, size_t n, const char *close, struct buf *out)
{
    const char *from = memchr(s, '>', n);
    size_t len = strlen(close);

    if (from == NULL)
        return;
    from++;
    for (const char *to = s + n; to > from; to--)
        if ((size_t)(s + n - to) >= len && memcmp(to, close, len) == 0) {
            unescape(from, (size_t)(to - from), out);
            break;
        }
}

/* --- what it means -------------------------------------------------------- */

/* Word and others write their own name and that of the file. */
static void
title(struct pdf_words *w, const char *s, size_t n)
{
    static const char *const no_titles[] = {"untitled", "Microsoft Word - ",
                                            "PowerPoint Presentation"};
    struct buf out;
    const char *text;

    buf_init(&out, PDF_LINE_MAX);
    content(s, n, "</title>", &out);
    text = buf_cstr(&out);
    for (size_t i = 0; i < COUNT_OF(no_titles); i++)
        if (text_istarts(text, no_titles[i]))
            buf_clear(&out);
    compose_title(w->facts, out.data, out.len);
    buf_release(&out);
}

static void
word(struct pdf_words *w, const char *s, size_t n)
{
    struct buf out;

    buf_init(&out, PDF_LINE_MAX);
    content(s, n, "</word>", &out);
    pdf_page_word(&w->page, out.data, out.len);
    buf_release(&out);
}

static void
line(struct pdf_words *w, const char *s)
{
    struct pdf_line l = {.left = coordinate(s, "xMin=\""),
                         .top = coordinate(s, "yMin=\""),
                         .right = coordinate(s, "xMax=\""),
                         .bottom = coordinate(s, "yMax=\""),
                         .first = w->block};

    w->block = false;
    if (!pdf_page_line(&w->page, &l)) { /* give what is there, and go on */
        double height = w->page.height;

        pdf_page_end(&w->page, w->c);
        pdf_page_begin(&w->page, height);
        w->page.number--;
        (void)pdf_page_line(&w->page, &l);
    }
}

/* s has a NUL behind it. */
static void
take_line(struct pdf_words *w, const char *s, size_t n)
{
    size_t blanks = strspn(s, " ");

    s += blanks;
    n -= blanks;
    if (w->in_page && begins(s, n, "<word ")) {
        word(w, s, n);
    } else if (w->in_page && begins(s, n, "<line ")) {
        line(w, s);
    } else if (w->in_page && begins(s, n, "<block ")) {
        w->block = true;
    } else if (begins(s, n, "<page ")) {
        pdf_page_begin(&w->page, coordinate(s, "height=\""));
        w->in_page = true;
    } else if (w->in_page && begins(s, n, "</page>")) {
        pdf_page_end(&w->page, w->c);
        w->in_page = false;
    } else if (!w->in_page && w->page.number == 0 && begins(s, n, "<title>")) {
        title(w, s, n);
    }
}

/* --- the stream ----------------------------------------------------------- */

void
pdf_words_init(struct pdf_words *w, struct compose *c, struct facts *f)
{
    (void)memset(w, 0, sizeof(*w));
    w->c = c;
    w->facts = f;
    pdf_page_init(&w->page);
    buf_init(&w->line, PDF_LINE_MAX + 1);
}

void
pdf_words_release(struct pdf_words *w)
{
    pdf_page_release(&w->page);
    buf_release(&w->line);
}

void
pdf_words_feed(struct pdf_words *w, const char *bytes, size_t n)
{
    while (n > 0 && w->c->err == OK) {
        const char *end = memchr(bytes, '\n', n);
        size_t len = end != NULL ? (size_t)(end - bytes) : n;
        size_t room = PDF_LINE_MAX - w->line.len;

        /* A NUL would hide the rest of the line; a longer one is cut. */
        for (size_t i = 0; i < len && i < room; i++)
            buf_addc(&w->line, bytes[i] != '\0' ? bytes[i] : ' ');
        if (end != NULL) {
            take_line(w, buf_cstr(&w->line), w->line.len);
            buf_clear(&w->line);
            len++;
        }
        bytes += len;
        n -= len;
    }
}

void
pdf_words_end(struct pdf_words *w)
{
    if (w->in_page) /* it ended in the middle */
        pdf_page_end(&w->page, w->c);
    w->in_page = false;
}

/*
 * Text to lines, and what readers ask of a line.
 *
 * A line that lies whole in what came is given from there; only one that is cut
 * by the end of a piece is gathered. A line longer than TEXT_LINE_MAX comes in
 * pieces that are cut at the same places however the text came.
 *
 * Lines that an editor broke are told from lines that somebody ended by what
 * would have fitted: a line is wrapped where the next word had no room in some
 * sixty columns. Lists, tables, logs and verses keep their lines by this.
 */
#include "base/base.h"

#include "files/text_inside.h"

#include "base/text.h"

#define WRAP_MIN 56  /* characters: no editor breaks before it */
#define WRAP_MAX 120 /* characters: no editor waits that long */

void
text_lines_init(struct text_lines *l, text_line_fn *fn, void *arg)
{
    l->fn = fn;
    l->arg = arg;
    l->cut = false;
    l->len = 0;
}

/* The buffer is full and the line goes on. */
static void
give_piece(struct text_lines *l)
{
    size_t n = utf8_whole(l->data, l->len);

    if (text_trimmed(l->data, n) > 0) {
        l->fn(l->arg, l->data, n, !l->cut, false);
        l->cut = true;
    }
    l->len -= n;
    memmove(l->data, l->data + n, l->len);
}

static void
give_line(struct text_lines *l)
{
    l->fn(l->arg, l->data, l->len, !l->cut, true);
    l->cut = false;
    l->len = 0;
}

/* Bytes of one line, without its LF. */
static void
gather(struct text_lines *l, const char *s, size_t n)
{
    while (n > 0) {
        size_t k = sizeof(l->data) - l->len;

        if (k > n)
            k = n;
        memcpy(l->data + l->len, s, k);
        l->len += k;
        s += k;
        n -= k;
        if (n > 0)
            give_piece(l);
    }
}

void
text_lines_take(struct text_lines *l, const char *s, size_t n)
{
    const char *end = s + n;

    while (s < end) {
        const char *lf = memchr(s, '\n', (size_t)(end - s));
        const char *stop = lf ? lf : end;
        size_t len = (size_t)(stop - s);

        if (lf && l->len == 0 && !l->cut && len <= TEXT_LINE_MAX) {
            l->fn(l->arg, s, len, true, true);
        } else {
            if (l->len == TEXT_LINE_MAX && len > 0)
                give_piece(l);
            gather(l, s, len);
            if (lf)
                give_line(l);
        }
        s = lf ? lf + 1 : end;
    }
}

void
text_lines_end(struct text_lines *l)
{
    if (l->len > 0 || l->cut)
        give_line(l);
}

/* --- about a line --------------------------------------------------------- */

size_t
text_indent(const char *s, size_t n)
{
    size_t i = 0;

    while (i < n && (s[i] == ' ' || s[i] == '\t'))
        i++;
    return i;
}

size_t
text_trimmed(const char *s, size_t n)
{
    while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t'))
        n--;
    return n;
}

bool
text_line_blank(const char *s, size_t n)
{
    size_t i = text_indent(s, n);

    if (i == n)
        return true;
    return (s[i] & 0x80) && text_blank(s + i, n - i);
}

static bool
is_letter(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

size_t
text_characters(const char *s, size_t n)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    size_t count = n;
    size_t i = 0;

    for (; n - i >= 8; i += 8) { /* less those that go on with one */
        uint64_t w;

        memcpy(&w, s + i, 8);
        count -= (size_t)(((w >> 7 & ~(w >> 6) & ones) * ones) >> 56);
    }
    for (; i < n; i++)
        count -= ((unsigned char)s[i] & 0xC0) == 0x80;
    return count;
}

bool
text_was_wrapped(size_t prev, const char *next, size_t n)
{
    size_t word = 0;

    if (n == 0 || prev > WRAP_MAX)
        return false;
    if (!is_letter((unsigned char)next[0]) && !strchr("\"'(", next[0]))
        return false;
    while (word < n && word < WRAP_MIN && next[word] != ' ' &&
           next[word] != '\t')
        word++;
    return prev + 1 + text_characters(next, word) > WRAP_MIN;
}

/* Han, kana, hangul syllables, wide forms: three bytes, E3 to ED or EF. */
static bool
is_wide(unsigned char lead)
{
    return (lead >= 0xE3 && lead <= 0xED) || lead == 0xEF;
}

static bool
ends_wide(const char *s, size_t n)
{
    return n >= 3 && is_wide((unsigned char)s[n - 3]);
}

void
text_out_line(struct text_out *o, bool joined, const char *s, size_t n)
{
    if (!joined)
        text_out_add(o, "\n", 1);
    else if (!ends_wide(o->data, o->len) || !is_wide((unsigned char)s[0]))
        text_out_add(o, " ", 1);
    text_out_add(o, s, n);
}

/*
 * What a file is. Three questions, the surest first: do the first bytes say it
 * (a PDF, an image, an archive whose entries tell of a document), does the name
 * say it, and if neither: are they text?
 *
 * A name that says "text" is believed even if the bytes are not: the reader of
 * text then says that it was binary, which is a better answer than silence. A
 * name that says "document" over bytes that are none goes to the reader of that
 * document, which says that it is broken or needs a password.
 */
#include "base/base.h"

#include "files/kind.h"

#include "base/text.h"
#include "files/kind_names.h"

#define HTML_LOOK 1024 /* bytes in which its first tag is */
#define PDF_LOOK 1024  /* bytes in which its mark may be */

static const struct kind none = {KIND_NONE, TEXT_PLAIN, ""};
static const struct kind plain = {KIND_TEXT, TEXT_PLAIN, "text/plain"};
static const struct kind html = {KIND_HTML, TEXT_PLAIN, "text/html"};

static bool
has(const uint8_t *head, size_t n, size_t at, const char *mark, size_t len)
{
    return n >= at + len && memcmp(head + at, mark, len) == 0;
}

/* --- archives ------------------------------------------------------------- */

static struct kind
archive(enum file_kind kind)
{
    struct kind k = {kind, TEXT_PLAIN, kind_type(kind)};

    return k;
}

/* OpenDocument and EPUB begin with an entry "mimetype" that is not packed: 30
 * bytes of its head, the name, then what is in it. */
static bool
by_mimetype(const uint8_t *head, size_t n, struct kind *out)
{
    static const char odt[] = "application/vnd.oasis.opendocument.text";
    static const char epub[] = "application/epub+zip";
    size_t at;

    if (n < 38 || !has(head, n, 30, "mimetype", 8) || head[26] != 8 ||
        head[27] != 0)
        return false;
    at = 38 + (size_t)(head[28] | head[29] << 8);
    *out = none;
    if (has(head, n, at, epub, sizeof(epub) - 1))
        *out = archive(KIND_EPUB);
    /* Not a template, nor a master document ("...text-master"). */
    else if (has(head, n, at, odt, sizeof(odt) - 1) &&
             !has(head, n, at + sizeof(odt) - 1, "-", 1))
        *out = archive(KIND_ODT);
    return true;
}

/* Does an entry in what is seen of an archive begin with this? */
static bool
entry(const uint8_t *head, size_t n, const char *prefix)
{
    const uint8_t *end = head + n;
    const uint8_t *p = head;

    while ((p = memmem(p, (size_t)(end - p), "PK\3\4", 4))) {
        if (has(p, (size_t)(end - p), 30, prefix, strlen(prefix)))
            return true;
        p += 4;
    }
    return false;
}

/* Of Office's documents only some have text; what an entry's name begins with
 * tells which, if one such lies near enough to the beginning. */
static struct kind
by_entries(const uint8_t *head, size_t n, const struct kind *named)
{
    if (entry(head, n, "word/") && (entry(head, n, "[Content_Types].xml") ||
                                    entry(head, n, "_rels/.rels")))
        return archive(KIND_DOCX);
    if (named->kind == KIND_DOCX &&
        (entry(head, n, "xl/") || entry(head, n, "ppt/")))
        return none;
    if (named->kind == KIND_DOCX || named->kind == KIND_ODT ||
        named->kind == KIND_EPUB)
        return *named;
    return none;
}

static struct kind
by_archive(const uint8_t *head, size_t n, const struct kind *named)
{
    struct kind k;

    return by_mimetype(head, n, &k) ? k : by_entries(head, n, named);
}

/* --- the first bytes ------------------------------------------------------ */

static const struct magic {
    const char *mark;
    size_t len;
    struct kind kind;
} magics[] = {
    {"\x89PNG\r\n\x1A\n", 8, {KIND_IMAGE, TEXT_PLAIN, "image/png"}},
    {"\xFF\xD8\xFF", 3, {KIND_IMAGE, TEXT_PLAIN, "image/jpeg"}},
    {"GIF87a", 6, {KIND_IMAGE, TEXT_PLAIN, "image/gif"}},
    {"GIF89a", 6, {KIND_IMAGE, TEXT_PLAIN, "image/gif"}},
    /* Text by its bytes, and none to read. */
    {"{\\rtf", 5, {KIND_NONE, TEXT_PLAIN, ""}},
    {"%!PS", 4, {KIND_NONE, TEXT_PLAIN, ""}},
};

static bool
by_magic(const uint8_t *head, size_t n, struct kind *out)
{
    static const struct kind webp = {KIND_IMAGE, TEXT_PLAIN, "image/webp"};
    size_t look = n < PDF_LOOK ? n : PDF_LOOK;

    for (size_t i = 0; i < COUNT_OF(magics); i++)
        if (has(head, n, 0, magics[i].mark, magics[i].len)) {
            *out = magics[i].kind;
            return true;
        }
    if (has(head, n, 0, "RIFF", 4) && has(head, n, 8, "WEBP", 4)) {
        *out = webp;
        return true;
    }
    /* Readers look for it behind what mail programs put before it; a text that
     * tells of it is none. */
    if (has(head, n, 0, "%PDF-", 5) ||
        (memmem(head, look, "%PDF-", 5) && memchr(head, '\0', n))) {
        *out = archive(KIND_PDF);
        return true;
    }
    return false;
}

/* --- text ----------------------------------------------------------------- */

/* Past white space, a byte order mark, comments and an XML declaration. */
static size_t
html_start(const char *s, size_t n)
{
    size_t i = n >= 3 && memcmp(s, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;

    for (;;) {
        const char *end;
        const char *stop;

        while (i < n && s[i] != '\0' && strchr(" \t\r\n\f", s[i]))
            i++;
        if (n - i >= 4 && memcmp(s + i, "<!--", 4) == 0)
            stop = "-->";
        else if (n - i >= 5 && memcmp(s + i, "<?xml", 5) == 0)
            stop = "?>";
        else
            return i;
        end = memmem(s + i, n - i, stop, strlen(stop));
        if (!end)
            return n;
        i = (size_t)(end - s) + strlen(stop);
    }
}

static bool
is_html(const uint8_t *head, size_t n)
{
    static const char *const tags[] = {"!doctype html", "html", "head", "body"};
    const char *s = (const char *)head;
    size_t i = html_start(s, n);

    if (i > HTML_LOOK || i == n || s[i] != '<')
        return false;
    i++;
    for (size_t t = 0; t < COUNT_OF(tags); t++) {
        size_t len = strlen(tags[t]);

        if (n - i > len && text_ieqn(s + i, len, tags[t]) &&
            strchr(" \t\r\n>", s[i + len]))
            return true;
    }
    return false;
}

/* May it be the beginning of a text? Few bytes that are neither UTF-8 nor a
 * text's control characters. */
static bool
is_text(const uint8_t *head, size_t n)
{
    const char *s = (const char *)head;
    size_t strange = 0;
    size_t bad = 0;

    if (n >= 2 && (head[0] ^ head[1]) == 1 && head[0] >= 0xFE)
        return true;
    for (size_t i = 0; i < n;) {
        int len = utf8_seq(s + i, n - i);

        if (head[i] == 0)
            return false;
        bad += head[i] < ' ' && !strchr("\b\t\n\v\f\r\x1A\x1B", s[i]);
        strange += len < 0;
        if (len == 0)
            break; /* cut off by the end */
        i += len < 0 ? 1 : (size_t)len;
    }
    return bad * 16 <= n && strange * 4 <= n;
}

/* Of what has no name that says it. */
static struct kind
by_text(const uint8_t *head, size_t n)
{
    static const struct kind script = {KIND_TEXT, TEXT_CODE, "text/x-script"};
    static const struct kind xml = {KIND_TEXT, TEXT_CODE, "text/xml"};

    if (!is_text(head, n))
        return none;
    if (has(head, n, 0, "#!", 2))
        return script;
    if (is_html(head, n))
        return html;
    return has(head, n, 0, "<?xml", 5) ? xml : plain;
}

struct kind
kind_of(const char *name, const uint8_t *head, size_t n)
{
    struct kind named;
    struct kind k;
    bool known = kind_named(name, &named);

    if (!known)
        named = none;
    if (n == 0)
        head = (const uint8_t *)""; /* NULL is fine */
    if (by_magic(head, n, &k))
        return k;
    if (has(head, n, 0, "PK\3\4", 4))
        return by_archive(head, n, &named);
    if (!known)
        return by_text(head, n);
    /* What was saved from a browser as "page.txt". */
    if (named.kind == KIND_TEXT && named.text == TEXT_PLAIN && is_html(head, n))
        return html;
    return named;
}

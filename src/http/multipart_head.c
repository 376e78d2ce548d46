/*
 * The head of a part: Content-Disposition with the names, Content-Type, and a
 * look at Content-Transfer-Encoding, which nobody may use here.
 *
 * Names are read as browsers write them, which three documents describe
 * differently: UTF-8 as it is, a quote as \" or %22, a backslash as itself
 * (once, whole paths were sent, C:\letters\a.txt) or as \\. A name in the form
 * of RFC 5987 (filename*=UTF-8''...) goes before a plain one if it is
 * well-formed. Of a path only the last component is kept, and never "..": a
 * name from outside is a name, not a place.
 *
 * What could be read in two ways is refused: a parameter that comes twice, a
 * line that is folded, a field without a name.
 */
#include "base/base.h"

#include "http/multipart_head.h"

#include "base/buf.h"
#include "base/text.h"

enum err
multipart_invalid(struct problem *why, const char *what)
{
    return problem_set(why, ERR_BADREQ, "invalid_multipart",
                       "Invalid multipart body", "%s", what);
}

static enum err
too_long(struct problem *why, const char *what, size_t max)
{
    return problem_set(why, ERR_TOOBIG, "multipart_name_too_long",
                       "A name is too long", "%s may have %zu bytes", what,
                       max);
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool
is_token(char c)
{
    return (unsigned char)c > ' ' && (unsigned char)c < 0x7F &&
           !strchr("()<>@,;:\\\"/[]?={}", c);
}

/* --- parameters: "; name=value" ------------------------------------------- */

struct params {
    const char *s;
    const char *end;
    const char *name;
    size_t name_len;
    struct buf value; /* unquoted */
};

static void
skip_blanks(struct params *p)
{
    while (p->s < p->end && is_blank(*p->s))
        p->s++;
}

/* At the character behind the opening quote. */
static bool
quoted(struct params *p)
{
    for (; p->s < p->end && *p->s != '"'; p->s++) {
        if (*p->s == '\\' && p->end - p->s > 1 &&
            (p->s[1] == '"' || p->s[1] == '\\'))
            p->s++;
        buf_addc(&p->value, *p->s);
    }
    if (p->s == p->end)
        return false;
    p->s++;
    return true;
}

/* 1: there is one; 0: the end; -1: neither. */
static int
next_param(struct params *p)
{
    buf_clear(&p->value);
    skip_blanks(p);
    if (p->s == p->end)
        return 0;
    if (*p->s++ != ';')
        return -1;
    skip_blanks(p);
    if (p->s == p->end)
        return 0; /* a last ';' */
    p->name = p->s;
    while (p->s < p->end && is_token(*p->s))
        p->s++;
    p->name_len = (size_t)(p->s - p->name);
    if (p->name_len == 0 || p->s == p->end || *p->s++ != '=')
        return -1;
    if (p->s < p->end && *p->s == '"') {
        p->s++;
        return quoted(p) ? 1 : -1;
    }
    for (; p->s < p->end && *p->s != ';' && !is_blank(*p->s); p->s++)
        buf_addc(&p->value, *p->s);
    return 1;
}

static bool
param_is(const struct params *p, const char *name)
{
    return text_ieqn(p->name, p->name_len, name);
}

/* The value in front of the parameters: "form-data". */
static size_t
first_word(const char *s, size_t n)
{
    size_t i = 0;

    while (i < n && s[i] != ';' && !is_blank(s[i]))
        i++;
    return i;
}

static void
params_init(struct params *p, const char *s, size_t n)
{
    p->s = s;
    p->end = s + n;
    p->name = s;
    p->name_len = 0;
    buf_init(&p->value, n + 1);
}

/* --- the boundary --------------------------------------------------------- */

static bool
boundary_good(const char *s, size_t n)
{
    if (n == 0 || n > MULTIPART_BOUNDARY_MAX || s[n - 1] == ' ')
        return false;
    for (size_t i = 0; i < n; i++)
        if (!(s[i] >= '0' && s[i] <= '9') && !(s[i] >= 'A' && s[i] <= 'Z') &&
            !(s[i] >= 'a' && s[i] <= 'z') &&
            (s[i] == '\0' || !strchr("'()+_,-./:=? ", s[i])))
            return false;
    return true;
}

enum err
multipart_boundary(const char *content_type,
                   char out[MULTIPART_BOUNDARY_MAX + 1], struct problem *why)
{
    size_t n = strlen(content_type);
    size_t word = first_word(content_type, n);
    struct params p;
    bool good = true;
    int found = 0;
    int got;

    if (!text_ieqn(content_type, word, "multipart/form-data"))
        return problem_set(why, ERR_TYPE, NULL, NULL,
                           "Send the form as multipart/form-data");
    params_init(&p, content_type + word, n - word);
    while ((got = next_param(&p)) > 0) {
        if (!param_is(&p, "boundary"))
            continue;
        good = boundary_good(p.value.data, p.value.len) && ++found == 1;
        if (!good)
            break;
        memcpy(out, p.value.data, p.value.len);
        out[p.value.len] = '\0';
    }
    buf_release(&p.value);
    if (got < 0 || !good || found != 1)
        return multipart_invalid(why, "Its Content-Type needs a boundary of 1 "
                                      "to 70 characters");
    return OK;
}

/* --- names ---------------------------------------------------------------- */

/* %22 is how browsers write a quote; other escapes are part of the name. */
static void
unquote(struct buf *out, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (n - i >= 3 && memcmp(s + i, "%22", 3) == 0) {
            buf_addc(out, '"');
            i += 2;
        } else {
            buf_addc(out, s[i]);
        }
    }
}

/* Control characters as '_'; C1 are two bytes of UTF-8. */
static void
no_controls(struct buf *b)
{
    size_t len = 0;

    for (size_t i = 0; i < b->len; i++) {
        unsigned char c = (unsigned char)b->data[i];
        bool c1 = c == 0xC2 && i + 1 < b->len &&
                  (unsigned char)b->data[i + 1] < 0xA0;

        b->data[len++] = c < ' ' || c == 0x7F || c1 ? '_' : (char)c;
        i += c1;
    }
    b->len = len;
}

/* The last component of what is in b, which is UTF-8. */
static enum err
keep_filename(struct multipart_head *h, struct buf *b, struct problem *why)
{
    size_t at = 0;
    size_t n;

    no_controls(b);
    for (size_t i = 0; i < b->len; i++)
        if (b->data[i] == '/' || b->data[i] == '\\')
            at = i + 1;
    while (at < b->len && b->data[at] == ' ')
        at++;
    n = b->len - at;
    while (n > 0 && b->data[at + n - 1] == ' ')
        n--;
    if (n <= 2 && n > 0 && memcmp(b->data + at, "..", n) == 0)
        n = 0;
    if (n > MULTIPART_FILENAME_MAX)
        return too_long(why, "A file's name", MULTIPART_FILENAME_MAX);
    if (n > 0)
        memcpy(h->filename, b->data + at, n);
    h->filename[n] = '\0';
    return OK;
}

/* charset'language'percent-encoded: to UTF-8 in out. */
static bool
extended(const struct buf *value, struct buf *out)
{
    const char *s = value->data;
    const char *end = s + value->len;
    const char *first = value->len ? memchr(s, '\'', value->len) : NULL;
    const char *second;
    struct buf raw;
    bool latin;
    bool good;

    if (!first)
        return false;
    second = memchr(first + 1, '\'', (size_t)(end - first - 1));
    latin = text_ieqn(s, (size_t)(first - s), "iso-8859-1");
    if (!second || (!latin && !text_ieqn(s, (size_t)(first - s), "utf-8")))
        return false;
    second++;
    buf_init(&raw, value->len + 1);
    good = text_unpercent(&raw, second, (size_t)(end - second), false) == OK;
    for (size_t i = 0; good && i < raw.len; i++) {
        unsigned char c = (unsigned char)raw.data[i];

        if (latin && c >= 0x80) {
            buf_addc(out, (char)(0xC0 | c >> 6));
            buf_addc(out, (char)(0x80 | (c & 0x3F)));
        } else {
            buf_addc(out, (char)c);
        }
    }
    good = good && buf_status(out) == OK && utf8_valid(out->data, out->len);
    buf_release(&raw);
    return good;
}

struct disposition {
    bool name, filename, star; /* were there */
    bool star_good;
};

static enum err
one_param(struct multipart_head *h, struct disposition *d,
          const struct params *p, struct problem *why)
{
    bool *seen = param_is(p, "name")        ? &d->name
                 : param_is(p, "filename")  ? &d->filename
                 : param_is(p, "filename*") ? &d->star
                                            : NULL;
    enum err e = OK;
    struct buf b;

    if (!seen)
        return OK;
    if (*seen)
        return multipart_invalid(why, "A part says its name twice");
    *seen = true;
    buf_init(&b, 3 * p->value.len + 1);
    if (seen == &d->star) {
        d->star_good = extended(&p->value, &b);
        if (d->star_good)
            e = keep_filename(h, &b, why);
    } else if (seen == &d->filename) {
        struct buf raw;

        buf_init(&raw, p->value.len + 1);
        unquote(&raw, p->value.data, p->value.len);
        utf8_scrub(&b, raw.data, raw.len);
        buf_release(&raw);
        if (!d->star_good)
            e = keep_filename(h, &b, why);
    } else {
        unquote(&b, p->value.data, p->value.len);
        if (b.len > MULTIPART_NAME_MAX)
            e = too_long(why, "A field's name", MULTIPART_NAME_MAX);
        else if (b.len == 0 || !text_plain(b.data, b.len))
            e = multipart_invalid(why, "A field's name is not plain UTF-8");
        else
            memcpy(h->name, b.data, b.len);
        if (!e)
            h->name[b.len] = '\0';
    }
    buf_release(&b);
    return e;
}

static enum err
read_disposition(struct multipart_head *h, const char *s, size_t n,
                 struct problem *why)
{
    struct disposition d = {false, false, false, false};
    size_t word = first_word(s, n);
    struct params p;
    enum err e = OK;
    int got = 0;

    if (!text_ieqn(s, word, "form-data"))
        return multipart_invalid(why, "A part is no form-data");
    params_init(&p, s + word, n - word);
    while (!e && (got = next_param(&p)) > 0)
        e = one_param(h, &d, &p, why);
    buf_release(&p.value);
    if (!e && got < 0)
        e = multipart_invalid(why, "A Content-Disposition is not well-formed");
    if (!e && !d.name)
        e = multipart_invalid(why, "A part has no name");
    h->file = d.filename || d.star;
    return e;
}

/* --- lines ---------------------------------------------------------------- */

static enum err
read_type(struct multipart_head *h, const char *s, size_t n,
          struct problem *why)
{
    size_t len = first_word(s, n);

    if (len > MULTIPART_TYPE_MAX)
        return too_long(why, "A media type", MULTIPART_TYPE_MAX);
    for (size_t i = 0; i < len; i++) {
        if (!is_token(s[i]) && s[i] != '/')
            return multipart_invalid(why, "A media type is not well-formed");
        h->type[i] = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] + 32) : s[i];
    }
    h->type[len] = '\0';
    return OK;
}

static bool
encoding_none(const char *s, size_t n)
{
    return text_ieqn(s, n, "7bit") || text_ieqn(s, n, "8bit") ||
           text_ieqn(s, n, "binary");
}

struct lines_seen {
    bool disposition, type;
};

/* One line without its end. */
static enum err
read_line(struct multipart_head *h, struct lines_seen *seen, const char *s,
          size_t n, struct problem *why)
{
    size_t name = 0;
    const char *value;

    while (name < n && is_token(s[name]))
        name++;
    if (name == 0 || name == n || s[name] != ':' || memchr(s, '\0', n) ||
        memchr(s, '\r', n) || memchr(s, '\n', n))
        return multipart_invalid(why, "A part's header is not well-formed");
    value = s + name + 1;
    n -= name + 1;
    while (n > 0 && is_blank(*value)) {
        value++;
        n--;
    }
    while (n > 0 && is_blank(value[n - 1]))
        n--;
    if (text_ieqn(s, name, "content-disposition")) {
        if (seen->disposition)
            return multipart_invalid(why, "A part says its name twice");
        seen->disposition = true;
        return read_disposition(h, value, n, why);
    }
    if (text_ieqn(s, name, "content-type")) {
        if (seen->type)
            return multipart_invalid(why, "A part says its type twice");
        seen->type = true;
        return read_type(h, value, n, why);
    }
    if (text_ieqn(s, name, "content-transfer-encoding") &&
        !encoding_none(value, n))
        return multipart_invalid(why, "A part is encoded; send its bytes");
    return OK;
}

enum err
multipart_head_read(struct multipart_head *h, const char *s, size_t n,
                    struct problem *why)
{
    struct lines_seen seen = {false, false};
    const char *end = s + n;
    enum err e = OK;

    memset(h, 0, sizeof(*h));
    while (s < end && !e) {
        const char *crlf = memmem(s, (size_t)(end - s), "\r\n", 2);

        if (!crlf)
            return multipart_invalid(why, "A part's header has no end");
        e = read_line(h, &seen, s, (size_t)(crlf - s), why);
        s = crlf + 2;
    }
    if (!e && !seen.disposition)
        e = multipart_invalid(why, "A part has no Content-Disposition");
    return e;
}

/*
 * JSON out: a writer that places the commas, and the escaping of strings.
 *
 * There is no tree: what is known is written as it comes, and what does not
 * fit is the buffer's to remember. One bit of state is enough for the commas,
 * because whatever is written last, a comma precedes the next value exactly
 * if that was a value or an end, and none if it was a name or a beginning.
 *
 * json_escape is on the path of every piece of every answer. It looks each
 * byte up in a table, skips over runs that stand for themselves, checks the
 * UTF-8 on the way, and copies each run at once.
 */
#include "base/base.h"

#include "base/json.h"

#include <math.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/ident.h"
#include "base/text.h"

/* What a byte needs: 0 nothing; 'u' \u00XX; '+' a look at the character that
 * it begins; else the letter behind the backslash. */
static const char need[256] = {
    'u',         'u',         'u',         'u',           'u',
    'u',         'u',         'u',         'b',           't',
    'n',         'u',         'f',         'r',           'u',
    'u',         'u',         'u',         'u',           'u',
    'u',         'u',         'u',         'u',           'u',
    'u',         'u',         'u',         'u',           'u',
    'u',         'u',         ['"'] = '"', ['\\'] = '\\', [0x7F] = 'u',
/* clang-format off */
#define PLUS8(i) [(i)] = '+', [(i) + 1] = '+', [(i) + 2] = '+', \
    [(i) + 3] = '+', [(i) + 4] = '+', [(i) + 5] = '+', [(i) + 6] = '+', \
    [(i) + 7] = '+'
    PLUS8(0x80), PLUS8(0x88), PLUS8(0x90), PLUS8(0x98),
    PLUS8(0xA0), PLUS8(0xA8), PLUS8(0xB0), PLUS8(0xB8),
    PLUS8(0xC0), PLUS8(0xC8), PLUS8(0xD0), PLUS8(0xD8),
    PLUS8(0xE0), PLUS8(0xE8), PLUS8(0xF0), PLUS8(0xF8),
#undef PLUS8
    /* clang-format on */
};

/* At a byte >= 0x80: how far the run goes on, or 0 if the character must be
 * replaced by *text, which stands for *skip bytes. */
static size_t
wide(const char *s, size_t n, const char **text, size_t *skip)
{
    int len = utf8_seq(s, n);

    if (len <= 0) {
        *text = "\xEF\xBF\xBD";
        *skip = len < 0 ? (size_t)-len : n;
        return 0;
    }
    if (len == 3 && memcmp(s, "\xE2\x80", 2) == 0 &&
        ((unsigned char)s[2] == 0xA8 || (unsigned char)s[2] == 0xA9)) {
        *text = (unsigned char)s[2] == 0xA8 ? "\\u2028" : "\\u2029";
        *skip = 3;
        return 0;
    }
    return (size_t)len;
}

static void
escape_byte(struct buf *out, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    char text[6] = {'\\', need[c], '0', '0', hex[c >> 4], hex[c & 15]};

    buf_add(out, text, need[c] == 'u' ? 6 : 2);
}

void
json_escape(struct buf *out, const char *s, size_t n)
{
    size_t run = 0; /* start of what stands for itself */
    size_t i = 0;

    buf_addc(out, '"');
    while (i < n) {
        unsigned char c = (unsigned char)s[i];
        const char *text = NULL;
        size_t skip = 1;

        if (!need[c]) {
            i++;
            continue;
        }
        if (need[c] == '+') {
            size_t len = wide(s + i, n - i, &text, &skip);

            if (len > 0) {
                i += len;
                continue;
            }
        }
        buf_add(out, s + run, i - run);
        if (text)
            buf_adds(out, text);
        else
            escape_byte(out, c);
        i += skip;
        run = i;
    }
    buf_add(out, s + run, n - run);
    buf_addc(out, '"');
}

void
json_out_init(struct json_out *j, struct buf *b)
{
    j->buf = b;
    j->comma = false;
}

/* Before a value or a name. */
static void
lead(struct json_out *j)
{
    if (j->comma)
        buf_addc(j->buf, ',');
    j->comma = true;
}

void
json_begin_obj(struct json_out *j)
{
    lead(j);
    buf_addc(j->buf, '{');
    j->comma = false;
}

void
json_end_obj(struct json_out *j)
{
    buf_addc(j->buf, '}');
    j->comma = true;
}

void
json_begin_arr(struct json_out *j)
{
    lead(j);
    buf_addc(j->buf, '[');
    j->comma = false;
}

void
json_end_arr(struct json_out *j)
{
    buf_addc(j->buf, ']');
    j->comma = true;
}

void
json_name(struct json_out *j, const char *name)
{
    lead(j);
    buf_addc(j->buf, '"');
    buf_adds(j->buf, name);
    buf_add(j->buf, "\":", 2);
    j->comma = false;
}

void
json_add_str(struct json_out *j, const char *s)
{
    if (s)
        json_add_strn(j, s, strlen(s));
    else
        json_add_null(j);
}

void
json_add_strn(struct json_out *j, const char *s, size_t n)
{
    lead(j);
    json_escape(j->buf, s, n);
}

void
json_add_i64(struct json_out *j, int64_t v)
{
    lead(j);
    buf_add_i64(j->buf, v);
}

void
json_add_num(struct json_out *j, double v)
{
    char text[32];
    int n = 0;

    if (!isfinite(v)) {
        json_add_null(j);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        n = snprintf(text, sizeof(text), "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    lead(j);
    buf_add(j->buf, text, (size_t)n);
}

void
json_add_bool(struct json_out *j, bool v)
{
    lead(j);
    buf_adds(j->buf, v ? "true" : "false");
}

void
json_add_null(struct json_out *j)
{
    lead(j);
    buf_add(j->buf, "null", 4);
}

void
json_add_raw(struct json_out *j, const char *s, size_t n)
{
    lead(j);
    buf_add(j->buf, s, n);
}

void
json_put_str(struct json_out *j, const char *name, const char *s)
{
    json_name(j, name);
    json_add_str(j, s);
}

void
json_put_strn(struct json_out *j, const char *name, const char *s, size_t n)
{
    json_name(j, name);
    json_add_strn(j, s, n);
}

void
json_put_i64(struct json_out *j, const char *name, int64_t v)
{
    json_name(j, name);
    json_add_i64(j, v);
}

void
json_put_count(struct json_out *j, const char *name, int64_t n)
{
    json_name(j, name);
    if (n < 0)
        json_add_null(j);
    else
        json_add_i64(j, n);
}

void
json_put_bool(struct json_out *j, const char *name, bool v)
{
    json_name(j, name);
    json_add_bool(j, v);
}

void
json_put_raw(struct json_out *j, const char *name, const char *s, size_t n)
{
    json_name(j, name);
    json_add_raw(j, s, n);
}

void
json_put_ident(struct json_out *j, const char *name, const struct ident *id)
{
    char text[IDENT_TEXT_LEN];

    ident_text(text, id);
    json_put_str(j, name, text);
}

void
json_put_time(struct json_out *j, const char *name, int64_t wall_ms)
{
    char iso[CLOCK_ISO_LEN];

    clock_iso(iso, wall_ms);
    json_put_str(j, name, iso);
}

void
json_put_when(struct json_out *j, const char *name, int64_t wall_ms)
{
    if (wall_ms != 0)
        json_put_time(j, name, wall_ms);
    else
        json_put_str(j, name, NULL);
}

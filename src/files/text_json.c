/*
 * JSON to rows, without a tree: a scanner that is pushed, and remembers where
 * it is by a stack of one bit and one mark for each open array or object. One
 * file may hold many texts, as JSON Lines do.
 *
 * Comments, commas before a closing bracket and the words NaN and Infinity are
 * let pass: settings and programs write them. Anything else that is not JSON
 * makes the file broken; but once a whole array or object was read, only the
 * rest of the line, as a log may have a line that was not written to its end.
 */
#include "base/base.h"

#include "files/text_json.h"

#include "base/json_scan.h"
#include "base/text.h"

#define TOKEN_MAX 256 /* bytes of a number */

enum json_want { J_VALUE, J_FIRST, J_NAME, J_COLON, J_AFTER };
enum json_in {
    J_BETWEEN,
    J_STRING,
    J_ESCAPE,
    J_HEX,
    J_TOKEN,
    J_SLASH,   /* of a comment */
    J_LINE,    /* a comment to the end of the line */
    J_COMMENT, /* one with an end */
    J_STAR,    /* in it, behind a star */
    J_LOST,    /* to the end of the line: what is no JSON */
};

struct json {
    struct json_row row;
    enum json_want want;
    enum json_in in;
    bool name;      /* the string is one */
    bool opened;    /* nothing yet behind the root's brace */
    uint64_t whole; /* arrays and objects at the root that ended */
    uint64_t values;
    uint32_t hex;
    unsigned hex_digits;
    uint32_t high; /* half of a pair; 0: none */
    size_t len;    /* of a name or token */
    char text[TOKEN_MAX];
};

static void
fault(struct json *j)
{
    if (j->whole == 0)
        text_out_fail(j->row.out, SKIP_BROKEN);
    json_row_reset(&j->row);
    j->in = J_LOST;
    j->want = J_VALUE;
    j->high = 0;
}

static void
after_value(struct json *j)
{
    j->want = J_AFTER;
    if (j->row.depth == 0) {
        j->want = J_VALUE;
        j->values++;
    }
}

static void
open_frame(struct json *j, bool object)
{
    if (j->row.depth == TEXT_JSON_DEPTH_MAX) {
        text_out_fail(j->row.out, SKIP_BOMB);
        return;
    }
    j->opened = object && j->row.depth == 0;
    json_row_open(&j->row, object, j->values > 0);
    j->want = object ? J_NAME : J_FIRST;
}

static void
close_frame(struct json *j, bool object)
{
    if (j->row.depth == 0 || j->row.object[j->row.depth] != object) {
        fault(j);
        return;
    }
    json_row_close(&j->row);
    if (j->row.depth == 0)
        j->whole++;
    after_value(j);
}

/* --- strings -------------------------------------------------------------- */

static void
add(struct json *j, const char *s, size_t n)
{
    if (!j->name) {
        json_row_text(&j->row, s, n);
        return;
    }
    if (n > TEXT_JSON_NAME_MAX - j->len)
        n = TEXT_JSON_NAME_MAX - j->len;
    memcpy(j->text + j->len, s, n);
    j->len += n;
}

/* Half of a pair whose other half did not come. */
static void
lone(struct json *j)
{
    if (j->high)
        add(j, "\xEF\xBF\xBD", 3);
    j->high = 0;
}

static void
text(struct json *j, const char *s, size_t n)
{
    lone(j);
    add(j, s, n);
}

static void
begin_string(struct json *j)
{
    j->name = j->want == J_NAME;
    j->in = J_STRING;
    j->len = 0;
    j->opened = false;
}

static void
end_string(struct json *j)
{
    size_t n;

    lone(j);
    j->in = J_BETWEEN;
    if (!j->name) {
        json_row_text_end(&j->row);
        after_value(j);
        return;
    }
    n = utf8_whole(j->text, j->len);
    for (size_t i = 0; i < n; i++)
        if (j->text[i] == '\n' || j->text[i] == '\t')
            j->text[i] = ' ';
    json_row_name(&j->row, j->text, n);
    j->want = J_COLON;
}

static void
character(struct json *j, uint32_t c)
{
    char s[4];
    size_t n = 1;

    if (c < 0x20 || (c >= 0x7F && c < 0xA0)) {
        s[0] = ' ';
    } else if (c < 0x80) {
        s[0] = (char)c;
    } else if (c < 0x800) {
        s[0] = (char)(0xC0 | c >> 6);
        n = 2;
    } else if (c < 0x10000) {
        s[0] = (char)(0xE0 | c >> 12);
        n = 3;
    } else {
        s[0] = (char)(0xF0 | c >> 18);
        n = 4;
    }
    for (size_t i = 1; i < n; i++)
        s[i] = (char)(0x80 | (c >> (6 * (n - 1 - i)) & 0x3F));
    text(j, s, n);
}

/* Four digits of \uXXXX are there. */
static void
take_unit(struct json *j)
{
    uint32_t u = j->hex;

    j->in = J_STRING;
    if (j->high && u >= 0xDC00 && u <= 0xDFFF) {
        u = 0x10000 + ((j->high - 0xD800) << 10) + (u - 0xDC00);
        j->high = 0;
        character(j, u);
    } else if (u >= 0xD800 && u <= 0xDBFF) {
        lone(j);
        j->high = u;
    } else if (u >= 0xDC00 && u <= 0xDFFF) {
        text(j, "\xEF\xBF\xBD", 3);
    } else {
        character(j, u);
    }
}

static void
take_hex(struct json *j, char c)
{
    uint32_t v;

    if (c >= '0' && c <= '9')
        v = (uint32_t)(c - '0');
    else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        v = (uint32_t)((c | 0x20) - 'a' + 10);
    else {
        fault(j);
        return;
    }
    j->hex = j->hex << 4 | v;
    if (++j->hex_digits == 4)
        take_unit(j);
}

static void
take_escape(struct json *j, char c)
{
    j->in = J_STRING;
    switch (c) {
    case 'u':
        j->in = J_HEX;
        j->hex = 0;
        j->hex_digits = 0;
        return;
    case '"':
    case '\\':
    case '/': text(j, &c, 1); return;
    case 'n':
    case 't':
    case 'r':
    case 'b':
    case 'f': text(j, " ", 1); return;
    default: fault(j); return;
    }
}

/* Up to the quote or backslash. Returns how many bytes were taken. */
static size_t
take_string(struct json *j, const char *s, size_t n)
{
    size_t i = 0;

    while (i < n && s[i] != '"' && s[i] != '\\')
        i++;
    if (i > 0)
        text(j, s, i);
    if (i == n)
        return n;
    if (s[i] == '"')
        end_string(j);
    else
        j->in = J_ESCAPE;
    return i + 1;
}

/* --- numbers and words ---------------------------------------------------- */

static bool
is_token(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || c == '-' || c == '+' || c == '.';
}

static void
end_token(struct json *j)
{
    static const char *const words[] = {"true", "false", "NaN", "Infinity",
                                        "-Infinity"};
    bool good = json_number_len(j->text, j->len) == j->len;

    j->in = J_BETWEEN;
    if (j->len == 4 && memcmp(j->text, "null", 4) == 0) {
        after_value(j);
        return;
    }
    for (size_t i = 0; i < COUNT_OF(words) && !good; i++)
        good = strlen(words[i]) == j->len &&
               memcmp(words[i], j->text, j->len) == 0;
    if (!good) {
        fault(j);
        return;
    }
    json_row_scalar(&j->row, j->text, j->len);
    after_value(j);
}

/* --- between -------------------------------------------------------------- */

static void
take_value(struct json *j, char c)
{
    if (c == '{' || c == '[') {
        open_frame(j, c == '{');
    } else if (c == '"') {
        begin_string(j);
    } else if (c == ']' && j->want == J_FIRST) {
        close_frame(j, false);
    } else if (is_token(c)) {
        j->in = J_TOKEN;
        j->text[0] = c;
        j->len = 1;
    } else {
        fault(j);
    }
}

static void
take_between(struct json *j, char c)
{
    bool object = j->row.object[j->row.depth];

    if (c == ' ' || c == '\t' || c == '\n') {
        if (c == '\n' && j->opened)
            json_row_hard(&j->row);
        return;
    }
    if (c == '/') {
        j->in = J_SLASH;
        return;
    }
    switch (j->want) {
    case J_VALUE:
    case J_FIRST: take_value(j, c); return;
    case J_NAME:
        if (c == '"')
            begin_string(j);
        else if (c == '}')
            close_frame(j, true);
        else
            fault(j);
        return;
    case J_COLON:
        if (c == ':')
            j->want = J_VALUE;
        else
            fault(j);
        return;
    case J_AFTER: break;
    }
    if (c == ',')
        j->want = object ? J_NAME : J_FIRST;
    else if (c == '}' || c == ']')
        close_frame(j, c == '}');
    else
        fault(j);
}

/* One byte. False: it is to be taken again. */
static bool
take_byte(struct json *j, char c)
{
    switch (j->in) {
    case J_STRING: /* take_string does this */
    case J_BETWEEN: take_between(j, c); break;
    case J_ESCAPE: take_escape(j, c); break;
    case J_HEX: take_hex(j, c); break;
    case J_TOKEN:
        if (!is_token(c)) {
            end_token(j);
            return j->in == J_LOST && c != '\n';
        }
        if (j->len < TOKEN_MAX)
            j->text[j->len++] = c;
        else
            fault(j);
        break;
    case J_SLASH:
        if (c == '/')
            j->in = J_LINE;
        else if (c == '*')
            j->in = J_COMMENT;
        else
            fault(j);
        break;
    case J_LINE: break;
    case J_COMMENT: j->in = c == '*' ? J_STAR : J_COMMENT; break;
    case J_STAR:
        if (c != '*')
            j->in = c == '/' ? J_BETWEEN : J_COMMENT;
        break;
    case J_LOST: break;
    }
    if (c == '\n' && (j->in == J_LINE || j->in == J_LOST))
        j->in = J_BETWEEN;
    return true;
}

static void
take(void *reader, const char *s, size_t n)
{
    struct json *j = reader;
    size_t i = 0;

    while (i < n && !j->row.out->e) {
        if (j->in == J_STRING)
            i += take_string(j, s + i, n - i);
        else if (take_byte(j, s[i]))
            i++;
    }
}

static void
end(void *reader)
{
    struct json *j = reader;

    if (j->in == J_TOKEN)
        end_token(j);
    if (j->whole == 0 &&
        (j->row.depth > 0 || j->in == J_STRING || j->in == J_ESCAPE ||
         j->in == J_HEX || j->in == J_SLASH))
        text_out_fail(j->row.out, SKIP_BROKEN);
    text_out_end(j->row.out);
}

static void
init(void *reader, struct text_out *out)
{
    struct json *j = reader;

    json_row_init(&j->row, out);
}

const struct text_reader text_json = {
    .size = sizeof(struct json),
    .init = init,
    .take = take,
    .end = end,
};

/*
 * Rows of the values of a JSON text: see text_json.h. The path of names is one
 * array, cut back to its frame's mark when the next name comes.
 */
#include "base/base.h"

#include "files/text_json.h"

#include "base/text.h"

void
json_row_init(struct json_row *r, struct text_out *out)
{
    r->out = out;
    json_row_reset(r);
}

void
json_row_reset(struct json_row *r)
{
    text_out_end(r->out);
    r->depth = r->record = r->rel = r->path_len = r->look_len = 0;
    r->soft = r->run = r->blank = r->flows = r->data = false;
    r->object[0] = false;
    r->at[0] = 0;
}

static bool
in_array(const struct json_row *r)
{
    return r->depth > 0 && !r->object[r->depth];
}

void
json_row_open(struct json_row *r, bool object, bool later)
{
    bool element = in_array(r);

    r->run = false;
    r->depth++;
    r->object[r->depth] = object;
    r->at[r->depth] = (uint16_t)r->path_len;
    if (r->depth == 1)
        r->soft = object && !later;
    if (r->record == 0 && ((element && object) || (r->depth == 1 && later))) {
        text_out_end(r->out);
        r->record = r->depth;
        r->rel = r->path_len;
    }
}

void
json_row_close(struct json_row *r)
{
    bool grouped = r->record > 0 ? r->depth > r->record
                                 : r->soft && r->depth > 1;

    assert(r->depth > 0);
    r->run = false;
    r->path_len = r->at[r->depth];
    if (!grouped)
        text_out_end(r->out);
    if (r->depth == r->record) {
        r->record = 0;
        r->rel = 0;
    }
    r->depth--;
}

void
json_row_hard(struct json_row *r)
{
    r->soft = false;
}

void
json_row_name(struct json_row *r, const char *s, size_t n)
{
    bool grouped = r->record > 0 || r->soft;
    const char *between = grouped ? "." : " > ";
    size_t len;

    r->run = false;
    r->path_len = r->at[r->depth];
    if (r->path_len == r->rel)
        between = "";
    len = strlen(between);
    if (n == 0 || len + n > TEXT_JSON_PATH_MAX - r->path_len)
        return;
    memcpy(r->path + r->path_len, between, len);
    memcpy(r->path + r->path_len + len, s, n);
    r->path_len += len + n;
}

/* Everything before a value. */
static void
begin_value(struct json_row *r)
{
    struct text_out *o = r->out;
    bool grouped = r->record > 0 || r->soft;
    bool goes_on = in_array(r) && r->run;

    if (o->open && o->len <= TEXT_JSON_ROW_LONG && (grouped || goes_on)) {
        text_out_add(o, ", ", 2);
    } else {
        text_out_begin(o, BLOCK_ROW, 0);
        goes_on = false;
        if (r->rel > 0) {
            text_out_add(o, r->path, r->rel);
            text_out_add(o, r->path_len > r->rel ? " > " : ": ",
                         r->path_len > r->rel ? 3 : 2);
        }
    }
    if (!goes_on && r->path_len > r->rel) {
        text_out_add(o, r->path + r->rel, r->path_len - r->rel);
        text_out_add(o, ": ", 2);
    }
    r->blank = false;
}

static void
end_value(struct json_row *r)
{
    r->run = in_array(r);
    if (!r->run && r->record == 0 && !r->soft)
        text_out_end(r->out);
}

void
json_row_scalar(struct json_row *r, const char *s, size_t n)
{
    begin_value(r);
    text_out_add(r->out, s, n);
    end_value(r);
}

/* --- strings -------------------------------------------------------------- */

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

/* White space as single blanks, none at either end. */
static void
write_text(struct json_row *r, const char *s, size_t n)
{
    size_t i = 0;

    while (i < n) {
        size_t start = i;

        while (i < n && !is_space(s[i]))
            i++;
        if (i > start) {
            if (!r->flows)
                begin_value(r);
            if (r->flows && r->blank)
                text_out_add(r->out, " ", 1);
            r->blank = false;
            r->flows = true;
            text_out_add(r->out, s + start, i - start);
        }
        while (i < n && is_space(s[i])) {
            r->blank = true;
            i++;
        }
    }
}

/* The beginning of a long string is known. */
static void
decide(struct json_row *r)
{
    r->data = true;
    for (size_t i = 0; i < r->look_len; i++)
        if (is_space(r->look[i]) || (r->look[i] & 0x80))
            r->data = false;
    if (!r->data)
        write_text(r, r->look, r->look_len);
    else
        write_text(r, "\xE2\x80\xA6", 3);
}

void
json_row_text(struct json_row *r, const char *s, size_t n)
{
    while (n > 0 && r->look_len < TEXT_JSON_LOOK) {
        size_t k = TEXT_JSON_LOOK - r->look_len;

        if (k > n)
            k = n;
        memcpy(r->look + r->look_len, s, k);
        r->look_len += k;
        s += k;
        n -= k;
        if (r->look_len == TEXT_JSON_LOOK)
            decide(r);
    }
    if (n > 0 && !r->data)
        write_text(r, s, n);
}

void
json_row_text_end(struct json_row *r)
{
    if (r->look_len < TEXT_JSON_LOOK)
        write_text(r, r->look, r->look_len);
    if (r->flows)
        end_value(r);
    r->look_len = 0;
    r->flows = r->data = r->blank = false;
}

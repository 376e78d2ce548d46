/*
 * A row of a table as a line that says its columns: "name: Anna, city: Bern".
 * So each row can be found and understood without the top of its table. Heads
 * are kept in one array; what does not fit has no head, and nothing else of it
 * is lost.
 */
#include "base/base.h"

#include "files/text_inside.h"

#include "base/text.h"

void
text_row_init(struct text_row *r, struct text_out *out)
{
    r->out = out;
    r->n_heads = 0;
    r->heads_len = 0;
    r->head_at[0] = 0;
    r->column = 0;
    r->any = r->told = r->blank = false;
}

void
text_row_head(struct text_row *r, const char *s, size_t n)
{
    size_t lead = text_indent(s, n);

    s += lead;
    n = text_trimmed(s, n - lead);
    if (n > TEXT_HEAD_MAX)
        n = utf8_whole(s, TEXT_HEAD_MAX);
    if (n > TEXT_HEADS_MAX - r->heads_len)
        n = 0;
    if (r->n_heads == TEXT_COLUMNS_MAX)
        return;
    memcpy(r->heads + r->heads_len, s, n);
    r->heads_len += n;
    r->head_at[++r->n_heads] = (uint16_t)r->heads_len;
}

/* Before the first character of a cell. */
static void
tell(struct text_row *r)
{
    size_t at;
    size_t n;

    r->told = true;
    r->blank = false;
    if (r->any)
        text_out_add(r->out, ", ", 2);
    else
        text_out_begin(r->out, BLOCK_ROW, 0);
    r->any = true;
    if (r->column >= r->n_heads)
        return;
    at = r->head_at[r->column];
    n = r->head_at[r->column + 1] - at;
    if (n == 0)
        return;
    text_out_add(r->out, r->heads + at, n);
    text_out_add(r->out, ": ", 2);
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

void
text_row_add(struct text_row *r, const char *s, size_t n)
{
    size_t i = 0;

    while (i < n) {
        size_t start = i;

        while (i < n && !is_space(s[i]))
            i++;
        if (i > start) {
            if (!r->told)
                tell(r);
            if (r->blank)
                text_out_add(r->out, " ", 1);
            r->blank = false;
            text_out_add(r->out, s + start, i - start);
        }
        while (i < n && is_space(s[i])) {
            r->blank = true;
            i++;
        }
    }
}

void
text_row_cell(struct text_row *r)
{
    r->told = false;
    r->blank = false;
    if (r->column < TEXT_COLUMNS_MAX)
        r->column++;
}

void
text_row_end(struct text_row *r)
{
    if (r->any)
        text_out_end(r->out);
    r->column = 0;
    r->any = r->told = r->blank = false;
}

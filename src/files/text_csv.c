/*
 * Comma-separated values (RFC 4180) to rows that say their columns. The comma
 * may be a semicolon, a tab or a bar: whichever the first record has most of,
 * outside quotes, or what a line "sep=;" says.
 *
 * The first record is the heads if it looks like names: at least two cells,
 * none of them a number or a date. It is gathered before anything is given; a
 * first record longer than FIRST_MAX holds no heads.
 *
 * Quotes are read as programs write them, which is more than the RFC has: what
 * follows a closing quote belongs to the cell, and a quote that has not ended
 * after QUOTED_MAX bytes was none, so one that somebody forgot does not eat the
 * rest of the file.
 */
#include "base/base.h"

#include "files/text_inside.h"

#define FIRST_MAX (16 * 1024)  /* bytes */
#define QUOTED_MAX (64 * 1024) /* bytes of one cell */

enum csv_state { CSV_START, CSV_PLAIN, CSV_QUOTED, CSV_QUOTE };

struct csv {
    struct text_row row;
    bool begun; /* the first record was looked at */
    bool first_quoted;
    char comma;
    enum csv_state state;
    size_t quoted; /* bytes of this cell in quotes */
    size_t first_len;
    char first[FIRST_MAX];
};

/* --- the first record ----------------------------------------------------- */

/* "sep=;" */
static bool
says_comma(const struct csv *c, size_t n, char *comma)
{
    if (n != 5 || memcmp(c->first, "sep=", 4) != 0)
        return false;
    *comma = c->first[4];
    return *comma != '"';
}

static char
guess_comma(const struct csv *c, size_t n)
{
    static const char marks[] = ",;\t|";
    size_t count[sizeof(marks) - 1] = {0};
    size_t best = 0;
    bool quoted = false;

    for (size_t i = 0; i < n; i++) {
        const char *m = c->first[i] ? strchr(marks, c->first[i]) : NULL;

        if (c->first[i] == '"')
            quoted = !quoted;
        else if (m && !quoted)
            count[m - marks]++;
    }
    for (size_t i = 1; i < COUNT_OF(count); i++)
        if (count[i] > count[best])
            best = i;
    return marks[best];
}

/* Where the cell that begins at `at` ends, of n bytes. */
static size_t
cell_end(const struct csv *c, size_t at, size_t n)
{
    bool quoted = false;
    size_t i = at;

    for (; i < n && (quoted || c->first[i] != c->comma); i++)
        if (c->first[i] == '"')
            quoted = !quoted;
    return i;
}

/* Could it be the name of a column? Anything but what begins as a number; a
 * year may be one. */
static bool
is_name(const char *s, size_t n)
{
    size_t i = text_indent(s, n);

    if (n == 4 && (memcmp(s, "19", 2) == 0 || memcmp(s, "20", 2) == 0))
        return true;

    if (i < n && s[i] == '"')
        i++;
    if (i < n && strchr("+-.", s[i]))
        i++;
    return i == n || s[i] < '0' || s[i] > '9';
}

/* One cell of the heads, without its quotes. */
static void
head(struct csv *c, size_t at, size_t end)
{
    char *s = c->first + at + text_indent(c->first + at, end - at);
    size_t n = text_trimmed(s, (size_t)(c->first + end - s));
    size_t len = 0;

    if (n >= 2 && s[0] == '"' && s[n - 1] == '"') {
        s++;
        n -= 2;
    }
    for (size_t i = 0; i < n; i++) {
        s[len++] = s[i] == '\n' || s[i] == '\t' ? ' ' : s[i];
        if (s[i] == '"' && i + 1 < n && s[i + 1] == '"')
            i++;
    }
    text_row_head(&c->row, s, len);
}

static bool
take_heads(struct csv *c, size_t n)
{
    size_t cells = 0;
    size_t named = 0;

    for (size_t at = 0; at <= n; cells++) {
        size_t end = cell_end(c, at, n);

        if (!is_name(c->first + at, end - at) ||
            (at == 0 && end > 0 && c->first[0] >= '0' && c->first[0] <= '9'))
            return false;
        named += end > at;
        at = end + 1;
    }
    if (cells < 2 || named * 2 < cells)
        return false;
    for (size_t at = 0; at <= n;) {
        size_t end = cell_end(c, at, n);

        head(c, at, end);
        at = end + 1;
    }
    return true;
}

/* --- all records ---------------------------------------------------------- */

static void
end_record(struct csv *c)
{
    text_row_end(&c->row);
    c->state = CSV_START;
}

/* One byte that is not just of a cell. */
static void
take_mark(struct csv *c, char s)
{
    switch (c->state) {
    case CSV_QUOTED: c->state = s == '"' ? CSV_QUOTE : CSV_QUOTED; return;
    case CSV_QUOTE:
        if (s == '"') {
            text_row_add(&c->row, "\"", 1);
            c->state = CSV_QUOTED;
            return;
        }
        break;
    case CSV_START:
        if (s == '"') {
            c->state = CSV_QUOTED;
            c->quoted = 0;
            return;
        }
        break;
    case CSV_PLAIN: break;
    }
    if (s == c->comma) {
        text_row_cell(&c->row);
        c->state = CSV_START;
    } else if (s == '\n') {
        end_record(c);
    } else {
        text_row_add(&c->row, &s, 1);
        c->state = CSV_PLAIN;
    }
}

/* How many bytes at the start are nothing but content here. */
static size_t
content(struct csv *c, const char *s, size_t n)
{
    const char *stop;
    size_t i = 0;

    if (c->state == CSV_QUOTED) {
        stop = memchr(s, '"', n);
        i = stop ? (size_t)(stop - s) : n;
        if (i > QUOTED_MAX - c->quoted)
            i = QUOTED_MAX - c->quoted;
        c->quoted += i;
        if (c->quoted == QUOTED_MAX)
            c->state = CSV_PLAIN;
        return i;
    }
    while (i < n && s[i] != c->comma && s[i] != '\n' && s[i] != '"')
        i++;
    return i;
}

/* Blanks may stand before an opening quote. */
static bool
only_blanks(const char *s, size_t n)
{
    return text_indent(s, n) == n;
}

static void
feed(struct csv *c, const char *s, size_t n)
{
    while (n > 0) {
        size_t k = content(c, s, n);

        if (k == 0) {
            take_mark(c, *s);
            k = 1;
        } else {
            text_row_add(&c->row, s, k);
            if (c->state == CSV_QUOTE ||
                (c->state == CSV_START && !only_blanks(s, k)))
                c->state = CSV_PLAIN;
        }
        s += k;
        n -= k;
    }
}

/* The first record is whole (n bytes without its LF), or too long. */
static void
begin(struct csv *c, size_t n, bool whole)
{
    if (whole && says_comma(c, n, &c->comma)) {
        c->first_len = 0;
        c->begun = false; /* the next one is the first */
        return;
    }
    if (c->comma == '\0')
        c->comma = guess_comma(c, n);
    c->begun = true;
    if (!whole || !take_heads(c, n))
        feed(c, c->first, c->first_len);
}

static void
take(void *reader, const char *s, size_t n)
{
    struct csv *c = reader;

    while (n > 0 && !c->begun) {
        char b = *s++;

        n--;
        c->first[c->first_len++] = b;
        if (b == '"')
            c->first_quoted = !c->first_quoted;
        if (b == '\n' && !c->first_quoted && c->first_len == 1)
            c->first_len = 0; /* blank lines before it */
        else if (b == '\n' && !c->first_quoted)
            begin(c, c->first_len - 1, true);
        else if (c->first_len == FIRST_MAX)
            begin(c, c->first_len, false);
    }
    feed(c, s, n);
}

/* A table of heads and nothing else is found by its heads. */
static void
give_heads(struct csv *c)
{
    struct text_row *r = &c->row;
    unsigned n = r->n_heads;

    r->n_heads = 0;
    for (unsigned i = 0; i < n; i++) {
        text_row_add(r, r->heads + r->head_at[i],
                     (size_t)(r->head_at[i + 1] - r->head_at[i]));
        text_row_cell(r);
    }
}

static void
finish(void *reader)
{
    struct csv *c = reader;

    if (!c->begun && c->first_len > 0)
        begin(c, c->first_len, true);
    if (c->row.out->blocks == 0 && !c->row.any)
        give_heads(c);
    end_record(c);
}

static void
init(void *reader, struct text_out *out)
{
    struct csv *c = reader;

    text_row_init(&c->row, out);
}

const struct text_reader text_csv = {
    .size = sizeof(struct csv),
    .init = init,
    .take = take,
    .end = finish,
};

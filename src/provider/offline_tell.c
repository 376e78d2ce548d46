/*
 * Parts of documents told as an answer: Markdown again, but out of its place.
 * So links into the documents lose their targets, table rows become list
 * items, and lines run on where only the width of a page had broken them.
 */
#include "base/base.h"

#include "provider/offline.h"

#define LONG_BYTES_MIN (12 * 1024) /* of a long answer, if there is so much */
#define TOPICS_MAX 8
#define INTRO_UNITS_MAX 3

/* Where the target of the link whose "]" is at s ends; NULL if it is no link,
 * or one that works outside of the documents. */
static const char *
link_end(const char *s, const char *end)
{
    const char *close;

    if (end - s < 3 || s[1] != '(' || strncmp(s + 2, "http", 4) == 0)
        return NULL;
    close = memchr(s, ')', (size_t)(end - s));
    return close;
}

/* Text as it is in the document, but for links that would lead nowhere (their
 * words stay) and, in running text, line ends (they become spaces). */
static void
tell(struct buf *out, const char *s, size_t n, bool lines)
{
    const char *end = s + n, *open = NULL, *skip;

    for (; s < end; s++) {
        if (*s == '[' && memchr(s, ']', (size_t)(end - s)) != NULL &&
            link_end(memchr(s, ']', (size_t)(end - s)), end) != NULL) {
            open = s;
        } else if (*s == ']' && open != NULL) {
            skip = link_end(s, end);
            open = NULL;
            if (skip != NULL)
                s = skip;
        } else if (*s == '\n' && !lines) {
            while (s + 1 < end && (unsigned char)s[1] <= ' ')
                s++;
            buf_addc(out, ' ');
        } else {
            buf_addc(out, *s);
        }
    }
}

struct cell {
    const char *s;
    size_t len;
};

/* The cells of a line of a table; all of out is set. */
static size_t
cut_row(const char *s, size_t n, struct cell out[TABLE_COLUMNS_MAX])
{
    const char *end, *bar;
    size_t i = 0;

    memset(out, 0, TABLE_COLUMNS_MAX * sizeof(*out));
    if (n == 0)
        return 0; /* s may be NULL */
    end = s + n;
    for (s += *s == '|'; s < end && i < TABLE_COLUMNS_MAX; s = bar + 1) {
        const char *cell_end;

        bar = memchr(s, '|', (size_t)(end - s));
        if (bar == NULL)
            bar = end;
        for (cell_end = bar; cell_end > s && cell_end[-1] == ' ';)
            cell_end--;
        while (s < cell_end && *s == ' ')
            s++;
        out[i].s = s;
        out[i++].len = (size_t)(cell_end - s);
    }
    return i;
}

/* The head of a column in the middle of a sentence. */
static void
tell_head(struct buf *out, const struct cell *head)
{
    const char *s = head->s;
    bool word = head->len > 1 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'a';

    if (head->len == 0)
        return;
    buf_addc(out, word ? (char)(s[0] | 0x20) : s[0]);
    buf_add(out, s + 1, head->len - 1);
    buf_addc(out, ' ');
}

/* Is all of it one name, number or address? */
static bool
is_code(const struct cell *c)
{
    return c->len > 1 && c->s[0] == '`' &&
           memchr(c->s + 1, '`', c->len - 1) == c->s + c->len - 1;
}

/* The cell that says most: the longest, but words before code. 0: none. */
static size_t
main_cell(const struct cell *row, size_t n)
{
    size_t i, best = 0;

    for (i = 1; i < n; i++) {
        if (row[i].len == 0 ||
            (best != 0 && is_code(&row[i]) > is_code(&row[best])))
            continue;
        if (best == 0 || is_code(&row[i]) < is_code(&row[best]) ||
            row[i].len > row[best].len)
            best = i;
    }
    return best;
}

/* A table's row as a list item, as there is no table around it any more: what
 * the row is about, its main cell, and the others with the heads of their
 * columns. */
static void
tell_row(struct buf *out, const struct unit *u)
{
    struct cell row[TABLE_COLUMNS_MAX], head[TABLE_COLUMNS_MAX];
    size_t n = cut_row(u->text, u->len, row), i, main = main_cell(row, n);
    bool open = false;

    (void)cut_row(u->head, u->head_len, head);
    buf_adds(out, "- ");
    tell(out, row[0].s, row[0].len, false);
    if (main == 0)
        return;
    buf_adds(out, row[0].len > 0 ? ": " : "");
    tell(out, row[main].s, row[main].len, false);
    for (i = 1; i < n; i++) {
        if (i == main || row[i].len == 0)
            continue;
        buf_adds(out, open ? ", " : " (");
        open = true;
        tell_head(out, &head[i]);
        tell(out, row[i].s, row[i].len, false);
    }
    buf_adds(out, open ? ")" : "");
}

void
docs_tell_title(struct buf *out, const struct section *s, size_t number)
{
    if (s->title_len == 0)
        return;
    buf_adds(out, "**");
    tell(out, s->title, s->title_len, false);
    buf_adds(out, "**");
    if (number > 0)
        buf_addf(out, " [%zu]", number);
    buf_adds(out, "\n\n");
}

static bool
is_listed(const struct unit *u)
{
    return u->kind == UNIT_ITEM || u->kind == UNIT_ROW;
}

/* The chosen units of a section: sentences run on, items and rows make a list,
 * code stands alone. */
void
docs_tell_units(struct buf *out, const struct docs *d, const struct section *s,
                const bool *chosen)
{
    const struct unit *last = NULL;
    size_t u;

    for (u = s->first; u < s->first + s->n_units; u++) {
        const struct unit *unit = &d->units[u];

        if (!chosen[u])
            continue;
        if (last != NULL && is_listed(last) && is_listed(unit))
            buf_addc(out, '\n');
        else if (last != NULL && unit->kind == UNIT_SENTENCE &&
                 last->kind == UNIT_SENTENCE)
            buf_addc(out, ' ');
        else if (last != NULL)
            buf_adds(out, "\n\n");
        if (unit->kind == UNIT_ROW)
            tell_row(out, unit);
        else
            tell(out, unit->text, unit->len,
                 unit->kind == UNIT_CODE || unit->kind == UNIT_ITEM);
        last = unit;
    }
    if (last != NULL)
        buf_adds(out, "\n\n");
}

void
docs_tell_topics(struct buf *out, const struct docs *d)
{
    size_t i, n = 0;

    buf_adds(out, "You can ask about:\n\n");
    for (i = 0; i < d->n_sections && n < TOPICS_MAX; i++) {
        const struct section *s = &d->sections[i];

        if (s->n_units == 0 || (i == 0 && d->n_sections > TOPICS_MAX))
            continue;
        buf_adds(out, "- ");
        tell(out, s->title, s->title_len, false);
        buf_addc(out, '\n');
        n++;
    }
    buf_addc(out, '\n');
}

void
docs_tell_everything(struct buf *out, const struct docs *d)
{
    size_t i, told = 0;

    for (i = 0; i < d->n_sections && told < LONG_BYTES_MIN; i++) {
        tell(out, d->sections[i].text, d->sections[i].len, true);
        told += d->sections[i].len;
    }
    buf_adds(out, "\n\n");
}

/* Who is there: what the documents begin with. */
void
docs_tell_intro(struct buf *out, const struct docs *d)
{
    size_t u;

    for (u = 0; u < d->n_units && u < INTRO_UNITS_MAX; u++) {
        if (d->units[u].section != d->units[0].section ||
            d->units[u].kind != UNIT_SENTENCE)
            break;
        if (u > 0)
            buf_addc(out, ' ');
        tell(out, d->units[u].text, d->units[u].len, false);
    }
    buf_adds(out, "\n\n");
    docs_tell_topics(out, d);
}

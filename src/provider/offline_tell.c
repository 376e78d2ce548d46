/*
 * Parts of documents told as an answer: Markdown again, but out of its place.
 * So links into the documents lose their targets, table rows become list
 * items, and lines run on where only the width of a page had broken them.
 */
#include "base/base.h"

#include "provider/offline.h"

#define LONG_BYTES_MIN (12 * 1024) /* of a long answer, if there is so much */
#define TOPICS_MAX 6
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

/* A table's row as a list item: there is no table around it any more. */
static void
tell_row(struct buf *out, const char *s, size_t n)
{
    const char *end = s + n, *bar;
    const char *before = "- ";

    for (; s < end; s = bar + 1) {
        const char *cell = s, *cell_end;

        bar = memchr(s, '|', (size_t)(end - s));
        if (bar == NULL)
            bar = end;
        for (cell_end = bar; cell_end > cell && cell_end[-1] == ' ';)
            cell_end--;
        while (cell < cell_end && *cell == ' ')
            cell++;
        if (cell == cell_end)
            continue;
        buf_adds(out, before);
        tell(out, cell, (size_t)(cell_end - cell), false);
        before = " – ";
    }
}

void
docs_tell_title(struct buf *out, const struct section *s)
{
    if (s->title_len == 0)
        return;
    buf_adds(out, "**");
    tell(out, s->title, s->title_len, false);
    buf_adds(out, "**\n\n");
}

/* The chosen units of a section: sentences run on, blocks stand alone. */
void
docs_tell_units(struct buf *out, const struct docs *d, const struct section *s,
                const bool *chosen)
{
    bool open = false;
    size_t u;

    for (u = s->first; u < s->first + s->n_units; u++) {
        const struct unit *unit = &d->units[u];

        if (!chosen[u])
            continue;
        if (open)
            buf_adds(out, unit->block ? "\n\n" : " ");
        if (unit->text[0] == '|')
            tell_row(out, unit->text, unit->len);
        else
            tell(out, unit->text, unit->len, unit->block);
        open = !unit->block;
        if (unit->block)
            buf_adds(out, "\n\n");
    }
    if (open)
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
        if (d->units[u].section != d->units[0].section || d->units[u].block)
            break;
        if (u > 0)
            buf_addc(out, ' ');
        tell(out, d->units[u].text, d->units[u].len, false);
    }
    buf_adds(out, "\n\n");
    docs_tell_topics(out, d);
}

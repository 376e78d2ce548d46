/*
 * Documents cut into what can be told. Just enough Markdown is understood:
 * headings begin sections; paragraphs are cut into sentences; list items, table
 * rows (with their table's head at hand) and code stay whole. Nothing is
 * copied: all slices point into the text.
 */
#include "base/base.h"

#include "provider/offline.h"

#include "base/mem.h"

#define WORDS_MAX 256     /* of a unit that are looked at */
#define NAME_MAX_BYTES 64 /* of a row that are looked at for its name */
#define CODE_SHARE 3      /* of words of code one counts as one of prose */

/* One pass over one file. */
struct cutter {
    struct docs *d;
    const char *para; /* NULL: not inside a paragraph */
    bool item;        /* it is a list item, or the last one was */
    bool table;       /* inside one, behind its first line */
    const char *row;  /* its first line, if that may be its head */
    const char *row_end;
    const char *head; /* NULL: none */
    const char *head_end;
    const char *code;     /* NULL: not inside a block of code */
    const char *code_end; /* of its last line that is not blank */
    bool fenced;
};

/* --- growing ------------------------------------------------------------ */

/* Room for one more of n: doubles at powers of two. */
static void *
grow(void *list, size_t n, size_t size)
{
    if (n != 0 && (n & (n - 1)) != 0)
        return list;
    return xrealloc(list, (n == 0 ? 1 : n * 2) * size);
}

uint32_t *
docs_words(const char *s, size_t len, size_t *n_out)
{
    uint32_t found[WORDS_MAX], h, *list;
    const char *end = s + len;
    size_t n = 0;
    bool stop;

    while (n < WORDS_MAX && (h = words_next(&s, end, &stop)) != 0) {
        if (!stop)
            found[n++] = h;
    }
    *n_out = n;
    list = xmalloc((n + 1) * sizeof(*list));
    if (n > 0)
        memcpy(list, found, n * sizeof(*list));
    return list;
}

static void
add_section(struct docs *d, const char *title, size_t len, const char *text)
{
    struct section *s;

    d->sections = grow(d->sections, d->n_sections, sizeof(*d->sections));
    s = &d->sections[d->n_sections++];
    memset(s, 0, sizeof(*s));
    s->title = title;
    s->title_len = len;
    s->text = text;
    s->first = d->n_units;
    s->file = d->n_files - 1;
    s->words = docs_words(title, len, &s->n_words);
}

static void
trim(const char **s, const char **end)
{
    while (*s < *end && (unsigned char)**s <= ' ')
        (*s)++;
    while (*end > *s && (unsigned char)(*end)[-1] <= ' ')
        (*end)--;
}

/* The indentation of a block's first line is part of it. NULL: it is empty. */
static struct unit *
add_unit(struct docs *d, const char *s, const char *end, enum unit_kind kind)
{
    const char *begin = s;
    struct unit *u;

    trim(&s, &end);
    while (kind != UNIT_SENTENCE && s > begin && s[-1] == ' ')
        s--;
    if (s == end || d->n_sections == 0)
        return NULL;
    d->units = grow(d->units, d->n_units, sizeof(*d->units));
    u = &d->units[d->n_units++];
    memset(u, 0, sizeof(*u));
    u->kind = kind;
    u->text = s;
    u->len = (size_t)(end - s);
    u->leads = kind != UNIT_CODE && end[-1] == ':';
    u->section = d->n_sections - 1;
    u->words = docs_words(s, u->len, &u->n_words);
    u->length = u->n_words;
    d->sections[u->section].n_units++;
    return u;
}

/* --- cutting ------------------------------------------------------------ */

/* Does a sentence end at the white space at p? Not after "e.g." and "i.e.",
 * and only where something follows that can begin one. */
static bool
sentence_ends(const char *from, const char *p, const char *end)
{
    char before = p > from ? p[-1] : ' ';

    if (before != '.' && before != '!' && before != '?')
        return false;
    if (p - from >= 4 &&
        (memcmp(p - 4, "e.g.", 4) == 0 || memcmp(p - 4, "i.e.", 4) == 0))
        return false;
    while (p < end && (unsigned char)*p <= ' ')
        p++;
    return p < end && !(*p >= 'a' && *p <= 'z');
}

static void
end_paragraph(struct cutter *c, const char *end)
{
    const char *s = c->para, *p;

    c->para = NULL;
    if (s == NULL)
        return;
    if (c->item) {
        (void)add_unit(c->d, s, end, UNIT_ITEM);
        return;
    }
    for (p = s; p < end; p++) {
        if ((*p == ' ' || *p == '\n') && sentence_ends(s, p, end)) {
            (void)add_unit(c->d, s, p, UNIT_SENTENCE);
            s = p;
        }
    }
    (void)add_unit(c->d, s, end, UNIT_SENTENCE);
}

/* Code is one unit, together with the sentence that ends in a colon right
 * before it. */
static void
end_code(struct cutter *c)
{
    struct docs *d = c->d;
    struct unit *u = d->n_units > 0 ? &d->units[d->n_units - 1] : NULL;
    const char *s = c->code;
    size_t lead;

    c->code = NULL;
    if (s == NULL)
        return;
    if (u == NULL || u->section + 1 != d->n_sections || !u->leads) {
        u = add_unit(d, s, c->code_end, UNIT_CODE);
        if (u != NULL)
            u->alone = true;
        return;
    }
    lead = u->n_words;
    u->len = (size_t)(c->code_end - u->text);
    u->kind = UNIT_CODE;
    u->leads = false;
    free(u->words);
    u->words = docs_words(u->text, u->len, &u->n_words);
    u->length += (u->n_words - lead) / CODE_SHARE;
}

static size_t
count_of(const char *s, const char *end, char c)
{
    const char *p = s;

    while (p < end && *p == c)
        p++;
    return (size_t)(p - s);
}

static bool
is_item(const char *s, const char *end)
{
    const char *p = s;

    if (end - s > 2 && strchr("-*+", *s) != NULL && s[1] == ' ')
        return true;
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p > s && end - p > 1 && *p == '.' && p[1] == ' ';
}

static void
take_heading(struct cutter *c, const char *line, const char *end)
{
    const char *title = line + count_of(line, end, '#');

    trim(&title, &end);
    c->item = false;
    add_section(c->d, title, (size_t)(end - title), line);
}

/* What a row is about: the words of its first cell. */
static void
name_row(struct unit *u)
{
    char name[NAME_MAX_BYTES];
    const char *s = u->text + strspn(u->text, "| "), *at = name;
    size_t n = strcspn(s, "|\n"), i;
    uint32_t w;
    bool stop;

    if (n > sizeof(name))
        n = sizeof(name);
    for (i = 0; i < n; i++)
        name[i] = s[i] == '_' ? ' ' : s[i];
    while (u->n_names < UNIT_NAMES_MAX &&
           (w = words_next(&at, name + n, &stop)) != 0) {
        if (!stop)
            u->names[u->n_names++] = w;
    }
}

static void
add_row(struct cutter *c, const char *s, const char *end)
{
    size_t bars = 0;
    const char *p;
    struct unit *u;

    for (p = s; p < end; p++)
        bars += *p == '|';
    if (bars > TABLE_COLUMNS_MAX + 1)
        return;
    u = add_unit(c->d, s, end, UNIT_ROW);
    if (u == NULL)
        return;
    name_row(u);
    if (c->head != NULL) {
        u->head = c->head;
        u->head_len = (size_t)(c->head_end - c->head);
    }
}

/* A line of a table. The first one is its head if dashes follow. */
static void
take_row(struct cutter *c, const char *s, const char *end)
{
    bool dashes = s + strspn(s, "|-: ") >= end;

    if (dashes) {
        c->head = c->row;
        c->head_end = c->row_end;
    } else if (c->row != NULL) {
        add_row(c, c->row, c->row_end);
    }
    if (!dashes && (c->table || c->row != NULL)) {
        add_row(c, s, end);
    } else if (!dashes) {
        c->row = s;
        c->row_end = end;
        return;
    }
    c->table = true;
    c->row = NULL;
}

/* Anything else ends it. */
static void
end_table(struct cutter *c)
{
    if (c->row != NULL)
        add_row(c, c->row, c->row_end);
    c->table = false;
    c->row = NULL;
    c->head = NULL;
}

/* A line that is not code. line is its begin, end its line end. */
static void
take_line(struct cutter *c, const char *line, const char *end)
{
    const char *s = line, *e = end;
    size_t hashes;

    trim(&s, &e);
    if (*s != '|')
        end_table(c);
    hashes = count_of(s, e, '#');
    if (s == e) {
        end_paragraph(c, line);
    } else if (hashes > 0 && hashes < 7 && s + hashes < e && s[hashes] == ' ') {
        end_paragraph(c, line);
        take_heading(c, s, e);
    } else if (*s == '|') {
        end_paragraph(c, line);
        take_row(c, s, e);
    } else if (is_item(s, e)) {
        end_paragraph(c, line);
        c->para = s;
        c->item = true;
    } else if (*s == '<' || (*s == '[' && s[1] == '!')) {
        end_paragraph(c, line); /* HTML and badges say nothing */
    } else if (c->para == NULL) {
        c->para = s;
        c->item = false;
    }
}

/* Is this line code, by a fence or by four spaces after a blank line? Takes
 * it if it is. */
static bool
take_code(struct cutter *c, const char *line, const char *end)
{
    size_t spaces = count_of(line, end, ' ');
    const char *s = line + spaces;
    bool fence = end - s >= 3 &&
                 (memcmp(s, "```", 3) == 0 || memcmp(s, "~~~", 3) == 0);

    if (c->code != NULL && c->fenced) {
        c->code_end = end;
        if (fence)
            end_code(c);
        return true;
    }
    if (c->code != NULL && s == end)
        return true;
    if (c->code != NULL && spaces < 4)
        end_code(c);
    if (!fence && (spaces < 4 || s == end || c->para != NULL || c->item))
        return false;
    end_paragraph(c, line);
    end_table(c);
    if (c->code == NULL)
        c->code = line;
    c->code_end = end;
    c->fenced = fence;
    return true;
}

void
docs_cut(struct docs *d, const char *text)
{
    struct cutter c = {.d = d};
    const char *line = text, *end;
    size_t first = d->n_sections, i;

    for (; *line != '\0'; line = *end == '\0' ? end : end + 1) {
        end = strchrnul(line, '\n');
        if (!take_code(&c, line, end))
            take_line(&c, line, end);
    }
    end_paragraph(&c, line);
    end_table(&c);
    end_code(&c);
    for (i = first; i < d->n_sections; i++) {
        const char *stop = i + 1 < d->n_sections ? d->sections[i + 1].text
                                                 : line;

        d->sections[i].len = (size_t)(stop - d->sections[i].text);
    }
}

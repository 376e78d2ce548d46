/*
 * Parley's own documents, cut into what can be told. Just enough Markdown is
 * understood: headings begin sections; paragraphs are cut into sentences; list
 * items, table rows (with their table's head at hand) and code stay whole.
 * Nothing is copied: all slices point into the files, which stay in memory
 * (they are small, and read only if somebody asks the offline provider).
 */
#include "base/base.h"

#include "provider/offline.h"

#include <dirent.h>

#include "base/mem.h"

#define FILE_BYTES_MAX (512 * 1024) /* a longer document is cut */
#define FILES_MAX 32
#define PATH_BYTES 4096
#define WORDS_MAX 256 /* of a unit that are looked at */

/* Told when there are no documents, as in a program that was copied alone. */
static const char own_words[] =
    "# Parley\n\n"
    "Parley is a chat server written in C that runs behind a web server as "
    "FastCGI or plain CGI.\n\n"
    "## Asking a question\n\n"
    "Send a message with `POST /chat`, as JSON or as a form: "
    "`curl -d 'message=hello' http://127.0.0.1:8080/chat`. "
    "The reply holds the answer, the session's id and the length of the "
    "conversation.\n\n"
    "## Sessions\n\n"
    "A session is a conversation. Send its `session_id` along to continue "
    "it. Messages are stored before the answer is sent, so they survive a "
    "crash.\n\n"
    "## Streaming\n\n"
    "With `stream` or the header `Accept: text/event-stream` the answer "
    "comes piece by piece as server-sent events. A reader that lost its "
    "connection continues with `Last-Event-ID`, and nothing is missed.\n\n"
    "## Setting a key\n\n"
    "To talk to a model, write `OPENAI_API_KEY=` and your key into the file "
    "`.env` and restart. A server of your own that speaks the same interface "
    "is set with `OPENAI_BASE_URL`.\n";

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

static uint32_t *
words_of(const char *s, size_t len, size_t *n_out)
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
    s->words = words_of(title, len, &s->n_words);
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
    u->words = words_of(s, u->len, &u->n_words);
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

    c->code = NULL;
    if (s == NULL)
        return;
    if (u == NULL || u->section + 1 != d->n_sections || !u->leads) {
        (void)add_unit(d, s, c->code_end, UNIT_CODE);
        return;
    }
    u->len = (size_t)(c->code_end - u->text);
    u->kind = UNIT_CODE;
    u->leads = false;
    free(u->words);
    u->words = words_of(u->text, u->len, &u->n_words);
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
    if (u != NULL && c->head != NULL) {
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

static void
cut_file(struct docs *d, const char *text)
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

/* --- files -------------------------------------------------------------- */

static void
add_file(struct docs *d, char *text)
{
    d->files = grow(d->files, d->n_files, sizeof(*d->files));
    d->files[d->n_files++] = text;
    cut_file(d, text);
}

static void
read_file(struct docs *d, const char *root, const char *name)
{
    char path[PATH_BYTES];
    FILE *f;
    char *text;
    size_t n;

    if (snprintf(path, sizeof(path), "%s/%s", root, name) >= (int)sizeof(path))
        return;
    f = fopen(path, "re");
    if (f == NULL)
        return;
    text = xmalloc(FILE_BYTES_MAX + 1);
    n = fread(text, 1, FILE_BYTES_MAX, f);
    (void)fclose(f);
    text[n] = '\0'; /* a NUL inside ends it: slices are NUL-free */
    add_file(d, xrealloc(text, n + 1));
}

static int
is_document(const struct dirent *e)
{
    size_t n = strlen(e->d_name);

    return e->d_name[0] != '.' && n > 3 &&
           strcmp(e->d_name + n - 3, ".md") == 0;
}

static int
by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

struct docs *
docs_load(const char *root)
{
    struct docs *d = xcalloc(1, sizeof(*d));
    struct dirent **list = NULL;
    char path[PATH_BYTES], name[300];
    int i, n = 0;

    read_file(d, root, "README.md");
    if (snprintf(path, sizeof(path), "%s/docs", root) < (int)sizeof(path))
        n = scandir(path, &list, is_document, by_bytes);
    for (i = 0; i < n; i++) {
        if (i < FILES_MAX) {
            (void)snprintf(name, sizeof(name), "docs/%s", list[i]->d_name);
            read_file(d, root, name);
        }
        free(list[i]);
    }
    free(list);
    if (d->n_units == 0)
        add_file(d, xstrdup(own_words));
    return d;
}

void
docs_free(struct docs *d)
{
    size_t i;

    if (d == NULL)
        return;
    for (i = 0; i < d->n_units; i++)
        free(d->units[i].words);
    for (i = 0; i < d->n_sections; i++)
        free(d->sections[i].words);
    for (i = 0; i < d->n_files; i++)
        free(d->files[i]);
    free(d->units);
    free(d->sections);
    free(d->files);
    free(d);
}

/*
 * ODT: the paragraphs of content.xml. Headings say their level themselves.
 * Footnotes stand in the middle of a paragraph there; they are kept until the
 * end and given behind the text. Left out are indexes, comments, forms, what
 * was deleted and is still kept. Numbers of repeated rows and cells are not
 * believed: one is given.
 *
 * Which parts are encrypted is said in a list of the parts, not by ZIP.
 */
#include "base/base.h"

#include "files/compose.h"
#include "files/extract.h"
#include "files/part.h"

#define NOTES_MAX (1024 * 1024) /* bytes of footnotes that are kept */
#define BLANKS_MAX 64           /* that one element can stand for */

struct document {
    struct compose *c;
    int skip;      /* depth within what is left out; 0: not */
    bool body;     /* within the text of the document */
    int note;      /* depth within a footnote */
    int list;      /* lists that are open */
    int tables;    /* that are open */
    int paragraph; /* depth of paragraphs and headings */
    struct buf notes;
};

/* --- is it encrypted ------------------------------------------------------ */

static bool
manifest_start(void *arg, const char *name, const char *space,
               const struct xml_atts *atts)
{
    bool *encrypted = arg;

    (void)space;
    (void)atts;
    *encrypted = *encrypted || strcmp(name, "encryption-data") == 0 ||
                 strcmp(name, "encrypted-key") == 0;
    return !*encrypted;
}

static bool
is_encrypted(struct archive *a)
{
    static const struct xml_events events = {.start = manifest_start};
    bool encrypted = false;

    IGNORE(part_read(a, "META-INF/manifest.xml", &events, &encrypted));
    a->why = SKIP_NOT;
    return encrypted;
}

/* --- events --------------------------------------------------------------- */

static bool
is_left_out(const char *name)
{
    static const char *const names[] = {
        "annotation",       "tracked-changes",    "forms",
        "table-of-content", "alphabetical-index", "illustration-index",
        "table-index",      "note-citation",      "sequence-decls",
        "script",           "ruby-text",          "covered-table-cell",
        "soft-page-break"};

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static void
say(struct document *d, const char *s, size_t n)
{
    if (d->note == 0)
        compose_text(d->c, s, n);
    else if (n <= NOTES_MAX - d->notes.len)
        buf_add(&d->notes, s, n);
}

static void
begin_paragraph(struct document *d, int level)
{
    d->paragraph++;
    if (d->note > 0)
        return;
    if (level > 0)
        compose_block(d->c, BLOCK_HEADING, level);
    else if (d->tables > 0)
        compose_text(d->c, " ", 1);
    else
        compose_block(d->c, d->list > 0 ? BLOCK_ROW : BLOCK_TEXT, 0);
}

static void
end_paragraph(struct document *d, bool heading)
{
    d->paragraph -= d->paragraph > 0;
    if (d->note > 0)
        say(d, "\n", 1);
    else if (d->tables > 0 && !heading)
        compose_text(d->c, " ", 1);
    else
        compose_block(d->c,
                      d->tables > 0 || d->list > 0 ? BLOCK_ROW : BLOCK_TEXT, 0);
}

static void
blanks(struct document *d, const struct xml_atts *atts)
{
    for (int n = xml_att_int(atts, "c", 1, BLANKS_MAX, 1); n > 0; n--)
        say(d, " ", 1);
}

static void
begin(struct document *d, const char *name, const struct xml_atts *atts)
{
    if (strcmp(name, "p") == 0)
        begin_paragraph(d, 0);
    else if (strcmp(name, "h") == 0)
        begin_paragraph(d, xml_att_int(atts, "outline-level", 1, 6, 6));
    else if (strcmp(name, "s") == 0)
        blanks(d, atts);
    else if (strcmp(name, "tab") == 0)
        say(d, " ", 1);
    else if (strcmp(name, "line-break") == 0 && d->note == 0)
        compose_line(d->c);
    else if (strcmp(name, "note") == 0)
        d->note++;
    else if (strcmp(name, "list") == 0)
        d->list++;
    else if (strcmp(name, "table") == 0)
        d->tables++;
    else if (strcmp(name, "table-row") == 0 && d->tables == 1 && d->note == 0)
        compose_block(d->c, BLOCK_ROW, 0);
    else if (strcmp(name, "table-cell") == 0 && d->note == 0)
        compose_cell(d->c);
}

static bool
on_start(void *arg, const char *name, const char *space,
         const struct xml_atts *atts)
{
    struct document *d = arg;

    (void)space;
    if (strcmp(name, "body") == 0)
        d->body = true;
    if (!d->body)
        return true;
    if (d->skip > 0 || is_left_out(name))
        d->skip++;
    else
        begin(d, name, atts);
    return d->c->err == OK;
}

static bool
on_end(void *arg, const char *name, const char *space)
{
    struct document *d = arg;

    (void)space;
    if (!d->body)
        return true;
    if (d->skip > 0) {
        d->skip--;
    } else if (strcmp(name, "p") == 0 || strcmp(name, "h") == 0) {
        end_paragraph(d, name[0] == 'h');
    } else if (strcmp(name, "note") == 0) {
        d->note -= d->note > 0;
    } else if (strcmp(name, "list") == 0) {
        d->list -= d->list > 0;
    } else if (strcmp(name, "table") == 0) {
        d->tables -= d->tables > 0;
        if (d->tables == 0 && d->note == 0)
            compose_block(d->c, BLOCK_TEXT, 0);
    }
    return d->c->err == OK;
}

static bool
on_text(void *arg, const char *s, size_t n)
{
    struct document *d = arg;

    if (d->body && d->skip == 0 && d->paragraph > 0)
        say(d, s, n);
    return d->c->err == OK;
}

/* --- the whole ------------------------------------------------------------ */

static void
give_notes(struct document *d)
{
    const char *s = d->notes.data;
    size_t left = d->notes.len;

    while (left > 0) {
        const char *end = memchr(s, '\n', left);
        size_t n = end != NULL ? (size_t)(end - s) + 1 : left;

        compose_block(d->c, BLOCK_TEXT, 0);
        compose_text(d->c, s, n);
        s += n;
        left -= n;
    }
}

static void
read_document(struct archive *a, struct compose *c, struct facts *f)
{
    static const struct xml_events events = {on_start, on_end, on_text};
    char title[PART_TITLE_MAX];
    struct document d = {.c = c};
    enum err e;

    if (is_encrypted(a)) {
        (void)compose_fail(c, SKIP_ENCRYPTED);
        return;
    }
    part_title(a, "meta.xml", title);
    compose_title(f, title, strlen(title));
    buf_init(&d.notes, NOTES_MAX);
    e = part_read(a, "content.xml", &events, &d);
    if (e == OK)
        give_notes(&d);
    else
        (void)compose_fail(c, e == ERR_NOTFOUND ? SKIP_BROKEN : a->why);
    buf_release(&d.notes);
}

enum err
odt_read(int fd, block_fn *fn, void *arg, struct facts *f, enum skip *why)
{
    struct archive a;
    struct compose c;
    enum err e = archive_open(&a, fd, why);

    if (e != OK)
        return e;
    compose_init(&c, fn, arg);
    read_document(&a, &c, f);
    e = compose_end(&c, why);
    compose_release(&c);
    archive_close(&a);
    return e;
}

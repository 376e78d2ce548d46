/*
 * DOCX: the paragraphs of the main part, with its footnotes behind it.
 *
 * What a paragraph is (a heading, an item of a list) is said in its properties,
 * which come before its text. Tables become rows, a table within a cell becomes
 * part of the row. Left out are what was deleted and is still kept, codes of
 * fields, lines of a table of contents, headers and footers, and the older of
 * two versions of the same drawing.
 */
#include "base/base.h"

#include "files/docx.h"

#include "files/compose.h"
#include "files/extract.h"
#include "files/part.h"

#define MAIN "word/document.xml"
#define MAIN_TYPE "/officeDocument"

/* The main part, by the list of what the file consists of. */
struct main_part {
    char name[PART_NAME_MAX];
};

struct document {
    struct compose *c;
    const struct docx_styles *styles;
    struct facts *facts;
    int skip;        /* depth within what is left out; 0: not */
    int tables;      /* that are open */
    bool properties; /* of a paragraph */
    bool text;       /* in an element with text */
    bool title;      /* the paragraph is the document's title */
    bool contents;   /* the paragraph is of a table of contents */
    bool list;
    int level;
    char said[PART_TITLE_MAX]; /* the title, as far as it was read */
    size_t n_said;
};

/* --- the main part -------------------------------------------------------- */

static bool
rel_start(void *arg, const char *name, const char *space,
          const struct xml_atts *atts)
{
    struct main_part *m = arg;
    char type[256], target[PART_NAME_MAX];

    (void)space;
    if (strcmp(name, "Relationship") != 0 ||
        !xml_att(atts, "Type", type, sizeof(type)) ||
        !xml_space_ends(type, MAIN_TYPE) ||
        !xml_att(atts, "Target", target, sizeof(target)))
        return true;
    (void)snprintf(m->name, sizeof(m->name), "%s",
                   target[0] == '/' ? target + 1 : target);
    return false;
}

static enum err
find_main(struct archive *a, struct main_part *m)
{
    static const struct xml_events events = {.start = rel_start};
    enum err e;

    (void)snprintf(m->name, sizeof(m->name), "%s", MAIN);
    e = part_read(a, "_rels/.rels", &events, m);
    return e == ERR_NOTFOUND ? OK : e;
}

/* A part in the folder of the main one. */
static void
beside(const struct main_part *m, const char *name, char out[PART_NAME_MAX])
{
    const char *slash = strrchr(m->name, '/');
    int n = slash != NULL ? (int)(slash - m->name) + 1 : 0;

    if (snprintf(out, PART_NAME_MAX, "%.*s%s", n, m->name, name) >=
        PART_NAME_MAX)
        out[0] = '\0';
}

/* --- its text ------------------------------------------------------------- */

static bool
is_left_out(const char *name, const char *space)
{
    static const char *const names[] = {"del",         "instrText", "delText",
                                        "moveFrom",    "rubyPr",    "rt",
                                        "delInstrText"};

    if (strcmp(name, "Fallback") == 0)
        return xml_space_ends(space, "/markup-compatibility/2006");
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* The kind of what follows, now that the properties are known. */
static void
begin_text(struct document *d)
{
    if (d->tables > 0 && d->level == 0)
        return;
    if (d->level > 0)
        compose_block(d->c, BLOCK_HEADING, d->level);
    else
        compose_block(d->c, d->list ? BLOCK_ROW : BLOCK_TEXT, 0);
}

static void
begin_paragraph(struct document *d)
{
    d->level = 0;
    d->list = d->title = d->contents = false;
    if (d->tables > 0)
        compose_text(d->c, " ", 1);
    else
        compose_block(d->c, BLOCK_TEXT, 0);
}

static void
end_paragraph(struct document *d)
{
    if (d->title && d->n_said > 0) {
        compose_title(d->facts, d->said, d->n_said);
        d->n_said = 0;
    }
    if (d->tables > 0 && d->level == 0)
        compose_text(d->c, " ", 1);
    else
        compose_block(d->c, d->tables > 0 ? BLOCK_ROW : BLOCK_TEXT, 0);
    d->list = d->title = d->contents = false;
    d->level = 0;
}

static void
set_style(struct document *d, const struct xml_atts *atts)
{
    char id[DOCX_ID_MAX];
    const struct docx_style *s;

    if (!xml_att(atts, "val", id, sizeof(id)))
        return;
    s = docx_style(d->styles, id);
    if (s == NULL)
        return;
    d->level = s->level > 0 ? s->level : s->title ? 1 : 0;
    d->title = s->title;
    d->contents = s->contents;
    d->list = d->list || s->list;
}

static void
property(struct document *d, const char *name, const struct xml_atts *atts)
{
    int level;

    if (strcmp(name, "pStyle") == 0) {
        set_style(d, atts);
    } else if (strcmp(name, "outlineLvl") == 0) {
        level = xml_att_int(atts, "val", 0, 9, 9);
        d->level = level < 9 ? (level < 6 ? level + 1 : 6) : d->level;
    } else if (strcmp(name, "numId") == 0) {
        d->list = !xml_att_is(atts, "val", "0");
    }
}

static void
mark(struct document *d, const char *name, const struct xml_atts *atts)
{
    if (strcmp(name, "p") == 0)
        begin_paragraph(d);
    else if (strcmp(name, "pPr") == 0)
        d->properties = true;
    else if (strcmp(name, "t") == 0)
        d->text = true;
    else if (strcmp(name, "tab") == 0 || strcmp(name, "ptab") == 0)
        compose_text(d->c, " ", 1);
    else if (strcmp(name, "br") == 0 || strcmp(name, "cr") == 0)
        compose_line(d->c);
    else if (strcmp(name, "noBreakHyphen") == 0)
        compose_str(d->c, "-");
    else if (strcmp(name, "tbl") == 0 && d->tables++ == 0)
        compose_block(d->c, BLOCK_ROW, 0);
    else if (strcmp(name, "tr") == 0 && d->tables == 1)
        compose_block(d->c, BLOCK_ROW, 0);
    else if (strcmp(name, "tc") == 0)
        compose_cell(d->c);
    else if ((strcmp(name, "footnote") == 0 || strcmp(name, "endnote") == 0) &&
             xml_att_is(atts, "type", "separator"))
        d->skip = 1;
}

static bool
on_start(void *arg, const char *name, const char *space,
         const struct xml_atts *atts)
{
    struct document *d = arg;

    if (d->skip > 0 || is_left_out(name, space))
        d->skip++;
    else if (d->properties)
        property(d, name, atts);
    else
        mark(d, name, atts);
    return d->c->err == OK;
}

static bool
on_end(void *arg, const char *name, const char *space)
{
    struct document *d = arg;

    (void)space;
    if (d->skip > 0) {
        d->skip--;
    } else if (strcmp(name, "pPr") == 0) {
        d->properties = false;
        begin_text(d);
    } else if (d->properties) {
        return true;
    } else if (strcmp(name, "p") == 0) {
        end_paragraph(d);
    } else if (strcmp(name, "t") == 0) {
        d->text = false;
    } else if (strcmp(name, "tr") == 0 && d->tables == 1) {
        compose_block(d->c, BLOCK_ROW, 0);
    } else if (strcmp(name, "tbl") == 0 && d->tables > 0 && --d->tables == 0) {
        compose_block(d->c, BLOCK_TEXT, 0);
    }
    return d->c->err == OK;
}

static bool
on_text(void *arg, const char *s, size_t n)
{
    struct document *d = arg;

    if (d->skip > 0 || !d->text || d->contents)
        return true;
    if (d->title && n < sizeof(d->said) - d->n_said) {
        (void)memcpy(d->said + d->n_said, s, n);
        d->n_said += n;
    }
    compose_text(d->c, s, n);
    return d->c->err == OK;
}

/* --- the whole ------------------------------------------------------------ */

/* Returns c->err. */
static enum err
read_part(struct archive *a, const char *name, bool needed,
          struct document *like)
{
    static const struct xml_events events = {on_start, on_end, on_text};
    struct document d = {
        .c = like->c, .styles = like->styles, .facts = like->facts};
    enum err e;

    if (name[0] == '\0')
        return d.c->err;
    e = part_read(a, name, &events, &d);
    compose_block(d.c, BLOCK_TEXT, 0);
    if (e == ERR_NOTFOUND && needed)
        return compose_fail(d.c, SKIP_BROKEN);
    if (e == ERR_IMPOSSIBLE)
        return compose_fail(d.c, a->why);
    return d.c->err;
}

static void
read_document(struct archive *a, struct compose *c, struct facts *f)
{
    static const char *const notes[] = {"footnotes.xml", "endnotes.xml"};
    char title[PART_TITLE_MAX], name[PART_NAME_MAX];
    struct docx_styles styles = {NULL, 0};
    struct document d = {.c = c, .styles = &styles, .facts = f};
    struct main_part m = {.name = ""};

    part_title(a, "docProps/core.xml", title);
    compose_title(f, title, strlen(title));
    if (find_main(a, &m) != OK) {
        (void)compose_fail(c, a->why);
        return;
    }
    beside(&m, "styles.xml", name);
    if (docx_styles_read(a, name, &styles) != OK) {
        (void)compose_fail(c, a->why);
        return;
    }
    IGNORE(read_part(a, m.name, true, &d));
    for (size_t i = 0; i < COUNT_OF(notes) && c->err == OK; i++) {
        beside(&m, notes[i], name);
        IGNORE(read_part(a, name, false, &d));
    }
    docx_styles_release(&styles);
}

enum err
docx_read(int fd, block_fn *fn, void *arg, struct facts *f, enum skip *why)
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

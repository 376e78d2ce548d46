/*
 * Styles of a DOCX file. A heading is what has an outline level, or a name as
 * Word gives it ("heading 2", whatever it is called on the screen), or is based
 * on a style that is one.
 */
#include "base/base.h"

#include "files/docx.h"

#include "base/mem.h"
#include "base/text.h"
#include "files/part.h"

#define BASED_MAX 10 /* steps from a style to the ones below it */

struct reader {
    struct docx_styles *styles;
    struct docx_style *now; /* the one that is being read */
    size_t cap;
};

static int
heading_level(int level)
{
    return level < 6 ? level : 6;
}

static struct docx_style *
add(struct reader *r)
{
    struct docx_styles *s = r->styles;

    if (s->n == r->cap) {
        r->cap = r->cap > 0 ? 2 * r->cap : 32;
        s->at = xrealloc(s->at, r->cap * sizeof(*s->at));
    }
    (void)memset(&s->at[s->n], 0, sizeof(*s->at));
    s->at[s->n].level = -1;
    return &s->at[s->n++];
}

static void
name_style(struct docx_style *s, const char *name)
{
    if (text_istarts(name, "heading ") && name[8] >= '1' && name[8] <= '9' &&
        name[9] == '\0' && s->level < 0)
        s->level = heading_level(name[8] - '0');
    s->title = text_ieq(name, "title");
    s->contents = text_istarts(name, "toc ");
    s->list = text_istarts(name, "list ");
}

static bool
on_start(void *arg, const char *name, const char *space,
         const struct xml_atts *atts)
{
    struct reader *r = arg;
    char value[DOCX_ID_MAX];
    int level;

    (void)space;
    if (strcmp(name, "style") == 0) {
        r->now = NULL;
        if (r->styles->n < DOCX_STYLES_MAX &&
            xml_att_is(atts, "type", "paragraph") &&
            xml_att(atts, "styleId", value, sizeof(value))) {
            r->now = add(r);
            (void)memcpy(r->now->id, value, sizeof(value));
        }
    } else if (r->now == NULL) {
        return true;
    } else if (strcmp(name, "name") == 0) {
        if (xml_att(atts, "val", value, sizeof(value)))
            name_style(r->now, value);
    } else if (strcmp(name, "basedOn") == 0) {
        (void)xml_att(atts, "val", r->now->based_on, DOCX_ID_MAX);
    } else if (strcmp(name, "outlineLvl") == 0) {
        level = xml_att_int(atts, "val", 0, 9, 9);
        r->now->level = level < 9 ? heading_level(level + 1) : 0;
    }
    return true;
}

static bool
on_end(void *arg, const char *name, const char *space)
{
    struct reader *r = arg;

    (void)space;
    if (strcmp(name, "style") == 0)
        r->now = NULL;
    return true;
}

static int
by_id(const void *a, const void *b)
{
    const struct docx_style *x = a, *y = b;

    return strcmp(x->id, y->id);
}

const struct docx_style *
docx_style(const struct docx_styles *s, const char *id)
{
    struct docx_style key = {.level = 0};

    if (s->n == 0 || strlen(id) >= sizeof(key.id))
        return NULL;
    (void)snprintf(key.id, sizeof(key.id), "%s", id);
    return bsearch(&key, s->at, s->n, sizeof(key), by_id);
}

/* Levels that are those of the style below. A ring of styles has none. */
static void
inherit(struct docx_styles *s)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct docx_style *below = &s->at[i];
        int level = below->level;

        for (int steps = 0; level < 0 && steps < BASED_MAX; steps++) {
            below = docx_style(s, below->based_on);
            if (below == NULL)
                break;
            level = below->level;
        }
        s->at[i].level = level > 0 ? level : 0;
    }
}

enum err
docx_styles_read(struct archive *a, const char *part, struct docx_styles *out)
{
    static const struct xml_events events = {.start = on_start, .end = on_end};
    struct reader r = {.styles = out};
    enum err e;

    (void)memset(out, 0, sizeof(*out));
    e = part_read(a, part, &events, &r);
    if (e == ERR_NOTFOUND)
        return OK;
    if (e != OK) {
        docx_styles_release(out);
        return e;
    }
    if (out->n > 0)
        qsort(out->at, out->n, sizeof(*out->at), by_id);
    inherit(out);
    return OK;
}

void
docx_styles_release(struct docx_styles *s)
{
    free(s->at);
    s->at = NULL;
    s->n = 0;
}

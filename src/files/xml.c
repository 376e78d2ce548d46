/*
 * XML, by libxml2's SAX2 interface: no tree is built.
 *
 * The parser is asked not to replace entities, and stops at the first one that
 * the file declares: the formats here forbid or do not need them, and some
 * hundred bytes of them can stand for gigabytes. A parameter entity would have
 * to be declared as well.
 */
#include "base/base.h"

#include "files/xml.h"

#include <libxml/parser.h>

#include "base/text.h"

struct reading {
    const struct xml_events *events;
    void *arg;
    xmlParserCtxtPtr parser;
    struct source from;
    int depth;
    bool over, read_failed;
    enum skip why;
};

static void
stop(struct reading *r, enum skip why)
{
    if (!r->over) {
        r->over = true;
        r->why = why;
        xmlStopParser(r->parser);
    }
}

static void
on_start(void *arg, const xmlChar *name, const xmlChar *prefix,
         const xmlChar *space, int n_spaces, const xmlChar **spaces, int n_atts,
         int n_defaulted, const xmlChar **atts)
{
    struct reading *r = arg;
    struct xml_atts a = {.at = atts, .n = n_atts};

    (void)prefix;
    (void)n_spaces;
    (void)spaces;
    (void)n_defaulted;
    if (++r->depth > XML_DEPTH)
        stop(r, SKIP_BOMB);
    if (r->over)
        return;
    if (!r->events->start(r->arg, (const char *)name,
                          space != NULL ? (const char *)space : "", &a))
        stop(r, SKIP_NOT);
}

static void
on_end(void *arg, const xmlChar *name, const xmlChar *prefix,
       const xmlChar *space)
{
    struct reading *r = arg;

    (void)prefix;
    r->depth--;
    if (!r->over && r->events->end != NULL &&
        !r->events->end(r->arg, (const char *)name,
                        space != NULL ? (const char *)space : ""))
        stop(r, SKIP_NOT);
}

static void
on_text(void *arg, const xmlChar *s, int n)
{
    struct reading *r = arg;

    if (!r->over && n > 0 && r->events->text != NULL &&
        !r->events->text(r->arg, (const char *)s, (size_t)n))
        stop(r, SKIP_NOT);
}

static void
on_entity(void *arg, const xmlChar *name, int type, const xmlChar *public_id,
          const xmlChar *system_id, xmlChar *content)
{
    (void)name;
    (void)type;
    (void)public_id;
    (void)system_id;
    (void)content;
    stop(arg, SKIP_BOMB);
}

static int
on_read(void *arg, char *buf, int n)
{
    struct reading *r = arg;
    ssize_t got = r->from.read(r->from.arg, buf, (size_t)n);

    r->read_failed = got < 0;
    return (int)got;
}

static void
quiet(void *arg, const char *fmt, ...)
{
    (void)arg;
    (void)fmt;
}

/* Why it ended before its end, if nobody stopped it. */
static enum skip
failure(struct reading *r)
{
    const xmlError *error = xmlCtxtGetLastError(r->parser);

    if (r->read_failed)
        return SKIP_BROKEN;
    if (r->parser->wellFormed || error == NULL)
        return SKIP_NOT;
    switch (error->code) {
    case XML_ERR_NO_MEMORY: return SKIP_TIME;
    case XML_ERR_ENTITY_LOOP: return SKIP_BOMB;
    default: return SKIP_BROKEN;
    }
}

enum err
xml_read(struct source from, const struct xml_events *events, void *arg,
         enum skip *why)
{
    struct reading r = {.events = events, .arg = arg, .from = from};
    xmlDocPtr tree;

    xmlSetGenericErrorFunc(NULL, quiet);
    r.parser = xmlNewParserCtxt();
    if (r.parser == NULL) {
        *why = SKIP_TIME;
        return ERR_IMPOSSIBLE;
    }
    (void)memset(r.parser->sax, 0, sizeof(*r.parser->sax));
    r.parser->sax->initialized = XML_SAX2_MAGIC;
    r.parser->sax->startElementNs = on_start;
    r.parser->sax->endElementNs = on_end;
    r.parser->sax->characters = on_text;
    r.parser->sax->cdataBlock = on_text;
    r.parser->sax->entityDecl = on_entity;
    r.parser->userData = &r;
    tree = xmlCtxtReadIO(r.parser, on_read, NULL, &r, NULL, NULL,
                         XML_PARSE_NONET | XML_PARSE_NOERROR |
                             XML_PARSE_NOWARNING);
    xmlFreeDoc(tree);
    *why = r.over ? r.why : failure(&r);
    xmlFreeParserCtxt(r.parser);
    return *why == SKIP_NOT ? OK : ERR_IMPOSSIBLE;
}

/* --- attributes ----------------------------------------------------------- */

static const char *
find(const struct xml_atts *atts, const char *name, size_t *n)
{
    for (int i = 0; i < atts->n; i++) {
        const unsigned char **a = atts->at + (ptrdiff_t)i * 5;

        if (strcmp((const char *)a[0], name) == 0) {
            *n = (size_t)(a[4] - a[3]);
            return (const char *)a[3];
        }
    }
    *n = 0;
    return NULL;
}

bool
xml_att(const struct xml_atts *atts, const char *name, char *out, size_t size)
{
    size_t n;
    const char *value = find(atts, name, &n);

    out[0] = '\0';
    if (value == NULL || n >= size)
        return false;
    (void)memcpy(out, value, n);
    out[n] = '\0';
    return true;
}

bool
xml_att_is(const struct xml_atts *atts, const char *name, const char *value)
{
    size_t n;
    const char *has = find(atts, name, &n);

    return has != NULL && n == strlen(value) && memcmp(has, value, n) == 0;
}

int
xml_att_int(const struct xml_atts *atts, const char *name, int min, int max,
            int fallback)
{
    size_t n;
    const char *value = find(atts, name, &n);
    int64_t number;

    if (value == NULL || text_i64(value, n, min, max, &number) != OK)
        return fallback;
    return (int)number;
}

bool
xml_space_ends(const char *space, const char *tail)
{
    size_t n = strlen(space), len = strlen(tail);

    return n >= len && strcmp(space + n - len, tail) == 0;
}

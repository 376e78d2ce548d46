/*
 * HTML, by libxml2's parser, which takes what browsers take: it is asked for
 * events and never builds a tree, so the size of a page does not matter. It
 * fetches nothing and knows no entities but HTML's own.
 *
 * A stack remembers, for each element that is open, what was there before it: a
 * paragraph in an item of a list belongs to the item, and what follows a list
 * in a paragraph is text again. Tables become rows. Old pages are laid out with
 * tables and have whole articles in one cell: a paragraph in a cell that has
 * more text already than cells of tables have begins a block of its own.
 */
#include "base/base.h"

#include "files/html.h"

#include <libxml/HTMLparser.h>

#include "base/mem.h"
#include "files/extract.h"

#define CELL_USUAL 240 /* bytes of a row; one with more is no table's */
#define TITLE_MAX 4096 /* bytes of a title that are looked at */

/* An element that is open. */
struct level {
    enum block_kind kind; /* of what is around it */
    int heading;
    bool drop, code, row, title; /* so is what is around it */
};

struct page {
    struct compose *c;
    htmlParserCtxtPtr parser;
    struct charset charset;
    struct level now;
    struct level *stack; /* owned; n of cap are used */
    size_t n, cap;
    struct buf title;
    bool read_failed;
};

static void
stop_if_over(struct page *p)
{
    if (p->c->err != OK)
        xmlStopParser(p->parser);
}

/* --- events --------------------------------------------------------------- */

static const char *
attribute(const xmlChar **atts, const char *name)
{
    for (; atts != NULL && atts[0] != NULL; atts += 2)
        if (strcmp((const char *)atts[0], name) == 0)
            return atts[1] != NULL ? (const char *)atts[1] : "";
    return NULL;
}

/* Is it not shown, or only for finding one's way? */
static bool
is_hidden(const xmlChar **atts)
{
    const char *aria = attribute(atts, "aria-hidden");
    const char *role = attribute(atts, "role");

    return attribute(atts, "hidden") != NULL ||
           (aria != NULL && strcmp(aria, "true") == 0) ||
           (role != NULL &&
            (strcmp(role, "navigation") == 0 || strcmp(role, "search") == 0));
}

static void
begin_block(struct page *p)
{
    if (p->now.code)
        compose_line(p->c);
    else if (p->now.row && compose_len(p->c) <= CELL_USUAL)
        compose_text(p->c, " ", 1);
    else if (p->now.row)
        compose_block(p->c, BLOCK_TEXT, 0);
    else
        compose_block(p->c, p->now.kind, p->now.heading);
}

static void
begin_kind(struct page *p, enum block_kind kind, int heading)
{
    p->now.kind = kind;
    p->now.heading = heading;
    p->now.code = kind == BLOCK_CODE;
    p->now.row = false;
    compose_block(p->c, kind, heading);
}

static void
begin(struct page *p, enum html_role role, int level, const xmlChar **atts)
{
    const char *alt;

    switch (role) {
    case HTML_INLINE: break;
    case HTML_DROP: p->now.drop = true; break;
    case HTML_BLOCK: begin_block(p); break;
    case HTML_HEADING: begin_kind(p, BLOCK_HEADING, level); break;
    case HTML_ITEM: begin_kind(p, BLOCK_ROW, 0); break;
    case HTML_TABLE: begin_kind(p, BLOCK_TEXT, 0); break;
    case HTML_ROW:
        begin_kind(p, BLOCK_ROW, 0);
        p->now.row = true;
        break;
    case HTML_CELL:
        if (p->now.row)
            compose_cell(p->c);
        break;
    case HTML_CODE: begin_kind(p, BLOCK_CODE, 0); break;
    case HTML_BREAK: compose_line(p->c); break;
    case HTML_IMAGE:
        alt = attribute(atts, "alt");
        if (alt != NULL && *alt != '\0') {
            compose_text(p->c, " ", 1);
            compose_str(p->c, alt);
            compose_text(p->c, " ", 1);
        }
        break;
    case HTML_TITLE: p->now.title = true; break;
    }
}

static void
on_start(void *arg, const xmlChar *name, const xmlChar **atts)
{
    struct page *p = arg;
    enum html_role role;
    int level;

    if (p->n >= HTML_DEPTH_MAX)
        (void)compose_fail(p->c, SKIP_BOMB);
    stop_if_over(p);
    if (p->c->err != OK)
        return;
    if (p->n == p->cap) {
        p->cap = p->cap > 0 ? 2 * p->cap : 64;
        p->stack = xrealloc(p->stack, p->cap * sizeof(*p->stack));
    }
    p->stack[p->n++] = p->now;
    if (p->now.drop)
        return;
    role = html_role_of((const char *)name, &level);
    if (is_hidden(atts))
        role = HTML_DROP;
    begin(p, role, level, atts);
}

static void
on_end(void *arg, const xmlChar *name)
{
    struct page *p = arg;
    struct level was = p->now;
    enum html_role role;
    int level;

    if (p->n == 0)
        return;
    p->now = p->stack[--p->n];
    if (was.drop)
        return;
    role = html_role_of((const char *)name, &level);
    if (role == HTML_BLOCK)
        begin_block(p);
    else if (role == HTML_HEADING || role == HTML_ITEM || role == HTML_TABLE ||
             role == HTML_ROW || role == HTML_CODE)
        compose_block(p->c, p->now.kind, p->now.heading);
    stop_if_over(p);
}

static void
on_text(void *arg, const xmlChar *s, int n)
{
    struct page *p = arg;
    size_t room = TITLE_MAX - p->title.len;

    if (p->now.drop || n <= 0)
        return;
    if (p->now.title) {
        buf_add(&p->title, s, (size_t)n < room ? (size_t)n : room);
        return;
    }
    compose_text(p->c, (const char *)s, (size_t)n);
    stop_if_over(p);
}

static int
on_read(void *arg, char *buf, int n)
{
    struct page *p = arg;
    ssize_t got = charset_read(&p->charset, buf, (size_t)n);

    p->read_failed = got < 0;
    return (int)got;
}

/* --- the whole ------------------------------------------------------------ */

static void
quiet(void *arg, const char *fmt, ...)
{
    (void)arg;
    (void)fmt;
}

static void
parse(struct page *p)
{
    const xmlError *error;
    htmlDocPtr tree;

    (void)memset(p->parser->sax, 0, sizeof(*p->parser->sax));
    p->parser->sax->startElement = on_start;
    p->parser->sax->endElement = on_end;
    p->parser->sax->characters = on_text;
    p->parser->sax->ignorableWhitespace = on_text;
    p->parser->userData = p;
    tree = htmlCtxtReadIO(p->parser, on_read, NULL, p, NULL, "UTF-8",
                          HTML_PARSE_NONET | HTML_PARSE_NOERROR |
                              HTML_PARSE_NOWARNING | HTML_PARSE_IGNORE_ENC);
    xmlFreeDoc(tree);
    error = xmlCtxtGetLastError(p->parser);
    if (p->read_failed)
        (void)compose_fail(p->c, SKIP_BROKEN);
    else if (error != NULL && error->code == XML_ERR_NO_MEMORY)
        (void)compose_fail(p->c, SKIP_TIME);
}

enum err
html_compose(struct source from, struct compose *c, struct facts *f)
{
    struct page p = {.c = c};

    xmlSetGenericErrorFunc(NULL, quiet);
    buf_init(&p.title, TITLE_MAX);
    charset_init(&p.charset, from);
    compose_block(c, BLOCK_TEXT, 0);
    p.parser = htmlNewParserCtxt();
    if (p.parser == NULL)
        (void)compose_fail(c, SKIP_TIME);
    else
        parse(&p);
    if (f != NULL)
        compose_title(f, p.title.data, p.title.len);
    htmlFreeParserCtxt(p.parser);
    charset_release(&p.charset);
    buf_release(&p.title);
    free(p.stack);
    return c->err;
}

enum err
html_read(int fd, block_fn *fn, void *arg, struct facts *f, enum skip *why)
{
    struct source from = {source_fd, &fd};
    struct compose c;
    enum err e;

    compose_init(&c, fn, arg);
    IGNORE(html_compose(from, &c, f));
    e = compose_end(&c, why);
    compose_release(&c);
    return e;
}

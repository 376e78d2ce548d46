/*
 * The package of an EPUB: META-INF/container.xml names the file that lists all
 * parts (the manifest) and those that are read one after the other (the spine).
 *
 * A book from a shop is often encrypted, which META-INF/encryption.xml tells;
 * fonts that are merely scrambled are in the same list and do not count.
 */
#include "base/base.h"

#include "files/epub.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

#define ID_MAX 128 /* bytes of an id, with its NUL */

struct epub_item {
    char *id, *href; /* owned */
};

/* --- names ---------------------------------------------------------------- */

/* Take "." and ".." out of a path, in place. */
static bool
resolve_dots(char *path)
{
    char *to = path;

    for (const char *from = path; *from != '\0';) {
        size_t n = strcspn(from, "/");
        bool more = from[n] == '/';

        if (n == 2 && memcmp(from, "..", 2) == 0) {
            if (to == path)
                return false;
            to--; /* its '/' */
            while (to > path && to[-1] != '/')
                to--;
        } else if (n > 0 && !(n == 1 && *from == '.')) {
            (void)memmove(to, from, n);
            to += n;
            if (more)
                *to++ = '/';
        }
        from += n + more;
    }
    *to = '\0';
    return to > path;
}

bool
epub_resolve(const char *folder, const char *link, char out[PART_NAME_MAX])
{
    size_t n = strcspn(link, "#?");
    struct buf b;
    bool fits;

    buf_init(&b, PART_NAME_MAX - 1);
    if (link[0] != '/')
        buf_adds(&b, folder);
    fits = text_unpercent(&b, link, n, false) == OK && buf_status(&b) == OK;
    (void)snprintf(out, PART_NAME_MAX, "%s", fits ? buf_cstr(&b) : "");
    buf_release(&b);
    return fits && resolve_dots(out);
}

/* --- container.xml, encryption.xml ---------------------------------------- */

static bool
container_start(void *arg, const char *name, const char *space,
                const struct xml_atts *atts)
{
    char *path = arg;

    (void)space;
    return strcmp(name, "rootfile") != 0 ||
           !xml_att(atts, "full-path", path, PART_NAME_MAX);
}

static bool
encryption_start(void *arg, const char *name, const char *space,
                 const struct xml_atts *atts)
{
    static const char *const of_fonts[] = {
        "http://www.idpf.org/2008/embedding",
        "http://ns.adobe.com/pdf/enc#RC",
    };
    bool *encrypted = arg;

    (void)space;
    if (strcmp(name, "EncryptionMethod") != 0)
        return true;
    for (size_t i = 0; i < COUNT_OF(of_fonts); i++)
        if (xml_att_is(atts, "Algorithm", of_fonts[i]))
            return true;
    *encrypted = true;
    return false;
}

/* --- the package ---------------------------------------------------------- */

static void
add_item(struct epub *e, const char *id, const char *href)
{
    if (e->n_items == e->cap_items) {
        e->cap_items = e->cap_items > 0 ? 2 * e->cap_items : 64;
        e->items = xrealloc(e->items, e->cap_items * sizeof(*e->items));
    }
    e->items[e->n_items].id = xstrdup(id);
    e->items[e->n_items].href = xstrdup(href);
    e->n_items++;
}

/* Items are chapters if they are pages, and not the table of contents. */
static void
item(struct epub *e, const struct xml_atts *atts)
{
    char id[ID_MAX], type[64], href[PART_NAME_MAX], path[PART_NAME_MAX];
    char properties[64];

    (void)xml_att(atts, "properties", properties, sizeof(properties));
    if (e->n_items >= EPUB_ITEMS_MAX || text_starts(properties, "nav") ||
        !xml_att(atts, "id", id, sizeof(id)) ||
        !xml_att(atts, "media-type", type, sizeof(type)) ||
        !xml_att(atts, "href", href, sizeof(href)) ||
        !epub_resolve(e->folder, href, path))
        return;
    if (text_ieq(type, "application/xhtml+xml") ||
        text_ieq(type, "text/html") || text_ieq(type, "text/x-oeb1-document"))
        add_item(e, id, path);
}

/* The spine comes behind the manifest; its ids are looked up at the end. */
static void
itemref(struct epub *e, const struct xml_atts *atts)
{
    char id[ID_MAX];

    if (e->n_chapters >= EPUB_CHAPTERS_MAX ||
        !xml_att(atts, "idref", id, sizeof(id)))
        return;
    if (e->n_chapters == e->cap_chapters) {
        e->cap_chapters = e->cap_chapters > 0 ? 2 * e->cap_chapters : 64;
        e->chapters = xrealloc(e->chapters,
                               e->cap_chapters * sizeof(*e->chapters));
    }
    e->chapters[e->n_chapters++] = xstrdup(id);
}

static bool
package_start(void *arg, const char *name, const char *space,
              const struct xml_atts *atts)
{
    (void)space;
    if (strcmp(name, "item") == 0)
        item(arg, atts);
    else if (strcmp(name, "itemref") == 0)
        itemref(arg, atts);
    return true;
}

static int
by_id(const void *a, const void *b)
{
    const struct epub_item *x = a, *y = b;

    return strcmp(x->id, y->id);
}

/* Ids become names of parts; those of what is no page are dropped. */
static void
name_chapters(struct epub *e)
{
    size_t kept = 0;

    if (e->n_items > 0)
        qsort(e->items, e->n_items, sizeof(*e->items), by_id);
    for (size_t i = 0; i < e->n_chapters; i++) {
        struct epub_item key = {.id = e->chapters[i]};
        const struct epub_item *found =
            e->n_items > 0
                ? bsearch(&key, e->items, e->n_items, sizeof(key), by_id)
                : NULL;

        if (found != NULL)
            e->chapters[kept++] = xstrdup(found->href);
        free(key.id);
    }
    e->n_chapters = kept;
}

static enum err
refuse(struct archive *a, enum skip why)
{
    if (a->why == SKIP_NOT)
        a->why = why;
    return ERR_IMPOSSIBLE;
}

enum err
epub_open(struct archive *a, struct epub *out)
{
    static const struct xml_events container = {.start = container_start};
    static const struct xml_events encryption = {.start = encryption_start};
    static const struct xml_events package = {.start = package_start};
    char path[PART_NAME_MAX] = "";
    bool encrypted = false;
    const char *slash;
    enum err e;

    (void)memset(out, 0, sizeof(*out));
    e = part_read(a, "META-INF/encryption.xml", &encryption, &encrypted);
    if (encrypted)
        return refuse(a, SKIP_ENCRYPTED);
    if (e != OK && e != ERR_NOTFOUND)
        return e;
    e = part_read(a, "META-INF/container.xml", &container, path);
    if (e != OK || path[0] == '\0')
        return refuse(a, SKIP_BROKEN);
    slash = strrchr(path, '/');
    if (slash != NULL)
        (void)snprintf(out->folder, sizeof(out->folder), "%.*s",
                       (int)(slash - path) + 1, path);
    part_title(a, path, out->title);
    e = part_read(a, path, &package, out);
    name_chapters(out);
    if (e != OK || out->n_chapters == 0)
        return refuse(a, SKIP_BROKEN);
    return OK;
}

void
epub_release(struct epub *e)
{
    for (size_t i = 0; i < e->n_items; i++) {
        free(e->items[i].id);
        free(e->items[i].href);
    }
    free(e->items);
    for (size_t i = 0; i < e->n_chapters; i++)
        free(e->chapters[i]);
    free(e->chapters);
}

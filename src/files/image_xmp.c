/*
 * XMP by libxml2: RDF whose properties stand as attributes or as elements of
 * rdf:Description, with values that are a text or a list (rdf:Bag, Seq, Alt).
 *
 * A document type is refused: XMP has none, and entities are how XML explodes.
 * Nothing is loaded from anywhere. What is no well-formed XML says nothing.
 */
#include "base/base.h"

#include "files/image_inside.h"

#include <libxml/parser.h>

#include "base/mem.h"
#include "base/text.h"
#include "files/image_fact.h"

#define VALUES_MAX 256 /* of one list */

#define NS_RDF "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
#define NS_DC "http://purl.org/dc/elements/1.1/"
#define NS_EXIF "http://ns.adobe.com/exif/1.0/"
#define NS_TIFF "http://ns.adobe.com/tiff/1.0/"
#define NS_XMP "http://ns.adobe.com/xap/1.0/"
#define NS_PHOTOSHOP "http://ns.adobe.com/photoshop/1.0/"
#define NS_LIGHTROOM "http://ns.adobe.com/lightroom/1.0/"
#define NS_IPTC "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
#define NS_XML "http://www.w3.org/XML/1998/namespace"

struct xmp {
    struct facts *f;
    int turned;
    int date_rank; /* of the date that was taken; 0: none */
    bool has_latitude, has_longitude;
    double latitude, longitude;
    char headline[FACTS_TITLE_MAX + 1];
    char make[FACTS_CAMERA_MAX + 1], model[FACTS_CAMERA_MAX + 1];
};

/* --- properties ----------------------------------------------------------- */

typedef void value_fn(struct xmp *x, const char *s, size_t n);

static void
take_title(struct xmp *x, const char *s, size_t n)
{
    fact_text(x->f->title, sizeof(x->f->title), s, n, false);
}

static void
take_headline(struct xmp *x, const char *s, size_t n)
{
    fact_text(x->headline, sizeof(x->headline), s, n, false);
}

static void
take_description(struct xmp *x, const char *s, size_t n)
{
    fact_text(x->f->description, sizeof(x->f->description), s, n, true);
}

static void
take_tag(struct xmp *x, const char *s, size_t n)
{
    fact_tag(x->f, s, n);
}

/* "Places|Italy|Rome": each is one. */
static void
take_hierarchy(struct xmp *x, const char *s, size_t n)
{
    fact_tags(x->f, s, n, "|");
}

static void
take_date(struct xmp *x, const char *s, size_t n, int rank)
{
    if (rank > x->date_rank && fact_date(x->f->taken, s, n))
        x->date_rank = rank;
}

static void
take_original(struct xmp *x, const char *s, size_t n)
{
    take_date(x, s, n, 3);
}

static void
take_created(struct xmp *x, const char *s, size_t n)
{
    take_date(x, s, n, 2);
}

static void
take_made(struct xmp *x, const char *s, size_t n)
{
    take_date(x, s, n, 1);
}

static void
take_make(struct xmp *x, const char *s, size_t n)
{
    fact_text(x->make, sizeof(x->make), s, n, false);
}

static void
take_model(struct xmp *x, const char *s, size_t n)
{
    fact_text(x->model, sizeof(x->model), s, n, false);
}

static void
take_orientation(struct xmp *x, const char *s, size_t n)
{
    if (n == 1 && s[0] >= '1' && s[0] <= '8')
        x->turned = s[0] - '0';
}

/* Digits, perhaps with a fraction; how many bytes. */
static size_t
read_number(const char *s, size_t n, double *out)
{
    double unit = 1;
    size_t i = 0;

    *out = 0;
    for (; i < n && i < 15 && s[i] >= '0' && s[i] <= '9'; i++)
        *out = *out * 10 + s[i] - '0';
    if (i == 0 || i == n || s[i] != '.')
        return i;
    for (i++; i < n && s[i] >= '0' && s[i] <= '9'; i++) {
        unit /= 10;
        *out += (s[i] - '0') * unit;
    }
    return i;
}

/* "52,31.5N" or "52,31,30N". */
static bool
read_angle(const char *s, size_t n, const char *letters, double *out)
{
    static const double parts[3] = {1, 60, 3600};
    double number;
    size_t i = 0, len;

    *out = 0;
    for (size_t k = 0; k < 3; k++) {
        len = read_number(s + i, n - i, &number);
        if (len == 0)
            return false;
        *out += number / parts[k];
        i += len;
        if (i == n || s[i] != ',')
            break;
        i++;
    }
    if (i + 1 != n || (s[i] != letters[0] && s[i] != letters[1]))
        return false;
    if (s[i] == letters[1])
        *out = -*out;
    return true;
}

static void
take_latitude(struct xmp *x, const char *s, size_t n)
{
    x->has_latitude = read_angle(s, n, "NS", &x->latitude);
}

static void
take_longitude(struct xmp *x, const char *s, size_t n)
{
    x->has_longitude = read_angle(s, n, "EW", &x->longitude);
}

static const struct property {
    const char *ns, *name;
    value_fn *take;
    bool list; /* of a list all are taken, else one */
} properties[] = {
    {NS_DC, "title", take_title, false},
    {NS_DC, "description", take_description, false},
    {NS_DC, "subject", take_tag, true},
    {NS_LIGHTROOM, "hierarchicalSubject", take_hierarchy, true},
    {NS_PHOTOSHOP, "Headline", take_headline, false},
    {NS_PHOTOSHOP, "City", take_tag, false},
    {NS_PHOTOSHOP, "Country", take_tag, false},
    {NS_IPTC, "Location", take_tag, false},
    {NS_EXIF, "DateTimeOriginal", take_original, false},
    {NS_PHOTOSHOP, "DateCreated", take_created, false},
    {NS_XMP, "CreateDate", take_made, false},
    {NS_EXIF, "GPSLatitude", take_latitude, false},
    {NS_EXIF, "GPSLongitude", take_longitude, false},
    {NS_TIFF, "Make", take_make, false},
    {NS_TIFF, "Model", take_model, false},
    {NS_TIFF, "Orientation", take_orientation, false},
};

static const struct property *
find_property(const xmlNs *ns, const xmlChar *name)
{
    for (size_t i = 0; ns && ns->href && i < COUNT_OF(properties); i++)
        if (strcmp((const char *)name, properties[i].name) == 0 &&
            strcmp((const char *)ns->href, properties[i].ns) == 0)
            return &properties[i];
    return NULL;
}

/* --- the tree ------------------------------------------------------------- */

static bool
is_element(const xmlNode *node, const char *ns, const char *name)
{
    return node->type == XML_ELEMENT_NODE && node->ns && node->ns->href &&
           strcmp((const char *)node->ns->href, ns) == 0 &&
           strcmp((const char *)node->name, name) == 0;
}

static const xmlNode *
child(const xmlNode *node, const char *ns, const char *name)
{
    for (const xmlNode *c = node->children; c; c = c->next)
        if (is_element(c, ns, name))
            return c;
    return NULL;
}

static void
give(struct xmp *x, const struct property *p, const xmlNode *node)
{
    xmlChar *s = xmlNodeGetContent(node);

    if (s)
        p->take(x, (const char *)s, strlen((const char *)s));
    xmlFree(s);
}

static bool
is_default(const xmlNode *li)
{
    const xmlAttr *a = xmlHasNsProp(li, BAD_CAST "lang", BAD_CAST NS_XML);

    return a && a->children && a->children->content &&
           strcmp((const char *)a->children->content, "x-default") == 0;
}

/* Of several languages the one that is meant for all, else the first. */
static void
take_list(struct xmp *x, const struct property *p, const xmlNode *list)
{
    const xmlNode *one = NULL;
    int count = 0;

    for (const xmlNode *li = list->children; li && count < VALUES_MAX;
         li = li->next) {
        if (!is_element(li, NS_RDF, "li"))
            continue;
        count++;
        if (p->list)
            give(x, p, li);
        else if (one == NULL || is_default(li))
            one = li;
    }
    if (one)
        give(x, p, one);
}

static void
take_element(struct xmp *x, const xmlNode *node)
{
    static const char *const lists[] = {"Alt", "Bag", "Seq"};
    const struct property *p = NULL;

    if (node->type == XML_ELEMENT_NODE)
        p = find_property(node->ns, node->name);
    if (p == NULL)
        return;
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        const xmlNode *list = child(node, NS_RDF, lists[i]);

        if (list) {
            take_list(x, p, list);
            return;
        }
    }
    give(x, p, node);
}

static void
take_tree(struct xmp *x, const xmlNode *root)
{
    const xmlNode *rdf = is_element(root, NS_RDF, "RDF")
                             ? root
                             : child(root, NS_RDF, "RDF");

    for (const xmlNode *d = rdf ? rdf->children : NULL; d; d = d->next) {
        if (!is_element(d, NS_RDF, "Description"))
            continue;
        for (const xmlAttr *a = d->properties; a; a = a->next) {
            const struct property *p = find_property(a->ns, a->name);

            if (p)
                give(x, p, (const xmlNode *)a);
        }
        for (const xmlNode *c = d->children; c; c = c->next)
            take_element(x, c);
    }
}

/* What is made of several properties. */
static void
finish(struct xmp *x)
{
    struct facts *f = x->f;
    char both[2 * FACTS_CAMERA_MAX + 2];

    if (f->title[0] == '\0')
        snprintf(f->title, sizeof(f->title), "%s", x->headline);
    if (x->has_latitude && x->has_longitude)
        fact_place(f, x->latitude, x->longitude);
    if (text_istarts(x->model, x->make))
        x->make[0] = '\0';
    snprintf(both, sizeof(both), "%s %s", x->make, x->model);
    fact_text(f->camera, sizeof(f->camera), both, strlen(both), false);
}

int
image_xmp(const struct buf *xmp, struct facts *f)
{
    const int options = XML_PARSE_NONET | XML_PARSE_NOERROR |
                        XML_PARSE_NOWARNING | XML_PARSE_NOCDATA;
    size_t n = xmp->len;
    struct xmp *x;
    xmlDoc *doc;
    int turned;

    while (n && xmp->data[n - 1] == '\0')
        n--;
    if (n == 0 || memmem(xmp->data, n, "<!DOCTYPE", 9))
        return 0;
    doc = xmlReadMemory(xmp->data, (int)n, NULL, NULL, options);
    if (doc == NULL)
        return 0;
    x = xcalloc(1, sizeof(*x));
    x->f = f;
    if (doc->intSubset == NULL && xmlDocGetRootElement(doc)) {
        take_tree(x, xmlDocGetRootElement(doc));
        finish(x);
    }
    turned = x->turned;
    free(x);
    xmlFreeDoc(doc);
    return turned;
}

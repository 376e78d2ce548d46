/*
 * The elements of HTML, by what they are to somebody who reads: most are
 * nothing special, some are a place where a paragraph ends, and some are there
 * for programs or for finding one's way, and are left out.
 */
#include "base/base.h"

#include "files/html.h"

static const struct {
    const char *name;
    enum html_role role;
} roles[] = {
    {"address", HTML_BLOCK},    {"article", HTML_BLOCK},
    {"aside", HTML_BLOCK},      {"audio", HTML_DROP},
    {"blockquote", HTML_BLOCK}, {"body", HTML_BLOCK},
    {"br", HTML_BREAK},         {"button", HTML_DROP},
    {"canvas", HTML_DROP},      {"caption", HTML_BLOCK},
    {"center", HTML_BLOCK},     {"datalist", HTML_DROP},
    {"dd", HTML_ITEM},          {"details", HTML_BLOCK},
    {"dir", HTML_BLOCK},        {"div", HTML_BLOCK},
    {"dl", HTML_BLOCK},         {"dt", HTML_ITEM},
    {"embed", HTML_DROP},       {"fieldset", HTML_BLOCK},
    {"figcaption", HTML_BLOCK}, {"figure", HTML_BLOCK},
    {"footer", HTML_BLOCK},     {"form", HTML_BLOCK},
    {"h1", HTML_HEADING},       {"h2", HTML_HEADING},
    {"h3", HTML_HEADING},       {"h4", HTML_HEADING},
    {"h5", HTML_HEADING},       {"h6", HTML_HEADING},
    {"header", HTML_BLOCK},     {"hgroup", HTML_BLOCK},
    {"hr", HTML_BLOCK},         {"html", HTML_BLOCK},
    {"iframe", HTML_DROP},      {"img", HTML_IMAGE},
    {"legend", HTML_BLOCK},     {"li", HTML_ITEM},
    {"listing", HTML_CODE},     {"main", HTML_BLOCK},
    {"map", HTML_DROP},         {"menu", HTML_BLOCK},
    {"nav", HTML_DROP},         {"noframes", HTML_DROP},
    {"noscript", HTML_DROP},    {"object", HTML_DROP},
    {"ol", HTML_BLOCK},         {"optgroup", HTML_DROP},
    {"option", HTML_DROP},      {"p", HTML_BLOCK},
    {"plaintext", HTML_CODE},   {"pre", HTML_CODE},
    {"rp", HTML_DROP},          {"rt", HTML_DROP},
    {"script", HTML_DROP},      {"search", HTML_DROP},
    {"section", HTML_BLOCK},    {"select", HTML_DROP},
    {"style", HTML_DROP},       {"summary", HTML_BLOCK},
    {"svg", HTML_DROP},         {"table", HTML_TABLE},
    {"td", HTML_CELL},          {"template", HTML_DROP},
    {"textarea", HTML_DROP},    {"th", HTML_CELL},
    {"title", HTML_TITLE},      {"tr", HTML_ROW},
    {"ul", HTML_BLOCK},         {"video", HTML_DROP},
    {"xmp", HTML_CODE},
};

static int
compare(const void *key, const void *row)
{
    const char *const *name = row;

    return strcmp(key, *name);
}

enum html_role
html_role_of(const char *name, int *level)
{
    size_t i;
    const char *row = bsearch(name, roles, COUNT_OF(roles), sizeof(roles[0]),
                              compare);

    *level = 0;
    if (row == NULL)
        return HTML_INLINE;
    i = (size_t)(row - (const char *)roles) / sizeof(roles[0]);
    if (roles[i].role == HTML_HEADING)
        *level = name[1] - '0';
    return roles[i].role;
}

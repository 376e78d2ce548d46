/*
 * The page is looked through for two words with a quoted value behind them.
 * What stands in comments or scripts would be found as well; ours holds none.
 */
#include "base/base.h"

#include "ops/page_links.h"

/* The quoted value behind src= or href= at s; NULL: no such word begins here.
 * A word begins behind white space. */
static const char *
value_at(const char *s, const char *end)
{
    static const char *const words[] = {"src=\"", "href=\""};

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        size_t n = strlen(words[i]);

        if ((size_t)(end - s) > n && memcmp(s, words[i], n) == 0)
            return s + n;
    }
    return NULL;
}

static bool
is_of_the_page(const char *link)
{
    size_t scheme = strcspn(link, ":/?#");

    return link[0] != '\0' && link[0] != '#' && link[scheme] != ':' &&
           strncmp(link, "//", 2) != 0;
}

static bool
is_plain(const char *link)
{
    for (; *link != '\0'; link++)
        if ((unsigned char)*link <= ' ' || strchr("\"'<>\\\x7f", *link) != NULL)
            return false;
    return true;
}

void
page_links(const char *html, size_t n, page_link_fn *fn, void *arg)
{
    const char *end = html + n;

    for (const char *s = html; n > 0 && s + 1 < end; s++) {
        const char *value = strchr(" \t\r\n", *s) != NULL && *s != '\0'
                                ? value_at(s + 1, end)
                                : NULL;
        const char *close;
        char link[PAGE_LINK_MAX + 1];
        size_t len;

        if (value == NULL)
            continue;
        close = memchr(value, '"', (size_t)(end - value));
        if (close == NULL)
            return;
        s = close;
        len = (size_t)(close - value);
        if (len > PAGE_LINK_MAX || memchr(value, '\0', len) != NULL)
            continue;
        memcpy(link, value, len);
        link[len] = '\0';
        if (is_of_the_page(link) && is_plain(link) && !fn(arg, link))
            return;
    }
}

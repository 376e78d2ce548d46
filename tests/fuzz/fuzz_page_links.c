/*
 * Fuzzes ops/page_links.c: whatever is in the page, a link that is told is of
 * the page, plain, and stands in it between quotes.
 */
#include "base/base.h"

#include "base/mem.h"
#include "ops/page_links.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct page {
    const char *html;
    size_t n;
};

static bool
check_link(void *arg, const char *link)
{
    const struct page *p = arg;
    char quoted[PAGE_LINK_MAX + 3];
    size_t len = strlen(link);

    if (len == 0 || len > PAGE_LINK_MAX || strstr(link, "\"") != NULL ||
        strncmp(link, "//", 2) == 0 || link[0] == '#')
        abort();
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)link[i] <= ' ' || link[i] == 0x7f)
            abort();
    (void)snprintf(quoted, sizeof(quoted), "\"%s\"", link);
    if (memmem(p->html, p->n, quoted, len + 2) == NULL)
        abort();
    return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *copy = xmalloc(n > 0 ? n : 1);
    struct page p = {copy, n};

    if (n > 0)
        memcpy(copy, data, n);
    page_links(copy, n, check_link, &p);
    free(copy);
    return 0;
}

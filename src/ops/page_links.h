/*
 * What a page of ours loads: the addresses in src="…" and href="…", as they are
 * written. It is no reader of HTML: our page is written plainly. Pure.
 */
#ifndef OPS_PAGE_LINKS_H
#define OPS_PAGE_LINKS_H

#include "base/base.h"

#define PAGE_LINK_MAX 512 /* bytes; longer ones are passed over */

/* link is valid during the call; it has no white space, no quotes and no
 * control characters. False: enough. */
typedef bool page_link_fn(void *arg, const char *link);
/* Addresses of other hosts, other schemes and places in the page itself are
 * not told. */
void page_links(const char *html, size_t n, page_link_fn *fn, void *arg);

#endif

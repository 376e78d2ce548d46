/*
 * The cache of answers: whole answers of providers by all that was sent for
 * them, so that an equal question within some time is not paid for twice. In
 * memory, of this process; the answers that were used longest ago go when it is
 * full. Loop thread only.
 */
#ifndef CHAT_CACHE_H
#define CHAT_CACHE_H

#include "base/digest.h"
#include "chat/kept.h"

struct cache;

struct cache_config {
    size_t max;     /* bytes, about; with what holds it together */
    int64_t ttl_ms; /* an answer is used so long, then not any more */
    bool shared;    /* one owner is given another's answers */
};

struct cache *cache_new(const struct cache_config *c);
void cache_free(struct cache *c); /* NULL is fine */
/* The key of a request that was built for a route: a hash of whose it is, of
 * provider and model, and of all that is sent but headers, which hold keys and
 * signatures. */
void cache_key(const struct cache *c, uint8_t key[DIGEST_LEN],
               const char *owner, const struct route_choice *route,
               const struct upstream_request *q);
/* Copies a kept answer into out, which is cleared first. False: none. */
MUST_USE bool cache_get(struct cache *c, const uint8_t key[DIGEST_LEN],
                        struct kept *out, int64_t now_ms);
/* Copies. Takes the place of an older one. An answer that is unfit, or larger
 * than the cache, is not kept. */
void cache_put(struct cache *c, const uint8_t key[DIGEST_LEN],
               const struct kept *k, int64_t now_ms);
void cache_clear(struct cache *c);         /* all answers go */
size_t cache_bytes(const struct cache *c); /* at most max */

#endif

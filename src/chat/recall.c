/*
 * Recalling answers. A request that is tried again is looked for again: an
 * equal question may have been answered in between.
 *
 * What was cut at a limit, filtered, or holds no text is not kept: who asks
 * once more hopes for better.
 */
#include "base/base.h"

#include "chat/recall.h"

#include "base/metric.h"

void
recall_init(struct recall *r, struct cache *cache, const char *owner)
{
    (void)memset(r, 0, sizeof(*r));
    r->cache = owner != NULL ? cache : NULL;
    r->owner = owner;
    kept_init(&r->kept);
}

void
recall_release(struct recall *r)
{
    kept_release(&r->kept);
}

bool
recall_ask(struct recall *r, const struct route_choice *route,
           const struct upstream_request *q, int64_t now_ms)
{
    uint8_t key[DIGEST_LEN];

    if (r->cache == NULL)
        return false;
    cache_key(r->cache, key, r->owner, route, q);
    if (cache_get(r->cache, key, &r->kept, now_ms)) {
        metric_add(METRIC_CACHE_HITS, 1);
        return true;
    }
    if (memcmp(r->key, key, sizeof(key)) != 0)
        metric_add(METRIC_CACHE_MISSES, 1);
    (void)memcpy(r->key, key, sizeof(key));
    return false;
}

void
recall_add(struct recall *r, const struct part *p)
{
    if (r->cache != NULL)
        kept_add(&r->kept, p);
}

void
recall_keep(struct recall *r, enum finish finish, int64_t now_ms)
{
    if (r->cache != NULL && finish == FINISH_STOP && r->kept.has_text)
        cache_put(r->cache, r->key, &r->kept, now_ms);
}

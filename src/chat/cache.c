/*
 * The cache of answers: a table of chains by key, and a list by use. Keys are
 * SHA-256, so their first bytes are as good as any hash of them.
 *
 * An answer's time is counted from when it was made, not from its last use:
 * what is asked every minute is made anew all the same. What is too old goes
 * when it is looked for, or when it is the one that was used longest ago.
 */
#include "base/base.h"

#include "chat/cache.h"

#include "base/mem.h"
#include "base/metric.h"

#define BUCKETS_MIN 64
#define BUCKET_BYTES 4096 /* of the cache, for each bucket */

struct entry {
    struct entry *chain;         /* the next in its bucket */
    struct entry *newer, *older; /* by use */
    uint8_t key[DIGEST_LEN];
    int64_t until_ms; /* monotonic */
    struct usage usage;
    bool has_usage, has_text;
    size_t last, len; /* of bytes, as in struct kept */
    char bytes[];
};

struct cache {
    struct cache_config config;
    struct entry **buckets;
    size_t n_buckets;              /* a power of two */
    struct entry *newest, *oldest; /* by use */
    size_t bytes;
};

struct cache *
cache_new(const struct cache_config *config)
{
    struct cache *c = xcalloc(1, sizeof(*c));

    c->config = *config;
    c->n_buckets = BUCKETS_MIN;
    while (c->n_buckets < config->max / BUCKET_BYTES)
        c->n_buckets *= 2;
    c->buckets = xcalloc(c->n_buckets, sizeof(struct entry *));
    return c;
}

static size_t
size_of(size_t len)
{
    return sizeof(struct entry) + len;
}

static struct entry **
bucket_of(const struct cache *c, const uint8_t key[DIGEST_LEN])
{
    uint64_t hash;

    (void)memcpy(&hash, key, sizeof(hash));
    return &c->buckets[hash & (c->n_buckets - 1)];
}

/* Where it hangs, or the end of its chain. */
static struct entry **
find(const struct cache *c, const uint8_t key[DIGEST_LEN])
{
    struct entry **at = bucket_of(c, key);

    while (*at != NULL && memcmp((*at)->key, key, DIGEST_LEN) != 0)
        at = &(*at)->chain;
    return at;
}

static void
use_unlink(struct cache *c, struct entry *e)
{
    *(e->newer != NULL ? &e->newer->older : &c->newest) = e->older;
    *(e->older != NULL ? &e->older->newer : &c->oldest) = e->newer;
}

static void
use_link(struct cache *c, struct entry *e)
{
    e->newer = NULL;
    e->older = c->newest;
    *(e->older != NULL ? &e->older->newer : &c->oldest) = e;
    c->newest = e;
}

static void
count(struct cache *c, const struct entry *e, int sign)
{
    int64_t n = sign * (int64_t)size_of(e->len);

    c->bytes = (size_t)((int64_t)c->bytes + n);
    metric_add(METRIC_CACHE_BYTES, n);
}

static void
drop(struct cache *c, struct entry *e)
{
    *find(c, e->key) = e->chain;
    use_unlink(c, e);
    count(c, e, -1);
    free(e);
}

void
cache_clear(struct cache *c)
{
    while (c->oldest != NULL)
        drop(c, c->oldest);
}

void
cache_free(struct cache *c)
{
    if (c == NULL)
        return;
    cache_clear(c);
    free(c->buckets);
    free(c);
}

size_t
cache_bytes(const struct cache *c)
{
    return c->bytes;
}

/* A NUL ends each: no two lists of texts look alike. */
static void
add_text(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s) + 1);
}

void
cache_key(const struct cache *c, uint8_t key[DIGEST_LEN], const char *owner,
          const struct route_choice *route, const struct upstream_request *q)
{
    const char *base = route->account.base_url;
    uint8_t body[DIGEST_LEN];
    struct buf b;

    digest_sha256(body, q->body.data != NULL ? q->body.data : "", q->body.len);
    buf_init(&b, SIZE_MAX); /* its texts have their limits */
    add_text(&b, c->config.shared ? "" : owner);
    add_text(&b, route->provider->name);
    add_text(&b, route->model);
    add_text(&b, base != NULL ? base : "");
    add_text(&b, q->method);
    add_text(&b, q->url);
    buf_add(&b, body, sizeof(body));
    digest_sha256(key, b.data, b.len);
    buf_release(&b);
}

bool
cache_get(struct cache *c, const uint8_t key[DIGEST_LEN], struct kept *out,
          int64_t now_ms)
{
    struct entry *e = *find(c, key);

    kept_clear(out);
    if (e != NULL && now_ms >= e->until_ms) {
        drop(c, e);
        e = NULL;
    }
    if (e == NULL)
        return false;
    use_unlink(c, e);
    use_link(c, e);
    buf_add(&out->bytes, e->bytes, e->len);
    out->last = e->last;
    out->usage = e->usage;
    out->has_usage = e->has_usage;
    out->has_text = e->has_text;
    return true;
}

void
cache_put(struct cache *c, const uint8_t key[DIGEST_LEN], const struct kept *k,
          int64_t now_ms)
{
    struct entry *e = *find(c, key);
    struct entry **at;

    if (e != NULL)
        drop(c, e);
    if (k->unfit || size_of(k->bytes.len) > c->config.max)
        return;
    while (c->oldest != NULL &&
           (now_ms >= c->oldest->until_ms ||
            c->bytes + size_of(k->bytes.len) > c->config.max))
        drop(c, c->oldest);
    e = xmalloc(size_of(k->bytes.len));
    (void)memcpy(e->key, key, DIGEST_LEN);
    e->until_ms = now_ms + c->config.ttl_ms;
    e->usage = k->usage;
    e->has_usage = k->has_usage;
    e->has_text = k->has_text;
    e->last = k->last;
    e->len = k->bytes.len;
    if (e->len > 0)
        (void)memcpy(e->bytes, k->bytes.data, e->len);
    at = bucket_of(c, key);
    e->chain = *at;
    *at = e;
    use_link(c, e);
    count(c, e, 1);
}

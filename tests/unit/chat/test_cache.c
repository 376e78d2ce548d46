/* Tests of chat/cache.c: what makes a key, how long an answer stays, and who
 * goes when it is full. Time is what the tests say. */
#include "chat_test.h"

#include "base/metric.h"
#include "chat/cache.h"

#define TTL_MS 1000

static struct cache *cache;
static struct kept out;
static int64_t bytes_before; /* of the gauge */

static int
setup(void **state)
{
    const struct cache_config c = {.max = 64 * 1024, .ttl_ms = TTL_MS};

    (void)state;
    log_set_level(LOG_ERROR);
    bytes_before = metric_get(METRIC_CACHE_BYTES);
    cache = cache_new(&c);
    kept_init(&out);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    cache_free(cache);
    assert_int_equal(metric_get(METRIC_CACHE_BYTES), bytes_before);
    kept_release(&out);
    return 0;
}

/* Another cache, of other settings. */
static void
cache_anew(size_t max, bool shared)
{
    const struct cache_config c = {
        .max = max, .ttl_ms = TTL_MS, .shared = shared};

    cache_free(cache);
    cache = cache_new(&c);
}

/* A key for each number; some share a bucket. */
static const uint8_t *
key_of(int i)
{
    static uint8_t key[DIGEST_LEN];

    (void)memset(key, 0, sizeof(key));
    key[0] = (uint8_t)(i % 4);
    key[20] = (uint8_t)i;
    key[21] = (uint8_t)(i >> 8);
    return key;
}

/* Keep an answer of n bytes that say which it is. */
static void
put(int i, size_t n, int64_t now_ms)
{
    struct part p = {.kind = PART_TEXT, .len = n};
    char *text = xmalloc(n + 1);
    struct kept k;

    (void)memset(text, 'a' + i % 26, n + 1);
    p.text = text;
    kept_init(&k);
    kept_add(&k, &p);
    k.usage = (struct usage){i, 2, 3};
    k.has_usage = true;
    cache_put(cache, key_of(i), &k, now_ms);
    kept_release(&k);
    free(text);
}

static bool
has(int i, int64_t now_ms)
{
    return cache_get(cache, key_of(i), &out, now_ms);
}

/* All bytes are those of answers that can be found. */
static void
assert_gauge(void)
{
    assert_int_equal(metric_get(METRIC_CACHE_BYTES) - bytes_before,
                     cache_bytes(cache));
}

/* --- keeping -------------------------------------------------------------- */

static char first_text; /* of the last part that was told */
static size_t text_len;
static struct usage usage;

static void
on_part(void *arg, const struct part *p)
{
    (void)arg;
    if (p->kind == PART_USAGE) {
        usage = p->usage;
        return;
    }
    first_text = p->text[0];
    text_len = p->len;
}

static void
an_answer_is_found_as_it_was_kept(void **state)
{
    (void)state;
    assert_false(has(1, 0));
    put(1, 100, 0);
    put(5, 200, 0); /* in the same bucket */
    assert_true(has(1, 1));
    kept_tell(&out, on_part, NULL);
    assert_int_equal(first_text, 'b');
    assert_int_equal(text_len, 100);
    assert_int_equal(usage.input_tokens, 1);
    assert_true(out.has_text);
    assert_true(has(5, 1));
    kept_tell(&out, on_part, NULL);
    assert_int_equal(text_len, 200);
    assert_false(has(9, 1));
    assert_int_equal(out.bytes.len, 0);
    assert_false(out.has_text);
    assert_gauge();
}

static void
a_newer_answer_takes_the_place_of_an_older(void **state)
{
    size_t one;

    (void)state;
    put(1, 100, 0);
    one = cache_bytes(cache);
    put(1, 50, 10);
    assert_int_equal(cache_bytes(cache), one - 50);
    assert_true(has(1, TTL_MS + 5));
    assert_false(has(1, TTL_MS + 10));
    assert_gauge();
}

static void
an_old_answer_is_not_used_however_often_it_was(void **state)
{
    (void)state;
    put(1, 100, 0);
    assert_true(has(1, TTL_MS / 2));
    assert_true(has(1, TTL_MS - 1));
    assert_false(has(1, TTL_MS));
    assert_int_equal(cache_bytes(cache), 0);
    assert_false(has(1, 0)); /* it is gone */
    assert_gauge();
}

static void
old_answers_go_when_another_is_kept(void **state)
{
    (void)state;
    put(1, 100, 0);
    put(2, 100, 0);
    put(3, 100, TTL_MS);
    assert_false(has(1, 0));
    assert_false(has(2, 0));
    assert_true(has(3, TTL_MS));
}

static void
what_is_unfit_is_not_kept_and_ends_what_was(void **state)
{
    struct kept k;

    (void)state;
    put(1, 100, 0);
    kept_init(&k);
    k.unfit = true;
    cache_put(cache, key_of(1), &k, 1);
    kept_release(&k);
    assert_false(has(1, 1));
    assert_int_equal(cache_bytes(cache), 0);
}

/* --- being full ----------------------------------------------------------- */

static void
the_answers_used_longest_ago_go_first(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++)
        put(i, 10 * 1024, 0);
    assert_true(has(0, 1)); /* used */
    put(6, 10 * 1024, 1);
    assert_true(has(0, 1));
    assert_false(has(1, 1));
    for (int i = 2; i <= 6; i++)
        assert_true(has(i, 1));
    assert_gauge();
}

static void
it_is_never_larger_than_it_may_be(void **state)
{
    (void)state;
    for (int i = 0; i < 2000; i++) {
        put(i, (size_t)(i * 37 % 9000), i / 10);
        assert_true(cache_bytes(cache) <= 64 * 1024);
        assert_true(has(i, i / 10));
    }
    assert_gauge();
}

/* Bytes of an answer of n in the cache. */
static size_t
size_of(size_t n)
{
    size_t size;

    cache_anew(1 << 20, false);
    put(1, n, 0);
    size = cache_bytes(cache);
    cache_anew(64 * 1024, false);
    return size;
}

static void
an_answer_of_just_its_size_is_kept_and_one_byte_more_is_not(void **state)
{
    size_t size = size_of(1000);

    (void)state;
    cache_anew(size, false);
    put(1, 1000, 0);
    assert_true(has(1, 0));
    assert_int_equal(cache_bytes(cache), size);
    put(2, 1001, 0);
    assert_false(has(2, 0));
    assert_true(has(1, 0));
    put(2, 1000, 0);
    assert_true(has(2, 0));
    assert_false(has(1, 0));
    assert_int_equal(cache_bytes(cache), size);
}

static void
two_fill_it_and_one_byte_more_ends_the_older(void **state)
{
    size_t size = size_of(1000);

    (void)state;
    cache_anew(2 * size, false);
    put(1, 1000, 0);
    put(2, 1000, 0);
    assert_true(has(1, 0)); /* 2 is the older now */
    assert_int_equal(cache_bytes(cache), 2 * size);
    put(1, 1001, 0);
    assert_true(has(1, 0));
    assert_false(has(2, 0));
    assert_int_equal(cache_bytes(cache), size + 1);
    assert_gauge();
}

static void
what_is_larger_than_the_cache_is_not_kept(void **state)
{
    (void)state;
    put(1, 100, 0);
    put(2, 64 * 1024, 0);
    assert_false(has(2, 0));
    assert_true(has(1, 0)); /* nobody had to go for it */
}

static void
the_longest_answer_fits_an_ordinary_cache(void **state)
{
    (void)state;
    cache_anew(8 * 1024 * 1024, false);
    put(1, KEPT_MAX - 1024, 0);
    assert_true(has(1, 0));
    kept_tell(&out, on_part, NULL);
    assert_int_equal(text_len, KEPT_MAX - 1024);
}

/* --- keys ----------------------------------------------------------------- */

struct question {
    const char *owner, *provider, *model, *base, *method, *url, *body;
};

static void
key_from(uint8_t key[DIGEST_LEN], const struct question *u, const char *header)
{
    const struct provider provider = {.name = u->provider};
    const struct route_choice route = {
        .provider = &provider,
        .account = {.base_url = u->base, .key = header},
        .model = u->model,
    };
    struct upstream_request q;

    upstream_request_init(&q, 1 << 20);
    q.method = u->method;
    q.url = xstrdup(u->url);
    buf_adds(&q.body, u->body);
    assert_int_equal(upstream_request_header(&q, "Authorization", header), OK);
    cache_key(cache, key, u->owner, &route, &q);
    upstream_request_release(&q);
}

static bool
same_key(const struct question *a, const struct question *b)
{
    uint8_t one[DIGEST_LEN], other[DIGEST_LEN];

    key_from(one, a, "a signature of today");
    key_from(other, b, "a signature of tomorrow");
    return memcmp(one, other, DIGEST_LEN) == 0;
}

static const struct question asked = {
    "ann", "openai", "m", "http://h/v1", "POST", "u/chat", "{\"t\":0.5}"};

static void
all_that_is_sent_but_headers_makes_the_key(void **state)
{
    static const char *const others[] = {"", "x", "POST ", "u/cha", "{}"};

    (void)state;
    assert_true(same_key(&asked, &asked));
    for (size_t field = 0; field < 7; field++)
        for (size_t i = 0; i < COUNT_OF(others); i++) {
            struct question q = asked;
            const char **members[] = {&q.owner,  &q.provider, &q.model, &q.base,
                                      &q.method, &q.url,      &q.body};

            *members[field] = others[i];
            assert_false(same_key(&asked, &q));
        }
}

static void
texts_do_not_flow_into_each_other(void **state)
{
    struct question a = asked, b = asked;

    (void)state;
    a.owner = "ab";
    a.provider = "c";
    b.owner = "a";
    b.provider = "bc";
    assert_false(same_key(&a, &b));
    a = b = asked;
    a.url = "u";
    a.body = "rest";
    b.url = "ur";
    b.body = "est";
    assert_false(same_key(&a, &b));
}

static void
a_missing_base_url_is_an_empty_one(void **state)
{
    struct question a = asked, b = asked;

    (void)state;
    a.base = NULL;
    b.base = "";
    assert_true(same_key(&a, &b));
}

static void
the_owner_does_not_count_where_answers_are_shared(void **state)
{
    struct question other = asked;

    (void)state;
    other.owner = "bob";
    assert_false(same_key(&asked, &other));
    cache_anew(64 * 1024, true);
    assert_true(same_key(&asked, &other));
    other.body = "{}";
    assert_false(same_key(&asked, &other));
}

static void
no_cache_can_be_freed(void **state)
{
    (void)state;
    cache_free(NULL);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_answer_is_found_as_it_was_kept),
        T(a_newer_answer_takes_the_place_of_an_older),
        T(an_old_answer_is_not_used_however_often_it_was),
        T(old_answers_go_when_another_is_kept),
        T(what_is_unfit_is_not_kept_and_ends_what_was),
        T(the_answers_used_longest_ago_go_first),
        T(it_is_never_larger_than_it_may_be),
        T(an_answer_of_just_its_size_is_kept_and_one_byte_more_is_not),
        T(two_fill_it_and_one_byte_more_ends_the_older),
        T(what_is_larger_than_the_cache_is_not_kept),
        T(the_longest_answer_fits_an_ordinary_cache),
        T(all_that_is_sent_but_headers_makes_the_key),
        T(texts_do_not_flow_into_each_other),
        T(a_missing_base_url_is_an_empty_one),
        T(the_owner_does_not_count_where_answers_are_shared),
        T(no_cache_can_be_freed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

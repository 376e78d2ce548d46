/*
 * What the tests of the index share: a folder of their own, messages with
 * sensible members, and results as text.
 */
#ifndef SEARCH_TEST_H
#define SEARCH_TEST_H

#include "base/base.h"

#include "store_test.h"

#include "store/search.h"

#define DAY_MS INT64_C(86400000)

static char search_dir[256];
static struct search *ix;

static inline int
search_setup(void **state)
{
    (void)state;
    log_set_level(LOG_ERROR + 1);
    folder_make(search_dir);
    assert_int_equal(search_open(&ix, search_dir), OK);
    return 0;
}

static inline int
search_teardown(void **state)
{
    (void)state;
    search_close(ix);
    ix = NULL;
    folder_remove(search_dir);
    return 0;
}

static inline struct search_message
message_of(const char *owner, uint64_t no, uint32_t seq, const char *text)
{
    static char ids[8][IDENT_TEXT_LEN];
    static unsigned turn;
    char *id = ids[turn++ % COUNT_OF(ids)];

    (void)snprintf(id, IDENT_TEXT_LEN, "session-%" PRIu64, no);
    return (struct search_message){.owner = owner,
                                   .session_no = no,
                                   .session_id = id,
                                   .id = ident_v7(),
                                   .seq = seq,
                                   .role = (uint8_t)(1 + seq % 2),
                                   .at_ms = INT64_C(1700000000000) +
                                            (int64_t)no * DAY_MS + seq,
                                   .text = text,
                                   .text_len = strlen(text)};
}

/* One message of "ann", the cursor being its session's number. */
static inline void
add(uint64_t no, uint32_t seq, const char *text)
{
    struct search_message m = message_of("ann", no, seq, text);

    assert_int_equal(search_add(ix, &m, 1, no), OK);
}

/* Results as "no:seq seq|no:seq|". */
static inline bool
text_hits(void *arg, const struct search_hit *h, size_t n)
{
    struct text *t = arg;

    t->n += (size_t)snprintf(t->s + t->n, sizeof(t->s) - t->n, "%" PRIu64 ":",
                             h->session_no);
    for (size_t i = 0; i < n; i++)
        t->n += (size_t)snprintf(t->s + t->n, sizeof(t->s) - t->n, "%s%u",
                                 i > 0 ? " " : "", h[i].seq);
    t->n += (size_t)snprintf(t->s + t->n, sizeof(t->s) - t->n, "|");
    return ++t->count != t->stop_after;
}

static inline enum err
find_as(const char *owner, const char *q, size_t len, struct text *t)
{
    struct search_ask a = {owner, q, len, SEARCH_LIMIT_MAX, NULL};
    char next[SEARCH_CURSOR_MAX];

    memset(t, 0, sizeof(*t));
    return search_query(ix, &a, next, text_hits, t);
}

static inline void
assert_found_by(const char *owner, const char *q, const char *want)
{
    struct text t;

    assert_int_equal(find_as(owner, q, strlen(q), &t), OK);
    assert_string_equal(t.s, want);
}

static inline void
assert_found(const char *q, const char *want)
{
    assert_found_by("ann", q, want);
}

static inline uint64_t
cursor_now(void)
{
    uint64_t cursor = UINT64_MAX;

    assert_int_equal(search_cursor(ix, &cursor), OK);
    return cursor;
}

#endif

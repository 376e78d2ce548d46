/*
 * The index follows the store: what is added, what is left alone, what is taken
 * out, and that a walk makes up for everything that was missed.
 */
#include "../store/store_test.h"

#include "chat/index_walk.h"

struct both {
    char store_dir[256], index_dir[256];
    struct store *store;
    struct search *search;
    struct feed feed;
};

static int
setup(void **state)
{
    struct both *b = calloc(1, sizeof(*b));
    struct store_config c = {.dir = b->store_dir};

    assert_non_null(b);
    log_set_level(LOG_ERROR + 1);
    folder_make(b->store_dir);
    folder_make(b->index_dir);
    assert_int_equal(store_open_on(&b->store, &memstore_backend, &c), OK);
    assert_int_equal(search_open(&b->search, b->index_dir), OK);
    b->feed = (struct feed){.store = b->store, .search = b->search};
    *state = b;
    return 0;
}

static int
teardown(void **state)
{
    struct both *b = *state;

    store_close(b->store);
    search_close(b->search);
    folder_remove(b->store_dir);
    folder_remove(b->index_dir);
    free(b);
    return 0;
}

static bool
text_hits(void *arg, const struct search_hit *h, size_t n)
{
    struct text *t = arg;

    for (size_t i = 0; i < n; i++)
        t->n += (size_t)snprintf(t->s + t->n, sizeof(t->s) - t->n, "%s:%u|",
                                 h[i].session_id, h[i].seq);
    return true;
}

static void
assert_found_by(struct both *b, const char *owner, const char *q,
                const char *want)
{
    struct search_ask ask = {
        .owner = owner, .q = q, .q_len = strlen(q), .limit = 10};
    char next[SEARCH_CURSOR_MAX];
    struct text t = {0};

    assert_int_equal(search_query(b->search, &ask, next, text_hits, &t), OK);
    assert_string_equal(t.s, want);
}

static void
assert_found(struct both *b, const char *q, const char *want)
{
    assert_found_by(b, "ann", q, want);
}

static void
give(struct both *b, const char *from, const char *id, const char *to)
{
    struct store_op op = op_on(STORE_SESSION_OWNER, from, id);

    op.owner_change.to = to;
    assert_int_equal(store_apply(b->store, &op), OK);
}

static void
feed(struct both *b, const char *id, uint64_t added)
{
    uint64_t before = b->feed.added;

    assert_int_equal(feed_session(&b->feed, "ann", id), OK);
    assert_int_equal(b->feed.added - before, added);
}

static void
clear(struct both *b, const char *id)
{
    struct store_op op = op_on(STORE_SESSION_CLEAR, "ann", id);

    assert_int_equal(store_apply(b->store, &op), OK);
}

static void delete (struct both *b, const char *id)
{
    struct store_op op = op_on(STORE_SESSION_DELETE, "ann", id);

    assert_int_equal(store_apply(b->store, &op), OK);
}

/* A whole walk, the first half or both; steps are counted. */
static unsigned
walk(struct both *b, struct walker *w)
{
    unsigned steps = 0;
    bool over = false;

    while (!over) {
        assert_int_equal(walk_step(w, &over), OK);
        assert_true(++steps < 100);
    }
    (void)b;
    return steps;
}

static uint64_t
cursor_of(struct both *b)
{
    uint64_t cursor;

    assert_int_equal(search_cursor(b->search, &cursor), OK);
    return cursor;
}

/* --- a session ------------------------------------------------------------ */

static void
only_what_is_new_is_read(void **state)
{
    struct both *b = *state;

    feed(b, "abc", 0); /* there is none */
    (void)put_turn(b->store, "ann", "abc", "red", "blue");
    feed(b, "abc", 2);
    feed(b, "abc", 0);
    (void)put_turn(b->store, "ann", "abc", "green", "red");
    feed(b, "abc", 2);
    assert_found(b, "green", "abc:2|");
    assert_found(b, "blue", "abc:1|");
}

static void
a_long_session_comes_in_batches(void **state)
{
    struct both *b = *state;

    for (unsigned i = 0; i < FEED_MESSAGES + 5; i++)
        (void)put_turn(b->store, "ann", "abc", "red", "blue");
    (void)put_turn(b->store, "ann", "abc", "last", "one");
    feed(b, "abc", 2 * (FEED_MESSAGES + 6));
    assert_found(b, "last", "abc:410|");
}

static void
a_cleared_session_begins_anew(void **state)
{
    struct both *b = *state;

    (void)put_turn(b->store, "ann", "abc", "red", "blue");
    feed(b, "abc", 2);
    clear(b, "abc");
    feed(b, "abc", 0); /* nobody told the index */
    assert_found(b, "red", "");
    (void)put_turn(b->store, "ann", "abc", "green", "grey");
    feed(b, "abc", 2);
    clear(b, "abc");
    for (int i = 0; i < 3; i++)
        (void)put_turn(b->store, "ann", "abc", "black", "white");
    feed(b, "abc", 6); /* longer than before, and another one */
    assert_found(b, "green", "");
    assert_found(b, "black -white", "abc:4|abc:2|abc:0|");
}

static void
a_forgotten_session_stays_out_without_end(void **state)
{
    struct both *b = *state;
    uint64_t no;

    (void)put_turn(b->store, "ann", "abc", "red", "blue");
    no = get_session(b->store, "ann", "abc").no;
    assert_int_equal(search_forget(b->search, &no, 1), OK);
    assert_int_equal(feed_session(&b->feed, "ann", "abc"), OK);
    assert_found(b, "red", "");
}

/* --- another owner -------------------------------------------------------- */

static void
a_session_that_was_given_away_is_its_new_owners(void **state)
{
    struct both *b = *state;

    (void)put_turn(b->store, "ann", "abc", "red", "blue");
    (void)put_turn(b->store, "bob", "own", "red", "grey");
    feed(b, "abc", 2);
    assert_int_equal(feed_session(&b->feed, "bob", "own"), OK);
    give(b, "ann", "abc", "bob");
    feed(b, "abc", 0); /* she has none of that name */
    assert_int_equal(feed_session(&b->feed, "bob", "abc"), OK);
    assert_found(b, "red", "");
    assert_found_by(b, "bob", "red", "own:0|abc:0|");
    (void)put_turn(b->store, "bob", "abc", "green", "black");
    assert_int_equal(feed_session(&b->feed, "bob", "abc"), OK);
    assert_found_by(b, "bob", "green", "abc:2|");
}

/* Longer than a batch, so that it is put in place in steps. */
static void
a_long_one_too(void **state)
{
    struct both *b = *state;
    uint64_t added;

    for (unsigned i = 0; i < FEED_MESSAGES; i++)
        (void)put_turn(b->store, "ann", "abc", "red", "blue");
    (void)put_turn(b->store, "ann", "abc", "last", "one");
    feed(b, "abc", 2 * FEED_MESSAGES + 2);
    give(b, "ann", "abc", "bob");
    added = b->feed.added;
    assert_int_equal(feed_session(&b->feed, "bob", "abc"), OK);
    assert_int_equal(b->feed.added - added, 2 * FEED_MESSAGES + 2);
    assert_found(b, "last", "");
    assert_found_by(b, "bob", "last", "abc:400|");
    assert_int_equal(feed_session(&b->feed, "bob", "abc"), OK);
    assert_int_equal(b->feed.added - added, 2 * FEED_MESSAGES + 2);
}

/* Nobody told the index, and nothing is left to put in its place. */
static void
one_that_was_given_away_and_cleared_is_nobodys(void **state)
{
    struct both *b = *state;
    struct store_op op = op_on(STORE_SESSION_CLEAR, "bob", "abc");

    (void)put_turn(b->store, "ann", "abc", "red", "blue");
    feed(b, "abc", 2);
    give(b, "ann", "abc", "bob");
    assert_int_equal(store_apply(b->store, &op), OK);
    assert_int_equal(feed_session(&b->feed, "bob", "abc"), OK);
    assert_found(b, "red", "");
    assert_found_by(b, "bob", "red", "");
}

static void
a_walk_finds_what_was_given_away(void **state)
{
    struct both *b = *state;
    struct walker w;

    walker_init(&w, b->store, b->search, b->index_dir);
    (void)put_turn(b->store, "ann", "abc", "red", "blue");
    (void)walk(b, &w);
    give(b, "ann", "abc", "bob");
    assert_found(b, "red", "abc:0|");
    (void)walk(b, &w);
    assert_found(b, "red", "");
    assert_found_by(b, "bob", "red", "abc:0|");
}

/* --- all ------------------------------------------------------------------ */

static void
a_walk_adds_and_takes_out_what_was_missed(void **state)
{
    struct both *b = *state;
    struct walker w;

    walker_init(&w, b->store, b->search, b->index_dir);
    (void)put_turn(b->store, "ann", "gone", "red", "blue");
    (void)put_turn(b->store, "ann", "stays", "red", "blue");
    (void)walk(b, &w);
    assert_int_equal(cursor_of(b), WALK_DONE);
    delete (b, "gone");
    (void)put_turn(b->store, "ann", "stays", "green", "grey");
    (void)put_turn(b->store, "ann", "new", "red", "grey");
    (void)walk(b, &w);
    assert_int_equal(w.feed.added, 4);
    assert_int_equal(w.feed.dropped, 1);
    assert_found(b, "red blue", "");
    assert_found(b, "green", "stays:2|");
    assert_found(b, "red -blue", "new:0|stays:0|");
}

static void
a_walk_goes_in_steps(void **state)
{
    struct both *b = *state;
    struct walker w;

    walker_init(&w, b->store, b->search, b->index_dir);
    for (unsigned i = 0; i < 2 * FEED_STEP + 1; i++) {
        char id[16];

        (void)snprintf(id, sizeof(id), "s%u", i);
        (void)put_turn(b->store, "ann", id, "red", "blue");
    }
    assert_int_equal(walk(b, &w), 1 + 1 + 3); /* begin, trim, fill */
    assert_int_equal(w.feed.added, 4 * FEED_STEP + 2);
    assert_int_equal(walk(b, &w), 1 + 3 + 3);
    assert_int_equal(w.feed.added, 0);
}

static void
an_index_that_is_replaced_in_the_middle_is_walked_again(void **state)
{
    struct both *b = *state;
    struct walker w;
    bool over;

    walker_init(&w, b->store, b->search, b->index_dir);
    (void)put_turn(b->store, "ann", "abc", "red", "blue");
    for (int i = 0; i < 2; i++) /* begin, trim */
        assert_int_equal(walk_step(&w, &over), OK);
    assert_int_equal(feed_session(&w.feed, "ann", "abc"), OK);
    assert_int_equal(search_reset(b->search), OK);
    assert_int_equal(cursor_of(b), 0);
    (void)walk(b, &w);
    assert_int_equal(cursor_of(b), WALK_DONE);
    assert_found(b, "red", "abc:0|");
}

static void
a_walk_that_ends_on_a_new_index_is_not_over(void **state)
{
    struct both *b = *state;
    struct walker w;
    bool over = false;

    walker_init(&w, b->store, b->search, b->index_dir);
    (void)put_turn(b->store, "ann", "abc", "red", "blue");
    assert_int_equal(walk_step(&w, &over), OK); /* begin */
    assert_int_equal(walk_step(&w, &over), OK); /* trim */
    assert_false(over);
    delete (b, "abc"); /* nothing is left to fill */
    assert_int_equal(search_reset(b->search), OK);
    assert_int_equal(walk_step(&w, &over), OK);
    assert_false(over);
    (void)walk(b, &w);
    assert_int_equal(cursor_of(b), WALK_DONE);
}

static void
nothing_to_do_opens_no_file(void **state)
{
    struct both *b = *state;
    char missing[300];
    struct walker w;

    (void)snprintf(missing, sizeof(missing), "%s/none", b->index_dir);
    search_close(b->search);
    assert_int_equal(search_open(&b->search, missing), OK);
    walker_init(&w, b->store, b->search, missing);
    assert_int_equal(walk(b, &w), 1);
    assert_int_not_equal(access(missing, F_OK), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_what_is_new_is_read),
        TEST(a_long_session_comes_in_batches),
        TEST(a_cleared_session_begins_anew),
        TEST(a_forgotten_session_stays_out_without_end),
        TEST(a_session_that_was_given_away_is_its_new_owners),
        TEST(a_long_one_too),
        TEST(one_that_was_given_away_and_cleared_is_nobodys),
        TEST(a_walk_finds_what_was_given_away),
        TEST(a_walk_adds_and_takes_out_what_was_missed),
        TEST(a_walk_goes_in_steps),
        TEST(an_index_that_is_replaced_in_the_middle_is_walked_again),
        TEST(a_walk_that_ends_on_a_new_index_is_not_over),
        TEST(nothing_to_do_opens_no_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

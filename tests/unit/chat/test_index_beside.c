/*
 * Feeding the index beside a server: what is added is found, the index counts
 * as whole only when it is, and a rebuild makes all of it anew.
 */
#include "../store/store_test.h"

#include <pthread.h>

#include "base/clock.h"
#include "chat/index_beside.h"
#include "store/search_lock.h"

struct both {
    char store_dir[256], index_dir[256];
    struct store *store;
    struct index_beside ib;
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
    assert_int_equal(index_beside_open(&b->ib, b->store, b->index_dir), OK);
    *state = b;
    return 0;
}

static int
teardown(void **state)
{
    struct both *b = *state;

    index_beside_close(&b->ib);
    store_close(b->store);
    folder_remove(b->store_dir);
    folder_remove(b->index_dir);
    free(b);
    return 0;
}

static void
say(struct both *b, const char *id, const char *text)
{
    struct message m = {.parent = STORE_ROOT,
                        .role = 1,
                        .id = ident_v7(),
                        .provider = "",
                        .model = "",
                        .text = text,
                        .text_len = strlen(text)};
    struct store_op op = {
        .kind = STORE_SESSION_IMPORT, .owner = "ann", .session_id = id};

    op.import.messages = &m;
    op.import.n = 1;
    assert_int_equal(store_apply(b->store, &op), OK);
}

static bool
count_hits(void *arg, const struct search_hit *h, size_t n)
{
    (void)h;
    *(size_t *)arg += n;
    return true;
}

static size_t
found(struct both *b, const char *q)
{
    struct search_ask ask = {
        .owner = "ann", .q = q, .q_len = strlen(q), .limit = 100};
    char next[SEARCH_CURSOR_MAX];
    size_t n = 0;

    assert_int_equal(search_query(b->ib.search, &ask, next, count_hits, &n),
                     OK);
    return n;
}

static uint64_t
cursor(struct both *b)
{
    uint64_t c;

    assert_int_equal(search_cursor(b->ib.search, &c), OK);
    return c;
}

static void
set_cursor(struct both *b, uint64_t c)
{
    assert_int_equal(search_add(b->ib.search, NULL, 0, c), OK);
}

static void
what_is_added_is_found_and_the_index_is_whole_again(void **state)
{
    struct both *b = *state;

    set_cursor(b, WALK_DONE);
    assert_int_equal(index_beside_begin(&b->ib), OK);
    assert_true(cursor(b) > WALK_DONE);
    say(b, "s1", "walnut");
    assert_int_equal(index_beside_add(&b->ib, "ann", "s1"), OK);
    assert_int_equal(index_beside_begin(&b->ib), OK);
    say(b, "s2", "walnut");
    assert_int_equal(index_beside_add(&b->ib, "ann", "s2"), OK);
    assert_true(cursor(b) > WALK_DONE);
    assert_int_equal(index_beside_end(&b->ib), OK);
    assert_true(cursor(b) == WALK_DONE);
    assert_int_equal(found(b, "walnut"), 2);
}

/* It is somebody else's to say that it is whole. */
static void
an_index_that_was_not_whole_stays_so(void **state)
{
    struct both *b = *state;

    assert_int_equal(index_beside_begin(&b->ib), OK); /* a new one */
    assert_int_equal(index_beside_end(&b->ib), OK);
    assert_true(cursor(b) == 0);
    set_cursor(b, 12345); /* somebody fills it */
    assert_int_equal(index_beside_begin(&b->ib), OK);
    assert_int_equal(index_beside_end(&b->ib), OK);
    assert_true(cursor(b) > WALK_DONE);
}

static void
a_walk_that_comes_between_is_seen(void **state)
{
    struct both *b = *state;

    set_cursor(b, WALK_DONE);
    assert_int_equal(index_beside_begin(&b->ib), OK);
    set_cursor(b, WALK_DONE); /* it began before, and ends now */
    assert_int_equal(index_beside_begin(&b->ib), OK);
    assert_true(cursor(b) > WALK_DONE);
    set_cursor(b, 12345);
    assert_int_equal(index_beside_end(&b->ib), OK);
    assert_true(cursor(b) == 12345);
}

static void
on_progress(void *arg, uint64_t messages)
{
    assert_true(messages >= *(uint64_t *)arg);
    *(uint64_t *)arg = messages;
}

static void
a_rebuild_has_all_of_the_store_and_no_more(void **state)
{
    struct both *b = *state;
    uint64_t told = 0;
    char id[20];

    say(b, "gone", "walnut");
    assert_int_equal(index_beside_add(&b->ib, "ann", "gone"), OK);
    struct store_op op = {
        .kind = STORE_SESSION_DELETE, .owner = "ann", .session_id = "gone"};
    assert_int_equal(store_apply(b->store, &op), OK);
    for (int i = 0; i < 250; i++) {
        (void)snprintf(id, sizeof(id), "s%d", i);
        say(b, id, i % 10 == 0 ? "walnut" : "hazel");
    }
    assert_int_equal(index_beside_rebuild(&b->ib, on_progress, &told), OK);
    assert_int_equal(told, 250);
    assert_int_equal(found(b, "walnut"), 25);
    assert_true(cursor(b) == WALK_DONE);
    assert_int_equal(index_beside_rebuild(&b->ib, NULL, NULL), OK);
    assert_int_equal(found(b, "walnut"), 25);
}

/* Keeps the index locked for longer than one call waits for it. */
static void *
keep_locked(void *arg)
{
    int fd = *(int *)arg;
    int64_t until_ms = clock_mono_ms() + SEARCH_BUSY_MS + 300;

    while (clock_mono_ms() < until_ms)
        (void)usleep(20000);
    search_unlock(fd);
    return NULL;
}

static void
an_index_that_is_in_use_is_thrown_away_all_the_same(void **state)
{
    struct both *b = *state;
    uint64_t no;
    pthread_t thread;
    char path[300];
    int fd;

    say(b, "s1", "walnut");
    no = get_session(b->store, "ann", "s1").no;
    assert_int_equal(search_forget(b->ib.search, &no, 1), OK);
    assert_int_equal(index_beside_rebuild(&b->ib, NULL, NULL), OK);
    assert_int_equal(found(b, "walnut"), 1);
    assert_int_equal(search_forget(b->ib.search, &no, 1), OK);
    assert_int_equal(found(b, "walnut"), 0);
    (void)snprintf(path, sizeof(path), "%s/lock", b->index_dir);
    fd = search_lock_open(path);
    assert_int_equal(search_lock_shared(fd), OK);
    assert_int_equal(pthread_create(&thread, NULL, keep_locked, &fd), 0);
    assert_int_equal(index_beside_rebuild(&b->ib, NULL, NULL), OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)close(fd);
    assert_int_equal(found(b, "walnut"), 1); /* it knows of no forgetting */
}

static void
a_rebuild_that_cannot_begin_says_so(void **state)
{
    struct both *b = *state;
    uint64_t told = 0;
    FILE *f;

    say(b, "s1", "walnut");
    folder_remove(b->index_dir);
    f = fopen(b->index_dir, "we"); /* a file has its name */
    assert_non_null(f);
    (void)fclose(f);
    assert_int_equal(index_beside_rebuild(&b->ib, on_progress, &told),
                     ERR_STORE);
    assert_int_equal(unlink(b->index_dir), 0);
}

static void
a_folder_with_a_long_name_is_refused(void **state)
{
    struct index_beside ib;
    char name[5000];

    (void)state;
    memset(name, 'x', sizeof(name));
    name[4999] = '\0';
    assert_int_equal(index_beside_open(&ib, NULL, name), ERR_STORE);
    index_beside_close(&ib);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_added_is_found_and_the_index_is_whole_again),
        TEST(an_index_that_was_not_whole_stays_so),
        TEST(a_walk_that_comes_between_is_seen),
        TEST(a_rebuild_has_all_of_the_store_and_no_more),
        TEST(an_index_that_is_in_use_is_thrown_away_all_the_same),
        TEST(a_rebuild_that_cannot_begin_says_so),
        TEST(a_folder_with_a_long_name_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

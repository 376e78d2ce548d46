/* Tests of http/route.c. */
#include "http_test.h"

#include "http/route.h"

static void
nothing(void *app, struct request *rq)
{
    (void)app;
    (void)rq;
}

static const struct route table[] = {
    {METHOD_GET, "/", nothing, "", 0},
    {METHOD_POST, "/chat", nothing, "", 0},
    {METHOD_GET, "/chat/stream", nothing, "", 0},
    {METHOD_GET, "/sessions/recent", nothing, "", 0},
    {METHOD_GET, "/sessions/{id}", nothing, "", 0},
    {METHOD_DELETE, "/sessions/{id}", nothing, "", 0},
    {METHOD_PATCH, "/sessions/{id}", nothing, "", 0},
    {METHOD_GET, "/sessions/{id}/messages", nothing, "", 0},
    {METHOD_PUT, "/a/{x}/b/{y}", nothing, "", 0},
    {METHOD_GET, "/models/{*}", nothing, "", 0},
};

static struct request *rq;
static char allow[ROUTE_ALLOW_MAX];

/* The row's index, or -err. */
static int
find(enum method m, const char *path)
{
    const char *vars[] = {"REQUEST_METHOD=GET", NULL};
    const struct route *row = NULL;
    enum err e;

    request_free(rq);
    rq = make_request(vars);
    rq->method = m;
    rq->path = path;
    allow[0] = '\0';
    e = route_find(table, COUNT_OF(table), rq, &row, allow);
    return e ? -(int)e : (int)(row - table);
}

static void
literal_rows_match_whole_paths(void **state)
{
    (void)state;
    assert_int_equal(find(METHOD_GET, "/"), 0);
    assert_int_equal(find(METHOD_POST, "/chat"), 1);
    assert_int_equal(find(METHOD_GET, "/chat/stream"), 2);
    assert_int_equal(find(METHOD_POST, "/chat/"), -ERR_NOTFOUND);
    assert_int_equal(find(METHOD_POST, "/cha"), -ERR_NOTFOUND);
    assert_int_equal(find(METHOD_POST, "/chatter"), -ERR_NOTFOUND);
    assert_int_equal(find(METHOD_GET, "/Chat/stream"), -ERR_NOTFOUND);
    assert_int_equal(find(METHOD_GET, "//"), -ERR_NOTFOUND);
}

static void
braces_match_one_segment_that_is_not_empty(void **state)
{
    (void)state;
    assert_int_equal(find(METHOD_GET, "/sessions/abc/messages"), 7);
    assert_string_equal(rq->path_args[0], "abc");
    assert_int_equal(find(METHOD_GET, "/sessions/abc"), 4);
    assert_int_equal(find(METHOD_GET, "/sessions/recent"), 3);
    assert_int_equal(find(METHOD_GET, "/sessions/"), -ERR_NOTFOUND);
    assert_int_equal(find(METHOD_GET, "/sessions//messages"), -ERR_NOTFOUND);
    assert_int_equal(find(METHOD_GET, "/sessions/a/b"), -ERR_NOTFOUND);
    assert_int_equal(find(METHOD_PUT, "/a/1 2/b/\xc3\xa9"), 8);
    assert_string_equal(rq->path_args[0], "1 2");
    assert_string_equal(rq->path_args[1], "\xc3\xa9");
}

static void
a_star_matches_all_that_is_left(void **state)
{
    (void)state;
    assert_int_equal(find(METHOD_GET, "/models/a"), 9);
    assert_string_equal(rq->path_args[0], "a");
    assert_int_equal(find(METHOD_GET, "/models/a/b/c:1"), 9);
    assert_string_equal(rq->path_args[0], "a/b/c:1");
    assert_int_equal(find(METHOD_GET, "/models/"), -ERR_NOTFOUND);
    assert_int_equal(find(METHOD_GET, "/models"), -ERR_NOTFOUND);
}

static void
head_finds_the_row_of_get(void **state)
{
    (void)state;
    assert_int_equal(find(METHOD_HEAD, "/chat/stream"), 2);
    assert_int_equal(find(METHOD_HEAD, "/chat"), -ERR_METHOD);
}

static void
a_wrong_method_learns_the_right_ones(void **state)
{
    (void)state;
    assert_int_equal(find(METHOD_GET, "/chat"), -ERR_METHOD);
    assert_string_equal(allow, "POST, OPTIONS");
    assert_int_equal(find(METHOD_POST, "/sessions/x"), -ERR_METHOD);
    assert_string_equal(allow, "GET, HEAD, PATCH, DELETE, OPTIONS");
    assert_int_equal(find(METHOD_OTHER, "/"), -ERR_METHOD);
    assert_string_equal(allow, "GET, HEAD, OPTIONS");
    assert_int_equal(find(METHOD_OPTIONS, "/chat"), -ERR_METHOD);
    assert_string_equal(allow, "POST, OPTIONS");
    assert_int_equal(find(METHOD_OPTIONS, "/nowhere"), -ERR_NOTFOUND);
}

static int
teardown(void **state)
{
    (void)state;
    request_free(rq);
    rq = NULL;
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literal_rows_match_whole_paths),
        cmocka_unit_test(braces_match_one_segment_that_is_not_empty),
        cmocka_unit_test(a_star_matches_all_that_is_left),
        cmocka_unit_test(head_finds_the_row_of_get),
        cmocka_unit_test(a_wrong_method_learns_the_right_ones),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}

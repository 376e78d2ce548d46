/* Tests of base/ident.c. */
#include "base_test.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ident.h"
#include "base/mem.h"

#define MANY 20000
#define THREADS 4

static int
cmp(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct ident));
}

static void
assert_distinct(struct ident *ids, size_t n)
{
    qsort(ids, n, sizeof(*ids), cmp);
    for (size_t i = 1; i < n; i++)
        assert_true(cmp(&ids[i - 1], &ids[i]) < 0);
}

static void
version_4_has_its_bits_and_never_repeats(void **state)
{
    struct ident *ids = xcalloc(MANY, sizeof(*ids));

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        ids[i] = ident_v4();
        assert_int_equal(ids[i].b[6] >> 4, 4);
        assert_int_equal(ids[i].b[8] >> 6, 2);
    }
    assert_distinct(ids, MANY);
    free(ids);
}

static void
version_7_increases_and_tells_the_time(void **state)
{
    struct ident last = ident_v7();
    int64_t before = clock_wall_ms();

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        struct ident id = ident_v7();
        int64_t ms = 0;

        assert_int_equal(id.b[6] >> 4, 7);
        assert_int_equal(id.b[8] >> 6, 2);
        assert_true(cmp(&last, &id) < 0);
        for (int k = 0; k < 6; k++)
            ms = ms << 8 | id.b[k];
        assert_true(ms >= before && ms <= clock_wall_ms() + 1000);
        last = id;
    }
}

struct batch {
    struct ident ids[MANY / THREADS];
    bool ordered;
};

static void *
make_many(void *arg)
{
    struct batch *b = arg;

    b->ordered = true;
    for (size_t i = 0; i < COUNT_OF(b->ids); i++) {
        b->ids[i] = ident_v7();
        if (i > 0 && cmp(&b->ids[i - 1], &b->ids[i]) >= 0)
            b->ordered = false;
    }
    return NULL;
}

static void
threads_never_make_the_same_one(void **state)
{
    struct batch *b = xcalloc(THREADS, sizeof(*b));
    struct ident *all = xcalloc(MANY, sizeof(*all));
    pthread_t t[THREADS];

    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, make_many, &b[i]), 0);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(t[i], NULL), 0);
        assert_true(b[i].ordered);
        memcpy(all + i * COUNT_OF(b[i].ids), b[i].ids, sizeof(b[i].ids));
    }
    assert_distinct(all, MANY);
    free(all);
    free(b);
}

static void
a_forked_child_makes_others(void **state)
{
    struct ident first = ident_v4(); /* fills this thread's block */
    struct ident theirs;
    struct ident ours;
    int fd[2];
    pid_t pid;
    int status;

    (void)state;
    assert_int_equal(pipe(fd), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        theirs = ident_v4();
        _exit(write(fd[1], &theirs, sizeof(theirs)) == sizeof(theirs) ? 0 : 1);
    }
    ours = ident_v4();
    assert_int_equal(read(fd[0], &theirs, sizeof(theirs)), sizeof(theirs));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_false(ident_eq(&ours, &theirs));
    assert_false(ident_eq(&first, &theirs));
    (void)close(fd[0]);
    (void)close(fd[1]);
}

static void
text_goes_there_and_back(void **state)
{
    char text[IDENT_TEXT_LEN];
    struct ident id = {{0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 0x80, 1,
                        2, 3, 4, 5, 6, 7}};
    struct ident back;

    (void)state;
    ident_text(text, &id);
    assert_string_equal(text, "01234567-89ab-cdef-8001-020304050607");
    assert_int_equal(ident_parse(text, 36, &back), OK);
    assert_true(ident_eq(&id, &back));
    assert_int_equal(
        ident_parse("01234567-89AB-CDEF-8001-020304050607", 36, &back), OK);
    assert_true(ident_eq(&id, &back));
}

static void
what_is_no_identifier_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "01234567-89ab-cdef-8001-02030405060",
        "01234567-89ab-cdef-8001-0203040506070",
        "01234567089ab-cdef-8001-020304050607",
        "01234567-89ab-cdef-8001-02030405060g",
        "0123456-789ab-cdef-8001-020304050607",
        "{1234567-89ab-cdef-8001-02030405060}",
    };
    struct ident id = {{7}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(ident_parse(bad[i], strlen(bad[i]), &id), ERR_BADREQ);
    assert_int_equal(id.b[0], 7);
}

static void
zero_is_zero(void **state)
{
    struct ident zero = {{0}};
    struct ident one = {{[15] = 1}};

    (void)state;
    assert_true(ident_is_zero(&zero));
    assert_false(ident_is_zero(&one));
    assert_false(ident_eq(&zero, &one));
}

static void
session_ids_are_plain_and_short(void **state)
{
    char text[65];

    (void)state;
    memset(text, 'x', sizeof(text));
    assert_true(ident_session_valid(text, 1));
    assert_true(ident_session_valid(text, 64));
    assert_false(ident_session_valid(text, 65));
    assert_false(ident_session_valid(text, 0));
    assert_true(ident_session_valid("aZ09_-", 6));
    for (int c = 0; c < 256; c++) {
        char s = (char)c;
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  (c >= '0' && c <= '9') || c == '_' || c == '-';

        assert_int_equal(ident_session_valid(&s, 1), ok);
    }
}

static void
random_fills_every_byte(void **state)
{
    unsigned char seen[32] = {0};
    unsigned char p[32];

    (void)state;
    ident_random(p, 0);
    for (int i = 0; i < 64; i++) {
        ident_random(p, sizeof(p));
        for (size_t k = 0; k < sizeof(p); k++)
            seen[k] |= p[k];
    }
    for (size_t k = 0; k < sizeof(seen); k++)
        assert_int_not_equal(seen[k], 0);
}

static void
ids_lie_beside_each_other(void **state)
{
    struct ident id = ident_v7(), first = ident_beside(&id, 0);

    (void)state;
    for (unsigned n = 0; n < 4; n++) {
        struct ident there = ident_beside(&id, n), back;

        back = ident_beside(&there, 0);
        assert_true(ident_eq(&back, &first));
        assert_int_equal(ident_eq(&there, &first), n == 0);
        assert_memory_equal(there.b, id.b, 15);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_lie_beside_each_other),
        cmocka_unit_test(version_4_has_its_bits_and_never_repeats),
        cmocka_unit_test(version_7_increases_and_tells_the_time),
        cmocka_unit_test(threads_never_make_the_same_one),
        cmocka_unit_test(a_forked_child_makes_others),
        cmocka_unit_test(text_goes_there_and_back),
        cmocka_unit_test(what_is_no_identifier_is_refused),
        cmocka_unit_test(zero_is_zero),
        cmocka_unit_test(session_ids_are_plain_and_short),
        cmocka_unit_test(random_fills_every_byte),
    };

    return cmocka_run_group_tests_name("ident", tests, NULL, NULL);
}

/* Tests of base/mailbox.c. */
#include "base_test.h"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mailbox.h"
#include "base/mem.h"

#define POSTERS 4
#define LETTERS 5000

static bool
readable(const struct mailbox *b)
{
    struct pollfd p = {.fd = b->event_fd, .events = POLLIN};

    return poll(&p, 1, 0) == 1;
}

static void
an_empty_box_gives_nothing(void **state)
{
    struct mailbox b;

    (void)state;
    assert_int_equal(mailbox_init(&b), OK);
    assert_null(mailbox_take(&b));
    assert_null(mailbox_wait(&b, 0));
    assert_false(readable(&b));
    mailbox_release(&b);
    assert_int_equal(b.event_fd, -1);
}

static void
letters_come_out_in_the_order_they_went_in(void **state)
{
    struct mail m[5] = {{0}};
    struct mailbox b;
    struct mail *at;

    (void)state;
    assert_int_equal(mailbox_init(&b), OK);
    for (size_t i = 0; i < COUNT_OF(m); i++)
        mailbox_post(&b, &m[i]);
    at = mailbox_take(&b);
    for (size_t i = 0; i < COUNT_OF(m); i++, at = at->next)
        assert_ptr_equal(at, &m[i]);
    assert_null(at);
    assert_null(mailbox_take(&b));
    mailbox_release(&b);
}

static void
only_the_first_letter_rings(void **state)
{
    struct mail m[3] = {{0}};
    struct mailbox b;
    uint64_t rings = 0;

    (void)state;
    assert_int_equal(mailbox_init(&b), OK);
    for (size_t i = 0; i < COUNT_OF(m); i++)
        mailbox_post(&b, &m[i]);
    assert_int_equal(read(b.event_fd, &rings, sizeof(rings)), sizeof(rings));
    assert_int_equal(rings, 1);
    assert_non_null(mailbox_take(&b));
    mailbox_post(&b, &m[0]);
    assert_true(readable(&b));
    assert_non_null(mailbox_take(&b));
    assert_false(readable(&b));
    mailbox_release(&b);
}

static void
a_box_without_a_bell_still_holds_letters(void **state)
{
    struct mail m = {0};
    struct mailbox b = {.head = NULL, .event_fd = -1};

    (void)state;
    mailbox_post(&b, &m);
    assert_ptr_equal(mailbox_take(&b), &m);
    mailbox_release(&b);
}

static void
waiting_ends_when_its_time_is_up(void **state)
{
    struct mailbox b;
    int64_t start = clock_mono_ms();

    (void)state;
    assert_int_equal(mailbox_init(&b), OK);
    assert_null(mailbox_wait(&b, 30));
    assert_true(clock_mono_ms() - start >= 29);
    mailbox_release(&b);
}

struct poster {
    struct mailbox *box;
    struct mail *letters;
    size_t id;
};

static void *
post_all(void *arg)
{
    struct poster *p = arg;

    for (size_t i = 0; i < LETTERS; i++) {
        p->letters[i].arg = (void *)(p->id * LETTERS + i);
        mailbox_post(p->box, &p->letters[i]);
    }
    return NULL;
}

static void
no_letter_of_any_thread_is_lost_or_overtaken(void **state)
{
    struct poster posters[POSTERS];
    pthread_t threads[POSTERS];
    size_t next[POSTERS] = {0};
    struct mailbox b;
    size_t count = 0;

    (void)state;
    assert_int_equal(mailbox_init(&b), OK);
    for (size_t i = 0; i < POSTERS; i++) {
        posters[i].box = &b;
        posters[i].id = i;
        posters[i].letters = xcalloc(LETTERS, sizeof(struct mail));
        assert_int_equal(
            pthread_create(&threads[i], NULL, post_all, &posters[i]), 0);
    }
    while (count < (size_t)POSTERS * LETTERS) {
        struct mail *m = mailbox_wait(&b, 20000);

        assert_non_null(m);
        for (; m; m = m->next, count++) {
            size_t id = (size_t)m->arg / LETTERS;

            assert_int_equal((size_t)m->arg % LETTERS, next[id]);
            next[id]++;
        }
    }
    for (size_t i = 0; i < POSTERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        free(posters[i].letters);
    }
    assert_null(mailbox_take(&b));
    mailbox_release(&b);
}

static void *
post_late(void *arg)
{
    struct poster *p = arg;

    (void)usleep(30000);
    mailbox_post(p->box, p->letters);
    return NULL;
}

static void
a_letter_wakes_the_sleeper(void **state)
{
    struct mail m = {0};
    struct mailbox b;
    struct poster p = {.box = &b, .letters = &m};
    pthread_t t;

    (void)state;
    assert_int_equal(mailbox_init(&b), OK);
    assert_int_equal(pthread_create(&t, NULL, post_late, &p), 0);
    assert_ptr_equal(mailbox_wait(&b, -1), &m);
    assert_int_equal(pthread_join(t, NULL), 0);
    mailbox_release(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_box_gives_nothing),
        cmocka_unit_test(letters_come_out_in_the_order_they_went_in),
        cmocka_unit_test(only_the_first_letter_rings),
        cmocka_unit_test(a_box_without_a_bell_still_holds_letters),
        cmocka_unit_test(waiting_ends_when_its_time_is_up),
        cmocka_unit_test(no_letter_of_any_thread_is_lost_or_overtaken),
        cmocka_unit_test(a_letter_wakes_the_sleeper),
    };

    return cmocka_run_group_tests_name("mailbox", tests, NULL, NULL);
}

/* Tests of base/loop.c. */
#include "base_test.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"

static struct loop *loop;
static int count; /* what happened in the test, by the test's own meaning */

static void give_up(struct loop_timer *t);
static struct loop_timer guard = {.fn = give_up};

static void
give_up(struct loop_timer *t)
{
    (void)t;
    fail_msg("the loop did not end in time");
}

static int
setup(void **state)
{
    (void)state;
    loop = loop_new();
    count = 0;
    memset(&guard, 0, sizeof(guard));
    guard.fn = give_up;
    if (loop)
        loop_timer_set(loop, &guard, clock_mono_ms() + 30000);
    return loop ? 0 : -1;
}

static int
teardown(void **state)
{
    (void)state;
    loop_free(loop);
    return 0;
}

static void
stop_now(struct loop_timer *t)
{
    (void)t;
    loop_stop(loop);
}

static void
stop_after(struct loop_timer *t, int ms)
{
    memset(t, 0, sizeof(*t));
    t->fn = stop_now;
    loop_timer_set(loop, t, clock_mono_ms() + ms);
}

static void
make_pipe(int fd[2])
{
    assert_int_equal(pipe(fd), 0);
}

static void
close_pipe(const int fd[2])
{
    (void)close(fd[0]);
    (void)close(fd[1]);
}

static void
write_byte(int fd)
{
    assert_int_equal(write(fd, "x", 1), 1);
}

/* ---- descriptors ---- */

static void
on_read(struct loop_io *io, uint32_t events)
{
    char c;

    assert_true(events & EPOLLIN);
    assert_int_equal(read(io->fd, &c, 1), 1);
    if (++count == 3)
        loop_stop(loop);
}

static void
a_readable_descriptor_calls_until_it_is_empty(void **state)
{
    struct loop_io io = {.fn = on_read};
    int fd[2];

    (void)state;
    make_pipe(fd);
    io.fd = fd[0];
    assert_int_equal(loop_io_set(loop, &io, EPOLLIN), OK);
    assert_int_equal(io.events, EPOLLIN);
    assert_int_equal(write(fd[1], "abc", 3), 3);
    loop_run(loop);
    assert_int_equal(count, 3);
    loop_io_clear(loop, &io);
    assert_int_equal(io.events, 0);
    loop_io_clear(loop, &io);
    close_pipe(fd);
}

static void
on_unwanted(struct loop_io *io, uint32_t events)
{
    (void)io;
    (void)events;
    fail_msg("an event that nobody wants any more");
}

static void
a_removed_descriptor_is_silent_and_may_come_back(void **state)
{
    struct loop_io io = {.fn = on_unwanted};
    struct loop_timer t;
    int fd[2];

    (void)state;
    make_pipe(fd);
    io.fd = fd[0];
    write_byte(fd[1]);
    assert_int_equal(loop_io_set(loop, &io, EPOLLIN), OK);
    assert_int_equal(loop_io_set(loop, &io, 0), OK);
    stop_after(&t, 5);
    loop_run(loop);
    io.fn = on_read;
    count = 2;
    assert_int_equal(loop_io_set(loop, &io, EPOLLIN), OK);
    loop_run(loop);
    assert_int_equal(count, 3);
    loop_io_clear(loop, &io);
    close_pipe(fd);
}

/* Two ready descriptors; whichever is called first frees the other. */
struct pair {
    struct loop_io *io[2];
    int fd[2][2];
    int idle[2]; /* a pipe with nothing in it; -1: the number is not reused */
};

static void
on_first(struct loop_io *io, uint32_t events)
{
    struct pair *p = io->arg;
    int other = p->io[0] == io;

    (void)events;
    count++;
    loop_io_clear(loop, p->io[other]);
    free(p->io[other]);
    p->io[other] = NULL;
    loop_io_clear(loop, io);
    if (p->idle[0] >= 0) {
        /* The same descriptor number, another life. */
        struct loop_io *again = xcalloc(1, sizeof(*again));

        assert_int_equal(dup2(p->idle[0], p->fd[other][0]), p->fd[other][0]);
        again->fd = p->fd[other][0];
        again->fn = on_unwanted;
        assert_int_equal(loop_io_set(loop, again, EPOLLIN), OK);
        p->io[other] = again;
    }
}

static void
free_the_other(bool reuse)
{
    struct pair p = {.idle = {-1, -1}};
    struct loop_timer t;

    if (reuse)
        make_pipe(p.idle);
    for (int i = 0; i < 2; i++) {
        make_pipe(p.fd[i]);
        write_byte(p.fd[i][1]);
        p.io[i] = xcalloc(1, sizeof(struct loop_io));
        p.io[i]->fd = p.fd[i][0];
        p.io[i]->fn = on_first;
        p.io[i]->arg = &p;
        assert_int_equal(loop_io_set(loop, p.io[i], EPOLLIN), OK);
    }
    stop_after(&t, 10);
    loop_run(loop);
    assert_int_equal(count, 1);
    for (int i = 0; i < 2; i++) {
        if (p.io[i])
            loop_io_clear(loop, p.io[i]);
        free(p.io[i]);
        close_pipe(p.fd[i]);
    }
    if (reuse)
        close_pipe(p.idle);
}

static void
an_io_freed_in_the_same_turn_is_never_called(void **state)
{
    (void)state;
    free_the_other(false);
}

static void
a_stale_event_does_not_reach_the_next_life_of_a_descriptor(void **state)
{
    (void)state;
    free_the_other(true);
}

static void
on_any_narrow(struct loop_io *io, uint32_t events)
{
    struct pair *p = io->arg;

    assert_true(events & io->events);
    count++;
    for (int i = 0; i < 2; i++)
        assert_int_equal(loop_io_set(loop, p->io[i], EPOLLPRI), OK);
}

static void
an_event_no_longer_asked_for_is_not_delivered(void **state)
{
    struct loop_io io[2] = {{0}};
    struct pair p = {.io = {&io[0], &io[1]}};
    struct loop_timer t;

    (void)state;
    for (int i = 0; i < 2; i++) {
        make_pipe(p.fd[i]);
        write_byte(p.fd[i][1]);
        io[i].fd = p.fd[i][0];
        io[i].fn = on_any_narrow;
        io[i].arg = &p;
        assert_int_equal(loop_io_set(loop, &io[i], EPOLLIN), OK);
    }
    stop_after(&t, 10);
    loop_run(loop);
    assert_int_equal(count, 1);
    for (int i = 0; i < 2; i++) {
        loop_io_clear(loop, &io[i]);
        close_pipe(p.fd[i]);
    }
}

static void
on_hup(struct loop_io *io, uint32_t events)
{
    assert_true(events & EPOLLHUP);
    loop_io_clear(loop, io);
    loop_stop(loop);
}

static void
a_hang_up_is_told_without_being_asked_for(void **state)
{
    struct loop_io io = {.fn = on_hup};
    int fd[2];

    (void)state;
    make_pipe(fd);
    io.fd = fd[0];
    assert_int_equal(loop_io_set(loop, &io, EPOLLIN), OK);
    (void)close(fd[1]);
    loop_run(loop);
    (void)close(fd[0]);
}

static void
an_owner_that_closed_first_does_no_harm(void **state)
{
    struct loop_io old = {.fn = on_unwanted};
    struct loop_io next = {.fn = on_read};
    int fd[2];

    (void)state;
    make_pipe(fd);
    old.fd = fd[0];
    assert_int_equal(loop_io_set(loop, &old, EPOLLIN), OK);
    close_pipe(fd);
    make_pipe(fd);
    next.fd = fd[0];
    assert_int_equal(old.fd, next.fd);
    assert_int_equal(loop_io_set(loop, &next, EPOLLIN), OK);
    loop_io_clear(loop, &old); /* must not take next's registration away */
    count = 2;
    write_byte(fd[1]);
    loop_run(loop);
    assert_int_equal(count, 3);
    loop_io_clear(loop, &next);
    close_pipe(fd);
}

static void
a_descriptor_that_cannot_be_watched_is_an_error(void **state)
{
    struct loop_io io = {.fd = 1 << 20, .fn = on_unwanted};
    FILE *f = tmpfile();

    (void)state;
    assert_int_not_equal(loop_io_set(loop, &io, EPOLLIN), OK);
    assert_int_equal(io.events, 0);
    assert_non_null(f);
    io.fd = fileno(f);
    assert_int_not_equal(loop_io_set(loop, &io, EPOLLIN), OK);
    assert_int_equal(io.events, 0);
    (void)fclose(f);
}

/* ---- timers ---- */

#define TIMERS 500

struct many {
    struct loop_timer t[TIMERS];
    int64_t last_ms;
    int left;
};

static void
on_many(struct loop_timer *t)
{
    struct many *m = t->arg;

    assert_int_equal(t->slot, 0);
    assert_true(t->at_ms >= m->last_ms);
    assert_true(t->at_ms <= loop_now_ms(loop));
    m->last_ms = t->at_ms;
    if (--m->left == 0)
        loop_stop(loop);
}

static void
timers_fire_in_order_and_not_too_early(void **state)
{
    struct many *m = xcalloc(1, sizeof(*m));
    int64_t now = clock_mono_ms();

    (void)state;
    for (int i = 0; i < TIMERS; i++) {
        m->t[i].fn = on_many;
        m->t[i].arg = m;
        loop_timer_set(loop, &m->t[i], now + 5 + i * 7919 % 50);
    }
    for (int i = 0; i < TIMERS; i += 3)
        loop_timer_set(loop, &m->t[i], now + 5 + i * 104729 % 40);
    m->left = TIMERS;
    for (int i = 0; i < TIMERS; i += 7) {
        loop_timer_clear(loop, &m->t[i]);
        loop_timer_clear(loop, &m->t[i]);
        assert_int_equal(m->t[i].slot, 0);
        m->t[i].fn = give_up;
        m->left--;
    }
    loop_run(loop);
    assert_int_equal(m->left, 0);
    free(m);
}

static void
on_again(struct loop_timer *t)
{
    (*(int *)t->arg)++;
    loop_timer_set(loop, t, loop_now_ms(loop));
}

static void
a_timer_that_sets_itself_for_now_starves_nobody(void **state)
{
    int ticks = 0;
    struct loop_timer t = {.fn = on_again, .arg = &ticks};
    struct loop_io io = {.fn = on_read};
    int fd[2];

    (void)state;
    make_pipe(fd);
    io.fd = fd[0];
    assert_int_equal(loop_io_set(loop, &io, EPOLLIN), OK);
    assert_int_equal(write(fd[1], "abc", 3), 3);
    loop_timer_set(loop, &t, 0);
    loop_run(loop);
    assert_int_equal(count, 3);
    assert_int_equal(ticks, 3); /* one a turn */
    loop_timer_clear(loop, &t);
    loop_io_clear(loop, &io);
    close_pipe(fd);
}

static struct loop_timer victim = {.fn = give_up};

static void
on_clear_victim(struct loop_timer *t)
{
    (void)t;
    loop_timer_clear(loop, &victim);
    loop_stop(loop);
}

static void
a_timer_may_clear_another_that_is_due(void **state)
{
    struct loop_timer t = {.fn = on_clear_victim};
    int64_t now = clock_mono_ms();

    (void)state;
    memset(&victim, 0, sizeof(victim));
    victim.fn = give_up;
    loop_timer_set(loop, &t, now);
    loop_timer_set(loop, &victim, now + 1);
    (void)usleep(3000);
    loop_run(loop);
    assert_int_equal(victim.slot, 0);
}

/* ---- hooks ---- */

static char order[32];

static bool
on_hook_a(struct loop_hook *h)
{
    (void)h;
    (void)strncat(order, "a", sizeof(order) - strlen(order) - 1);
    return false;
}

static bool
on_hook_b(struct loop_hook *h)
{
    int *again = h->arg;

    (void)strncat(order, "b", sizeof(order) - strlen(order) - 1);
    return (*again)-- > 0;
}

static void
hooks_run_in_order_until_none_asks_for_more(void **state)
{
    struct loop_hook a = {.fn = on_hook_a};
    int again = 2;
    struct loop_hook b = {.fn = on_hook_b, .arg = &again};
    struct loop_timer t;

    (void)state;
    memset(order, 0, sizeof(order));
    loop_hook_add(loop, &a);
    loop_hook_add(loop, &b);
    stop_after(&t, 0);
    loop_run(loop);
    assert_string_equal(order, "ababab");
}

/* ---- letters ---- */

#define POSTERS 3
#define LETTERS 3000

static pthread_t loop_thread;

static void
on_letter(struct mail *m)
{
    assert_true(pthread_equal(pthread_self(), loop_thread));
    free(m);
    if (++count == POSTERS * LETTERS)
        loop_stop(loop);
}

static void *
post_many(void *arg)
{
    (void)arg;
    for (int i = 0; i < LETTERS; i++) {
        struct mail *m = xcalloc(1, sizeof(*m));

        m->fn = on_letter;
        loop_post(loop, m);
    }
    return NULL;
}

static void
on_late(struct mail *m)
{
    (void)m;
    fail();
}

static void
on_drop(struct mail *m)
{
    struct mail *another = m->arg;

    free(m);
    count++;
    if (another != NULL)
        loop_post(loop, another);
}

static struct mail *
late_letter(mail_fn *drop, struct mail *then)
{
    struct mail *m = xcalloc(1, sizeof(*m));

    m->fn = on_late;
    m->drop = drop;
    m->arg = then;
    return m;
}

static void
letters_that_come_too_late_are_dropped(void **state)
{
    struct mail known = {.fn = on_late}; /* somebody else knows of it */

    (void)state;
    loop_post(loop, late_letter(on_drop, NULL));
    loop_post(loop, &known);
    loop_post(loop, late_letter(on_drop, late_letter(on_drop, NULL)));
    loop_drop_mail(loop);
    assert_int_equal(count, 3);
    loop_drop_mail(loop);
    assert_int_equal(count, 3);
}

static void
letters_of_other_threads_are_read_on_the_loop_thread(void **state)
{
    pthread_t t[POSTERS];

    (void)state;
    loop_thread = pthread_self();
    for (int i = 0; i < POSTERS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, post_many, NULL), 0);
    loop_run(loop);
    for (int i = 0; i < POSTERS; i++)
        assert_int_equal(pthread_join(t[i], NULL), 0);
    assert_int_equal(count, POSTERS * LETTERS);
}

static void
on_chain(struct mail *m)
{
    if (++count == 10)
        loop_stop(loop);
    else
        loop_post(loop, m);
}

static void
a_letter_may_post_itself_again(void **state)
{
    struct mail m = {.fn = on_chain};

    (void)state;
    loop_post(loop, &m);
    loop_run(loop);
    assert_int_equal(count, 10);
}

/* --- a busy loop --- */

#define RING 20    /* pairs of sockets that pass a byte round each */
#define ROUNDS 100 /* times */

struct ring {
    struct loop_io io;
    int other; /* what is written here comes back at io */
    int rounds;
};

static struct mail busy_letter;
static int busy_letters;

static void
on_busy_letter(struct mail *m)
{
    (void)m;
    busy_letters++;
}

static void
on_ring(struct loop_io *io, uint32_t events)
{
    struct ring *r = io->arg;
    char c;

    (void)events;
    assert_int_equal(read(io->fd, &c, 1), 1);
    if (++r->rounds < ROUNDS) {
        assert_int_equal(write(r->other, &c, 1), 1);
    } else if (++count == RING) {
        loop_stop(loop);
    } else {
        busy_letter.fn = on_busy_letter;
        if (count == RING / 2)
            loop_post(loop, &busy_letter);
    }
}

static void
a_busy_loop_delivers_all(void **state)
{
    static struct ring rings[RING];

    (void)state;
    busy_letters = 0;
    memset(rings, 0, sizeof(rings));
    for (int i = 0; i < RING; i++) {
        int fds[2];

        assert_int_equal(pipe(fds), 0);
        rings[i].rounds = -i; /* so that they do not all end at once */
        rings[i].other = fds[1];
        rings[i].io.fd = fds[0];
        rings[i].io.fn = on_ring;
        rings[i].io.arg = &rings[i];
        assert_int_equal(loop_io_set(loop, &rings[i].io, EPOLLIN), OK);
        assert_int_equal(write(fds[1], "x", 1), 1);
    }
    loop_run(loop);
    for (int i = 0; i < RING; i++) {
        loop_io_clear(loop, &rings[i].io);
        (void)close(rings[i].io.fd);
        (void)close(rings[i].other);
        assert_int_equal(rings[i].rounds, ROUNDS);
    }
    assert_int_equal(busy_letters, 1);
}

static void
it_may_be_stopped_before_it_runs_and_run_again(void **state)
{
    struct loop_timer t;

    (void)state;
    loop_stop(loop);
    loop_run(loop);
    stop_after(&t, 1);
    loop_run(loop);
    loop_free(NULL);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_readable_descriptor_calls_until_it_is_empty),
        T(a_removed_descriptor_is_silent_and_may_come_back),
        T(an_io_freed_in_the_same_turn_is_never_called),
        T(a_stale_event_does_not_reach_the_next_life_of_a_descriptor),
        T(an_event_no_longer_asked_for_is_not_delivered),
        T(a_hang_up_is_told_without_being_asked_for),
        T(an_owner_that_closed_first_does_no_harm),
        T(a_descriptor_that_cannot_be_watched_is_an_error),
        T(timers_fire_in_order_and_not_too_early),
        T(a_timer_that_sets_itself_for_now_starves_nobody),
        T(a_timer_may_clear_another_that_is_due),
        T(hooks_run_in_order_until_none_asks_for_more),
        T(letters_of_other_threads_are_read_on_the_loop_thread),
        T(letters_that_come_too_late_are_dropped),
        T(a_letter_may_post_itself_again),
        T(a_busy_loop_delivers_all),
        T(it_may_be_stopped_before_it_runs_and_run_again),
    };

    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}

/* Tests of base/worker.c. */
#include "base_test.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/worker.h"

#define JOBS 500

static struct loop *loop;
static pthread_t loop_thread;
static int told; /* letters read; owned by: loop */

struct task {
    struct job job;
    int result; /* worker, then loop */
};

static void
on_done(struct mail *m)
{
    struct task *t = m->arg;

    assert_true(pthread_equal(pthread_self(), loop_thread));
    assert_int_equal(t->result, 42);
    free(t);
    if (++told == JOBS)
        loop_stop(loop);
}

static void
compute(void *arg)
{
    struct task *t = arg;

    assert_false(pthread_equal(pthread_self(), loop_thread));
    t->result = 42;
}

static void
every_job_runs_on_a_worker_and_reports_to_the_loop(void **state)
{
    struct workers *w;

    (void)state;
    told = 0;
    loop = loop_new();
    loop_thread = pthread_self();
    w = workers_new(3, loop);
    assert_non_null(w);
    for (int i = 0; i < JOBS; i++) {
        struct task *t = xcalloc(1, sizeof(*t));

        t->job.run = compute;
        t->job.arg = t;
        t->job.done.fn = on_done;
        t->job.done.arg = t;
        workers_run(w, &t->job);
    }
    loop_run(loop);
    assert_int_equal(told, JOBS);
    workers_free(w);
    loop_free(loop);
}

static atomic_int runs;

static void
free_yourself(void *arg)
{
    atomic_fetch_add(&runs, 1);
    free(arg);
}

static void
a_job_without_a_letter_may_free_itself(void **state)
{
    struct workers *w = workers_new(2, NULL);

    (void)state;
    atomic_store(&runs, 0);
    for (int i = 0; i < JOBS; i++) {
        struct job *j = xcalloc(1, sizeof(*j));

        j->run = free_yourself;
        j->arg = j;
        workers_run(w, j);
    }
    workers_free(w); /* finishes what is queued */
    assert_int_equal(atomic_load(&runs), JOBS);
    workers_free(NULL);
}

static char order[32];

static void
note(void *arg)
{
    (void)strncat(order, arg, sizeof(order) - strlen(order) - 1);
}

static void
one_worker_keeps_the_order(void **state)
{
    static char names[] = "a\0b\0c\0d\0e";
    struct job jobs[5];
    struct workers *w = workers_new(1, NULL);

    (void)state;
    memset(jobs, 0, sizeof(jobs));
    for (size_t i = 0; i < COUNT_OF(jobs); i++) {
        jobs[i].run = note;
        jobs[i].arg = names + 2 * i;
        workers_run(w, &jobs[i]);
    }
    workers_free(w);
    assert_string_equal(order, "abcde");
}

static atomic_int together;

static void
meet(void *arg)
{
    int64_t end = clock_mono_ms() + 20000;

    (void)arg;
    atomic_fetch_add(&together, 1);
    while (atomic_load(&together) < 2 && clock_mono_ms() < end)
        (void)usleep(1000);
}

static void
two_workers_work_at_the_same_time(void **state)
{
    struct job jobs[2];
    struct workers *w = workers_new(2, NULL);

    (void)state;
    memset(jobs, 0, sizeof(jobs));
    for (size_t i = 0; i < COUNT_OF(jobs); i++) {
        jobs[i].run = meet;
        workers_run(w, &jobs[i]);
    }
    workers_free(w);
    assert_int_equal(atomic_load(&together), 2);
}

static atomic_int blocked;

static void
look_at_mask(void *arg)
{
    sigset_t s;

    (void)arg;
    if (pthread_sigmask(SIG_SETMASK, NULL, &s) == 0)
        atomic_store(&blocked,
                     sigismember(&s, SIGTERM) && sigismember(&s, SIGINT));
}

static void
workers_take_no_signals(void **state)
{
    struct job j = {.run = look_at_mask};
    struct workers *w = workers_new(1, NULL);
    sigset_t s;

    (void)state;
    workers_run(w, &j);
    workers_free(w);
    assert_true(atomic_load(&blocked));
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &s), 0);
    assert_false(sigismember(&s, SIGTERM));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_job_runs_on_a_worker_and_reports_to_the_loop),
        cmocka_unit_test(a_job_without_a_letter_may_free_itself),
        cmocka_unit_test(one_worker_keeps_the_order),
        cmocka_unit_test(two_workers_work_at_the_same_time),
        cmocka_unit_test(workers_take_no_signals),
    };

    return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}

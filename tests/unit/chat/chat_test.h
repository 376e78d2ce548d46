/*
 * What the tests of chat/ share: an engine of their own on a thread of its
 * own over a temporary folder, turns to ask of it, and a reader that writes
 * down all that it is given. The providers are in tap.h.
 */
#ifndef CHAT_TEST_H
#define CHAT_TEST_H

#include "../store/store_test.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/mem.h"
#include "base/text.h"
#include "chat/core.h"
#include "tap.h"

#define TURNS_MIN 4 /* of a loop that is given time */

/* --- processes ------------------------------------------------------------ */

/* Not process_self, which remembers the parent in a child. */
static inline struct process
process_of(pid_t pid)
{
    char path[40], stat[1024] = "";
    unsigned long long ticks = 0;
    FILE *f;

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    f = fopen(path, "re");
    if (f == NULL || fread(stat, 1, sizeof(stat) - 1, f) == 0 ||
        sscanf(strrchr(stat, ')') + 1,
               " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s"
               " %*s %*s %*s %*s %llu",
               &ticks) != 1)
        abort();
    (void)fclose(f);
    return (struct process){(int32_t)pid, ticks};
}

/* A process that only waits: alive until other_end. Fork it before there are
 * threads. */
struct other {
    struct process id;
    int hold_fd;
};

static inline struct other
other_start(void)
{
    struct other o;
    int fds[2];
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        char byte;

        (void)close(fds[1]);
        _exit(read(fds[0], &byte, 1) == 0 ? 0 : 1);
    }
    (void)close(fds[0]);
    o.id = process_of(pid);
    o.hold_fd = fds[1];
    assert_true(process_alive(&o.id));
    return o;
}

static inline void
other_end(const struct other *o)
{
    (void)close(o->hold_fd);
    assert_int_equal(child_wait(o->id.pid), 0);
    assert_false(process_alive(&o->id));
}

/* A process that ran and is gone. */
static inline struct process
dead_process(void)
{
    struct other o = other_start();

    other_end(&o);
    return o.id;
}

/* --- a reader ------------------------------------------------------------- */

struct note {
    uint32_t seq;
    enum event_type type;
    char *text; /* owned, NUL-terminated */
    size_t len;
};

/* The loop writes, the test reads after waiting. */
struct record {
    struct reader r; /* first */
    struct record *next;
    pthread_mutex_t mu;
    pthread_cond_t cond;
    /* mu guards all below */
    struct note *notes;
    size_t n, cap;
    char order[64]; /* what was called: a(ttached) e(vent) s(end) l(ast send)
                       p(ing) f(ail) n (fail with NULL) d(one); a run of
                       events and sends is "es" */
    size_t sends, pings;
    struct buf sent;  /* all that was sent */
    size_t bytes_max; /* the longest send */
    bool done;
    struct problem problem; /* of fail */
    enum err answer;        /* what send returns, but for the last */
    enum err ping_answer;
    struct ident turn;   /* of the stream it was attached to last */
    struct store *store; /* not NULL: must have the answer when the end comes */
    bool too_early;      /* it did not */
};

static inline struct record *
record_of(struct reader *r)
{
    return (struct record *)(void *)r;
}

/* Under mu. */
static inline void
record_say(struct record *rec, char what)
{
    size_t n = strlen(rec->order);
    char before = n > 0 ? rec->order[n - 1] : ' ';

    (void)pthread_cond_broadcast(&rec->cond);
    if ((what == 'e' && (before == 'e' || before == 's')) ||
        (what == 's' && before == 's'))
        return;
    if (n + 1 < sizeof(rec->order)) {
        rec->order[n] = what;
        rec->order[n + 1] = '\0';
    }
}

static inline bool
record_is_done(struct record *rec)
{
    bool done;

    (void)pthread_mutex_lock(&rec->mu);
    done = rec->done;
    (void)pthread_mutex_unlock(&rec->mu);
    return done;
}

static inline void
record_answers(struct record *rec, enum err e)
{
    (void)pthread_mutex_lock(&rec->mu);
    rec->answer = e;
    (void)pthread_mutex_unlock(&rec->mu);
}

static inline void
assert_order(struct record *rec, const char *want)
{
    char order[sizeof(rec->order)];

    (void)pthread_mutex_lock(&rec->mu);
    (void)memcpy(order, rec->order, sizeof(order));
    (void)pthread_mutex_unlock(&rec->mu);
    assert_string_equal(order, want);
}

static inline void
record_attached(struct reader *r)
{
    struct record *rec = record_of(r);

    (void)pthread_mutex_lock(&rec->mu);
    rec->turn = *stream_id(r->stream);
    record_say(rec, 'a');
    (void)pthread_mutex_unlock(&rec->mu);
}

static inline void
record_event(struct reader *r, const struct event *ev, struct buf *out)
{
    struct record *rec = record_of(r);
    struct turn_info info;

    (void)pthread_mutex_lock(&rec->mu);
    if (rec->n == rec->cap) {
        rec->cap = rec->cap == 0 ? 64 : 2 * rec->cap;
        rec->notes = xrealloc(rec->notes, rec->cap * sizeof(*rec->notes));
    }
    /* What was sent in part is encoded again. */
    if (rec->n == 0 || ev->seq > rec->notes[rec->n - 1].seq)
        rec->notes[rec->n++] = (struct note){
            ev->seq, ev->type, xmemdup0(ev->data, ev->len), ev->len};
    if (rec->store != NULL && EVENT_IS_END(ev->type) &&
        (store_turn(rec->store, &rec->turn, &info) != OK ||
         info.state != TURN_STATE_ENDED))
        rec->too_early = true;
    record_say(rec, 'e');
    (void)pthread_mutex_unlock(&rec->mu);
    buf_add(out, ev->data, ev->len);
    buf_addc(out, '\n');
}

static inline enum err
record_send(struct reader *r, const struct buf *out, bool last)
{
    struct record *rec = record_of(r);
    enum err e;

    (void)pthread_mutex_lock(&rec->mu);
    rec->sends++;
    buf_add(&rec->sent, out->data, out->len);
    if (out->len > rec->bytes_max)
        rec->bytes_max = out->len;
    e = rec->answer;
    record_say(rec, last ? 'l' : 's');
    (void)pthread_mutex_unlock(&rec->mu);
    return last ? OK : e;
}

static inline enum err
record_ping(struct reader *r)
{
    struct record *rec = record_of(r);
    enum err e;

    (void)pthread_mutex_lock(&rec->mu);
    rec->pings++;
    e = rec->ping_answer;
    record_say(rec, 'p');
    (void)pthread_mutex_unlock(&rec->mu);
    return e;
}

static inline void
record_fail(struct reader *r, const struct problem *p)
{
    struct record *rec = record_of(r);

    (void)pthread_mutex_lock(&rec->mu);
    if (p != NULL)
        rec->problem = *p;
    record_say(rec, p != NULL ? 'f' : 'n');
    (void)pthread_mutex_unlock(&rec->mu);
}

static inline void
record_done(struct reader *r)
{
    struct record *rec = record_of(r);

    assert(r->stream == NULL);
    (void)pthread_mutex_lock(&rec->mu);
    assert(!rec->done);
    rec->done = true;
    record_say(rec, 'd');
    (void)pthread_mutex_unlock(&rec->mu);
}

static const struct reader_ops record_ops = {
    .attached = record_attached,
    .event = record_event,
    .send = record_send,
    .ping = record_ping,
    .fail = record_fail,
    .done = record_done,
};

static struct record *records; /* all of a test; the test's thread */

static inline struct record *
record_new(void)
{
    struct record *rec = xcalloc(1, sizeof(*rec));

    rec->r.ops = &record_ops;
    buf_init(&rec->sent, TAP_BYTES_MAX);
    (void)pthread_mutex_init(&rec->mu, NULL);
    (void)pthread_cond_init(&rec->cond, NULL);
    rec->next = records;
    records = rec;
    return rec;
}

/* At the end of the test, also of one that failed. */
static inline void
records_free(void)
{
    while (records != NULL) {
        struct record *rec = records;

        records = rec->next;
        for (size_t i = 0; i < rec->n; i++)
            free(rec->notes[i].text);
        free(rec->notes);
        buf_release(&rec->sent);
        (void)pthread_cond_destroy(&rec->cond);
        (void)pthread_mutex_destroy(&rec->mu);
        free(rec);
    }
}

/* Wait until it is done, or has n events, or was attached (n 0). */
static inline bool
record_wait(struct record *rec, bool done, size_t n)
{
    int64_t until_ms = clock_mono_ms() + TAP_WAIT_MS;
    bool come = false;

    (void)pthread_mutex_lock(&rec->mu);
    while (!come && clock_mono_ms() < until_ms) {
        struct timespec at;

        come = done ? rec->done
                    : rec->n >= n && (n > 0 || rec->order[0] != '\0');
        if (come)
            break;
        (void)clock_gettime(CLOCK_REALTIME, &at);
        at.tv_sec++;
        (void)pthread_cond_timedwait(&rec->cond, &rec->mu, &at);
    }
    (void)pthread_mutex_unlock(&rec->mu);
    return come;
}

#define record_wait_done(rec) assert_true(record_wait(rec, true, 0))
#define record_wait_events(rec, n) assert_true(record_wait(rec, false, n))
#define record_wait_attached(rec) assert_true(record_wait(rec, false, 0))

/* Text of all chunks. */
static inline void
record_text(const struct record *rec, struct buf *out)
{
    buf_init(out, TAP_BYTES_MAX);
    for (size_t i = 0; i < rec->n; i++)
        if (rec->notes[i].type == EVENT_CHUNK)
            buf_add(out, rec->notes[i].text, rec->notes[i].len);
}

/* What was sent is what was given, each byte once. */
static inline void
assert_sent_once(const struct record *rec)
{
    size_t at = 0;

    for (size_t i = 0; i < rec->n; i++) {
        const struct note *note = &rec->notes[i];

        assert_true(at + note->len + 1 <= rec->sent.len);
        assert_memory_equal(rec->sent.data + at, note->text, note->len);
        at += note->len + 1;
    }
    assert_int_equal(at, rec->sent.len);
}

/* It saw a whole turn: events from 1 (or after) without a gap, START first,
 * one end and that last, and every piece of text well-formed. */
static inline void
assert_whole(const struct record *rec, enum event_type end, uint32_t after)
{
    assert_true(rec->n > 0);
    for (size_t i = 0; i < rec->n; i++) {
        const struct note *note = &rec->notes[i];

        assert_int_equal(note->seq, after + i + 1);
        assert_int_equal(note->type == EVENT_START, note->seq == 1);
        assert_int_equal(EVENT_IS_END(note->type), i + 1 == rec->n);
        assert_true(utf8_valid(note->text, note->len));
    }
    assert_int_equal(rec->notes[rec->n - 1].type, end);
    assert_sent_once(rec);
    assert_false(rec->too_early);
    assert_true(rec->done);
}

/* The end event holds this, as it stands in the JSON. */
static inline void
assert_end_has(const struct record *rec, const char *part)
{
    if (strstr(rec->notes[rec->n - 1].text, part) == NULL)
        print_error("%s\nis not in\n%.2000s\n", part,
                    rec->notes[rec->n - 1].text);
    assert_non_null(strstr(rec->notes[rec->n - 1].text, part));
}

static inline void
assert_refused(const struct record *rec, enum err e, const char *code)
{
    assert_true(rec->done);
    assert_int_equal(rec->n, 0);
    assert_int_equal(rec->problem.err, e);
    assert_string_equal(rec->problem.code, code);
    assert_non_null(strstr(rec->order, "fd"));
}

/* --- the engine ----------------------------------------------------------- */

static char rig_dir[256];
static struct engine *rig; /* NULL: not running */
static pthread_t rig_thread;

static inline void *
rig_run(void *arg)
{
    engine_run(arg);
    return NULL;
}

/* Settings that suit tests; a test overrides more before rig_start. */
static inline void
rig_settings(void)
{
    char data[300];

    log_set_level(getenv("TEST_LOG") ? LOG_DEBUG : LOG_ERROR);
    (void)snprintf(data, sizeof(data), "%s/data", rig_dir);
    (void)mkdir(data, 0700);
    for (int k = 0; k < CONF__MAX; k++)
        conf_override((enum conf_key)k, NULL);
    conf_override(CONF_DATA_DIR, data);
    conf_override(CONF_OFFLINE_DELAY_MS, "0");
    conf_override(CONF_STORE_MAP_MIB, "256");
    conf_override(CONF_WORKERS, "1"); /* one can be held */
    conf_override(CONF_TITLE_MODEL, "off");
}

static inline void
rig_folder(void)
{
    folder_make(rig_dir);
    rig_settings();
}

static inline void
rig_start(void)
{
    assert_null(rig);
    assert_int_equal(engine_open(&rig), OK);
    assert_int_equal(pthread_create(&rig_thread, NULL, rig_run, rig), 0);
}

static inline void
rig_drain(void *arg)
{
    engine_drain(rig, *(int64_t *)arg);
}

/* Stop as the program does. */
static inline void
rig_stop(int64_t deadline_ms)
{
    engine_call(rig, rig_drain, &deadline_ms);
    assert_int_equal(pthread_join(rig_thread, NULL), 0);
    engine_close(rig);
    rig = NULL;
}

/* --- holding threads ------------------------------------------------------ */

/* The committer, or a worker, stands still between hold and release. */
static struct hold {
    struct store_op op;
    struct job job;
    sem_t there, go, over;
    bool held;
} hold;

static inline void
hold_wait(void *arg)
{
    struct hold *h = arg;

    (void)sem_post(&h->there);
    while (sem_wait(&h->go) != 0)
        ;
}

static inline void
hold_op_done(struct store_op *op)
{
    struct hold *h = op->arg;

    hold_wait(h);
    (void)sem_post(&h->over);
}

static inline void
hold_job_done(struct mail *m)
{
    struct hold *h = m->arg;

    (void)sem_post(&h->over);
}

static inline void
hold_init(void)
{
    memset(&hold, 0, sizeof(hold));
    (void)sem_init(&hold.there, 0, 0);
    (void)sem_init(&hold.go, 0, 0);
    (void)sem_init(&hold.over, 0, 0);
    hold.held = true;
}

static inline void
hold_committer(void)
{
    hold_init();
    hold.op.kind = STORE_PROBE;
    hold.op.owner = "";
    hold.op.done = hold_op_done;
    hold.op.arg = &hold;
    store_submit(engine_store(rig), &hold.op);
    while (sem_wait(&hold.there) != 0)
        ;
}

/* One of the workers. */
static inline void
hold_worker(void)
{
    hold_init();
    hold.job.run = hold_wait;
    hold.job.arg = &hold;
    hold.job.done.fn = hold_job_done;
    hold.job.done.arg = &hold;
    workers_run(rig->workers, &hold.job);
    while (sem_wait(&hold.there) != 0)
        ;
}

static inline void
hold_release(void)
{
    hold.held = false;
    (void)sem_post(&hold.go);
    while (sem_wait(&hold.over) != 0)
        ;
}

static inline int
rig_setup(void **state)
{
    (void)state;
    rig_folder();
    taps_start();
    rig_start();
    return 0;
}

static inline int
rig_teardown(void **state)
{
    (void)state;
    if (hold.held) /* the test failed */
        hold_release();
    if (rig != NULL)
        rig_stop(0);
    records_free();
    taps_stop();
    folder_remove(rig_dir);
    return 0;
}

/* The stores of the rig while no engine has them. */
static inline struct store *
rig_store_open(void)
{
    struct store_config c = {.map_bytes = TEST_MAP};
    struct store *s;
    char dir[300];

    assert_null(rig);
    (void)snprintf(dir, sizeof(dir), "%s/data/store", rig_dir);
    c.dir = dir;
    assert_int_equal(store_open(&s, &c), OK);
    return s;
}

static inline struct streamlog *
rig_log_open(void)
{
    struct streamlog_config c = {.map_max = TEST_MAP, .grace_ms = 600000};
    struct streamlog *l;
    char dir[300];

    assert_null(rig);
    (void)snprintf(dir, sizeof(dir), "%s/data/streams", rig_dir);
    c.dir = dir;
    assert_int_equal(streamlog_open(&l, &c), OK);
    return l;
}

/* --- asking --------------------------------------------------------------- */

static inline struct turn_ask *
ask_new(const struct provider *p, const char *session, const char *text)
{
    struct turn_ask *a = turn_ask_new();

    a->session_id = arena_strdup(&a->arena, session);
    a->text = arena_strdup(&a->arena, text);
    a->text_len = strlen(text);
    a->route.provider = p;
    a->route.account.base_url = tap_url;
    a->route.account.key = "";
    a->route.model = "tap-1";
    return a;
}

static inline struct record *
ask_it(struct turn_ask *a)
{
    struct record *rec = record_new();

    rec->store = engine_store(rig);
    engine_ask(rig, a, &rec->r);
    return rec;
}

/* Ask a tap ("tap 3 hello"). */
static inline struct record *
ask_tap(const char *session, const char *text)
{
    return ask_it(ask_new(&tap_provider, session, text));
}

static inline struct record *
ask_local(const char *session, const char *text)
{
    return ask_it(ask_new(&local_provider, session, text));
}

/* A whole turn through a tap. */
static inline struct ident
whole_turn(int tap, const char *session, const char *text, const char *answer)
{
    struct record *rec;

    tap_text(tap, answer);
    tap_finish(tap, FINISH_STOP);
    rec = ask_tap(session, text);
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    return rec->turn;
}

static inline struct record *
follow(const struct ident *turn, uint32_t after)
{
    struct record *rec = record_new();

    rec->r.after = after;
    engine_follow(rig, "", turn, &rec->r);
    return rec;
}

/* Cancel; the record sees the end. */
static inline struct record *
stop_turn(const struct ident *turn)
{
    struct record *rec = record_new();

    rec->r.ends_only = true;
    engine_stop_turn(rig, "", turn, &rec->r);
    return rec;
}

/* Nothing to do, so that what was posted before is done. */
static inline void
rig_nothing(void *arg)
{
    (void)arg;
}

static inline void
rig_settle(void)
{
    engine_call(rig, rig_nothing, NULL);
    engine_call(rig, rig_nothing, NULL);
}

/* --- looking into a turn -------------------------------------------------- */

struct look {
    struct ident id;
    bool there;
    enum turn_step step;
    enum finish finish;
    size_t text_len;
};

static inline void
look_run(void *arg)
{
    struct look *l = arg;

    for (const struct turn *t = rig->turns; t != NULL; t = t->next) {
        turn_check(t);
        if (!ident_eq(&t->id, &l->id))
            continue;
        l->there = true;
        l->step = t->step;
        l->finish = t->finish;
        l->text_len = t->text.len;
    }
}

typedef bool look_fn(const struct look *l, size_t n);

static inline void
look_wait(const struct ident *turn, look_fn *fn, size_t n)
{
    int64_t until_ms = clock_mono_ms() + TAP_WAIT_MS;
    struct look l;
    bool come = false;

    while (!come && clock_mono_ms() < until_ms) {
        l = (struct look){.id = *turn};
        engine_call(rig, look_run, &l);
        come = l.there && fn(&l, n);
        if (!come)
            fake_sleep_ms(5);
    }
    assert_true(come);
}

static inline bool
look_text(const struct look *l, size_t n)
{
    return l->text_len == n;
}

static inline bool
look_finish(const struct look *l, size_t n)
{
    return l->finish == (enum finish)n;
}

static inline bool
look_step(const struct look *l, size_t n)
{
    return l->step == (enum turn_step)n;
}

/* --- what is stored ------------------------------------------------------- */

/* Messages of a session as "role:text(finish)|…". */
static inline bool
stored_message(void *arg, const struct message *m)
{
    struct buf *b = arg;

    buf_addf(b, "%s:%.*s", role_name((enum role)m->role),
             (int)(m->text_len < 200 ? m->text_len : 200), m->text);
    if (m->finish != FINISH_NONE)
        buf_addf(b, "(%s)", finish_name((enum finish)m->finish));
    buf_addc(b, '|');
    return true;
}

static inline void
assert_stored(const char *session, const char *want)
{
    struct buf b;
    enum err e;

    buf_init(&b, 1 << 20);
    e = store_messages(engine_store(rig), "", session, UINT32_MAX, 100, 0, NULL,
                       stored_message, &b);
    assert_true(e == OK || e == ERR_NOTFOUND);
    assert_string_equal(buf_cstr(&b), want);
    buf_release(&b);
}

#endif

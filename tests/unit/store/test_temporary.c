/* Temporary sessions: read and written as any other, in no list, within their
 * memory, and never on disk. */
#include "store_test.h"

#include <pthread.h>
#include <semaphore.h>

#include "base/budget.h"
#include "base/clock.h"
#include "store/split.h"

#define ROOM ((size_t)1024 * 1024)

/* --- a durable backend that can be full, and held up ------------------ */

static enum err disk_is; /* what its next writes meet */
static sem_t may_write;  /* if held */
static bool held;
static unsigned writes; /* of the committer */

static enum err
disk_apply(void *impl, struct store_op *const ops[], size_t n, bool *wrote)
{
    *wrote = false;
    if (n == 0)
        return OK;
    writes++;
    if (held)
        (void)sem_wait(&may_write);
    return disk_is != OK ? disk_is
                         : memstore_backend.apply(impl, ops, n, wrote);
}

static struct backend disk;

static enum err
open_on_disk(void **impl, const struct store_config *c)
{
    disk = memstore_backend;
    disk.apply = disk_apply;
    return split_open(impl, &disk, c);
}

/* --- set up ----------------------------------------------------------- */

struct fixture {
    struct backend be;
    struct budget room;
    char dir[256];
    struct store *s;
};

static void
open_store(struct fixture *f, bool any, int64_t ttl_ms)
{
    struct store_config c = {.dir = f->dir,
                             .map_bytes = TEST_MAP,
                             .session_ttl_ms = 0,
                             .temporary = any ? &f->room : NULL,
                             .temporary_ttl_ms = ttl_ms};

    assert_int_equal(store_open_on(&f->s, &f->be, &c), OK);
}

static int
set_up(void **state, bool lmdb)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    disk_is = OK;
    held = false;
    writes = 0;
    f->be = split_backend;
    if (!lmdb)
        f->be.open = open_on_disk;
    budget_init(&f->room, ROOM);
    folder_make(f->dir);
    open_store(f, true, 0);
    *state = f;
    return 0;
}

static int
setup_disk(void **state)
{
    return set_up(state, false);
}

static int
setup_lmdb(void **state)
{
    return set_up(state, true);
}

static int
teardown(void **state)
{
    struct fixture *f = *state;

    store_close(f->s);
    assert_int_equal(budget_used(&f->room), 0);
    folder_remove(f->dir);
    free(f);
    return 0;
}

static struct store_op
op_begin_temporary(const char *owner, const char *id, const char *text)
{
    struct store_op op = op_begin(owner, id, text);

    op.temporary = true;
    return op;
}

/* A whole turn in a temporary session. */
static struct ident
put_temporary(struct store *s, const char *owner, const char *id,
              const char *question, const char *answer)
{
    struct store_op b = op_begin_temporary(owner, id, question), e;

    assert_int_equal(store_apply(s, &b), OK);
    assert_true(b.temporary);
    e = op_end(&b.begin.turn, answer);
    assert_int_equal(store_apply(s, &e), OK);
    assert_true(e.temporary);
    return b.begin.turn;
}

static enum err
erase_session(struct store *s, const char *owner, const char *id)
{
    struct store_op op = op_on(STORE_SESSION_DELETE, owner, id);

    return store_apply(s, &op);
}

/* --- as any other ----------------------------------------------------- */

static bool
count_message(void *arg, const struct message *m)
{
    (void)m;
    ++*(unsigned *)arg;
    return true;
}

static void
it_is_read_and_written_as_any_other(void **state)
{
    struct fixture *f = *state;
    struct ident turn = put_temporary(f->s, "ann", "t", "q", "a"), key;
    struct store_op b = op_begin("ann", "t", "q2"), e, p, x;
    struct session s = get_session(f->s, "ann", "t");
    struct turn_info info;
    struct buf context;
    unsigned n = 0;

    assert_true(s.temporary);
    assert_true((s.no & STORE_NO_TEMPORARY) != 0);
    assert_messages(f->s, "ann", "t", UINT32_MAX, 9, 0, "0:q|1:a|");
    assert_int_equal(store_turn(f->s, &turn, &info), OK);
    assert_true(info.temporary);
    assert_string_equal(info.session_id, "t");
    assert_string_equal(info.owner, "ann");
    assert_int_equal(store_turn_answer(f->s, &info, count_message, &n), OK);
    assert_int_equal(n, 1);

    b.begin.idem_scope = "t"; /* without the flag it stays what it is */
    b.begin.idem_key = "k";
    assert_int_equal(store_apply(f->s, &b), OK);
    assert_true(b.temporary);
    assert_int_equal(store_idem(f->s, "ann", "t", "k", &key), OK);
    assert_true(ident_eq(&key, &b.begin.turn));
    e = op_end(&b.begin.turn, "a2");
    assert_int_equal(store_apply(f->s, &e), OK);
    assert_int_equal(store_apply(f->s, &b), ERR_CONFLICT);
    assert_true(b.begin.idem_hit);

    p = op_title("ann", "t", "A name");
    p.patch.context = "Be brief.";
    p.patch.tags = "x\n";
    assert_int_equal(store_apply(f->s, &p), OK);
    assert_true(p.patch.after.temporary);
    buf_init(&context, STORE_CONTEXT_MAX + 1);
    assert_int_equal(store_context(f->s, "ann", "t", &context), OK);
    assert_string_equal(buf_cstr(&context), "Be brief.");
    buf_release(&context);
    x = op_on(STORE_MESSAGE_EXTRA, "ann", "t");
    x.extra.seq = 1;
    x.extra.message = info.answer_message;
    x.extra.text = "{\"feedback\":1}";
    x.extra.len = 14;
    assert_int_equal(store_apply(f->s, &x), OK);
    assert_int_equal(set_head(f->s, "ann", "t", 1), OK);
    assert_messages(f->s, "ann", "t", UINT32_MAX, 9, 0, "0:q|1:a|");
    assert_line(f->s, "ann", "t", 3, "0:q|1:a|2:q2|3:a2|");
    assert_string_equal(get_session(f->s, "ann", "t").title, "A name");

    x = op_on(STORE_SESSION_CLEAR, "ann", "t");
    assert_int_equal(store_apply(f->s, &x), OK);
    assert_int_equal(store_turn(f->s, &turn, &info), ERR_NOTFOUND);
    assert_int_equal(store_idem(f->s, "ann", "t", "k", &key), ERR_NOTFOUND);
    assert_int_equal(get_session(f->s, "ann", "t").n_messages, 0);
    assert_true(get_session(f->s, "ann", "t").has_context);
    assert_int_equal(erase_session(f->s, "ann", "t"), OK);
    assert_int_equal(store_session(f->s, "ann", "t", &s), ERR_NOTFOUND);
    assert_int_equal(budget_used(&f->room), 0);
}

static void
a_summary_of_it_is_kept_with_it(void **state)
{
    struct fixture *f = *state;
    struct store_op op = op_on(STORE_SESSION_SUMMARY, "", "t");
    struct session_summary sum;
    size_t before;
    struct buf text;

    (void)put_temporary(f->s, "", "t", "q", "a");
    assert_int_equal(store_summary(f->s, "", "t", &sum, NULL), ERR_NOTFOUND);
    before = budget_used(&f->room);
    op.summary.session_no = get_session(f->s, "", "t").no;
    op.summary.upto_seq = 2;
    op.summary.cost_micro = 7;
    op.summary.text = "They met.";
    op.summary.text_len = 9;
    assert_int_equal(store_apply(f->s, &op), OK);
    assert_true(budget_used(&f->room) >= before + 9);
    buf_init(&text, STORE_SUMMARY_MAX);
    assert_int_equal(store_summary(f->s, "", "t", &sum, &text), OK);
    assert_string_equal(buf_cstr(&text), "They met.");
    buf_release(&text);
    assert_int_equal(sum.cost_micro, 7);
}

static void
a_patch_makes_one_too(void **state)
{
    struct fixture *f = *state;
    struct store_op p = op_title("ann", "t", "Name");

    p.temporary = true;
    p.patch.create = p.patch.only_new = true;
    p.patch.now_ms = clock_wall_ms();
    p.patch.context = "Be brief.";
    assert_int_equal(store_apply(f->s, &p), OK);
    assert_true(get_session(f->s, "ann", "t").temporary);
    assert_int_equal(store_apply(f->s, &p), ERR_CONFLICT);
}

/* --- where it is not -------------------------------------------------- */

static bool
take_name(void *arg, const struct session *s)
{
    return text_session(arg, s);
}

static void
no_list_and_no_walk_has_it(void **state)
{
    struct fixture *f = *state;
    struct text list = {.n = 0}, walk = {.n = 0};
    struct store_stats st;
    uint64_t next, n;

    (void)put_turn(f->s, "ann", "stored", "q", "a");
    (void)put_temporary(f->s, "ann", "t", "q", "a");
    assert_int_equal(store_sessions(f->s, "ann", NULL, 9, take_name, &list),
                     OK);
    assert_string_equal(list.s, "stored|");
    assert_int_equal(store_walk(f->s, 0, 9, &next, take_name, &walk), OK);
    assert_string_equal(walk.s, "stored|");
    assert_int_equal(next, 0);
    assert_int_equal(store_session_count(f->s, "ann", &n), OK);
    assert_int_equal(n, 1);
    store_stats(f->s, &st);
    assert_int_equal(st.sessions, 1);
    assert_int_equal(st.messages, 2);
}

static void
no_file_has_a_byte_of_it(void **state)
{
    struct fixture *f = *state;
    struct store_op b = op_begin_temporary("violet-owner", "violet-id",
                                           "violet question"),
                    e, p;
    struct session s;

    b.begin.title = "violet title";
    b.begin.idem_scope = "violet-id";
    b.begin.idem_key = "violet-key";
    assert_int_equal(store_apply(f->s, &b), OK);
    (void)put_turn(f->s, "ann", "stored", "ordinary question", "a");
    e = op_end(&b.begin.turn, "violet answer");
    assert_int_equal(store_apply(f->s, &e), OK);
    p = op_title("violet-owner", "violet-id", "violet again");
    p.patch.context = "violet context";
    assert_int_equal(store_apply(f->s, &p), OK);
    assert_true(folder_has_text(f->dir, "ordinary question"));
    assert_false(folder_has_text(f->dir, "violet"));
    store_close(f->s);
    assert_false(folder_has_text(f->dir, "violet"));
    assert_int_equal(budget_used(&f->room), 0);
    open_store(f, true, 0);
    assert_int_equal(store_session(f->s, "violet-owner", "violet-id", &s),
                     ERR_NOTFOUND);
    assert_messages(f->s, "ann", "stored", UINT32_MAX, 9, 0,
                    "0:ordinary question|1:a|");
}

static void
it_waits_for_no_disk(void **state)
{
    struct fixture *f = *state;
    struct store_op b = op_begin("ann", "stored", "q");
    struct store_stats st;

    disk_is = ERR_FULL;
    assert_int_equal(store_apply(f->s, &b), ERR_FULL);
    assert_false(b.temporary); /* it is the disk that is full */
    assert_int_equal(writes, 1);
    (void)put_temporary(f->s, "ann", "t", "q", "a");
    assert_messages(f->s, "ann", "t", UINT32_MAX, 9, 0, "0:q|1:a|");
    assert_int_equal(writes, 1);
    store_stats(f->s, &st);
    assert_int_equal(st.commits, 0);
    assert_int_equal(st.ops, 2);
}

/* --- what is not one -------------------------------------------------- */

static void
a_stored_session_does_not_become_one(void **state)
{
    struct fixture *f = *state;
    struct store_op b = op_begin_temporary("ann", "stored", "q2"), p;

    (void)put_turn(f->s, "ann", "stored", "q", "a");
    assert_int_equal(store_apply(f->s, &b), ERR_IMPOSSIBLE);
    assert_false(b.temporary);
    p = op_title("ann", "stored", "Name");
    p.temporary = p.patch.create = true;
    assert_int_equal(store_apply(f->s, &p), ERR_IMPOSSIBLE);
    p.patch.only_new = true;
    p.temporary = true;
    assert_int_equal(store_apply(f->s, &p), ERR_CONFLICT);
    p = op_title("ann", "stored", "Name"); /* nothing is made by it */
    p.temporary = true;
    assert_int_equal(store_apply(f->s, &p), OK);
    assert_false(p.temporary);
    assert_messages(f->s, "ann", "stored", UINT32_MAX, 9, 0, "0:q|1:a|");
    assert_false(get_session(f->s, "ann", "stored").temporary);
}

static void
one_whose_time_is_over_is_in_the_way_until_it_is_deleted(void **state)
{
    struct fixture *f = *state;
    struct store_op b = op_begin_temporary("ann", "x", "q2"), p;

    (void)put_turn(f->s, "ann", "x", "q", "a");
    p = op_on(STORE_SESSION_PATCH, "ann", "x");
    p.patch.set_expires = true;
    p.patch.expires_ms = 1;
    assert_int_equal(store_apply(f->s, &p), OK);
    assert_int_equal(store_apply(f->s, &b), ERR_CONFLICT);
    assert_true(b.begin.expired);
    assert_int_equal(erase_session(f->s, "ann", "x"), OK);
    b.temporary = true;
    assert_int_equal(store_apply(f->s, &b), OK);
    assert_true(get_session(f->s, "ann", "x").temporary);
}

static void
a_key_that_a_stored_turn_has_used_is_used(void **state)
{
    struct fixture *f = *state;
    struct store_op b = op_begin("ann", "stored", "q");
    struct store_op t = op_begin_temporary("ann", "t", "q");

    b.begin.idem_scope = t.begin.idem_scope = "";
    b.begin.idem_key = t.begin.idem_key = "a-key-of-some-length";
    assert_int_equal(store_apply(f->s, &b), OK);
    assert_int_equal(store_apply(f->s, &t), ERR_CONFLICT);
    assert_true(t.begin.idem_hit);
    assert_true(ident_eq(&t.begin.existing, &b.begin.turn));

    t.begin.idem_key = "another-key-of-some-length";
    t.temporary = true;
    assert_int_equal(store_apply(f->s, &t), OK);
    b = op_begin("ann", "other", "q"); /* the other way round */
    b.begin.idem_scope = "";
    b.begin.idem_key = t.begin.idem_key;
    assert_int_equal(store_apply(f->s, &b), ERR_CONFLICT);
    assert_true(b.begin.idem_hit);
    assert_true(ident_eq(&b.begin.existing, &t.begin.turn));
}

static void
owners_do_not_see_each_others(void **state)
{
    struct fixture *f = *state;
    struct session s;

    (void)put_turn(f->s, "bob", "x", "bob's", "a");
    (void)put_temporary(f->s, "ann", "x", "ann's", "a");
    assert_messages(f->s, "ann", "x", UINT32_MAX, 9, 0, "0:ann's|1:a|");
    assert_messages(f->s, "bob", "x", UINT32_MAX, 9, 0, "0:bob's|1:a|");
    assert_int_equal(store_session(f->s, "", "x", &s), ERR_NOTFOUND);
    assert_int_equal(erase_session(f->s, "ann", "x"), OK);
    assert_messages(f->s, "bob", "x", UINT32_MAX, 9, 0, "0:bob's|1:a|");
}

static void
where_there_are_none_none_is_made(void **state)
{
    struct fixture *f = *state;
    struct store_op b = op_begin_temporary("ann", "t", "q");
    struct session s;

    store_close(f->s);
    open_store(f, false, 0);
    assert_int_equal(store_apply(f->s, &b), ERR_IMPOSSIBLE);
    assert_int_equal(store_session(f->s, "ann", "t", &s), ERR_NOTFOUND);
    (void)put_turn(f->s, "ann", "t", "q", "a");
}

/* --- its end ---------------------------------------------------------- */

static bool
take_no(void *arg, const struct session *s)
{
    *(uint64_t *)arg = s->no;
    return true;
}

static void
it_ends_when_it_is_not_used(void **state)
{
    struct fixture *f = *state;
    struct store_op op = op_on(STORE_SESSION_DELETE, "ann", "t"), b;
    uint64_t next, no = 0;
    struct session s;

    store_close(f->s);
    open_store(f, true, 1000);
    (void)put_temporary(f->s, "ann", "t", "q", "a"); /* in 1970 */
    (void)put_turn(f->s, "ann", "stored", "q", "a");
    assert_int_equal(store_session(f->s, "ann", "t", &s), ERR_NOTFOUND);
    assert_int_equal(store_session(f->s, "ann", "stored", &s), OK);
    b = op_begin("ann", "t", "late");
    assert_int_equal(store_apply(f->s, &b), ERR_CONFLICT);
    assert_true(b.begin.expired);
    assert_int_equal(store_expired(f->s, 0, 9, &next, take_no, &no), OK);
    assert_int_equal(no, 0); /* of the disk's there is none */
    assert_true(next == STORE_NO_TEMPORARY);
    assert_int_equal(store_expired(f->s, next, 9, &next, take_no, &no), OK);
    assert_true((no & STORE_NO_TEMPORARY) != 0);
    assert_int_equal(next, 0);
    op.erase.expired_only = true;
    op.erase.session_no = no;
    assert_int_equal(store_apply(f->s, &op), OK);
    assert_int_equal(budget_used(&f->room), 0);
    assert_int_equal(store_expired(f->s, 0, 9, &next, take_no, &no), OK);
    assert_int_equal(next, 0);
}

/* --- its room --------------------------------------------------------- */

static void
the_last_byte_of_room_is_used_and_not_one_more(void **state)
{
    struct fixture *f = *state;
    static char text[2001];
    struct store_op b, e;
    size_t one;

    memset(text, 'x', sizeof(text) - 1);
    (void)put_temporary(f->s, "ann", "t", "q", "a");
    one = budget_used(&f->room);
    b = op_begin("ann", "t", "");
    assert_int_equal(store_apply(f->s, &b), OK);
    one = budget_used(&f->room) - one; /* of a question without text */
    e = op_end(&b.begin.turn, "a");
    assert_int_equal(store_apply(f->s, &e), OK);

    f->room.max = budget_used(&f->room) + one + 1999;
    b = op_begin("ann", "t", text); /* one byte too much */
    assert_int_equal(store_apply(f->s, &b), ERR_FULL);
    assert_true(b.temporary);
    assert_int_equal(get_session(f->s, "ann", "t").n_messages, 4);
    assert_false(get_session(f->s, "ann", "t").open);
    b = op_begin("ann", "t", text + 1);
    assert_int_equal(store_apply(f->s, &b), OK);
    assert_int_equal(budget_used(&f->room), f->room.max);

    e = op_end(&b.begin.turn, text); /* what was begun can end */
    assert_int_equal(store_apply(f->s, &e), OK);
    assert_true(budget_used(&f->room) > f->room.max);
    b = op_begin_temporary("ann", "other", "");
    assert_int_equal(store_apply(f->s, &b), ERR_FULL);
    (void)put_turn(f->s, "ann", "stored", "q",
                   "a"); /* nothing else is harmed */
    assert_int_equal(erase_session(f->s, "ann", "t"), OK);
    assert_int_equal(budget_used(&f->room), 0);
}

static void
a_patch_beyond_the_room_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct store_op p = op_title("ann", "t", "New");
    size_t before;

    (void)put_temporary(f->s, "ann", "t", "q", "a");
    before = budget_used(&f->room);
    f->room.max = before + 20;
    p.patch.context = "a context that is longer than that";
    assert_int_equal(store_apply(f->s, &p), ERR_FULL);
    assert_true(p.temporary);
    assert_string_equal(get_session(f->s, "ann", "t").title, "");
    assert_false(get_session(f->s, "ann", "t").has_context);
    p.session_id = "new";
    p.temporary = p.patch.create = true;
    assert_int_equal(store_apply(f->s, &p), ERR_FULL);
    assert_int_equal(budget_used(&f->room), before);
    f->room.max = ROOM;
    p.session_id = "t";
    assert_int_equal(store_apply(f->s, &p), OK);
    p.patch.context = "";
    assert_int_equal(store_apply(f->s, &p), OK);
    assert_int_equal(budget_used(&f->room), before);
}

/* --- threads ---------------------------------------------------------- */

static void
one_done(struct store_op *op)
{
    (void)sem_post(op->arg);
}

/* The stored session of that id is on its way when the other one is made. */
static void
one_id_is_never_both(void **state)
{
    struct fixture *f = *state;
    struct store_op first = op_begin("ann", "other", "q");
    struct store_op stored = op_begin("ann", "x", "stored");
    struct store_op temporary = op_begin_temporary("ann", "x", "temporary");
    sem_t all;

    (void)sem_init(&all, 0, 0);
    (void)sem_init(&may_write, 0, 0);
    first.done = stored.done = temporary.done = one_done;
    first.arg = stored.arg = temporary.arg = &all;
    held = true;
    store_submit(f->s, &first); /* the committer waits with this one */
    store_submit(f->s, &stored);
    store_submit(f->s, &temporary);
    for (int i = 0; i < 3; i++)
        (void)sem_post(&may_write);
    for (int i = 0; i < 3; i++)
        (void)sem_wait(&all);
    held = false;
    assert_int_equal(first.err, OK);
    if (temporary.err == OK) {
        assert_int_equal(stored.err, ERR_CONFLICT); /* its turn is open */
        assert_messages(f->s, "ann", "x", UINT32_MAX, 9, 0, "0:temporary|");
    } else {
        assert_int_equal(temporary.err, ERR_IMPOSSIBLE);
        assert_int_equal(stored.err, OK);
        assert_messages(f->s, "ann", "x", UINT32_MAX, 9, 0, "0:stored|");
    }
    IGNORE(erase_session(f->s, "ann", "x"));
    assert_int_equal(store_session(f->s, "ann", "x", &(struct session){0}),
                     ERR_NOTFOUND);
    (void)sem_destroy(&all);
    (void)sem_destroy(&may_write);
}

#define SESSIONS 40
#define TURNS 10
#define READERS 3

struct reading {
    struct store *s;
    bool over; /* atomic */
    unsigned wrong;
};

static bool
whole(void *arg, const struct message *m)
{
    struct reading *r = arg;

    if (m->text_len != 5 ||
        memcmp(m->text, m->seq % 2 == 0 ? "quest" : "answr", 5) != 0)
        (void)__atomic_add_fetch(&r->wrong, 1, __ATOMIC_RELAXED);
    return true;
}

static void *
read_all(void *arg)
{
    struct reading *r = arg;
    struct session s;
    char id[16];

    while (!__atomic_load_n(&r->over, __ATOMIC_ACQUIRE))
        for (int i = 0; i < SESSIONS; i++) {
            (void)snprintf(id, sizeof(id), "s%d", i);
            if (store_messages(r->s, "ann", id, UINT32_MAX, 100, 0, &s, whole,
                               r) == OK &&
                (!s.temporary || s.n_messages > 2 * TURNS))
                (void)__atomic_add_fetch(&r->wrong, 1, __ATOMIC_RELAXED);
        }
    return NULL;
}

static void
threads_read_while_it_is_written(void **state)
{
    struct fixture *f = *state;
    struct reading r = {.s = f->s};
    pthread_t t[READERS];
    char id[16];

    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, read_all, &r), 0);
    for (int n = 0; n < TURNS; n++)
        for (int i = 0; i < SESSIONS; i++) {
            (void)snprintf(id, sizeof(id), "s%d", i);
            (void)put_temporary(f->s, "ann", id, "quest", "answr");
        }
    for (int i = 0; i < SESSIONS; i += 2) {
        (void)snprintf(id, sizeof(id), "s%d", i);
        assert_int_equal(erase_session(f->s, "ann", id), OK);
    }
    __atomic_store_n(&r.over, true, __ATOMIC_RELEASE);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_join(t[i], NULL), 0);
    assert_int_equal(r.wrong, 0);
    assert_int_equal(get_session(f->s, "ann", "s1").n_messages, 2 * TURNS);
}

int
main(void)
{
#define DISK(t) cmocka_unit_test_setup_teardown(t, setup_disk, teardown)
#define LMDB(t) cmocka_unit_test_setup_teardown(t, setup_lmdb, teardown)
#define BOTH(t) DISK(t), LMDB(t)
    const struct CMUnitTest tests[] = {
        BOTH(it_is_read_and_written_as_any_other),
        BOTH(a_summary_of_it_is_kept_with_it),
        BOTH(a_patch_makes_one_too),
        BOTH(no_list_and_no_walk_has_it),
        LMDB(no_file_has_a_byte_of_it),
        DISK(it_waits_for_no_disk),
        BOTH(a_stored_session_does_not_become_one),
        BOTH(one_whose_time_is_over_is_in_the_way_until_it_is_deleted),
        BOTH(a_key_that_a_stored_turn_has_used_is_used),
        BOTH(owners_do_not_see_each_others),
        BOTH(where_there_are_none_none_is_made),
        BOTH(it_ends_when_it_is_not_used),
        BOTH(the_last_byte_of_room_is_used_and_not_one_more),
        BOTH(a_patch_beyond_the_room_changes_nothing),
        DISK(one_id_is_never_both),
        LMDB(threads_read_while_it_is_written),
    };
#undef DISK
#undef LMDB
#undef BOTH

    return cmocka_run_group_tests(tests, NULL, NULL);
}

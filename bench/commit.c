/* What the store adds to LMDB: operations a second of Parley's store with
 * many in flight, beside bare LMDB writing the same records, as many in a
 * transaction, just as durably.
 *
 * The store is kept busy by WINDOW turns: each begins (a session, a message, a
 * turn), and when that is durable it ends (an answer, the turn, the session
 * again), and the next one begins. The bare side puts records of the same
 * number, key order and length per operation, without reading, checking or
 * encoding anything, in batches as large as the store's were on the average.
 * Both alternate in one process and the median ratio of the rounds is printed,
 * with the rest, as a line of JSON.
 *
 * Unlike its neighbours this program is linked with the library: it measures
 * a module of it. It writes to a folder of its own below TMPDIR and removes
 * it. */
#include "base/base.h"

#include <ftw.h>
#include <lmdb.h>
#include <stdatomic.h>
#include <time.h>

#include "store/store.h"

#define WINDOW 64
#define ROUNDS 5
#define ROUND_NS 700000000LL
#define MAP_BYTES (8ULL << 30)
#define TEXT_LEN 40 /* bytes of a message */
#define OWNER "bench"

/* Bytes of the records that the store writes for these turns. */
#define SESSION_LEN 78
#define MESSAGE_LEN (51 + TEXT_LEN)
#define TURN_LEN 56
#define RECENT_KEY_LEN 22
#define SCALAR_LEN 9

/* One of the turns in flight. */
struct slot {
    struct store_op op;
    char session[IDENT_TEXT_LEN];
    struct ident turn;
};

struct raw {
    MDB_env *env;
    MDB_dbi sessions, ids, recent, messages, turns, open, owners, meta;
    uint64_t no; /* of the last session */
};

static struct store *store;
static struct slot slots[WINDOW];
static struct process self;
static const char text[TEXT_LEN] = "The quick brown fox jumps over the dog.";
static _Atomic bool stop;
static _Atomic long done_count, failed_count, flying;

NORETURN static void
die(const char *what)
{
    (void)fprintf(stderr, "commit: %s\n", what);
    exit(1);
}

static int64_t
now_ns(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void
pause_ns(int64_t ns)
{
    struct timespec ts = {ns / 1000000000LL, ns % 1000000000LL};

    (void)nanosleep(&ts, NULL);
}

static void
message_fill(struct message *m, const struct slot *s, uint8_t role)
{
    memset(m, 0, sizeof(*m));
    m->role = role;
    m->at_ms = 1700000000000LL + role;
    m->id = ident_v7();
    m->turn = s->turn;
    m->input_tokens = m->output_tokens = m->cached_tokens = -1;
    m->provider = m->model = "";
    m->text = text;
    m->text_len = sizeof(text);
}

static void slot_done(struct store_op *op);

static void
slot_begin(struct slot *s)
{
    struct ident id = ident_v4();

    memset(&s->op, 0, sizeof(s->op));
    ident_text(s->session, &id);
    s->turn = ident_v7();
    s->op.kind = STORE_TURN_BEGIN;
    s->op.done = slot_done;
    s->op.owner = OWNER;
    s->op.session_id = s->session;
    s->op.begin.create = true;
    s->op.begin.expect_messages = UINT32_MAX;
    s->op.begin.parent = STORE_HEAD;
    s->op.begin.turn = s->turn;
    s->op.begin.answer_message = ident_v7();
    s->op.begin.process = self;
    message_fill(&s->op.begin.user, s, 1);
    store_submit(store, &s->op);
}

static void
slot_end(struct slot *s)
{
    memset(&s->op, 0, sizeof(s->op));
    s->op.kind = STORE_TURN_END;
    s->op.done = slot_done;
    s->op.owner = OWNER;
    s->op.session_id = s->session;
    s->op.end.turn = s->turn;
    s->op.end.end_seq = 10;
    message_fill(&s->op.end.answer, s, 2);
    s->op.end.answer.finish = 1;
    store_submit(store, &s->op);
}

/* On the committer, after the commit. */
static void
slot_done(struct store_op *op)
{
    struct slot *s = (struct slot *)op; /* the first member */

    if (op->err != OK)
        failed_count++;
    done_count++;
    if (op->err == OK && op->kind == STORE_TURN_BEGIN)
        slot_end(s);
    else if (!stop)
        slot_begin(s);
    else
        flying--;
}

/* A round of the store: operations a second, and how many were in a commit. */
static double
store_round(double *batch)
{
    struct store_stats before, after;
    int64_t start_ns = now_ns(), took_ns;
    size_t i;

    store_stats(store, &before);
    done_count = 0;
    stop = false;
    flying = WINDOW;
    for (i = 0; i < WINDOW; i++)
        slot_begin(&slots[i]);
    pause_ns(ROUND_NS);
    stop = true;
    while (flying > 0)
        pause_ns(200000);
    took_ns = now_ns() - start_ns;
    store_stats(store, &after);
    *batch = (double)(after.ops - before.ops) /
             (double)(after.commits - before.commits);
    return (double)done_count * 1e9 / (double)took_ns;
}

static void
raw_put(MDB_txn *txn, MDB_dbi dbi, const void *key, size_t key_len,
        size_t value_len)
{
    static char value[512];
    MDB_val k = {key_len, (void *)(uintptr_t)key}, v = {value_len, value};

    if (mdb_put(txn, dbi, &k, &v, 0) != 0)
        die("mdb_put");
}

static void
number(uint8_t *key, uint64_t no)
{
    int i;

    for (i = 0; i < 8; i++)
        key[i] = (uint8_t)(no >> (56 - 8 * i));
}

static void
raw_del(MDB_txn *txn, MDB_dbi dbi, void *key, size_t key_len)
{
    MDB_val k = {key_len, key};

    if (mdb_del(txn, dbi, &k, NULL) != 0)
        die("mdb_del");
}

/* What one operation leaves in the store: 0 begins a turn, 1 ends it. */
static void
raw_op(struct raw *r, MDB_txn *txn, uint64_t no, uint8_t which)
{
    uint8_t key[12] = {0}, recent[RECENT_KEY_LEN] = OWNER, turn[16] = {0};
    struct ident id = ident_v4();
    char name[IDENT_TEXT_LEN];

    number(key, no);
    key[11] = which;
    number(turn, no);
    number(recent + 6, UINT64_MAX - 2 * no); /* the newest first */
    number(recent + 14, no);
    if (which == 0) {
        ident_text(name, &id);
        raw_put(txn, r->ids, name, IDENT_TEXT_LEN - 1, 8);
        raw_put(txn, r->open, turn, sizeof(turn), 0);
        raw_put(txn, r->owners, OWNER, sizeof(OWNER) - 1, SCALAR_LEN);
    } else {
        raw_del(txn, r->open, turn, sizeof(turn));
        raw_del(txn, r->recent, recent, sizeof(recent));
        number(recent + 6, UINT64_MAX - 2 * no - 1);
    }
    raw_put(txn, r->turns, turn, sizeof(turn), TURN_LEN);
    raw_put(txn, r->sessions, key, 8, SESSION_LEN);
    raw_put(txn, r->messages, key, sizeof(key), MESSAGE_LEN);
    raw_put(txn, r->recent, recent, sizeof(recent), 0);
}

/* A round of bare LMDB with `batch` operations in a transaction. */
static double
raw_round(struct raw *r, long batch)
{
    int64_t start_ns = now_ns(), took_ns;
    long ops = 0, i, half = batch > 1 ? batch / 2 : 1;
    MDB_txn *txn;

    do {
        if (mdb_txn_begin(r->env, NULL, 0, &txn) != 0)
            die("mdb_txn_begin");
        /* half of a batch ends what the one before began */
        for (i = 0; i < half && ops > 0; i++)
            raw_op(r, txn, r->no - (uint64_t)i, 1);
        for (i = 0; i < half; i++)
            raw_op(r, txn, ++r->no, 0);
        raw_put(txn, r->meta, "next", 4, SCALAR_LEN);
        if (mdb_txn_commit(txn) != 0)
            die("mdb_txn_commit");
        ops += ops > 0 ? 2 * half : half;
        took_ns = now_ns() - start_ns;
    } while (took_ns < ROUND_NS);
    return (double)ops * 1e9 / (double)took_ns;
}

static void
raw_open(struct raw *r, const char *dir)
{
    MDB_txn *txn;

    memset(r, 0, sizeof(*r));
    if (mkdir(dir, 0700) != 0 || mdb_env_create(&r->env) != 0 ||
        mdb_env_set_mapsize(r->env, MAP_BYTES) != 0 ||
        mdb_env_set_maxdbs(r->env, 8) != 0 ||
        mdb_env_open(r->env, dir, MDB_NOTLS, 0600) != 0 ||
        mdb_txn_begin(r->env, NULL, 0, &txn) != 0 ||
        mdb_dbi_open(txn, "sessions", MDB_CREATE, &r->sessions) != 0 ||
        mdb_dbi_open(txn, "ids", MDB_CREATE, &r->ids) != 0 ||
        mdb_dbi_open(txn, "recent", MDB_CREATE, &r->recent) != 0 ||
        mdb_dbi_open(txn, "messages", MDB_CREATE, &r->messages) != 0 ||
        mdb_dbi_open(txn, "turns", MDB_CREATE, &r->turns) != 0 ||
        mdb_dbi_open(txn, "open", MDB_CREATE, &r->open) != 0 ||
        mdb_dbi_open(txn, "owners", MDB_CREATE, &r->owners) != 0 ||
        mdb_dbi_open(txn, "meta", MDB_CREATE, &r->meta) != 0 ||
        mdb_txn_commit(txn) != 0)
        die("cannot open a bare environment");
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int
order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

int
main(void)
{
    const char *tmp = getenv("TMPDIR");
    char dir[256], path[300];
    double ratio[ROUNDS], ops[ROUNDS], raw_ops[ROUNDS], batch = 0;
    struct store_config config = {.dir = path, .map_bytes = MAP_BYTES};
    struct raw raw;
    int i;

    (void)snprintf(dir, sizeof(dir), "%s/commit-XXXXXX",
                   tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(dir) == NULL)
        die("mkdtemp");
    self = process_self();
    (void)snprintf(path, sizeof(path), "%s/store", dir);
    if (store_open(&store, &config) != OK)
        die("cannot open a store");
    (void)snprintf(path, sizeof(path), "%s/raw", dir);
    raw_open(&raw, path);
    for (i = 0; i < ROUNDS; i++) {
        ops[i] = store_round(&batch);
        raw_ops[i] = raw_round(&raw, (long)(batch + 0.5));
        ratio[i] = ops[i] / raw_ops[i];
    }
    store_close(store);
    mdb_env_close(raw.env);
    (void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    qsort(ratio, ROUNDS, sizeof(ratio[0]), order);
    qsort(ops, ROUNDS, sizeof(ops[0]), order);
    qsort(raw_ops, ROUNDS, sizeof(raw_ops[0]), order);
    (void)printf("{\"ratio\":%.3f,\"storePerSecond\":%.0f,"
                 "\"rawPerSecond\":%.0f,\"batch\":%.1f,\"failures\":%ld}\n",
                 ratio[ROUNDS / 2], ops[ROUNDS / 2], raw_ops[ROUNDS / 2], batch,
                 failed_count);
    return failed_count > 0;
}

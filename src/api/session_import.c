/*
 * Sessions from a file: POST /import, whose body is the file (dialect/import.h
 * says of which programs). Conversations are copied as they are told, and
 * written some at a time, so that one sync of the disk serves many. What the
 * store cannot hold is told as a fault, and the next one follows; titles and
 * names that are too long are cut.
 *
 * The ids of our own exports are kept where they are free; all others get new
 * ones. The same file twice gives every session twice.
 */
#include "base/base.h"

#include "api/app.h"
#include "api/session_json.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/mem.h"
#include "base/text.h"
#include "chat/index.h"
#include "dialect/import.h"

#include <pthread.h>

#define ROUND_BYTES (8 * 1024 * 1024) /* of text and extra, written together */
#define ROUND_SESSIONS 64
#define FAULTS_MAX 1000 /* that are told */
#define BODY_MAX (256 * 1024)

struct waiting {
    struct store_op op;
    struct intake *in;
    size_t item;
    char id[IDENT_SESSION_MAX + 1];
};

struct intake {
    struct app *app;
    const char *owner;
    int64_t now_ms;
    struct arena arena; /* of what waits */
    struct waiting *waiting[ROUND_SESSIONS];
    size_t n_waiting, bytes;
    size_t sessions, messages; /* stored */
    struct json_out faults;
    struct buf faults_text;
    size_t n_faults;

    pthread_mutex_t mu; /* guards left */
    pthread_cond_t all;
    size_t left;
};

static void
fault(struct intake *in, size_t item, const char *rule)
{
    if (in->n_faults++ >= FAULTS_MAX)
        return;
    json_begin_obj(&in->faults);
    json_put_i64(&in->faults, "item", (int64_t)item);
    json_put_str(&in->faults, "rule", rule);
    json_end_obj(&in->faults);
}

/* --- writing -------------------------------------------------------------- */

/* Committer. */
static void
on_stored(struct store_op *op)
{
    struct intake *in = op->arg;

    (void)pthread_mutex_lock(&in->mu);
    if (--in->left == 0)
        (void)pthread_cond_signal(&in->all);
    (void)pthread_mutex_unlock(&in->mu);
}

static void
new_ids(struct waiting *w)
{
    struct ident id = ident_v4();

    ident_text(w->id, &id);
    for (uint32_t i = 0; i < w->op.import.n; i++)
        w->op.import.messages[i].id = ident_v7();
}

static const char *
rule_of(const struct store_op *op)
{
    switch (op->err) {
    case ERR_LIMIT:
        return op->import.messages_max > 0 &&
                       op->import.n > op->import.messages_max
                   ? "it has too many messages"
                   : "there are too many sessions";
    case ERR_TOOBIG: return "a message of it is too long";
    case ERR_FULL: return "the store is full";
    default: return "it could not be stored";
    }
}

static void
settle(struct intake *in, struct waiting *w)
{
    if (w->op.err == ERR_CONFLICT) { /* the id is taken */
        new_ids(w);
        IGNORE(store_apply(engine_store(in->app->en), &w->op));
    }
    if (w->op.err != OK) {
        fault(in, w->item, rule_of(&w->op));
        return;
    }
    in->sessions++;
    in->messages += w->op.import.n;
    index_grown(engine_index(in->app->en), in->owner, w->id);
}

/* Write what waits and wait for it. ERR_FULL, ERR_STORE: no more. */
static enum err
write_round(struct intake *in)
{
    enum err e = OK;

    in->left = in->n_waiting;
    for (size_t i = 0; i < in->n_waiting; i++) {
        in->waiting[i]->op.done = on_stored;
        in->waiting[i]->op.arg = in;
        store_submit(engine_store(in->app->en), &in->waiting[i]->op);
    }
    (void)pthread_mutex_lock(&in->mu);
    while (in->left > 0)
        (void)pthread_cond_wait(&in->all, &in->mu);
    (void)pthread_mutex_unlock(&in->mu);
    for (size_t i = 0; i < in->n_waiting; i++) {
        settle(in, in->waiting[i]);
        if (in->waiting[i]->op.err == ERR_FULL ||
            in->waiting[i]->op.err == ERR_STORE)
            e = in->waiting[i]->op.err;
    }
    in->n_waiting = 0;
    in->bytes = 0;
    arena_release(&in->arena);
    arena_init(&in->arena);
    return e;
}

/* --- reading -------------------------------------------------------------- */

/* At most max bytes, cut between characters. */
static const char *
clip(struct intake *in, const char *s, size_t max)
{
    size_t n = strlen(s);

    return arena_memdup0(&in->arena, s, n <= max ? n : utf8_whole(s, max));
}

/* Those that a client could have set, as struct session has them. */
static const char *
join_tags(struct intake *in, const struct import_session *s)
{
    char *out = arena_alloc(&in->arena, STORE_TAGS_MAX + 1);
    size_t len = 0, n = 0;

    for (size_t i = 0; i < s->n_tags && n < SESSION_TAGS_MAX; i++) {
        const char *tag = s->tags[i];

        if (text_blank(tag, strlen(tag)) || strlen(tag) > SESSION_TAG_MAX ||
            strpbrk(tag, "\r\n") != NULL || session_has_tag(out, tag))
            continue;
        len += (size_t)snprintf(out + len, STORE_TAGS_MAX + 1 - len, "%s\n",
                                tag);
        n++;
    }
    return out;
}

/* A time that was: not known is `before`, what is to come is now. */
static int64_t
past(const struct intake *in, int64_t at_ms, int64_t before)
{
    if (at_ms <= 0)
        at_ms = before;
    return at_ms < in->now_ms ? at_ms : in->now_ms;
}

static int
compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct ident));
}

/* Take the messages' own ids, if they are ids and all different. */
static bool
own_ids(struct intake *in, const struct import_session *s, struct message *m)
{
    struct ident *sorted = arena_alloc(&in->arena,
                                       (s->n_messages + 1) * sizeof(*sorted));

    for (size_t i = 0; i < s->n_messages; i++) {
        const char *id = s->messages[i].id;

        if (ident_parse(id, strlen(id), &m[i].id) != OK)
            return false;
        sorted[i] = m[i].id;
    }
    qsort(sorted, s->n_messages, sizeof(*sorted), compare_ids);
    for (size_t i = 1; i < s->n_messages; i++)
        if (ident_eq(&sorted[i - 1], &sorted[i]))
            return false;
    return true;
}

static struct message
message_of(struct intake *in, const struct import_message *from, int64_t at_ms)
{
    bool answer = from->role == ROLE_ASSISTANT;
    bool whole = from->extra_len <= STORE_EXTRA_MAX;
    struct message m = {
        .parent = from->parent < 0 ? STORE_ROOT : (uint32_t)from->parent,
        .role = (uint8_t)from->role,
        .finish = (uint8_t)(answer && from->finish == FINISH_NONE
                                ? FINISH_STOP
                                : from->finish),
        .at_ms = at_ms,
        .input_tokens = from->usage.input_tokens,
        .output_tokens = from->usage.output_tokens,
        .cached_tokens = from->usage.cached_tokens,
        .cost_micro = from->cost_micro,
        .provider = clip(in, from->provider, STORE_NAME_MAX),
        .model = clip(in, from->model, STORE_NAME_MAX),
        .text = arena_memdup0(&in->arena, from->text, from->text_len),
        .text_len = from->text_len,
        .extra = whole ? arena_memdup0(&in->arena, from->extra, from->extra_len)
                       : "",
        .extra_len = whole ? from->extra_len : 0,
    };

    in->bytes += m.text_len + m.extra_len;
    return m;
}

static void
take_messages(struct intake *in, const struct import_session *s,
              struct waiting *w, int64_t created_ms)
{
    struct message *m = arena_alloc(&in->arena,
                                    (s->n_messages + 1) * sizeof(*m));
    int64_t at_ms = created_ms;
    uint32_t head = 0;

    for (size_t i = 0; i < s->n_messages; i++) {
        at_ms = past(in, s->messages[i].at_ms, at_ms);
        m[i] = message_of(in, &s->messages[i], at_ms);
        if (s->messages[i].main)
            head = (uint32_t)i;
    }
    w->op.import.messages = m;
    w->op.import.n = (uint32_t)s->n_messages;
    w->op.import.head = head;
    w->op.import.updated_ms = past(in, s->updated_ms, at_ms);
    /* One that is kept for a time after its last use is used by this. */
    if (conf_int(CONF_SESSION_TTL) > 0)
        w->op.import.updated_ms = in->now_ms;
    if (s->format == IMPORT_PARLEY && own_ids(in, s, m) &&
        ident_session_valid(s->id, strlen(s->id)))
        (void)snprintf(w->id, sizeof(w->id), "%s", s->id);
    else
        new_ids(w);
}

static const char *
refused(const struct import_session *s)
{
    if (strlen(s->context) > STORE_CONTEXT_MAX)
        return "its context is too long";
    for (size_t i = 0; i < s->n_messages; i++)
        if (s->messages[i].text_len > STORE_TEXT_MAX)
            return "a message of it is too long";
    return NULL;
}

static enum err
on_session(void *arg, const struct import_session *s)
{
    struct intake *in = arg;
    const char *rule = refused(s);
    int64_t created_ms = past(in, s->created_ms,
                              s->n_messages > 0 && s->messages[0].at_ms > 0
                                  ? s->messages[0].at_ms
                                  : in->now_ms);
    struct waiting *w;

    if (rule != NULL) {
        fault(in, s->item, rule);
        return OK;
    }
    w = arena_alloc(&in->arena, sizeof(*w));
    w->item = s->item;
    w->op.kind = STORE_SESSION_IMPORT;
    w->op.owner = in->owner;
    w->op.session_id = w->id;
    w->op.patch.now_ms = created_ms;
    w->op.patch.sessions_max = engine_sessions_max(in->app->en);
    w->op.patch.title = clip(in, s->title, STORE_TITLE_MAX);
    w->op.patch.titled = s->title[0] != '\0';
    w->op.patch.context = clip(in, s->context, STORE_CONTEXT_MAX);
    w->op.patch.model = strlen(s->model) <= STORE_NAME_MAX
                            ? arena_strdup(&in->arena, s->model)
                            : "";
    w->op.patch.tags = join_tags(in, s);
    w->op.patch.set_pinned = w->op.patch.set_archived = true;
    w->op.patch.pinned = s->pinned;
    w->op.patch.archived = s->archived;
    w->op.import.messages_max = (uint32_t)conf_int(CONF_MAX_MESSAGES);
    take_messages(in, s, w, created_ms);
    in->waiting[in->n_waiting++] = w;
    return in->n_waiting == ROUND_SESSIONS || in->bytes >= ROUND_BYTES
               ? write_round(in)
               : OK;
}

static enum err
on_fault(void *arg, const struct import_fault *f)
{
    fault(arg, f->item, f->rule);
    return OK;
}

/* --- the request ---------------------------------------------------------- */

static void
intake_init(struct intake *in, struct app *app, struct request *rq)
{
    memset(in, 0, sizeof(*in));
    in->app = app;
    in->owner = app_owner(rq);
    in->now_ms = clock_wall_ms();
    arena_init(&in->arena);
    buf_init(&in->faults_text, BODY_MAX);
    json_out_init(&in->faults, &in->faults_text);
    json_begin_arr(&in->faults);
    (void)pthread_mutex_init(&in->mu, NULL);
    (void)pthread_cond_init(&in->all, NULL);
}

static void
intake_release(struct intake *in)
{
    arena_release(&in->arena);
    buf_release(&in->faults_text);
    (void)pthread_cond_destroy(&in->all);
    (void)pthread_mutex_destroy(&in->mu);
}

static void
reply(struct intake *in, struct request *rq, const struct import_report *r)
{
    struct json_out j;
    struct buf body;

    json_end_arr(&in->faults);
    buf_init(&body, 2 * BODY_MAX);
    json_out_init(&j, &body);
    json_begin_obj(&j);
    json_put_i64(&j, "sessions", (int64_t)in->sessions);
    json_put_i64(&j, "messages", (int64_t)in->messages);
    json_put_i64(&j, "left_out", (int64_t)r->left_out);
    json_put_raw(&j, "faults", in->faults_text.data, in->faults_text.len);
    json_end_obj(&j);
    app_json(in->app, rq, 200, &body);
}

void
api_import(void *arg, struct request *rq)
{
    struct problem p = {.err = OK};
    struct import_sink sink = {on_session, on_fault, NULL};
    struct intake in;
    struct import im;
    enum err e, stored;

    intake_init(&in, arg, rq);
    sink.arg = &in;
    import_init(&im, &sink);
    e = import_feed(&im, rq->body != NULL ? rq->body : "", rq->body_len, &p);
    if (e == OK)
        e = import_end(&im, &p);
    stored = write_round(&in);
    if (e == OK || e == ERR_BADREQ)
        e = stored != OK ? stored : e;
    /* What is stored is told, whatever came then. */
    if (e != OK && in.sessions > 0)
        fault(&in, im.report.items + 1,
              e == ERR_BADREQ ? "the file cannot be read on"
                              : "the store failed: nothing more was read");
    if (e == OK || in.sessions > 0) {
        reply(&in, rq, &im.report);
    } else {
        if (p.err == OK)
            (void)problem_set(&p, e, NULL, NULL, NULL);
        app_fail(arg, rq, &p);
    }
    import_release(&im);
    intake_release(&in);
}

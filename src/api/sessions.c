/*
 * Sessions over HTTP: make, look, change, delete. A session that is not
 * there and one that is another's give the same 404. All of it on an acceptor,
 * which waits for the committer where something changes.
 */
#include "base/base.h"

#include "api/app.h"
#include "api/noted.h"
#include "api/session_json.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "chat/erase.h"
#include "chat/result.h"
#include "chat/spent.h"
#include "chat/temporary.h"

#define BODY_MAX (1024 * 1024) /* bytes of a reply */
#define ERASE_ROUND 100        /* sessions, between two looks */

/* --- errors -------------------------------------------------------------- */

static void
patch_failed(struct app *app, struct request *rq, const struct store_op *op)
{
    struct problem p = {.err = OK};

    if (op->err == ERR_IMPOSSIBLE || (op->err == ERR_FULL && op->temporary)) {
        (void)temporary_problem(&p, op->err);
        app_fail(app, rq, &p);
        return;
    }
    if (op->err != ERR_LIMIT) {
        app_session_missing(app, rq, op->err);
        return;
    }
    (void)problem_set(&p, ERR_LIMIT, "too_many_sessions", "Too many sessions",
                      "Delete some first.");
    app_fail(app, rq, &p);
}

/* --- one ----------------------------------------------------------------- */

static void
put_context(struct app *app, struct request *rq, struct json_out *j,
            const struct session *s)
{
    struct buf text;

    buf_init(&text, STORE_CONTEXT_MAX + 1);
    if (s->has_context &&
        store_context(engine_store(app->en), app_owner(rq), s->id, &text) != OK)
        buf_clear(&text);
    json_put_strn(j, "context", buf_cstr(&text), text.len);
    buf_release(&text);
}

static void
reply_session(struct app *app, struct request *rq, int status, const char *id)
{
    struct session s;
    struct json_out j;
    struct buf body;
    struct spent spent;
    enum err e = spent_load(engine_store(app->en), app_owner(rq), id, &s,
                            &spent);

    if (e != OK) {
        app_session_missing(app, rq, e);
        return;
    }
    buf_init(&body, BODY_MAX);
    json_out_init(&j, &body);
    json_begin_obj(&j);
    session_put(&j, &s);
    put_context(app, rq, &j, &s);
    result_put_cost(&j, spent.cost_micro);
    json_end_obj(&j);
    app_json(app, rq, status, &body);
}

void
api_session(void *arg, struct request *rq)
{
    reply_session(arg, rq, 200, rq->path_args[0]);
}

/* --- making and changing -------------------------------------------------- */

/* The body's object; an empty body is one. */
static enum err
read_body(struct request *rq, cJSON **out, struct problem *why)
{
    if (rq->body_len == 0) {
        *out = cJSON_CreateObject();
        return *out != NULL ? OK : ERR_INTERNAL;
    }
    return json_parse(rq->body, rq->body_len, out, why);
}

static enum err
check_model(const char *model, struct problem *why)
{
    struct route_choice route;

    if (model == NULL || model[0] == '\0')
        return OK;
    return catalog_route(NULL, model, &route, why);
}

/* The session's id: the client's, or a new one. */
static enum err
new_id(const cJSON *json, char out[IDENT_SESSION_MAX + 1], struct problem *why)
{
    const char *given = NULL;

    if (json_get_str(json, "session_id", &given, why) != OK)
        return ERR_BADREQ;
    return app_session_id(given, out, why);
}

static void
apply_change(struct app *app, struct request *rq, struct session_change *c,
             const char *id)
{
    c->op.kind = STORE_SESSION_PATCH;
    c->op.owner = app_owner(rq);
    c->op.session_id = id;
    c->op.patch.now_ms = clock_wall_ms();
    c->op.patch.sessions_max = engine_sessions_max(app->en);
    IGNORE(store_apply(engine_store(app->en), &c->op));
}

/* One whose time is over makes room for the new one. */
static enum err
make(struct app *app, struct request *rq, struct session_change *c,
     const char *id, struct problem *why)
{
    enum err e;

    c->op.patch.create = c->op.patch.only_new = true;
    apply_change(app, rq, c, id);
    if (c->op.err != ERR_CONFLICT)
        return OK;
    e = erase(app->en, app_owner(rq), id, 0, ERASE_EXPIRED, NULL);
    if (e == OK || e == ERR_NOTFOUND)
        apply_change(app, rq, c, id);
    else if (e != ERR_CONFLICT)
        return problem_set(why, e, NULL, NULL, NULL);
    if (c->op.err != ERR_CONFLICT)
        return OK;
    return problem_set(why, ERR_CONFLICT, "session_exists",
                       "The session exists", "Take another session_id.");
}

/* POST /sessions. One that is there already is not changed: 409. */
void
api_session_make(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct problem p = {.err = OK};
    char id[IDENT_SESSION_MAX + 1];
    struct session_change c;
    cJSON *json = NULL;
    enum err e = read_body(rq, &json, &p);

    if (e == OK)
        e = session_change_read(json, &c, &p);
    if (e == OK && c.op.temporary)
        e = temporary_check(&p);
    if (e == OK)
        e = new_id(json, id, &p);
    if (e == OK)
        e = check_model(c.op.patch.model, &p);
    if (e == OK)
        e = make(app, rq, &c, id, &p);
    cJSON_Delete(json);
    if (e != OK)
        app_fail(app, rq, &p);
    else if (c.op.err != OK)
        patch_failed(app, rq, &c.op);
    else
        reply_session(app, rq, 201, id);
}

/* The messages that come behind one, directly or not; the newest of them is
 * where its line ends. */
struct descent {
    uint32_t from, n; /* of `behind` */
    bool *behind;     /* by seq, from `from` on */
    uint32_t end;
};

static bool
descend(void *arg, const struct message *m)
{
    struct descent *d = arg;
    uint32_t at = m->seq - d->from, parent = m->parent - d->from;

    if (at >= d->n)
        return false; /* it came meanwhile */
    if (at == 0 || (m->parent >= d->from && parent < at && d->behind[parent])) {
        d->behind[at] = true;
        d->end = m->seq;
    }
    return true;
}

static enum err
find_leaf(struct app *app, struct request *rq, struct session_change *c,
          struct problem *why)
{
    struct store *store = engine_store(app->en);
    const char *session = rq->path_args[0];
    struct descent d;
    struct session s;
    struct ident id;

    if (c->leaf == NULL || c->leaf[0] == '\0')
        return OK;
    if (ident_parse(c->leaf, strlen(c->leaf), &id) != OK ||
        store_find_message(store, app_owner(rq), session, &id, &d.from) != OK ||
        store_session(store, app_owner(rq), session, &s) != OK ||
        d.from >= s.n_messages)
        return app_message_missing(why, "leaf");
    d.end = d.from;
    d.n = s.n_messages - d.from;
    d.behind = xcalloc(d.n, sizeof(*d.behind));
    IGNORE(store_all_messages(store, app_owner(rq), session, d.from, UINT32_MAX,
                              NULL, descend, &d));
    free(d.behind);
    c->op.patch.set_head = true;
    c->op.patch.head = d.end;
    return OK;
}

/* A session is what it was made as: to say it again changes nothing. */
static enum err
check_temporary(struct app *app, struct request *rq,
                const struct session_change *c, struct problem *why)
{
    struct session s;

    if (!c->temporary_said ||
        store_session(engine_store(app->en), app_owner(rq), rq->path_args[0],
                      &s) != OK ||
        s.temporary == c->op.temporary)
        return OK;
    if (c->op.temporary)
        return temporary_problem(why, ERR_IMPOSSIBLE);
    return problem_set(why, ERR_IMPOSSIBLE, "is_temporary",
                       "The session is a temporary one",
                       "To keep it make a copy: POST /sessions/{id}/fork.");
}

void
api_session_patch(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct problem p = {.err = OK};
    struct session_change c;
    cJSON *json = NULL;
    enum err e = json_parse(rq->body != NULL ? rq->body : "", rq->body_len,
                            &json, &p);

    if (e == OK)
        e = session_change_read(json, &c, &p);
    if (e == OK)
        e = check_model(c.op.patch.model, &p);
    if (e == OK)
        e = check_temporary(app, rq, &c, &p);
    if (e == OK)
        e = find_leaf(app, rq, &c, &p);
    if (e == OK)
        apply_change(app, rq, &c, rq->path_args[0]);
    cJSON_Delete(json);
    if (e != OK)
        app_fail(app, rq, &p);
    else if (c.op.err != OK)
        patch_failed(app, rq, &c.op);
    else
        api_session(app, rq);
}

/* --- deleting ------------------------------------------------------------ */

/* What is deleted stays so, whether that can be noted at once or later. */
static void
note_deleted(const struct request *rq, const char *id, int64_t n)
{
    char name[NOTED_SESSION_LEN];
    struct audit_fact f = {.what = AUDIT_SESSIONS_DELETED,
                           .with = {AUDIT_NUMBER("count", n)}};

    if (id != NULL) {
        noted_session(name, id);
        f = (struct audit_fact){.what = AUDIT_SESSION_DELETED,
                                .with = {AUDIT_TEXT("session", name)}};
    }
    IGNORE(noted_wait(rq, &f));
}

void
api_session_delete(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct json_out j;
    struct buf body;
    enum err e = erase(app->en, app_owner(rq), rq->path_args[0], 0,
                       ERASE_SESSION, NULL);

    if (e != OK) {
        app_session_missing(app, rq, e);
        return;
    }
    note_deleted(rq, rq->path_args[0], 1);
    buf_init(&body, REPLY_HEAD_MAX);
    json_out_init(&j, &body);
    json_begin_obj(&j);
    json_put_bool(&j, "deleted", true);
    json_put_str(&j, "session_id", rq->path_args[0]);
    json_end_obj(&j);
    app_json(app, rq, 200, &body);
}

struct some {
    char id[ERASE_ROUND][IDENT_SESSION_MAX + 1];
    size_t n;
};

static bool
take_id(void *arg, const struct session *s)
{
    struct some *some = arg;

    (void)memcpy(some->id[some->n++], s->id, sizeof(s->id));
    return some->n < ERASE_ROUND;
}

static enum err
erase_all(struct app *app, const char *owner, int64_t *n)
{
    struct some some;
    enum err e;

    do {
        some.n = 0;
        e = store_sessions(engine_store(app->en), owner, NULL, ERASE_ROUND,
                           take_id, &some);
        for (size_t i = 0; e == OK && i < some.n; i++) {
            e = erase(app->en, owner, some.id[i], 0, ERASE_SESSION, NULL);
            if (e == ERR_NOTFOUND) /* somebody was faster */
                e = OK;
            else
                ++*n;
        }
    } while (e == OK && some.n > 0);
    return e;
}

/* DELETE /sessions {"confirm": true}: all that are listed. */
void
api_sessions_delete(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct problem p = {.err = OK};
    bool confirm = false;
    cJSON *json = NULL;
    int64_t n = 0;
    struct json_out j;
    struct buf body;
    enum err e = read_body(rq, &json, &p);

    if (e == OK)
        e = json_get_bool(json, "confirm", &confirm, &p);
    if (e == OK && !confirm)
        e = problem_set(&p, ERR_BADREQ, "not_confirmed",
                        "All sessions are only deleted if you confirm it",
                        "Send {\"confirm\": true}.");
    cJSON_Delete(json);
    if (e == OK && app_lists(rq)) {
        e = erase_all(app, app_owner(rq), &n);
        if (n > 0)
            note_deleted(rq, NULL, n);
        if (e != OK)
            (void)problem_set(&p, e, NULL, NULL, NULL);
    }
    if (e != OK) {
        app_fail(app, rq, &p);
        return;
    }
    buf_init(&body, REPLY_HEAD_MAX);
    json_out_init(&j, &body);
    json_begin_obj(&j);
    json_put_i64(&j, "deleted", n);
    json_end_obj(&j);
    app_json(app, rq, 200, &body);
}

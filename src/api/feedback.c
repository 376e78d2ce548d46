/*
 * What a user thinks of a message: kept with it, and told with it. A message is
 * found by its turn, whose id lies beside its own; one that was imported has no
 * turn, and is found where the request says in which session it is.
 */
#include "base/base.h"

#include "api/app.h"
#include "api/who.h"
#include "base/clock.h"
#include "base/json.h"
#include "chat/extra.h"
#include "chat/turn.h"

#define COMMENT_MAX 2000 /* bytes */

struct feedback {
    int64_t rating; /* 1 good, -1 bad, 0: taken back */
    const char *comment;
    const char *session_id; /* NULL: not said */
};

static enum err
read_feedback(const cJSON *json, struct feedback *f, struct problem *why)
{
    f->comment = "";
    f->session_id = NULL;
    f->rating = 2;
    if (!cJSON_IsObject(json))
        return problem_set(why, ERR_BADREQ, "invalid_json",
                           "The body is not a JSON object",
                           "Send {\"rating\": 1}.");
    if (json_get_i64(json, "rating", -1, 1, &f->rating, why) != OK ||
        json_get_str(json, "comment", &f->comment, why) != OK ||
        json_get_str(json, "session_id", &f->session_id, why) != OK)
        return ERR_BADREQ;
    if (f->rating == 2)
        return problem_set(why, ERR_BADREQ, "missing_rating",
                           "Missing required parameter: rating",
                           "1 is good, -1 is bad, 0 takes it back.");
    if (strlen(f->comment) > COMMENT_MAX)
        return problem_set(why, ERR_BADREQ, "invalid_comment",
                           "The comment is too long", "At most %d bytes.",
                           COMMENT_MAX);
    return OK;
}

/* --- the message --------------------------------------------------------- */

struct place {
    char session_id[IDENT_SESSION_MAX + 1];
    struct ident id;
    uint32_t seq;
    struct extra extra; /* what is known of it */
};

static bool
take_extra(void *arg, const struct message *m)
{
    struct place *at = arg;

    extra_read(&at->extra, m->extra, m->extra_len);
    return false;
}

static enum err
find(struct store *s, const char *owner, const char *id,
     const struct feedback *f, struct place *at, struct problem *why)
{
    struct turn_info t;
    struct ident turn;
    enum err e;

    (void)memset(at, 0, sizeof(*at));
    if (ident_parse(id, strlen(id), &at->id) != OK)
        return app_message_missing(why, NULL);
    turn = ident_beside(&at->id, TURN_ID);
    if (f->session_id != NULL && strlen(f->session_id) <= IDENT_SESSION_MAX)
        (void)snprintf(at->session_id, sizeof(at->session_id), "%s",
                       f->session_id);
    else if (store_turn(s, &turn, &t) == OK && strcmp(t.owner, owner) == 0)
        (void)snprintf(at->session_id, sizeof(at->session_id), "%s",
                       t.session_id);
    else
        return app_message_missing(why, NULL);
    e = store_find_message(s, owner, at->session_id, &at->id, &at->seq);
    if (e == OK)
        e = store_all_messages(s, owner, at->session_id, at->seq, 1, NULL,
                               take_extra, at);
    if (e == ERR_NOTFOUND)
        return app_message_missing(why, NULL);
    return e == OK ? OK : problem_set(why, e, NULL, NULL, NULL);
}

/* --- keeping it ----------------------------------------------------------- */

static void
put_feedback(struct buf *out, const struct feedback *f)
{
    struct json_out j;

    json_out_init(&j, out);
    json_begin_obj(&j);
    json_put_i64(&j, "rating", f->rating);
    json_put_str(&j, "comment", f->comment);
    json_put_time(&j, "timestamp", clock_wall_ms());
    json_end_obj(&j);
}

/* The session may be one that anybody goes on with. */
static void
act_as(struct app *app, struct request *rq, const struct feedback *f)
{
    const char *id = rq->path_args[0];
    struct ident message, turn;

    if (f->session_id != NULL) {
        (void)who_session(app, rq, f->session_id);
    } else if (ident_parse(id, strlen(id), &message) == OK) {
        turn = ident_beside(&message, TURN_ID);
        who_turn(app, rq, &turn);
    }
}

static enum err
keep(struct store *s, const char *owner, const struct feedback *f,
     struct place *at, const char *feedback, struct problem *why)
{
    struct store_op op = {.kind = STORE_MESSAGE_EXTRA, .owner = owner};
    struct buf extra;
    enum err e;

    at->extra.feedback = f->rating != 0 || f->comment[0] != '\0' ? feedback
                                                                 : NULL;
    buf_init(&extra, STORE_EXTRA_MAX);
    extra_write(&extra, &at->extra);
    op.session_id = at->session_id;
    op.extra.message = at->id;
    op.extra.seq = at->seq;
    op.extra.text = buf_cstr(&extra);
    op.extra.len = extra.len;
    e = store_apply(s, &op);
    buf_release(&extra);
    if (e == ERR_NOTFOUND)
        return app_message_missing(why, NULL);
    return e == OK ? OK : problem_set(why, e, NULL, NULL, NULL);
}

/* POST /messages/{id}/feedback {rating, comment} */
void
api_feedback(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct store *s = engine_store(app->en);
    struct problem p = {.err = OK};
    struct place at = {.seq = 0};
    struct feedback f;
    struct buf body;
    cJSON *json = NULL;
    enum err e = json_parse(rq->body != NULL ? rq->body : "", rq->body_len,
                            &json, &p);

    buf_init(&body, 8 * COMMENT_MAX);
    if (e == OK)
        e = read_feedback(json, &f, &p);
    if (e == OK)
        act_as(app, rq, &f);
    if (e == OK)
        e = find(s, app_owner(rq), rq->path_args[0], &f, &at, &p);
    if (e == OK) {
        put_feedback(&body, &f);
        e = keep(s, app_owner(rq), &f, &at, buf_cstr(&body), &p);
    }
    extra_release(&at.extra);
    cJSON_Delete(json);
    if (e == OK) {
        app_json(app, rq, 200, &body);
        return;
    }
    buf_release(&body);
    app_fail(app, rq, &p);
}

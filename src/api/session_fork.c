/*
 * A session from another one: POST /sessions/{id}/fork copies the line up to a
 * message, with the session's title, model, tags and context. The copies are
 * messages of their own, without turns: nothing that happens to one session is
 * seen in the other.
 *
 * The line's numbers are read first, four bytes a message; then the messages
 * in parts of PART_BYTES, each of which is one write. If the source is deleted
 * meanwhile, so is what was made of it.
 */
#include "base/base.h"

#include "api/app.h"
#include "api/session_json.h"
#include "base/clock.h"
#include "base/mem.h"
#include "chat/erase.h"
#include "chat/index.h"

#define PART_BYTES \
    (8 * 1024 * 1024) /* of text and extra; one message at least */
#define PART_MESSAGES 10000
#define BODY_MAX (64 * 1024) /* bytes of a reply */

struct fork {
    struct store *store;
    const char *owner;
    struct session from;
    char id[IDENT_TEXT_LEN]; /* of the new one */
    uint32_t *seqs;          /* owned; of the line, in order */
    uint32_t n_seqs, cap;
    uint32_t done; /* of them, written */
    struct arena arena;
    struct message *part; /* in the arena */
    uint32_t n_part;
    size_t bytes;
    struct store_op op;
};

static bool
take_seq(void *arg, const struct message *m)
{
    struct fork *f = arg;

    if (f->n_seqs == f->cap) {
        f->cap = f->cap == 0 ? 64 : 2 * f->cap;
        f->seqs = xrealloc(f->seqs, f->cap * sizeof(*f->seqs));
    }
    f->seqs[f->n_seqs++] = m->seq;
    return true;
}

/* Messages come in the order of seq, of all lines. */
static bool
take_message(void *arg, const struct message *m)
{
    struct fork *f = arg;
    uint32_t at = f->done + f->n_part;
    struct message *to;

    if (m->seq < f->seqs[at])
        return true;
    if (m->seq > f->seqs[at] || f->n_part == PART_MESSAGES ||
        (f->n_part > 0 && f->bytes + m->text_len + m->extra_len > PART_BYTES))
        return false;
    to = &f->part[f->n_part++];
    *to = *m;
    to->id = ident_v7();
    memset(&to->turn, 0, sizeof(to->turn));
    to->parent = at == 0 ? STORE_ROOT : at - 1;
    to->provider = arena_strdup(&f->arena, m->provider);
    to->model = arena_strdup(&f->arena, m->model);
    to->text = arena_memdup0(&f->arena, m->text, m->text_len);
    to->extra = arena_memdup0(&f->arena, m->extra, m->extra_len);
    f->bytes += m->text_len + m->extra_len;
    return at + 1 < f->n_seqs;
}

/* Read and write one part. ERR_NOTFOUND: the source is gone. */
static enum err
copy_part(struct app *app, struct fork *f, const char *context)
{
    struct session now;
    enum err e;

    arena_init(&f->arena);
    f->part = arena_alloc(&f->arena, PART_MESSAGES * sizeof(*f->part));
    f->n_part = 0;
    f->bytes = 0;
    e = store_all_messages(f->store, f->owner, f->from.id, f->seqs[f->done],
                           UINT32_MAX, &now, take_message, f);
    if (e == OK && (now.no != f->from.no || f->n_part == 0))
        e = ERR_NOTFOUND;
    if (e == OK) {
        f->op.kind = STORE_SESSION_IMPORT;
        f->op.owner = f->owner;
        f->op.session_id = f->id;
        f->op.patch.now_ms = f->op.import.updated_ms = clock_wall_ms();
        f->op.patch.sessions_max = engine_sessions_max(app->en);
        f->op.patch.title = f->from.title;
        f->op.patch.titled = f->from.titled;
        f->op.patch.model = f->from.model;
        f->op.patch.tags = f->from.tags;
        f->op.patch.context = context;
        f->op.import.from = f->done;
        f->op.import.session_no = f->op.import.after.no;
        f->op.import.messages = f->part;
        f->op.import.n = f->n_part;
        f->op.import.head = f->done + f->n_part - 1;
        e = store_apply(f->store, &f->op);
    }
    if (e == OK)
        f->done += f->n_part;
    arena_release(&f->arena);
    return e;
}

static enum err
copy_all(struct app *app, struct fork *f)
{
    struct buf context;
    enum err e = OK;

    buf_init(&context, STORE_CONTEXT_MAX + 1);
    if (f->from.has_context &&
        store_context(f->store, f->owner, f->from.id, &context) != OK)
        buf_clear(&context);
    while (e == OK && f->done < f->n_seqs)
        e = copy_part(app, f, buf_cstr(&context));
    buf_release(&context);
    if (e == OK)
        index_grown(engine_index(app->en), f->owner, f->id);
    else if (f->done > 0)
        IGNORE(erase(app->en, f->owner, f->id, f->op.import.after.no,
                     ERASE_SESSION, NULL));
    return e;
}

/* --- the request ---------------------------------------------------------- */

/* The message that the body names, or the head. */
static enum err
read_leaf(struct request *rq, struct fork *f, uint32_t *leaf,
          struct problem *why)
{
    const char *text = NULL;
    cJSON *json = NULL;
    struct ident id;
    enum err e = rq->body_len == 0
                     ? OK
                     : json_parse(rq->body, rq->body_len, &json, why);

    *leaf = STORE_HEAD;
    if (e == OK && json != NULL)
        e = json_get_str(json, "from_message_id", &text, why);
    if (e == OK && text != NULL && text[0] != '\0' &&
        (ident_parse(text, strlen(text), &id) != OK ||
         store_find_message(f->store, f->owner, f->from.id, &id, leaf) != OK))
        e = app_message_missing(why, "from_message_id");
    cJSON_Delete(json);
    return e;
}

static void
reply_fork(struct app *app, struct request *rq, const struct fork *f)
{
    struct json_out j;
    struct buf body;

    buf_init(&body, BODY_MAX);
    json_out_init(&j, &body);
    json_begin_obj(&j);
    session_put(&j, &f->op.import.after);
    json_put_str(&j, "forked_from", f->from.id);
    json_end_obj(&j);
    app_json(app, rq, 201, &body);
}

static enum err
fork_failed(enum err e, struct problem *why)
{
    if (e == ERR_LIMIT)
        return problem_set(why, e, "too_many_sessions", "Too many sessions",
                           "Delete some first.");
    if (e == ERR_NOTFOUND)
        return problem_set(why, e, "session_not_found", "No such session",
                           "It does not exist, or it is not yours.");
    return problem_set(why, e, NULL, NULL, NULL);
}

void
api_session_fork(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct problem p = {.err = OK};
    struct fork *f = xcalloc(1, sizeof(*f));
    struct ident id = ident_v4();
    uint32_t leaf;
    enum err e;

    f->store = engine_store(app->en);
    f->owner = app_owner(rq);
    ident_text(f->id, &id);
    e = store_session(f->store, f->owner, rq->path_args[0], &f->from);
    if (e != OK)
        e = fork_failed(e, &p);
    if (e == OK)
        e = read_leaf(rq, f, &leaf, &p);
    if (e == OK) {
        e = store_line(f->store, f->owner, f->from.id, leaf, UINT32_MAX,
                       UINT32_MAX, 0, NULL, take_seq, f);
        if (e == OK && f->n_seqs == 0)
            e = problem_set(&p, ERR_BADREQ, "empty_session",
                            "There is nothing to fork",
                            "The session has no messages yet.");
        else if (e == OK)
            e = copy_all(app, f);
        if (e != OK && p.err == OK)
            e = fork_failed(e, &p);
    }
    if (e == OK)
        reply_fork(app, rq, f);
    else
        app_fail(app, rq, &p);
    free(f->seqs);
    free(f);
}

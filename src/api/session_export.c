/*
 * Sessions as files: GET /sessions/{id}/export and GET /export. What a file is
 * made of is read a page at a time, and each page is a snapshot of its own: a
 * session that grows meanwhile is written up to where it was found. For all
 * sessions the store is walked by their numbers, which never change, so none
 * that is used meanwhile is missed.
 */
#include "base/base.h"

#include "api/session_export.h"

#include "api/noted.h"
#include "api/pour.h"
#include "base/clock.h"
#include "base/mem.h"
#include "dialect/export.h"

#define LOOKS 1000  /* sessions of a step of the walk */
#define PAGE 100    /* messages of a page */
#define TAGS_MAX 64 /* of a session; STORE_TAGS_MAX holds fewer */

struct out {
    struct store *store;
    struct export x;
    struct buf *piece; /* of this call */
    char owner[STORE_OWNER_MAX + 1];
    bool begun;
    bool all;      /* walk on behind this session */
    uint64_t next; /* number to go on with; 0: that was the last */
    char id[IDENT_SESSION_MAX + 1]; /* "": none is open */
    uint64_t no;                    /* of it */
    uint32_t at;                    /* seq of its next message */
    struct ident *ids;              /* owned; of its messages, by seq */
    uint32_t n_ids, cap;
    bool found; /* by the walk */
};

static enum err
keep(void *arg, const char *s, size_t n)
{
    struct out *o = arg;

    buf_add(o->piece, s, n);
    return buf_status(o->piece);
}

static struct out *
out_new(struct store *s, const char *owner, enum export_format f)
{
    struct out *o = xcalloc(1, sizeof(*o));

    o->store = s;
    (void)snprintf(o->owner, sizeof(o->owner), "%s", owner);
    export_init(&o->x, f, keep, o);
    return o;
}

static void
out_free(void *arg)
{
    struct out *o = arg;

    export_release(&o->x);
    free(o->ids);
    free(o);
}

/* --- one session ---------------------------------------------------------- */

/* tags is cut into strings in place. */
static size_t
split_tags(char *tags, const char *out[TAGS_MAX])
{
    size_t n = 0;

    while (*tags != '\0' && n < TAGS_MAX) {
        size_t len = strcspn(tags, "\n");
        bool more = tags[len] != '\0';

        tags[len] = '\0';
        out[n++] = tags;
        tags += len + more;
    }
    return n;
}

static bool
take_id(void *arg, const struct message *m)
{
    ident_text(arg, &m->id);
    return false;
}

/* Where the line that is shown ends, if that is not the last message. */
static void
find_head(struct out *o, const struct session *s, char out[IDENT_TEXT_LEN])
{
    out[0] = '\0';
    if (s->n_messages > 0 && s->head != s->n_messages - 1)
        IGNORE(store_all_messages(o->store, o->owner, s->id, s->head, 1, NULL,
                                  take_id, out));
}

static enum err
put_session(struct out *o, struct session *s)
{
    const char *tags[TAGS_MAX];
    size_t n = split_tags(s->tags, tags);
    char head[IDENT_TEXT_LEN];
    struct buf context;
    enum err e;

    find_head(o, s, head);
    buf_init(&context, STORE_CONTEXT_MAX + 1);
    if (s->has_context &&
        store_context(o->store, o->owner, s->id, &context) != OK)
        buf_clear(&context);
    e = export_session(&o->x, &(struct export_session){
                                  .id = s->id,
                                  .title = s->title,
                                  .context = buf_cstr(&context),
                                  .model = s->model,
                                  .tags = tags,
                                  .n_tags = n,
                                  .pinned = s->pinned,
                                  .archived = s->archived,
                                  .created_ms = s->created_ms,
                                  .updated_ms = s->updated_ms,
                                  .head = head,
                              });
    buf_release(&context);
    return e;
}

/* Who was deleted meanwhile is left out. */
static enum err
begin_session(struct out *o)
{
    struct session s;
    enum err e = store_session(o->store, o->owner, o->id, &s);

    if (e == ERR_NOTFOUND) {
        o->id[0] = '\0';
        return OK;
    }
    if (e != OK)
        return e;
    o->no = s.no;
    o->at = o->n_ids = 0;
    return put_session(o, &s);
}

static void
remember(struct out *o, const struct ident *id)
{
    if (o->n_ids == o->cap) {
        o->cap = o->cap == 0 ? 64 : 2 * o->cap;
        o->ids = xrealloc(o->ids, o->cap * sizeof(*o->ids));
    }
    o->ids[o->n_ids++] = *id;
}

static bool
put_message(void *arg, const struct message *m)
{
    struct out *o = arg;
    char id[IDENT_TEXT_LEN], parent[IDENT_TEXT_LEN] = "";
    enum err e;

    if (m->seq != o->n_ids || o->piece->len >= POUR_PIECE)
        return false;
    ident_text(id, &m->id);
    if (m->parent < o->n_ids)
        ident_text(parent, &o->ids[m->parent]);
    remember(o, &m->id);
    e = export_message(
        &o->x,
        &(struct export_message){
            .role = (enum role)m->role,
            .finish = (enum finish)m->finish,
            .id = id,
            .parent_id = parent,
            .provider = m->provider,
            .model = m->model,
            .at_ms = m->at_ms,
            .usage = {m->input_tokens, m->output_tokens, m->cached_tokens},
            .cost_micro = m->finish == FINISH_NONE ? -1 : m->cost_micro,
            .text = m->text,
            .text_len = m->text_len,
            .extra = m->extra,
            .extra_len = m->extra_len,
        });
    o->at++;
    return e == OK; /* the export keeps it */
}

/* A page of the open session, or its end. */
static enum err
go_on(struct out *o)
{
    struct session s = {.no = 0};
    uint32_t at = o->at;
    enum err e = store_all_messages(o->store, o->owner, o->id, at, PAGE, &s,
                                    put_message, o);

    if (e != OK && e != ERR_NOTFOUND)
        return e;
    if (o->x.err != OK)
        return o->x.err;
    if (e == OK && s.no == o->no && o->at > at)
        return OK;
    o->id[0] = '\0';
    return export_session_end(&o->x);
}

/* --- all ------------------------------------------------------------------ */

static bool
find_own(void *arg, const struct session *s)
{
    struct out *o = arg;

    if (strcmp(s->owner, o->owner) != 0)
        return true;
    (void)snprintf(o->id, sizeof(o->id), "%s", s->id);
    o->next = s->no + 1;
    o->found = true;
    return false;
}

static enum err
walk_on(struct out *o)
{
    uint64_t next;
    enum err e;

    o->found = false;
    e = store_walk(o->store, o->next, LOOKS, &next, find_own, o);
    if (e == OK && !o->found)
        o->next = next;
    o->all = o->found || next != 0;
    return e;
}

static enum err
out_more(void *arg, struct buf *piece, bool *last)
{
    struct out *o = arg;
    enum err e = OK;

    o->piece = piece;
    *last = false;
    if (!o->begun) {
        o->begun = true;
        e = export_begin(&o->x);
        if (e == OK && o->id[0] != '\0')
            e = begin_session(o);
    }
    while (e == OK && piece->len < POUR_PIECE && !*last) {
        if (o->id[0] != '\0') {
            e = go_on(o);
        } else if (o->all) {
            e = walk_on(o);
            if (e == OK && !o->found)
                break; /* others use the worker, too */
            if (e == OK)
                e = begin_session(o);
        } else {
            e = export_end(&o->x);
            *last = true;
        }
    }
    return e;
}

static const struct pour_calls out_calls = {.more = out_more, .free = out_free};

static void
file_name(char *out, size_t size, const char *name, enum export_format f)
{
    (void)snprintf(out, size, "parley-%s.%s", name, export_suffix(f));
}

/* --- commands ------------------------------------------------------------- */

enum err
session_export(struct store *store, const char *owner, const char *id,
               struct command_file *file)
{
    enum export_format f;
    char name[NOTED_SESSION_LEN];
    struct session s;
    struct out *o;
    bool last;
    enum err e = export_format_parse(file->format, &f);

    if (e == OK)
        e = store_session(store, owner, id, &s);
    if (e != OK)
        return e;
    file->format = export_suffix(f);
    file_name(file->name, sizeof(file->name), id, f);
    o = out_new(store, owner, f);
    (void)snprintf(o->id, sizeof(o->id), "%s", id);
    e = out_more(o, file->text, &last);
    out_free(o);
    noted_session(name, id);
    audit_event(
        &(struct audit_fact){.what = AUDIT_EXPORT,
                             .who = owner,
                             .with = {AUDIT_TEXT("session", name),
                                      AUDIT_TEXT("format", file->format)}});
    return e == OK && !last ? ERR_TOOBIG : e; /* it is more than a piece */
}

/* --- requests ------------------------------------------------------------- */

static bool
read_format(struct request *rq, enum export_format *f, struct problem *why)
{
    const char *name = NULL;

    *f = EXPORT_JSON;
    if (request_arg(rq, "format", &name, why) != OK)
        return false;
    if (name == NULL || name[0] == '\0' || export_format_parse(name, f) == OK)
        return true;
    (void)problem_set(why, ERR_BADREQ, "invalid_format", "Invalid format",
                      "It is json, jsonl or md.");
    return false;
}

/* Nothing leaves without a trace. id NULL: all. Takes rq if it fails. */
static bool
note_export(struct app *app, struct request *rq, const char *id,
            enum export_format format)
{
    struct problem p = {.err = OK};
    char name[NOTED_SESSION_LEN] = "all";
    struct audit_fact f = {
        .what = AUDIT_EXPORT,
        .with = {AUDIT_TEXT("session", name),
                 AUDIT_TEXT("format", export_suffix(format))}};
    enum err e;

    if (id != NULL)
        noted_session(name, id);
    e = noted_wait(rq, &f);
    if (e == OK)
        return true;
    (void)problem_set(&p, e, NULL, NULL, NULL);
    app_fail(app, rq, &p);
    return false;
}

static void
send_file(struct app *app, struct request *rq, struct out *o, const char *name)
{
    char file[96], line[160];

    file_name(file, sizeof(file), name, o->x.format);
    (void)snprintf(line, sizeof(line),
                   "Content-Disposition: attachment; filename=\"%s\"\r\n",
                   file);
    pour(app, rq, export_media_type(o->x.format), line, &out_calls, o);
}

void
api_session_export(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct problem p = {.err = OK};
    enum export_format f;
    struct session s;
    struct out *o;
    enum err e;

    if (!read_format(rq, &f, &p)) {
        app_fail(app, rq, &p);
        return;
    }
    e = store_session(engine_store(app->en), app_owner(rq), rq->path_args[0],
                      &s);
    if (e != OK) {
        app_session_missing(app, rq, e);
        return;
    }
    if (!note_export(app, rq, s.id, f))
        return;
    o = out_new(engine_store(app->en), app_owner(rq), f);
    (void)snprintf(o->id, sizeof(o->id), "%s", s.id);
    send_file(app, rq, o, s.id);
}

/* All that are listed: who may not see the list gets an empty file. */
void
api_export(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct problem p = {.err = OK};
    char now[CLOCK_ISO_LEN];
    enum export_format f;
    struct out *o;

    if (!read_format(rq, &f, &p)) {
        app_fail(app, rq, &p);
        return;
    }
    if (!note_export(app, rq, NULL, f))
        return;
    clock_iso(now, clock_wall_ms());
    now[strlen("YYYY-MM-DD")] = '\0';
    o = out_new(engine_store(app->en), app_owner(rq), f);
    o->all = app_lists(rq);
    send_file(app, rq, o, now);
}

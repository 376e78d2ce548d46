/*
 * Files: listed, looked at, labelled, deleted. A name may hold slashes: it is
 * all that is behind /files/, and it is compared with names of the index, never
 * opened. What a file says is read from the index; its bytes come from the
 * process that may open it (files/broker.h).
 */
#include "base/base.h"

#include <sys/stat.h>
#include <unistd.h>

#include "api/file_json.h"
#include "api/pour.h"
#include "base/text.h"
#include "files/broker.h"
#include "files/place.h"
#include "ops/audit.h"

#define LIST_LIMIT 50
#define LIST_LIMIT_MAX 500
#define FILE_BODY_MAX (64 * 1024) /* bytes of one in a reply */
#define TEXT_LEN 65536            /* bytes of text in a reply */
#define TEXT_LEN_MAX (1024 * 1024)

/* --- listing -------------------------------------------------------------- */

/* A cursor is the document that a page ended with: hex of its number and name,
 * since several may have the name, and a name need not be UTF-8. */
#define CURSOR_MAX (sizeof(int64_t) + FILES_NAME_MAX) /* bytes */

struct listing {
    struct json_out *j;
    int64_t last_id;
    char last[FILES_NAME_MAX + 1];
    unsigned n;
};

static void
put_cursor(const struct listing *l)
{
    uint8_t bytes[CURSOR_MAX];
    char text[2 * CURSOR_MAX + 1];
    size_t n = strlen(l->last);

    for (size_t i = 0; i < sizeof(int64_t); i++)
        bytes[i] = (uint8_t)((uint64_t)l->last_id >> (56 - 8 * i));
    (void)memcpy(bytes + sizeof(int64_t), l->last, n);
    text_hex(text, bytes, sizeof(int64_t) + n);
    json_put_str(l->j, "next", text);
}

/* name: room for what the cursor names. */
static enum err
read_cursor(const char *text, char name[FILES_NAME_MAX + 1],
            struct files_after *out, struct problem *why)
{
    uint8_t bytes[CURSOR_MAX];
    size_t n = strlen(text) / 2;
    uint64_t id = 0;

    if (strlen(text) % 2 != 0 || n <= sizeof(int64_t) || n > sizeof(bytes) ||
        text_unhex(bytes, n, text) != OK ||
        memchr(bytes + sizeof(int64_t), '\0', n - sizeof(int64_t)) != NULL)
        return problem_set(why, ERR_BADREQ, "invalid_cursor", "Invalid cursor",
                           "Take 'after' from 'next'.");
    for (size_t i = 0; i < sizeof(int64_t); i++)
        id = id << 8 | bytes[i];
    n -= sizeof(int64_t);
    (void)memcpy(name, bytes + sizeof(int64_t), n);
    name[n] = '\0';
    *out = (struct files_after){name, (int64_t)(id & INT64_MAX)};
    return OK;
}

static bool
put_document(void *arg, const struct document *d)
{
    struct listing *l = arg;

    json_begin_obj(l->j);
    document_put(l->j, d);
    json_end_obj(l->j);
    (void)snprintf(l->last, sizeof(l->last), "%s", d->name);
    l->last_id = d->id;
    l->n++;
    return true;
}

static enum err
list(struct app *app, struct files *f, struct request *rq, struct buf *body,
     struct problem *why)
{
    int64_t limit = LIST_LIMIT, collection = 0;
    char name[FILES_NAME_MAX + 1];
    const char *cursor = NULL;
    struct files_after after;
    struct json_out j;
    struct listing l = {.j = &j};
    enum err e;

    if (request_arg(rq, "after", &cursor, why) != OK ||
        request_arg_i64(rq, "limit", 1, LIST_LIMIT_MAX, &limit, why) != OK ||
        request_arg_i64(rq, "collection", 0, INT64_MAX, &collection, why) != OK)
        return why->err;
    if (cursor != NULL && *cursor == '\0')
        cursor = NULL; /* an empty field of a form is as none */
    if (cursor != NULL && read_cursor(cursor, name, &after, why) != OK)
        return why->err;
    json_out_init(&j, body);
    json_begin_obj(&j);
    json_name(&j, "files");
    json_begin_arr(&j);
    e = files_list(f, files_viewer(rq), collection,
                   cursor != NULL ? &after : NULL, (unsigned)limit,
                   put_document, &l);
    json_end_arr(&j);
    if (l.n == (unsigned)limit)
        put_cursor(&l);
    else
        json_put_str(&j, "next", NULL);
    if (e == OK)
        e = collections_put(&j, app, files_viewer(rq));
    json_end_obj(&j);
    return e == OK ? OK : files_problem(why, e, "");
}

void
api_files(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct problem p = {.err = OK};
    struct files *f = files_of(app, &p);
    struct buf body;

    buf_init(&body, (size_t)FILE_BODY_MAX * LIST_LIMIT_MAX);
    if (f != NULL && list(app, f, rq, &body, &p) == OK) {
        app_json(app, rq, 200, &body);
        return;
    }
    buf_release(&body);
    app_fail(app, rq, &p);
}

/* --- one file ------------------------------------------------------------- */

/* The document that the path names; ERR_NOTFOUND with why. */
static enum err
find(struct app *app, const struct request *rq, struct files **f,
     struct document *d, struct problem *why)
{
    enum err e;

    *f = files_of(app, why);
    if (*f == NULL)
        return ERR_IMPOSSIBLE;
    e = files_find(*f, files_viewer(rq), rq->path_args[0], d);
    return e == OK ? OK : files_problem(why, e, rq->path_args[0]);
}

/* Some of its text: as a client opens a citation at its place. */
static enum err
send_text(struct app *app, struct request *rq, struct files *f,
          const struct document *d, struct problem *why)
{
    int64_t start = 0, len = TEXT_LEN;
    struct reply rp;
    struct buf text;
    enum err e;

    if (request_arg_i64(rq, "start", 0, INT64_MAX, &start, why) != OK ||
        request_arg_i64(rq, "length", 1, TEXT_LEN_MAX, &len, why) != OK)
        return why->err;
    buf_init(&text, TEXT_LEN_MAX + 8);
    e = files_text(f, d->id, start, (size_t)len, &text);
    if (e == OK) {
        reply_begin(&rp, rq, 200, TEXT_LEN_MAX + 8);
        buf_add(reply_body(&rp, "text/plain; charset=utf-8"), text.data,
                text.len);
        app_end(app, rq, reply_end(&rp));
    }
    buf_release(&text);
    return e == OK ? OK : files_problem(why, e, d->name);
}

/* --- its bytes ------------------------------------------------------------ */

static enum err
more_bytes(void *arg, struct buf *out, bool *last)
{
    const int *fd = arg;
    char *piece = xmalloc(POUR_PIECE);
    ssize_t n = read(*fd, piece, POUR_PIECE);

    if (n > 0)
        buf_add(out, piece, (size_t)n);
    *last = n <= 0;
    free(piece);
    return n < 0 ? ERR_STORE : OK;
}

static void
close_bytes(void *arg)
{
    int *fd = arg;

    (void)close(*fd);
    free(fd);
}

/* Images that are what they say are shown by a page; everything else is only to
 * be saved, since it could be a page that does something. */
static const char *
shown_as(const struct document *d)
{
    static const char *const safe[] = {"image/jpeg", "image/png", "image/gif",
                                       "image/webp"};

    for (size_t i = 0; d->skip == SKIP_NOT && i < COUNT_OF(safe); i++)
        if (strcmp(d->facts.type, safe[i]) == 0)
            return safe[i];
    return NULL;
}

static enum err
send_bytes(struct app *app, struct request *rq, const struct document *d,
           struct problem *why)
{
    static const struct pour_calls calls = {more_bytes, close_bytes};
    const char *type = shown_as(d);
    int fd = -1, *mine;
    enum err e = broker_open(app->broker, d->id, &fd);

    if (e == ERR_STOPPING)
        return problem_set(why, ERR_IMPOSSIBLE, "file_not_opened",
                           "Files cannot be opened here",
                           "What they say can be read with ?text=1.");
    if (e != OK)
        return files_problem(why, e, d->name);
    mine = xmalloc(sizeof(*mine));
    *mine = fd;
    pour(app, rq, type != NULL ? type : "application/octet-stream",
         type != NULL ? "Content-Disposition: inline\r\n"
                      : "Content-Disposition: attachment\r\n",
         &calls, mine);
    return OK;
}

static bool
is_set(struct request *rq, const char *name)
{
    const char *s = NULL;
    struct problem ignored;

    return request_arg(rq, name, &s, &ignored) == OK && s != NULL &&
           strcmp(s, "0") != 0 && strcmp(s, "false") != 0;
}

static void
send_one(struct app *app, struct request *rq, const struct document *d)
{
    struct json_out j;
    struct buf body;

    buf_init(&body, FILE_BODY_MAX);
    json_out_init(&j, &body);
    json_begin_obj(&j);
    document_put(&j, d);
    json_end_obj(&j);
    app_json(app, rq, 200, &body);
}

void
api_file(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct problem p = {.err = OK};
    struct document d = {.id = 0};
    struct files *f = NULL;
    enum err e = find(app, rq, &f, &d, &p);

    if (e == OK && is_set(rq, "text"))
        e = send_text(app, rq, f, &d, &p);
    else if (e == OK && is_set(rq, "raw"))
        e = send_bytes(app, rq, &d, &p);
    else if (e == OK)
        send_one(app, rq, &d);
    if (e != OK)
        app_fail(app, rq, &p);
}

/* --- changing ------------------------------------------------------------- */

/* Shared files are their administrator's, on the machine. What is changed has
 * to be named in full: a name asked for twice must not mean another file when
 * the first is gone. */
static enum err
find_own(struct app *app, const struct request *rq, struct files **f,
         struct document *d, struct problem *why)
{
    enum err e = find(app, rq, f, d, why);

    if (e == OK && strcmp(d->name, rq->path_args[0]) != 0)
        return files_problem(why, ERR_NOTFOUND, rq->path_args[0]);
    if (e == OK && (strcmp(d->owner, FILES_SHARED) == 0 ||
                    strcmp(d->owner, files_viewer(rq)) != 0))
        return problem_set(why, ERR_FORBIDDEN, "file_shared",
                           "This file is everybody's",
                           "It is changed in the folder that it comes from.");
    return e;
}

/* The bytes of an upload go first: without them it is only an entry, and goes
 * with the next try. */
static enum err
delete_one(struct files *f, const struct document *d)
{
    struct collection c;
    struct place p;
    enum err e = files_collection_get(f, d->collection, &c);
    char path[sizeof(p.root) + sizeof(p.path) + 2];

    if (e != OK)
        return e;
    e = place_of(files_dir(f), &c, d->name, &p);
    if (e == OK && c.root[0] == '\0') {
        (void)snprintf(path, sizeof(path), "%s/%s", p.root, p.path);
        (void)unlink(path); /* it may be gone already */
    }
    return files_delete(f, d->id);
}

void
api_file_delete(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct problem p = {.err = OK};
    struct document d = {.id = 0};
    struct files *f = NULL;
    struct reply rp;
    enum err e = find_own(app, rq, &f, &d, &p);

    if (e == OK && (e = delete_one(f, &d)) != OK)
        (void)files_problem(&p, e, d.name);
    if (e != OK) {
        app_fail(app, rq, &p);
        return;
    }
    reply_begin(&rp, rq, 204, 0);
    app_end(app, rq, reply_end(&rp));
}

static enum err
read_label(const struct request *rq, enum label *out, struct problem *why)
{
    const char *name = NULL;
    cJSON *o = NULL;
    enum err e = json_parse(rq->body != NULL ? rq->body : "", rq->body_len, &o,
                            why);

    if (e == OK)
        e = json_get_str(o, "label", &name, why);
    if (e == OK &&
        (name == NULL || !label_parse(name, out) || *out == LABEL_IGNORE))
        e = problem_set(why, ERR_BADREQ, "invalid_label", "Invalid label",
                        "It is cloud-ok, redact or local-only.");
    cJSON_Delete(o);
    return e;
}

void
api_file_patch(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct problem p = {.err = OK};
    struct document d = {.id = 0};
    enum label label = LABEL_CLOUD_OK;
    struct files *f = NULL;
    enum err e = find_own(app, rq, &f, &d, &p);

    if (e == OK)
        e = read_label(rq, &label, &p);
    if (e == OK && (e = files_label(f, d.id, label)) != OK)
        (void)files_problem(&p, e, d.name);
    if (e != OK) {
        app_fail(app, rq, &p);
        return;
    }
    d.label = label;
    send_one(app, rq, &d);
}

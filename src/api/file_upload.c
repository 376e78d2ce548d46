/*
 * POST /files: files come as a form's (multipart/form-data, one or many), or
 * one as the body itself with ?name=. Each is written beside the index, noted
 * there as waiting, and given to the process that reads files; what it makes of
 * them is waited for a moment, and else seen with the next look at the list.
 *
 * One that is there already by its name is replaced. What was stored before
 * something went wrong stays, as the list says.
 */
#include "base/base.h"

#include <stdatomic.h>

#include "api/file_json.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/mem.h"
#include "base/text.h"
#include "chat/file_embed.h"
#include "files/broker.h"
#include "files/receive.h"
#include "http/multipart.h"
#include "http/spool.h"

#define NAME_MAX_BYTES 255
#define PIECE (256 * 1024) /* bytes of a body at once */
#define WAIT_MS 3000       /* for all files of a request to be read */
#define WAIT_ONE_MS 60000  /* where the process ends with this request */
#define FILE_BODY_MAX 8192 /* bytes of one in the reply */

struct upload {
    struct app *app;
    struct request *rq;
    struct files *files;
    struct collection col;
    struct receive file; /* that comes */
    char name[NAME_MAX_BYTES + 1];
    char field[16]; /* of a part that is no file */
    char value[32];
    size_t value_len;
    int64_t most; /* bytes that the owner may have; 0: any number */
    int64_t room; /* of them that the file may have */
    enum label label;
    bool labelled;
    int64_t ids[MULTIPART_PARTS_MAX];
    size_t n;
    struct problem *why;
};

/* --- a file --------------------------------------------------------------- */

static enum err
failed(struct upload *u, enum err e)
{
    if (u->why->err == OK)
        (void)problem_set(u->why, e, NULL, NULL, NULL);
    return u->why->err;
}

/* Of the owner, not of the disk, and not for a while: 507, without a time to
 * try again. */
static enum err
no_room(struct upload *u)
{
    (void)problem_set(u->why, ERR_TOOBIG, "files_full",
                      "There is no room for more files",
                      "Delete some first; %" PRId64 " MiB is the limit.",
                      conf_int(CONF_FILES_OWNER_MIB));
    u->why->status = 507;
    return u->why->err;
}

static bool
has_control(const char *name)
{
    for (; *name != '\0'; name++)
        if ((unsigned char)*name < ' ' || *name == 0x7F)
            return true;
    return false;
}

static enum err
file_begin(struct upload *u, const char *name)
{
    size_t n = strlen(name);
    enum err e = OK;

    if (n == 0 || n > NAME_MAX_BYTES || !utf8_valid(name, n) ||
        has_control(name))
        return problem_set(
            u->why, ERR_BADREQ, "invalid_name", "Invalid file name",
            "1 to %d bytes of UTF-8, no control characters.", NAME_MAX_BYTES);
    (void)snprintf(u->name, sizeof(u->name), "%s", name);
    if (u->most > 0)
        e = receive_room(u->files, u->col.id, name, u->most, &u->room);
    if (e == OK)
        e = receive_begin(&u->file, u->files, &u->col, name);
    return e == OK ? OK : failed(u, e);
}

static enum err
file_bytes(struct upload *u, const void *p, size_t n)
{
    int64_t mib = conf_int(CONF_FILES_UPLOAD_MIB);
    int64_t size = u->file.size + (int64_t)n;
    enum err e;

    if (size > mib << 20)
        return problem_set(u->why, ERR_TOOBIG, "file_too_big",
                           "The file is too large", "At most %" PRId64 " MiB.",
                           mib);
    if (u->most > 0 && size > u->room)
        return no_room(u);
    e = receive_bytes(&u->file, p, n);
    return e == OK ? OK : failed(u, e);
}

static enum err
file_end(struct upload *u)
{
    struct document d = {.label = u->label, .label_fixed = u->labelled};
    enum err e;

    (void)snprintf(d.name, sizeof(d.name), "%s", u->name);
    e = receive_end(&u->file, &d, u->most);
    if (d.id != 0)
        u->ids[u->n++] = d.id;
    if (e == ERR_LIMIT)
        return no_room(u);
    return e == OK ? OK : failed(u, e);
}

/* --- the form ------------------------------------------------------------- */

static enum err
part_begin(void *arg, const struct multipart_part *part)
{
    struct upload *u = arg;

    u->value_len = 0;
    u->field[0] = '\0';
    if (part->filename != NULL && part->filename[0] != '\0')
        return file_begin(u, part->filename);
    (void)snprintf(u->field, sizeof(u->field), "%s", part->name);
    return OK;
}

static enum err
part_bytes(void *arg, const void *p, size_t n)
{
    struct upload *u = arg;

    if (u->file.fd >= 0)
        return file_bytes(u, p, n);
    if (n < sizeof(u->value) - u->value_len) {
        (void)memcpy(u->value + u->value_len, p, n);
        u->value_len += n;
    }
    return OK;
}

/* Of all files of the request, also those before it. */
static enum err
take_label(struct upload *u, const char *name)
{
    enum err e = OK;

    u->labelled = true;
    if (!label_parse(name, &u->label) || u->label == LABEL_IGNORE)
        return problem_set(u->why, ERR_BADREQ, "invalid_label", "Invalid label",
                           "It is cloud-ok, redact or local-only.");
    for (size_t i = 0; i < u->n && e == OK; i++)
        e = files_label(u->files, u->ids[i], u->label);
    return e == OK || e == ERR_NOTFOUND ? OK : failed(u, e);
}

static enum err
part_end(void *arg)
{
    struct upload *u = arg;

    if (u->file.fd >= 0)
        return file_end(u);
    u->value[u->value_len] = '\0';
    return strcmp(u->field, "label") == 0 ? take_label(u, u->value) : OK;
}

/* --- the body ------------------------------------------------------------- */

typedef enum err feed_fn(void *arg, const void *p, size_t n);

static enum err
feed_body(const struct upload *u, feed_fn *feed, void *arg)
{
    const struct request *rq = u->rq;
    enum err e = OK;
    uint64_t at = 0;
    char *piece;
    ssize_t n;

    if (rq->body_fd < 0)
        return rq->body_len > 0 ? feed(arg, rq->body, rq->body_len) : OK;
    piece = xmalloc(PIECE);
    while (e == OK && (n = spool_read(rq->body_fd, at, piece, PIECE)) != 0) {
        e = n < 0 ? ERR_STORE : feed(arg, piece, (size_t)n);
        at += n > 0 ? (uint64_t)n : 0;
    }
    free(piece);
    return e;
}

struct form_feed {
    struct upload *u;
    struct multipart *m;
};

static enum err
feed_form(void *arg, const void *p, size_t n)
{
    struct form_feed *f = arg;

    return multipart_feed(f->m, p, n, f->u->why);
}

static enum err
read_form(struct upload *u)
{
    static const struct multipart_calls calls = {part_begin, part_bytes,
                                                 part_end};
    const char *type = request_var(u->rq, "CONTENT_TYPE");
    struct form_feed f = {.u = u};
    enum err e = multipart_new(type != NULL ? type : "", &calls, u, &f.m,
                               u->why);

    if (e == OK)
        e = feed_body(u, feed_form, &f);
    if (e == OK)
        e = multipart_end(f.m, u->why);
    multipart_free(f.m);
    return e;
}

static enum err
feed_file(void *arg, const void *p, size_t n)
{
    return file_bytes(arg, p, n);
}

/* The body is the file. */
static enum err
read_one(struct upload *u, const char *name)
{
    enum err e = file_begin(u, name);

    if (e == OK)
        e = feed_body(u, feed_file, u);
    return e == OK ? file_end(u) : e;
}

/* --- the request ---------------------------------------------------------- */

static enum err
upload_init(struct upload *u, struct problem *why)
{
    const char *label = NULL;
    enum err e;

    u->why = why;
    u->file.fd = -1;
    u->most = conf_int(CONF_FILES_OWNER_MIB) << 20;
    u->files = files_of(u->app, why);
    if (u->files == NULL)
        return why->err;
    if (strcmp(files_viewer(u->rq), FILES_SHARED) == 0)
        return problem_set(why, ERR_AUTH, "owner_needed", "Who are you?",
                           "Sign in, or let the browser keep cookies.");
    if (request_arg(u->rq, "label", &label, why) != OK)
        return why->err;
    if (label != NULL && take_label(u, label) != OK)
        return why->err;
    e = files_uploads(u->files, files_viewer(u->rq), &u->col);
    return e == OK ? OK : problem_set(why, e, NULL, NULL, NULL);
}

/* One request waits at a time: those that read files must not keep all others
 * from being answered. */
static atomic_bool waited_for;

static void
have_read(struct upload *u)
{
    int64_t until_ms = clock_mono_ms() + (u->app->one ? WAIT_ONE_MS : WAIT_MS);
    bool waits = !atomic_exchange(&waited_for, true);
    enum skip skip;

    for (size_t i = 0; i < u->n; i++) {
        int64_t left_ms = waits ? until_ms - clock_mono_ms() : 0;

        IGNORE(broker_read(u->app->broker, u->ids[i],
                           left_ms > 0 ? (int)left_ms : 0, &skip));
    }
    if (waits)
        atomic_store(&waited_for, false);
    file_embed_wake(u->app->en);
}

static void
answer(struct upload *u)
{
    struct document d;
    struct json_out j;
    struct buf body;

    buf_init(&body, (size_t)FILE_BODY_MAX * (MULTIPART_PARTS_MAX + 1));
    json_out_init(&j, &body);
    json_begin_obj(&j);
    json_name(&j, "files");
    json_begin_arr(&j);
    for (size_t i = 0; i < u->n; i++) {
        if (files_get(u->files, u->ids[i], &d) != OK)
            continue; /* deleted meanwhile */
        json_begin_obj(&j);
        document_put(&j, &d);
        json_end_obj(&j);
    }
    json_end_arr(&j);
    json_end_obj(&j);
    app_json(u->app, u->rq, 201, &body);
}

void
api_files_upload(void *arg, struct request *rq)
{
    struct upload *u = xcalloc(1, sizeof(*u));
    struct problem p = {.err = OK};
    const char *name = NULL;
    enum err e;

    u->app = arg;
    u->rq = rq;
    e = upload_init(u, &p);
    if (e == OK)
        e = request_arg(rq, "name", &name, &p);
    if (e == OK)
        e = strcmp(rq->type, "multipart/form-data") == 0 ? read_form(u)
            : name != NULL
                ? read_one(u, name)
                : problem_set(
                      &p, ERR_TYPE, NULL, NULL,
                      "Send a form with files (multipart/form-data), or a "
                      "file with ?name=.");
    receive_drop(&u->file);
    have_read(u);
    if (e == OK && u->n == 0)
        e = problem_set(&p, ERR_BADREQ, "missing_file", "There is no file",
                        "Send one or more as parts of the form.");
    if (e == OK) {
        answer(u);
    } else {
        (void)failed(u, e);
        app_fail(u->app, rq, &p);
    }
    free(u);
}

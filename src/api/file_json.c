/*
 * A file that was not taken says why, in a word for programs and a sentence for
 * people.
 */
#include "base/base.h"

#include "api/file_json.h"

#include <math.h>

#include "base/text.h"
#include "chat/file_embed.h"
#include "chat/retrieve.h"

#define UPLOADS "Uploads" /* the collection's name */

static const char *
status_of(const struct document *d)
{
    return d->skip == SKIP_NOT       ? "indexed"
           : d->skip == SKIP_WAITING ? "waiting"
                                     : "skipped";
}

static void
put_image(struct json_out *j, const struct facts *f)
{
    const char *s = f->tags;

    json_put_i64(j, "width", f->width);
    json_put_i64(j, "height", f->height);
    json_name(j, "tags");
    json_begin_arr(j);
    while (*s != '\0') {
        size_t n = strcspn(s, "\n");

        json_add_strn(j, s, n);
        s += n + (s[n] != '\0');
    }
    json_end_arr(j);
    json_put_str(j, "description", f->description);
    json_put_str(j, "described_by",
                 f->described_by[0] != '\0' ? f->described_by : NULL);
    json_put_str(j, "taken", f->taken[0] != '\0' ? f->taken : NULL);
    json_put_str(j, "camera", f->camera[0] != '\0' ? f->camera : NULL);
    if (f->has_place) {
        json_name(j, "latitude");
        json_add_num(j, round(f->latitude * 1e6) / 1e6);
        json_name(j, "longitude");
        json_add_num(j, round(f->longitude * 1e6) / 1e6);
    }
}

void
document_put(struct json_out *j, const struct document *d)
{
    json_put_str(j, "name", d->name);
    json_put_str(j, "title", d->facts.title);
    json_put_str(j, "type", d->facts.type);
    json_put_i64(j, "size", d->size);
    json_put_time(j, "modified", d->mtime_ns / 1000000);
    json_put_time(j, "added", d->added_ms);
    json_put_str(j, "status", status_of(d));
    if (d->skip != SKIP_NOT) {
        json_put_str(j, "reason", skip_name(d->skip));
        json_put_str(j, "message", skip_text(d->skip));
    }
    json_put_str(j, "label", label_name(d->label));
    json_put_bool(j, "shared", strcmp(d->owner, FILES_SHARED) == 0);
    json_put_i64(j, "chunks", d->chunks);
    json_put_i64(j, "text_length", d->text_len);
    json_put_bool(j, "image", d->image);
    if (d->image)
        put_image(j, &d->facts);
}

struct collections {
    struct json_out *j;
    struct files *files;
    struct file_embed_told told;
    bool tells; /* of vectors by a provider */
};

static bool
put_collection(void *arg, const struct collection *c)
{
    struct collections *all = arg;
    struct json_out *j = all->j;
    int64_t embedded = 0;

    json_begin_obj(j);
    json_put_i64(j, "id", c->id);
    json_put_str(j, "name", c->name);
    json_put_bool(j, "shared", strcmp(c->owner, FILES_SHARED) == 0);
    json_put_bool(j, "uploads", c->root[0] == '\0');
    json_put_i64(j, "documents", c->documents);
    json_put_i64(j, "skipped", c->skipped);
    json_put_i64(j, "chunks", c->chunks);
    if (all->tells &&
        files_embedded(all->files, all->told.model, c->id, &embedded) == OK)
        json_put_i64(j, "embedded", embedded);
    json_put_i64(j, "bytes", c->bytes);
    json_put_when(j, "updated", c->updated_ms);
    json_end_obj(j);
    return true;
}

static void
put_embedding(struct json_out *j, const struct file_embed_told *told)
{
    json_name(j, "embedding");
    json_begin_obj(j);
    json_put_str(j, "model", told->model);
    json_put_str(j, "state", told->state);
    json_put_str(j, "code", told->code[0] != '\0' ? told->code : NULL);
    json_end_obj(j);
}

enum err
collections_put(struct json_out *j, const struct app *app, const char *owner)
{
    struct collections all = {.j = j, .files = retrieve_files(app->en)};
    enum err e;

    all.tells = file_embed_tell(app->en, &all.told);
    json_name(j, "collections");
    json_begin_arr(j);
    e = files_collections(all.files, owner, put_collection, &all);
    json_end_arr(j);
    if (all.tells)
        put_embedding(j, &all.told);
    return e;
}

const char *
files_viewer(const struct request *rq)
{
    return retrieve_as(app_owner(rq), app_lists(rq));
}

struct files *
files_of(const struct app *app, struct problem *why)
{
    struct files *f = retrieve_files(app->en);

    if (f == NULL)
        (void)problem_set(why, ERR_IMPOSSIBLE, "files_off",
                          "Files are not offered here",
                          "The server was started with FILES=off, or its "
                          "index cannot be opened.");
    return f;
}

enum err
files_problem(struct problem *why, enum err e, const char *name)
{
    return e == ERR_NOTFOUND
               ? retrieve_missing(why, name,
                                  "GET /files lists those that there are.")
               : problem_set(why, e, NULL, NULL, NULL);
}

enum err
files_uploads(struct files *f, const char *owner, struct collection *out)
{
    return files_collection(f, owner, UPLOADS, "", out);
}

/*
 * Files and excerpts of them as JSON, and what their requests share.
 * Acceptor threads.
 */
#ifndef API_FILE_JSON_H
#define API_FILE_JSON_H

#include "api/app.h"
#include "base/json.h"
#include "files/files.h"

/* The members of one object. */
void document_put(struct json_out *j, const struct document *d);
/* The collections that owner sees: "collections": [...], and how far a
 * provider's vectors of them are: "embedding": {...}. */
enum err collections_put(struct json_out *j, const struct app *app,
                         const char *owner);

/* Who looks into the files for this request: its owner, or (who is nobody in
 * particular and may see no list) nobody, who sees what is shared. */
const char *files_viewer(const struct request *rq);
/* The index; NULL with the problem filled: files are not offered. */
struct files *files_of(const struct app *app, struct problem *why);
/* Say what an error of the index means. */
enum err files_problem(struct problem *why, enum err e, const char *name);
/* The collection that uploads of an owner are in, made if need be. */
MUST_USE enum err files_uploads(struct files *f, const char *owner,
                                struct collection *out);

#endif

/*
 * GET /search: the chunks of files that are about something, best first.
 */
#include "base/base.h"

#include "api/file_json.h"
#include "api/payer.h"
#include "api/who.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/text.h"
#include "chat/query_vector.h"
#include "files/cite.h"

#define RESULT_BODY_MAX (64 * 1024) /* bytes of one in a reply */

static void
put_hit(struct json_out *j, const struct files_hit *h)
{
    json_begin_obj(j);
    cite_put(j, h);
    json_put_str(j, "type", h->type);
    if (h->page > 0)
        json_put_i64(j, "page", h->page);
    json_end_obj(j);
}

static enum err
read_query(struct request *rq, struct files_query *q, struct problem *why)
{
    int64_t limit = conf_int(CONF_FILES_TOP_K), collection = 0;

    *q = (struct files_query){.owner = files_viewer(rq),
                              .per_document = FILES_PER_DOCUMENT,
                              .now_ms = clock_wall_ms()};
    if (request_arg(rq, "q", &q->text, why) != OK ||
        request_arg_i64(rq, "limit", 1, FILES_TOP_K_MAX, &limit, why) != OK ||
        request_arg_i64(rq, "collection", 0, INT64_MAX, &collection, why) != OK)
        return why->err;
    if (q->text == NULL || text_blank(q->text, strlen(q->text)))
        return problem_set(why, ERR_BADREQ, "missing_query",
                           "Missing required parameter: q",
                           "Say what you look for: /search?q=...");
    q->len = strlen(q->text);
    if (q->len > FILES_QUERY_MAX)
        return problem_set(why, ERR_TOOBIG, "query_too_long",
                           "The query is too long", "At most %d bytes.",
                           FILES_QUERY_MAX);
    q->top_k = (unsigned)limit;
    q->collection = collection;
    return OK;
}

static enum err
look(struct app *app, const struct request *rq, struct files *f,
     struct files_query *q, struct files_found *found)
{
    struct query_vector vector;
    struct payer payer;
    enum err e;

    payer_find(app, who_asks(rq), &payer);
    query_vector(app->en, q, &payer, NULL, &vector);
    e = files_search(f, q, found);
    query_vector_release(&vector);
    return e;
}

void
api_search(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct problem p = {.err = OK};
    struct files *f = files_of(app, &p);
    struct files_query q;
    struct files_found found;
    struct json_out j;
    struct buf body;
    enum err e = f != NULL ? read_query(rq, &q, &p) : p.err;

    if (e == OK && (e = look(app, rq, f, &q, &found)) != OK)
        (void)files_problem(&p, e, "");
    if (e != OK) {
        app_fail(app, rq, &p);
        return;
    }
    buf_init(&body, (size_t)RESULT_BODY_MAX * FILES_TOP_K_MAX);
    json_out_init(&j, &body);
    json_begin_obj(&j);
    json_name(&j, "results");
    json_begin_arr(&j);
    for (size_t i = 0; i < found.n; i++)
        put_hit(&j, &found.hits[i]);
    json_end_arr(&j);
    json_put_i64(&j, "documents", (int64_t)found.documents);
    json_end_obj(&j);
    files_found_release(&found);
    app_json(app, rq, 200, &body);
}

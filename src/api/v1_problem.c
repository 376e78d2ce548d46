/*
 * Errors of the compatible API, as replies. The openai packages choose the
 * class of an exception by the status, wait as Retry-After says, and believe
 * x-should-retry: what cannot get better is not asked again.
 */
#include "base/base.h"

#include "api/v1.h"

#include "base/metric.h"
#include "base/text.h"
#include "dialect/openai_out.h"

#define BODY_MAX (8 * 1024) /* bytes */
#define RETRY_LIMIT_S 1     /* where no other time is known */
#define RETRY_BUSY_S 2

bool
v1_is(const struct request *rq)
{
    return rq->path != NULL && text_starts(rq->path, "/v1/");
}

static int
v1_status(const struct problem *p)
{
    int status = openai_out_status(p);

    return status != 0 ? status : reply_status(p);
}

const char *
v1_body(const struct request *rq)
{
    return rq->body != NULL ? rq->body : "";
}

enum err
v1_check_type(const struct request *rq, struct problem *why)
{
    /* The last one is what curl -d says of anything. */
    static const char *const taken[] = {"", "application/json", "text/plain",
                                        "application/x-www-form-urlencoded"};

    for (size_t i = 0; i < COUNT_OF(taken); i++)
        if (strcmp(rq->type, taken[i]) == 0)
            return OK;
    return problem_set(why, ERR_TYPE, NULL, NULL, "Send application/json.");
}

static int
retry_after_s(const struct problem *p, int status)
{
    if (p->retry_after_s > 0)
        return p->retry_after_s;
    if (openai_out_final(p))
        return 0;
    return status == 429 ? RETRY_LIMIT_S : status == 503 ? RETRY_BUSY_S : 0;
}

enum err
v1_problem(struct request *rq, const struct problem *p, const char *param,
           const char *allow)
{
    int status = v1_status(p), after_s = retry_after_s(p, status);
    struct reply rp;

    metric_add(status >= 500 ? METRIC_REQUEST_FAILS : METRIC_REQUEST_ERRORS, 1);
    reply_begin(&rp, rq, status, BODY_MAX);
    if (after_s > 0)
        reply_header(&rp, "Retry-After", "%d", after_s);
    if (openai_out_final(p))
        reply_header(&rp, "X-Should-Retry", "false");
    if (allow != NULL && allow[0] != '\0')
        reply_header(&rp, "Allow", "%s", allow);
    reply_quota(&rp, p);
    openai_out_problem(reply_body(&rp, "application/json"), p, param);
    return reply_end(&rp);
}

void
v1_fail(struct app *app, struct request *rq, const struct problem *p,
        const char *param)
{
    app_end(app, rq, v1_problem(rq, p, param, NULL));
}

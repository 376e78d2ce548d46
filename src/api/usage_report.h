/*
 * A report of what was used of models: for GET /usage and, of everybody's, for
 * the administrator. Any thread that may wait for the store.
 *
 *   e = usage_report_read(&r, rq, now_ms, &p);
 *   usage_report_query(&r, owner, &q);
 *   e = store_ledger(s, &q); e = usage_report_whole(&r, &p);
 *   usage_report_put(&j, &r); usage_report_release(&r);
 */
#ifndef API_USAGE_REPORT_H
#define API_USAGE_REPORT_H

#include "base/json.h"
#include "http/request.h"
#include "store/store.h"

#define USAGE_REPORT_MAX (16 * 1024 * 1024) /* bytes of it as JSON */

enum usage_by { USAGE_BY_DAY, USAGE_BY_MODEL, USAGE_BY_USER };

struct usage_report {
    uint32_t from, to; /* days, both included */
    enum usage_by by;
    void *groups; /* owned; the report's, as are the others below */
    size_t n;
    bool too_many;
    struct ledger_sums total;
    struct json_out *j;
};

/* Begin one as the query's from, to and by say; this month by day if they do
 * not. ERR_BADREQ with why. r is always filled. */
MUST_USE enum err usage_report_read(struct usage_report *r, struct request *rq,
                                    int64_t now_ms, struct problem *why);
/* Have the ledger tell the rows to r; owner NULL: everybody's. Sets row, arg,
 * owner, from and to of q. */
void usage_report_query(struct usage_report *r, const char *owner,
                        struct ledger_query *q);
/* Is it all there? ERR_BADREQ with why. */
MUST_USE enum err usage_report_whole(const struct usage_report *r,
                                     struct problem *why);
/* Its members: from, to, by, rows, total. */
void usage_report_put(struct json_out *j, struct usage_report *r);
void usage_report_release(struct usage_report *r);

#endif

/*
 * The rank of a match. It is BM25 without the two parts that look at other
 * messages: the average length is a constant, and a rare word counts as much
 * as a common one, which says little when all of them have to be there. So
 * nobody's ranks tell of messages of others, and a rank does not change while
 * somebody turns the pages.
 *
 * A new message counts up to twice as much as an old one with the same words.
 * Pure.
 */
#include "base/base.h"

#include "store/search_rank.h"

#define K1 1.2
#define B 0.75
#define USUAL_BYTES 800.0 /* of a message */
#define TF_MAX 16         /* more of the same adds next to nothing */
#define RECENT_MS (30.0 * 24 * 3600 * 1000)
#define SCALE 1e6

/* How often a phrase is in the text: column 0, the first in the list. */
static int
frequency(const Fts5ExtensionApi *fts, Fts5Context *context, int phrase, int *n)
{
    Fts5PhraseIter at;
    int column, offset, rc;

    *n = 0;
    rc = fts->xPhraseFirst(context, phrase, &at, &column, &offset);
    while (rc == SQLITE_OK && column == 0 && offset >= 0 && *n < TF_MAX) {
        ++*n;
        fts->xPhraseNext(context, &at, &column, &offset);
    }
    return rc;
}

static void
rank(const Fts5ExtensionApi *fts, Fts5Context *context, sqlite3_context *out,
     int n_args, sqlite3_value **args)
{
    double bytes = n_args > 0 ? sqlite3_value_double(args[0]) : USUAL_BYTES;
    double norm = K1 * (1 - B + B * bytes / USUAL_BYTES), sum = 0;
    int phrases = fts->xPhraseCount(context), counted = 0, n;

    for (int i = 0; i < phrases; i++) {
        int rc = frequency(fts, context, i, &n);

        if (rc != SQLITE_OK) {
            sqlite3_result_error_code(out, rc);
            return;
        }
        if (n == 0)
            continue; /* the owner, the session, what is not wanted */
        counted++;
        sum += n * (K1 + 1) / (n + norm);
    }
    sqlite3_result_double(out, counted > 0 ? sum / counted : 0);
}

int
search_rank_register(fts5_api *api)
{
    return api->xCreateFunction(api, SEARCH_RANK, NULL, rank, NULL);
}

uint32_t
search_rank_score(double r, int64_t at_ms, int64_t now_ms)
{
    double age = at_ms < now_ms ? (double)now_ms - (double)at_ms : 0;

    return (uint32_t)(r * (1 + 1 / (1 + age / RECENT_MS)) * SCALE);
}

/*
 * The metrics table. A row is name, type and help; the value is an atomic
 * beside it. Histograms have fixed buckets in milliseconds, shown in seconds
 * as Prometheus wants them.
 */
#include "base/base.h"

#include "base/metric.h"

#include <stdatomic.h>

#include "base/buf.h"

struct row {
    const char *name, *type, *help;
};

static const struct row rows[METRIC__MAX] = {
    [METRIC_REQUESTS] = {"parley_requests_total", "counter",
                         "HTTP requests taken."},
    [METRIC_REQUEST_ERRORS] = {"parley_request_errors_total", "counter",
                               "HTTP requests refused with 4xx."},
    [METRIC_REQUEST_FAILS] = {"parley_request_failures_total", "counter",
                              "HTTP requests failed with 5xx."},
    [METRIC_TURNS] = {"parley_turns_total", "counter", "Turns begun."},
    [METRIC_TURNS_COMPLETE] = {"parley_turns_complete_total", "counter",
                               "Turns that ended with a whole answer."},
    [METRIC_TURNS_CANCELLED] = {"parley_turns_cancelled_total", "counter",
                                "Turns stopped by their user."},
    [METRIC_TURNS_INCOMPLETE] = {"parley_turns_incomplete_total", "counter",
                                 "Turns whose provider broke off."},
    [METRIC_TURNS_FAILED] = {"parley_turns_failed_total", "counter",
                             "Turns without an answer."},
    [METRIC_TURNS_RECOVERED] = {"parley_turns_recovered_total", "counter",
                                "Turns of dead processes that were closed."},
    [METRIC_TURNS_RUNNING] = {"parley_turns_running", "gauge",
                              "Turns being produced now."},
    [METRIC_READERS] = {"parley_readers", "gauge",
                        "Readers attached to streams now."},
    [METRIC_INPUT_TOKENS] = {"parley_input_tokens_total", "counter",
                             "Input tokens as counted by providers."},
    [METRIC_OUTPUT_TOKENS] = {"parley_output_tokens_total", "counter",
                              "Output tokens as counted by providers."},
    [METRIC_CACHED_TOKENS] = {"parley_cached_tokens_total", "counter",
                              "Input tokens read from a provider's cache."},
    [METRIC_UPSTREAM_REQUESTS] = {"parley_upstream_requests_total", "counter",
                                  "Requests to providers."},
    [METRIC_UPSTREAM_RETRIES] = {"parley_upstream_retries_total", "counter",
                                 "Requests to providers that were repeated."},
    [METRIC_UPSTREAM_FAILURES] = {"parley_upstream_failures_total", "counter",
                                  "Requests to providers that failed."},
    [METRIC_FALLBACKS] = {"parley_fallbacks_total", "counter",
                          "Turns handed on to another provider."},
    [METRIC_CIRCUITS_OPEN] = {"parley_circuits_open", "gauge",
                              "Providers that are not asked for now."},
    [METRIC_CACHE_HITS] = {"parley_cache_hits_total", "counter",
                           "Questions answered from the cache of answers."},
    [METRIC_CACHE_MISSES] = {"parley_cache_misses_total", "counter",
                             "Questions whose answer the cache had not."},
    [METRIC_CACHE_BYTES] = {"parley_cache_bytes", "gauge",
                            "Bytes of the answers in the cache."},
    [METRIC_SUMMARIES] = {"parley_summaries_total", "counter",
                          "Summaries of conversations written."},
    [METRIC_SUMMARIES_FAILED] = {"parley_summaries_failed_total", "counter",
                                 "Summaries that could not be written."},
    [METRIC_SUMMARIES_RUNNING] = {"parley_summaries_running", "gauge",
                                  "Summaries being written now."},
    [METRIC_TITLES] = {"parley_titles_total", "counter",
                       "Titles of sessions that a model wrote."},
    [METRIC_TITLES_FAILED] = {"parley_titles_failed_total", "counter",
                              "Titles that a model could not write."},
    [METRIC_WEBSOCKETS] = {"parley_websockets_total", "counter",
                           "WebSockets opened."},
    [METRIC_WEBSOCKETS_OPEN] = {"parley_websockets_open", "gauge",
                                "WebSockets open now."},
    [METRIC_WEBSOCKET_MESSAGES] = {"parley_websocket_messages_total", "counter",
                                   "Messages received over WebSocket."},
    [METRIC_AUDIT_LINES] = {"parley_audit_lines_total", "counter",
                            "Lines written into the audit log."},
    [METRIC_AUDIT_FAILURES] = {"parley_audit_failures_total", "counter",
                               "Writes of the audit log that failed."},
    [METRIC_AUDIT_LOST] = {"parley_audit_lost_total", "counter",
                           "Events that the audit log had no room for."},
    [METRIC_EVENTS] = {"parley_stream_events_total", "counter",
                       "Events appended to the stream log."},
    [METRIC_CHUNKS] = {"parley_upstream_chunks_total", "counter",
                       "Pieces of text received from providers."},
};

static const struct row time_rows[METRIC_TIME__MAX] = {
    [METRIC_FIRST_TOKEN] = {"parley_first_text_seconds", "histogram",
                            "From the beginning of a turn to its first text."},
    [METRIC_TURN] = {"parley_turn_seconds", "histogram",
                     "From the beginning of a turn to its end."},
    [METRIC_REQUEST] = {"parley_request_seconds", "histogram",
                        "From a request's arrival to its hand-over."},
};

static const int64_t bounds_ms[] = {1,   2,   5,    10,   25,   50,    100,
                                    250, 500, 1000, 2500, 5000, 10000, 60000};

struct histogram {
    atomic_int_least64_t bucket[COUNT_OF(bounds_ms) + 1];
    atomic_int_least64_t sum_ms;
};

static atomic_int_least64_t values[METRIC__MAX];
static struct histogram times[METRIC_TIME__MAX];

void
metric_add(enum metric m, int64_t n)
{
    atomic_fetch_add_explicit(&values[m], n, memory_order_relaxed);
}

int64_t
metric_get(enum metric m)
{
    return atomic_load_explicit(&values[m], memory_order_relaxed);
}

void
metric_observe_ms(enum metric_time t, int64_t ms)
{
    size_t i = 0;

    while (i < COUNT_OF(bounds_ms) && ms > bounds_ms[i])
        i++;
    atomic_fetch_add_explicit(&times[t].bucket[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&times[t].sum_ms, ms, memory_order_relaxed);
}

void
metric_print_one(struct buf *out, const char *name, const char *type,
                 const char *help, int64_t value)
{
    buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n%s %" PRId64 "\n", name, help,
             name, type, name, value);
}

static void
print_histogram(struct buf *out, const struct row *r, const struct histogram *h)
{
    int64_t seen = 0;
    int64_t sum_ms = atomic_load(&h->sum_ms);

    buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", r->name, r->help, r->name,
             r->type);
    for (size_t i = 0; i < COUNT_OF(bounds_ms); i++) {
        seen += atomic_load(&h->bucket[i]);
        buf_addf(out, "%s_bucket{le=\"%g\"} %" PRId64 "\n", r->name,
                 (double)bounds_ms[i] / 1000, seen);
    }
    seen += atomic_load(&h->bucket[COUNT_OF(bounds_ms)]);
    buf_addf(out,
             "%s_bucket{le=\"+Inf\"} %" PRId64 "\n%s_sum %.3f\n"
             "%s_count %" PRId64 "\n",
             r->name, seen, r->name, (double)sum_ms / 1000, r->name, seen);
}

void
metric_print(struct buf *out)
{
    for (size_t i = 0; i < METRIC__MAX; i++)
        metric_print_one(out, rows[i].name, rows[i].type, rows[i].help,
                         metric_get((enum metric)i));
    for (size_t i = 0; i < METRIC_TIME__MAX; i++)
        print_histogram(out, &time_rows[i], &times[i]);
}

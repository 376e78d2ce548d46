/*
 * What the service says of itself: status for people and clients, health for
 * balancers, metrics for Prometheus. Acceptor threads; values that the loop
 * owns are fetched from it.
 */
#include "base/base.h"

#include "api/account.h"
#include "api/app.h"
#include "api/ws_door.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/json.h"
#include "base/metric.h"
#include "chat/circuit.h"

#define STATUS_BODY_MAX (256 * 1024) /* bytes */
#define PROVIDERS_MAX 16

static void
put_providers(struct json_out *j, struct circuits *circuits)
{
    const struct provider *rows[PROVIDERS_MAX];
    int64_t now_ms = clock_mono_ms();
    bool configured[PROVIDERS_MAX];
    size_t n = catalog_list(rows, configured, PROVIDERS_MAX);

    json_name(j, "providers");
    json_begin_arr(j);
    for (size_t i = 0; i < n; i++) {
        json_begin_obj(j);
        json_put_str(j, "name", rows[i]->name);
        json_put_bool(j, "configured", configured[i]);
        json_put_str(j, "circuit",
                     circuit_name(circuit_state(circuits, rows[i], now_ms)));
        json_end_obj(j);
    }
    json_end_arr(j);
}

/* Clients that are there: WebSockets, and others that follow a stream. */
static int64_t
connections(const struct app *app)
{
    int64_t others = metric_get(METRIC_READERS) -
                     (int64_t)ws_door_following(app->ws);

    return (int64_t)ws_door_count(app->ws) + (others > 0 ? others : 0);
}

void
api_status(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct problem p = {.err = OK};
    struct route_choice route;
    struct json_out j;
    struct buf body;

    buf_init(&body, STATUS_BODY_MAX);
    json_out_init(&j, &body);
    json_begin_obj(&j);
    json_put_str(&j, "message", "Parley is running");
    json_put_str(&j, "status",
                 engine_draining(app->en) ? "stopping" : "running");
    json_put_str(&j, "version", APP_VERSION);
    json_put_i64(&j, "active_connections", connections(app));
    json_put_i64(&j, "running_turns", (int64_t)engine_running(app->en));
    json_put_i64(&j, "uptime_seconds",
                 (clock_wall_ms() - app->started_ms) / 1000);
    if (catalog_route(NULL, NULL, &route, &p) == OK) {
        json_put_str(&j, "provider", route.provider->name);
        json_put_str(&j, "model", route.model);
    }
    put_providers(&j, engine_circuits(app->en));
    account_put_ways(&j, app);
    json_name(&j, "transports");
    json_begin_arr(&j);
    json_add_str(&j, "sse");
    json_add_str(&j, "polling");
    if (app->ws != NULL)
        json_add_str(&j, "websocket");
    json_end_arr(&j);
    json_end_obj(&j);
    app_json(app, rq, 200, &body);
}

/* The names of the providers that can be asked. */
static void
put_configured(struct json_out *j)
{
    const struct provider *rows[PROVIDERS_MAX];
    bool configured[PROVIDERS_MAX];
    size_t n = catalog_list(rows, configured, PROVIDERS_MAX);

    json_name(j, "providers");
    json_begin_arr(j);
    for (size_t i = 0; i < n; i++)
        if (configured[i])
            json_add_str(j, rows[i]->name);
    json_end_arr(j);
}

void
api_health(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct store_op probe = {.kind = STORE_PROBE};
    struct problem p = {.err = OK};
    struct route_choice route;
    struct store_stats st;
    struct json_out j;
    struct buf body;
    bool route_ok = catalog_route(NULL, NULL, &route, &p) == OK;
    int64_t faults = (int64_t)catalog_faults() + conf_mistakes();
    bool ok, good = route_ok && faults == 0;

    store_stats(engine_store(app->en), &st);
    /* A full disk is asked again: it recovers by itself. */
    if (st.full)
        st.full = store_apply(engine_store(app->en), &probe) != OK;
    ok = !st.full && !engine_draining(app->en);
    buf_init(&body, STATUS_BODY_MAX);
    json_out_init(&j, &body);
    json_begin_obj(&j);
    json_put_str(&j, "status", ok ? (good ? "ok" : "degraded") : "down");
    json_put_str(&j, "store", st.full ? "full" : "ok");
    json_put_str(&j, "provider", route_ok ? "ok" : p.code);
    /* Which ones, the log says: it was told at start. */
    json_put_i64(&j, "configuration_faults", faults);
    put_configured(&j);
    json_put_bool(&j, "stopping", engine_draining(app->en));
    json_put_str(&j, "version", APP_VERSION);
    json_end_obj(&j);
    app_json(app, rq, ok ? 200 : 503, &body);
}

/* --- metrics ------------------------------------------------------------- */

/* 0: closed, 1: half open, 2: open. */
static int
circuit_level(enum circuit_state s)
{
    static const int levels[] = {
        [CIRCUIT_CLOSED] = 0,
        [CIRCUIT_HALF_OPEN] = 1,
        [CIRCUIT_OPEN] = 2,
    };

    return levels[s];
}

static void
print_circuits(struct buf *out, struct circuits *circuits)
{
    static const char name[] = "parley_provider_circuit";
    const struct provider *rows[PROVIDERS_MAX];
    int64_t now_ms = clock_mono_ms();
    bool configured[PROVIDERS_MAX];
    size_t n = catalog_list(rows, configured, PROVIDERS_MAX);

    buf_addf(out,
             "# HELP %s Circuit of a provider. 0: closed, 1: half open, 2: "
             "open.\n# TYPE %s gauge\n",
             name, name);
    for (size_t i = 0; i < n; i++)
        if (configured[i])
            buf_addf(out, "%s{provider=\"%s\"} %d\n", name, rows[i]->name,
                     circuit_level(circuit_state(circuits, rows[i], now_ms)));
}

struct log_call {
    struct engine *en;
    struct streamlog_stats stats;
};

static void
fetch_log(void *arg)
{
    struct log_call *c = arg;

    engine_log_stats(c->en, &c->stats);
}

static void
print_store(struct buf *out, const struct store_stats *st)
{
    metric_print_one(out, "parley_store_commits_total", "counter",
                     "Durable transactions.", (int64_t)st->commits);
    metric_print_one(out, "parley_store_operations_total", "counter",
                     "Operations in them.", (int64_t)st->ops);
    metric_print_one(out, "parley_store_failures_total", "counter",
                     "Transactions that failed.", (int64_t)st->failures);
    metric_print_one(out, "parley_store_sessions", "gauge", "Sessions.",
                     (int64_t)st->sessions);
    metric_print_one(out, "parley_store_messages", "gauge", "Messages.",
                     (int64_t)st->messages);
    metric_print_one(out, "parley_store_used_bytes", "gauge",
                     "Bytes of the store in use.", (int64_t)st->used_bytes);
    metric_print_one(out, "parley_store_full", "gauge",
                     "1 if the last write found the disk full.",
                     st->full ? 1 : 0);
}

void
api_metrics(void *arg, struct request *rq)
{
    struct app *app = arg;
    struct log_call log = {.en = app->en};
    struct store_stats st;
    struct reply rp;
    struct buf *out;

    store_stats(engine_store(app->en), &st);
    engine_call(app->en, fetch_log, &log);
    reply_begin(&rp, rq, 200, STATUS_BODY_MAX);
    out = reply_body(&rp, "text/plain; version=0.0.4; charset=utf-8");
    metric_print(out);
    print_circuits(out, engine_circuits(app->en));
    print_store(out, &st);
    metric_print_one(out, "parley_stream_log_commits_total", "counter",
                     "Transactions of the stream log.",
                     (int64_t)log.stats.commits);
    metric_print_one(out, "parley_stream_log_used_bytes", "gauge",
                     "Bytes of the stream log in use.",
                     (int64_t)log.stats.used_bytes);
    metric_print_one(out, "parley_stream_capacity", "gauge",
                     "Turns that can run at once.",
                     (int64_t)engine_capacity(app->en));
    app_end(app, rq, reply_end(&rp));
}

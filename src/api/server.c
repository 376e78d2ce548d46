/*
 * Starting and stopping. Signals are blocked in every thread and read from a
 * signalfd by the loop, so a stop is an event like others: new turns are
 * refused with 503, running ones finish until the deadline, then the loop ends
 * and everything is closed in reverse order. A second signal ends the wait.
 */
#include "base/base.h"

#include "api/server.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/app.h"
#include "api/body_limits.h"
#include "api/confine.h"
#include "api/file_service.h"
#include "api/hosts.h"
#include "api/ws_door.h"
#include "api/session_export.h"
#include "auth/auth.h"
#include "auth/oidc.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "http/door.h"
#include "ops/audit.h"
#include "http/request_peer.h"

#define IDLE_POLL_MS 1000

struct server {
    struct app app;
    struct doors *doors;
    struct loop_io signal_io;
    struct loop_timer idle;
    struct mail answered; /* SERVER_ONE: the handler returned */
    struct request *rq;   /* SERVER_ONE */
    struct problem why;
    bool stopping;
};

static void
on_signal(struct loop_io *io, uint32_t events)
{
    struct server *s = io->arg;
    struct signalfd_siginfo info;

    (void)events;
    if (read(io->fd, &info, sizeof(info)) != sizeof(info))
        return;
    log_info("server.stop", "signal=%u running=%zu", info.ssi_signo,
             engine_running(s->app.en));
    if (s->stopping)
        loop_stop(engine_loop(s->app.en));
    s->stopping = true;
    engine_drain(s->app.en, conf_int(CONF_SHUTDOWN_MS));
    ws_door_stop(s->app.ws);
}

static void
on_idle(struct loop_timer *t)
{
    struct server *s = t->arg;
    struct loop *l = engine_loop(s->app.en);

    if (engine_idle_ms(s->app.en) >= conf_int(CONF_ENGINE_IDLE_MS) &&
        ws_door_count(s->app.ws) == 0) {
        log_info("server.idle", "ms=%" PRId64, engine_idle_ms(s->app.en));
        engine_drain(s->app.en, 0);
        ws_door_stop(s->app.ws);
        return;
    }
    loop_timer_set(l, t, loop_now_ms(l) + IDLE_POLL_MS);
}

/* SIGTERM and its kin as events; SIGPIPE is of no interest. */
static int
watch_signals(struct server *s)
{
    sigset_t set;
    int fd;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGUSR1);
    (void)sigaddset(&set, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    s->signal_io.fd = fd;
    s->signal_io.fn = on_signal;
    s->signal_io.arg = s;
    return fd;
}

static enum err
open_doors(struct server *s, enum server_mode mode)
{
    struct door_config dc = {
        .fcgi_fd = mode == SERVER_FCGI ? STDIN_FILENO : -1,
        .threads = (unsigned)conf_int(CONF_THREADS),
        .base_path = conf_str(CONF_BASE_PATH),
        .fn = app_request,
        .arg = &s->app,
    };
    char path[4096];

    body_limits_load(&dc.body);
    (void)snprintf(path, sizeof(path), "%s/%s", conf_str(CONF_DATA_DIR),
                   CGI_SOCKET);
    dc.engine_fd = cgi_listen(path);
    if (mode == SERVER_ENGINE && dc.engine_fd < 0)
        return ERR_CONFLICT; /* another engine was faster */
    s->app.ws = ws_door_open(&s->app);
    return doors_open(&s->doors, &dc);
}

/* The handler has handed its turn over: stop when that is done. */
static void
on_answered(struct mail *m)
{
    struct server *s = m->arg;

    engine_drain(s->app.en, conf_int(CONF_UPSTREAM_TOTAL_MS));
}

static void *
answer_one(void *arg)
{
    struct server *s = arg;

    app_request(&s->app, s->rq, &s->why);
    s->answered.fn = on_answered;
    s->answered.arg = s;
    loop_post(engine_loop(s->app.en), &s->answered);
    return NULL;
}

/* One CGI request in this very process: a thread plays the acceptor. */
static int
run_one(struct server *s)
{
    struct body_limits limits;
    pthread_t acceptor;

    body_limits_load(&limits);
    if (cgi_request(&s->rq, &limits, conf_str(CONF_BASE_PATH), &s->why) != OK &&
        s->rq == NULL)
        return 1;
    if (pthread_create(&acceptor, NULL, answer_one, s) != 0)
        return 1;
    engine_run(s->app.en);
    (void)pthread_join(acceptor, NULL);
    return 0;
}

static int
run(struct server *s, enum server_mode mode)
{
    struct loop *l = engine_loop(s->app.en);

    if (loop_io_set(l, &s->signal_io, EPOLLIN) != OK)
        return 1;
    if (mode == SERVER_ONE)
        return run_one(s);
    if (open_doors(s, mode) != OK)
        return 1;
    if (mode == SERVER_ENGINE) {
        s->idle.fn = on_idle;
        s->idle.arg = s;
        loop_timer_set(l, &s->idle, clock_mono_ms() + IDLE_POLL_MS);
    }
    log_info("server.start", "pid=%d mode=%d capacity=%zu", (int)getpid(),
             (int)mode, engine_capacity(s->app.en));
    engine_run(s->app.en);
    return 0;
}

static void
on_config_fault(void *arg, const struct catalog_fault *f)
{
    (void)arg;
    if (f->line > 0)
        log_warn("conf.file", "file=\"%s\" line=%d rule=\"%s\"", f->name,
                 f->line, f->rule);
    else
        log_warn("conf.value", "name=\"%s\" rule=\"%s\"", f->name, f->rule);
}

/* What is wrong with the providers' settings, and who answers. */
static void
check_providers(void)
{
    struct route_choice route;
    struct problem p = {.err = OK};
    size_t faults = catalog_check(on_config_fault, NULL);

    if (catalog_route(NULL, NULL, &route, &p) == OK)
        log_info("server.provider", "name=%s model=\"%s\" faults=%zu",
                 route.provider->name, route.model, faults);
    else
        log_warn("server.provider", "code=%s faults=%zu", p.code, faults);
}

static void
trust_proxies(void)
{
    struct problem p = {.err = OK};

    if (request_trust(conf_str(CONF_TRUSTED_PROXIES), &p) != OK)
        log_warn("conf.value", "name=TRUSTED_PROXIES rule=\"%s\"", p.message);
}

/* Before anything happens that has to be noted. */
static enum err
open_audit(void)
{
    struct audit_config c;
    enum err e;

    if (!audit_config_load(&c))
        return OK;
    e = audit_start(&c);
    if (e == OK)
        audit_settings(&c);
    return e;
}

static enum err
open_oidc(struct server *s)
{
    struct problem p = {.err = OK};

    if (oidc_open(&s->app.oidc, engine_store(s->app.en),
                  auth_fetcher(s->app.auth), &p) != OK) {
        log_error("oidc.open", "code=%s message=\"%s\"", p.code, p.message);
        return p.err;
    }
    return OK;
}

static enum err
open_auth(struct server *s)
{
    const struct auth_config c = {
        .store = engine_store(s->app.en),
        .loop = engine_loop(s->app.en),
        .transfers = engine_transfers(s->app.en),
        .data_dir = conf_str(CONF_DATA_DIR),
        .threads = (unsigned)conf_int(CONF_THREADS),
    };
    enum err e = auth_open(&s->app.auth, &c);

    if (e != OK)
        return e;
    e = open_oidc(s);
    if (e != OK)
        auth_close(s->app.auth);
    return e;
}

int
server_run(enum server_mode mode)
{
    struct server s = {.signal_io.fd = -1};
    int status = 1;

    /* Requests are made on one thread and freed on another: a heap for each
     * thread would only hold what the others miss. */
    (void)mallopt(M_ARENA_MAX, 2);
    (void)umask(077);
    reply_set_origins(conf_str(CONF_ALLOWED_ORIGINS));
    reply_set_key_header(conf_str(CONF_API_KEY_HEADER));
    trust_proxies();
    hosts_load();
    check_providers();
    s.app.one = mode == SERVER_ONE;
    s.app.ping_ms = conf_int(CONF_PING_MS);
    s.app.started_ms = clock_wall_ms();
    file_service_begin(&s.app);
    confine();
    if (watch_signals(&s) < 0 || open_audit() != OK)
        goto end_files;
    if (engine_open(&s.app.en) != OK)
        goto stop_audit;
    command_exporter(s.app.en, session_export);
    file_service_open(&s.app);
    if (open_auth(&s) != OK)
        goto close_engine;
    status = run(&s, mode);
    auth_stop(s.app.auth);
    doors_close(s.doors);
    ws_door_close(s.app.ws);
    oidc_free(s.app.oidc);
    auth_close(s.app.auth);
close_engine:
    engine_close(s.app.en);
    file_service_close(&s.app);
stop_audit:
    audit_stop();
end_files:
    if (s.signal_io.fd >= 0)
        (void)close(s.signal_io.fd);
    file_service_end(&s.app);
    log_info("server.end", "pid=%d status=%d", (int)getpid(), status);
    return status;
}

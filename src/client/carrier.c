/*
 * One curl_multi with one easy handle for the exchange that runs, so that the
 * wait for it can be left at once: an eventfd is waited for beside curl's own
 * sockets, and writing to that is allowed in a signal handler. Connections are
 * kept by the multi handle between exchanges. A second easy handle serves the
 * one request that is made while another reply is read: "stop".
 *
 * Nothing here asks twice; who may do that is over_http.c's to know.
 */
#include "base/base.h"

#include "client/carrier.h"

#include <ctype.h>
#include <curl/curl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "client/inside.h"

#define STEP_MS 1000 /* the longest wait; nothing depends on it */

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

/* One exchange while it runs. */
struct running {
    struct carrier_call *call;
    CURL *easy;
    enum err data_err;
};

static void
start_curl(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        abort(); /* for want of memory */
}

void
carrier_init(struct carrier *c)
{
    memset(c, 0, sizeof(*c));
    c->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

static void
end_side(struct carrier *c)
{
    if (c->side == NULL)
        return;
    (void)curl_multi_remove_handle(c->multi, c->side);
    curl_easy_cleanup(c->side);
    curl_slist_free_all(c->side_list);
    c->side = NULL;
    c->side_list = NULL;
}

void
carrier_release(struct carrier *c)
{
    end_side(c);
    if (c->multi != NULL)
        (void)curl_multi_cleanup(c->multi);
    c->multi = NULL;
    if (c->wake_fd >= 0)
        (void)close(c->wake_fd);
    c->wake_fd = -1;
}

void
carrier_call_init(struct carrier_call *call, const char *method,
                  const char *url)
{
    memset(call, 0, sizeof(*call));
    call->method = method;
    call->url = url;
    buf_init(&call->reply, CLIENT_REPLY_MAX);
}

void
carrier_call_release(struct carrier_call *call)
{
    buf_release(&call->reply);
}

/* --- stopping ------------------------------------------------------------- */

void
carrier_stop(struct carrier *c)
{
    const uint64_t one = 1;
    int saved = errno;

    atomic_fetch_add(&c->stops, 1);
    IGNORE(write(c->wake_fd, &one, sizeof(one)) < 0);
    errno = saved;
}

void
carrier_reset(struct carrier *c)
{
    uint64_t n;

    IGNORE(read(c->wake_fd, &n, sizeof(n)) < 0);
    atomic_store(&c->stops, 0);
}

void
carrier_drain(struct carrier *c)
{
    uint64_t n;

    IGNORE(read(c->wake_fd, &n, sizeof(n)) < 0);
}

static void
need_multi(struct carrier *c)
{
    (void)pthread_once(&curl_once, start_curl);
    if (c->multi == NULL)
        c->multi = curl_multi_init();
    if (c->multi == NULL)
        abort();
}

bool
carrier_pause(struct carrier *c, int ms)
{
    struct curl_waitfd wake = {.fd = c->wake_fd, .events = CURL_WAIT_POLLIN};

    need_multi(c);
    if (atomic_load(&c->stops) == 0)
        (void)curl_multi_poll(c->multi, &wake, 1, ms, NULL);
    return atomic_load(&c->stops) == 0;
}

/* --- an exchange ---------------------------------------------------------- */

static size_t
on_data(char *s, size_t size, size_t n, void *arg)
{
    struct running *r = arg;
    long status = 0;

    (void)size; /* 1 */
    (void)curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
    if (r->call->data != NULL && status == 200) {
        r->data_err = r->call->data(r->call->arg, s, n);
        return r->data_err == OK ? n : 0;
    }
    buf_add(&r->call->reply, s, n);
    r->data_err = buf_status(&r->call->reply);
    return r->data_err == OK ? n : 0;
}

static struct curl_slist *
header_list(const struct carrier_call *call)
{
    struct curl_slist *list = NULL, *more;

    for (size_t i = 0; i < COUNT_OF(call->headers); i++) {
        if (call->headers[i] == NULL || call->headers[i][0] == '\0')
            continue;
        more = curl_slist_append(list, call->headers[i]);
        if (more == NULL)
            abort(); /* as xmalloc does */
        list = more;
    }
    more = curl_slist_append(list, "Expect:");
    if (more == NULL)
        abort();
    return more;
}

void *
carrier_easy(const struct carrier *c, const char *url)
{
    CURL *easy;

    (void)pthread_once(&curl_once, start_curl);
    easy = curl_easy_init();
    if (easy == NULL)
        abort();
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_URL, url);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                           (long)c->connect_ms);
    (void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    if (c->ca_file != NULL)
        (void)curl_easy_setopt(easy, CURLOPT_CAINFO, c->ca_file);
    return easy;
}

static CURL *
make_easy(const struct carrier *c, const struct carrier_call *call,
          struct curl_slist *list)
{
    CURL *easy = carrier_easy(c, call->url);

    (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, "parley/" PARLEY_VERSION);
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
    (void)curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
                           (long)CARRIER_SILENCE_S);
    if (call->body != NULL) {
        (void)curl_easy_setopt(easy, CURLOPT_POST, 1L);
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                               (curl_off_t)call->body_len);
        (void)curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, call->body);
    }
    (void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
    return easy;
}

void
carrier_why(char why[CARRIER_WHY_MAX], int code, const char *error)
{
    (void)snprintf(why, CARRIER_WHY_MAX, "%s",
                   error[0] != '\0' ? error
                                    : curl_easy_strerror((CURLcode)code));
    for (size_t n = 0; why[n] != '\0'; n++)
        if (iscntrl((unsigned char)why[n]))
            why[n] = ' ';
}

static enum carrier_end
end_of(CURLcode code, const struct running *r)
{
    switch (code) {
    case CURLE_OK: return CARRIER_DONE;
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return CARRIER_NOWHERE;
    case CURLE_OPERATION_TIMEDOUT: {
        curl_off_t connected_us = 0;

        (void)curl_easy_getinfo(r->easy, CURLINFO_CONNECT_TIME_T,
                                &connected_us);
        return connected_us > 0 ? CARRIER_CUT : CARRIER_NOWHERE;
    }
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM: return CARRIER_WRONG;
    default: return r->data_err == ERR_TOOBIG ? CARRIER_WRONG : CARRIER_CUT;
    }
}

static void
keep_head(struct running *r)
{
    const char *s = NULL;
    long status = 0;

    (void)curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
    r->call->status = (int)status;
    (void)curl_easy_getinfo(r->easy, CURLINFO_CONTENT_TYPE, &s);
    (void)snprintf(r->call->type, sizeof(r->call->type), "%s",
                   s != NULL ? s : "");
    r->call->type[strcspn(r->call->type, "; ")] = '\0';
    s = NULL;
    (void)curl_easy_getinfo(r->easy, CURLINFO_REDIRECT_URL, &s);
    (void)snprintf(r->call->location, sizeof(r->call->location), "%s",
                   s != NULL ? s : "");
}

/* True: the exchange is over, and *code says how. */
static bool
over(struct carrier *c, const struct running *r, CURLcode *code)
{
    bool done = false;
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(c->multi, &left)) != NULL) {
        if (m->msg != CURLMSG_DONE)
            continue;
        if (m->easy_handle == r->easy) {
            *code = m->data.result;
            done = true;
        } else {
            end_side(c);
        }
    }
    return done;
}

static enum carrier_end
run(struct carrier *c, struct running *r)
{
    struct curl_waitfd wake = {.fd = c->wake_fd, .events = CURL_WAIT_POLLIN};
    CURLcode code = CURLE_OK;
    char error[CURL_ERROR_SIZE] = "";
    enum carrier_end end;
    int n;

    (void)curl_easy_setopt(r->easy, CURLOPT_ERRORBUFFER, error);
    for (;;) {
        if (curl_multi_perform(c->multi, &n) != CURLM_OK)
            abort(); /* a bug, or no memory */
        if (over(c, r, &code))
            break;
        if (r->call->tick != NULL ? !r->call->tick(r->call->arg)
                                  : atomic_load(&c->stops) > 0) {
            end = CARRIER_STOPPED;
            goto out;
        }
        (void)curl_multi_poll(c->multi, &wake, 1, STEP_MS, NULL);
        carrier_drain(c);
    }
    end = end_of(code, r);
    if (end != CARRIER_DONE)
        carrier_why(r->call->why, (int)code, error);
out:
    keep_head(r);
    (void)curl_easy_setopt(r->easy, CURLOPT_ERRORBUFFER, NULL);
    return end;
}

enum carrier_end
carrier_run(struct carrier *c, struct carrier_call *call)
{
    struct curl_slist *list = header_list(call);
    struct running r = {.call = call, .data_err = OK};
    enum carrier_end end;

    r.easy = make_easy(c, call, list);
    need_multi(c);
    (void)curl_easy_setopt(r.easy, CURLOPT_WRITEFUNCTION, on_data);
    (void)curl_easy_setopt(r.easy, CURLOPT_WRITEDATA, &r);
    if (curl_multi_add_handle(c->multi, r.easy) != CURLM_OK)
        abort();
    end = run(c, &r);
    end_side(c);
    (void)curl_multi_remove_handle(c->multi, r.easy);
    curl_easy_cleanup(r.easy);
    curl_slist_free_all(list);
    return end;
}

/* --- beside it ------------------------------------------------------------ */

static size_t
ignore_data(char *s, size_t size, size_t n, void *arg)
{
    (void)s;
    (void)arg;
    return size * n;
}

void
carrier_beside(struct carrier *c, const struct carrier_call *call)
{
    if (c->side != NULL || c->multi == NULL)
        return;
    c->side_list = header_list(call);
    c->side = make_easy(c, call, c->side_list);
    (void)curl_easy_setopt(c->side, CURLOPT_WRITEFUNCTION, ignore_data);
    if (curl_multi_add_handle(c->multi, c->side) != CURLM_OK)
        abort();
}

/*
 * The first request: is there a way, does it lead to a Parley, and may we trust
 * it? A redirect of the whole site (to https, mostly) is followed and said. A
 * certificate that is not good fails, and what follows is asked all the same,
 * without saying who asks.
 */
#include "base/base.h"

#include "doctor.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

#define MOVES_MAX 3
#define DAY_S 86400
#define CERT_WARN_DAYS 21
#define CLOCK_OK_S 5
#define CLOCK_WARN_S 60 /* AWS takes signatures of five minutes at most */

static bool
is_loopback(const char *base)
{
    const char *host = strstr(base, "://") + 3;

    return text_istarts(host, "localhost") || text_starts(host, "127.") ||
           text_starts(host, "[::1]");
}

/* --- what the first reply says besides ------------------------------------ */

static void
look_at_tls(struct doctor *d, const struct doctor_call *c)
{
    if (!text_starts(d->base, "https://")) {
        if (is_loopback(d->base))
            return;
        doctor_say(d, DOCTOR_WARN, "tls",
                   "nothing is encrypted on the way: whoever is on it can read "
                   "what is said");
        doctor_change(d, "lighttpd",
                      "ssl.engine = \"enable\" (mod_openssl, ssl.pemfile)");
        doctor_change(d, "apache", "SSLEngine on");
        doctor_change(d, "nginx", "listen 443 ssl;");
        return;
    }
    if (d->unverified)
        return; /* said */
    if (!c->has_cert) {
        doctor_say(d, DOCTOR_OK, "tls", "the certificate is good");
        return;
    }
    doctor_say(d,
               c->cert_s < (int64_t)CERT_WARN_DAYS * DAY_S ? DOCTOR_WARN
                                                           : DOCTOR_OK,
               "tls", "the certificate is good for %" PRId64 " days more",
               c->cert_s / DAY_S);
    if (c->cert_s < (int64_t)CERT_WARN_DAYS * DAY_S)
        doctor_change(d, "shell", "certbot renew (or how you got it)");
}

static void
look_at_clock(struct doctor *d, const struct doctor_call *c)
{
    int64_t server_s, off_s;

    if (c->date[0] == '\0' || clock_http_date(c->date, &server_s) != OK) {
        doctor_say(d, DOCTOR_NOTE, "clock", "the reply has no Date");
        return;
    }
    off_s = server_s - clock_wall_ms() / 1000;
    if (off_s < 0)
        off_s = -off_s;
    if (off_s * 1000 <= c->took_ms + (int64_t)CLOCK_OK_S * 1000) {
        doctor_say(d, DOCTOR_OK, "clock", "the server's agrees with ours");
        return;
    }
    doctor_say(d, off_s > CLOCK_WARN_S ? DOCTOR_WARN : DOCTOR_NOTE, "clock",
               "the server's and ours differ by %" PRId64
               " seconds; signed requests to providers fail if it is the "
               "server's that is wrong",
               off_s);
    doctor_change(d, "shell", "timedatectl set-ntp true");
}

static void
look_at_health(struct doctor *d)
{
    struct doctor_call c;
    char status[32], store[32];
    enum doctor_end end;

    doctor_call_init(&c, "GET", NULL);
    end = doctor_ask(d, &c, "GET", "/health", NULL);
    doctor_field(&c, "status", status, sizeof(status));
    doctor_field(&c, "store", store, sizeof(store));
    if (end == DOCTOR_REPLY && c.status == 200 && strcmp(status, "ok") == 0) {
        doctor_say(d, DOCTOR_OK, "health", "the server says it is well");
    } else if (end == DOCTOR_REPLY && strcmp(status, "degraded") == 0) {
        doctor_say(d, DOCTOR_WARN, "health",
                   "the server works, and finds faults in its settings; its "
                   "log names them");
    } else {
        doctor_say(d, DOCTOR_FAIL, "health", "GET /health %s%s",
                   doctor_end_text(end, &c),
                   strcmp(store, "full") == 0 ? ": its disk is full" : "");
    }
    doctor_call_release(&c);
}

/* HTTP/2 that ends in a lighttpd: eight requests, and then a stall. */
static void
look_at_version(struct doctor *d, const struct doctor_call *c)
{
    char version[32];

    doctor_field(c, "version", version, sizeof(version));
    if (strcmp(version, PARLEY_VERSION) == 0)
        doctor_say(d, DOCTOR_OK, "connect", "Parley %s answers at %s/", version,
                   d->base);
    else
        doctor_say(d, DOCTOR_NOTE, "connect",
                   "Parley %s answers at %s/; this program is of version %s",
                   version, d->base, PARLEY_VERSION);
    if (!c->http2 || !text_istarts(d->server, "lighttpd"))
        return;
    doctor_say(d, DOCTOR_WARN, "http2",
               "lighttpd's HTTP/2 stalls when a page has more than eight "
               "streams open");
    doctor_advise(d, ADVICE_HTTP2);
}

/* --- the way -------------------------------------------------------------- */

/* The base of a Location that is base + "/status". */
static bool
move(struct doctor *d, const char *location)
{
    static const char path[] = "/status";
    size_t n = strlen(location);

    if (n <= strlen(path) || n - strlen(path) >= sizeof(d->base) - 256 ||
        strcmp(location + n - strlen(path), path) != 0 ||
        strncmp(location, d->base, n - strlen(path)) == 0)
        return false;
    doctor_say(d, DOCTOR_NOTE, "connect", "%s/ leads to %.*s/", d->base,
               (int)(n - strlen(path)), location);
    memcpy(d->base, location, n - strlen(path));
    d->base[n - strlen(path)] = '\0';
    d->authorization[0] = '\0'; /* it was meant for the other one */
    return true;
}

static void
say_unreached(struct doctor *d, enum doctor_end end,
              const struct doctor_call *c)
{
    d->unreachable = true;
    doctor_say(d, DOCTOR_FAIL, "connect", "%s/ %s", d->base,
               end == DOCTOR_REPLY ? "leads in a circle"
                                   : doctor_end_text(end, c));
    if (end == DOCTOR_NOWHERE && is_loopback(d->base))
        doctor_change(d, "shell", "make run (is the server there?)");
}

/* Somebody answers: is it a Parley? */
static bool
is_parley(struct doctor *d, const struct doctor_call *c)
{
    cJSON *o = json_parse_lenient(c->reply.data, c->reply.len);
    bool is = c->status == 200 && o != NULL && json_str(o, "version") &&
              json_arr(o, "transports");

    cJSON_Delete(o);
    if (is)
        return true;
    if (c->status == 401 || c->status == 403) {
        doctor_say(d, DOCTOR_FAIL, "connect",
                   "%s/ wants to know who asks (status %d)", d->base,
                   c->status);
        doctor_change(d, "shell",
                      "PARLEY_USERNAME=… PARLEY_PASSWORD=… parley doctor …");
    } else if (c->status >= 500) {
        doctor_say(d, DOCTOR_FAIL, "connect",
                   "the web server at %s/ does not reach the program (status "
                   "%d); its log says why",
                   d->base, c->status);
    } else {
        doctor_say(d, DOCTOR_FAIL, "connect",
                   "what answers at %s/ is no Parley (status %d); is the path "
                   "right?",
                   d->base, c->status);
        doctor_advise(d, ADVICE_MOUNT);
    }
    return false;
}

bool
doctor_connect(struct doctor *d)
{
    struct doctor_call c;
    enum doctor_end end;
    bool good = false;
    int moves = 0;

again:
    doctor_call_init(&c, "GET", NULL);
    c.headers[0] = "Accept: application/json";
    end = doctor_ask(d, &c, "GET", "/status", NULL);
    if (end == DOCTOR_UNTRUSTED && !d->unverified) {
        doctor_say(d, DOCTOR_FAIL, "tls", "the certificate is not good: %s",
                   c.why);
        doctor_change(d, "shell",
                      "certbot renew, or --ca-file for an authority of yours");
        d->unverified = true;
        doctor_call_release(&c);
        goto again;
    }
    if (end == DOCTOR_REPLY && c.status / 100 == 3 && moves++ < MOVES_MAX &&
        move(d, c.location)) {
        doctor_call_release(&c);
        goto again;
    }
    (void)snprintf(d->server, sizeof(d->server), "%s", c.server);
    if (end != DOCTOR_REPLY || c.status / 100 == 3) {
        say_unreached(d, end, &c);
    } else if (is_parley(d, &c)) {
        good = true;
        look_at_version(d, &c);
        look_at_tls(d, &c);
        look_at_clock(d, &c);
        look_at_health(d);
    }
    doctor_call_release(&c);
    return good;
}

/*
 * One HTTP exchange of `parley doctor`, over libcurl: a handle and a connection
 * for each, so that none profits from another and any thread may have its own.
 * The client library's carrier gives what a client needs; here headers, the
 * times of arrival and the certificate are the point. Redirects are not
 * followed.
 */
#include "base/base.h"

#include "doctor.h"

#include <ctype.h>
#include <curl/curl.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

#define REPLY_MAX (4 * 1024 * 1024) /* bytes */
#define CONNECT_MS 10000
#define LIMIT_MS 30000

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void
start_curl(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        abort(); /* for want of memory */
}

void
doctor_call_init(struct doctor_call *c, const char *method, const char *url)
{
    memset(c, 0, sizeof(*c));
    c->method = method;
    c->url = url;
    c->limit_ms = LIMIT_MS;
    buf_init(&c->reply, REPLY_MAX);
}

void
doctor_call_release(struct doctor_call *c)
{
    buf_release(&c->reply);
}

/* --- what comes ----------------------------------------------------------- */

static size_t
on_data(char *s, size_t size, size_t n, void *arg)
{
    struct doctor_call *c = arg;

    (void)size; /* 1 */
    if (c->data != NULL) {
        c->data(c->arg, s, n);
        return n;
    }
    buf_add(&c->reply, s, n);
    return buf_status(&c->reply) == OK ? n : 0;
}

static void
keep(char *out, size_t max, const char *value, size_t n)
{
    while (n > 0 && isspace((unsigned char)*value)) {
        value++;
        n--;
    }
    while (n > 0 && isspace((unsigned char)value[n - 1]))
        n--;
    (void)snprintf(out, max, "%.*s", n < max ? (int)n : (int)max - 1, value);
}

static size_t
on_header(char *s, size_t size, size_t n, void *arg)
{
    struct doctor_call *c = arg;
    const struct {
        const char *name;
        char *out;
        size_t max;
    } wanted[] = {
        {"Content-Encoding", c->encoding, sizeof(c->encoding)},
        {"Server", c->server, sizeof(c->server)},
        {"Date", c->date, sizeof(c->date)},
        {"Content-Security-Policy", c->policy, sizeof(c->policy)},
    };
    const char *colon = memchr(s, ':', n);
    size_t len = colon != NULL ? (size_t)(colon - s) : 0;

    (void)size; /* 1 */
    if (colon == NULL)
        return n;
    for (size_t i = 0; i < COUNT_OF(wanted); i++)
        if (text_ieqn(s, len, wanted[i].name))
            keep(wanted[i].out, wanted[i].max, colon + 1, n - len - 1);
    if (text_ieqn(s, len, "X-Request-Id"))
        c->ours = true;
    return n;
}

/* --- what was sent -------------------------------------------------------- */

static struct curl_slist *
add(struct curl_slist *list, const char *line)
{
    struct curl_slist *more = curl_slist_append(list, line);

    if (more == NULL)
        abort(); /* as xmalloc does */
    return more;
}

static struct curl_slist *
header_list(const struct doctor *d, const struct doctor_call *c)
{
    struct curl_slist *list = add(NULL, "Expect:");

    for (size_t i = 0; i < COUNT_OF(c->headers); i++)
        if (c->headers[i] != NULL)
            list = add(list, c->headers[i]);
    /* Who we are is for the host that was named, once it has shown itself. */
    if (!d->unverified && d->authorization[0] != '\0')
        list = add(list, d->authorization);
    return list;
}

static void
prepare(CURL *easy, const struct doctor *d, struct doctor_call *c,
        struct curl_slist *list)
{
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_URL, c->url);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)c->limit_ms);
    (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, "parley/" PARLEY_VERSION);
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, c);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, c);
    (void)curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L);
    if (c->coded) /* with all that curl can unpack */
        (void)curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    if (d->ca_file != NULL)
        (void)curl_easy_setopt(easy, CURLOPT_CAINFO, d->ca_file);
    if (d->unverified) {
        (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (c->body != NULL) {
        (void)curl_easy_setopt(easy, CURLOPT_POST, 1L);
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                               (curl_off_t)c->body_len);
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, c->body);
    }
    (void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, c->method);
}

/* --- what came of it ------------------------------------------------------ */

/* Seconds till the certificate that is in "Cert:-----BEGIN…" ends. */
static bool
cert_left(const char *pem, int64_t *left_s)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *cert = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    int days = 0, seconds = 0;
    bool known = cert != NULL && ASN1_TIME_diff(&days, &seconds, NULL,
                                                X509_get0_notAfter(cert)) == 1;

    *left_s = (int64_t)days * 86400 + seconds;
    X509_free(cert);
    (void)BIO_free(bio);
    return known;
}

static void
keep_cert(CURL *easy, struct doctor_call *c)
{
    struct curl_certinfo *info = NULL;

    if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &info) != CURLE_OK ||
        info == NULL || info->num_of_certs < 1)
        return;
    for (const struct curl_slist *l = info->certinfo[0]; l; l = l->next)
        if (text_starts(l->data, "Cert:"))
            c->has_cert = cert_left(l->data + 5, &c->cert_s);
}

static void
keep_head(CURL *easy, struct doctor_call *c)
{
    const char *s = NULL;
    long n = 0;

    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &n);
    c->status = (int)n;
    (void)curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &n);
    c->http2 = n == CURL_HTTP_VERSION_2_0;
    (void)curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &s);
    (void)snprintf(c->type, sizeof(c->type), "%s", s != NULL ? s : "");
    c->type[strcspn(c->type, "; ")] = '\0';
    s = NULL;
    (void)curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &s);
    (void)snprintf(c->location, sizeof(c->location), "%s", s != NULL ? s : "");
    keep_cert(easy, c);
}

static enum doctor_end
end_of(CURL *easy, CURLcode code)
{
    curl_off_t connected_us = 0;

    (void)curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &connected_us);
    switch (code) {
    case CURLE_OK: return DOCTOR_REPLY;
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return DOCTOR_NOWHERE;
    case CURLE_OPERATION_TIMEDOUT:
        return connected_us > 0 ? DOCTOR_LATE : DOCTOR_NOWHERE;
    case CURLE_PEER_FAILED_VERIFICATION: return DOCTOR_UNTRUSTED;
    case CURLE_WRITE_ERROR: return DOCTOR_FULL;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_URL_MALFORMAT: return DOCTOR_WRONG;
    default: return DOCTOR_CUT;
    }
}

enum doctor_end
doctor_run(const struct doctor *d, struct doctor_call *c)
{
    struct curl_slist *list = header_list(d, c);
    char error[CURL_ERROR_SIZE] = "";
    int64_t begun_ms = clock_mono_ms();
    enum doctor_end end;
    CURLcode code;
    CURL *easy;

    (void)pthread_once(&curl_once, start_curl);
    easy = curl_easy_init();
    if (easy == NULL)
        abort();
    prepare(easy, d, c, list);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
    code = curl_easy_perform(easy);
    c->took_ms = clock_mono_ms() - begun_ms;
    if (code != CURLE_OK)
        (void)snprintf(c->why, sizeof(c->why), "%s",
                       error[0] != '\0' ? error : curl_easy_strerror(code));
    keep_head(easy, c);
    end = end_of(easy, code);
    curl_easy_cleanup(easy);
    curl_slist_free_all(list);
    return end;
}

const char *
doctor_end_text(enum doctor_end end, const struct doctor_call *c)
{
    static char text[384];

    switch (end) {
    case DOCTOR_REPLY:
        (void)snprintf(text, sizeof(text), "was answered with status %d",
                       c->status);
        break;
    case DOCTOR_FULL:
        (void)snprintf(text, sizeof(text), "got too long a reply");
        break;
    default: (void)snprintf(text, sizeof(text), "was not answered: %s", c->why);
    }
    return text;
}

/* --- short forms ---------------------------------------------------------- */

/* Base and path into out; false: too long. */
static bool
join(const struct doctor *d, char out[DOCTOR_URL_MAX], const char *path)
{
    int n = snprintf(out, DOCTOR_URL_MAX, "%s%s", d->base, path);

    return n > 0 && n < DOCTOR_URL_MAX;
}

enum doctor_end
doctor_ask(const struct doctor *d, struct doctor_call *c, const char *method,
           const char *path, const char *json)
{
    char url[DOCTOR_URL_MAX];
    enum doctor_end end;

    c->method = method;
    if (!join(d, url, path)) {
        (void)snprintf(c->why, sizeof(c->why), "the address is too long");
        return DOCTOR_WRONG;
    }
    c->url = url;
    if (json != NULL) {
        c->headers[COUNT_OF(c->headers) - 1] = "Content-Type: application/json";
        c->body = json;
        c->body_len = strlen(json);
    }
    end = doctor_run(d, c);
    c->url = NULL;
    return end;
}

void
doctor_forget(const struct doctor *d, const char *session)
{
    struct doctor_call c;
    char path[128];

    if (*session == '\0')
        return;
    (void)snprintf(path, sizeof(path), "/sessions/%s", session);
    doctor_call_init(&c, "DELETE", NULL);
    IGNORE(doctor_ask(d, &c, "DELETE", path, NULL) != DOCTOR_REPLY);
    doctor_call_release(&c);
}

void
doctor_field(const struct doctor_call *c, const char *name, char *out,
             size_t max)
{
    cJSON *o = json_parse_lenient(c->reply.data, c->reply.len);
    const char *s = o != NULL ? json_str(o, name) : NULL;

    (void)snprintf(out, max, "%s", s != NULL ? s : "");
    cJSON_Delete(o);
}

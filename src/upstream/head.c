/*
 * What of a reply's head matters here. Everything in it comes from outside:
 * values are cut to the room there is, a request id may only hold characters
 * that are harmless in a log line, and a wait that makes no sense reads as
 * none.
 *
 * retry-after-ms is finer than retry-after and wins wherever it stands.
 * Both may be fractions; retry-after may be a date.
 */
#include "base/base.h"

#include "upstream/head.h"

#include "base/clock.h"
#include "base/text.h"

#define WAIT_MAX_MS (24 * 3600 * 1000.0) /* a longer wait is read as this */

/* The first of these that is sent names the request at the provider. */
static const char *const id_names[] = {
    "x-request-id",
    "request-id",
    "x-amzn-requestid",
    "cf-ray",
};

void
upstream_head_init(struct upstream_head *h)
{
    memset(h, 0, sizeof(*h));
    h->retry_after_ms = -1;
    h->should_retry = -1;
}

static void
read_status(struct upstream_head *h, const char *s, size_t n)
{
    const char *sp = memchr(s, ' ', n);
    int64_t status;

    upstream_head_init(h);
    if (sp != NULL && s + n - sp >= 4 &&
        text_i64(sp + 1, 3, 100, 999, &status) == OK)
        h->status = (int)status;
}

static void
read_type(struct upstream_head *h, const char *s, size_t n)
{
    size_t i, len = 0;

    for (i = 0; i < n && s[i] != ';' && len < sizeof(h->type) - 1; i++) {
        if (s[i] > ' ' && s[i] < 0x7f)
            h->type[len++] = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] | 0x20)
                                                        : s[i];
    }
    h->type[len] = '\0';
}

static void
read_id(struct upstream_head *h, const char *s, size_t n)
{
    size_t i, len = 0;

    for (i = 0; i < n && len < sizeof(h->request_id) - 1; i++) {
        if (s[i] > ' ' && s[i] < 0x7f && s[i] != '"' && s[i] != '\\')
            h->request_id[len++] = s[i];
    }
    h->request_id[len] = '\0';
}

/* "ValidationException:http://internal.amazon.com/…": a name, perhaps with a
 * namespace before it. */
static void
read_error_type(struct upstream_head *h, const char *s, size_t n)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._#-";
    size_t len = 0;

    while (len < n && len < sizeof(h->error_type) - 1 && s[len] != '\0' &&
           strchr(letters, s[len]) != NULL)
        len++;
    memcpy(h->error_type, s, len);
    h->error_type[len] = '\0';
}

/* A plain decimal number times unit_ms, rounded up: nobody wants to be asked
 * too early; -1 if it is none. strtod also takes hex, "inf" and "nan", which
 * no header means. */
static int64_t
wait_ms(const char *s, double unit_ms)
{
    char *end;
    double v;

    if (*s == '\0' || strspn(s, "0123456789.") != strlen(s))
        return -1;
    v = strtod(s, &end) * unit_ms;
    if (*end != '\0')
        return -1;
    if (v > WAIT_MAX_MS)
        v = WAIT_MAX_MS;
    return (int64_t)v + ((double)(int64_t)v < v);
}

static void
read_retry_after(struct upstream_head *h, const char *s, int64_t wall_ms)
{
    int64_t ms = wait_ms(s, 1000.0), at_s;

    if (ms < 0 && clock_http_date(s, &at_s) == OK) {
        double left = (double)at_s * 1000.0 - (double)wall_ms;

        if (left > 0)
            ms = (int64_t)(left < WAIT_MAX_MS ? left : WAIT_MAX_MS);
    }
    if (ms >= 0)
        h->retry_after_ms = ms;
}

/* A header whose value is short text, NUL-terminated. */
static void
read_short(struct upstream_head *h, const char *s, size_t name_len,
           const char *value, int64_t wall_ms)
{
    if (text_ieqn(s, name_len, "retry-after-ms")) {
        int64_t ms = wait_ms(value, 1.0);

        if (ms >= 0)
            h->retry_after_ms = ms;
        h->exact_wait = ms >= 0;
    } else if (text_ieqn(s, name_len, "retry-after")) {
        if (!h->exact_wait)
            read_retry_after(h, value, wall_ms);
    } else if (text_ieqn(s, name_len, "x-should-retry")) {
        if (text_ieq(value, "true"))
            h->should_retry = 1;
        else if (text_ieq(value, "false"))
            h->should_retry = 0;
    }
}

void
upstream_head_line(struct upstream_head *h, const char *s, size_t n,
                   int64_t wall_ms)
{
    const char *colon, *v;
    size_t name_len, v_len, i;
    char value[64];

    while (n > 0 && (s[n - 1] == '\r' || s[n - 1] == '\n' || s[n - 1] == ' ' ||
                     s[n - 1] == '\t'))
        n--;
    if (n >= 5 && memcmp(s, "HTTP/", 5) == 0) {
        read_status(h, s, n);
        return;
    }
    colon = n > 0 ? memchr(s, ':', n) : NULL;
    if (colon == NULL)
        return;
    name_len = (size_t)(colon - s);
    v = colon + 1;
    v_len = n - name_len - 1;
    while (v_len > 0 && (*v == ' ' || *v == '\t')) {
        v++;
        v_len--;
    }
    if (text_ieqn(s, name_len, "content-type"))
        read_type(h, v, v_len);
    if (text_ieqn(s, name_len, "x-amzn-errortype"))
        read_error_type(h, v, v_len);
    for (i = 0; i < COUNT_OF(id_names); i++) {
        if (h->request_id[0] == '\0' && text_ieqn(s, name_len, id_names[i]))
            read_id(h, v, v_len);
    }
    if (v_len < sizeof(value)) {
        memcpy(value, v, v_len);
        value[v_len] = '\0';
        read_short(h, s, name_len, value, wall_ms);
    }
}

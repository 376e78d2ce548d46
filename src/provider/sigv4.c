/*
 * Signing a request for AWS, as the "Signature Version 4 signing process" of
 * the AWS General Reference has it:
 *
 *   1. the canonical request: method, path, query, headers, names of the
 *      headers, hash of the body, each on a line of its own in one exact form;
 *   2. the string to sign: algorithm, time, scope, hash of 1;
 *   3. the key: the secret hashed with date, region, service in turn;
 *   4. the signature: 2 hashed with 3.
 *
 * libcurl 7.88 signs too, but not paths that hold an escape, and model ids
 * hold ':', which is %3A in the path and %253A in the canonical request. So
 * this is our own. The secret and what is derived from it are wiped.
 *
 * It leaves out signed queries, streaming bodies and S3's rules.
 */
#include "base/base.h"

#include "provider/sigv4.h"

#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"

#define HEX_LEN (2 * DIGEST_LEN + 1)
#define QUERY_PARTS_MAX 64
#define CANONICAL_MAX (256 * 1024) /* bytes */

static const char algorithm[] = "AWS4-HMAC-SHA256";
static const char terminator[] = "aws4_request";

static void
add_hash(struct buf *out, const void *p, size_t n)
{
    uint8_t digest[DIGEST_LEN];
    char hex[HEX_LEN];

    digest_sha256(digest, p, n);
    text_hex(hex, digest, sizeof(digest));
    buf_adds(out, hex);
}

/* --- path --------------------------------------------------------------- */

/* The path without empty and "." segments, ".." resolved, and then each
 * segment encoded. */
static void
add_path(struct buf *out, const char *path)
{
    struct buf plain;
    const char *s = path;
    bool slash = true; /* does the path end in one? */

    buf_init(&plain, strlen(path) + 2);
    while (*s != '\0') {
        size_t n = strcspn(s, "/");

        slash = n == 0 || (n == 1 && s[0] == '.') ||
                (n == 2 && memcmp(s, "..", 2) == 0);
        if (n == 2 && slash) {
            while (plain.len > 0 && plain.data[--plain.len] != '/')
                continue;
        } else if (!slash) {
            buf_addc(&plain, '/');
            buf_add(&plain, s, n);
        }
        s += n;
        slash |= *s == '/';
        s += *s == '/';
    }
    if (slash || plain.len == 0)
        buf_addc(&plain, '/');
    for (s = buf_cstr(&plain); *s != '\0'; s += strcspn(s, "/")) {
        buf_addc(out, *s++);
        text_percent(out, s, strcspn(s, "/"));
    }
    buf_release(&plain);
}

/* --- query -------------------------------------------------------------- */

struct pair {
    const char *name, *value; /* in the query */
    size_t name_len, value_len;
};

static int
compare_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t least = a_len < b_len ? a_len : b_len;
    int c = least > 0 ? memcmp(a, b, least) : 0;

    return c != 0 ? c : (a_len > b_len) - (a_len < b_len);
}

static int
compare_pairs(const void *x, const void *y)
{
    const struct pair *a = x, *b = y;
    int c = compare_bytes(a->name, a->name_len, b->name, b->name_len);

    return c != 0
               ? c
               : compare_bytes(a->value, a->value_len, b->value, b->value_len);
}

/* What is not encoded yet. */
static void
add_query_text(struct buf *out, const char *s, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (s[i] == '%')
            buf_addc(out, '%');
        else
            text_percent(out, s + i, 1);
    }
}

static enum err
add_query(struct buf *out, const char *query)
{
    struct pair pairs[QUERY_PARTS_MAX] = {{.name = NULL}};
    size_t i, count = 0;
    const char *s = query;

    while (*s != '\0') {
        size_t n = strcspn(s, "&");
        const char *eq = memchr(s, '=', n);
        struct pair *p = &pairs[count];

        if (count == QUERY_PARTS_MAX)
            return ERR_BADREQ;
        p->name = s;
        p->name_len = eq != NULL ? (size_t)(eq - s) : n;
        p->value = eq != NULL ? eq + 1 : s + n;
        p->value_len = (size_t)(s + n - p->value);
        count += n > 0;
        s += n;
        s += *s == '&';
    }
    qsort(pairs, count, sizeof(pairs[0]), compare_pairs);
    for (i = 0; i < count; i++) {
        if (i > 0)
            buf_addc(out, '&');
        add_query_text(out, pairs[i].name, pairs[i].name_len);
        buf_addc(out, '=');
        add_query_text(out, pairs[i].value, pairs[i].value_len);
    }
    return OK;
}

/* --- headers ------------------------------------------------------------ */

struct headers {
    struct sigv4_header list[SIGV4_HEADERS_MAX];
    size_t n;
};

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static int
compare_names(const char *a, const char *b)
{
    while (*a != '\0' && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return (unsigned char)lower(*a) - (unsigned char)lower(*b);
}

/* In its place by name, behind an equal one. */
static enum err
insert(struct headers *h, const char *name, const char *value)
{
    size_t at = h->n;

    if (h->n == SIGV4_HEADERS_MAX)
        return ERR_BADREQ;
    while (at > 0 && compare_names(h->list[at - 1].name, name) > 0) {
        h->list[at] = h->list[at - 1];
        at--;
    }
    h->list[at].name = name;
    h->list[at].value = value;
    h->n++;
    return OK;
}

static enum err
collect(struct headers *h, const struct sigv4_request *q, const char *date)
{
    enum err e = OK;
    size_t i;

    h->n = 0;
    for (i = 0; e == OK && i < q->n_headers; i++)
        e = insert(h, q->headers[i].name, q->headers[i].value);
    if (e == OK)
        e = insert(h, "host", q->host);
    if (e == OK)
        e = insert(h, "x-amz-date", date);
    if (e == OK && q->session_token[0] != '\0')
        e = insert(h, "x-amz-security-token", q->session_token);
    return e;
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Without white space at the ends, and one space for more of it. */
static void
add_value(struct buf *out, const char *s)
{
    bool gap = false, any = false;

    for (; *s != '\0'; s++) {
        if (is_blank(*s)) {
            gap = any;
            continue;
        }
        if (gap)
            buf_addc(out, ' ');
        buf_addc(out, *s);
        gap = false;
        any = true;
    }
}

static void
add_headers(struct buf *out, const struct headers *h, struct buf *names)
{
    size_t i;
    const char *c;

    for (i = 0; i < h->n; i++) {
        const char *name = h->list[i].name;

        if (i > 0 && compare_names(h->list[i - 1].name, name) == 0) {
            buf_addc(out, ',');
        } else {
            if (i > 0) {
                buf_addc(out, '\n');
                buf_addc(names, ';');
            }
            for (c = name; *c != '\0'; c++) {
                buf_addc(out, lower(*c));
                buf_addc(names, lower(*c));
            }
            buf_addc(out, ':');
        }
        add_value(out, h->list[i].value);
    }
    buf_adds(out, "\n\n");
}

/* --- the whole ---------------------------------------------------------- */

enum err
sigv4_canonical(const struct sigv4_request *q, const char *date,
                struct buf *out, struct buf *signed_names)
{
    struct headers headers;
    enum err e;

    buf_adds(out, q->method);
    buf_addc(out, '\n');
    add_path(out, q->path);
    buf_addc(out, '\n');
    e = add_query(out, q->query);
    if (e == OK)
        e = collect(&headers, q, date);
    if (e != OK)
        return e;
    buf_addc(out, '\n');
    add_headers(out, &headers, signed_names);
    buf_add(out, signed_names->data, signed_names->len);
    buf_addc(out, '\n');
    add_hash(out, q->body, q->body_len);
    return buf_status(out) == OK ? buf_status(signed_names) : ERR_BADREQ;
}

/* The secret's key for one day, region and service. */
static void
derive(uint8_t key[DIGEST_LEN], const struct sigv4_request *q, const char *date)
{
    const char *const steps[] = {q->region, q->service, terminator};
    size_t i, n = strlen(q->secret_key);
    char *secret = xmalloc(n + 5);

    memcpy(secret, "AWS4", 4);
    memcpy(secret + 4, q->secret_key, n + 1);
    digest_hmac(key, secret, n + 4, date, 8);
    explicit_bzero(secret, n + 5);
    free(secret);
    for (i = 0; i < COUNT_OF(steps); i++) {
        uint8_t from[DIGEST_LEN];

        memcpy(from, key, sizeof(from));
        digest_hmac(key, from, sizeof(from), steps[i], strlen(steps[i]));
        explicit_bzero(from, sizeof(from));
    }
}

static void
add_scope(struct buf *out, const struct sigv4_request *q, const char *date)
{
    buf_addf(out, "%.8s/%s/%s/%s", date, q->region, q->service, terminator);
}

/* Hex of the signature of a canonical request. */
static void
sign_text(char hex[HEX_LEN], const struct sigv4_request *q, const char *date,
          const struct buf *canonical)
{
    uint8_t key[DIGEST_LEN], signature[DIGEST_LEN];
    struct buf text;

    buf_init(&text, 4096 + strlen(q->region) + strlen(q->service));
    buf_addf(&text, "%s\n%s\n", algorithm, date);
    add_scope(&text, q, date);
    buf_addc(&text, '\n');
    add_hash(&text, canonical->data, canonical->len);
    derive(key, q, date);
    digest_hmac(signature, key, sizeof(key), text.data, text.len);
    text_hex(hex, signature, sizeof(signature));
    explicit_bzero(key, sizeof(key));
    buf_release(&text);
}

static enum err
format_date(char date[SIGV4_DATE_LEN], int64_t now_ms)
{
    time_t t = (time_t)(now_ms / 1000);
    struct tm tm;

    if (now_ms < 0 || gmtime_r(&t, &tm) == NULL || tm.tm_year > 9999 - 1900)
        return ERR_BADREQ;
    return strftime(date, SIGV4_DATE_LEN, "%Y%m%dT%H%M%SZ", &tm) ==
                   SIGV4_DATE_LEN - 1
               ? OK
               : ERR_BADREQ;
}

enum err
sigv4_sign(const struct sigv4_request *q, struct buf *authorization,
           char date[SIGV4_DATE_LEN])
{
    struct buf canonical, names;
    char hex[HEX_LEN];
    enum err e = format_date(date, q->now_ms);

    if (e != OK)
        return e;
    buf_init(&canonical, CANONICAL_MAX);
    buf_init(&names, CANONICAL_MAX);
    e = sigv4_canonical(q, date, &canonical, &names);
    if (e == OK) {
        sign_text(hex, q, date, &canonical);
        buf_addf(authorization, "%s Credential=%s/", algorithm, q->access_key);
        add_scope(authorization, q, date);
        buf_addf(authorization, ", SignedHeaders=%s, Signature=%s",
                 buf_cstr(&names), hex);
        e = buf_status(authorization);
    }
    buf_wipe(&canonical); /* it holds the session token */
    buf_release(&names);
    return e;
}

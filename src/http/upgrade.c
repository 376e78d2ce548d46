/*
 * The opening handshake. A head is cut into CGI variables, because that is
 * what request_new takes from all doors. It is read strictly: what one reader
 * takes for one header and another for two is how requests are smuggled past a
 * web server, so a folded line, a control character, a space before the colon,
 * and a second header where only one may be are refused.
 *
 * The path may hold a token in its query; nothing here is ever logged.
 */
#include "base/base.h"

#include "http/upgrade.h"

#include <openssl/evp.h>

#include "base/text.h"
#include "http/reply.h"

#define KEY_BYTES 16  /* of Sec-WebSocket-Key, decoded */
#define BODY_MAX 2048 /* bytes of a problem */
#define VARS_MAX (UPGRADE_HEADERS_MAX + 16)

/* What a head is read into. Lines are copies that end with NUL. */
struct head {
    struct arena arena;
    const char *vars[VARS_MAX + 1];
    size_t n;
    const char *forwarded_for, *prefix;
};

static enum err
bad(struct problem *why, const char *rule)
{
    return problem_set(why, ERR_BADREQ, "invalid_handshake",
                       "Invalid WebSocket handshake", "%s", rule);
}

/* --- reading ------------------------------------------------------------- */

static bool
is_token(const char *s, size_t n)
{
    static const char more[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < n; i++) {
        char c = s[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
              (c >= 'A' && c <= 'Z') || (c != '\0' && strchr(more, c))))
            return false;
    }
    return n > 0;
}

static void
put_var(struct head *h, const char *name, const char *value, size_t n)
{
    size_t len = strlen(name);
    char *var = arena_alloc(&h->arena, len + 1 + n + 1);

    assert(h->n < VARS_MAX);
    memcpy(var, name, len);
    var[len] = '=';
    memcpy(var + len + 1, value, n);
    h->vars[h->n++] = var;
}

/* "Last-Event-ID" -> "HTTP_LAST_EVENT_ID"; two have names of their own. */
static char *
var_name(struct head *h, const char *name, size_t n)
{
    char *var = arena_alloc(&h->arena, n + 6);

    memcpy(var, "HTTP_", 5);
    for (size_t i = 0; i < n; i++) {
        char c = name[i];

        var[5 + i] = c;
        if (c >= 'a' && c <= 'z')
            var[5 + i] = (char)(c & ~0x20);
        else if (c == '-')
            var[5 + i] = '_';
    }
    if (strcmp(var, "HTTP_CONTENT_LENGTH") == 0 ||
        strcmp(var, "HTTP_CONTENT_TYPE") == 0)
        return var + 5;
    return var;
}

static const char *
find_var(const struct head *h, const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < h->n; i++)
        if (strncmp(h->vars[i], name, n) == 0 && h->vars[i][n] == '=')
            return h->vars[i] + n + 1;
    return NULL;
}

/* A header that came before: lists are joined, the rest may not come twice. */
static enum err
join_var(struct head *h, const char *name, const char *value, size_t n,
         struct problem *why)
{
    static const char *const single[] = {
        "HTTP_HOST",          "HTTP_ORIGIN",
        "HTTP_AUTHORIZATION", "HTTP_SEC_WEBSOCKET_KEY",
        "CONTENT_LENGTH",     "HTTP_SEC_WEBSOCKET_VERSION",
    };
    const char *before = find_var(h, name);
    size_t len = strlen(before);
    char *both;

    for (size_t i = 0; i < COUNT_OF(single); i++)
        if (strcmp(name, single[i]) == 0)
            return bad(why, "A header that may be sent once came twice");
    both = arena_alloc(&h->arena, len + 2 + n + 1);
    memcpy(both, before, len);
    memcpy(both + len, ", ", 2);
    memcpy(both + len + 2, value, n);
    for (size_t i = 0; i < h->n; i++) {
        if (h->vars[i] + strlen(name) + 1 == before) {
            h->n--;
            h->vars[i] = h->vars[h->n];
            break;
        }
    }
    put_var(h, name, both, len + 2 + n);
    return OK;
}

static enum err
read_header(struct head *h, const char *s, size_t n, struct problem *why)
{
    const char *colon = memchr(s, ':', n), *end = s + n;
    size_t name_len = colon != NULL ? (size_t)(colon - s) : 0;
    char *name;

    if (!is_token(s, name_len))
        return bad(why, "A header line is no header");
    for (colon++; colon < end && (*colon == ' ' || *colon == '\t'); colon++)
        ;
    while (end > colon && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    for (const char *p = colon; p < end; p++)
        if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f)
            return bad(why, "A header holds a control character");
    if (h->n == UPGRADE_HEADERS_MAX) {
        (void)problem_set(
            why, ERR_TOOBIG, "headers_too_large", "Request headers too large",
            "A handshake has at most %d headers", UPGRADE_HEADERS_MAX);
        why->status = 431;
        return ERR_TOOBIG;
    }
    name = var_name(h, s, name_len);
    if (memchr(s, '_', name_len) != NULL)
        return OK; /* it could pass for another one */
    if (find_var(h, name) != NULL)
        return join_var(h, name, colon, (size_t)(end - colon), why);
    put_var(h, name, colon, (size_t)(end - colon));
    return OK;
}

/* "GET /ws/chat?x HTTP/1.1" */
static enum err
read_request_line(struct head *h, const char *s, size_t n, struct problem *why)
{
    const char *sp = memchr(s, ' ', n), *end = s + n, *target, *query;
    size_t len;

    if (sp == NULL || !is_token(s, (size_t)(sp - s)))
        return bad(why, "The request line is none");
    target = sp + 1;
    sp = memchr(target, ' ', (size_t)(end - target));
    if (sp == NULL || sp == target || end - sp != 9 ||
        memcmp(sp + 1, "HTTP/1.", 7) != 0 || (sp[8] != '0' && sp[8] != '1'))
        return bad(why, "The request line is none");
    len = (size_t)(sp - target);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)target[i] <= 0x20 || target[i] == 0x7f)
            return bad(why, "The address holds a control character");
    put_var(h, "REQUEST_METHOD", s, (size_t)(target - 1 - s));
    put_var(h, "REQUEST_URI", target, len);
    put_var(h, "SERVER_PROTOCOL", sp + 1, 8);
    query = memchr(target, '?', len);
    if (query != NULL)
        put_var(h, "QUERY_STRING", query + 1,
                (size_t)(target + len - query - 1));
    return OK;
}

static enum err
read_lines(struct head *h, const char *s, size_t n, struct problem *why)
{
    const char *end = s + n;
    bool first = true;

    while (s < end) {
        const char *eol = memmem(s, (size_t)(end - s), "\r\n", 2);
        enum err e;

        if (eol == NULL)
            return bad(why, "The head does not end");
        if (eol == s)
            return first ? bad(why, "The head is empty") : OK;
        e = first ? read_request_line(h, s, (size_t)(eol - s), why)
                  : read_header(h, s, (size_t)(eol - s), why);
        if (e != OK)
            return e;
        first = false;
        s = eol + 2;
    }
    return bad(why, "The head does not end");
}

/* Who asks, and what lies before our own paths: as the web server says. */
static void
put_peer(struct head *h, const struct upgrade_peer *peer)
{
    const char *list = peer->proxy ? find_var(h, "HTTP_X_FORWARDED_FOR") : NULL;
    const char *prefix = peer->proxy ? find_var(h, "HTTP_X_FORWARDED_PREFIX")
                                     : NULL;
    const char *addr = peer->addr;

    if (list != NULL) {
        const char *comma = strrchr(list, ',');

        addr = comma != NULL ? comma + 1 : list;
        addr += strspn(addr, " \t");
    }
    put_var(h, "REMOTE_ADDR", addr, strlen(addr));
    if (prefix != NULL && strcmp(prefix, "/") != 0)
        put_var(h, "SCRIPT_NAME", prefix, strlen(prefix));
}

enum err
upgrade_read(const char *head, size_t n, const struct upgrade_peer *peer,
             struct request **out, struct problem *why)
{
    struct problem unfinished;
    struct head h = {.n = 0};
    enum err e;

    memset(why, 0, sizeof(*why));
    arena_init(&h.arena);
    e = read_lines(&h, head, n, why);
    if (e == OK) {
        put_peer(&h, peer);
        e = request_new(out, h.vars, peer->base_path, why);
    } else {
        h.vars[0] = NULL;
        IGNORE(request_new(out, h.vars, "", &unfinished));
    }
    arena_release(&h.arena);
    return e;
}

/* --- checking ------------------------------------------------------------ */

/* Is token an element of the list that the header is? */
static bool
lists(const struct request *rq, const char *header, const char *token)
{
    const char *s = request_header(rq, header);

    while (s != NULL && *s != '\0') {
        size_t n;

        s += strspn(s, " \t,");
        n = strcspn(s, ",");
        for (size_t len = n; len > 0; len--) {
            if (s[len - 1] != ' ' && s[len - 1] != '\t') {
                if (text_ieqn(s, len, token))
                    return true;
                break;
            }
        }
        s += n;
    }
    return false;
}

static bool
is_key(const char *key)
{
    struct buf b;
    bool is;

    if (key == NULL || strlen(key) != 24)
        return false;
    buf_init(&b, 64);
    is = text_unbase64(&b, key, 24) == OK && b.len == KEY_BYTES;
    buf_release(&b);
    return is;
}

static enum err
needed(struct problem *why, const char *message)
{
    (void)problem_set(why, ERR_BADREQ, "upgrade_required", "Upgrade required",
                      "%s", message);
    why->status = 426;
    return ERR_BADREQ;
}

enum err
upgrade_check(const struct request *rq, struct problem *why)
{
    const char *version = request_header(rq, "Sec-WebSocket-Version");
    const char *host = request_header(rq, "Host");
    const char *length = request_header(rq, "Content-Length");

    if (rq->method != METHOD_GET)
        return problem_set(why, ERR_METHOD, NULL, NULL, NULL);
    if (strcmp(request_var(rq, "SERVER_PROTOCOL"), "HTTP/1.1") != 0)
        return bad(why, "A handshake is HTTP/1.1");
    if (host == NULL)
        return bad(why, "There is no Host header");
    if (request_header(rq, "Transfer-Encoding") != NULL ||
        (length != NULL && strcmp(length, "0") != 0))
        return bad(why, "A handshake has no body");
    if (!lists(rq, "Upgrade", "websocket") ||
        !lists(rq, "Connection", "upgrade"))
        return needed(why, "This address speaks WebSocket (RFC 6455)");
    if (version == NULL || strcmp(version, "13") != 0)
        return needed(why, "The version of WebSocket must be 13");
    if (!is_key(request_header(rq, "Sec-WebSocket-Key")))
        return bad(why, "Sec-WebSocket-Key must be 16 bytes in base64");
    return OK;
}

/* --- answering ----------------------------------------------------------- */

/* What proves that its key was read. */
static void
prove(const struct request *rq, char accept[UPGRADE_ACCEPT_LEN + 1])
{
    static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    const char *key = request_header(rq, "Sec-WebSocket-Key");
    uint8_t sum[EVP_MAX_MD_SIZE];
    char text[24 + sizeof(magic)];
    struct buf out;
    unsigned n = 0;

    assert(key != NULL && strlen(key) == 24);
    memcpy(text, key, 24);
    memcpy(text + 24, magic, sizeof(magic));
    if (EVP_Digest(text, sizeof(text) - 1, sum, &n, EVP_sha1(), NULL) != 1)
        abort(); /* a broken library */
    buf_init(&out, 64);
    text_base64(&out, sum, n);
    assert(out.len == UPGRADE_ACCEPT_LEN);
    memcpy(accept, out.data, out.len);
    accept[out.len] = '\0';
    buf_release(&out);
}

void
upgrade_switch(struct buf *out, const struct request *rq)
{
    char accept[UPGRADE_ACCEPT_LEN + 1];

    prove(rq, accept);
    buf_addf(out,
             "HTTP/1.1 101 Switching Protocols\r\n"
             "Upgrade: websocket\r\n"
             "Connection: Upgrade\r\n"
             "Sec-WebSocket-Accept: %s\r\n"
             "X-Request-Id: %s\r\n\r\n",
             accept, rq->id);
}

void
upgrade_refuse(struct buf *out, const struct request *rq,
               const struct problem *p)
{
    int status = reply_status(p);
    struct buf body;

    buf_init(&body, BODY_MAX);
    reply_problem_json(&body, p, rq->id);
    buf_addf(out,
             "HTTP/1.1 %d %s\r\n"
             "Content-Type: application/json\r\n"
             "Content-Length: %zu\r\n"
             "Cache-Control: no-store\r\n"
             "X-Content-Type-Options: nosniff\r\n"
             "X-Request-Id: %s\r\n"
             "Connection: %s\r\n",
             status, reply_reason(status), body.len, rq->id,
             status == 426 ? "close, Upgrade" : "close");
    if (status == 426)
        buf_adds(out, "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
    if (status == 405)
        buf_adds(out, "Allow: GET\r\n");
    if (p->retry_after_s > 0)
        buf_addf(out, "Retry-After: %d\r\n", p->retry_after_s);
    buf_adds(out, "\r\n");
    buf_add(out, body.data, body.len);
    buf_release(&body);
}

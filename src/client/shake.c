/*
 * The handshake proves that the other side speaks WebSocket and means us: it
 * answers our key with a hash of it. Nothing is negotiated. A head is read
 * line by line; what is not asked for is passed over.
 */
#include "base/base.h"

#include "client/shake.h"

#include <openssl/evp.h>

#include "base/ident.h"
#include "base/text.h"

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define DEFAULT_PATH "/ws/chat"

enum err
shake_url(struct shake_url *u, const char *url, const char *session_id)
{
    bool tls = text_istarts(url, "wss://");
    const char *host = strstr(url, "://");
    size_t host_len, path_len, query_len = 0;
    const char *path, *query;

    if (host == NULL)
        return ERR_BADREQ;
    host += 3;
    host_len = strcspn(host, "/?#");
    path = host + host_len;
    path_len = strcspn(path, "?#");
    query = path + path_len;
    if (*query == '?')
        query_len = strcspn(++query, "#");
    for (const char *s = host; *s != '\0'; s++)
        if ((unsigned char)*s <= ' ' || *s == 0x7f)
            return ERR_BADREQ;
    while (path_len > 0 && path[path_len - 1] == '/')
        path_len--;
    if (host_len == 0 || memchr(host, '@', host_len) != NULL ||
        host_len >= sizeof(u->host))
        return ERR_BADREQ;
    if (path_len == 0) {
        path = DEFAULT_PATH;
        path_len = strlen(path);
    }
    if (path_len + query_len + IDENT_SESSION_MAX + 32 > sizeof(u->path))
        return ERR_BADREQ;
    (void)snprintf(u->dial, sizeof(u->dial), "%s://%.*s/",
                   tls ? "https" : "http", (int)host_len, host);
    (void)snprintf(u->host, sizeof(u->host), "%.*s", (int)host_len, host);
    (void)snprintf(u->path, sizeof(u->path), "%.*s%s%.*s%s%s", (int)path_len,
                   path, query_len > 0 || *session_id != '\0' ? "?" : "",
                   (int)query_len, query_len > 0 ? query : "",
                   *session_id == '\0' ? ""
                   : query_len > 0     ? "&session_id="
                                       : "session_id=",
                   session_id);
    return OK;
}

void
shake_key(char key[SHAKE_KEY_LEN])
{
    uint8_t nonce[16];

    ident_random(nonce, sizeof(nonce));
    (void)EVP_EncodeBlock((unsigned char *)key, nonce, (int)sizeof(nonce));
}

void
shake_request(struct buf *out, const struct shake_url *u, const char *key,
              const char *header)
{
    buf_addf(out,
             "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
             "Connection: Upgrade\r\nSec-WebSocket-Key: %s\r\n"
             "Sec-WebSocket-Version: 13\r\nUser-Agent: parley/%s\r\n",
             u->path, u->host, key, PARLEY_VERSION);
    if (*header != '\0')
        buf_addf(out, "%s\r\n", header);
    buf_adds(out, "\r\n");
}

/* --- the reply ------------------------------------------------------------ */

static void
accept_of(char out[32], const char *key)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    char text[SHAKE_KEY_LEN + sizeof(GUID)];

    (void)snprintf(text, sizeof(text), "%s" GUID, key);
    if (EVP_Digest(text, strlen(text), hash, &n, EVP_sha1(), NULL) != 1)
        abort(); /* as for want of memory */
    (void)EVP_EncodeBlock((unsigned char *)out, hash, (int)n); /* 28 and NUL */
}

/* The status of "HTTP/1.1 101 …"; 0: it is no such line. */
static int
status_of(const char *s, size_t n)
{
    int64_t status = 0;

    if (n < 12 || memcmp(s, "HTTP/1.", 7) != 0 || s[8] != ' ' ||
        (n > 12 && s[12] != ' '))
        return 0;
    return text_i64(s + 9, 3, 100, 599, &status) == OK ? (int)status : 0;
}

/* The value of a header line of that name; NULL: it is another one. */
static const char *
value_of(const char *s, size_t n, const char *name, size_t *len)
{
    size_t name_len = strlen(name);

    if (n <= name_len || s[name_len] != ':' || !text_ieqn(s, name_len, name))
        return NULL;
    s += name_len + 1;
    n -= name_len + 1;
    while (n > 0 && (*s == ' ' || *s == '\t')) {
        s++;
        n--;
    }
    while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t'))
        n--;
    *len = n;
    return s;
}

/* A 101's headers: is it the one for our key? */
static bool
is_ours(const char *s, size_t n, const char *key)
{
    bool upgrade = false, accepted = false;
    char want[32];

    accept_of(want, key);
    while (n > 0) {
        const char *end = memmem(s, n, "\r\n", 2), *value;
        size_t line = end != NULL ? (size_t)(end - s) : n, len = 0;

        if ((value = value_of(s, line, "Upgrade", &len)) != NULL)
            upgrade = text_ieqn(value, len, "websocket");
        else if ((value = value_of(s, line, "Sec-WebSocket-Accept", &len)))
            accepted = len == strlen(want) && memcmp(value, want, len) == 0;
        n -= end != NULL ? line + 2 : line;
        s += end != NULL ? line + 2 : line;
    }
    return upgrade && accepted;
}

enum err
shake_reply(struct shake_reply *r, const char *s, size_t n, const char *key)
{
    const char *end = n > 0 ? memmem(s, n, "\r\n\r\n", 4) : NULL;
    const char *line;

    if (end == NULL)
        return n > SHAKE_HEAD_MAX ? ERR_TOOBIG : ERR_AGAIN;
    r->head_len = (size_t)(end - s) + 4;
    if (r->head_len > SHAKE_HEAD_MAX)
        return ERR_TOOBIG;
    line = memmem(s, n, "\r\n", 2);
    r->status = status_of(s, (size_t)(line - s));
    if (r->status == 0)
        return ERR_BADREQ;
    if (r->status == 101 &&
        !is_ours(line + 2, r->head_len - (size_t)(line + 2 - s), key))
        return ERR_BADREQ;
    return OK;
}

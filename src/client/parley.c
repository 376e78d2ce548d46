/*
 * The client's front: keeps the configuration, picks the transport by the
 * address, checks arguments, and turns what transports find into callbacks.
 * How a server is spoken to is over_http.c's and over_ws.c's; what is heard of
 * an answer is heard.c's.
 */
#include "base/base.h"

#include "client/inside.h"

#include <ctype.h>
#include <stdarg.h>

#include "base/json.h"
#include "base/text.h"

#define CONNECT_MS 10000
#define PATIENCE_MS 60000
#define ERROR_MAX 512 /* bytes of a sentence, with its NUL */

static const struct {
    const char *scheme;
    const struct transport *transport;
} schemes[] = {
    {"http://", &over_http},
    {"https://", &over_http},
    {"ws://", &over_ws},
    {"wss://", &over_ws},
};

/* --- the configuration ---------------------------------------------------- */

/* The strings of a configuration, to copy and free. */
static size_t
strings(struct parley_config *c, const char **to[14])
{
    size_t n = 0;

    to[n++] = &c->url;
    to[n++] = &c->token;
    to[n++] = &c->api_key;
    to[n++] = &c->api_key_header;
    to[n++] = &c->username;
    to[n++] = &c->password;
    to[n++] = &c->client_id;
    to[n++] = &c->client_secret;
    to[n++] = &c->token_url;
    to[n++] = &c->scope;
    to[n++] = &c->session_id;
    to[n++] = &c->ca_file;
    return n;
}

/* The address without what is not part of a folder; its transport. */
static void
take_url(struct parley *p)
{
    const char *s = p->c.url != NULL ? p->c.url : "";
    struct buf url;
    size_t n;

    buf_init(&url, 8192);
    if (*s != '\0' && strstr(s, "://") == NULL)
        buf_adds(&url, "http://");
    buf_add(&url, s, strcspn(s, "?#"));
    n = url.len;
    while (n > 0 && url.data[n - 1] == '/')
        n--;
    url.len = n;
    for (size_t i = 0; i < COUNT_OF(schemes); i++)
        if (text_istarts(buf_cstr(&url), schemes[i].scheme) &&
            url.len > strlen(schemes[i].scheme))
            p->transport = schemes[i].transport;
    p->url = xstrdup(buf_cstr(&url));
    buf_release(&url);
}

struct parley *
parley_new(const struct parley_config *config, const struct parley_calls *calls)
{
    struct parley *p = xcalloc(1, sizeof(*p));
    const char **to[14];
    size_t n;

    p->c = *config;
    if (calls != NULL)
        p->on = *calls;
    n = strings(&p->c, to);
    for (size_t i = 0; i < n; i++)
        *to[i] = xstrdup(*to[i]);
    if (p->c.connect_ms <= 0)
        p->c.connect_ms = CONNECT_MS;
    if (p->c.patience_ms <= 0)
        p->c.patience_ms = PATIENCE_MS;
    take_url(p);
    carrier_init(&p->carrier);
    p->carrier.ca_file = p->c.ca_file;
    p->carrier.connect_ms = p->c.connect_ms;
    if (p->c.session_id != NULL)
        (void)snprintf(p->session_id, sizeof(p->session_id), "%s",
                       p->c.session_id);
    return p;
}

void
parley_free(struct parley *p)
{
    const char **to[14];
    size_t n;

    if (p == NULL)
        return;
    if (p->transport != NULL)
        p->transport->close(p);
    login_forget(p);
    carrier_release(&p->carrier);
    n = strings(&p->c, to);
    for (size_t i = 0; i < n; i++)
        free((char *)(uintptr_t)*to[i]);
    free(p->url);
    free(p);
}

const char *
parley_session(const struct parley *p)
{
    return p->session_id;
}

void
parley_stop(struct parley *p)
{
    carrier_stop(&p->carrier);
}

/* --- what is asked -------------------------------------------------------- */

/* Can anything be asked? */
static enum parley_status
ready(struct parley *p)
{
    const char *missing = login_missing(&p->c);

    carrier_reset(&p->carrier);
    if (p->transport == NULL)
        return client_fail(p, PARLEY_WRONG, 0, "invalid_url",
                           "%s is not an address that begins with http://, "
                           "https://, ws:// or wss://",
                           p->url[0] != '\0' ? p->url : "\"\"");
    if (missing != NULL)
        return client_fail(p, PARLEY_WRONG, 0, "missing_credentials", "%s",
                           missing);
    if (p->c.session_id != NULL &&
        !ident_session_valid(p->c.session_id, strlen(p->c.session_id)))
        return client_fail(p, PARLEY_WRONG, 0, "invalid_session_id",
                           "A session is named by 1 to %d letters, digits, - "
                           "and _",
                           IDENT_SESSION_MAX);
    return PARLEY_OK;
}

enum parley_status
parley_connect(struct parley *p)
{
    enum parley_status s = ready(p);

    return s == PARLEY_OK ? p->transport->connect(p) : s;
}

enum parley_status
parley_send(struct parley *p, const struct parley_ask *ask)
{
    enum parley_status s = ready(p);

    if (s != PARLEY_OK)
        return s;
    if (ask->message == NULL || text_blank(ask->message, strlen(ask->message)))
        return client_fail(p, PARLEY_WRONG, 0, "missing_message",
                           "There is nothing to say in the message");
    if (!utf8_valid(ask->message, strlen(ask->message)))
        return client_fail(p, PARLEY_WRONG, 0, "invalid_text",
                           "The message is not UTF-8 text");
    return p->transport->send(p, ask);
}

enum parley_status
parley_history(struct parley *p, int limit)
{
    enum parley_status s = ready(p);

    if (s != PARLEY_OK)
        return s;
    if (limit < 1 || limit > CLIENT_HISTORY_MAX)
        limit = CLIENT_HISTORY_MAX;
    return p->transport->history(p, limit);
}

enum parley_status
parley_clear(struct parley *p)
{
    enum parley_status s = ready(p);

    return s == PARLEY_OK ? p->transport->clear(p) : s;
}

enum parley_status
parley_ping(struct parley *p)
{
    enum parley_status s = ready(p);

    return s == PARLEY_OK ? p->transport->ping(p) : s;
}

enum parley_status
parley_logout(struct parley *p)
{
    enum parley_status s = ready(p);

    if (s == PARLEY_OK)
        s = p->transport->logout(p);
    login_forget(p);
    if (s == PARLEY_OK)
        client_tell(p, PARLEY_LOGGED_OUT, "", 0);
    return s;
}

/* --- what is told --------------------------------------------------------- */

enum parley_status
client_fail(struct parley *p, enum parley_status status, int http_status,
            const char *code, const char *fmt, ...)
{
    struct parley_error e = {.status = status,
                             .http_status = http_status,
                             .code = code != NULL ? code : ""};
    char text[ERROR_MAX];
    va_list ap;
    size_t n;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    for (n = 0; text[n] != '\0'; n++)
        if (iscntrl((unsigned char)text[n]))
            text[n] = ' ';
    text[utf8_whole(text, n)] = '\0';
    e.text = text;
    if (p->on.on_error != NULL)
        p->on.on_error(p->on.arg, &e);
    return status;
}

enum parley_status
client_refused(struct parley *p, int http_status, const char *s, size_t n)
{
    cJSON *o = json_parse_lenient(s, n);
    const char *error = json_str(o, "error");
    const char *message = json_str(o, "message");
    const char *code = json_str(o, "code");
    enum parley_status status;

    if (error == NULL)
        error = message;
    if (message == error || message == NULL || message[0] == '\0')
        message = NULL;
    if (error != NULL)
        status = client_fail(p, PARLEY_REFUSED, http_status, code, "%s%s%s",
                             error, message != NULL ? ": " : "",
                             message != NULL ? message : "");
    else
        status = client_fail(p, PARLEY_REFUSED, http_status, NULL,
                             "The server answered with HTTP status %d",
                             http_status);
    cJSON_Delete(o);
    return status;
}

void
client_state(struct parley *p, enum parley_state s, const char *text)
{
    p->broken = s == PARLEY_RECONNECTS;
    if (p->on.on_state != NULL)
        p->on.on_state(p->on.arg, s, text);
}

void
client_connected(struct parley *p)
{
    if (p->connected)
        return;
    p->connected = true;
    if (p->on.on_connected != NULL)
        p->on.on_connected(p->on.arg, p->session_id);
}

void
client_tell(struct parley *p, enum parley_kind kind, const char *text, int ms)
{
    struct parley_message m = {.kind = kind,
                               .role = "",
                               .text = text,
                               .text_len = strlen(text),
                               .id = "",
                               .model = "",
                               .finish_reason = "",
                               .timestamp = "",
                               .ms = ms,
                               .json = ""};

    if (p->on.on_message != NULL)
        p->on.on_message(p->on.arg, &m);
}

static const char *
str_or_none(const cJSON *o, const char *name)
{
    const char *s = json_str(o, name);

    return s != NULL ? s : "";
}

void
client_tell_history(struct parley *p, const cJSON *o)
{
    struct parley_message m = {.kind = PARLEY_HISTORY, .json = ""};
    char *json;

    if (p->on.on_message == NULL || !cJSON_IsObject(o))
        return;
    json = cJSON_PrintUnformatted(o);
    m.role = str_or_none(o, "role");
    m.text = str_or_none(o, "content");
    m.text_len = strlen(m.text);
    m.id = str_or_none(o, "id");
    m.model = str_or_none(o, "model");
    m.finish_reason = str_or_none(o, "finish_reason");
    m.timestamp = str_or_none(o, "timestamp");
    if (json != NULL)
        m.json = json;
    p->on.on_message(p->on.arg, &m);
    cJSON_free(json);
}

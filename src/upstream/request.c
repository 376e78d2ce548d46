/*
 * A request to a provider, as data. Builders fill it without any I/O, the
 * transfer sends it. Header values can hold keys and can come from settings:
 * they are checked here, once, so that no value can add a header of its own,
 * and they are wiped before their memory is given back. So is a body that is
 * said to hold a secret.
 */
#include "base/base.h"

#include "upstream/transfer.h"

#include "base/mem.h"

void
upstream_request_init(struct upstream_request *q, size_t body_max)
{
    memset(q, 0, sizeof(*q));
    q->method = "POST";
    buf_init(&q->body, body_max);
}

void
upstream_request_release(struct upstream_request *q)
{
    size_t i, body_max = q->body.max;

    for (i = 0; i < q->n_headers; i++)
        mem_free_secret(q->headers[i]);
    free(q->url);
    if (q->secret)
        mem_wipe(q->body.data, q->body.cap);
    buf_release(&q->body);
    upstream_request_init(q, body_max);
}

/* RFC 9110 token characters: what a header's name may hold. */
static bool
name_ok(const char *name)
{
    static const char extra[] = "!#$%&'*+-.^_`|~";
    const char *c;

    for (c = name; *c != '\0'; c++) {
        bool alnum = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') ||
                     (*c >= 'A' && *c <= 'Z');

        if (!alnum && strchr(extra, *c) == NULL)
            return false;
    }
    return c != name;
}

enum err
upstream_request_header(struct upstream_request *q, const char *name,
                        const char *value)
{
    size_t name_len = strlen(name), value_len = strlen(value);
    char *line;

    if (q->n_headers == TRANSFER_HEADERS_MAX || !name_ok(name))
        return ERR_BADREQ;
    if (strpbrk(value, "\r\n") != NULL)
        return ERR_BADREQ;
    line = xmalloc(name_len + 2 + value_len + 1);
    memcpy(line, name, name_len);
    memcpy(line + name_len, ": ", 2);
    memcpy(line + name_len + 2, value, value_len + 1);
    q->headers[q->n_headers++] = line;
    return OK;
}

/*
 * The hand-over message's bytes; see the header for their order. Both ends are
 * the same program and the same user, so the checks are against old versions
 * and accidents as much as against malice; they are complete all the same.
 */
#include "base/base.h"

#include "http/handover.h"

_Static_assert(HANDOVER_HEAD_LEN == 4 + 4 + 4, "magic and two lengths");

static const char magic[4] = {'P', 'C', 'G', '1'};

/* What a web server sets for a CGI (RFC 3875 and what Apache, lighttpd and
 * nginx add). A name that ends in '_' stands for all that begin so. */
static const char *const cgi_names[] = {
    "HTTP_",        "REQUEST_",      "CONTENT_",          "SERVER_",
    "REMOTE_",      "SCRIPT_",       "PATH_INFO",         "PATH_TRANSLATED",
    "QUERY_STRING", "DOCUMENT_ROOT", "GATEWAY_INTERFACE", "AUTH_TYPE",
    "HTTPS",        "REDIRECT_",     "CONTEXT_",          "SSL_",
    "UNIQUE_ID",
};

static void
put_u32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static uint32_t
get_u32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

void
handover_head(uint8_t out[HANDOVER_HEAD_LEN], const struct handover *h)
{
    memcpy(out, magic, 4);
    put_u32(out + 4, h->vars_len);
    put_u32(out + 8, h->body_len);
}

enum err
handover_parse_head(struct handover *h, const uint8_t in[HANDOVER_HEAD_LEN])
{
    if (memcmp(in, magic, 4) != 0)
        return ERR_BADREQ;
    h->vars_len = get_u32(in + 4);
    h->body_len = get_u32(in + 8);
    return h->vars_len > REQUEST_PARAMS_BYTES ? ERR_TOOBIG : OK;
}

enum err
handover_parse_vars(const char *p, size_t n,
                    const char *vars[REQUEST_PARAMS_MAX + 1])
{
    size_t count = 0;

    while (n > 0) {
        const char *nul = memchr(p, '\0', n);
        if (!nul || !strchr(p, '='))
            return ERR_BADREQ;
        if (count == REQUEST_PARAMS_MAX)
            return ERR_TOOBIG;
        vars[count++] = p;
        n -= (size_t)(nul + 1 - p);
        p = nul + 1;
    }
    vars[count] = NULL;
    return OK;
}

bool
handover_is_cgi_var(const char *var)
{
    const char *eq = strchr(var, '=');

    for (size_t i = 0; eq && i < COUNT_OF(cgi_names); i++) {
        size_t n = strlen(cgi_names[i]);
        if (strncmp(var, cgi_names[i], n) == 0 &&
            (cgi_names[i][n - 1] == '_' || var + n == eq))
            return true;
    }
    return false;
}

enum err
handover_add_vars(struct buf *out, const char *const *environment)
{
    size_t count = 0;

    for (; *environment; environment++) {
        if (!handover_is_cgi_var(*environment))
            continue;
        if (count++ == REQUEST_PARAMS_MAX)
            return ERR_TOOBIG;
        buf_add(out, *environment, strlen(*environment) + 1);
    }
    return buf_status(out);
}

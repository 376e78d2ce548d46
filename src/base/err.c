/*
 * The words of the error enum, and the problem that carries them to a client.
 *
 * One table holds the stable code and the plain sentence of each error. Which
 * HTTP status belongs to it is not known here: that is http/reply.c's table.
 * A problem has fixed fields, so that it can be passed by value, kept in any
 * struct and filled when memory is short; what does not fit is cut between
 * characters, never inside one.
 */
#include "base/base.h"

#include <stdarg.h>

static const struct {
    const char *code;    /* stable: clients compare it */
    const char *text;    /* a short sentence */
    const char *message; /* what to do about it */
    bool retryable;      /* the same request may succeed later */
} words[ERR__MAX] = {
    [OK] = {"ok", "No error", "", false},
    [ERR_BADREQ] = {"bad_request", "Bad request",
                    "Correct the request and send it again.", false},
    [ERR_AUTH] = {"unauthorized", "Sign-in required",
                  "Send valid credentials with the request.", false},
    [ERR_FORBIDDEN] = {"forbidden", "Not allowed",
                       "These credentials do not permit this.", false},
    [ERR_NOTFOUND] = {"not_found", "Not found",
                      "Check the address and the identifiers in it.", false},
    [ERR_METHOD] = {"method_not_allowed", "Method not allowed",
                    "Use one of the methods in the Allow header.", false},
    [ERR_CONFLICT] = {"conflict", "Conflict",
                      "The resource changed or exists already; read it again.",
                      false},
    [ERR_TOOBIG] = {"too_big", "Too big", "Send less at once.", false},
    [ERR_TYPE] = {"unsupported_media_type", "Unsupported media type",
                  "Send application/json in UTF-8.", false},
    [ERR_IMPOSSIBLE] = {"unprocessable", "Cannot be done",
                        "The request is well-formed but cannot be carried "
                        "out; change its values.",
                        false},
    [ERR_LIMIT] = {"rate_limited", "Too many requests",
                   "Wait as Retry-After says, then try again.", true},
    [ERR_UPSTREAM] = {"upstream_failed", "The model provider failed",
                      "Try again; if it goes on, try another model.", true},
    [ERR_TIMEOUT] = {"upstream_timeout", "The model provider is too slow",
                     "Try again in a moment.", true},
    [ERR_FULL] = {"store_full", "The store is full",
                  "Try again later; the operator must make room.", true},
    [ERR_BUSY] = {"busy", "Too many streams", "Try again in a moment.", true},
    [ERR_STOPPING] = {"stopping", "The server is shutting down",
                      "Try again in a moment.", true},
    [ERR_STORE] = {"store_failed", "The store failed",
                   "Try again; the operator finds the reason in the log.",
                   true},
    [ERR_INTERNAL] = {"internal", "Internal error",
                      "Try again; the operator finds the reason in the log.",
                      true},
    [ERR_AGAIN] = {"again", "Not ready", "Try again in a moment.", true},
    [ERR_HUP] = {"hung_up", "The peer left", "", false},
};

static enum err
known(enum err e)
{
    return (unsigned)e < ERR__MAX ? e : ERR_INTERNAL;
}

const char *
err_code(enum err e)
{
    return words[known(e)].code;
}

const char *
err_text(enum err e)
{
    return words[known(e)].text;
}

/* Cut what vsnprintf left of a character at the end of a full field. */
static void
trim_tail(char *s, size_t size)
{
    size_t n = strlen(s);
    size_t lead = n;
    unsigned char c;
    size_t need;

    if (n + 1 < size)
        return;
    while (lead > 0 && n - lead < 3 &&
           ((unsigned char)s[lead - 1] & 0xC0) == 0x80)
        lead--;
    if (lead == 0)
        return;
    c = (unsigned char)s[lead - 1];
    need = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
    if (n - (lead - 1) < need)
        s[lead - 1] = '\0';
}

static void
field(char *out, size_t size, const char *s)
{
    (void)snprintf(out, size, "%s", s);
    trim_tail(out, size);
}

enum err
problem_set(struct problem *p, enum err e, const char *code, const char *error,
            const char *message, ...)
{
    enum err k = known(e);
    va_list ap;

    if (!p)
        return e;
    p->err = e;
    p->status = 0;
    p->retry_after_s = 0;
    p->quota = (struct problem_quota){QUOTA_NONE, 0, 0, 0};
    p->retryable = words[k].retryable;
    field(p->code, sizeof(p->code), code ? code : words[k].code);
    field(p->error, sizeof(p->error), error ? error : words[k].text);
    if (message) {
        va_start(ap, message);
        (void)vsnprintf(p->message, sizeof(p->message), message, ap);
        va_end(ap);
        trim_tail(p->message, sizeof(p->message));
    } else {
        field(p->message, sizeof(p->message), words[k].message);
    }
    return e;
}

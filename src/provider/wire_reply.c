/*
 * How replies of several providers begin. A page of HTML (a gateway's error,
 * or a wrong address) begins with '<', which no line of an event stream does;
 * it is refused at once. Any thread; no I/O, no globals.
 */
#include "base/base.h"

#include "provider/wire_reply.h"

#include "provider/meaning.h"
#include "provider/wire.h"

int
wire_first(const char **p, size_t *n)
{
    while (*n > 0 && memchr(" \t\r\n", **p, 4) != NULL) {
        (*p)++;
        (*n)--;
    }
    return *n > 0 ? (unsigned char)**p : -1;
}

void
wire_reply_init(struct wire_reply *r)
{
    r->mode = WIRE_START;
    sse_parse_init(&r->sse);
    buf_init(&r->json, WIRE_BODY_MAX);
}

void
wire_reply_release(struct wire_reply *r)
{
    sse_parse_release(&r->sse);
    buf_release(&r->json);
}

static enum err
begin(struct wire_reply *r, int first, const char *hint, struct problem *why)
{
    if (first == '<')
        return reply_garbage(why, hint);
    if (first >= 0)
        r->mode = first == '{' ? WIRE_JSON : WIRE_EVENTS;
    return OK;
}

enum err
wire_reply_feed(struct wire_reply *r, const char *p, size_t n, sse_parse_fn *fn,
                void *arg, const char *hint, struct problem *why)
{
    enum err e = OK;

    if (r->mode == WIRE_START)
        e = begin(r, wire_first(&p, &n), hint, why);
    if (e != OK)
        return e;
    if (r->mode == WIRE_JSON) {
        buf_add(&r->json, p, n);
        return buf_status(&r->json) == OK ? OK : reply_garbage(why, hint);
    }
    if (r->mode != WIRE_EVENTS)
        return OK;
    e = sse_parse(&r->sse, p, n, fn, arg);
    if (e == ERR_TOOBIG)
        return reply_garbage(why, hint);
    return e == ERR_HUP ? OK : e;
}

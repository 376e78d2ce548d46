/*
 * libwslay's client side over a line of curl's. The reply to the handshake is
 * read here; bytes behind it are frames already, and are given to wslay first.
 */
#include "base/base.h"

#include "client/duplex.h"

#include <wslay/wslay.h>

#include "base/clock.h"
#include "base/ident.h"
#include "base/mem.h"

#define SHAKE_MS 15000  /* for the reply to the handshake */
#define REFUSAL_MS 1000 /* for its body */
#define GOODBYE_MS 500  /* to send a close frame */
#define QUIT_CODE WSLAY_CODE_NORMAL_CLOSURE

struct duplex {
    struct carrier *carrier;
    struct carrier_line *line; /* owned */
    wslay_event_context_ptr ctx;
    struct buf early; /* bytes behind the handshake */
    int64_t heard_ms; /* monotonic */
    bool ended;       /* the line is */
    bool moved;       /* bytes did, in this step */
    duplex_fn *fn;    /* during a step */
    void *arg;
};

void
duplex_refusal_init(struct duplex_refusal *r)
{
    memset(r, 0, sizeof(*r));
    buf_init(&r->body, DUPLEX_REFUSAL_MAX);
}

void
duplex_refusal_release(struct duplex_refusal *r)
{
    buf_release(&r->body);
}

/* --- for wslay ------------------------------------------------------------ */

static ssize_t
on_recv(wslay_event_context_ptr ctx, uint8_t *to, size_t n, int flags,
        void *arg)
{
    struct duplex *d = arg;
    ssize_t got;

    (void)flags;
    if (d->early.len > 0) {
        got = (ssize_t)(n < d->early.len ? n : d->early.len);
        memcpy(to, d->early.data, (size_t)got);
        buf_drop(&d->early, (size_t)got);
    } else {
        got = carrier_read(d->line, to, n);
    }
    if (got > 0) {
        d->heard_ms = clock_mono_ms();
        d->moved = true;
        return got;
    }
    d->ended = d->ended || got < 0;
    wslay_event_set_error(ctx, got == 0 ? WSLAY_ERR_WOULDBLOCK
                                        : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static ssize_t
on_send(wslay_event_context_ptr ctx, const uint8_t *s, size_t n, int flags,
        void *arg)
{
    struct duplex *d = arg;
    ssize_t put = carrier_write(d->line, s, n);

    (void)flags;
    if (put > 0) {
        d->moved = true;
        return put;
    }
    d->ended = d->ended || put < 0;
    wslay_event_set_error(ctx, put == 0 ? WSLAY_ERR_WOULDBLOCK
                                        : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static int
on_mask(wslay_event_context_ptr ctx, uint8_t *to, size_t n, void *arg)
{
    (void)ctx;
    (void)arg;
    ident_random(to, n);
    return 0;
}

static void
on_message(wslay_event_context_ptr ctx,
           const struct wslay_event_on_msg_recv_arg *m, void *arg)
{
    struct duplex *d = arg;

    (void)ctx;
    if (!wslay_is_ctrl_frame(m->opcode) && d->fn != NULL)
        d->fn(d->arg, (const char *)m->msg, m->msg_length);
}

static const struct wslay_event_callbacks callbacks = {
    .recv_callback = on_recv,
    .send_callback = on_send,
    .genmask_callback = on_mask,
    .on_msg_recv_callback = on_message,
};

/* --- the handshake -------------------------------------------------------- */

static bool
write_all(struct duplex *d, const char *s, size_t n, int64_t until_ms)
{
    while (n > 0) {
        ssize_t put = carrier_write(d->line, s, n);

        if (put < 0 || clock_mono_ms() > until_ms)
            return false;
        s += put;
        n -= (size_t)put;
        if (put == 0 && !carrier_wait(d->carrier, d->line, true, 1000))
            return false;
    }
    return true;
}

/* More bytes into early. False: none will come. */
static bool
read_more(struct duplex *d, int64_t until_ms)
{
    char piece[4096];
    ssize_t got;
    int64_t left;

    while ((got = carrier_read(d->line, piece, sizeof(piece))) == 0) {
        left = until_ms - clock_mono_ms();
        if (left <= 0 || !carrier_wait(d->carrier, d->line, false, (int)left))
            return false;
    }
    if (got < 0)
        return false;
    buf_add(&d->early, piece, (size_t)got);
    return buf_status(&d->early) == OK;
}

/* What a reply that refuses says: the object in it, which may be in chunks. */
static void
keep_refusal(struct duplex *d, struct duplex_refusal *r)
{
    int64_t until_ms = clock_mono_ms() + REFUSAL_MS;
    const char *begin, *end;

    do {
        begin = d->early.len > 0 ? memchr(d->early.data, '{', d->early.len)
                                 : NULL;
        end = begin != NULL ? memrchr(d->early.data, '}', d->early.len) : NULL;
    } while (end == NULL && read_more(d, until_ms));
    if (end != NULL && end > begin)
        buf_add(&r->body, begin, (size_t)(end - begin) + 1);
}

static enum carrier_end
shake(struct duplex *d, const struct shake_url *u, const char *header,
      struct duplex_refusal *r)
{
    int64_t until_ms = clock_mono_ms() + SHAKE_MS;
    struct shake_reply reply = {.head_len = 0};
    char key[SHAKE_KEY_LEN];
    struct buf request;
    enum err e = ERR_AGAIN;

    shake_key(key);
    buf_init(&request, 64 * 1024);
    shake_request(&request, u, key, header);
    if (write_all(d, request.data, request.len, until_ms))
        while ((e = shake_reply(&reply, d->early.data, d->early.len, key)) ==
                   ERR_AGAIN &&
               read_more(d, until_ms)) {}
    explicit_bzero(request.data, request.len);
    buf_release(&request);
    if (e != OK) {
        (void)snprintf(r->why, sizeof(r->why), "%s",
                       e == ERR_AGAIN ? "it does not answer"
                                      : "it does not speak WebSocket");
        return atomic_load(&d->carrier->stops) > 0 ? CARRIER_STOPPED
               : e == ERR_AGAIN                    ? CARRIER_CUT
                                                   : CARRIER_WRONG;
    }
    buf_drop(&d->early, reply.head_len);
    r->status = reply.status;
    if (reply.status != 101)
        keep_refusal(d, r);
    return CARRIER_DONE;
}

struct duplex *
duplex_open(struct carrier *c, const struct shake_url *u, const char *header,
            enum carrier_end *end, struct duplex_refusal *r)
{
    struct duplex *d = xcalloc(1, sizeof(*d));

    d->carrier = c;
    buf_init(&d->early, SHAKE_HEAD_MAX + DUPLEX_REFUSAL_MAX);
    *end = carrier_dial(c, u->dial, &d->line, r->why);
    if (*end == CARRIER_DONE)
        *end = shake(d, u, header, r);
    if (*end != CARRIER_DONE || r->status != 101) {
        duplex_close(d);
        return NULL;
    }
    d->heard_ms = clock_mono_ms();
    if (wslay_event_context_client_init(&d->ctx, &callbacks, d) != 0)
        abort(); /* for want of memory */
    wslay_event_config_set_max_recv_msg_length(d->ctx, DUPLEX_MESSAGE_MAX);
    return d;
}

/* --- afterwards ----------------------------------------------------------- */

void
duplex_send(struct duplex *d, const char *s, size_t n)
{
    struct wslay_event_msg m = {WSLAY_TEXT_FRAME, (const uint8_t *)s, n};

    if (wslay_event_queue_msg(d->ctx, &m) == WSLAY_ERR_NOMEM)
        abort(); /* as xmalloc does; else it is closing, which step tells */
}

bool
duplex_step(struct duplex *d, int ms, duplex_fn *fn, void *arg)
{
    d->fn = fn;
    d->arg = arg;
    d->moved = false;
    if (wslay_event_send(d->ctx) != 0 || wslay_event_recv(d->ctx) != 0)
        d->ended = true;
    d->fn = NULL;
    if (d->ended ||
        (!wslay_event_want_read(d->ctx) && !wslay_event_want_write(d->ctx)))
        return false;
    if (clock_mono_ms() - d->heard_ms > DUPLEX_SILENCE_MS)
        return false;
    if (!d->moved)
        (void)carrier_wait(d->carrier, d->line,
                           wslay_event_want_write(d->ctx) != 0, ms);
    return true;
}

void
duplex_close(struct duplex *d)
{
    int64_t until_ms = clock_mono_ms() + GOODBYE_MS;

    if (d == NULL)
        return;
    if (d->ctx != NULL && !d->ended) {
        (void)wslay_event_queue_close(d->ctx, QUIT_CODE, NULL, 0);
        while (!d->ended && wslay_event_want_write(d->ctx) &&
               wslay_event_send(d->ctx) == 0 && clock_mono_ms() < until_ms &&
               wslay_event_want_write(d->ctx))
            (void)carrier_wait(d->carrier, d->line, true, GOODBYE_MS);
    }
    if (d->ctx != NULL)
        wslay_event_context_free(d->ctx);
    carrier_hang_up(d->line);
    buf_release(&d->early);
    free(d);
}

/*
 * Frames. libwslay's frame interface does headers, lengths and masks; here is
 * what it leaves to its event interface: that a client's frames are masked,
 * which opcodes there are, how fragments follow each other, well-formed text,
 * what a close may say, the limit. The event interface would do these, too, but
 * keeps two buffers of four kilobytes for each connection, however idle.
 *
 * Of a context one cannot ask whether it is in the middle of something. So the
 * bytes that it takes are counted, and those that its frames account for; when
 * both are equal it holds nothing, and is freed.
 */
#include "base/base.h"

#include "http/frames.h"

#include <wslay/wslay.h>

#include "base/text.h"

#define MESSAGE_KEEP 0 /* bytes of a message's buffer kept between two */

/* --- reading ------------------------------------------------------------- */

void
frames_init(struct frames *f, size_t message_max)
{
    memset(f, 0, sizeof(*f));
    buf_init(&f->message, message_max);
    buf_init(&f->control, FRAMES_CONTROL_MAX);
}

static void
forget_context(struct frames *f)
{
    wslay_frame_context_free(f->ctx);
    f->ctx = NULL;
    f->fed = f->used = 0;
}

void
frames_release(struct frames *f)
{
    if (f->ctx != NULL)
        forget_context(f);
    buf_release(&f->message);
    buf_release(&f->control);
}

void
frames_give(struct frames *f, const char *p, size_t n)
{
    assert(f->left == 0);
    f->at = p;
    f->left = n;
}

static ssize_t
take_bytes(uint8_t *p, size_t n, int flags, void *arg)
{
    struct frames *f = arg;
    size_t some = n < f->left ? n : f->left;

    (void)flags;
    if (some > 0) {
        memcpy(p, f->at, some);
        f->at += some;
        f->left -= some;
        f->fed += some;
    }
    return (ssize_t)some;
}

/* What a server never does. */
static ssize_t
no_bytes(const uint8_t *p, size_t n, int flags, void *arg)
{
    (void)p;
    (void)n;
    (void)flags;
    (void)arg;
    return -1;
}

static void
need_context(struct frames *f)
{
    const struct wslay_frame_callbacks calls = {
        .send_callback = no_bytes,
        .recv_callback = take_bytes,
    };

    if (f->ctx == NULL && wslay_frame_context_init(&f->ctx, &calls, f) != 0)
        abort(); /* no memory */
}

/* The header of a frame came. 0, or the code to close with. */
static unsigned
begin_frame(struct frames *f, const struct wslay_frame_iocb *io)
{
    bool control = wslay_is_ctrl_frame(io->opcode);

    if (!io->mask || io->rsv != 0)
        return FRAMES_PROTOCOL;
    if (control) {
        if (io->opcode > WSLAY_PONG)
            return FRAMES_PROTOCOL;
    } else if (io->opcode == WSLAY_CONTINUATION_FRAME) {
        if (f->first == 0)
            return FRAMES_PROTOCOL;
    } else if (io->opcode > WSLAY_BINARY_FRAME || f->first != 0) {
        return FRAMES_PROTOCOL;
    } else {
        f->first = io->opcode;
    }
    if (!control && io->payload_length > f->message.max - f->message.len)
        return FRAMES_TOO_BIG;
    f->used += 2 + 4; /* its head, with the mask */
    if (io->payload_length > UINT16_MAX)
        f->used += 8;
    else if (io->payload_length > FRAMES_CONTROL_MAX)
        f->used += 2;
    f->in_frame = true;
    f->opcode = io->opcode;
    f->fin = io->fin;
    f->frame_left = io->payload_length;
    return 0;
}

/* May a client send this code? */
static bool
is_code(unsigned code)
{
    return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 &&
            code != 1006) ||
           (code >= 3000 && code <= 4999);
}

static unsigned
end_close(const struct frames *f, struct frames_item *item)
{
    const unsigned char *p = (const unsigned char *)item->data;

    item->kind = FRAMES_CLOSE;
    item->code = FRAMES_NO_CODE;
    if (f->control.len == 0)
        return 0;
    if (f->control.len == 1)
        return FRAMES_PROTOCOL;
    item->code = (unsigned)p[0] << 8 | p[1];
    item->data += 2;
    item->len -= 2;
    if (!is_code(item->code))
        return FRAMES_PROTOCOL;
    return utf8_valid(item->data, item->len) ? 0 : FRAMES_BAD_TEXT;
}

/* A whole frame came. *any: an item is complete. */
static unsigned
end_frame(struct frames *f, struct frames_item *item, bool *any)
{
    bool control = wslay_is_ctrl_frame(f->opcode);
    const struct buf *b = control ? &f->control : &f->message;

    f->in_frame = false;
    *any = f->fin;
    item->data = b->data != NULL ? b->data : "";
    item->len = b->len;
    item->code = 0;
    if (f->opcode == WSLAY_CONNECTION_CLOSE)
        return end_close(f, item);
    if (control) {
        item->kind = f->opcode == WSLAY_PING ? FRAMES_PING : FRAMES_PONG;
        return 0;
    }
    if (!f->fin)
        return 0;
    item->kind = f->first == WSLAY_TEXT_FRAME ? FRAMES_TEXT : FRAMES_BINARY;
    f->first = 0;
    if (item->kind == FRAMES_TEXT && !utf8_valid(item->data, item->len))
        return FRAMES_BAD_TEXT;
    return 0;
}

/* The last item was used: let go of its bytes. */
static void
clear_item(struct frames *f)
{
    if (f->in_frame)
        return;
    buf_clear(&f->control);
    buf_trim(&f->control, MESSAGE_KEEP);
    if (f->first == 0) {
        buf_clear(&f->message);
        buf_trim(&f->message, MESSAGE_KEEP);
    }
}

enum err
frames_next(struct frames *f, struct frames_item *item, unsigned *code)
{
    bool any = false;

    clear_item(f);
    *code = 0;
    while (*code == 0 && !any) {
        struct wslay_frame_iocb io = {.fin = 0};
        ssize_t n;

        if (f->fed == f->used && f->left == 0 && !f->in_frame) {
            if (f->ctx != NULL)
                forget_context(f);
            return ERR_AGAIN;
        }
        need_context(f);
        n = wslay_frame_recv(f->ctx, &io);
        if (n == WSLAY_ERR_WANT_READ)
            return ERR_AGAIN;
        if (n < 0) {
            *code = FRAMES_PROTOCOL;
            break;
        }
        if (!f->in_frame)
            *code = begin_frame(f, &io);
        if (*code != 0)
            break;
        if (io.data_length > 0)
            buf_add(wslay_is_ctrl_frame(f->opcode) ? &f->control : &f->message,
                    io.data, io.data_length);
        f->used += io.data_length;
        f->frame_left -= io.data_length;
        if (f->frame_left == 0)
            *code = end_frame(f, item, &any);
    }
    if (*code == 0)
        return OK;
    f->left = 0;
    return ERR_BADREQ;
}

/* --- writing ------------------------------------------------------------- */

static ssize_t
add_bytes(const uint8_t *p, size_t n, int flags, void *arg)
{
    struct buf *out = arg;

    (void)flags;
    buf_add(out, p, n);
    return (ssize_t)n;
}

static ssize_t
never_read(uint8_t *p, size_t n, int flags, void *arg)
{
    (void)p;
    (void)n;
    (void)flags;
    (void)arg;
    return -1;
}

/* libwslay's writer, which adds to out. */
static wslay_frame_context_ptr
writer_new(struct buf *out)
{
    const struct wslay_frame_callbacks calls = {
        .send_callback = add_bytes,
        .recv_callback = never_read,
    };
    wslay_frame_context_ptr ctx;

    if (wslay_frame_context_init(&ctx, &calls, out) != 0)
        abort(); /* no memory */
    return ctx;
}

static void
put_frame(wslay_frame_context_ptr ctx, uint8_t opcode, bool fin,
          const char *data, size_t n)
{
    struct wslay_frame_iocb io = {
        .fin = fin,
        .opcode = opcode,
        .payload_length = n,
        .data = (const uint8_t *)data,
        .data_length = n,
    };
    ssize_t sent = wslay_frame_send(ctx, &io);

    assert(sent == (ssize_t)n);
    (void)sent;
}

void
frames_put_text(struct buf *out, const char *text, size_t n)
{
    wslay_frame_context_ptr ctx = writer_new(out);
    uint8_t opcode = WSLAY_TEXT_FRAME;

    while (n > FRAMES_FRAGMENT) {
        put_frame(ctx, opcode, false, text, FRAMES_FRAGMENT);
        text += FRAMES_FRAGMENT;
        n -= FRAMES_FRAGMENT;
        opcode = WSLAY_CONTINUATION_FRAME;
    }
    put_frame(ctx, opcode, true, text, n);
    wslay_frame_context_free(ctx);
}

void
frames_put_control(struct buf *out, enum frames_kind kind, unsigned code,
                   const char *data, size_t n)
{
    wslay_frame_context_ptr ctx = writer_new(out);
    char payload[FRAMES_CONTROL_MAX];
    uint8_t opcode = WSLAY_PONG;
    size_t len = 0;

    if (kind == FRAMES_CLOSE && code != FRAMES_NO_CODE) {
        payload[0] = (char)(code >> 8);
        payload[1] = (char)(code & 0xff);
        len = 2;
    }
    if (n > sizeof(payload) - len)
        n = kind == FRAMES_CLOSE ? utf8_whole(data, sizeof(payload) - len)
                                 : sizeof(payload) - len;
    if (n > 0 && (len > 0 || kind != FRAMES_CLOSE)) {
        memcpy(payload + len, data, n);
        len += n;
    }
    if (kind == FRAMES_CLOSE)
        opcode = WSLAY_CONNECTION_CLOSE;
    else if (kind == FRAMES_PING)
        opcode = WSLAY_PING;
    put_frame(ctx, opcode, true, payload, len);
    wslay_frame_context_free(ctx);
}

uint64_t
frames_extent(const char *p, size_t n, bool *fin)
{
    const unsigned char *u = (const unsigned char *)p;
    size_t more = 0;
    uint64_t len;

    if (n < 2)
        return 0;
    *fin = (u[0] & 0x80) != 0;
    len = u[1] & 0x7f;
    if (len == 126)
        more = 2;
    else if (len == 127)
        more = 8;
    if (n < 2 + more)
        return 0;
    if (more > 0)
        len = 0;
    for (size_t i = 0; i < more; i++)
        len = len << 8 | u[2 + i];
    return 2 + more + len;
}

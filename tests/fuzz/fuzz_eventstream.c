/*
 * Fuzzes the decoder of event stream frames. The first byte says how long the
 * pieces are, and with its lowest bit whether the checksums are made right
 * first. Fed in pieces, the same frames must come as fed whole, and the same
 * error at the end.
 */
#include "base/base.h"

#include "base/buf.h"
#include "base/mem.h"
#include "frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static enum err
note(void *arg, const struct eventstream_frame *f)
{
    struct buf *out = arg;

    buf_addf(out, "%s|%s|%zu|", f->message_type, f->type, f->len);
    buf_add(out, f->payload, f->len);
    return f->len > 0 && f->payload[0] == '!' ? ERR_HUP : OK;
}

static enum err
decode(const uint8_t *data, size_t n, size_t piece, struct buf *out)
{
    struct eventstream s;
    enum err e = OK;
    size_t at;

    eventstream_init(&s);
    for (at = 0; e == OK && at < n; at += piece) {
        size_t len = n - at < piece ? n - at : piece;
        char *copy = xmalloc(len);

        memcpy(copy, data + at, len);
        e = eventstream_feed(&s, copy, len, note, out);
        free(copy);
    }
    eventstream_release(&s);
    return e;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct buf whole, pieces;
    uint8_t *copy;

    if (n < 2)
        return 0;
    copy = xmalloc(n - 1);
    memcpy(copy, data + 1, n - 1);
    if (data[0] & 1)
        frames_mend(copy, n - 1);
    buf_init(&whole, 1 << 26);
    buf_init(&pieces, 1 << 26);
    if (decode(copy, n - 1, n - 1, &whole) !=
        decode(copy, n - 1, data[0] / 2 + 1, &pieces))
        abort();
    if (whole.len != pieces.len ||
        (whole.len > 0 && memcmp(whole.data, pieces.data, whole.len) != 0))
        abort();
    buf_release(&whole);
    buf_release(&pieces);
    free(copy);
    return 0;
}

/*
 * Frames of a client: any bytes, whole and in pieces. Both give the same items
 * and the same end; what comes out keeps the rules, and a reader that stands
 * between two messages holds no memory.
 */
#include "base/base.h"

#include "http/frames.h"

#include "base/mem.h"
#include "base/text.h"

#define MESSAGE_MAX 4096 /* bytes */
#define OUT_MAX (1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Items as text, and the code that ends it. */
static void
read_frames(const uint8_t *data, size_t n, size_t step, struct buf *out)
{
    struct frames f;
    struct frames_item it;
    unsigned code = 0;
    enum err e = ERR_AGAIN;

    frames_init(&f, MESSAGE_MAX);
    for (size_t at = 0; at < n && e == ERR_AGAIN; at += step) {
        size_t some = n - at < step ? n - at : step;
        char *copy = xmemdup0(data + at, some);

        frames_give(&f, copy, some);
        while ((e = frames_next(&f, &it, &code)) == OK) {
            assert(it.kind <= FRAMES_PONG);
            if (it.kind == FRAMES_TEXT || it.kind == FRAMES_CLOSE)
                assert(utf8_valid(it.data, it.len));
            assert(it.len <= (it.kind <= FRAMES_BINARY ? MESSAGE_MAX
                                                       : FRAMES_CONTROL_MAX));
            buf_addf(out, "%d %u %zu:", (int)it.kind, it.code, it.len);
            buf_add(out, it.data, it.len);
        }
        free(copy);
    }
    assert(e == ERR_AGAIN || (e == ERR_BADREQ && code >= 1002 && code <= 1009));
    buf_addf(out, "end %u", code);
    if (e == ERR_AGAIN && f.ctx == NULL)
        assert(f.fed == f.used && !f.in_frame);
    frames_release(&f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct buf whole, pieces;

    if (n < 1 || n > 16 * 1024)
        return 0;
    buf_init(&whole, OUT_MAX);
    buf_init(&pieces, OUT_MAX);
    read_frames(data + 1, n - 1, n, &whole);
    read_frames(data + 1, n - 1, 1 + data[0] % 17, &pieces);
    assert(buf_status(&whole) == buf_status(&pieces));
    assert(whole.over || (whole.len == pieces.len &&
                          memcmp(whole.data, pieces.data, whole.len) == 0));
    buf_release(&whole);
    buf_release(&pieces);
    return 0;
}

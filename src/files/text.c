/*
 * Reads a descriptor and pushes what is in it through the chain of
 * text_inside.h.
 *
 * A read that gives less than was asked for (a pipe) is no end; the window is
 * not filled up first, because nothing behind it depends on how it is cut. All
 * memory is one window, one decoder, one block and the state of the reader:
 * together less than 128 KiB, whatever the file.
 */
#include "base/base.h"

#include "files/text.h"

#include <unistd.h>

#include "base/mem.h"
#include "files/text_inside.h"

static const struct text_reader *const readers[] = {
    [TEXT_PLAIN] = &text_prose, [TEXT_MARKDOWN] = &text_markdown,
    [TEXT_CODE] = &text_source, [TEXT_CSV] = &text_csv,
    [TEXT_JSON] = &text_json,
};

struct work {
    struct text_out out;
    struct text_decode decode;
    uint8_t window[TEXT_WINDOW];
};

/* To the end of the file, or of what can be done with it. */
static void
pour(int fd, struct work *w, size_t window)
{
    while (!w->out.e) {
        ssize_t n = read(fd, w->window, window);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            text_out_fail(&w->out, SKIP_READ);
        if (n <= 0)
            break;
        text_decode_feed(&w->decode, w->window, (size_t)n);
        if (w->decode.binary)
            text_out_fail(&w->out, SKIP_BINARY);
    }
    if (w->out.e)
        return;
    text_decode_end(&w->decode);
    if (w->decode.binary)
        text_out_fail(&w->out, SKIP_BINARY);
}

enum err
text_read_by(int fd, enum text_kind kind, block_fn *fn, void *arg,
             struct facts *facts, enum skip *why, size_t window)
{
    const struct text_reader *r = readers[kind];
    struct work *w = xmalloc(sizeof(*w));
    void *state = xcalloc(1, r->size);
    enum err e;

    assert(window >= 1 && window <= TEXT_WINDOW);
    text_out_init(&w->out, fn, arg, facts);
    text_decode_init(&w->decode, r->take, state);
    r->init(state, &w->out);
    pour(fd, w, window);
    if (!w->out.e) {
        r->end(state);
        text_out_end(&w->out);
    }
    if (!w->out.e && w->out.blocks == 0)
        text_out_fail(&w->out, SKIP_EMPTY);
    e = w->out.e;
    *why = w->out.why;
    free(state);
    free(w);
    return e;
}

enum err
text_read(int fd, enum text_kind kind, block_fn *fn, void *arg,
          struct facts *facts, enum skip *why)
{
    return text_read_by(fd, kind, fn, arg, facts, why, TEXT_WINDOW);
}

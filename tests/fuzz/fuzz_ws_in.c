/*
 * Fuzzes dialect/ws_read.c: the first byte is the endpoint, the rest the
 * frames of one connection, with record separators (1E) between them. Whatever
 * they are, each is one of the things that can be asked, what is told is JSON,
 * and a dialect never changes once it is known. The same bytes are then the
 * data of an event that ends a turn, for the encoders' search in it.
 */
#include "base/base.h"

#include "auth/credentials.h"
#include "base/mem.h"
#include "base/text.h"
#include "dialect/ws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OUT_MAX (8 * 1024 * 1024)

static void
check_in(const struct ws_in *in)
{
    const char *message = json_str(in->ask, "message");

    assert((in->ask != NULL) == (in->what == WS_ASK || in->what == WS_CONTEXT));
    assert(in->what == WS_AUTH || in->auth == NULL);
    if (in->what == WS_BAD)
        assert(in->why.err != OK && in->why.error[0] != '\0');
    if (in->what == WS_AUTH)
        assert((in->auth == NULL) == (in->why.err != OK));
    if (in->ask != NULL)
        assert(message != NULL && !text_blank(message, strlen(message)));
    if (in->what == WS_ASK)
        assert(cJSON_GetObjectItemCaseSensitive(in->ask, "type") == NULL);
}

static void
check_told(struct buf *out)
{
    assert(buf_status(out) == OK);
    assert(json_check(out->data, out->len, NULL) == OK);
    buf_clear(out);
}

static void
one_frame(struct ws *ws, const char *s, size_t n, struct buf *out)
{
    enum ws_dialect was = ws->dialect;
    char *copy = xmemdup0(s, n); /* its end is the block's: reads are seen */
    struct ws_in in;

    ws_read(ws, copy, n, &in);
    free(copy);
    assert(was == WS_UNDECIDED || ws->dialect == was);
    check_in(&in);
    if (in.what == WS_BAD) {
        ws_problem(ws, &in.why, out);
        check_told(out);
    } else if (in.what == WS_AUTH) {
        ws_auth_answer(in.auth != NULL ? NULL : &in.why, out);
        check_told(out);
    }
    ws_in_release(&in);
}

/* No promise is made for what is no JSON, but that nothing beyond it is read;
 * and of an object, members are found, so that JSON comes out. */
static void
as_event(const char *s, size_t n, struct buf *out)
{
    bool whole = json_check(s, n, NULL) == OK && memchr(s, ' ', n) == NULL &&
                 memchr(s, '\t', n) == NULL && memchr(s, '\n', n) == NULL &&
                 memchr(s, '\r', n) == NULL;
    struct event ev = {.seq = 1, .len = n};
    char *copy;

    if (n < 2 || s[0] != '{')
        return;
    copy = xmalloc(n);
    memcpy(copy, s, n);
    ev.data = copy;
    for (int d = WS_COMMANDS; d < WS__MAX; d++) {
        struct ws ws = {.dialect = (enum ws_dialect)d};
        struct ws_turn turn = {.stream = false};

        ev.type = EVENT_COMPLETE;
        (void)ws_event(&ws, &turn, &ev, out);
        if (whole && d != WS_STREAMING) /* it repeats a name */
            assert(json_check(out->data, out->len, NULL) == OK);
        buf_clear(out);
        ev.type = EVENT_CANCELLED;
        (void)ws_event(&ws, &turn, &ev, out);
        buf_clear(out);
    }
    free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *s = (const char *)data, *end = s + size;
    struct buf out;
    struct ws ws;

    if (size == 0)
        return 0;
    buf_init(&out, OUT_MAX);
    ws_init(&ws, (enum ws_endpoint)(*s % 4));
    for (s++; s <= end;) {
        const char *sep = memchr(s, 0x1E, (size_t)(end - s));
        size_t n = (size_t)((sep != NULL ? sep : end) - s);

        one_frame(&ws, s, n, &out);
        as_event(s, n, &out);
        s += n + 1;
    }
    buf_release(&out);
    return 0;
}

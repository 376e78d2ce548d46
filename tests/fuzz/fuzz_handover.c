/*
 * Fuzzes http/handover.c: the message that chat.cgi sends to the engine. What
 * is accepted can be written again with the same bytes.
 */
#include "base/base.h"

#include "base/mem.h"
#include "http/handover.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *vars[REQUEST_PARAMS_MAX + 1];
    uint8_t head[HANDOVER_HEAD_LEN];
    struct handover h;
    struct buf again;
    size_t n = 0, bytes = 0;
    char *copy;
    enum err e;

    if (size < HANDOVER_HEAD_LEN)
        return 0;
    e = handover_parse_head(&h, data);
    if (e) {
        assert(e == ERR_BADREQ || e == ERR_TOOBIG);
    } else {
        handover_head(head, &h);
        assert(memcmp(head, data, sizeof(head)) == 0);
    }
    data += HANDOVER_HEAD_LEN;
    size -= HANDOVER_HEAD_LEN;
    copy = xmalloc(size + 1); /* no NUL behind it */
    memcpy(copy, data, size);
    e = handover_parse_vars(copy, size, vars);
    assert(e == OK || e == ERR_BADREQ || e == ERR_TOOBIG);
    if (!e) {
        for (; vars[n]; n++) {
            assert(strchr(vars[n], '='));
            bytes += strlen(vars[n]) + 1;
        }
        assert(n <= REQUEST_PARAMS_MAX && bytes == size);
        buf_init(&again, size);
        assert(handover_add_vars(&again, vars) == OK);
        assert(again.len <= size);
        buf_release(&again);
    }
    free(copy);
    return 0;
}

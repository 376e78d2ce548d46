/*
 * Fuzzes chat/command_parse.c. Values lie within the line's length and end in a
 * NUL; and a value that is quoted again is read as it was.
 */
#include "base/base.h"

#include "base/buf.h"
#include "base/mem.h"
#include "chat/command_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const params[] = {"text", "target_language", "n"};

/* " key="value"" with its escapes. */
static void
quote(struct buf *out, const char *key, const char *value, size_t n)
{
    buf_addf(out, " %s=\"", key);
    for (size_t i = 0; i < n; i++) {
        if (value[i] == '"' || value[i] == '\\')
            buf_addc(out, '\\');
        buf_addc(out, value[i]);
    }
    buf_addc(out, '"');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = xmemdup0(data, size); /* a read past it is seen */
    char name[COMMAND_NAME_MAX + 1];
    struct command_args a, b;
    struct problem why;
    struct arena arena;
    struct buf again;
    size_t rest = 0;
    enum err e;

    arena_init(&arena);
    buf_init(&again, 3 * size + 256);
    if (command_is(copy, size)) {
        e = command_name(copy, size, name, &rest, &why);
        assert(e == ERR_BADREQ || (e == OK && rest <= size && name[0] != '\0'));
        rest = e == OK ? rest : 0;
    }
    e = command_args(&arena, copy + rest, size - rest, params, COUNT_OF(params),
                     &a, &why);
    assert(e == OK || e == ERR_BADREQ);
    for (size_t i = 0; e == OK && i < COUNT_OF(params); i++) {
        if (a.value[i] == NULL)
            continue;
        assert(a.len[i] <= size && a.value[i][a.len[i]] == '\0');
        quote(&again, params[i], a.value[i], a.len[i]);
    }
    if (e == OK) {
        e = command_args(&arena, buf_cstr(&again), again.len, params,
                         COUNT_OF(params), &b, &why);
        assert(e == OK);
        for (size_t i = 0; i < COUNT_OF(params); i++) {
            assert((a.value[i] == NULL) == (b.value[i] == NULL));
            assert(a.len[i] == b.len[i]);
            assert(a.value[i] == NULL ||
                   memcmp(a.value[i], b.value[i], a.len[i]) == 0);
        }
    }
    buf_release(&again);
    arena_release(&arena);
    free(copy);
    return 0;
}

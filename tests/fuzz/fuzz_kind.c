/*
 * Fuzzes files/kind.c: a name up to a zero byte, then the first bytes of a
 * file. What comes out is one of the kinds, with a media type unless it is
 * none; and what nobody would call text by its bytes is none without a name.
 */
#include "base/base.h"

#include "base/mem.h"
#include "base/text.h"
#include "files/kind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size > 0 ? memchr(data, 0, size) : NULL;
    size_t len = zero ? (size_t)(zero - data) : size;
    size_t n = zero ? size - len - 1 : 0;
    char *name = xmemdup0(data, len);
    uint8_t *head;
    struct kind k;
    struct kind bare;

    if (n > KIND_LOOK)
        n = KIND_LOOK;
    head = xmalloc(n > 0 ? n : 1); /* its end is the block's */
    if (n > 0)
        memcpy(head, zero + 1, n);
    k = kind_of(name, head, n);
    bare = kind_of("", head, n);
    assert(k.kind >= KIND_NONE && k.kind <= KIND_IMAGE);
    assert((k.kind == KIND_NONE) == (k.type[0] == '\0'));
    assert(text_plain(k.type, strlen(k.type)));
    assert(k.kind == KIND_TEXT || k.text == TEXT_PLAIN);
    if (bare.kind == KIND_TEXT && n > 2 && head[0] < 0xFE)
        assert(memchr(head, 0, n) == NULL);
    free(head);
    free(name);
    return 0;
}

/*
 * Fuzzes the reader of event ids in chat/seen.c: what it takes is read as the
 * same when it is written again.
 */
#include "base/base.h"

#include "base/mem.h"
#include "base/text.h"
#include "chat/seen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *text = xmemdup0((const char *)data, n);
    char again[SEEN_TEXT_MAX];
    struct seen a, b;

    if (seen_read(text, &a) == OK) {
        seen_text(again, &a);
        if (seen_read(again, &b) != OK || memcmp(&a, &b, sizeof(a)) != 0)
            abort();
        if (a.kind == SEEN_END && !text_ieq(text, again))
            abort();
    }
    free(text);
    return 0;
}

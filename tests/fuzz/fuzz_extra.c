/*
 * Any bytes as the extra of a message: whatever is cut out of it is JSON of
 * one line and of its kind, and comes back the same when it is written and
 * read again.
 */
#include "base/base.h"

#include "base/json.h"
#include "chat/extra.h"
#include "store/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const char *text, char first)
{
    if (text == NULL)
        return;
    if (text[0] != first || strpbrk(text, "\n\r") != NULL ||
        json_check(text, strlen(text), NULL) != OK)
        abort();
}

static void
same(const char *a, const char *b)
{
    if (a != NULL && strcmp(a, "[]") == 0)
        a = NULL; /* is not written */
    if ((a == NULL) != (b == NULL) || (a != NULL && strcmp(a, b) != 0))
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct extra x, again;
    struct buf out;

    if (size > STORE_EXTRA_MAX / 2)
        return 0;
    extra_read(&x, (const char *)data, size);
    check(x.notes, '[');
    check(x.tool_calls, '[');
    check(x.context, '{');
    buf_init(&out, STORE_EXTRA_MAX);
    extra_write(&out, &x);
    if (buf_status(&out) != OK)
        abort();
    extra_read(&again, out.data, out.len);
    same(x.notes, again.notes);
    same(x.tool_calls, again.tool_calls);
    same(x.context, again.context);
    extra_release(&again);
    extra_release(&x);
    buf_release(&out);
    return 0;
}

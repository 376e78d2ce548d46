/*
 * Any bytes as what a model says of an image: what is taken of it is UTF-8 that
 * moves no terminal, fits, and is taken as it is when it is said again.
 */
#include "base/base.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "chat/describe.h"

#define MUST(x)      \
    do {             \
        if (!(x))    \
            abort(); \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
is_text(const char *s, size_t size)
{
    size_t n = strnlen(s, size);

    MUST(n < size && utf8_valid(s, n));
    for (size_t i = 0; i < n; i++)
        MUST((unsigned char)s[i] >= ' ' || s[i] == '\n');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct described d, again;
    char *bytes = xmalloc(n + !n); /* of its exact size */
    struct json_out j;
    struct buf b;
    bool said;

    if (n > 0)
        (void)memcpy(bytes, data, n);
    said = describe_read(bytes, n, &d);
    free(bytes);
    is_text(d.description, sizeof(d.description));
    is_text(d.tags, sizeof(d.tags));
    MUST(said == (d.description[0] != '\0'));
    if (!said)
        return 0;
    buf_init(&b, DESCRIBE_TEXT_MAX);
    json_out_init(&j, &b);
    json_begin_obj(&j);
    json_put_str(&j, "description", d.description);
    json_put_str(&j, "tags", d.tags);
    json_end_obj(&j);
    MUST(buf_status(&b) == OK && describe_read(b.data, b.len, &again));
    MUST(strcmp(d.description, again.description) == 0);
    buf_release(&b);
    return 0;
}

/*
 * Any bytes as words to blot out, a NUL, and a text. What comes out is the text
 * with pieces replaced by the mark, is UTF-8 if the text was, and has as many
 * marks more as are said.
 */
#include "base/base.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "files/rules.h"

#define MARK "[redacted]"
#define MUST(x)      \
    do {             \
        if (!(x))    \
            abort(); \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static size_t
marks(const char *s, size_t n)
{
    const char *end = s + n;
    size_t count = 0;

    while ((s = memmem(s, (size_t)(end - s), MARK, strlen(MARK))) != NULL) {
        s += strlen(MARK);
        count++;
    }
    return count;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, '\0', size);
    size_t len = end ? (size_t)(end - data) : 0;
    size_t n = end ? size - len - 1 : size;
    char *words = xmemdup0(data, len);
    char *text = xmalloc(n ? n : 1);
    struct redact *r = redact_new(words);
    struct buf out;
    size_t count;

    if (n)
        memcpy(text, data + size - n, n);
    buf_init(&out, 1 << 24);
    buf_addc(&out, '>');
    count = redact_text(r, text, n, &out);
    MUST(buf_status(&out) == OK);
    MUST(!utf8_valid(text, n) || utf8_valid(out.data, out.len));
    if (marks(text, n) == 0)
        MUST(marks(out.data, out.len) >= count);
    if (count == 0)
        MUST(out.len == n + 1 && (n == 0 || !memcmp(out.data + 1, text, n)));
    buf_clear(&out);
    MUST(redact_part(r, text, n, n / 3, n - n / 4, true, &out) <= n);
    MUST(buf_status(&out) == OK);
    buf_clear(&out);
    redact_cut(r, text, n, n + n % 5, &out);
    MUST(buf_status(&out) == OK);
    buf_release(&out);
    redact_free(r);
    free(text);
    free(words);
    return 0;
}

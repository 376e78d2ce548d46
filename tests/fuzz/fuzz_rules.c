/*
 * Any bytes as rules, a NUL, and a path. What is refused names a line; what is
 * taken gives labels that do not depend on what was asked before, a folder that
 * is ignored is so with all below it, and the redactions are lines that the
 * redactor takes.
 */
#include "base/base.h"

#include "base/buf.h"
#include "base/mem.h"
#include "files/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
ask(const struct rules *r, char *path)
{
    enum label file = rules_label(r, path, false);

    if (file != rules_label(r, path, false))
        abort();
    for (char *s = strrchr(path, '/'); s && s > path; s = strrchr(path, '/')) {
        *s = '\0';
        if (rules_label(r, path, true) == LABEL_IGNORE && file != LABEL_IGNORE)
            abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const uint8_t *end = memchr(data, '\0', n);
    size_t len = end ? (size_t)(end - data) : n;
    char *text = xmemdup0(data, len), *path;
    struct rules *r = NULL;
    struct problem why = {.err = OK};
    struct redact *hide;
    struct buf out;

    if (rules_read(text, len, &r, &why)) {
        if (r || why.err != ERR_BADREQ || why.message[0] == '\0')
            abort();
    } else {
        path = end ? xmemdup0(end + 1, n - len - 1) : xstrdup("a/b.txt");
        ask(r, path);
        hide = redact_new(rules_redactions(r));
        buf_init(&out, 1 << 24);
        redact_text(hide, path, strlen(path), &out);
        buf_release(&out);
        redact_free(hide);
        free(path);
    }
    rules_free(r);
    free(text);
    return 0;
}

/*
 * Fuzzes provider/models_file.c. What is left of any file is a sound table:
 * it can be printed and read again without a complaint; and then, as what the
 * file had made unknown is what is built in once more, without a change.
 */
#include "base/base.h"

#include "base/mem.h"
#include "provider/models.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int lines;

static void
on_fault(void *arg, int line, const char *rule)
{
    (void)arg;
    assert(line >= 1 && line <= lines);
    assert(*rule != '\0' && strpbrk(rule, "\"\r\n") == NULL);
}

static char *
print(size_t *n)
{
    char *text = NULL;
    FILE *f = open_memstream(&text, n);

    assert(f != NULL);
    models_print(f);
    (void)fclose(f);
    return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *exact = xmalloc(size > 0 ? size : 1); /* a read past it is seen */
    char *first, *second;
    size_t n, m;

    if (size > 0)
        memcpy(exact, data, size);
    lines = 1;
    for (size_t i = 0; i < size; i++)
        lines += exact[i] == '\n';
    (void)models_parse(exact, size, on_fault, NULL);
    free(exact);
    if (size % 16 != 0) /* printing takes most of the time */
        return 0;
    first = print(&n);
    assert(models_parse(first, n, on_fault, NULL) == 0);
    free(first);
    first = print(&n);
    assert(models_parse(first, n, on_fault, NULL) == 0);
    second = print(&m);
    assert(n == m && memcmp(first, second, n) == 0);
    free(second);
    free(first);
    return 0;
}

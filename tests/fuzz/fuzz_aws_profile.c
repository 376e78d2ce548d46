/*
 * Fuzzes provider/aws_profile.c. What is taken is printable and bounded, and
 * may stand in a header; both kinds of file are read.
 */
#include "base/base.h"

#include "base/mem.h"
#include "provider/aws_profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
on_bad(void *arg, int line, const char *rule)
{
    (void)rule;
    assert(line >= 1 && line <= *(int *)arg);
}

static void
check(const char *s)
{
    size_t n = s != NULL ? strlen(s) : 1;

    assert(n > 0 && n <= AWS_PROFILE_VALUE_MAX);
    for (; s != NULL && *s != '\0'; s++)
        assert(*s > ' ' && *s < 0x7f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *exact = xmalloc(size > 0 ? size : 1); /* a read past it is seen */
    int lines = 1;

    if (size > 0)
        memcpy(exact, data, size);
    for (size_t i = 0; i < size; i++)
        lines += exact[i] == '\n';
    for (int kind = 0; kind < 2; kind++) {
        struct aws_profile p;

        aws_profile_init(&p);
        aws_profile_parse(&p, exact, size, (enum aws_profile_file)kind,
                          kind == 0 ? "default" : "work", on_bad, &lines);
        check(p.access_key);
        check(p.secret_key);
        check(p.session_token);
        check(p.region);
        assert(p.found || (p.access_key == NULL && p.region == NULL));
        aws_profile_release(&p);
    }
    free(exact);
    return 0;
}

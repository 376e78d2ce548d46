/*
 * Fuzzes http/cookie.c. A value that is found is short, of few characters, and
 * stands in the header behind its name.
 */
#include "base/base.h"

#include "base/mem.h"
#include "http/cookie.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *header = xmemdup0(data, size); /* a read past it is seen */
    char value[COOKIE_VALUE_MAX + 1], pair[COOKIE_VALUE_MAX + 16];

    if (cookie_find(header, "own", value)) {
        assert(strlen(value) <= COOKIE_VALUE_MAX);
        assert(strpbrk(value, " ;,\"\\=/%") == NULL);
        (void)snprintf(pair, sizeof(pair), "own=%s", value);
        assert(strstr(header, pair) != NULL);
    } else {
        assert(value[0] == '\0');
    }
    free(header);
    return 0;
}

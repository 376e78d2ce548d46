/*
 * Any bytes as a line of the password file: what is taken lies in the line, has
 * a name that Basic could carry, and a hash without a colon that crypt(3)
 * knows; what is not taken says why, in words of ours alone.
 */
#include "base/base.h"

#include "auth/basic.h"
#include "auth/htpasswd_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
inside(const char *s, size_t n, const char *line, size_t size)
{
    return s >= line && s + n <= line + size;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *line = (const char *)data, *why = NULL;
    struct htpasswd_line l;
    enum err e = htpasswd_line_read(line, size, &l, &why);

    if ((e == ERR_BADREQ) != (why != NULL))
        abort();
    if (l.user != NULL && (!inside(l.user, l.user_len, line, size) ||
                           !basic_user_valid(l.user, l.user_len)))
        abort();
    if (e != OK)
        return 0;
    if (!inside(l.hash, l.hash_len, line, size) || l.hash[0] != '$' ||
        l.hash_len > HTPASSWD_HASH_MAX || l.cost_len >= l.hash_len ||
        memchr(l.hash, ':', l.hash_len) != NULL ||
        memchr(l.hash, '\0', l.hash_len) != NULL ||
        memchr(l.hash, ' ', l.hash_len) != NULL)
        abort();
    return 0;
}

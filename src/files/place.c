/*
 * Uploads lie in a folder for each collection, under names that every file
 * system takes: what is not a letter, digit, dot, hyphen or underscore of ASCII
 * is written %XX, a dot in the beginning too. A name that gets too long is
 * replaced by its digest, with its ending kept for who reads it by that.
 */
#include "base/base.h"

#include "files/place.h"

#include <ctype.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/digest.h"
#include "files/ingest.h"

#define ENDING_MAX 16 /* bytes of one that is kept */

static bool
is_plain(const char *name, size_t i)
{
    unsigned char c = (unsigned char)name[i];

    return (c < 0x80 && isalnum(c)) || c == '-' || c == '_' ||
           (c == '.' && i > 0);
}

static void
encode(char out[PLACE_NAME_MAX + 1], const char *name)
{
    static const char hex[] = "0123456789ABCDEF";
    const char *dot = strrchr(name, '.');
    char digest[DIGEST_NAME_LEN];
    size_t n = 0;

    for (size_t i = 0; name[i] != '\0' && n + 3 <= PLACE_NAME_MAX; i++) {
        unsigned char c = (unsigned char)name[i];

        if (is_plain(name, i)) {
            out[n++] = (char)c;
            continue;
        }
        out[n++] = '%';
        out[n++] = hex[c >> 4];
        out[n++] = hex[c & 15];
    }
    out[n] = '\0';
    if (n + 3 <= PLACE_NAME_MAX)
        return;
    digest_name(digest, name, strlen(name));
    n = (size_t)snprintf(out, PLACE_NAME_MAX + 1, "%s", digest);
    if (dot == NULL || strlen(dot) > ENDING_MAX)
        return;
    for (size_t i = 1; dot[i] != '\0'; i++)
        if (!isalnum((unsigned char)dot[i]))
            return;
    (void)snprintf(out + n, PLACE_NAME_MAX + 1 - n, "%s", dot);
}

enum err
place_of(const char *dir, const struct collection *c, const char *name,
         struct place *out)
{
    char plain[PLACE_NAME_MAX + 1];
    int n;

    if (c->root[0] != '\0') {
        n = snprintf(out->root, sizeof(out->root), "%s", c->root);
    } else {
        n = snprintf(out->root, sizeof(out->root), "%s/uploads/%" PRId64, dir,
                     c->id);
        encode(plain, name);
        name = plain;
    }
    if (n < 0 || (size_t)n >= sizeof(out->root) ||
        strlen(name) >= sizeof(out->path))
        return ERR_TOOBIG;
    (void)snprintf(out->path, sizeof(out->path), "%s", name);
    return OK;
}

int
place_open(const struct place *p)
{
    int root = open(p->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = root >= 0 ? ingest_open(root, p->path) : -1;

    if (root >= 0)
        (void)close(root);
    return fd;
}

/*
 * The rules of a folder: read from the file in it, and asked for a path with
 * all the folders above it. Blocks on the disk; any thread.
 */
#include "base/base.h"

#include "files/rules.h"

#include <unistd.h>

#include "base/mem.h"
#include "files/ingest.h"

enum err
rules_of_folder(int root, struct rules **out, struct problem *why)
{
    int fd = ingest_open(root, RULES_FILE);
    char *text;
    ssize_t n;
    enum err e = OK;

    *out = NULL;
    if (fd < 0)
        return OK;
    text = xmalloc(RULES_BYTES_MAX + 1);
    n = read(fd, text, RULES_BYTES_MAX + 1);
    (void)close(fd);
    if (n < 0 || n > RULES_BYTES_MAX)
        e = problem_set(why, ERR_BADREQ, "rules_unreadable",
                        "The file " RULES_FILE " cannot be read",
                        "It may have %d bytes.", RULES_BYTES_MAX);
    else
        e = rules_read(text, (size_t)n, out, why);
    free(text);
    return e;
}

bool
rules_ignore(const struct rules *r, const char *path)
{
    char above[FILES_NAME_MAX + 1];

    for (size_t i = 0; path[i] != '\0'; i++) {
        if (path[i] != '/')
            continue;
        (void)snprintf(above, sizeof(above), "%.*s", (int)i, path);
        if (rules_label(r, above, true) == LABEL_IGNORE)
            return true;
    }
    return rules_label(r, path, false) == LABEL_IGNORE;
}

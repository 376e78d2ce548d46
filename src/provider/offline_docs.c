/*
 * Parley's own documents, in memory: they are small, and read only if somebody
 * asks the offline provider. How they are cut is in offline_cut.c.
 */
#include "base/base.h"

#include "provider/offline.h"

#include <dirent.h>

#include "base/mem.h"

#define FILE_BYTES_MAX (512 * 1024) /* a longer document is cut */
#define FILES_MAX 32
#define PATH_BYTES 4096

/* Told when there are no documents, as in a program that was copied alone. */
static const char own_words[] =
    "# Parley\n\n"
    "Parley is a chat server written in C that runs behind a web server as "
    "FastCGI or plain CGI.\n\n"
    "## Asking a question\n\n"
    "Send a message with `POST /chat`, as JSON or as a form: "
    "`curl -d 'message=hello' http://127.0.0.1:8080/chat`. "
    "The reply holds the answer, the session's id and the length of the "
    "conversation.\n\n"
    "## Sessions\n\n"
    "A session is a conversation. Send its `session_id` along to continue "
    "it. Messages are stored before the answer is sent, so they survive a "
    "crash.\n\n"
    "## Streaming\n\n"
    "With `stream` or the header `Accept: text/event-stream` the answer "
    "comes piece by piece as server-sent events. A reader that lost its "
    "connection continues with `Last-Event-ID`, and nothing is missed.\n\n"
    "## Setting a key\n\n"
    "To talk to a model, write `OPENAI_API_KEY=` and your key into the file "
    "`.env` and restart. A server of your own that speaks the same interface "
    "is set with `OPENAI_BASE_URL`.\n";

static void
add_file(struct docs *d, const char *name, char *text)
{
    d->files = xrealloc(d->files, (d->n_files + 1) * sizeof(*d->files));
    d->names = xrealloc(d->names, (d->n_files + 1) * sizeof(*d->names));
    d->names[d->n_files] = xstrdup(name);
    d->files[d->n_files++] = text;
    docs_cut(d, text);
}

static void
read_file(struct docs *d, const char *root, const char *name)
{
    char path[PATH_BYTES];
    FILE *f;
    char *text;
    size_t n;

    if (snprintf(path, sizeof(path), "%s/%s", root, name) >= (int)sizeof(path))
        return;
    f = fopen(path, "re");
    if (f == NULL)
        return;
    text = xmalloc(FILE_BYTES_MAX + 1);
    n = fread(text, 1, FILE_BYTES_MAX, f);
    (void)fclose(f);
    text[n] = '\0'; /* a NUL inside ends it: slices are NUL-free */
    add_file(d, name, xrealloc(text, n + 1));
}

static int
is_document(const struct dirent *e)
{
    size_t n = strlen(e->d_name);

    return e->d_name[0] != '.' && n > 3 &&
           strcmp(e->d_name + n - 3, ".md") == 0;
}

static int
by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

struct docs *
docs_load(const char *root)
{
    struct docs *d = xcalloc(1, sizeof(*d));
    struct dirent **list = NULL;
    char path[PATH_BYTES], name[300];
    int i, n = 0;

    read_file(d, root, "README.md");
    if (snprintf(path, sizeof(path), "%s/docs", root) < (int)sizeof(path))
        n = scandir(path, &list, is_document, by_bytes);
    for (i = 0; i < n; i++) {
        if (i < FILES_MAX) {
            (void)snprintf(name, sizeof(name), "docs/%s", list[i]->d_name);
            read_file(d, root, name);
        }
        free(list[i]);
    }
    free(list);
    if (d->n_units == 0)
        add_file(d, "", xstrdup(own_words));
    return d;
}

void
docs_free(struct docs *d)
{
    size_t i;

    if (d == NULL)
        return;
    for (i = 0; i < d->n_units; i++)
        free(d->units[i].words);
    for (i = 0; i < d->n_sections; i++)
        free(d->sections[i].words);
    for (i = 0; i < d->n_files; i++) {
        free(d->files[i]);
        if (d->names != NULL)
            free(d->names[i]);
    }
    free(d->units);
    free(d->sections);
    free(d->files);
    free(d->names);
    free(d);
}

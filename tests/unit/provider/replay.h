/*
 * Replays: each folder of tests/replay/PROVIDER is a case and holds
 *   reply.*   the reply's body, byte for byte
 *   want.txt  the parts that it means (transcript.h)
 * The reply is read whole, byte by byte, in pieces of 7 and 1460 bytes, in two
 * pieces cut at every place, and ended early at every place.
 */
#ifndef REPLAY_H
#define REPLAY_H

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <dirent.h>

#include "transcript.h"

#define REPLAY_FILE_MAX (1024 * 1024) /* bytes */

struct replay {
    const struct provider *provider;
    const char *folder; /* "tests/replay/openai" */
    const char *reply;  /* "reply.sse" */
};

static inline char *
replay_file(const struct replay *r, const char *name, const char *file,
            size_t *n)
{
    char path[512], *s = xmalloc(REPLAY_FILE_MAX);
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s/%s", r->folder, name, file);
    f = fopen(path, "rb");
    if (f == NULL)
        fail_msg("%s is missing (run from the root of the project)", path);
    *n = fread(s, 1, REPLAY_FILE_MAX - 1, f);
    fclose(f);
    s[*n] = '\0';
    return s;
}

static inline void
expect_reading(const struct replay *r, const char *name, const char *s,
               size_t n, size_t first, size_t piece, const char *want)
{
    struct transcript t;

    transcript_init(&t);
    (void)transcript_read(&t, r->provider, s, n, first, piece);
    if (strcmp(buf_cstr(&t.out), want) != 0 || t.broken)
        fail_msg("%s, %zu then %zu bytes a piece:\n%s--- wanted:\n%s", name,
                 first, piece, buf_cstr(&t.out), want);
    transcript_release(&t);
}

/* All text of a transcript, as JSON strings without the quotes. */
static inline void
text_of(const char *lines, struct buf *out)
{
    const char *line, *end;

    buf_clear(out);
    for (line = lines; *line != '\0'; line = end + 1) {
        end = strchr(line, '\n');
        if (strncmp(line, "text ", 5) == 0)
            buf_add(out, line + 6, (size_t)(end - line) - 7);
    }
}

/* Ended early, a reply yields a beginning of its text, and success only if
 * its end was told. */
static inline void
expect_beginning(const struct replay *r, const char *name, const char *s,
                 size_t n, const char *want)
{
    struct buf all, some;
    struct transcript t;
    enum err e;

    buf_init(&all, TRANSCRIPT_MAX);
    buf_init(&some, TRANSCRIPT_MAX);
    transcript_init(&t);
    e = transcript_read(&t, r->provider, s, n, n, n);
    text_of(want, &all);
    text_of(buf_cstr(&t.out), &some);
    if ((e == OK) != t.ended || some.len > all.len ||
        memcmp(buf_cstr(&all), buf_cstr(&some), some.len) != 0 || t.broken)
        fail_msg("%s, ended after %zu bytes:\n%s", name, n, buf_cstr(&t.out));
    transcript_release(&t);
    buf_release(&all);
    buf_release(&some);
}

static inline void
replay_reply(const struct replay *r, const char *name)
{
    static const size_t pieces[] = {1, 7, 1460};
    size_t n, want_len, i;
    char *reply = replay_file(r, name, r->reply, &n);
    char *want = replay_file(r, name, "want.txt", &want_len);

    expect_reading(r, name, reply, n, n, n, want);
    for (i = 0; i < COUNT_OF(pieces); i++)
        expect_reading(r, name, reply, n, pieces[i], pieces[i], want);
    for (i = 1; i < n; i++)
        expect_reading(r, name, reply, n, i, n, want);
    for (i = 0; i < n; i++)
        expect_beginning(r, name, reply, i, want);
    free(reply);
    free(want);
}

/* All cases; also(name) does more with each (NULL: nothing). */
static inline void
replay_all(const struct replay *r, int least, void (*also)(const char *name))
{
    struct dirent **list;
    int i, n, cases = 0;

    n = scandir(r->folder, &list, NULL, alphasort);
    if (n < 0)
        fail_msg("no %s (run from the root of the project)", r->folder);
    for (i = 0; i < n; i++) {
        if (list[i]->d_name[0] != '.') {
            replay_reply(r, list[i]->d_name);
            if (also != NULL)
                also(list[i]->d_name);
            cases++;
        }
        free(list[i]);
    }
    free(list);
    assert_true(cases >= least);
}

#endif

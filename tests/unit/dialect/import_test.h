/* What the tests of import and export share: an import that is written down,
 * line by line, so that two of them can be compared. */
#ifndef IMPORT_TEST_H
#define IMPORT_TEST_H

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "dialect/import.h"

#define TOLD_MAX (256 * 1024 * 1024) /* bytes */

struct told {
    struct buf out;
    size_t stop_after; /* calls; then ERR_HUP */
    size_t calls;
};

static inline void
tell_string(struct told *t, const char *name, const char *s, size_t n)
{
    if (n == 0)
        return;
    buf_addf(&t->out, " %s=", name);
    json_escape(&t->out, s, n);
}

static inline void
tell_number(struct told *t, const char *name, int64_t n, int64_t unknown)
{
    if (n != unknown)
        buf_addf(&t->out, " %s=%" PRId64, name, n);
}

static inline void
tell_message(struct told *t, const struct import_message *m)
{
    buf_addf(&t->out, "  %s%s <%d", m->main ? "" : "(branch) ",
             role_name(m->role), (int)m->parent);
    tell_string(t, "id", m->id, strlen(m->id));
    tell_number(t, "at", m->at_ms, 0);
    if (m->finish != FINISH_NONE)
        buf_addf(&t->out, " %s", finish_name(m->finish));
    tell_string(t, "provider", m->provider, strlen(m->provider));
    tell_string(t, "model", m->model, strlen(m->model));
    tell_number(t, "in", m->usage.input_tokens, -1);
    tell_number(t, "out", m->usage.output_tokens, -1);
    tell_number(t, "cached", m->usage.cached_tokens, -1);
    tell_number(t, "cost", m->cost_micro, -1);
    tell_string(t, "extra", m->extra, m->extra_len);
    tell_string(t, "text", m->text, m->text_len);
    buf_addc(&t->out, '\n');
}

static inline enum err
tell_session(void *arg, const struct import_session *s)
{
    struct told *t = arg;

    buf_addf(&t->out, "session %zu@%d %s", s->item, (int)s->at,
             import_format_name(s->format));
    tell_string(t, "id", s->id, strlen(s->id));
    tell_string(t, "title", s->title, strlen(s->title));
    tell_string(t, "context", s->context, strlen(s->context));
    tell_string(t, "model", s->model, strlen(s->model));
    for (size_t i = 0; i < s->n_tags; i++)
        tell_string(t, "tag", s->tags[i], strlen(s->tags[i]));
    buf_adds(&t->out, s->pinned ? " pinned" : "");
    buf_adds(&t->out, s->archived ? " archived" : "");
    tell_number(t, "created", s->created_ms, 0);
    tell_number(t, "updated", s->updated_ms, 0);
    buf_addc(&t->out, '\n');
    for (size_t i = 0; i < s->n_messages; i++) {
        assert_true(s->messages[i].parent < (int64_t)i);
        assert_int_equal(s->messages[i].text_len, strlen(s->messages[i].text));
        tell_message(t, &s->messages[i]);
    }
    return ++t->calls > t->stop_after ? ERR_HUP : OK;
}

static inline enum err
tell_fault(void *arg, const struct import_fault *f)
{
    struct told *t = arg;

    buf_addf(&t->out, "fault %zu@%d %s\n", f->item, (int)f->at, f->rule);
    return ++t->calls > t->stop_after ? ERR_HUP : OK;
}

static inline void
told_init(struct told *t)
{
    buf_init(&t->out, TOLD_MAX);
    t->stop_after = SIZE_MAX;
    t->calls = 0;
}

/* Feed all in pieces, each in memory of its exact size. */
static inline enum err
import_all(struct import *im, const char *s, size_t n, size_t piece,
           struct problem *why)
{
    enum err e = OK;

    for (size_t at = 0; at < n && e == OK; at += piece) {
        size_t len = n - at < piece ? n - at : piece;
        char *copy = xmalloc(len);

        memcpy(copy, s + at, len);
        e = import_feed(im, copy, len, why);
        free(copy);
    }
    return e == OK ? import_end(im, why) : e;
}

/* t is initialised; what the import says is added to it. */
static inline enum err
told_import(struct told *t, const char *s, size_t n, size_t piece)
{
    struct import_sink sink = {tell_session, tell_fault, t};
    struct import im;
    struct problem why = {.err = OK};
    enum err e;

    import_init(&im, &sink);
    e = import_all(&im, s, n, piece, &why);
    if (e == ERR_BADREQ)
        buf_addf(&t->out, "stop %s: %s\n", why.code, why.message);
    buf_addf(&t->out,
             "items=%zu sessions=%zu messages=%zu left_out=%zu faults=%zu\n",
             im.report.items, im.report.sessions, im.report.messages,
             im.report.left_out, im.report.faults);
    import_release(&im);
    return e;
}

/* A file of the repository; owned by who asks. */
static inline char *
read_file(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    char *s;
    long len;

    if (f == NULL)
        fail_msg("%s: %s", path, strerror(errno));
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    len = ftell(f);
    assert_true(len >= 0);
    rewind(f);
    s = xmalloc((size_t)len + 1);
    assert_int_equal(fread(s, 1, (size_t)len, f), len);
    s[len] = '\0';
    *n = (size_t)len;
    (void)fclose(f);
    return s;
}

#endif

/*
 * What the tests of the client share: a parley whose callbacks write all that
 * they are told into one text, a line each.
 */
#ifndef CLIENT_TEST_H
#define CLIENT_TEST_H

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/buf.h"
#include "client/inside.h"

struct told {
    struct buf log;               /* "kind: text" */
    struct buf text;              /* all pieces */
    struct parley *stop_at_chunk; /* stop it when a piece comes; NULL: not */
};

static inline void
told_connected(void *arg, const char *session)
{
    struct told *t = arg;

    (void)session;
    buf_adds(&t->log, "connected\n");
}

static inline void
told_message(void *arg, const struct parley_message *m)
{
    static const char *const kinds[] = {"answer", "history", "cleared", "pong",
                                        "logged out"};
    struct told *t = arg;

    assert_int_equal(strlen(m->text), m->text_len);
    buf_addf(&t->log, "%s", kinds[m->kind]);
    if (m->kind == PARLEY_ANSWER)
        buf_addf(&t->log, ": %s [%s]", m->text, m->finish_reason);
    if (m->kind == PARLEY_HISTORY)
        buf_addf(&t->log, ": %s %s", m->role, m->text);
    buf_addc(&t->log, '\n');
}

static inline void
told_chunk(void *arg, const char *text, size_t n)
{
    struct told *t = arg;

    buf_add(&t->text, text, n);
    if (t->stop_at_chunk != NULL)
        parley_stop(t->stop_at_chunk);
    t->stop_at_chunk = NULL;
}

static inline void
told_error(void *arg, const struct parley_error *e)
{
    struct told *t = arg;

    assert_null(strchr(e->text, '\n'));
    buf_addf(&t->log, "error %d %s: %s\n", (int)e->status, e->code, e->text);
}

static inline void
told_state(void *arg, enum parley_state s, const char *text)
{
    struct told *t = arg;

    if (s == PARLEY_RECONNECTS)
        buf_adds(&t->log, "reconnects\n");
    if (s == PARLEY_USES_TOOL)
        buf_addf(&t->log, "tool: %s\n", text);
}

static inline struct parley *
told_parley(struct told *t, const struct parley_config *c)
{
    struct parley_calls calls = {.arg = t,
                                 .on_connected = told_connected,
                                 .on_message = told_message,
                                 .on_chunk = told_chunk,
                                 .on_error = told_error,
                                 .on_state = told_state};

    memset(t, 0, sizeof(*t));
    buf_init(&t->log, 1 << 20);
    buf_init(&t->text, 1 << 20);
    return parley_new(c, &calls);
}

static inline void
told_release(struct told *t)
{
    buf_release(&t->log);
    buf_release(&t->text);
}

/* What was told since this was asked last. */
static inline void
assert_told(struct told *t, const char *want)
{
    assert_string_equal(buf_cstr(&t->log), want);
    buf_clear(&t->log);
}

static inline void
assert_text(struct told *t, const char *want)
{
    assert_string_equal(buf_cstr(&t->text), want);
    buf_clear(&t->text);
}

#endif

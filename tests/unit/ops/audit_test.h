/* What the tests of the audit log share: a folder, bodies, and the log read
 * and written behind the back of its writers. */
#ifndef AUDIT_TEST_H
#define AUDIT_TEST_H

#include "../store/store_test.h"

#include <fcntl.h>

#include "base/buf.h"
#include "base/mem.h"
#include "ops/audit_file.h"

#define SECRET "a secret that nobody knows"

static char audit_dir[256];

static inline int
audit_setup(void **state)
{
    (void)state;
    folder_make(audit_dir);
    log_set_level(LOG_ERROR);
    return 0;
}

static inline int
audit_teardown(void **state)
{
    (void)state;
    folder_remove(audit_dir);
    return 0;
}

static inline struct audit_config
audit_config(const char *key, size_t file_max)
{
    return (struct audit_config){
        .dir = audit_dir, .key = key, .file_max = file_max};
}

static inline const char *
audit_path(const char *name)
{
    static char path[400];

    (void)snprintf(path, sizeof(path), "%s/%s", audit_dir, name);
    return path;
}

/* The bytes of a file, NUL-terminated; to be freed. NULL: it is not there. */
static inline char *
audit_slurp(const char *name, size_t *len)
{
    FILE *f = fopen(audit_path(name), "re");
    size_t n = 0, cap = 1 << 16;
    char *s;

    if (len != NULL)
        *len = 0;
    if (f == NULL)
        return NULL;
    s = xmalloc(cap);
    for (;;) {
        size_t k = fread(s + n, 1, cap - n - 1, f);

        if (k == 0)
            break;
        n += k;
        if (n + 1 == cap)
            s = xrealloc(s, cap *= 2);
    }
    (void)fclose(f);
    s[n] = '\0';
    if (len != NULL)
        *len = n;
    return s;
}

static inline void
audit_spill(const char *name, const char *s, size_t n)
{
    FILE *f = fopen(audit_path(name), "we");

    assert_non_null(f);
    assert_int_equal(fwrite(s, 1, n, f), n);
    (void)fclose(f);
}

/* Append n lines that tell of sessions from..from+n-1. */
static inline enum err
audit_put(struct audit_file *f, int64_t from, int64_t n)
{
    for (int64_t i = from; i < from + n; i++) {
        char session[40];
        struct audit_fact fact = {.what = AUDIT_SESSION_DELETED,
                                  .who = "local/ann",
                                  .addr = "192.0.2.7",
                                  .with = {AUDIT_TEXT("session", session)}};
        struct audit_entry_body body;
        struct buf b;
        size_t done;
        enum err e;

        (void)snprintf(session, sizeof(session), "s%" PRId64, i);
        buf_init(&b, AUDIT_LINE_MAX);
        audit_body(&b, &fact, 1767323045678);
        body = (struct audit_entry_body){.data = b.data, .len = b.len};
        e = audit_file_append(f, &body, 1, &done);
        assert_int_equal(done, e == OK ? 1 : 0);
        buf_release(&b);
        if (e != OK)
            return e;
    }
    return OK;
}

/* A log of n lines. */
static inline void
audit_make(const struct audit_config *c, int64_t n)
{
    struct audit_file f;

    assert_int_equal(audit_file_open(&f, c), OK);
    assert_int_equal(audit_put(&f, 1, n), OK);
    audit_file_close(&f);
}

/* All that audit_verify found, one sentence per line. */
struct audit_found {
    struct audit_verdict verdict;
    char text[8192];
    size_t len;
};

static inline void
audit_note_finding(void *arg, const struct audit_finding *f)
{
    struct audit_found *out = arg;

    if (out->len < sizeof(out->text))
        out->len += (size_t)snprintf(
            out->text + out->len, sizeof(out->text) - out->len,
            "%s%s:%" PRId64 ": %s\n", f->note ? "note " : "", f->file, f->line,
            f->text);
}

static inline void
audit_check(const struct audit_config *c, struct audit_found *out)
{
    (void)memset(out, 0, sizeof(*out));
    assert_int_equal(audit_verify(c, 0, audit_note_finding, out, &out->verdict),
                     OK);
}

#define ASSERT_SOUND(c, n_lines)                            \
    do {                                                    \
        struct audit_found found_;                          \
        audit_check((c), &found_);                          \
        assert_string_equal(found_.text, "");               \
        assert_int_equal(found_.verdict.faults, 0);         \
        assert_int_equal(found_.verdict.lines, (n_lines));  \
        assert_int_equal(found_.verdict.last_n, (n_lines)); \
    } while (0)

/* The check finds this, and not nothing. */
#define ASSERT_FINDS(c, sentence)                         \
    do {                                                  \
        struct audit_found found_;                        \
        audit_check((c), &found_);                        \
        if (strstr(found_.text, (sentence)) == NULL)      \
            print_error("found: %s\n", found_.text);      \
        assert_non_null(strstr(found_.text, (sentence))); \
        assert_true(found_.verdict.faults > 0);           \
    } while (0)

#endif

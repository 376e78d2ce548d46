/*
 * What the store's tests share: a folder of their own, operations with
 * sensible members, and reading back as text.
 */
#ifndef STORE_TEST_H
#define STORE_TEST_H

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <dirent.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "store/commit.h"
#include "store/store.h"

#define TEST_MAP ((size_t)64 * 1024 * 1024)

/* A new folder under TMPDIR; the caller removes it. */
static inline void
folder_make(char out[256])
{
    const char *tmp = getenv("TMPDIR");

    (void)snprintf(out, 256, "%s/parley-test-XXXXXX",
                   tmp == NULL ? "/tmp" : tmp);
    assert_non_null(mkdtemp(out));
}

/* Remove a folder two levels deep. */
static inline void
folder_remove(const char *dir)
{
    DIR *d = opendir(dir);
    const struct dirent *e;

    if (d == NULL)
        return;
    while ((e = readdir(d)) != NULL) {
        char path[600];

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (snprintf(path, sizeof(path), "%s/%s", dir, e->d_name) >=
            (int)sizeof(path))
            continue;
        if (unlink(path) != 0)
            folder_remove(path);
    }
    (void)closedir(d);
    (void)rmdir(dir);
}

static inline bool
file_has_text(const char *path, const char *text)
{
    struct stat st;
    bool found;
    char *data;
    FILE *f;

    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
        return false;
    f = fopen(path, "re");
    assert_non_null(f);
    data = malloc((size_t)st.st_size);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, (size_t)st.st_size, f), st.st_size);
    (void)fclose(f);
    found = memmem(data, (size_t)st.st_size, text, strlen(text)) != NULL;
    free(data);
    return found;
}

/* Is it in any file of this folder, or below it? */
static inline bool
folder_has_text(const char *dir, const char *text)
{
    DIR *d = opendir(dir);
    const struct dirent *e;
    bool found = false;

    if (d == NULL)
        return file_has_text(dir, text);
    while ((e = readdir(d)) != NULL) {
        char path[600];

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        assert_true(snprintf(path, sizeof(path), "%s/%s", dir, e->d_name) <
                    (int)sizeof(path));
        found |= folder_has_text(path, text);
    }
    (void)closedir(d);
    return found;
}

/* A file system of `bytes` at dir, in a mount namespace of this process, so
 * that it is gone with it. False where that is not allowed. */
static inline bool
small_disk_mount(const char *dir, size_t bytes)
{
    char options[40];

    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return false;
    (void)snprintf(options, sizeof(options), "size=%zu,mode=0700", bytes);
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", dir, "tmpfs", 0, options) == 0;
}

/* Fill the disk that path is on with one file; returns the bytes written. */
static inline size_t
disk_fill(const char *path)
{
    static const char zeros[4096];
    FILE *f = fopen(path, "we");
    size_t n = 0;

    assert_non_null(f);
    (void)setvbuf(f, NULL, _IONBF, 0);
    while (fwrite(zeros, 1, sizeof(zeros), f) == sizeof(zeros))
        n += sizeof(zeros);
    (void)fclose(f);
    return n;
}

/* How a child ended: its exit status, or minus the signal. */
static inline int
child_wait(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static inline struct store_op
op_begin(const char *owner, const char *session, const char *text)
{
    struct store_op op = {
        .kind = STORE_TURN_BEGIN, .owner = owner, .session_id = session};

    op.begin.create = true;
    op.begin.expect_messages = UINT32_MAX;
    op.begin.parent = STORE_HEAD;
    op.begin.turn = ident_v7();
    op.begin.answer_message = ident_v7();
    op.begin.process = process_self();
    op.begin.user = (struct message){.role = 1,
                                     .at_ms = 1000,
                                     .id = ident_v7(),
                                     .turn = op.begin.turn,
                                     .input_tokens = -1,
                                     .output_tokens = -1,
                                     .cached_tokens = -1,
                                     .cost_micro = -1,
                                     .provider = "",
                                     .model = "",
                                     .text = text,
                                     .text_len = strlen(text)};
    return op;
}

static inline struct store_op
op_end(const struct ident *turn, const char *text)
{
    struct store_op op = {.kind = STORE_TURN_END, .owner = ""};

    op.end.turn = *turn;
    op.end.end_seq = 9;
    op.end.answer = (struct message){.role = 2,
                                     .finish = 1,
                                     .at_ms = 2000,
                                     .input_tokens = 7,
                                     .output_tokens = 0,
                                     .cached_tokens = -1,
                                     .cost_micro = -1,
                                     .provider = "offline",
                                     .model = "small",
                                     .text = text,
                                     .text_len = strlen(text)};
    return op;
}

/* A patch that names a session by this title. */
static inline struct store_op
op_title(const char *owner, const char *session, const char *title)
{
    struct store_op op = {
        .kind = STORE_SESSION_PATCH, .owner = owner, .session_id = session};

    op.patch.title = title;
    return op;
}

/* One whole turn. */
static inline struct ident
put_turn(struct store *s, const char *owner, const char *session,
         const char *question, const char *answer)
{
    struct store_op b = op_begin(owner, session, question);
    struct store_op e = op_end(&b.begin.turn, answer);

    e.session_id = b.session_id;
    assert_int_equal(store_apply(s, &b), OK);
    assert_int_equal(store_apply(s, &e), OK);
    return b.begin.turn;
}

/* Messages as "seq:text|…". */
struct text {
    char s[4096];
    size_t n;
    unsigned stop_after; /* 0: never */
    unsigned count;
};

static inline bool
text_message(void *arg, const struct message *m)
{
    struct text *t = arg;

    t->n += (size_t)snprintf(t->s + t->n, sizeof(t->s) - t->n, "%u:%.*s|",
                             m->seq, (int)m->text_len, m->text);
    return ++t->count != t->stop_after;
}

static inline bool
text_session(void *arg, const struct session *s)
{
    struct text *t = arg;

    t->n += (size_t)snprintf(t->s + t->n, sizeof(t->s) - t->n, "%s|", s->id);
    return ++t->count != t->stop_after;
}

static inline void
assert_messages(struct store *s, const char *owner, const char *id,
                uint32_t before, uint32_t limit, size_t bytes_max,
                const char *want)
{
    struct text t = {0};

    assert_int_equal(store_messages(s, owner, id, before, limit, bytes_max,
                                    NULL, text_message, &t),
                     OK);
    assert_string_equal(t.s, want);
}

/* --- a test on every backend ---------------------------------------------- */

struct on_store {
    const struct backend *be;
    int64_t ttl_ms; /* as in struct store_config */
    char dir[256];
    struct store *s;
};

static inline int
on_store_setup(void **state)
{
    struct on_store *f = *state;
    struct store_config c = {
        .dir = f->dir, .map_bytes = TEST_MAP, .session_ttl_ms = f->ttl_ms};

    folder_make(f->dir);
    assert_int_equal(store_open_on(&f->s, f->be, &c), OK);
    return 0;
}

static inline int
on_store_teardown(void **state)
{
    struct on_store *f = *state;

    store_close(f->s);
    folder_remove(f->dir);
    return 0;
}

#define ON_STORE(t, f)                                          \
    cmocka_unit_test_prestate_setup_teardown(t, on_store_setup, \
                                             on_store_teardown, &f)

static inline struct session
get_session(struct store *s, const char *owner, const char *id)
{
    struct session sess;

    assert_int_equal(store_session(s, owner, id, &sess), OK);
    return sess;
}

static inline struct store_op
op_on(enum store_kind kind, const char *owner, const char *session)
{
    struct store_op op = {.kind = kind, .owner = owner, .session_id = session};

    return op;
}

/* A whole turn behind a message. */
static inline struct ident
put_turn_behind(struct store *s, const char *owner, const char *session,
                uint32_t parent, const char *question, const char *answer)
{
    struct store_op b = op_begin(owner, session, question), e;

    b.begin.parent = parent;
    assert_int_equal(store_apply(s, &b), OK);
    e = op_end(&b.begin.turn, answer);
    assert_int_equal(store_apply(s, &e), OK);
    return b.begin.turn;
}

static inline enum err
set_head(struct store *s, const char *owner, const char *session, uint32_t head)
{
    struct store_op op = op_on(STORE_SESSION_PATCH, owner, session);

    op.patch.set_head = true;
    op.patch.head = head;
    return store_apply(s, &op);
}

static inline void
assert_line(struct store *s, const char *owner, const char *id, uint32_t leaf,
            const char *want)
{
    struct text t = {0};

    assert_int_equal(store_line(s, owner, id, leaf, UINT32_MAX, UINT32_MAX, 0,
                                NULL, text_message, &t),
                     OK);
    assert_string_equal(t.s, want);
}

#endif

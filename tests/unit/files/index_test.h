/*
 * What the tests of the index share: a folder of their own, documents with
 * sensible members, and results as text.
 */
#ifndef INDEX_TEST_H
#define INDEX_TEST_H

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "files/chunk.h"
#include "files/shelf.h"
#include "files/vector.h"

#define NOW_MS INT64_C(1700000000000)
#define ANN "user:ann"
#define BOB "user:bob"

static char index_dir[256];
static struct files *fs;
static struct collection notes;

static inline void
index_reopen(void)
{
    files_close(fs);
    assert_int_equal(files_open(index_dir, &fs), OK);
}

static inline int
index_setup(void **state)
{
    const char *tmp = getenv("TMPDIR");

    (void)state;
    log_set_level(LOG_ERROR + 1);
    (void)snprintf(index_dir, sizeof(index_dir), "%s/parley-test-XXXXXX",
                   tmp == NULL ? "/tmp" : tmp);
    assert_non_null(mkdtemp(index_dir));
    assert_int_equal(files_open(index_dir, &fs), OK);
    assert_int_equal(files_collection(fs, ANN, "notes", "/notes", &notes), OK);
    return 0;
}

static inline void
index_dir_remove(void)
{
    DIR *d = opendir(index_dir);
    const struct dirent *e;

    while (d != NULL && (e = readdir(d)) != NULL) {
        char path[600];

        (void)snprintf(path, sizeof(path), "%s/%s", index_dir, e->d_name);
        (void)unlink(path);
    }
    if (d != NULL)
        (void)closedir(d);
    (void)rmdir(index_dir);
}

static inline int
index_teardown(void **state)
{
    (void)state;
    files_close(fs);
    fs = NULL;
    index_dir_remove();
    return 0;
}

/* All that is counted twice agrees. */
static inline void
assert_sound(void)
{
    struct buf said;
    enum err e;

    buf_init(&said, 65536);
    e = files_check(fs, &said);
    if (e != OK)
        print_message("%s", buf_cstr(&said));
    assert_int_equal(e, OK);
    buf_release(&said);
}

static inline struct document
document_of(int64_t collection, const char *name)
{
    struct document d = {.collection = collection,
                         .size = 100,
                         .mtime_ns = NOW_MS * 1000000,
                         .label = LABEL_CLOUD_OK};

    (void)snprintf(d.name, sizeof(d.name), "%s", name);
    (void)snprintf(d.facts.type, sizeof(d.facts.type), "text/plain");
    return d;
}

/* Put a document whose chunks are the texts, up to NULL. */
static inline enum err
put_texts(struct document *d, const char *redactions, const char *const *texts)
{
    struct files_put *put;
    int64_t start = 0;
    enum err e = files_put_begin(fs, d, &put);

    for (uint32_t i = 0; e == OK && texts[i] != NULL; i++) {
        struct chunk c = {.seq = i,
                          .start = start,
                          .len = strlen(texts[i]),
                          .heading = i > 0 ? "Part > Two" : "",
                          .text = texts[i]};

        e = files_put_chunk(put, &c);
        start += (int64_t)c.len;
    }
    return files_put_end(put, d, redactions);
}

/* One of one chunk, in ann's notes; its number. */
static inline int64_t
put_note(const char *name, const char *text)
{
    const char *texts[] = {text, NULL};
    struct document d = document_of(notes.id, name);

    assert_int_equal(put_texts(&d, "", texts), OK);
    return d.id;
}

static inline struct files_query
query_of(const char *owner, const char *text)
{
    return (struct files_query){.owner = owner,
                                .text = text,
                                .len = strlen(text),
                                .top_k = FILES_TOP_K,
                                .per_document = FILES_PER_DOCUMENT,
                                .now_ms = NOW_MS};
}

/* Names of the hits with a blank between, "" if there are none. */
static inline const char *
found_by(const struct files_query *q)
{
    static char names[8192];
    struct files_found found;
    size_t at = 0;

    names[0] = '\0';
    assert_int_equal(files_search(fs, q, &found), OK);
    for (size_t i = 0; i < found.n; i++) {
        const struct files_hit *h = &found.hits[i];

        assert_true(h->score > 0 && h->score <= 1);
        assert_true(h->similarity >= 0 && h->similarity <= 1);
        assert_true(i == 0 || h->score <= found.hits[i - 1].score);
        at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%s",
                               i > 0 ? " " : "", h->name);
    }
    files_found_release(&found);
    return names;
}

static inline const char *
found(const char *text)
{
    struct files_query q = query_of(ANN, text);

    return found_by(&q);
}

#endif

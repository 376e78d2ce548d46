/*
 * What the fuzz drivers of readers share: blocks that must be as
 * files/block.h says, whatever the file is.
 */
#ifndef READERS_H
#define READERS_H

#include "base/base.h"

#include <sys/mman.h>
#include <unistd.h>
#include <zip.h>

#include "base/text.h"
#include "files/extract.h"
#include "files/extract_record.h"

struct checked {
    struct block last;
    bool any;
};

static inline enum err
check_block(void *arg, const struct block *b)
{
    struct checked *k = arg;

    assert(b->len > 0 && b->len <= BLOCK_MAX && utf8_valid(b->text, b->len));
    assert(b->kind <= BLOCK_ROW && b->level >= 0 && b->level <= 6);
    assert((b->level > 0) == (b->kind == BLOCK_HEADING));
    assert(!k->any || b->page >= k->last.page);
    if (k->any && k->last.more)
        assert(b->kind == k->last.kind && b->level == k->last.level &&
               b->page == k->last.page);
    for (size_t i = 0; i < b->len; i++) {
        unsigned char c = (unsigned char)b->text[i];

        assert((c >= ' ' && c != 0x7F) || c == '\n' || c == '\t');
        assert(c != 0xC2 || (unsigned char)b->text[i + 1] >= 0xA0);
    }
    k->last = *b;
    k->any = true;
    return OK;
}

typedef enum err reader_fn(int fd, block_fn *fn, void *arg, struct facts *f,
                           enum skip *why);

/* Run a reader over the bytes as a file. */
static inline void
check_reader(reader_fn *read_it, const void *bytes, size_t n)
{
    struct checked k = {.any = false};
    struct facts f;
    enum skip why = SKIP_NOT;
    enum err e;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    if (fd < 0 || write(fd, bytes, n) != (ssize_t)n ||
        lseek(fd, 0, SEEK_SET) != 0)
        abort();
    (void)memset(&f, 0, sizeof(f));
    e = read_it(fd, check_block, &k, &f, &why);
    assert((e == OK && why == SKIP_NOT) ||
           (e == ERR_IMPOSSIBLE && why != SKIP_NOT));
    assert(e != OK || (k.any && !k.last.more));
    assert(utf8_valid(f.title, strlen(f.title)));
    (void)close(fd);
}

/* --- archives, whose checksums no fuzzer finds ---------------------------- */

struct part {
    const char *name;
    const void *bytes;
    size_t n;
};

static inline void
check_archive(reader_fn *read_it, const struct part *parts, size_t n)
{
    zip_source_t *source = zip_source_buffer_create(NULL, 0, 0, NULL);
    zip_t *zip;
    struct zip_stat st;
    void *bytes;

    zip_source_keep(source);
    zip = zip_open_from_source(source, ZIP_TRUNCATE, NULL);
    for (size_t i = 0; zip != NULL && i < n; i++) {
        zip_source_t *s = zip_source_buffer(zip, parts[i].bytes, parts[i].n, 0);
        zip_int64_t at = zip_file_add(zip, parts[i].name, s, 0);

        if (at < 0 || zip_set_file_compression(zip, (zip_uint64_t)at,
                                               ZIP_CM_STORE, 0) != 0)
            abort();
    }
    if (zip == NULL || zip_close(zip) != 0 || zip_source_stat(source, &st) != 0)
        abort();
    bytes = malloc(st.size);
    if (bytes == NULL || zip_source_open(source) != 0 ||
        zip_source_read(source, bytes, st.size) != (zip_int64_t)st.size)
        abort();
    (void)zip_source_close(source);
    zip_source_free(source);
    check_reader(read_it, bytes, st.size);
    free(bytes);
}

#endif

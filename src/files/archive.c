/*
 * ZIP, by libzip, which is handed the descriptor and opens nothing itself.
 *
 * Sizes in an archive are claims. They are looked at before a part is unpacked,
 * so that most bombs are not even begun, and what comes out is counted against
 * the same bounds. The checksum of a part is compared at its end by libzip.
 *
 * Archives within archives are never opened: a document needs none.
 */
#include "base/base.h"

#include "files/archive.h"

#include <unistd.h>

#include "files/extract.h"

/* Word keeps a document with a password in a file of this older kind. */
#define OLE_MAGIC "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"
#define OLE_LOOK (64 * 1024) /* bytes in which its directory is looked for */
static const char ole_encrypted[] = "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k";

static enum skip
no_zip(int fd)
{
    char *look = malloc(OLE_LOOK);
    ssize_t n = look != NULL ? pread(fd, look, OLE_LOOK, 0) : -1;
    enum skip why = SKIP_BROKEN;

    if (n > 8 && memcmp(look, OLE_MAGIC, 8) == 0)
        why = memmem(look, (size_t)n, ole_encrypted, sizeof(ole_encrypted) - 1)
                  ? SKIP_ENCRYPTED
                  : SKIP_TYPE;
    free(look);
    return why;
}

enum err
archive_open(struct archive *a, int fd, enum skip *why)
{
    int copy = dup(fd), error = ZIP_ER_OK;

    a->left = ARCHIVE_ALL_MAX;
    a->why = SKIP_NOT;
    a->zip = copy >= 0 ? zip_fdopen(copy, 0, &error) : NULL;
    *why = SKIP_NOT;
    if (a->zip == NULL) {
        if (copy >= 0)
            (void)close(copy); /* it is ours until it was opened */
        *why = error == ZIP_ER_MEMORY ? SKIP_BOMB : no_zip(fd);
        return ERR_IMPOSSIBLE;
    }
    if (zip_get_num_entries(a->zip, 0) <= ARCHIVE_ENTRIES_MAX)
        return OK;
    archive_close(a);
    *why = SKIP_BOMB;
    return ERR_IMPOSSIBLE;
}

void
archive_close(struct archive *a)
{
    if (a->zip != NULL)
        zip_discard(a->zip);
    a->zip = NULL;
}

static enum err
wrong(struct archive *a, enum skip why)
{
    a->why = why;
    return ERR_IMPOSSIBLE;
}

static bool
is_bomb(uint64_t size, uint64_t packed)
{
    return size > EXTRACT_ENTRY_MAX ||
           (size > ARCHIVE_SMALL && size / EXTRACT_RATIO_MAX > packed);
}

enum err
archive_part(struct archive *a, const char *name, struct archive_part *out)
{
    const zip_uint64_t needed = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE |
                                ZIP_STAT_ENCRYPTION_METHOD;
    zip_int64_t i = zip_name_locate(a->zip, name, 0);
    struct zip_stat st;

    (void)memset(out, 0, sizeof(*out));
    if (i < 0)
        i = zip_name_locate(a->zip, name, ZIP_FL_NOCASE);
    if (i < 0)
        return ERR_NOTFOUND;
    if (zip_stat_index(a->zip, (zip_uint64_t)i, 0, &st) != 0 ||
        (st.valid & needed) != needed)
        return wrong(a, SKIP_BROKEN);
    if (st.encryption_method != ZIP_EM_NONE)
        return wrong(a, SKIP_ENCRYPTED);
    if (is_bomb(st.size, st.comp_size))
        return wrong(a, SKIP_BOMB);
    out->archive = a;
    out->packed = st.comp_size;
    out->file = zip_fopen_index(a->zip, (zip_uint64_t)i, 0);
    return out->file != NULL ? OK : wrong(a, SKIP_BROKEN);
}

void
archive_part_end(struct archive_part *p)
{
    if (p->file != NULL)
        (void)zip_fclose(p->file);
    p->file = NULL;
}

static ssize_t
part_read(void *arg, char *buf, size_t n)
{
    struct archive_part *p = arg;
    struct archive *a = p->archive;
    zip_int64_t got = zip_fread(p->file, buf, n);

    if (got < 0) {
        a->why = SKIP_BROKEN;
        return -1;
    }
    p->done += (uint64_t)got;
    a->left -= got;
    if (a->left < 0 || is_bomb(p->done, p->packed)) {
        a->why = SKIP_BOMB;
        return -1;
    }
    return (ssize_t)got;
}

struct source
archive_source(struct archive_part *p)
{
    return (struct source){part_read, p};
}

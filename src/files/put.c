/*
 * Writing a document. Until its end a put touches nothing but its own memory,
 * and beyond PUT_BYTES_HELD a file without a name: chunks lie there one behind
 * the other, as records of a fixed head and two texts. The end reads them back
 * and writes all of it in one transaction (put_write.c).
 */
#include "base/base.h"

#include "files/put.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#define GUESS_BYTES (1024) /* of a text: enough to know its language */
#define CHUNKS_MAX (16 * 1024 * 1024) /* of one document */

enum err
files_put_begin(struct files *f, const struct document *d,
                struct files_put **out)
{
    struct files_put *p = xcalloc(1, sizeof(*p));

    p->files = f;
    p->collection = d->collection;
    p->fd = -1;
    buf_init(&p->held, PUT_BYTES_HELD + sizeof(struct put_head) +
                           2 * (size_t)PUT_TEXT_MAX);
    buf_init(&p->guess, GUESS_BYTES);
    *out = p;
    return OK;
}

void
files_put_abandon(struct files_put *p)
{
    if (p == NULL)
        return;
    if (p->fd >= 0)
        (void)close(p->fd);
    buf_release(&p->held);
    buf_release(&p->guess);
    free(p);
}

/* --- beside the index ----------------------------------------------------- */

static int
nameless_file(const char *dir)
{
    char path[PATH_MAX];
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
        return fd;
    if (snprintf(path, sizeof(path), "%s/put-XXXXXX", dir) >=
        (int)sizeof(path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        (void)unlink(path);
    return fd;
}

enum err
put_spill(struct files_put *p)
{
    size_t at = 0;

    if (p->fd < 0)
        p->fd = nameless_file(p->files->dir);
    while (p->fd >= 0 && at < p->held.len) {
        ssize_t n = write(p->fd, p->held.data + at, p->held.len - at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    if (p->fd < 0 || at < p->held.len) {
        log_warn("files.spill", "error=\"%s\"", strerror(errno));
        return errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_STORE;
    }
    buf_clear(&p->held);
    return OK;
}

enum err
files_put_chunk(void *put, const struct chunk *c)
{
    struct files_put *p = put;
    struct put_head h = {.start = c->start, .page = (uint32_t)c->page};
    size_t guess = GUESS_BYTES - p->guess.len;

    if (p->err == OK && (c->len > PUT_TEXT_MAX || p->chunks >= CHUNKS_MAX))
        p->err = ERR_TOOBIG;
    if (p->err == OK && p->held.len >= PUT_BYTES_HELD)
        p->err = put_spill(p);
    if (p->err != OK)
        return p->err;
    h.heading_len = (uint32_t)strnlen(c->heading, CHUNK_HEADING_MAX);
    h.text_len = (uint32_t)c->len;
    buf_add(&p->held, &h, sizeof(h));
    buf_add(&p->held, c->heading, h.heading_len);
    buf_add(&p->held, c->text, h.text_len);
    assert(!p->held.over);
    buf_add(&p->guess, c->text,
            c->len < guess ? c->len : utf8_whole(c->text, guess));
    p->chunks++;
    if (c->start + (int64_t)c->len > p->text_len)
        p->text_len = c->start + (int64_t)c->len;
    return OK;
}

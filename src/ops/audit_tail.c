/*
 * The end of the audit log is found from its last bytes: a line has a bounded
 * length, so the last whole one is within two of them. It counts if its hash is
 * right; whether the lines before it are is parley audit verify's to say.
 */
#include "base/base.h"

#include "ops/audit_tail.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "ops/audit_file.h"

#define MODE 0600

enum err
audit_failed(int errnum)
{
    errno = errnum;
    return errnum == ENOSPC || errnum == EDQUOT || errnum == EFBIG ? ERR_FULL
                                                                   : ERR_STORE;
}

static ssize_t
read_at(int fd, char *p, size_t n, off_t at)
{
    size_t got = 0;

    while (got < n) {
        ssize_t k = pread(fd, p + got, n - got, at + (off_t)got);

        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return -1;
        if (k == 0)
            break;
        got += (size_t)k;
    }
    return (ssize_t)got;
}

enum err
audit_tail_read(int fd, struct audit_tail *t)
{
    static const off_t window = 2 * (off_t)AUDIT_LINE_MAX;
    struct audit_parts p = {.n = 0};
    struct stat st;
    char *bytes, *end, *start;
    ssize_t n;
    off_t from;

    (void)memset(t, 0, sizeof(*t));
    audit_link_init(&t->link);
    if (fstat(fd, &st) != 0)
        return audit_failed(errno);
    if (st.st_size == 0)
        return OK;
    from = st.st_size > window ? st.st_size - window : 0;
    bytes = malloc((size_t)(st.st_size - from));
    n = bytes == NULL ? -1
                      : read_at(fd, bytes, (size_t)(st.st_size - from), from);
    if (n < 0) {
        free(bytes);
        return audit_failed(errno);
    }
    end = memrchr(bytes, '\n', (size_t)n);
    t->torn = end == NULL ? (size_t)n : (size_t)(bytes + n - end - 1);
    t->size = from + n - (off_t)t->torn;
    t->lines = t->size > 0;
    if (end != NULL) {
        start = memrchr(bytes, '\n', (size_t)(end - bytes));
        start = start == NULL ? bytes : start + 1;
        t->ours = audit_line_read(start, (size_t)(end - start), &p) == OK &&
                  audit_hash_right(start, &p);
    }
    if (t->ours) {
        t->link.n = p.n;
        (void)memcpy(t->link.hash, p.hash, sizeof(p.hash));
    }
    free(bytes);
    return OK;
}

enum err
audit_tail_before(int dir_fd, struct audit_tail *t)
{
    char name[AUDIT_NAME_MAX];
    int64_t no = audit_parts_highest(dir_fd);
    enum err e;
    int fd;

    (void)memset(t, 0, sizeof(*t));
    audit_link_init(&t->link);
    if (no < 0)
        return audit_failed(errno);
    if (no == 0)
        return OK;
    (void)snprintf(name, sizeof(name), "audit-%04" PRId64 ".log", no);
    fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return audit_failed(errno);
    e = audit_tail_read(fd, t);
    (void)close(fd);
    return e;
}

bool
audit_head_load(int dir_fd, const struct audit_seal *seal,
                struct audit_link *head, bool *trusted)
{
    int fd = openat(dir_fd, AUDIT_HEAD, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    char text[AUDIT_HEAD_LEN + 1];
    bool right, has;
    ssize_t n;

    *trusted = false;
    if (fd < 0)
        return false;
    n = read_at(fd, text, sizeof(text), 0);
    (void)close(fd);
    has = n == AUDIT_HEAD_LEN &&
          audit_head_read(text, (size_t)n, seal, head, &right) == OK;
    *trusted = has && (right || !seal->keyed);
    return has;
}

void
audit_head_save(int dir_fd, const struct audit_seal *seal,
                const struct audit_link *link)
{
    char text[AUDIT_HEAD_LEN + 1];
    int fd = openat(dir_fd, AUDIT_HEAD,
                    O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, MODE);

    audit_head_write(text, link, seal);
    if (fd < 0 || pwrite(fd, text, AUDIT_HEAD_LEN, 0) != AUDIT_HEAD_LEN)
        log_warn("audit.head", "error=\"%s\"", strerror(errno));
    if (fd >= 0)
        (void)close(fd);
}

/*
 * The files of the audit log, for who writes them and for who reads them:
 *
 *   audit.log        the lines that were written last; grows
 *   audit-NNNN.log   files before it, 0001 the oldest; never written again,
 *                    and never deleted by us
 *   audit.head       number and hash of the last line
 *   audit.lock       locked by who writes (flock), for a batch of lines
 *
 * One thread at a time uses a struct audit_file; any number of processes (or
 * structs) may use one folder.
 */
#ifndef OPS_AUDIT_FILE_H
#define OPS_AUDIT_FILE_H

#include "ops/audit_line.h"

#define AUDIT_LOG "audit.log"
#define AUDIT_HEAD "audit.head"
#define AUDIT_LOCK "audit.lock"
#define AUDIT_LOCK_MS 2000 /* at most, for other processes; whole seconds */
#define AUDIT_NAME_MAX 32  /* characters of a file's name, with the NUL */

struct audit_file {
    int dir_fd, lock_fd;
    int fd; /* of audit.log; -1: not open */
    ino_t inode;
    off_t size; /* of audit.log, as we left it */
    off_t room; /* it has blocks up to here */
    off_t max;  /* see struct audit_config */
    struct audit_link link;
    bool known; /* size and link are what we wrote last */
    struct audit_seal seal;
};

/* A body (audit_body) to become a line. */
struct audit_entry_body {
    const char *data;
    size_t len;
};

/* ERR_STORE (logged): the folder is not there or not ours to write in. */
MUST_USE enum err audit_file_open(struct audit_file *f,
                                  const struct audit_config *c);
void audit_file_close(struct audit_file *f);
/* Append a line for each of the n bodies, and wait for the disk. *done of them
 * are durable, also if it fails: ERR_FULL: no room; ERR_STORE: anything else.
 * Logged when it begins to fail by who calls. Others are waited for
 * AUDIT_LOCK_MS at most: who holds audit.lock for longer hangs, or is no
 * process of ours, and without it nothing may be written, since two writers
 * would break the chain. Then ERR_STORE (errno EWOULDBLOCK) and *done is 0. */
MUST_USE enum err audit_file_append(struct audit_file *f,
                                    const struct audit_entry_body *bodies,
                                    size_t n, size_t *done);

/* flock(2), but no longer than AUDIT_LOCK_MS: then -1 and EWOULDBLOCK. */
int audit_flock(int fd, int how);
/* Hold audit.lock of a folder; -1 (errno): it cannot be had, or not within
 * AUDIT_LOCK_MS (EWOULDBLOCK). shared: only if it is there, and for reading. */
int audit_lock_take(int dir_fd, bool shared);
void audit_lock_leave(int fd);

/* A file as it was when the list was made. */
struct audit_part {
    char name[AUDIT_NAME_MAX];
    int64_t no;   /* of audit-NNNN.log; INT64_MAX: audit.log */
    int64_t size; /* bytes; later ones are not of this list; -1: to its end */
};

struct audit_parts_list {
    struct audit_part *parts; /* owned; oldest first */
    size_t n;
    int dir_fd;  /* owned */
    int last_fd; /* owned; audit.log, opened; -1: there is none */
    char head[AUDIT_HEAD_LEN + 1];
    size_t head_len; /* 0: there is none */
};

/* The files that make up the log now: what is appended or rotated later does
 * not disturb. ERR_NOTFOUND, ERR_STORE (logged). */
MUST_USE enum err audit_parts_list(struct audit_parts_list *l, const char *dir);
void audit_parts_free(struct audit_parts_list *l);

/* What a walk meets: line is without its end and NUL-terminated; torn: it has
 * no end. false: that is enough. */
typedef bool audit_walk_fn(void *arg, const char *file, int64_t line_no,
                           const char *line, size_t len, bool torn);
/* All lines of parts[i]. *more becomes false if fn had enough. A line that is
 * too long comes in pieces (which are lines of nobody). ERR_STORE (logged). */
MUST_USE enum err audit_part_walk(const struct audit_parts_list *l, size_t i,
                                  audit_walk_fn *fn, void *arg, bool *more);

/* The highest NNNN of audit-NNNN.log; 0: there is none; -1 (errno). */
int64_t audit_parts_highest(int dir_fd);

#endif

/*
 * Where the audit log ends: what the end of a file holds, and what audit.head
 * says. For ops/audit_file.c, which holds audit.lock meanwhile.
 */
#ifndef OPS_AUDIT_TAIL_H
#define OPS_AUDIT_TAIL_H

#include "ops/audit_line.h"

/* What the end of a file holds. */
struct audit_tail {
    off_t size;             /* up to the end of the last whole line */
    size_t torn;            /* bytes after it */
    struct audit_link link; /* n 0: no line, or it is none of ours */
    bool ours;              /* there is a line and it is one of ours */
    bool lines;             /* there is a line */
};

/* ERR_FULL or ERR_STORE for a number of errno, which it sets. */
enum err audit_failed(int errnum);
/* The end of this file. */
MUST_USE enum err audit_tail_read(int fd, struct audit_tail *t);
/* Where the file before audit.log left the chain; lines false: there is
 * none. */
MUST_USE enum err audit_tail_before(int dir_fd, struct audit_tail *t);
/* False: there is no audit.head, or it is damaged. *trusted: whoever wrote it
 * knows the key, or there is none. */
MUST_USE bool audit_head_load(int dir_fd, const struct audit_seal *seal,
                              struct audit_link *head, bool *trusted);
/* Best effort (logged): without it the end is found all the same. */
void audit_head_save(int dir_fd, const struct audit_seal *seal,
                     const struct audit_link *link);

#endif

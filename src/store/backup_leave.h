/*
 * Taking records out of a copy of the store. For store/backup.c only.
 */
#ifndef STORE_BACKUP_LEAVE_H
#define STORE_BACKUP_LEAVE_H

#include "store/backup.h"

/* Take those of b->ended out of the copy in folder dir, of which found.bytes is
 * known, and count them in b->left_out. Returns LMDB's or the system's code. */
MUST_USE int backup_leave_out(struct backup *b, const char *dir);

#endif

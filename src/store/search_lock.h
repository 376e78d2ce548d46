/*
 * The lock of the index's folder, between threads and processes alike: shared
 * while a connection is used, alone while the file is made anew or wiped. For
 * search*.c only.
 */
#ifndef STORE_SEARCH_LOCK_H
#define STORE_SEARCH_LOCK_H

#include "base/base.h"

#define SEARCH_BUSY_MS 5000 /* how long a lock is waited for */

/* A descriptor of the lock file, which is made if need be; < 0: failed
 * (logged). Each holder has one of its own, and closing it unlocks. */
int search_lock_open(const char *path);
/* ERR_BUSY: not within SEARCH_BUSY_MS; then it is not locked at all. One who
 * has it shared may ask for it alone, and has it not for a moment between. */
MUST_USE enum err search_lock_shared(int fd);
MUST_USE enum err search_lock_alone(int fd);
void search_unlock(int fd);

#endif

/*
 * Who a process is, so that others can tell whether it still runs: its pid
 * and its start time (field 22 of /proc/PID/stat, in clock ticks since boot),
 * since pids are used again. Any thread.
 */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include "base/base.h"

struct process {
    int32_t pid;
    uint64_t start_ticks;
};

struct process process_self(void); /* read once, then remembered */
/* Runs now, in this boot? A zombie does not run. */
bool process_alive(const struct process *p);
/* The id of this boot of the machine, 36 characters; "" if unknown. */
const char *process_boot_id(void);

#define PROCESS_PATH_MAX 4096 /* bytes of a path, with its NUL */

/* The project's folder: the one above the folder that the program is in, or
 * PARLEY_ROOT if that is set. "" if unknown. */
void process_root(char root[PROCESS_PATH_MAX]);

#endif

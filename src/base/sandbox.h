/*
 * What a program gives up once it has begun: all files but the ones it names
 * (Landlock), and system calls that it never makes (seccomp). Somebody who
 * makes it run code of theirs can then neither read the rest of the machine nor
 * start another program. There is no way back, and threads and processes
 * started afterwards have the same limits.
 */
#ifndef BASE_SANDBOX_H
#define BASE_SANDBOX_H

#include "base/base.h"

struct sandbox {
    /* Files, and folders with all below them, that can be read; ended by NULL.
     * One that is not there is left out. Borrowed. */
    const char *const *read;
    const char *const *change; /* the same, that can be changed, too */
    /* The same, that can be read, and started as programs; NULL: none. For
     * sandbox_files: after sandbox_enter none can be started. */
    const char *const *run;
    bool binds; /* it will listen on a TCP port */
};

struct sandbox_report {
    int landlock;         /* its version; 0: it is not in force */
    int folders;          /* rules that are in force */
    const char *no_files; /* why landlock is 0; static */
    int calls;            /* names of system calls that are refused; 0: none */
    const char *no_calls; /* why calls is 0; static */
};

/* Give up. Before any other thread runs: Landlock binds the calling thread and
 * those it starts. What the kernel does not know is left out, and out says so;
 * it never fails as a whole. */
void sandbox_enter(const struct sandbox *s, struct sandbox_report *out);

/* Was this program built with a sanitizer, which needs what is given up here
 * (its leak checker is a debugger of its own)? */
bool sandbox_is_hindrance(void);

/* The first half alone: files. */
void sandbox_files(const struct sandbox *s, struct sandbox_report *out);
/* The second half alone, in sandbox_calls.c: refuse system calls, in all
 * threads. Returns how many; 0 with *why. */
int sandbox_calls(const char **why);
/* The same for a process that starts programs and speaks to no other machine:
 * it may, and has no sockets but those of this one (AF_UNIX). */
int sandbox_calls_of_reader(const char **why);

#endif

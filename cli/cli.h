/*
 * What the commands of parley share. Each gets its arguments without its own
 * name, settings are loaded, and what it returns is the exit status.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/base.h"

#include "store/fsck.h"

enum cli_status {
    CLI_OK = 0,
    CLI_FAULTS = 1, /* the store was read, and has faults */
    CLI_FAILED = 2, /* it could not be done; stderr says why */
    CLI_USAGE = 64  /* wrong arguments; as in sysexits.h */
};

typedef int cli_fn(int argc, char **argv);
cli_fn cli_fsck;    /* fsck.c */
cli_fn cli_backup;  /* backup.c */
cli_fn cli_restore; /* restore.c */
cli_fn cli_export;  /* export.c */

/* A sentence on stderr, "parley: " before it. Returns CLI_FAILED. */
int cli_fail(const char *fmt, ...) PRINTF(1, 2);
/* The arguments are not those of the command; returns CLI_USAGE. */
int cli_wrong(const char *command);
/* The folder of the store, below DATA_DIR; for as long as the program. */
const char *cli_store(void);

/* Prints a fault as one line, "db key: what". arg is a FILE. */
fsck_fault_fn cli_print_fault;
/* The line after them. */
void cli_print_result(FILE *to, const struct fsck_result *r, bool repair);

#endif

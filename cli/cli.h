/*
 * What the commands of parley share. Each gets its arguments without its own
 * name, settings are loaded, and what it returns is the exit status.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/base.h"

#include "ops/audit.h"
#include "store/fsck.h"
#include "store/store.h"

struct apikey; /* auth/apikey.h */

enum cli_status {
    CLI_OK = 0,
    CLI_FAULTS = 1, /* the store was read, and has faults */
    CLI_FAILED = 2, /* it could not be done; stderr says why */
    CLI_USAGE = 64  /* wrong arguments; as in sysexits.h */
};

typedef int cli_fn(int argc, char **argv);
cli_fn cli_fsck;        /* fsck.c */
cli_fn cli_backup;      /* backup.c */
cli_fn cli_restore;     /* restore.c */
cli_fn cli_export;      /* export.c */
cli_fn cli_import;      /* import.c */
cli_fn cli_reindex;     /* reindex.c */
cli_fn cli_index_files; /* index.c */
cli_fn cli_keys;        /* keys.c */
cli_fn cli_audit;       /* audit.c */
cli_fn cli_passwd;      /* passwd.c */
cli_fn cli_chat;        /* chat.c; its exit status is chat.h's */
cli_fn cli_doctor;      /* doctor.c; its exit status is doctor.h's */

/* A sentence on stderr, "parley: " before it. Returns CLI_FAILED. */
int cli_fail(const char *fmt, ...) PRINTF(1, 2);
/* The arguments are not those of the command; returns CLI_USAGE. */
int cli_wrong(const char *command);
/* The folder of the store, below DATA_DIR; for as long as the program. */
const char *cli_store(void);
/* Likewise of the index of words. */
const char *cli_index(void);
/* Is there one? Opening one would make it. */
bool cli_has_store(const char *dir);
/* The one of DATA_DIR, by the settings. */
MUST_USE enum err cli_open_store(struct store **out);

/* An account was taken out of the file at path: if that is the file of this
 * installation (or it has none), its API keys are revoked and its logins end.
 * Says what was done, or could not be; returns the exit status. gone.c. */
int cli_account_gone(const char *path, const char *user);

/* Keep the trace of what was done to a key; false: it could not be. keys.c. */
bool cli_trace_key(enum audit_what what, const struct apikey *key);

/* How far a long command is, on stderr: a bar that is drawn over on a
 * terminal, else a line for every tenth. */
struct cli_bar {
    const char *what; /* borrowed */
    bool terminal;
    bool drawn;
    int64_t drawn_ms; /* monotonic */
    unsigned tenth;   /* that was told last */
};
void cli_bar_init(struct cli_bar *b, const char *what);
/* all 0: it is not known. */
void cli_bar_show(struct cli_bar *b, uint64_t done, uint64_t all,
                  const char *text);
void cli_bar_end(struct cli_bar *b); /* take it away */

/* Prints a fault as one line, "db key: what". arg is a FILE. */
fsck_fault_fn cli_print_fault;
/* The line after them. */
void cli_print_result(FILE *to, const struct fsck_result *r, bool repair);

#endif

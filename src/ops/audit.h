/*
 * The audit log: who did what that matters, as lines of JSON in
 * DATA_DIR/audit.log that are only ever appended to, each holding a digest of
 * itself and of the line before (docs/WIRE.md). Never what was said: no
 * prompt, no answer, no password, no key and no token.
 *
 *   {"n":7,"at":"2026-01-02T03:04:05.678Z","event":"login",
 *    "who":"local/ann","addr":"192.0.2.7","way":"password",
 *    "prev":"…64 hex…","hash":"…64 hex…","mac":"…64 hex…"}
 *
 * What the chain is good for. "hash" is the SHA-256 of the line before it, and
 * "prev" is the hash of the line before: whoever changes, removes, inserts or
 * reorders a line breaks the chain for everybody to see, unless they write
 * anew all lines that follow, and audit.head with them. "mac" is there if
 * AUDIT_KEY (or else SECRET_KEY) is set, and is made of it and of the hash: who
 * does not know the key cannot write anew, not even as the owner of the file.
 * What neither can show is that the whole folder was put back as it was at an
 * earlier time: for that, note the last number and hash that
 * `parley audit verify` prints somewhere else.
 *
 * Any number of processes append to the same file. In each, one thread
 * writes; events are handed to it from any thread through a bounded queue, and
 * nobody waits but who asks to. There is one log per process, as with
 * base/log.h. Before audit_start, after audit_stop, and with AUDIT=0 events go
 * nowhere, and every call says OK.
 */
#ifndef OPS_AUDIT_H
#define OPS_AUDIT_H

#include "base/base.h"

struct buf;

#define AUDIT_MEMBERS_MAX 10 /* of one event, beside who and addr */
#define AUDIT_TEXT_MAX 512   /* bytes of a text; what is longer is cut */

/* One row each in audit_line.c: the word in the line, and what it means. */
enum audit_what {
    AUDIT_LOGIN,            /* way */
    AUDIT_LOGIN_FAILED,     /* user, reason; never what was tried */
    AUDIT_LOGOUT,           /* all: of everywhere; login: one, by its id */
    AUDIT_LOCKED_OUT,       /* user: too many wrong passwords */
    AUDIT_KEY_MADE,         /* key (its id), name */
    AUDIT_KEY_REVOKED,      /* key */
    AUDIT_TOKENS_ENDED,     /* all tokens issued so far are over */
    AUDIT_PROVIDER_CALL,    /* provider, model, for, tokens, cost, files */
    AUDIT_FILES_SENT,       /* files: given for a model elsewhere */
    AUDIT_TOOL_CALL,        /* tool, outcome */
    AUDIT_SESSION_DELETED,  /* session */
    AUDIT_SESSIONS_DELETED, /* count */
    AUDIT_SESSIONS_CLAIMED, /* from, count: taken over at login */
    AUDIT_EXPORT,           /* sessions, format */
    AUDIT_IMPORT,           /* sessions, format */
    AUDIT_CONFIG_CHANGED,   /* names of settings, count */
    AUDIT_ADMIN,            /* action, of whom */
    AUDIT_REPAIRED,         /* bytes: of a line that was cut off */
    AUDIT_GAP,              /* the end was not where it had been left */
    AUDIT_NEW_KEY,          /* found: lines before it have no mac of it */
    AUDIT_LOST,             /* count: events for which there was no room */
    AUDIT__MAX
};

enum audit_kind {
    AUDIT_IS_TEXT,
    AUDIT_IS_NUMBER,
    AUDIT_IS_BOOL,
    AUDIT_IS_LIST
};

/* A member of the line. Made by the four macros below. */
struct audit_member {
    const char *name; /* a C literal of ours; NULL: the end */
    enum audit_kind kind;
    const char *text; /* borrowed; from outside, any bytes; NULL: left out. A
                         list: texts, one per line */
    int64_t number;
};

#define AUDIT_TEXT(n, s)                                \
    {                                                   \
        .name = (n), .kind = AUDIT_IS_TEXT, .text = (s) \
    }
#define AUDIT_NUMBER(n, v)                                  \
    {                                                       \
        .name = (n), .kind = AUDIT_IS_NUMBER, .number = (v) \
    }
#define AUDIT_BOOL(n, v)                                  \
    {                                                     \
        .name = (n), .kind = AUDIT_IS_BOOL, .number = (v) \
    }
#define AUDIT_LIST(n, s)                                \
    {                                                   \
        .name = (n), .kind = AUDIT_IS_LIST, .text = (s) \
    }

struct audit_fact {
    enum audit_what what;
    const char *who;  /* an owner (auth/identity.h); "" or NULL: nobody */
    const char *addr; /* of the client; "" or NULL: left out */
    struct audit_member with[AUDIT_MEMBERS_MAX + 1];
};

/* Note what happened. Copies all of it, and never waits. If the writer is
 * behind by AUDIT_QUEUE_MAX bytes, the event is counted as lost; an event that
 * says how many follows when there is room. Any thread. */
void audit_event(const struct audit_fact *f);
/* The same, and wait until it is on disk. ERR_FULL, ERR_STORE: it could not be
 * written for now; it is kept, and tried again. (Then who was about to let
 * somebody in refuses; what is done already stays done.) Where another process
 * holds the log, that takes no longer than some seconds: AUDIT_LOCK_MS for the
 * batch that is under way, and again for this one. Not on the loop.
 *
 *   e = audit_event_wait(&(struct audit_fact){
 *       .what = AUDIT_LOGIN, .who = id->owner, .addr = id->addr,
 *       .with = {AUDIT_TEXT("way", "password")}});
 */
MUST_USE enum err audit_event_wait(const struct audit_fact *f);

#define AUDIT_QUEUE_MAX (4 * 1024 * 1024) /* bytes */

struct audit_config {
    const char *dir; /* the data folder; exists */
    const char *key; /* a secret of any length; "" or NULL: no mac */
    size_t file_max; /* bytes; a file that has them is followed by another */
};

/* From the settings: DATA_DIR, AUDIT_KEY or else SECRET_KEY, AUDIT_MAX_MIB.
 * false: AUDIT=0. */
bool audit_config_load(struct audit_config *c);
/* Begin, with a thread of its own; c is copied. ERR_STORE: the file cannot be
 * opened, or there is no thread (logged). Once, before other threads use it. */
MUST_USE enum err audit_start(const struct audit_config *c);
/* Write what is queued (once, without waiting for room on the disk), and end.
 * No thread may be inside another call. Never started is fine. */
void audit_stop(void);
/* Note the names of the settings that are not what they were at the last
 * start of any process, if there are any. Their values stay here: what is
 * kept beside the log is a keyed digest of each. After audit_start. */
void audit_settings(const struct audit_config *c);

/* --- reading: any process, any thread, also while others append ---------- */

/* A line as it stands; all of it is valid during the call. */
struct audit_entry {
    int64_t n;
    const char *json; /* the line without its end; NUL-terminated */
    size_t json_len;
    const char *at, *event, *who; /* "": none */
};
/* false: that is enough. */
typedef bool audit_entry_fn(void *arg, const struct audit_entry *e);

/* Tell of the lines after number after_n (0: from the first), at most limit of
 * them (0: all), oldest first, in all files. Lines that are not of our make
 * are left out. ERR_NOTFOUND: there is no log; ERR_STORE (logged). */
MUST_USE enum err audit_read(const char *dir, int64_t after_n, size_t limit,
                             audit_entry_fn *fn, void *arg);

/* What is wrong, or (note) worth a word. */
struct audit_finding {
    const char *file; /* "audit.log"; name without folder */
    int64_t line;     /* in that file, from 1; 0: the file as a whole */
    bool note;        /* not a fault */
    const char *text; /* a sentence */
};
typedef void audit_finding_fn(void *arg, const struct audit_finding *f);

struct audit_verdict {
    int64_t files, lines;
    int64_t first_n, last_n; /* 0: no line */
    int64_t with_mac;        /* lines whose mac is of this key */
    int64_t faults;
    char last_hash[65];
};

/* Check every line of every file, and audit.head. first_n: the number of the
 * first line that must be here, as older files were put elsewhere; 0: 1.
 * OK whatever is found; ERR_NOTFOUND: there is no log; ERR_STORE (logged). */
MUST_USE enum err audit_verify(const struct audit_config *c, int64_t first_n,
                               audit_finding_fn *fn, void *arg,
                               struct audit_verdict *out);

/* Add s as a JSON string of an audit line: AUDIT_TEXT_MAX bytes of it, and
 * nothing in it that moves a terminal or turns text around. */
void audit_text(struct buf *out, const char *s);
/* The word of an event; its meaning, for lists of help. */
const char *audit_what_name(enum audit_what what);
const char *audit_what_help(enum audit_what what);

#endif

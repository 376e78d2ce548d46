/*
 * The provider seam. A provider is a const vtable of pure functions: it builds
 * a request from an ask, and turns the bytes of the reply into parts. It does
 * no I/O, keeps no global state, and knows no curl: chat/generator.c joins it
 * to upstream/transfer.c. So a whole provider is tested from recorded bytes.
 *
 * A provider without a network (offline) has answer instead of build.
 */
#ifndef PROVIDER_PROVIDER_H
#define PROVIDER_PROVIDER_H

#include "base/base.h"
#include "upstream/transfer.h"

enum role { ROLE_SYSTEM, ROLE_USER, ROLE_ASSISTANT, ROLE_TOOL, ROLE__MAX };
const char *role_name(enum role r);
MUST_USE enum err role_parse(const char *s, enum role *out);

struct ask_message {
    enum role role;
    const char *text; /* borrowed, UTF-8 */
    size_t len;
};

#define ASK_STOPS_MAX 8

/* What the model is asked. All borrowed for the time of the call. */
struct ask {
    const char *model;
    const char *system;                 /* NULL or "": none */
    const struct ask_message *messages; /* oldest first; the last is the
                                           user's */
    size_t n_messages;
    double temperature; /* NaN: not given */
    double top_p;       /* NaN: not given */
    int64_t max_tokens; /* 0: not given */
    const char *stop[ASK_STOPS_MAX];
    size_t n_stop;
};

/* Where and as whom. Borrowed; constant after start. */
struct account {
    const char *base_url; /* no trailing slash */
    const char *key;      /* "" : no authorization is sent */
};

/* Why an answer ended: one enum for all providers. */
enum finish {
    FINISH_NONE = 0,    /* not ended yet */
    FINISH_STOP,        /* "stop": the model was done */
    FINISH_LENGTH,      /* "length" */
    FINISH_TOOL_CALLS,  /* "tool_calls" */
    FINISH_FILTER,      /* "content_filter" */
    FINISH_CANCELLED,   /* "cancelled": POST /chat/stop */
    FINISH_INCOMPLETE,  /* "incomplete": the provider broke off */
    FINISH_INTERRUPTED, /* "interrupted": our process died */
    FINISH_ERROR,       /* "error": nothing came */
    FINISH__MAX
};
const char *finish_name(enum finish f); /* "" for NONE */

struct usage {
    int64_t input_tokens;  /* -1: not known */
    int64_t output_tokens; /* -1: not known */
    int64_t cached_tokens; /* -1: not known */
};

enum part_kind {
    PART_TEXT,      /* answer text */
    PART_REASONING, /* not answer text */
    PART_MODEL,     /* text: the model that answers, as it says */
    PART_USAGE,     /* usage; cumulative, the last one counts */
    PART_FINISH,    /* finish; the provider's end marker was seen */
    PART_ERROR      /* problem: an error inside a 200 stream; ends it */
};
struct part {
    enum part_kind kind;
    const char *text; /* TEXT, REASONING, MODEL; not NUL-terminated; may end
                         inside a character */
    size_t len;
    struct usage usage;
    enum finish finish;
    const struct problem *problem;
};
typedef void part_fn(void *arg, const struct part *p);

/* What an error reply means. */
struct provider_error {
    struct problem problem; /* for the client: never the raw body */
    bool money;             /* out of credit: never retried */
};

struct provider {
    const char *name; /* "openai" */
    /* ask -> request. out is initialised by the caller, and the caller's to
     * release in any case. ERR_BADREQ or ERR_TOOBIG with why if it cannot be
     * asked. */
    enum err (*build)(const struct ask *ask, const struct account *acc,
                      struct upstream_request *out, struct problem *why);
    /* A reader of one reply; free with reader_free. */
    void *(*reader_new)(void);
    void (*reader_free)(void *reader);
    /* Body bytes of a 2xx reply, in any split. ERR_UPSTREAM with why: this
     * is not the provider's format, or past a limit. */
    enum err (*feed)(void *reader, const char *p, size_t n, part_fn *fn,
                     void *arg, struct problem *why);
    /* The body ended. OK: the end marker was seen; ERR_UPSTREAM: truncated
     * (what is pending is delivered as parts first, if it is whole). */
    enum err (*end)(void *reader, part_fn *fn, void *arg, struct problem *why);
    /* A reply >= 400, or an error object. */
    void (*error)(const struct upstream_head *head, const char *body, size_t n,
                  struct provider_error *out);
    /* Instead of the network: the whole answer. Worker thread. */
    enum err (*answer)(const struct ask *ask, struct buf *out);
};

extern const struct provider provider_openai;
extern const struct provider provider_offline;

/* --- provider/catalog.c: which of them, from the settings ------------- */

struct route_choice {
    const struct provider *provider;
    struct account account;
    const char *model; /* borrowed: the request's, or the settings' */
};

/* provider and model as the request named them (NULL: not named).
 * "openai/gpt-4o" in model names both; a model name may hold slashes when its
 * first part is no provider. Unknown provider: ERR_BADREQ "unknown_provider";
 * one without a key: ERR_IMPOSSIBLE "provider_not_configured". */
MUST_USE enum err catalog_route(const char *provider, const char *model,
                                struct route_choice *out, struct problem *why);
/* All rows, for /status: name and whether it is configured. */
size_t catalog_list(const struct provider **out, bool *configured, size_t max);

#endif

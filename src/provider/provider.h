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

/* A message is a text, or pieces in order. */
enum piece_kind {
    PIECE_TEXT,
    PIECE_IMAGE,  /* user */
    PIECE_CALL,   /* assistant: it calls a tool */
    PIECE_RESULT, /* tool: what came of a call */
    PIECE_THOUGHT /* assistant: reasoning, for who wants it back */
};
struct piece {
    enum piece_kind kind;
    const char *text; /* TEXT, THOUGHT, RESULT: text; CALL: the arguments, a
                         JSON object, or "" for {}; IMAGE: base64, or its URL
                         when media_type is NULL */
    size_t len;
    const char *id;         /* CALL, RESULT: of the call; opaque, not NULL */
    const char *name;       /* CALL, RESULT: the tool's */
    const char *media_type; /* IMAGE: "image/png" */
    const char *signature; /* THOUGHT, CALL: goes back as it came; NULL: none */
    const char *origin;    /* THOUGHT, and CALL with a signature: name of the
                               provider that made it; others skip the thought
                               or the signature */
    bool sealed;           /* THOUGHT: signature holds all of it (redacted) */
    bool failed;           /* RESULT: the tool failed */
};

struct ask_message {
    enum role role;
    const char *text; /* borrowed, UTF-8; not looked at if there are pieces */
    size_t len;
    const struct piece *pieces; /* NULL: the text alone */
    size_t n_pieces;
    bool stays; /* it must not leave this machine; a provider never sees one
                   that is to */
};

struct tool {
    const char *name;
    const char *description; /* "" : none */
    const char *schema;      /* JSON Schema of the arguments; an object */
    bool strict;             /* OpenAI's strict mode was asked for */
};

enum tool_choice {
    TOOL_CHOICE_UNSAID,
    TOOL_CHOICE_AUTO,
    TOOL_CHOICE_NONE,
    TOOL_CHOICE_REQUIRED,
    TOOL_CHOICE_NAMED /* ask.tool_named */
};

#define ASK_STOPS_MAX 8

/* A piece of a file. */
struct excerpt {
    const char *name, *title, *heading; /* "" if none */
    const char *text;
    size_t len;
    double similarity; /* to the question, 0 to 1 */
    bool image;        /* its text is what is known of one (files/image.h) */
    bool code;         /* of a file of code */
    bool sample;       /* it came with Parley: the asker has no files */
};

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
    int64_t window;     /* tokens that the model is to hold; 0: not known */
    const char *stop[ASK_STOPS_MAX];
    size_t n_stop;
    const struct tool *tools;
    size_t n_tools;
    enum tool_choice tool_choice;
    const char *tool_named;
    int parallel_calls; /* 1 wanted, 0 forbidden, -1 not said */
    const char *effort; /* of reasoning: "none" "minimal" "low" "medium" "high";
                           NULL: not said */
    bool adaptive;      /* the model decides itself how long it thinks, and
                           takes no number of tokens for it */
    const char *format; /* OpenAI's response_format, JSON; NULL: none */
    const char *extra;  /* a JSON object of further members of OpenAI's wire
                           (seed, user, ...): passed on where that wire is
                           spoken, else left out; NULL: none */
    bool cache;         /* mark what repeats, where a provider wants marks */
    bool passing;       /* the last message holds what no later request has:
                           what repeats ends before it */
    bool whole;         /* a reply in one piece, not a stream */
    int64_t now_ms;     /* wall clock, for who signs with it */
    /* What files say about it, for a provider that answers from that alone
     * (offline); others find it in the last message. */
    const struct excerpt *excerpts;
    size_t n_excerpts;
    bool searched; /* files of the asker's own were looked through */
};

/* How requests to AWS are signed. */
struct account_aws {
    const char *access_key, *secret_key; /* "" : the account's key is a bearer
                                            token */
    const char *session_token;           /* "" : none */
    const char *region;
    bool invoke; /* Claude by InvokeModel, not Converse */
};

/* Where and as whom. Borrowed; constant after start. */
struct account {
    const char *base_url; /* no trailing slash */
    const char *key;      /* "" : no authorization is sent */
    const char *org;      /* OpenAI-Organization, X-HF-Bill-To; NULL: none */
    const char *project;  /* OpenAI-Project; NULL: none */
    const char *version;  /* anthropic-version; NULL: the default */
    const struct account_aws *aws; /* Bedrock only */
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
    PART_SIGNATURE, /* text: signature of the thought so far (replaces an
                       earlier one; another thought begins after it), or of
                       call number index if that is >= 0 */
    PART_SEALED,    /* text: a whole thought that only its provider reads */
    PART_CALL,      /* a tool call begins: index, id ("" : the provider has
                       none), name */
    PART_ARGS,      /* text: more of the arguments of call number index */
    PART_MODEL,     /* text: the model that answers, as it says */
    PART_USAGE,     /* usage; cumulative, the last one counts */
    PART_FINISH,    /* finish; the provider's end marker was seen */
    PART_ERROR      /* problem: an error inside a 200 stream; ends it */
};
struct part {
    enum part_kind kind;
    const char *text; /* not NUL-terminated; may end inside a character */
    size_t len;
    const char *choices; /* TEXT: the "choices" of a chunk of OpenAI's stream
                            that says this text and nothing else to be told,
                            as they stand: JSON, its UTF-8 not checked. For who
                            speaks that wire as well; NULL: not so */
    size_t choices_len;
    int index;        /* CALL, ARGS, SIGNATURE: from 0 in order of beginning;
                         -1: a thought's */
    const char *id;   /* CALL; NUL-terminated, as name is */
    const char *name; /* CALL */
    struct usage usage;
    enum finish finish;
    const struct problem *problem;
};
typedef void part_fn(void *arg, const struct part *p);

/* Whose fault an error reply is, for who decides what to do next. */
enum fault {
    FAULT_OTHER,
    FAULT_MONEY,   /* out of credit: never retried */
    FAULT_KEY,     /* not authorised */
    FAULT_MODEL,   /* no such model, or not for this account */
    FAULT_TOO_LONG /* past the model's context window */
};

/* What an error reply means. */
struct provider_error {
    struct problem problem; /* for the client: never the raw body */
    enum fault fault;
    int64_t wait_ms; /* said in the body, not in a header; -1: not said */
};

/* --- models and embeddings ---------------------------------------------- */

struct model_info {
    const char *id;    /* borrowed for the call; the name to ask for */
    int64_t created_s; /* -1: not known */
    int64_t context_tokens, output_tokens; /* -1: not known */
};
typedef void model_fn(void *arg, const struct model_info *m);

struct embed_ask {
    const char *model;
    const char *const *texts; /* NUL-terminated */
    size_t n_texts;           /* at most the provider's embed_max */
    int64_t dimensions;       /* 0: the model's own */
    int64_t now_ms;
};

#define EMBED_DIMENSIONS_MAX 16384

struct embeddings {
    float *values; /* owned; n rows of dimensions, in the order of the texts */
    size_t n, dimensions;
    int64_t tokens; /* -1: not known */
};
void embeddings_release(struct embeddings *e);

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
    /* A reply >= 400, or an error object (head NULL). */
    void (*error)(const struct upstream_head *head, const char *body, size_t n,
                  struct provider_error *out);
    /* Instead of the network: the whole answer. Worker thread. */
    enum err (*answer)(const struct ask *ask, struct buf *out);

    /* The rest is NULL where a provider has it not. */
    /* The list of models; page: "" first, then what models_read gave. */
    enum err (*models_build)(const struct account *acc, const char *page,
                             int64_t now_ms, struct upstream_request *out,
                             struct problem *why);
    /* A whole 2xx body. next is emptied, then the next page's name is added
     * if there is one. ERR_UPSTREAM: not understood. */
    enum err (*models_read)(const char *body, size_t n, model_fn *fn, void *arg,
                            struct buf *next, struct problem *why);
    /* How many tokens an answer may have beyond the ask's max_tokens, for what
     * a model thinks with this effort (NULL: not said). */
    int64_t (*thought_tokens)(const char *effort, const char *model);
    size_t embed_max; /* texts in one request */
    enum err (*embed_build)(const struct embed_ask *ask,
                            const struct account *acc,
                            struct upstream_request *out, struct problem *why);
    /* A whole 2xx body; out is empty before, and the caller's to release. */
    enum err (*embed_read)(const char *body, size_t n, struct embeddings *out,
                           struct problem *why);
};

extern const struct provider provider_openai;
extern const struct provider provider_anthropic;
extern const struct provider provider_bedrock;
extern const struct provider provider_gemini;
extern const struct provider provider_huggingface;
extern const struct provider provider_ollama;
extern const struct provider provider_offline;

/* --- provider/catalog.c: which of them, from the settings ------------- */

struct route_choice {
    const struct provider *provider;
    struct account account;
    const char *model; /* borrowed: the request's, or the settings' */
};

/* provider and model as the request named them (NULL: not named).
 * "openai/gpt-4o" in model names both; a model name may hold slashes when its
 * first part is no provider. A name that the table of models knows goes to its
 * provider, if that is configured. Unknown provider: ERR_BADREQ
 * "unknown_provider"; one without a key: ERR_IMPOSSIBLE
 * "provider_not_configured". */
MUST_USE enum err catalog_route(const char *provider, const char *model,
                                struct route_choice *out, struct problem *why);
/* The cheap model of the provider of r, for small tasks; the account is that of
 * r. False: none is known (a base URL of one's own may lead anywhere), or the
 * model of r costs no more. */
bool catalog_cheap(const struct route_choice *r, struct route_choice *out);
/* Who makes the vectors of files (EMBED_MODEL). ERR_NOTFOUND: nobody is to.
 * ERR_BADREQ, ERR_IMPOSSIBLE with why: it cannot be asked, or its provider
 * makes none. */
MUST_USE enum err catalog_embed(struct route_choice *out, struct problem *why);
/* Does what this route is sent stay on this machine? It is answered here, or by
 * a model behind a base URL of the loopback; a name that says it is served from
 * a cloud (Ollama's "-cloud") does not count. Pure. */
bool route_stays(const struct route_choice *r);
/* All rows, for /status: name and whether it is configured. */
size_t catalog_list(const struct provider **out, bool *configured, size_t max);

/* --- provider/catalog_check.c: what is settled once, at start --------- */

/* Something wrong with the settings. rule is a sentence's rest ("names no
 * provider: x") without quotes; it never holds a secret. */
struct catalog_fault {
    const char *name; /* of the setting, or path of the file */
    int line;         /* of the file; 0: the setting, or all of the file */
    const char *rule; /* valid during the call */
};
typedef void catalog_fault_fn(void *arg, const struct catalog_fault *f);

/* Read the table of models and the account at AWS, parse AI_FALLBACK, and
 * report all that is wrong with them and with AI_PROVIDER; returns how many
 * that were. Call it once after conf_load, before there are other threads;
 * without it there are no fallbacks but the default one, and no Bedrock. */
size_t catalog_check(catalog_fault_fn *fn, void *arg);
size_t catalog_faults(void); /* what catalog_check returned */
/* Who is asked, in this order, when the chosen provider cannot answer. What is
 * not configured is not among them. Any thread. */
size_t catalog_fallbacks(struct route_choice *out, size_t max);

#endif

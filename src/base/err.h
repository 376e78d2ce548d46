/*
 * What a caller can do about a failure. The story behind it goes to the log
 * once, where it was found; what the client is told travels in a problem.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

enum err {
    OK = 0,
    ERR_BADREQ,     /* the input is wrong: change it */
    ERR_AUTH,       /* who are you */
    ERR_FORBIDDEN,  /* known, and not yours to do */
    ERR_NOTFOUND,   /* not there, or not yours */
    ERR_METHOD,     /* the resource is there, the verb is not */
    ERR_CONFLICT,   /* somebody was faster, or it exists */
    ERR_TOOBIG,     /* past a named limit */
    ERR_TYPE,       /* wrong media type */
    ERR_IMPOSSIBLE, /* understood but impossible (422) */
    ERR_LIMIT,      /* too often, too many: later (429) */
    ERR_UPSTREAM,   /* the provider failed (502) */
    ERR_TIMEOUT,    /* the provider is too slow (504) */
    ERR_FULL,       /* the store is full: later (503) */
    ERR_BUSY,       /* out of streams or descriptors: later (503) */
    ERR_STOPPING,   /* shutting down: later (503) */
    ERR_STORE,      /* the store failed (500) */
    ERR_INTERNAL,   /* anything else of ours (500) */
    ERR_AGAIN,      /* would block; never shown to a client */
    ERR_HUP,        /* the peer left; not an error */
    ERR__MAX
};

/* A limit that was reached: how much it is, and what is left of it. */
enum problem_unit { QUOTA_NONE, QUOTA_TOKENS, QUOTA_MICRO, QUOTA_TURNS };
struct problem_quota {
    enum problem_unit unit; /* QUOTA_MICRO: millionths of a dollar */
    int64_t max, left;
    int64_t anew_ms; /* wall clock, when it begins anew; 0: it does not */
};

/* What a client is told. Texts never hold a key, a prompt or a provider's
 * raw body. */
struct problem {
    enum err err;      /* OK: no problem */
    int status;        /* HTTP status; 0: the one of err (http/reply.c) */
    int retry_after_s; /* seconds; 0: none */
    bool retryable;    /* the same request may succeed later */
    struct problem_quota quota; /* QUOTA_NONE: it is no such problem */
    char code[40];              /* stable_snake_case; "": the one of err */
    char error[128];            /* short sentence */
    char message[256];          /* what to do about it */
};

/* The stable code of an err ("too_big") and its plain sentence. Never NULL. */
const char *err_code(enum err e);
const char *err_text(enum err e);

/* Fill a problem; returns e so that a function can return it. code, error and
 * message may be NULL: the defaults of e. message is a format. */
enum err problem_set(struct problem *p, enum err e, const char *code,
                     const char *error, const char *message, ...)
    __attribute__((format(printf, 5, 6)));

#endif

/*
 * Embeddings of texts by a provider: as many requests, one after the other, as
 * its embed_max demands, each tried again as a turn's is. Replies can be
 * megabytes of numbers, so they are read on a worker. Nothing is stored.
 */
#ifndef CHAT_EMBED_H
#define CHAT_EMBED_H

#include "base/buf.h"
#include "base/worker.h"
#include "chat/allowance.h"
#include "chat/engine.h"
#include "provider/provider.h"

#define EMBED_REPLY_MAX (64 * 1024 * 1024) /* bytes of one reply */
#define EMBED_SOON_MAX (256 * 1024) /* of one that the loop reads itself */

struct charge;
struct embed;
struct transfer;

struct embed_ops {
    /* The loop has it now. */
    void (*attached)(struct embed *em);
    /* Worker; or the loop, if they are wanted soon. The rows of the texts from
     * number first on. */
    void (*rows)(struct embed *em, size_t first, const struct embeddings *rows);
    /* Loop. All rows came, or why they did not (p NULL: they did). em is the
     * caller's again. Called once, also after a cancel. */
    void (*done)(struct embed *em, const struct problem *p);
};

/* Embed it, zeroed; set the first group. */
struct embed {
    const struct embed_ops *ops;
    struct route_choice route; /* its provider has embed_build */
    struct embed_ask ask;      /* all texts; borrowed until done */
    struct payer payer;        /* its strings borrowed until done; no owner:
                                  nobody, "" */
    const char *files; /* names, one on a line, that the texts are from and
                          that leave this machine; borrowed likewise; NULL */
    bool aside;        /* no user asks it: it is the program's own question */
    bool soon;         /* it is short, and somebody waits: a reply of at most
                          EMBED_SOON_MAX is read at once, whatever workers do */
    /* The rest is its own. */
    struct engine *en;
    struct engine_hold hold;
    struct mail mail;
    struct job job;
    struct loop_timer timer; /* the next try */
    struct transfer *transfer;
    struct buf reply;
    size_t first, count; /* texts of this request */
    struct bill bill;
    struct ident id;       /* of what is reserved */
    struct charge *charge; /* it waits for its reserve */
    bool held;             /* that is reserved */
    int64_t sent;          /* tokens of the texts, estimated */
    bool asked;            /* a request came back with rows */
    int tries;
    int64_t tokens; /* used so far; -1: not known */
    bool working;   /* the worker has it */
    bool cancelled;
    struct problem problem;
};

/* Any thread. */
void embed_post(struct engine *en, struct embed *em);
/* Its client left: close upstream at once. done is called, perhaps before this
 * returns. Loop thread. */
void embed_cancel(struct embed *em);

#endif

/*
 * parley index --describe: images of the index that nobody has described are
 * shown to a model. What that takes is said before, and what came of it after.
 */
#ifndef CLI_DESCRIBE_H
#define CLI_DESCRIBE_H

#include "base/base.h"

#include "base/buf.h"
#include "files/files.h"
#include "provider/provider.h"

#define DESCRIBE_AT_ONCE 2       /* images that a model is asked about */
#define DESCRIBE_FAILURES 5      /* in a row: it is given up */
#define DESCRIBE_FAULTS_MAX 1000 /* that are named */

struct describe {
    struct files *files;     /* these are set by the caller, and borrowed */
    const char *dir;         /* of the index */
    bool again;              /* those, too, that a model has described */
    bool yes;                /* do not ask */
    bool sidecar;            /* write NAME.json beside the images of folders */
    int (*interrupts)(void); /* how often it was asked to stop */

    struct route_choice route;
    char by[FACTS_BY_MAX + 1]; /* "openai/gpt-4o" */
    char *prompt;              /* owned */
    int64_t *image;            /* owned; documents to be described */
    size_t n, cap;
    size_t held;    /* that must not be shown to this model */
    int64_t tokens; /* that it takes to ask, as estimated */
    char **fault;   /* owned; what went wrong, "name: why" */
    size_t n_faults, more_faults;
    size_t described;
    struct usage usage; /* as the provider says */
    int64_t cost_micro; /* -1: not known */
};

/* Choose the model. Returns an exit status. */
int describe_begin(struct describe *d);
/* Look for images in a collection. */
MUST_USE enum err describe_look(struct describe *d, int64_t collection);
/* Say what it takes, ask, do it, and tell. Returns an exit status. */
int describe_do(struct describe *d);
void describe_end(struct describe *d);

/* Is it one that is to be described by now, and may be shown? */
bool describe_wanted(const struct describe *d, const struct document *doc,
                     bool *held);
/* Note that one was not described. */
void describe_fault(struct describe *d, const char *name, const char *why);

/* --- describe_run.c ------------------------------------------------------- */

/* Ask about all of them. OK; ERR_HUP: it was stopped; ERR_UPSTREAM: given up;
 * ERR_INTERNAL: there is nothing to ask with. */
MUST_USE enum err describe_run(struct describe *d);

#endif

/*
 * What is known of models: how much they take, what they cost, what they can.
 * A table of our own (models_builtin.c), and over it a file that people edit
 * (etc/models.json, see docs/WIRE.md). Loaded once at start by one thread;
 * constant afterwards, any thread.
 *
 * Knowing nothing of a model is no reason to refuse it: a caller then sends
 * what it was asked to send, and its cost is unknown.
 */
#ifndef PROVIDER_MODELS_H
#define PROVIDER_MODELS_H

#include "base/base.h"

struct usage; /* provider/provider.h */

#define MODELS_MAX 1024             /* rows */
#define MODELS_FILE_MAX (1 << 20)   /* bytes */
#define MODEL_ID_MAX 128            /* bytes */
#define MODEL_PRICE_MAX_USD 1000000 /* dollars per million tokens */

/* Micro-dollars per million tokens; -1: not known. */
struct model_price {
    int64_t in;
    int64_t cached; /* of in; not known: as in */
    int64_t out;
};

struct model {
    const char *provider;   /* "openai" */
    const char *id;         /* a name, or the beginning of names with a "*"
                                 behind it */
    int64_t context_tokens; /* question and answer together; -1: not known */
    int64_t output_tokens;  /* most of an answer; -1: not known */
    struct model_price price;
    int64_t long_tokens; /* a prompt of more than this costs price_long;
                                 0: none does */
    struct model_price price_long;
    const char *as_of; /* date of the prices, "2026-09-23"; "": not
                                 said */
    bool images;       /* takes images */
    bool tools;        /* calls tools */
    bool reasoning;    /* thinks before it answers */
    bool temperature;  /* accepts temperature and top_p */
    bool system;       /* accepts system messages */
};

/* A mistake in the file. line counts from 1; 0: the file as a whole. rule
 * holds no quotes and no control characters; valid during the call. */
typedef void models_fault_fn(void *arg, int line, const char *rule);

/* The built-in table, and the file over it (NULL: none). A row of the file
 * changes what it names of a built-in row with the same provider and id, or is
 * new. What is wrong is reported and left out, the rest is taken. Returns the
 * number of mistakes. At start only. */
size_t models_load(const char *path, models_fault_fn *fault, void *arg);
/* The same from memory. */
size_t models_parse(const char *s, size_t n, models_fault_fn *fault, void *arg);

/* The row of exactly this name, else the one with the longest beginning of it,
 * else NULL. On Bedrock a name with a geography (us., eu., global., …) that is
 * not found is looked for without it. */
const struct model *model_find(const char *provider, const char *id);
/* Is it a row for names that begin so? */
bool model_is_prefix(const struct model *m);
/* All rows; index from 0, NULL past the last one. */
const struct model *models_at(size_t i);

/* What this usage costs in micro-dollars, rounded to the nearest; -1: not
 * known. m and u may be NULL. Writing to a provider's cache is not in usage
 * and counts as ordinary input. */
int64_t model_cost(const struct model *m, const struct usage *u);

/* All rows as the file that would give them; what is not known is left out. */
void models_print(FILE *f);

#endif

/*
 * How many tokens a text has, before a provider counts them: an estimate from
 * its characters, corrected for each model by what providers counted so far.
 * The estimate is pure; the corrections are the loop thread's.
 */
#ifndef CHAT_TOKENS_H
#define CHAT_TOKENS_H

#include "base/base.h"

#define TOKENS_PER_MESSAGE 4 /* its role and its frame */

/* A quarter of the ASCII characters and most of the others. */
int64_t tokens_estimate(const char *s, size_t n);

struct token_scales;
struct token_scales *token_scales_new(void);
void token_scales_free(struct token_scales *s); /* NULL is fine */
/* The estimate, corrected. */
int64_t token_scale(const struct token_scales *s, const char *model,
                    int64_t estimate);
/* A provider counted real tokens where the estimate, uncorrected, was this. */
void token_scale_learn(struct token_scales *s, const char *model,
                       int64_t estimate, int64_t real);

#endif

/*
 * What all providers' errors have in common: a handful of meanings, each with
 * its words for the user. A provider maps its own codes to a meaning; the
 * provider's own text is never shown, since it can repeat the key, the prompt,
 * or details of somebody's account. Pure.
 */
#ifndef PROVIDER_MEANING_H
#define PROVIDER_MEANING_H

#include "provider/provider.h"

enum meaning {
    MEANS_AUTH,
    MEANS_FORBIDDEN,
    MEANS_MODEL,
    MEANS_MONEY,
    MEANS_LIMIT,
    MEANS_CONTEXT,
    MEANS_REJECTED,
    MEANS_FAILED,
    MEANS_ERROR,
    MEANS__MAX
};

/* By the HTTP status alone; 0 (an error inside a reply that began well) is
 * MEANS_ERROR. */
enum meaning meaning_of_status(int status);
/* Does the text (may be NULL) say that the conversation is too long? */
bool meaning_is_context(const char *text);
/* Fill all of out. head NULL: inside a reply. wait_ms: what the body said
 * about trying again, else -1. */
void meaning_error(enum meaning m, const struct upstream_head *head,
                   int64_t wait_ms, struct provider_error *out);

/* --- what a reader says about the reply itself --------------------------- */

/* ERR_UPSTREAM "provider_garbage": not this provider's format. hint: what to
 * check. */
enum err reply_garbage(struct problem *why, const char *hint);
/* ERR_UPSTREAM "incomplete", retryable: it ended before its end marker. */
enum err reply_cut(struct problem *why);

#endif

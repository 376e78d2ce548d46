/*
 * What may be spent: the limits of owners, keys and models, what a turn may
 * cost at most, what it did cost, and what is said to who has no more. The
 * counting is the store's (store/ledger.h); here are the rules. Pure, but for
 * reading the limits at start.
 *
 * An owner's limits are those of the file for that owner, or for its realm
 * ("anon" before the slash and a star behind it), over those of the settings.
 * Who never signed in can have a new cookie at any time, so all of them
 * together may have limits too. A limit of 0 is none.
 */
#ifndef CHAT_ALLOWANCE_H
#define CHAT_ALLOWANCE_H

#include "base/mem.h"
#include "provider/provider.h"
#include "store/store.h"

#define ALLOWANCE_FILE_MAX (4 << 20) /* bytes */
#define ALLOWANCE_ANONYMOUS "anon"   /* the group's account */

struct turn_ask;
struct token_scales;

/* Who pays for a turn. Strings are borrowed, as long as the ask. */
struct payer {
    const char *owner; /* NULL: the owner of the ask */
    const char *key;   /* the id of the API key that was used; NULL or "" */
    struct ledger_limits key_limits;
};

/* Who that is, where the ask has this owner (NULL: nobody). */
const char *payer_owner(const struct payer *p, const char *owner);
/* a's payer, copied into its arena. owner NULL: as above; key and limits may be
 * NULL. */
void allowance_payer(struct turn_ask *a, const char *owner, const char *key,
                     const struct ledger_limits *limits);

/* --- limits --------------------------------------------------------------- */

struct allowances;

/* Settings and LIMITS_FILE. Each mistake is a log line; ERR_BADREQ then. */
MUST_USE enum err allowances_open(struct allowances **out);
void allowances_free(struct allowances *al); /* NULL is fine */
/* Dollars as written ("2.50") to micro-dollars; false: it is no amount. "" is
 * 0. */
bool allowance_dollars(const char *s, int64_t *micro);

/* allowance_file.c: limits from a file's text. fault is told what is wrong,
 * with the line (0: not known); valid during the call. */
typedef void allowance_fault_fn(void *arg, int line, const char *rule);
struct allowance_row {
    char *name;                  /* owned */
    struct ledger_limits limits; /* -1: not said */
};
struct allowance_rows {
    struct allowance_row *rows; /* owned; in the order of names */
    size_t n, cap;
};
struct allowances {
    struct ledger_limits all; /* of each owner, by the settings */
    struct ledger_limits anonymous;
    struct allowance_rows users, models;
    int64_t answer_tokens; /* of an answer whose length nobody says */
    size_t faults;
};
void allowance_read(struct allowances *al, const char *s, size_t n,
                    allowance_fault_fn *fault, void *arg);
void allowance_rows_free(struct allowance_rows *r);
/* NULL: there is none. */
const struct ledger_limits *allowance_find(const struct allowance_rows *r,
                                           const char *name);

/* The limits of an owner, each 0 where there is none. */
struct ledger_limits allowance_of(const struct allowances *al,
                                  const char *owner);

/* --- bills ---------------------------------------------------------------- */

/* What one turn is charged. what.n is 0 where nothing limits it. Strings are
 * the payer's, or in here. */
struct bill {
    struct ledger_charge charges[LEDGER_CHARGES_MAX];
    struct ledger_reserve what; /* its charges are those */
    char model[LEDGER_NAME_MAX + 1];
};

/* Who is charged for what is asked of this route; nothing reserved yet. al
 * NULL: nothing is limited. */
void bill_init(struct bill *b, const struct allowances *al,
               const struct payer *payer, const char *owner,
               const struct route_choice *route);
/* It is no turn of a user: budgets bind it, but not how many turns there may be
 * at once, and it is none of those. */
void bill_aside(struct bill *b);
/* The worst case: so many tokens are sent, and an answer of max tokens (0: not
 * said), with what the model thinks beyond them for this effort (NULL: not
 * said), comes from the most expensive of these routes. Returns the tokens of
 * an answer that are reserved, without thoughts, which is what is to be asked
 * for; 0: no budget applies. */
int64_t bill_worst(struct bill *b, const struct allowances *al,
                   const struct route_choice *routes, size_t n,
                   int64_t input_tokens, int64_t max_tokens,
                   const char *effort);
/* For prompts: the tokens of what a would send, none of it left out. Of a
 * relay's ask, and of a turn's. */
int64_t bill_input(const struct turn_ask *a, const char *system_prompt);

/* What was used: what the provider counted, and where it did not, estimates.
 * sent: tokens that were sent (-1: not known; 0: nothing was); said: bytes of
 * the answer with its reasoning; whole: the provider said that it is all. */
void bill_spent(struct bill *b, struct ledger_spent *out, const char *owner,
                const struct route_choice *route, const char *model,
                const struct usage *u, int64_t sent, int64_t said, bool whole);

/* Why a bill does not fit, as of now_ms. */
void bill_problem(const struct bill *b, const struct ledger_over *over,
                  int64_t now_ms, struct problem *out);

#endif

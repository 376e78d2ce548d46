/*
 * The ledger: who has used what of models, and how much of it they may use.
 *
 * An account is an owner, an API key, a model or a group. It has counters for
 * each day and each month (UTC) in which it used something, and one standing:
 * what its open turns have reserved. A turn reserves its worst case before a
 * model is asked; when it ends that is taken back, and what it really used is
 * counted.
 * A reserve has no day: it counts against the day on which somebody asks. There
 * is one for a turn: who goes over to another model reserves again under the
 * same id, and what was reserved before is given back.
 *
 * Beside them are rows: what an owner used of a model on a day. All that is
 * ever used is in a row. The counters of an owner and of a model are sums of
 * rows, made when they are first asked for and kept up from then on; those of a
 * key or a group have no rows. Old rows may be taken away (ledger_keeps_from).
 *
 * Here: types (store.h includes this), and what is pure: the rule of what fits,
 * days and months, keys and records. lmdb_ledger.c reads and writes them.
 */
#ifndef STORE_LEDGER_H
#define STORE_LEDGER_H

#include "base/base.h"
#include "base/ident.h"
#include "base/process.h"

#define LEDGER_CHARGES_MAX 4 /* accounts that one turn is charged to */
#define LEDGER_NAME_MAX 257  /* bytes of an account's name */

enum ledger_kind {
    LEDGER_OWNER = 'o', /* the name is an owner */
    LEDGER_KEY = 'k',   /* the id of an API key */
    LEDGER_MODEL = 'm', /* provider/model */
    LEDGER_GROUP = 'g'  /* several owners together */
};

/* 0: no limit. */
struct ledger_limits {
    int64_t day_tokens, month_tokens; /* input and output */
    int64_t day_micro, month_micro;   /* micro-dollars */
    int64_t turns_at_once;
};

struct ledger_charge {
    enum ledger_kind kind;
    const char *name;
    struct ledger_limits limits;
};

enum ledger_limit {
    LEDGER_FITS,
    LEDGER_DAY_TOKENS,
    LEDGER_MONTH_TOKENS,
    LEDGER_DAY_MICRO,
    LEDGER_MONTH_MICRO,
    LEDGER_TURNS
};

/* What did not fit. */
struct ledger_over {
    enum ledger_limit limit;
    size_t charge;     /* which one */
    int64_t max, left; /* of that limit, in its unit; left is not negative */
    int64_t anew_ms;   /* wall clock, when the period begins anew; 0: when one
                          of the open turns ends */
};

/* What a turn reserves. With n = 0 nothing is checked, reserved or kept; what
 * STORE_RESERVE finds under its id is given back then. */
struct ledger_reserve {
    const struct ledger_charge *charges; /* borrowed, with their names */
    size_t n;                            /* at most LEDGER_CHARGES_MAX */
    const char *owner, *model;           /* of the row, when it is settled */
    int64_t input_tokens, input_micro;   /* what is sent, and costs */
    int64_t tokens, micro;               /* the worst case, with that */
    bool aside; /* no turn of a user: it is none of the turns at once */
    struct ledger_over over; /* out; with ERR_LIMIT */
};

/* What a turn used. */
struct ledger_spent {
    const char *owner, *model; /* of the row; model NULL: nothing is
                                           counted */
    int64_t input_tokens;      /* -1: not known: what was reserved for
                                           it, and micro is without it */
    int64_t output_tokens;     /* 0 or more */
    int64_t cached_tokens;     /* of the input; 0 or more */
    int64_t micro;             /* micro-dollars; 0 or more */
    bool aside;                /* no turn of a user: it is not counted as one */
    bool part;  /* of a turn that goes on: its reserve stays, and it is not
                   counted as a turn yet */
    bool worst; /* nobody knows: all that was reserved, in the name of who
                   reserved it; the rest means nothing */
};

/* Sums of one account and period, or of one row. */
struct ledger_sums {
    int64_t turns, input_tokens, output_tokens, cached_tokens, micro;
};

struct ledger_row {
    uint32_t day;              /* 20261121 */
    const char *owner, *model; /* borrowed; provider/model */
    struct ledger_sums sums;
};

/* What open turns of an account have reserved. */
struct ledger_standing {
    int64_t open, tokens, micro;
};

/* An account as it is. */
struct ledger_account {
    struct ledger_sums day, month;
    struct ledger_standing standing;
};

/* A reserve that is there. */
struct ledger_held {
    struct ident id; /* of the turn */
    struct process process;
};

/* What store_ledger is asked. fn returns false to stop; what it is given is
 * borrowed for the call. */
typedef bool ledger_row_fn(void *arg, const struct ledger_row *row);
typedef bool ledger_held_fn(void *arg, const struct ledger_held *held);
struct ledger_query {
    /* Rows of these days, both included, in the order of days and owners. */
    ledger_row_fn *row; /* NULL: not wanted */
    const char *owner;  /* NULL: everybody's */
    uint32_t from, to;
    uint32_t *oldest; /* out: the day of the first row, whosever; 0: there is
                         none; NULL: not wanted */
    /* All reserves, in the order of ids. */
    ledger_held_fn *held;      /* NULL: not wanted */
    const struct ident *after; /* only those behind this one; NULL: all */
    void *arg;
    /* An account, as of a time. */
    struct ledger_account *account; /* out; NULL: not wanted */
    enum ledger_kind kind;
    const char *name;
    int64_t at_ms; /* wall clock */
};

/* --- the store's own ------------------------------------------------------ */

/* Day (20261121) and month (202611) of a time, UTC. */
uint32_t ledger_day(int64_t wall_ms);
uint32_t ledger_month(int64_t wall_ms);
/* 00:00 of a day; and is there such a day? */
int64_t ledger_day_ms(uint32_t day);
bool ledger_is_day(uint32_t day);
/* When the day or month after that of wall_ms begins. */
int64_t ledger_next_day_ms(int64_t wall_ms);
int64_t ledger_next_month_ms(int64_t wall_ms);
/* The days of a month, or the day itself. */
void ledger_days(uint32_t period, uint32_t *first, uint32_t *last);
/* The day after. */
uint32_t ledger_after(uint32_t day);
/* The first day whose rows are not to be taken away, where those of so many
 * days (at least 1) and of today are kept. Rows of this month are never, since
 * sums are made of them; nor, on the first of a month, those of the one before,
 * whose last turns may still be on their way. */
uint32_t ledger_keeps_from(int64_t now_ms, int64_t days);

/* Does it fit? Sets *over, but for its charge, if not. Sums are of the day and
 * month of now_ms. */
bool ledger_fits(const struct ledger_limits *l, const struct ledger_sums *day,
                 const struct ledger_sums *month,
                 const struct ledger_standing *s, int64_t tokens, int64_t micro,
                 int64_t now_ms, struct ledger_over *over);
/* a += b; neither is ever negative, and a stops at the largest number. */
void ledger_add(int64_t *a, int64_t b);
void ledger_sums_add(struct ledger_sums *to, const struct ledger_sums *more);
/* What is reserved comes to a standing, or is given back. */
void ledger_stand(struct ledger_standing *s,
                  const struct ledger_standing *more);
void ledger_unstand(struct ledger_standing *s,
                    const struct ledger_standing *back);

#define LEDGER_STANDING 0        /* the period of a standing */
#define LEDGER_DAYS_FROM 1000000 /* periods before it are months */
#define LEDGER_ROW 'u'           /* the kind of a row */
#define LEDGER_KEY_MAX 400       /* bytes */

size_t ledger_key(uint8_t out[LEDGER_KEY_MAX], enum ledger_kind kind,
                  uint32_t period, const char *name);
/* With model "" the beginning of all keys of that owner and day; with owner
 * NULL too that of all of the day. */
size_t ledger_row_key(uint8_t out[LEDGER_KEY_MAX], uint32_t day,
                      const char *owner, const char *model);
/* What a key says. name: of an account, or of a row the model; owner: of a row,
 * else "". ERR_STORE. */
struct ledger_place {
    uint8_t kind; /* enum ledger_kind or LEDGER_ROW */
    uint32_t period;
    char owner[256], name[LEDGER_NAME_MAX + 1];
};
MUST_USE enum err ledger_key_read(const void *p, size_t n,
                                  struct ledger_place *out);

#define LEDGER_SUMS_MAX 64      /* bytes */
#define LEDGER_RESERVE_MAX 2048 /* bytes */

size_t ledger_sums_write(uint8_t out[LEDGER_SUMS_MAX],
                         const struct ledger_sums *s);
MUST_USE enum err ledger_sums_read(const void *p, size_t n,
                                   struct ledger_sums *out);
size_t ledger_standing_write(uint8_t out[LEDGER_SUMS_MAX],
                             const struct ledger_standing *s);
MUST_USE enum err ledger_standing_read(const void *p, size_t n,
                                       struct ledger_standing *out);

/* A reserve as it is kept. */
struct ledger_kept {
    int64_t at_ms;
    struct process process;
    int64_t input_tokens, input_micro, tokens, micro;
    bool aside;
    char owner[256], model[LEDGER_NAME_MAX + 1];
    size_t n;
    struct {
        enum ledger_kind kind;
        char name[LEDGER_NAME_MAX + 1];
    } charges[LEDGER_CHARGES_MAX];
};
size_t ledger_reserve_write(uint8_t out[LEDGER_RESERVE_MAX],
                            const struct ledger_reserve *r,
                            const struct process *process, int64_t at_ms);
MUST_USE enum err ledger_reserve_read(const void *p, size_t n,
                                      struct ledger_kept *out);
/* What each of its accounts has of it. */
struct ledger_standing ledger_kept_standing(const struct ledger_kept *kept);

#endif

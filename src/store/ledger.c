/*
 * The pure part of the ledger. A limit holds when what was used in its period,
 * what open turns have reserved and the worst case of one more turn are not
 * more than it; that is looked at for each limit of each account, and the first
 * that does not hold is told. The order is that of how long one would have to
 * wait: turns at once, the day, the month.
 *
 * Keys have the period before the name, so that all accounts of a day lie
 * beside each other, and a row the day before the owner, so that a report of
 * everybody is a walk and one of an owner a step for each day.
 */
#include "base/base.h"

#include "store/ledger.h"

#include "store/pack.h"

enum { SUMS_V = 1, STANDING_V = 1, RESERVE_V = 2 };

#define RESERVE_V_TURNS 1 /* which had no flags: all were of turns */
#define FLAG_ASIDE 1

#define DAY_MS INT64_C(86400000)

_Static_assert(LEDGER_NAME_MAX == 2 * STORE_NAME_MAX + 1, "provider/model");
_Static_assert(LEDGER_NAME_MAX >= STORE_OWNER_MAX, "an owner is a name");
_Static_assert(LEDGER_KEY_MAX >= 6 + STORE_OWNER_MAX + LEDGER_NAME_MAX,
               "the longest key fits");
_Static_assert(LEDGER_SUMS_MAX >= 1 + 5 * PACK_VAR_MAX, "as do sums");
_Static_assert(LEDGER_RESERVE_MAX >=
                   3 + 7 * PACK_VAR_MAX + 2 + STORE_OWNER_MAX + 2 +
                       LEDGER_NAME_MAX +
                       LEDGER_CHARGES_MAX * (3 + LEDGER_NAME_MAX),
               "and a reserve");

/* --- days ----------------------------------------------------------------- */

static void
date_of(int64_t wall_ms, struct tm *tm)
{
    time_t s = (time_t)((wall_ms < 0 ? 0 : wall_ms) / 1000);

    if (gmtime_r(&s, tm) == NULL)
        memset(tm, 0, sizeof(*tm)); /* after the year 2^31 */
}

uint32_t
ledger_day(int64_t wall_ms)
{
    struct tm tm;

    date_of(wall_ms, &tm);
    return (uint32_t)((tm.tm_year + 1900) * 10000 + (tm.tm_mon + 1) * 100 +
                      tm.tm_mday);
}

uint32_t
ledger_month(int64_t wall_ms)
{
    return ledger_day(wall_ms) / 100;
}

int64_t
ledger_next_day_ms(int64_t wall_ms)
{
    return (wall_ms / DAY_MS + 1) * DAY_MS;
}

int64_t
ledger_day_ms(uint32_t day)
{
    struct tm tm = {.tm_year = (int)(day / 10000) - 1900,
                    .tm_mon = (int)(day / 100 % 100) - 1,
                    .tm_mday = (int)(day % 100)};

    return (int64_t)timegm(&tm) * 1000;
}

bool
ledger_is_day(uint32_t day)
{
    return ledger_day(ledger_day_ms(day)) == day;
}

int64_t
ledger_next_month_ms(int64_t wall_ms)
{
    uint32_t month = ledger_month(wall_ms);

    month = month % 100 == 12 ? month + 89 : month + 1;
    return ledger_day_ms(month * 100 + 1);
}

uint32_t
ledger_after(uint32_t day)
{
    return ledger_day(ledger_day_ms(day) + DAY_MS);
}

uint32_t
ledger_keeps_from(int64_t now_ms, int64_t days)
{
    uint32_t month = ledger_month(now_ms - DAY_MS) * 100 + 1;
    uint32_t day = ledger_day(days < now_ms / DAY_MS ? now_ms - days * DAY_MS
                                                     : 0);

    return day < month ? day : month;
}

void
ledger_days(uint32_t period, uint32_t *first, uint32_t *last)
{
    *first = period < LEDGER_DAYS_FROM ? period * 100 + 1 : period;
    *last = period < LEDGER_DAYS_FROM ? period * 100 + 31 : period;
}

/* --- what fits ------------------------------------------------------------ */

void
ledger_add(int64_t *a, int64_t b)
{
    *a = b > INT64_MAX - *a ? INT64_MAX : *a + b;
}

void
ledger_sums_add(struct ledger_sums *to, const struct ledger_sums *more)
{
    ledger_add(&to->turns, more->turns);
    ledger_add(&to->input_tokens, more->input_tokens);
    ledger_add(&to->output_tokens, more->output_tokens);
    ledger_add(&to->cached_tokens, more->cached_tokens);
    ledger_add(&to->micro, more->micro);
}

void
ledger_stand(struct ledger_standing *s, const struct ledger_standing *more)
{
    ledger_add(&s->open, more->open);
    ledger_add(&s->tokens, more->tokens);
    ledger_add(&s->micro, more->micro);
}

static int64_t
less(int64_t a, int64_t b)
{
    return a > b ? a - b : 0;
}

void
ledger_unstand(struct ledger_standing *s, const struct ledger_standing *back)
{
    s->open = less(s->open, back->open);
    s->tokens = less(s->tokens, back->tokens);
    s->micro = less(s->micro, back->micro);
}

static bool
fits(enum ledger_limit limit, int64_t max, int64_t used, int64_t reserved,
     int64_t worst, int64_t anew_ms, struct ledger_over *over)
{
    int64_t taken = used;

    if (max <= 0)
        return true;
    ledger_add(&taken, reserved);
    if (taken <= max && worst <= max - taken)
        return true;
    over->limit = limit;
    over->max = max;
    over->left = taken < max ? max - taken : 0;
    over->anew_ms = anew_ms;
    return false;
}

static int64_t
tokens_of(const struct ledger_sums *s)
{
    int64_t n = s->input_tokens;

    ledger_add(&n, s->output_tokens);
    return n;
}

bool
ledger_fits(const struct ledger_limits *l, const struct ledger_sums *day,
            const struct ledger_sums *month, const struct ledger_standing *s,
            int64_t tokens, int64_t micro, int64_t now_ms,
            struct ledger_over *over)
{
    int64_t day_end_ms = ledger_next_day_ms(now_ms);
    int64_t month_end_ms = ledger_next_month_ms(now_ms);

    return fits(LEDGER_TURNS, l->turns_at_once, 0, s->open, 1, 0, over) &&
           fits(LEDGER_DAY_TOKENS, l->day_tokens, tokens_of(day), s->tokens,
                tokens, day_end_ms, over) &&
           fits(LEDGER_DAY_MICRO, l->day_micro, day->micro, s->micro, micro,
                day_end_ms, over) &&
           fits(LEDGER_MONTH_TOKENS, l->month_tokens, tokens_of(month),
                s->tokens, tokens, month_end_ms, over) &&
           fits(LEDGER_MONTH_MICRO, l->month_micro, month->micro, s->micro,
                micro, month_end_ms, over);
}

/* --- keys ----------------------------------------------------------------- */

static uint8_t *
put_period(uint8_t *w, uint32_t period)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        *w++ = (uint8_t)(period >> shift);
    return w;
}

size_t
ledger_key(uint8_t out[LEDGER_KEY_MAX], enum ledger_kind kind, uint32_t period,
           const char *name)
{
    size_t n = strlen(name);
    uint8_t *w = out;

    assert(n <= LEDGER_NAME_MAX);
    *w++ = (uint8_t)kind;
    w = put_period(w, period);
    memcpy(w, name, n);
    return (size_t)(w - out) + n;
}

size_t
ledger_row_key(uint8_t out[LEDGER_KEY_MAX], uint32_t day, const char *owner,
               const char *model)
{
    uint8_t *w = out;
    size_t n;

    *w++ = LEDGER_ROW;
    w = put_period(w, day);
    if (owner == NULL)
        return (size_t)(w - out);
    n = strlen(owner);
    assert(n <= STORE_OWNER_MAX);
    *w++ = (uint8_t)n;
    memcpy(w, owner, n);
    w += n;
    n = strlen(model);
    assert(n <= LEDGER_NAME_MAX);
    memcpy(w, model, n);
    return (size_t)(w - out) + n;
}

static bool
is_kind(uint8_t kind)
{
    return kind == LEDGER_OWNER || kind == LEDGER_KEY || kind == LEDGER_MODEL ||
           kind == LEDGER_GROUP;
}

enum err
ledger_key_read(const void *p, size_t n, struct ledger_place *out)
{
    const uint8_t *b = p;
    size_t at = 5, owner = 0;

    if (n < at || (b[0] != LEDGER_ROW && !is_kind(b[0])))
        return ERR_STORE;
    out->kind = b[0];
    out->period = (uint32_t)b[1] << 24 | (uint32_t)b[2] << 16 |
                  (uint32_t)b[3] << 8 | b[4];
    if (out->kind == LEDGER_ROW) {
        owner = n > at ? b[at++] : SIZE_MAX;
        if (owner > STORE_OWNER_MAX || n - at < owner)
            return ERR_STORE;
        memcpy(out->owner, b + at, owner);
    }
    out->owner[owner] = '\0';
    at += owner;
    if (n - at > LEDGER_NAME_MAX)
        return ERR_STORE;
    memcpy(out->name, b + at, n - at);
    out->name[n - at] = '\0';
    return memchr(b + 5, '\0', n - 5) == NULL ||
                   (out->kind == LEDGER_ROW && owner == 0 &&
                    memchr(b + 6, '\0', n - 6) == NULL)
               ? OK
               : ERR_STORE;
}

/* --- records -------------------------------------------------------------- */

size_t
ledger_sums_write(uint8_t out[LEDGER_SUMS_MAX], const struct ledger_sums *s)
{
    uint8_t *w = out;

    *w++ = SUMS_V;
    w = pack_put_var(w, pack_natural(s->turns));
    w = pack_put_var(w, pack_natural(s->input_tokens));
    w = pack_put_var(w, pack_natural(s->output_tokens));
    w = pack_put_var(w, pack_natural(s->cached_tokens));
    w = pack_put_var(w, pack_natural(s->micro));
    return (size_t)(w - out);
}

enum err
ledger_sums_read(const void *p, size_t n, struct ledger_sums *out)
{
    struct pack_reader r = pack_reader(p, n);

    if (pack_get_u8(&r) != SUMS_V)
        return ERR_STORE;
    out->turns = pack_get_natural(&r);
    out->input_tokens = pack_get_natural(&r);
    out->output_tokens = pack_get_natural(&r);
    out->cached_tokens = pack_get_natural(&r);
    out->micro = pack_get_natural(&r);
    return pack_end(&r);
}

size_t
ledger_standing_write(uint8_t out[LEDGER_SUMS_MAX],
                      const struct ledger_standing *s)
{
    uint8_t *w = out;

    *w++ = STANDING_V;
    w = pack_put_var(w, pack_natural(s->open));
    w = pack_put_var(w, pack_natural(s->tokens));
    w = pack_put_var(w, pack_natural(s->micro));
    return (size_t)(w - out);
}

enum err
ledger_standing_read(const void *p, size_t n, struct ledger_standing *out)
{
    struct pack_reader r = pack_reader(p, n);

    if (pack_get_u8(&r) != STANDING_V)
        return ERR_STORE;
    out->open = pack_get_natural(&r);
    out->tokens = pack_get_natural(&r);
    out->micro = pack_get_natural(&r);
    return pack_end(&r);
}

size_t
ledger_reserve_write(uint8_t out[LEDGER_RESERVE_MAX],
                     const struct ledger_reserve *r,
                     const struct process *process, int64_t at_ms)
{
    uint8_t *w = out;

    assert(r->n <= LEDGER_CHARGES_MAX);
    *w++ = RESERVE_V;
    w = pack_put_var(w, pack_natural(at_ms));
    w = pack_put_var(w, pack_natural(process->pid));
    w = pack_put_var(w, process->start_ticks);
    w = pack_put_var(w, pack_natural(r->input_tokens));
    w = pack_put_var(w, pack_natural(r->input_micro));
    w = pack_put_var(w, pack_natural(r->tokens));
    w = pack_put_var(w, pack_natural(r->micro));
    *w++ = r->aside ? FLAG_ASIDE : 0;
    w = pack_put_str(w, r->owner, STORE_OWNER_MAX);
    w = pack_put_str(w, r->model, LEDGER_NAME_MAX);
    *w++ = (uint8_t)r->n;
    for (size_t i = 0; i < r->n; i++) {
        *w++ = (uint8_t)r->charges[i].kind;
        w = pack_put_str(w, r->charges[i].name, LEDGER_NAME_MAX);
    }
    assert(w <= out + LEDGER_RESERVE_MAX);
    return (size_t)(w - out);
}

enum err
ledger_reserve_read(const void *p, size_t n, struct ledger_kept *out)
{
    struct pack_reader r = pack_reader(p, n);
    uint8_t v = pack_get_u8(&r);

    if (v != RESERVE_V && v != RESERVE_V_TURNS)
        return ERR_STORE;
    out->at_ms = pack_get_natural(&r);
    out->process.pid = (int32_t)pack_get_max(&r, INT32_MAX);
    out->process.start_ticks = pack_get_var(&r);
    out->input_tokens = pack_get_natural(&r);
    out->input_micro = pack_get_natural(&r);
    out->tokens = pack_get_natural(&r);
    out->micro = pack_get_natural(&r);
    out->aside = v == RESERVE_V && pack_get_max(&r, FLAG_ASIDE) != 0;
    pack_get_str(&r, out->owner, STORE_OWNER_MAX);
    pack_get_str(&r, out->model, LEDGER_NAME_MAX);
    out->n = (size_t)pack_get_max(&r, LEDGER_CHARGES_MAX); /* 0 if bad */
    for (size_t i = 0; i < out->n; i++) {
        uint8_t kind = (uint8_t)pack_get_max(&r, 0x7f);

        if (!is_kind(kind))
            return ERR_STORE;
        out->charges[i].kind = (enum ledger_kind)kind;
        pack_get_str(&r, out->charges[i].name, LEDGER_NAME_MAX);
    }
    return pack_end(&r);
}

struct ledger_standing
ledger_kept_standing(const struct ledger_kept *kept)
{
    return (struct ledger_standing){.open = kept->aside ? 0 : 1,
                                    .tokens = kept->tokens,
                                    .micro = kept->micro};
}

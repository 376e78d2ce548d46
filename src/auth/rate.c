/*
 * The address comes first, since it is known of everybody; what it refuses
 * costs the user nothing. A bucket that refuses gives back what those before it
 * took.
 */
#include "base/base.h"

#include "auth/rate.h"

#include "base/clock.h"
#include "base/conf.h"

static const enum limit_kind order[] = {LIMIT_IP, LIMIT_USER, LIMIT_KEY};

void
rates_load(struct rates *r, struct limit *l)
{
    static const enum conf_key keys[LIMIT_KIND__MAX] = {
        [LIMIT_USER] = CONF_RATE_USER,
        [LIMIT_KEY] = CONF_RATE_KEY,
        [LIMIT_IP] = CONF_RATE_IP,
    };

    r->limit = l;
    for (size_t i = 0; i < LIMIT_KIND__MAX; i++)
        r->of[i] = limit_per_minute(conf_int(keys[i]));
}

/* "": it has none. addr is a place for it. */
static const char *
name_of(const struct identity *who, enum limit_kind kind,
        char addr[LIMIT_ADDR_MAX])
{
    switch (kind) {
    case LIMIT_IP: limit_address(addr, who->addr); return addr;
    case LIMIT_USER: return who->owner;
    case LIMIT_KEY: return who->way == IDENTITY_KEY ? who->id : "";
    default: return "";
    }
}

static void
give_back(struct rates *r, const struct identity *who, size_t n, int64_t now_ms)
{
    char addr[LIMIT_ADDR_MAX];

    for (size_t i = 0; i < n; i++) {
        const char *name = name_of(who, order[i], addr);

        if (*name != '\0' && r->of[order[i]].count > 0)
            limit_give(r->limit, order[i], name, &r->of[order[i]], now_ms);
    }
}

static enum err
refuse(const struct limit_left *left, struct problem *why)
{
    (void)problem_set(why, ERR_LIMIT, "rate_limited", "Too many requests",
                      "Wait a little before the next one.");
    why->retry_after_s = (int)((left->retry_ms + 999) / 1000);
    why->quota = (struct problem_quota){
        .unit = QUOTA_TURNS,
        .max = left->limit,
        .left = 0,
        .anew_ms = clock_wall_ms() + left->retry_ms,
    };
    return ERR_LIMIT;
}

/* What is left of a bucket, if it is less than of those before. */
static void
least(struct problem_quota *of, const struct limit_left *left)
{
    if (of == NULL || (of->unit != QUOTA_NONE && of->left <= left->remaining))
        return;
    *of = (struct problem_quota){
        .unit = QUOTA_TURNS,
        .max = left->limit,
        .left = left->remaining,
        .anew_ms = clock_wall_ms() + left->full_ms,
    };
}

enum err
rates_take(struct rates *r, const struct identity *who, int64_t now_ms,
           struct problem_quota *quota, struct problem *why)
{
    char addr[LIMIT_ADDR_MAX];
    struct limit_left left;

    if (quota != NULL)
        quota->unit = QUOTA_NONE;

    for (size_t i = 0; i < COUNT_OF(order); i++) {
        const struct limit_rate *rate = &r->of[order[i]];
        const char *name = name_of(who, order[i], addr);

        if (*name == '\0' || rate->count == 0)
            continue;
        if (limit_take(r->limit, order[i], name, rate, now_ms, &left) != OK) {
            give_back(r, who, i, now_ms);
            return refuse(&left, why);
        }
        least(quota, &left);
    }
    return OK;
}

enum err
rates_start(struct rates *r, const struct identity *who, int64_t now_ms,
            struct problem *why)
{
    const struct limit_rate rate = limit_per_minute(RATE_STARTS);
    char addr[LIMIT_ADDR_MAX], name[LIMIT_ADDR_MAX + 8];
    struct limit_left left;

    limit_address(addr, who->addr);
    (void)snprintf(name, sizeof(name), "start %s", addr);
    return limit_take(r->limit, LIMIT_IP, name, &rate, now_ms, &left) == OK
               ? OK
               : refuse(&left, why);
}

/*
 * What the two files of the catalogue share: rows and rules for a turn
 * (catalog.c), and what is settled and checked once at start
 * (catalog_check.c).
 */
#ifndef PROVIDER_CATALOG_H
#define PROVIDER_CATALOG_H

#include "base/conf.h"
#include "provider/provider.h"

/* What makes a provider usable. */
enum catalog_need {
    NEED_KEY, /* a key, or a base URL of one's own */
    NEED_URL, /* a base URL, or that the settings name it */
    NEED_AWS, /* a region, and access keys or a bearer token */
    NEED_NONE
};

struct catalog_row {
    const struct provider *provider;
    enum catalog_need need;
    enum conf_key base_url, key; /* these are CONF__MAX where there is none */
    enum conf_key org, project, version;
    enum conf_key model_key; /* a setting of its own for the model */
    const char *model;       /* when none is named */
    const char *cheap;       /* for small tasks; NULL: none is known */
    bool gateway;            /* with a base URL of one's own it may be one,
                                where "anthropic/claude" is a model's name */
    const char *hint;        /* what to set */
};

/* By name; also: by another name that settings and requests may use. */
const struct catalog_row *catalog_row(const char *name, size_t n, bool also);
bool catalog_configured(const struct catalog_row *r);
/* Whom the settings choose; NULL: AI_PROVIDER names no provider. */
const struct catalog_row *catalog_default(void);
void catalog_choose(const struct catalog_row *r, const char *model,
                    struct route_choice *out);

/* The next part of a list like AI_FALLBACK: "provider" or "provider/model".
 * *s is moved behind it; false: there is none. */
struct catalog_part {
    const char *provider, *model;   /* not NUL-terminated */
    size_t provider_len, model_len; /* model_len 0: not named */
};
bool catalog_part(const char **s, struct catalog_part *out);

/* Bedrock's account as settled by catalog_check; NULL: there is none. */
const struct account_aws *catalog_aws(void);
const char *catalog_aws_url(void);
const char *catalog_aws_bearer(void); /* "" if none */

#endif

/*
 * What the catalogue settles once, at start: the table of models, the account
 * at AWS, the chain of fallbacks; and all that is wrong with the settings of
 * providers, told together. Nothing here stops the start: what is right
 * works, and the rest is reported.
 *
 * The files of AWS are in somebody's home folder and hold keys. They are read
 * only if the settings want Bedrock, and only for what the settings lack.
 */
#include "base/base.h"

#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "provider/aws_profile.h"
#include "provider/catalog.h"
#include "provider/models.h"

#define CHAIN_MAX 16 /* fallbacks */
#define SHOWN_MAX 50 /* mistakes of one file that are told */
#define RULE_MAX 200 /* bytes */

struct link {
    const struct catalog_row *row;
    char *model; /* owned; NULL: not named */
};

/* Written by catalog_check, constant afterwards. */
static struct {
    struct link chain[CHAIN_MAX];
    size_t n_chain;
    struct aws_profile config, credentials; /* what the files say */
    struct account_aws aws;                 /* borrows from those, settings */
    char *aws_url;                          /* owned */
    const char *bearer;
    bool aws_ready;
    size_t faults;
} settled;

struct checker {
    catalog_fault_fn *fn;
    void *arg;
    const char *file; /* the one being read */
    size_t in_file;   /* mistakes in it */
};

static void
fault(struct checker *c, const char *name, int line, const char *rule)
{
    settled.faults++;
    c->fn(c->arg, &(struct catalog_fault){name, line, rule});
}

static void
on_file_fault(void *arg, int line, const char *rule)
{
    struct checker *c = arg;

    if (++c->in_file <= SHOWN_MAX)
        fault(c, c->file, line, rule);
    else if (c->in_file == SHOWN_MAX + 1)
        fault(c, c->file, 0, "has more mistakes");
}

/* A word of a setting as it may be shown: keys that were put in the wrong
 * place are longer. */
static const char *
shown(const char *s, size_t n, char room[40])
{
    bool plain = n > 0 && n <= 24;

    for (size_t i = 0; plain && i < n; i++)
        plain = s[i] > ' ' && s[i] < 0x7f && s[i] != '"' && s[i] != '\\';
    if (plain)
        (void)snprintf(room, 40, "%.*s", (int)n, s);
    else
        (void)snprintf(room, 40, "(not shown)");
    return room;
}

/* --- AWS ---------------------------------------------------------------- */

static bool
is_set(enum conf_key k)
{
    return conf_str(k)[0] != '\0' && conf_is_set(k);
}

static bool
named_in(const char *list, const char *name)
{
    struct catalog_part part;

    while (catalog_part(&list, &part))
        if ((part.provider_len == strlen(name) &&
             memcmp(part.provider, name, part.provider_len) == 0) ||
            (part.provider_len == 3 && memcmp(part.provider, "aws", 3) == 0))
            return true;
    return false;
}

/* Do the settings speak of Bedrock, and not only of AWS? */
static bool
wants_bedrock(void)
{
    return named_in(conf_str(CONF_AI_PROVIDER), "bedrock") ||
           named_in(conf_str(CONF_AI_FALLBACK), "bedrock") ||
           is_set(CONF_AWS_BEARER_TOKEN_BEDROCK) ||
           is_set(CONF_BEDROCK_BASE_URL) || is_set(CONF_BEDROCK_MODEL) ||
           is_set(CONF_BEDROCK_API);
}

static void
read_aws_file(struct checker *c, enum conf_key key, enum aws_profile_file kind,
              struct aws_profile *p)
{
    const char *path = conf_str(key);
    const char *home = getenv("HOME");
    const char *profile = conf_str(CONF_AWS_PROFILE);
    struct buf whole;

    buf_init(&whole, 4096);
    if (text_starts(path, "~/"))
        buf_addf(&whole, "%s%s", home != NULL ? home : "", path + 1);
    else
        buf_adds(&whole, path);
    c->file = path;
    c->in_file = 0;
    if (aws_profile_read(p, buf_cstr(&whole), kind,
                         *profile != '\0' ? profile : "default", on_file_fault,
                         c) == ERR_NOTFOUND &&
        conf_is_set(key))
        fault(c, conf_name(key), 0, "names a file that is not there");
    buf_release(&whole);
}

static void
read_aws_files(struct checker *c)
{
    const struct aws_profile *a = &settled.credentials, *b = &settled.config;

    read_aws_file(c, CONF_AWS_CONFIG_FILE, AWS_PROFILE_CONFIG, &settled.config);
    read_aws_file(c, CONF_AWS_SHARED_CREDENTIALS_FILE, AWS_PROFILE_CREDENTIALS,
                  &settled.credentials);
    if (is_set(CONF_AWS_PROFILE) && !a->found && !b->found)
        fault(c, "AWS_PROFILE", 0, "names no profile in the files of AWS");
    if ((a->elsewhere || b->elsewhere) && a->access_key == NULL &&
        b->access_key == NULL)
        fault(c, "AWS_PROFILE", 0,
              "gets its keys by sign-on, a role or a program; Parley takes "
              "access keys only");
}

/* The pair of keys from the settings; false: it is not whole. */
static bool
keys_of_settings(struct checker *c)
{
    bool id = is_set(CONF_AWS_ACCESS_KEY_ID);
    bool secret = is_set(CONF_AWS_SECRET_ACCESS_KEY);

    if (id != secret)
        fault(c, id ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID", 0,
              "is not set, and its other half is");
    if (!id || !secret)
        return false;
    settled.aws.access_key = conf_str(CONF_AWS_ACCESS_KEY_ID);
    settled.aws.secret_key = conf_str(CONF_AWS_SECRET_ACCESS_KEY);
    settled.aws.session_token = conf_str(CONF_AWS_SESSION_TOKEN);
    return true;
}

/* The same from a file. */
static bool
keys_of_profile(const struct aws_profile *p)
{
    if (p->access_key == NULL || p->secret_key == NULL)
        return false;
    settled.aws.access_key = p->access_key;
    settled.aws.secret_key = p->secret_key;
    settled.aws.session_token = p->session_token ? p->session_token : "";
    return true;
}

static bool
is_region(const char *s)
{
    size_t n = strlen(s);

    return n > 0 && n <= 32 &&
           strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

static void
settle_aws_url(void)
{
    const char *region = settled.aws.region;
    struct buf url;

    buf_init(&url, 4096);
    if (is_set(CONF_BEDROCK_BASE_URL))
        buf_adds(&url, conf_str(CONF_BEDROCK_BASE_URL));
    else
        buf_addf(&url, "https://bedrock-runtime.%s.amazonaws.com%s", region,
                 text_starts(region, "cn-") ? ".cn" : "");
    settled.aws_url = xmemdup0(url.data, url.len);
    buf_release(&url);
}

static void
check_bedrock_api(struct checker *c)
{
    const char *api = conf_str(CONF_BEDROCK_API);

    settled.aws.invoke = strcmp(api, "invoke") == 0;
    if (!settled.aws.invoke && strcmp(api, "converse") != 0)
        fault(c, "BEDROCK_API", 0, "must be converse or invoke");
}

static void
settle_aws(struct checker *c)
{
    struct account_aws *aws = &settled.aws;
    bool wanted = wants_bedrock();
    bool keys = keys_of_settings(c);

    check_bedrock_api(c);
    settled.bearer = conf_str(CONF_AWS_BEARER_TOKEN_BEDROCK);
    if (*settled.bearer != '\0') {
        aws->access_key = aws->secret_key = aws->session_token = "";
        keys = true;
    }
    aws->region = conf_str(CONF_AWS_REGION);
    if ((wanted || is_set(CONF_AWS_PROFILE)) && (!keys || *aws->region == '\0'))
        read_aws_files(c);
    if (!keys)
        keys = keys_of_profile(&settled.credentials) ||
               keys_of_profile(&settled.config);
    if (*aws->region == '\0' && settled.config.region != NULL)
        aws->region = settled.config.region;
    if (*aws->region == '\0' && settled.credentials.region != NULL)
        aws->region = settled.credentials.region;
    if (wanted && *aws->region == '\0')
        fault(c, "AWS_REGION", 0,
              "is not set, and Bedrock is not to be found without it");
    else if (*aws->region != '\0' && !is_region(aws->region))
        fault(c, "AWS_REGION", 0, "must look like eu-central-1");
    else if (keys && *aws->region != '\0')
        settled.aws_ready = true;
    if (settled.aws_ready)
        settle_aws_url();
}

const struct account_aws *
catalog_aws(void)
{
    return settled.aws_ready ? &settled.aws : NULL;
}

const char *
catalog_aws_url(void)
{
    return settled.aws_url != NULL ? settled.aws_url : "";
}

const char *
catalog_aws_bearer(void)
{
    return settled.bearer != NULL ? settled.bearer : "";
}

/* --- the chain ---------------------------------------------------------- */

static void
add_link(struct checker *c, size_t nth, const struct catalog_part *part)
{
    const struct catalog_row *r = catalog_row(part->provider,
                                              part->provider_len, true);
    char rule[RULE_MAX], room[40];

    if (r == NULL) {
        (void)snprintf(rule, sizeof(rule), "part %zu names no provider: %s",
                       nth, shown(part->provider, part->provider_len, room));
        fault(c, "AI_FALLBACK", 0, rule);
    } else if (!catalog_configured(r)) {
        (void)snprintf(rule, sizeof(rule),
                       "part %zu is left out: %s is not configured. %s", nth,
                       r->provider->name, r->hint);
        fault(c, "AI_FALLBACK", 0, rule);
    } else if (settled.n_chain == CHAIN_MAX) {
        fault(c, "AI_FALLBACK", 0, "has too many parts");
    } else {
        settled.chain[settled.n_chain++] = (struct link){
            r, part->model_len > 0 ? xmemdup0(part->model, part->model_len)
                                   : NULL};
    }
}

static void
settle_chain(struct checker *c)
{
    const char *list = conf_str(CONF_AI_FALLBACK);
    struct catalog_part part;
    size_t nth = 0;

    if (strcmp(list, "none") == 0)
        return;
    while (catalog_part(&list, &part))
        add_link(c, ++nth, &part);
}

size_t
catalog_fallbacks(struct route_choice *out, size_t max)
{
    const struct catalog_row *d = catalog_default();
    const struct catalog_row *openai = catalog_row("openai", 6, false);
    size_t n;

    if (conf_str(CONF_AI_FALLBACK)[0] == '\0') {
        if (max == 0 || d == NULL || !catalog_configured(openai) ||
            d != catalog_row("huggingface", 11, false))
            return 0;
        catalog_choose(openai, NULL, out);
        return 1;
    }
    for (n = 0; n < settled.n_chain && n < max; n++)
        catalog_choose(settled.chain[n].row, settled.chain[n].model, &out[n]);
    return n;
}

/* --- all of it ---------------------------------------------------------- */

static void
forget(void)
{
    for (size_t i = 0; i < settled.n_chain; i++)
        free(settled.chain[i].model);
    aws_profile_release(&settled.config);
    aws_profile_release(&settled.credentials);
    free(settled.aws_url);
    memset(&settled, 0, sizeof(settled));
}

static void
check_chosen(struct checker *c)
{
    const char *name = conf_str(CONF_AI_PROVIDER);
    const struct catalog_row *r = catalog_default();
    char rule[RULE_MAX], room[40];

    if (r == NULL) {
        (void)snprintf(rule, sizeof(rule), "names no provider: %s",
                       shown(name, strlen(name), room));
        fault(c, "AI_PROVIDER", 0, rule);
    } else if (!catalog_configured(r)) {
        (void)snprintf(rule, sizeof(rule),
                       "%s is chosen and not configured. %s", r->provider->name,
                       r->hint);
        fault(c, "AI_PROVIDER", 0, rule);
    }
}

/* A setting that names who does a task of our own. */
static void
check_model(struct checker *c, const char *setting, const char *model)
{
    struct route_choice route;
    struct problem why;
    char rule[RULE_MAX];

    if (*model == '\0' || catalog_route(NULL, model, &route, &why) == OK)
        return;
    (void)snprintf(rule, sizeof(rule), "cannot be asked: %s", why.error);
    fault(c, setting, 0, rule);
}

/* Whose vectors files are found by. */
static void
check_embed(struct checker *c)
{
    struct route_choice route;
    struct problem why;
    char rule[RULE_MAX];

    if (catalog_embed(&route, &why) == OK || why.err == ERR_NOTFOUND)
        return;
    (void)snprintf(rule, sizeof(rule), "is not used: %s", why.error);
    fault(c, "EMBED_MODEL", 0, rule);
}

static void
check_tasks(struct checker *c)
{
    const char *title = conf_str(CONF_TITLE_MODEL);

    if (conf_int(CONF_SUMMARY) != 0)
        check_model(c, "SUMMARY_MODEL", conf_str(CONF_SUMMARY_MODEL));
    if (!text_ieq(title, "auto") && !text_ieq(title, "off"))
        check_model(c, "TITLE_MODEL", title);
    check_embed(c);
}

static void
read_models(struct checker *c)
{
    const char *path = conf_str(CONF_MODELS_FILE);

    c->file = path;
    c->in_file = 0;
    if (!conf_is_set(CONF_MODELS_FILE) && access(path, F_OK) != 0)
        path = NULL; /* nobody promised that it is there */
    IGNORE(models_load(path, on_file_fault, c));
}

size_t
catalog_check(catalog_fault_fn *fn, void *arg)
{
    struct checker c = {.fn = fn, .arg = arg};

    forget();
    read_models(&c);
    settle_aws(&c);
    check_chosen(&c);
    settle_chain(&c);
    check_tasks(&c);
    return settled.faults;
}

size_t
catalog_faults(void)
{
    return settled.faults;
}

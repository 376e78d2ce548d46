/*
 * Limits, bills, and the words of a refusal. A bill's worst case is what is
 * sent, estimated as prompts are, with the longest answer that is asked for;
 * where nobody says how long it may be, BUDGET_ANSWER_TOKENS of a model that
 * can say as much. That is then asked for, so that it is no guess. A cached
 * price is not counted on. A model without a price costs no money, and so only
 * its tokens are limited.
 */
#include "base/base.h"

#include "chat/allowance.h"

#include <unistd.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/text.h"
#include "chat/prompt.h"
#include "chat/tokens.h"
#include "provider/models.h"

#define MICRO 1000000
#define DOLLARS_MAX INT64_C(1000000000000) /* of a limit */
#define BYTES_PER_TOKEN 4

/* --- who pays ------------------------------------------------------------- */

void
allowance_payer(struct turn_ask *a, const char *owner, const char *key,
                const struct ledger_limits *limits)
{
    a->payer = (struct payer){.owner = arena_strdup(&a->arena, owner),
                              .key = arena_strdup(&a->arena, key)};
    if (limits != NULL)
        a->payer.key_limits = *limits;
}

const char *
payer_owner(const struct payer *p, const char *owner)
{
    if (p->owner != NULL)
        return p->owner;
    return owner != NULL ? owner : "";
}

/* --- limits --------------------------------------------------------------- */

bool
allowance_dollars(const char *s, int64_t *micro)
{
    int64_t whole = 0, part = 0, unit = MICRO;
    bool digits = false;

    for (; *s >= '0' && *s <= '9'; s++, digits = true) {
        whole = whole * 10 + (*s - '0');
        if (whole > DOLLARS_MAX)
            return false;
    }
    if (*s == '.')
        for (s++; *s >= '0' && *s <= '9'; s++, digits = true) {
            unit /= 10;
            part += (*s - '0') * unit;
        }
    if (*s != '\0')
        return false;
    *micro = digits ? whole * MICRO + part : 0;
    return true;
}

static void
on_fault(void *arg, int line, const char *rule)
{
    struct allowances *al = arg;

    al->faults++;
    log_error("limits.file", "file=\"%s\" line=%d error=\"%s\"",
              conf_str(CONF_LIMITS_FILE), line, rule);
}

static void
read_dollars(struct allowances *al, enum conf_key key, const char *name,
             int64_t *out)
{
    if (allowance_dollars(conf_str(key), out))
        return;
    al->faults++;
    log_error("limits.setting",
              "name=%s error=\"must be an amount of dollars, such as 2.50\"",
              name);
}

static void
read_file(struct allowances *al, const char *path)
{
    struct buf text;
    char part[4096];
    FILE *f = fopen(path, "re");
    size_t n;

    if (f == NULL) {
        if (errno != ENOENT)
            on_fault(al, 0, strerror(errno));
        return;
    }
    buf_init(&text, ALLOWANCE_FILE_MAX);
    while ((n = fread(part, 1, sizeof(part), f)) > 0)
        buf_add(&text, part, n);
    if (ferror(f))
        on_fault(al, 0, "cannot be read");
    else if (buf_status(&text) != OK)
        on_fault(al, 0, "is too big");
    else
        allowance_read(al, buf_cstr(&text), text.len, on_fault, al);
    buf_release(&text);
    (void)fclose(f);
}

enum err
allowances_open(struct allowances **out)
{
    struct allowances *al = xcalloc(1, sizeof(*al));

    al->all.day_tokens = conf_int(CONF_BUDGET_DAY_TOKENS);
    al->all.month_tokens = conf_int(CONF_BUDGET_MONTH_TOKENS);
    al->all.turns_at_once = conf_int(CONF_TURNS_AT_ONCE);
    al->answer_tokens = conf_int(CONF_BUDGET_ANSWER_TOKENS);
    read_dollars(al, CONF_BUDGET_DAY_USD, "BUDGET_DAY_USD", &al->all.day_micro);
    read_dollars(al, CONF_BUDGET_MONTH_USD, "BUDGET_MONTH_USD",
                 &al->all.month_micro);
    if (conf_str(CONF_LIMITS_FILE)[0] != '\0')
        read_file(al, conf_str(CONF_LIMITS_FILE));
    *out = al;
    if (al->faults == 0)
        return OK;
    allowances_free(al);
    *out = NULL;
    return ERR_BADREQ;
}

void
allowances_free(struct allowances *al)
{
    if (al == NULL)
        return;
    allowance_rows_free(&al->users);
    allowance_rows_free(&al->models);
    free(al);
}

static bool
is_anonymous(const char *owner)
{
    return owner[0] == '\0' || text_starts(owner, ALLOWANCE_ANONYMOUS "/");
}

/* What is said in l is so in *out. */
static void
lay_over(struct ledger_limits *out, const struct ledger_limits *l)
{
    if (l == NULL)
        return;
    out->day_tokens = l->day_tokens >= 0 ? l->day_tokens : out->day_tokens;
    out->month_tokens = l->month_tokens >= 0 ? l->month_tokens
                                             : out->month_tokens;
    out->day_micro = l->day_micro >= 0 ? l->day_micro : out->day_micro;
    out->month_micro = l->month_micro >= 0 ? l->month_micro : out->month_micro;
    out->turns_at_once = l->turns_at_once >= 0 ? l->turns_at_once
                                               : out->turns_at_once;
}

struct ledger_limits
allowance_of(const struct allowances *al, const char *owner)
{
    const char *slash = strchr(owner, '/');
    struct ledger_limits out = al->all;
    char realm[STORE_OWNER_MAX + 8];

    if (slash != NULL)
        (void)snprintf(realm, sizeof(realm), "%.*s/*", (int)(slash - owner),
                       owner);
    else
        (void)snprintf(realm, sizeof(realm), ALLOWANCE_ANONYMOUS "/*");
    if (slash != NULL || owner[0] == '\0')
        lay_over(&out, allowance_find(&al->users, realm));
    lay_over(&out, allowance_find(&al->users, owner));
    return out;
}

/* --- bills ---------------------------------------------------------------- */

static bool
is_budget(const struct ledger_limits *l)
{
    return l->day_tokens > 0 || l->month_tokens > 0 || l->day_micro > 0 ||
           l->month_micro > 0;
}

static void
charge(struct bill *b, enum ledger_kind kind, const char *name,
       const struct ledger_limits *l)
{
    if (l == NULL || (!is_budget(l) && l->turns_at_once <= 0))
        return;
    assert(b->what.n < LEDGER_CHARGES_MAX);
    b->charges[b->what.n++] = (struct ledger_charge){kind, name, *l};
}

static void
name_model(struct bill *b, const struct route_choice *route)
{
    (void)snprintf(b->model, sizeof(b->model), "%s/%s", route->provider->name,
                   route->model);
}

void
bill_init(struct bill *b, const struct allowances *al,
          const struct payer *payer, const char *owner,
          const struct route_choice *route)
{
    const char *who = payer_owner(payer, owner);
    struct ledger_limits limits;

    memset(b, 0, sizeof(*b));
    name_model(b, route);
    b->what.charges = b->charges;
    b->what.owner = who;
    b->what.model = b->model;
    if (al == NULL)
        return;
    limits = allowance_of(al, who);
    charge(b, LEDGER_OWNER, who, &limits);
    if (payer->key != NULL && payer->key[0] != '\0')
        charge(b, LEDGER_KEY, payer->key, &payer->key_limits);
    charge(b, LEDGER_MODEL, b->model, allowance_find(&al->models, b->model));
    if (is_anonymous(who))
        charge(b, LEDGER_GROUP, ALLOWANCE_ANONYMOUS, &al->anonymous);
}

void
bill_aside(struct bill *b)
{
    size_t n = 0;

    for (size_t i = 0; i < b->what.n; i++)
        if (is_budget(&b->charges[i].limits))
            b->charges[n++] = b->charges[i];
    b->what.n = n;
    b->what.aside = true;
}

static int64_t
price(const struct route_choice *route, int64_t input, int64_t output)
{
    struct usage u = {input, output, 0};
    int64_t micro = model_cost(model_find(route->provider->name, route->model),
                               &u);

    return micro > 0 ? micro : 0;
}

/* The longest answer that this model is asked for. */
static int64_t
answer_of(const struct allowances *al, const struct route_choice *route,
          int64_t max)
{
    const struct model *m = model_find(route->provider->name, route->model);
    int64_t n = max > 0 ? max : al->answer_tokens;

    return m != NULL && m->output_tokens > 0 && m->output_tokens < n
               ? m->output_tokens
               : n;
}

/* What it may think in addition. */
static int64_t
thoughts_of(const struct route_choice *route, const char *effort)
{
    return route->provider->thought_tokens == NULL
               ? 0
               : route->provider->thought_tokens(effort, route->model);
}

int64_t
bill_worst(struct bill *b, const struct allowances *al,
           const struct route_choice *routes, size_t n, int64_t input_tokens,
           int64_t max_tokens, const char *effort)
{
    struct ledger_reserve *r = &b->what;
    int64_t most = 0, most_output = 0;

    r->input_tokens = input_tokens;
    r->input_micro = r->micro = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t answer = answer_of(al, &routes[i], max_tokens);
        int64_t output = answer + thoughts_of(&routes[i], effort);
        int64_t input = price(&routes[i], input_tokens, 0);
        int64_t micro = price(&routes[i], input_tokens, output);

        if (answer > most)
            most = answer;
        if (output > most_output)
            most_output = output;
        if (input > r->input_micro)
            r->input_micro = input;
        if (micro > r->micro)
            r->micro = micro;
    }
    r->tokens = input_tokens;
    ledger_add(&r->tokens, most_output);
    for (size_t i = 0; i < r->n; i++)
        if (is_budget(&r->charges[i].limits))
            return most;
    return 0;
}

static int64_t
text_tokens(const char *s)
{
    return s == NULL ? 0 : tokens_estimate(s, strlen(s));
}

int64_t
bill_input(const struct turn_ask *a, const char *system_prompt)
{
    const struct ask *ask = &a->ask;
    int64_t sum = 0;

    for (size_t i = 0; i < ask->n_tools; i++)
        sum += TOKENS_PER_MESSAGE + text_tokens(ask->tools[i].name) +
               text_tokens(ask->tools[i].description) +
               text_tokens(ask->tools[i].schema);
    sum += text_tokens(ask->format);
    if (a->text == NULL) /* a relay's: as it is */
        return sum + TOKENS_PER_MESSAGE + text_tokens(ask->system) +
               prompt_tokens(ask->messages, ask->n_messages);
    sum += 2 * TOKENS_PER_MESSAGE +
           (a->instruction != NULL
                ? text_tokens(a->instruction)
                : text_tokens(system_prompt) + text_tokens(a->session_context) +
                      text_tokens(a->context)) +
           prompt_tokens(a->history, a->n_history) +
           prompt_tokens(a->after, a->n_after) + prompt_excerpt_tokens(a);
    if (a->unloaded > 0)
        sum += text_tokens(a->summary);
    return sum + prompt_tokens(&(struct ask_message){.role = ROLE_USER,
                                                     .text = a->text,
                                                     .len = a->text_len,
                                                     .pieces = a->pieces,
                                                     .n_pieces = a->n_pieces},
                               1);
}

void
bill_spent(struct bill *b, struct ledger_spent *out, const char *owner,
           const struct route_choice *route, const char *model,
           const struct usage *u, int64_t sent, int64_t said, bool whole)
{
    const char *provider = route->provider->name;
    const struct model *m = model_find(provider, model);
    int64_t estimate = (said + BYTES_PER_TOKEN - 1) / BYTES_PER_TOKEN;
    int64_t micro;

    if (m == NULL)
        m = model_find(provider, route->model);
    name_model(b, route);
    *out = (struct ledger_spent){
        .owner = owner,
        .model = b->model,
        .input_tokens = u->input_tokens >= 0 ? u->input_tokens : sent,
        .output_tokens = u->output_tokens >= 0 ? u->output_tokens : estimate,
        .cached_tokens = u->cached_tokens >= 0 ? u->cached_tokens : 0,
    };
    if (!whole && out->output_tokens < estimate)
        out->output_tokens = estimate;
    micro = model_cost(
        m, &(struct usage){out->input_tokens < 0 ? 0 : out->input_tokens,
                           out->output_tokens, out->cached_tokens});
    out->micro = micro > 0 ? micro : 0;
}

/* --- what is said --------------------------------------------------------- */

/* "2.50", to the micro-dollar. */
static void
dollars(char out[32], int64_t micro)
{
    int n = snprintf(out, 32, "%" PRId64 ".%06" PRId64, micro / MICRO,
                     micro % MICRO);

    while (n > 0 && out[n - 1] == '0' && out[n - 3] != '.')
        out[--n] = '\0';
}

void
bill_problem(const struct bill *b, const struct ledger_over *over,
             int64_t now_ms, struct problem *out)
{
    static const char *const whose[] = {[LEDGER_OWNER] = "Your",
                                        [LEDGER_KEY] = "This key's",
                                        [LEDGER_MODEL] = "This model's",
                                        [LEDGER_GROUP] = "Anonymous users'"};
    const char *who = whose[b->charges[over->charge].kind];
    bool day = over->limit == LEDGER_DAY_TOKENS ||
               over->limit == LEDGER_DAY_MICRO;
    bool money = over->limit == LEDGER_DAY_MICRO ||
                 over->limit == LEDGER_MONTH_MICRO;
    char max[32], left[32], need[32];

    if (over->limit == LEDGER_TURNS) {
        (void)problem_set(out, ERR_LIMIT, "too_many_turns",
                          "Too many answers at once",
                          "%s limit is %" PRId64 " at once: wait until one of "
                          "them ends.",
                          who, over->max);
        out->retry_after_s = 1;
        out->quota = (struct problem_quota){QUOTA_TURNS, over->max, 0, 0};
        return;
    }
    if (money) {
        dollars(max, over->max);
        dollars(left, over->left);
        dollars(need, b->what.micro);
    } else {
        (void)snprintf(max, sizeof(max), "%" PRId64, over->max);
        (void)snprintf(left, sizeof(left), "%" PRId64, over->left);
        (void)snprintf(need, sizeof(need), "%" PRId64, b->what.tokens);
    }
    (void)problem_set(out, ERR_LIMIT, "budget_exceeded",
                      "The budget is used up",
                      "%s budget of this %s is %s %s; %s are left, and this "
                      "may take %s.",
                      who, day ? "day" : "month", max,
                      money ? "US dollars" : "tokens", left, need);
    out->retry_after_s = (int)((over->anew_ms - now_ms + 999) / 1000);
    if (out->retry_after_s < 1)
        out->retry_after_s = 1;
    out->quota = (struct problem_quota){money ? QUOTA_MICRO : QUOTA_TOKENS,
                                        over->max, over->left, over->anew_ms};
}

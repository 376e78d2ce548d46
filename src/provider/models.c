/*
 * The table of models: looking up, counting money, printing.
 *
 * The table has a few hundred rows and is asked a few times a turn, so a pass
 * over all of it is fast enough and there is nothing to keep in order but the
 * order in which people wrote it.
 *
 * Until models_load was called the built-in rows are in force as they are.
 * Prices are kept as whole micro-dollars per million tokens, so that sums of
 * many small turns are exact; one cost is rounded once, at its end.
 */
#include "base/base.h"

#include "provider/models.h"

#include "base/mem.h"
#include "base/text.h"
#include "provider/models_table.h"
#include "provider/provider.h"

static const char *const providers[] = {
    "openai",  "anthropic", "gemini",  "huggingface",
    "bedrock", "ollama",    "offline",
};

/* AWS puts where a model runs before its name (cross-region inference). */
static const char *const geographies[] = {
    "us.", "eu.", "apac.", "global.", "us-gov.", "jp.", "au.", "ca.",
};

static struct model *table; /* owned; NULL: the built-in rows */
static size_t n_table;
static bool *named; /* owned; rows that the file has named, while reading */
static struct arena kept;

static const struct model *
rows(size_t *n)
{
    *n = table != NULL ? n_table : models_n_builtin;
    return table != NULL ? table : models_builtin;
}

/* --- filling ------------------------------------------------------------ */

const char *
models_provider(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(providers); i++)
        if (strcmp(providers[i], name) == 0)
            return providers[i];
    return NULL;
}

const char *
models_keep(const char *s)
{
    return arena_strdup(&kept, s);
}

struct model *
models_row(const char *provider, const char *id, bool *fresh)
{
    static const struct model_price unknown = {-1, -1, -1};
    struct model *m;
    size_t i;

    for (i = 0; i < n_table; i++)
        if (strcmp(table[i].provider, provider) == 0 &&
            strcmp(table[i].id, id) == 0)
            break;
    if (i == MODELS_MAX)
        return NULL;
    *fresh = !named[i];
    named[i] = true;
    m = &table[i];
    if (i < n_table)
        return m;
    n_table++;
    m->provider = provider;
    m->id = models_keep(id);
    m->context_tokens = m->output_tokens = -1;
    m->price = m->price_long = unknown;
    m->as_of = "";
    m->tools = m->temperature = m->system = true;
    return m;
}

static void
reset(void)
{
    free(table);
    arena_release(&kept);
    arena_init(&kept);
    assert(models_n_builtin <= MODELS_MAX);
    table = xcalloc(MODELS_MAX, sizeof(*table));
    memcpy(table, models_builtin, models_n_builtin * sizeof(*table));
    n_table = models_n_builtin;
}

size_t
models_parse(const char *s, size_t n, models_fault_fn *fault, void *arg)
{
    size_t faults;

    reset();
    named = xcalloc(MODELS_MAX, sizeof(*named));
    faults = models_file_parse(s, n, fault, arg);
    free(named);
    named = NULL;
    table = xrealloc(table, n_table * sizeof(*table));
    return faults;
}

size_t
models_load(const char *path, models_fault_fn *fault, void *arg)
{
    FILE *f = path != NULL ? fopen(path, "re") : NULL;
    size_t n, faults;
    char *text;

    if (f == NULL) {
        (void)models_parse("[]", 2, fault, arg);
        if (path == NULL)
            return 0;
        fault(arg, 0, "cannot be read");
        return 1;
    }
    text = xmalloc(MODELS_FILE_MAX + 1);
    n = fread(text, 1, MODELS_FILE_MAX + 1, f);
    if (ferror(f) || n > MODELS_FILE_MAX) {
        (void)models_parse("[]", 2, fault, arg);
        fault(arg, 0, ferror(f) ? "cannot be read" : "longer than 1 MiB");
        faults = 1;
    } else {
        faults = models_parse(text, n, fault, arg);
    }
    free(text);
    (void)fclose(f);
    return faults;
}

/* --- looking up --------------------------------------------------------- */

bool
model_is_prefix(const struct model *m)
{
    size_t n = strlen(m->id);

    return n > 0 && m->id[n - 1] == '*';
}

static const struct model *
find(const char *provider, const char *id)
{
    const struct model *best = NULL;
    size_t n, best_len = 0;
    const struct model *all = rows(&n);

    for (size_t i = 0; i < n; i++) {
        const struct model *m = &all[i];
        size_t len = strlen(m->id);

        if (strcmp(m->provider, provider) != 0)
            continue;
        if (strcmp(m->id, id) == 0)
            return m;
        if (len > best_len && model_is_prefix(m) &&
            strncmp(m->id, id, len - 1) == 0) {
            best = m;
            best_len = len;
        }
    }
    return best;
}

const struct model *
model_find(const char *provider, const char *id)
{
    const struct model *m = find(provider, id);

    if (m != NULL || strcmp(provider, "bedrock") != 0)
        return m;
    for (size_t i = 0; i < COUNT_OF(geographies); i++)
        if (text_starts(id, geographies[i]))
            return find(provider, id + strlen(geographies[i]));
    return NULL;
}

const struct model *
models_at(size_t i)
{
    size_t n;
    const struct model *all = rows(&n);

    return i < n ? &all[i] : NULL;
}

/* --- money -------------------------------------------------------------- */

int64_t
model_cost(const struct model *m, const struct usage *u)
{
    const struct model_price *p;
    int64_t cached;
    __int128 sum;

    if (m == NULL || u == NULL || u->input_tokens < 0 || u->output_tokens < 0)
        return -1;
    p = m->long_tokens > 0 && u->input_tokens > m->long_tokens ? &m->price_long
                                                               : &m->price;
    if (p->in < 0 || p->out < 0)
        return -1;
    cached = u->cached_tokens > 0 ? u->cached_tokens : 0;
    if (cached > u->input_tokens)
        cached = u->input_tokens;
    sum = (__int128)(u->input_tokens - cached) * p->in +
          (__int128)cached * (p->cached < 0 ? p->in : p->cached) +
          (__int128)u->output_tokens * p->out;
    sum = (sum + 500000) / 1000000;
    return sum > INT64_MAX ? -1 : (int64_t)sum;
}

/* --- printing ----------------------------------------------------------- */

/* 2500000 is "2.5". */
static void
print_usd(FILE *f, const char *name, int64_t microusd, const char **comma)
{
    char text[32];
    int n;

    if (microusd < 0)
        return;
    n = snprintf(text, sizeof(text), "%" PRId64 ".%06" PRId64,
                 microusd / 1000000, microusd % 1000000);
    while (text[n - 1] == '0')
        n--;
    if (text[n - 1] == '.')
        n--;
    (void)fprintf(f, "%s\"%s\": %.*s", *comma, name, n, text);
    *comma = ", ";
}

static void
print_price(FILE *f, const char *name, const struct model_price *p,
            int64_t over)
{
    const char *comma = "";

    if (p->in < 0 && p->out < 0 && p->cached < 0 && over == 0)
        return;
    (void)fprintf(f, ",\n   \"%s\": {", name);
    if (over > 0) {
        (void)fprintf(f, "\"over\": %" PRId64, over);
        comma = ", ";
    }
    print_usd(f, "in", p->in, &comma);
    print_usd(f, "cached", p->cached, &comma);
    print_usd(f, "out", p->out, &comma);
    (void)fputc('}', f);
}

static void
print_row(FILE *f, const struct model *m)
{
    (void)fprintf(f, "  {\"provider\": \"%s\", \"id\": \"%s\"", m->provider,
                  m->id);
    if (m->context_tokens >= 0)
        (void)fprintf(f, ",\n   \"context\": %" PRId64, m->context_tokens);
    if (m->output_tokens >= 0)
        (void)fprintf(f, "%s\"output\": %" PRId64,
                      m->context_tokens >= 0 ? ", " : ",\n   ",
                      m->output_tokens);
    print_price(f, "price", &m->price, 0);
    if (m->long_tokens > 0)
        print_price(f, "price_long", &m->price_long, m->long_tokens);
    if (*m->as_of != '\0')
        (void)fprintf(f, ", \"as_of\": \"%s\"", m->as_of);
    (void)fprintf(f,
                  ",\n   \"abilities\": {\"images\": %s, \"tools\": %s, "
                  "\"reasoning\": %s,\n    \"temperature\": %s, "
                  "\"system\": %s}}",
                  m->images ? "true" : "false", m->tools ? "true" : "false",
                  m->reasoning ? "true" : "false",
                  m->temperature ? "true" : "false",
                  m->system ? "true" : "false");
}

void
models_print(FILE *f)
{
    size_t n;
    const struct model *all = rows(&n);

    (void)fputs("[\n", f);
    for (size_t i = 0; i < n; i++) {
        print_row(f, &all[i]);
        (void)fputs(i + 1 < n ? ",\n" : "\n", f);
    }
    (void)fputs("]\n", f);
}

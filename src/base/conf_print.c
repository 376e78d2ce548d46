/*
 * The table of settings in print: .env.example, and the reference of the
 * README.
 */
#include "base/base.h"

#include "base/conf.h"

#include "base/conf_rows.h"

static void
print_bounds(FILE *f, const struct row *r)
{
    if (r->type == INT)
        (void)fprintf(f, "%" PRId64 " to %" PRId64 "%s%s", r->min, r->max,
                      *r->unit ? " " : "", r->unit);
}

void
conf_print_env(FILE *f)
{
    (void)fputs("# Settings of Parley. Copy to .env and change what you "
                "need.\n# The environment overrides this file. If it holds a "
                "key, only its owner may read it\n# (chmod 600 .env). For a "
                "key or another secret NAME, NAME_FILE can name a file\n# that "
                "holds it, which only its owner may read either.\n",
                f);
    for (size_t k = 0; k < CONF__MAX; k++) {
        const struct row *r = &conf_rows[k];

        (void)fprintf(f, "\n# %s", r->help);
        if (r->type == INT) {
            (void)fputs(" (", f);
            print_bounds(f, r);
            (void)fputc(')', f);
        }
        (void)fprintf(f, ".\n#%s=%s\n", r->name, r->def);
    }
}

void
conf_print_table(FILE *f)
{
    (void)fputs("| Setting | Default | Range | Meaning |\n"
                "|---|---|---|---|\n",
                f);
    for (size_t k = 0; k < CONF__MAX; k++) {
        const struct row *r = &conf_rows[k];

        (void)fprintf(f, "| `%s` | ", r->name);
        if (*r->def)
            (void)fprintf(f, "`%s`", r->def);
        (void)fputs(" | ", f);
        print_bounds(f, r);
        (void)fprintf(f, " | %s |\n", r->help);
    }
}

const char *
conf_name(enum conf_key k)
{
    assert((unsigned)k < CONF__MAX);
    return conf_rows[k].name;
}

/*
 * What is to be described, by whom, and what it costs: said before anybody is
 * asked. The model is asked straight from here, with the settings of the
 * server, so that no server has to run; budgets of users do not count, as it is
 * the operator who asks. The audit log names each image that was sent.
 *
 * What is described is written down at once, and not asked for again: a run
 * that was stopped is gone on with by running it again.
 */
#include "base/base.h"

#include "cli.h"

#include <unistd.h>

#include "base/conf.h"
#include "base/mem.h"
#include "base/text.h"
#include "chat/describe.h"
#include "chat/prompt_file.h"
#include "describe.h"
#include "provider/models.h"

/* --- the model ------------------------------------------------------------ */

static void
on_fault(void *arg, const struct catalog_fault *f)
{
    (void)arg;
    (void)fprintf(stderr, "parley: %s %s\n", f->name, f->rule);
}

int
describe_begin(struct describe *d)
{
    const char *wanted = conf_str(CONF_VISION_MODEL);
    const struct model *model;
    struct problem why;

    d->usage = (struct usage){0, 0, 0};
    IGNORE(catalog_check(on_fault, NULL));
    if (catalog_route(NULL, wanted, &d->route, &why) != OK)
        return cli_fail("%s. %s", why.error, why.message);
    model = model_find(d->route.provider->name, d->route.model);
    if (d->route.provider->answer != NULL)
        return cli_fail("no model is set up that sees images: set a provider's "
                        "key, and VISION_MODEL");
    if (model != NULL ? !model->images : wanted[0] == '\0')
        return cli_fail("%s/%s %s: set VISION_MODEL", d->route.provider->name,
                        d->route.model,
                        model != NULL ? "does not see images"
                                      : "may not see images");
    if (snprintf(d->by, sizeof(d->by), "%s/%s", d->route.provider->name,
                 d->route.model) >= (int)sizeof(d->by))
        return cli_fail("the model's name is too long");
    d->prompt = prompt_file_load(conf_root(), PROMPT_FILE_DESCRIBE);
    return CLI_OK;
}

void
describe_end(struct describe *d)
{
    for (size_t i = 0; i < d->n_faults; i++)
        free(d->fault[i]);
    free(d->fault);
    free(d->image);
    free(d->prompt);
}

/* --- the images ----------------------------------------------------------- */

bool
describe_wanted(const struct describe *d, const struct document *doc,
                bool *held)
{
    const struct facts *f = &doc->facts;

    *held = false;
    if (!doc->image || doc->skip != SKIP_NOT ||
        (f->description[0] != '\0' &&
         !(d->again && f->described_by[0] != '\0')))
        return false;
    *held = doc->label != LABEL_CLOUD_OK && !route_stays(&d->route);
    return !*held;
}

static bool
take_image(void *arg, const struct document *doc)
{
    struct describe *d = arg;
    bool held;

    if (!describe_wanted(d, doc, &held)) {
        d->held += held;
        return true;
    }
    if (d->n == d->cap) {
        d->cap = d->cap == 0 ? 256 : 2 * d->cap;
        d->image = xrealloc(d->image, d->cap * sizeof(*d->image));
    }
    d->image[d->n++] = doc->id;
    d->tokens += describe_tokens(d->prompt, doc->facts.width,
                                 doc->facts.height);
    return true;
}

enum err
describe_look(struct describe *d, int64_t collection)
{
    return files_list(d->files, NULL, collection, NULL, UINT32_MAX, take_image,
                      d);
}

/* --- what it takes, and took ---------------------------------------------- */

static void
print_cost(int64_t micro)
{
    if (micro < 0)
        (void)printf("the price is not known");
    else
        (void)printf("$%" PRId64 ".%04" PRId64, (micro + 99) / 1000000,
                     (micro + 99) / 100 % 10000);
}

static void
tell_plan(const struct describe *d)
{
    const struct model *model = model_find(d->route.provider->name,
                                           d->route.model);
    int64_t out = (int64_t)d->n * DESCRIBE_ANSWER_USUAL;
    const struct usage u = {d->tokens, out, -1};

    if (d->held > 0)
        (void)printf("%zu %s not be shown to %s, which is elsewhere: left "
                     "out\n",
                     d->held, d->held == 1 ? "image may" : "images may", d->by);
    if (d->n == 0)
        return;
    (void)printf("%zu %s to be described by %s: about %" PRId64
                 " tokens in and %" PRId64 " out, ",
                 d->n, d->n == 1 ? "image" : "images", d->by, d->tokens, out);
    print_cost(model_cost(model, &u));
    if (model != NULL && model->as_of[0] != '\0')
        (void)printf(" (prices of %s)", model->as_of);
    (void)printf("\n");
}

static bool
is_agreed(void)
{
    char line[16] = "";

    (void)fflush(stdout);
    (void)fprintf(stderr, "Describe them? [y/N] ");
    if (fgets(line, sizeof(line), stdin) == NULL)
        return false;
    line[strcspn(line, "\r\n")] = '\0';
    return text_ieq(line, "y") || text_ieq(line, "yes");
}

void
describe_fault(struct describe *d, const char *name, const char *why)
{
    struct buf line;

    if (d->n_faults == DESCRIBE_FAULTS_MAX) {
        d->more_faults++;
        return;
    }
    if (d->fault == NULL)
        d->fault = xcalloc(DESCRIBE_FAULTS_MAX, sizeof(*d->fault));
    buf_init(&line, FILES_NAME_MAX + 512);
    buf_addf(&line, "%s: %s", name, why);
    d->fault[d->n_faults++] = xstrdup(buf_cstr(&line));
    buf_release(&line);
}

static void
tell_end(const struct describe *d)
{
    (void)printf(
        "%zu of %zu described, %" PRId64 " tokens in and %" PRId64 " out, ",
        d->described, d->n, d->usage.input_tokens, d->usage.output_tokens);
    print_cost(d->cost_micro);
    (void)printf("\n");
    (void)fflush(stdout);
    if (d->n_faults > 0)
        (void)fprintf(stderr, "Not as wanted:\n");
    for (size_t i = 0; i < d->n_faults; i++)
        (void)fprintf(stderr, "  %s\n", d->fault[i]);
    if (d->more_faults > 0)
        (void)fprintf(stderr, "  and %zu more\n", d->more_faults);
}

int
describe_do(struct describe *d)
{
    enum err e;

    tell_plan(d);
    if (d->n == 0) {
        (void)printf("there is no%s image to be described\n",
                     d->held > 0 ? " other" : "");
        return CLI_OK;
    }
    if (!d->yes && !is_agreed())
        return cli_fail("nothing was sent; answer yes, or give --yes");
    e = describe_run(d);
    if (e == ERR_INTERNAL)
        return cli_fail("nothing was sent: the audit log cannot be written, or "
                        "the system has no descriptors left");
    tell_end(d);
    if (e == ERR_HUP)
        return cli_fail("stopped; run it again to go on");
    if (e != OK)
        return cli_fail("given up after %d failures in a row; run it again to "
                        "go on",
                        DESCRIBE_FAILURES);
    return d->n_faults > 0 ? CLI_FAILED : CLI_OK;
}

/*
 * Asking a model about images: a loop with a few questions at once, each tried
 * again as the server's are (chat/generator.h). An image is looked at once more
 * before it is sent: its label may be another by now, its file gone or changed,
 * somebody may have described it. What is said of it goes into the index at
 * once; that takes milliseconds, for which the other questions wait.
 *
 * Who wants to stop waits for the questions that are under way, as they are
 * paid for; asked a second time, it gives them up.
 */
#include "base/base.h"

#include "cli.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/digest.h"
#include "base/loop.h"
#include "base/mem.h"
#include "chat/circuit.h"
#include "chat/describe.h"
#include "chat/generator.h"
#include "chat/sight.h"
#include "describe.h"
#include "files/described.h"
#include "files/place.h"
#include "provider/models.h"
#include "upstream/transfer.h"

#define TICK_MS 100 /* between two looks at whether to stop */

struct run;

/* One question. */
struct slot {
    struct run *run;
    struct generator *generator; /* NULL: none is under way */
    struct describe_ask ask;
    struct document doc;
    struct collection collection;
    struct place place;
    struct described said;
    struct buf data; /* the image, base64 */
    struct buf text; /* the answer */
    struct usage usage;
};

struct run {
    struct describe *d;
    struct loop *loop;
    struct transfers *transfers;
    struct generator_config config;
    struct slot slot[DESCRIBE_AT_ONCE];
    size_t next, done, running;
    int failures; /* in a row */
    int told;     /* how many wishes to stop */
    struct loop_timer tick;
    struct cli_bar bar;
};

static bool slot_next(struct slot *s);

/* --- what came ------------------------------------------------------------ */

/* One event for each call, as the server notes its own. */
static void
note(const struct slot *s, const char *outcome)
{
    const struct route_choice *r = &s->run->d->route;

    audit_event(&(struct audit_fact){
        .what = AUDIT_PROVIDER_CALL,
        .with = {
            AUDIT_TEXT("for", "describe"),
            AUDIT_TEXT("provider", r->provider->name),
            AUDIT_TEXT("model", r->model),
            AUDIT_NUMBER("input_tokens", s->usage.input_tokens),
            AUDIT_NUMBER("output_tokens", s->usage.output_tokens),
            AUDIT_NUMBER(
                "cost_microusd",
                model_cost(model_find(r->provider->name, r->model), &s->usage)),
            AUDIT_LIST("files", route_stays(r) ? "" : s->doc.name),
            AUDIT_TEXT("outcome", outcome)}});
}

static void
count(const struct slot *s, bool whole)
{
    struct describe *d = s->run->d;
    const struct model *m = model_find(d->route.provider->name, d->route.model);
    int64_t micro = model_cost(m, &s->usage);

    if (!whole && s->usage.input_tokens < 0 && s->usage.output_tokens < 0)
        return; /* as far as is known it took nothing */
    if (s->usage.input_tokens > 0)
        d->usage.input_tokens += s->usage.input_tokens;
    if (s->usage.output_tokens > 0)
        d->usage.output_tokens += s->usage.output_tokens;
    if (micro < 0 || d->cost_micro < 0)
        d->cost_micro = -1;
    else
        d->cost_micro += micro;
}

static const char *
sidecar_why(enum err e)
{
    return e == ERR_CONFLICT ? "there is a file beside it already, which is "
                               "left as it is"
           : e == ERR_TOOBIG ? "its name is too long for a file beside it"
                             : "the file beside it cannot be written";
}

/* Uploads have none: what belongs to them is uploaded. */
static void
write_sidecar(struct slot *s)
{
    struct ingest in = {.files = s->run->d->files};
    char path[INGEST_PATH_BYTES];
    enum err e;

    if (!s->run->d->sidecar || s->collection.root[0] == '\0')
        return;
    in.root = open(s->place.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    e = in.root < 0 ? ERR_STORE
                    : sidecar_write(&in, s->place.path, &s->said, path);
    if (in.root >= 0)
        (void)close(in.root);
    if (e != OK)
        describe_fault(s->run->d, s->doc.name, sidecar_why(e));
}

/* The answer into the index. Does it say anything? */
static bool
keep(struct slot *s)
{
    struct describe *d = s->run->d;
    enum err e;

    if (!describe_read(s->text.data != NULL ? s->text.data : "", s->text.len,
                       &s->said)) {
        describe_fault(d, s->doc.name, "the model said nothing of use");
        return false;
    }
    (void)snprintf(s->said.model, sizeof(s->said.model), "%s", d->by);
    e = files_describe(d->files, s->doc.id, &s->said);
    if (e == OK) {
        d->described++;
        write_sidecar(s);
    } else if (e == ERR_CONFLICT || e == ERR_NOTFOUND) {
        describe_fault(d, s->doc.name, "it was changed meanwhile");
    } else {
        describe_fault(d, s->doc.name, "the index cannot be written");
    }
    return true;
}

/* --- asking --------------------------------------------------------------- */

static const struct ask *
on_prepare(void *arg, const struct route_choice *route, bool tight,
           struct problem *why)
{
    struct slot *s = arg;

    (void)route;
    if (!tight)
        return &s->ask.ask;
    (void)problem_set(why, ERR_TOOBIG, NULL, NULL, NULL);
    return NULL;
}

static void
on_part(void *arg, const struct part *p)
{
    struct slot *s = arg;
    size_t room = s->text.max - s->text.len;

    if (p->kind == PART_TEXT)
        buf_add(&s->text, p->text, p->len < room ? p->len : room);
    else if (p->kind == PART_USAGE)
        s->usage = p->usage;
}

static void
on_done(void *arg, enum finish finish, const struct problem *problem)
{
    struct slot *s = arg;
    struct run *r = s->run;
    bool whole = finish == FINISH_STOP || finish == FINISH_LENGTH;

    s->generator = NULL;
    r->running--;
    r->done++;
    note(s, problem->err != OK ? problem->code : finish_name(finish));
    count(s, whole);
    if (whole) {
        r->failures = keep(s) ? 0 : r->failures + 1;
    } else {
        char why[300];

        (void)snprintf(why, sizeof(why), "%s",
                       problem->err != OK ? problem->error
                                          : "the provider would not say");
        describe_fault(r->d, s->doc.name, why);
        r->failures++;
    }
    buf_release(&s->data);
    buf_release(&s->text);
    cli_bar_show(&r->bar, r->done, r->d->n, s->doc.name);
    if (!slot_next(s) && r->running == 0)
        loop_stop(r->loop);
}

static const struct generator_calls calls = {
    .prepare = on_prepare, .part = on_part, .done = on_done};

/* --- one image ------------------------------------------------------------ */

/* Its bytes, which must be those that are in the index. NULL: they are there;
 * else why not. */
static const char *
read_image(struct slot *s, const char **media_type)
{
    uint8_t hash[DIGEST_LEN];
    const char *why = NULL;
    enum err e = OK;
    int fd = place_open(&s->place);

    if (fd < 0)
        return "its file cannot be opened";
    if (digest_file(hash, fd) != OK || lseek(fd, 0, SEEK_SET) != 0)
        why = "its file cannot be read";
    else if (memcmp(hash, s->doc.hash, sizeof(hash)) != 0)
        why = "it has changed since it was indexed";
    else
        e = sight_read(fd, SIGHT_FILE_MAX, &s->data, media_type);
    (void)close(fd);
    if (why == NULL && e != OK)
        why = e == ERR_TOOBIG ? "its file is too large"
                              : "its file cannot be read as an image";
    (void)memcpy(s->said.hash, hash, sizeof(hash));
    return why;
}

/* Ask about one. False: it is not asked about. */
static bool
slot_ask(struct slot *s, int64_t document)
{
    struct run *r = s->run;
    struct describe *d = r->d;
    const char *media_type = "", *why;
    bool held;

    if (files_get(d->files, document, &s->doc) != OK ||
        files_collection_get(d->files, s->doc.collection, &s->collection) !=
            OK ||
        !describe_wanted(d, &s->doc, &held))
        return false; /* it is gone, or done, or held back by now */
    if (place_of(d->dir, &s->collection, s->doc.name, &s->place) != OK) {
        describe_fault(d, s->doc.name, "its name is too long");
        return false;
    }
    buf_init(&s->data, (size_t)SIGHT_FILE_MAX / 3 * 4 + 8);
    buf_init(&s->text, DESCRIBE_TEXT_MAX);
    why = read_image(s, &media_type);
    if (why != NULL) {
        describe_fault(d, s->doc.name, why);
        buf_release(&s->data);
        buf_release(&s->text);
        return false;
    }
    s->usage = (struct usage){-1, -1, -1};
    describe_ask(&s->ask, d->route.model, d->prompt, media_type, s->data.data,
                 s->data.len);
    r->running++;
    s->generator = generator_start(&r->config, &d->route, 1, &calls, s);
    return true;
}

/* The next one that can be asked about. False: there is none. */
static bool
slot_next(struct slot *s)
{
    struct run *r = s->run;

    while (r->next < r->d->n && r->d->interrupts() == 0 &&
           r->failures < DESCRIBE_FAILURES) {
        if (slot_ask(s, r->d->image[r->next++]))
            return true;
        r->done++;
    }
    return false;
}

/* --- all of them ---------------------------------------------------------- */

static void
on_tick(struct loop_timer *timer)
{
    struct run *r = timer->arg;
    int n = r->d->interrupts();

    if (n > 0 && r->told == 0) {
        cli_bar_end(&r->bar);
        (void)fprintf(stderr, "waiting for what was asked; Ctrl-C once more "
                              "gives it up\n");
    }
    r->told = n;
    if (n > 1) {
        loop_stop(r->loop);
        return;
    }
    loop_timer_set(r->loop, timer, loop_now_ms(r->loop) + TICK_MS);
}

static bool
audit_begin(void)
{
    struct audit_config c;

    return !audit_config_load(&c) || audit_start(&c) == OK;
}

static void
set_config(struct run *r)
{
    r->config = (struct generator_config){
        .loop = r->loop,
        .transfers = r->transfers,
        .limits = {.connect_ms = (int)conf_int(CONF_UPSTREAM_CONNECT_MS),
                   .first_byte_ms = (int)conf_int(CONF_UPSTREAM_FIRST_BYTE_MS),
                   .idle_ms = (int)conf_int(CONF_UPSTREAM_IDLE_MS),
                   .total_ms = (int)conf_int(CONF_UPSTREAM_TOTAL_MS)},
        .retries = (int)conf_int(CONF_UPSTREAM_RETRIES),
        .circuits = circuits_new(0), /* failures are counted here */
    };
    transfers_trust(r->transfers, conf_str(CONF_UPSTREAM_CA));
}

static void
ask_all(struct run *r)
{
    for (size_t i = 0; i < DESCRIBE_AT_ONCE; i++) {
        r->slot[i].run = r;
        IGNORE(slot_next(&r->slot[i])); /* running says it */
    }
    r->tick.fn = on_tick;
    r->tick.arg = r;
    loop_timer_set(r->loop, &r->tick, loop_now_ms(r->loop) + TICK_MS);
    if (r->running > 0)
        loop_run(r->loop);
    loop_timer_clear(r->loop, &r->tick);
    for (size_t i = 0; i < DESCRIBE_AT_ONCE; i++) {
        struct slot *s = &r->slot[i];

        if (s->generator == NULL)
            continue;
        generator_cancel(s->generator);
        note(s, "cancelled");
        buf_release(&s->data);
        buf_release(&s->text);
    }
}

enum err
describe_run(struct describe *d)
{
    struct run *r = xcalloc(1, sizeof(*r));
    enum err e = OK;

    r->d = d;
    r->loop = loop_new();
    if (r->loop == NULL || !audit_begin()) { /* the log says why */
        loop_free(r->loop);
        free(r);
        return ERR_INTERNAL;
    }
    r->transfers = transfers_new(r->loop);
    set_config(r);
    cli_bar_init(&r->bar, "describe");
    ask_all(r);
    cli_bar_end(&r->bar);
    if (d->interrupts() > 0 && (r->next < d->n || r->running > 0))
        e = ERR_HUP;
    else if (r->failures >= DESCRIBE_FAILURES)
        e = ERR_UPSTREAM;
    audit_stop();
    transfers_free(r->transfers);
    circuits_free(r->config.circuits);
    loop_free(r->loop);
    free(r);
    return e;
}

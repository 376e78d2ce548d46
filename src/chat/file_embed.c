/*
 * The work goes round in steps, one at a time, from the loop:
 *
 *   idle ──► loading ──► asking ─────► storing ──► loading …
 *   (timer)  (worker)    (embed.h)     (worker)
 *
 * and back to idle where nothing is pending, or something failed. All that is
 * remembered is in the index: a process that is killed has lost what it asked
 * for last, and the next one asks for that again.
 *
 * Who works holds a lock on a file, from its first look until it ends, so that
 * no chunk is paid for twice; also two processes whose settings name different
 * models would else drop each other's vectors for ever.
 *
 * A provider that fails is asked again after a pause that doubles. One that
 * refuses the key is not asked any more: to ask again would change nothing.
 */
#include "base/base.h"

#include "chat/file_embed_inside.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "chat/core.h"
#include "chat/query_vector.h"
#include "files/files.h"

#define START_MS 500  /* from the start to the first look */
#define LOOK_MS 5000  /* from one look to the next, where nothing is pending */
#define RETRY_MS 2000 /* after a failure */
#define RETRY_MAX_MS 600000

/* --- what is told --------------------------------------------------------- */

static void
set_state(struct file_embed *fe, enum file_embed_state s, const char *code)
{
    (void)pthread_mutex_lock(&fe->mu);
    fe->state = s;
    (void)snprintf(fe->code, sizeof(fe->code), "%s", code);
    (void)pthread_mutex_unlock(&fe->mu);
}

bool
file_embed_tell(const struct engine *en, struct file_embed_told *out)
{
    static const char *const names[FILE_EMBED__MAX] = {
        [FILE_EMBED_WORKING] = "working",
        [FILE_EMBED_DONE] = "done",
        [FILE_EMBED_WAITING] = "waiting",
        [FILE_EMBED_STOPPED] = "stopped",
        [FILE_EMBED_ELSEWHERE] = "elsewhere"};
    struct file_embed *fe = en->file_embed;

    if (fe == NULL || !fe->background)
        return false;
    out->model = fe->model.name;
    (void)pthread_mutex_lock(&fe->mu);
    out->state = names[fe->state];
    (void)memcpy(out->code, fe->code, sizeof(out->code));
    (void)pthread_mutex_unlock(&fe->mu);
    return true;
}

/* --- when it goes on ------------------------------------------------------ */

static void
work(struct file_embed *fe, enum file_embed_step step, job_fn *run,
     mail_fn *done)
{
    fe->step = step;
    fe->job = (struct job){.run = run, .arg = fe};
    fe->job.done.fn = done;
    fe->job.done.arg = fe;
    workers_run(fe->en->workers, &fe->job);
}

static void
on_timer(struct loop_timer *t)
{
    struct file_embed *fe = t->arg;

    fe->resting = false;
    if (fe->rows != NULL)
        file_embed_store(fe);
    else
        file_embed_load(fe);
}

static void
wait_for(struct file_embed *fe, int64_t ms)
{
    fe->step = IDLE;
    if (fe->stopping || fe->en->closed)
        return;
    fe->timer.fn = on_timer;
    fe->timer.arg = fe;
    loop_timer_set(fe->en->loop, &fe->timer, loop_now_ms(fe->en->loop) + ms);
}

void
file_embed_rest(struct file_embed *fe, const char *code, int64_t least_ms)
{
    int64_t ms = fe->retry_ms == 0 ? RETRY_MS : 2 * fe->retry_ms;

    fe->retry_ms = ms < RETRY_MAX_MS ? ms : RETRY_MAX_MS;
    ms = fe->retry_ms > least_ms ? fe->retry_ms : least_ms;
    fe->resting = true;
    log_warn("files.embed", "model=\"%s\" code=%s again_ms=%" PRId64,
             LOG_TEXT(fe->model.name), code, ms);
    set_state(fe, FILE_EMBED_WAITING, code);
    wait_for(fe, ms);
}

void
file_embed_give_up(struct file_embed *fe, const char *code)
{
    log_error("files.embed",
              "model=\"%s\" code=%s help=\"files are found by built-in vectors "
              "until this server is started again\"",
              LOG_TEXT(fe->model.name), code);
    set_state(fe, FILE_EMBED_STOPPED, code);
    fe->stopping = true;
    fe->step = IDLE;
    if (fe->lock_fd >= 0)
        (void)close(fe->lock_fd);
    fe->lock_fd = -1;
    fe->leads = false;
}

/* --- loading -------------------------------------------------------------- */

/* Is it this process that works? */
static bool
lead(struct file_embed *fe)
{
    char path[PATH_MAX];

    if (fe->leads)
        return true;
    if (fe->lock_fd < 0 &&
        snprintf(path, sizeof(path), "%s/" FILE_EMBED_LOCK,
                 files_dir(fe->en->files)) < (int)sizeof(path))
        fe->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    fe->leads = fe->lock_fd >= 0 && flock(fe->lock_fd, LOCK_EX | LOCK_NB) == 0;
    return fe->leads;
}

/* Worker. */
static void
load_run(void *arg)
{
    struct file_embed *fe = arg;
    struct files *f = fe->en->files;

    file_batch_clear(&fe->batch);
    fe->e = OK;
    if (!lead(fe))
        return;
    fe->e = files_pending(f, fe->model.name, fe->leaves, (unsigned)fe->size,
                          file_batch_take, &fe->batch);
    if (fe->e == OK && fe->batch.n == 0)
        fe->e = files_vectors_only(f, fe->model.name);
}

/* --- storing -------------------------------------------------------------- */

/* Worker. */
static void
store_run(void *arg)
{
    struct file_embed *fe = arg;

    fe->e = files_vectors(fe->en->files, fe->model.name, fe->batch.chunk,
                          fe->rows, fe->batch.n, fe->dims);
}

static void
on_stored(struct mail *m)
{
    struct file_embed *fe = m->arg;

    fe->step = IDLE;
    if (fe->e == ERR_BADREQ) { /* longer vectors than the index takes */
        file_embed_give_up(fe, "dimensions");
    } else if (fe->e != OK) { /* what was paid for is kept */
        file_embed_rest(fe, err_code(fe->e), 0);
        return;
    } else {
        fe->stored += fe->batch.n;
        fe->retry_ms = 0;
        fe->size = fe->size < FILE_EMBED_BATCH / 2 ? 2 * fe->size
                                                   : FILE_EMBED_BATCH;
    }
    fe->plain = false;
    file_embed_drop(fe);
    if (!fe->stopping)
        file_embed_load(fe);
}

void
file_embed_store(struct file_embed *fe)
{
    work(fe, STORING, store_run, on_stored);
}

/* --- looking -------------------------------------------------------------- */

static void
on_loaded(struct mail *m)
{
    struct file_embed *fe = m->arg;

    fe->step = IDLE;
    if (fe->stopping)
        return;
    if (!fe->leads) {
        set_state(fe, FILE_EMBED_ELSEWHERE, "");
        wait_for(fe, LOOK_MS);
    } else if (fe->e != OK) {
        file_embed_rest(fe, err_code(fe->e), 0);
    } else if (fe->batch.n > 0) {
        set_state(fe, FILE_EMBED_WORKING, "");
        file_embed_ask(fe);
    } else {
        if (fe->stored > 0)
            log_info("files.embedded", "model=\"%s\" chunks=%" PRIu64,
                     LOG_TEXT(fe->model.name), fe->stored);
        fe->stored = 0;
        fe->retry_ms = 0;
        set_state(fe, FILE_EMBED_DONE, "");
        wait_for(fe, fe->again ? 0 : LOOK_MS);
    }
}

void
file_embed_load(struct file_embed *fe)
{
    fe->again = false;
    loop_timer_clear(fe->en->loop, &fe->timer);
    if (engine_draining(fe->en))
        fe->step = IDLE;
    else
        work(fe, LOADING, load_run, on_loaded);
}

static void
on_kick(struct mail *m)
{
    struct file_embed *fe = m->arg;

    atomic_store(&fe->kicked, false);
    if (fe->step == IDLE && !fe->resting && !fe->stopping)
        file_embed_load(fe);
    else
        fe->again = true;
}

void
file_embed_wake(struct engine *en)
{
    struct file_embed *fe = en->file_embed;

    if (fe != NULL && fe->background && !atomic_exchange(&fe->kicked, true))
        loop_post(en->loop, &fe->kick);
}

/* --- life ----------------------------------------------------------------- */

static void
on_start(struct mail *m)
{
    struct file_embed *fe = m->arg;

    if (fe->step == IDLE && !fe->stopping)
        wait_for(fe, START_MS);
}

void
file_embed_begin(struct engine *en, bool background)
{
    struct vector_model model;
    struct route_choice route;
    struct file_embed *fe;

    if (en->files == NULL || !vector_model_wanted(&model))
        return;
    fe = xcalloc(1, sizeof(*fe));
    fe->en = en;
    fe->model = model;
    route = vector_model_route(&model);
    fe->leaves = !route_stays(&route);
    fe->background = background;
    fe->size = FILE_EMBED_BATCH;
    fe->lock_fd = -1;
    buf_init(&fe->batch.names, FILE_EMBED_BATCH * (FILES_NAME_MAX + 1));
    (void)pthread_mutex_init(&fe->mu, NULL);
    fe->queries = query_vectors_new(en, &fe->model);
    fe->kick.fn = on_kick;
    fe->start.fn = on_start;
    fe->kick.arg = fe->start.arg = fe;
    en->query_vectors = fe->queries;
    en->file_embed = fe;
    if (background)
        loop_post(en->loop, &fe->start);
}

bool
file_embed_busy(const struct file_embed *fe)
{
    return fe != NULL && fe->step != IDLE;
}

void
file_embed_stop(struct file_embed *fe)
{
    if (fe == NULL)
        return;
    fe->stopping = true;
    loop_timer_clear(fe->en->loop, &fe->timer);
    if (fe->attached)
        embed_cancel(&fe->em);
    query_vectors_stop(fe->queries);
}

void
file_embed_free(struct file_embed *fe)
{
    if (fe == NULL)
        return;
    loop_timer_clear(fe->en->loop, &fe->timer);
    query_vectors_free(fe->queries);
    file_batch_clear(&fe->batch);
    buf_release(&fe->batch.names);
    file_embed_drop(fe);
    if (fe->lock_fd >= 0)
        (void)close(fe->lock_fd);
    (void)pthread_mutex_destroy(&fe->mu);
    free(fe);
}

/*
 * /files: what there is for answers to draw on, and why what is not there is
 * not.
 */
#include "base/base.h"

#include "chat/command.h"

#include "chat/retrieve.h"

#define SHOWN 50

struct listing {
    struct command_run *run;
    size_t n;
};

static bool
put_file(void *arg, const struct document *d)
{
    struct listing *l = arg;
    struct json_out *j = &l->run->j;

    json_begin_obj(j);
    json_put_str(j, "name", d->name);
    json_put_str(j, "title", d->facts.title);
    json_put_i64(j, "size", d->size);
    json_put_str(j, "label", label_name(d->label));
    if (d->skip != SKIP_NOT)
        json_put_str(j, "reason", skip_name(d->skip));
    json_end_obj(j);
    buf_addf(&l->run->text, "\n- %s", d->name);
    if (d->skip != SKIP_NOT)
        buf_addf(&l->run->text, " (not searched: %s)", skip_text(d->skip));
    l->n++;
    return true;
}

static bool
count(void *arg, const struct collection *c)
{
    int64_t *n = arg;

    *n += c->documents + c->skipped;
    return true;
}

enum command_step
command_files(struct command_run *run)
{
    struct files *files = retrieve_files(run->en);
    const char *viewer = retrieve_viewer(run->ask);
    struct json_out *j = command_ok(run);
    struct listing l = {.run = run};
    int64_t all = 0;
    enum err e = OK;

    json_name(j, "files");
    json_begin_arr(j);
    if (files != NULL)
        e = files_list(files, viewer, 0, NULL, SHOWN, put_file, &l);
    json_end_arr(j);
    if (files != NULL && e == OK)
        e = files_collections(files, viewer, count, &all);
    if (e != OK)
        return command_err(run, e);
    json_put_i64(j, "total", all);
    if (l.n == 0)
        buf_adds(&run->text, "There are no files that answers could draw on.");
    else if (all > (int64_t)l.n)
        buf_addf(&run->text, "\n\nand %" PRId64 " more.", all - (int64_t)l.n);
    return COMMAND_DONE;
}

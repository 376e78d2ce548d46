/*
 * /export: this session as a file, by its address, and its text where that is
 * short. Who knows the formats is above (command_exporter).
 */
#include "base/base.h"

#include "chat/command.h"

#include "base/text.h"
#include "chat/core.h"

void
command_exporter(struct engine *en, command_export_fn *fn)
{
    en->exporter = fn;
}

static enum command_step
no_such_format(struct command_run *run)
{
    return command_wrong(run, "invalid_argument", "Invalid format",
                         "format is md, json or jsonl.");
}

static void
tell(struct command_run *run, const struct command_file *file, bool whole)
{
    const char *id = run->ask->session_id;
    struct json_out *j = command_ok(run);
    char url[IDENT_SESSION_MAX + 64];

    (void)snprintf(url, sizeof(url), "sessions/%s/export?format=%s", id,
                   file->format);
    json_put_str(j, "format", file->format);
    json_put_str(j, "filename", file->name);
    json_put_str(j, "url", url);
    if (whole)
        json_put_strn(j, "content", buf_cstr(file->text), file->text->len);
    buf_addf(&run->text, "This conversation as a file: [%s](%s)", file->name,
             url);
}

enum command_step
command_export(struct command_run *run)
{
    const char *format = command_arg(run, 0);
    struct command_file file = {.format = format};
    struct buf text;
    enum err e;

    if (format == NULL || text_blank(format, strlen(format)))
        file.format = "md";
    buf_init(&text, COMMAND_EXPORT_MAX);
    file.text = &text;
    e = run->en->exporter == NULL
            ? ERR_IMPOSSIBLE
            : run->en->exporter(run->en->store, run->ask->owner,
                                run->ask->session_id, &file);
    if (e == OK || e == ERR_TOOBIG)
        tell(run, &file, e == OK);
    else if (e == ERR_BADREQ)
        (void)no_such_format(run);
    else if (e == ERR_NOTFOUND)
        (void)command_wrong(run, "nothing_to_export",
                            "There is nothing to export yet",
                            "Say something first.");
    else
        (void)command_err(run, e);
    buf_release(&text);
    return COMMAND_DONE;
}

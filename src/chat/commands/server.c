/*
 * Commands about the server: what it can be told, and what it offers besides
 * answers. Files and tools are told as they are there, and where there are none
 * that is said.
 */
#include "base/base.h"

#include "chat/command.h"

enum command_step
command_help(struct command_run *run)
{
    struct json_out *j = command_ok(run);
    size_t n;
    const struct command *all = command_table(&n);

    buf_adds(&run->text, "**Commands**\n\n");
    json_name(j, "commands");
    json_begin_arr(j);
    for (size_t i = 0; i < n; i++) {
        const char *space = all[i].usage[0] != '\0' ? " " : "";

        json_begin_obj(j);
        json_put_str(j, "name", all[i].name);
        json_put_str(j, "usage", all[i].usage);
        json_put_str(j, "help", all[i].help);
        json_end_obj(j);
        buf_addf(&run->text, "- `/%s%s%s` – %s\n", all[i].name, space,
                 all[i].usage, all[i].help);
    }
    json_end_arr(j);
    buf_adds(&run->text, "\nA text that begins with a slash is written with "
                         "two: `//text`.");
    return COMMAND_DONE;
}

static enum command_step
none(struct command_run *run, const char *name, const char *sentence)
{
    struct json_out *j = command_ok(run);

    json_name(j, name);
    json_begin_arr(j);
    json_end_arr(j);
    buf_adds(&run->text, sentence);
    return COMMAND_DONE;
}

enum command_step
command_tools(struct command_run *run)
{
    return none(run, "tools", "There are no tools that models could call.");
}

/*
 * The table of commands, and reading a line by it.
 */
#include "base/base.h"

#include "chat/command.h"

#include "chat/temporary.h"

static const struct command table[] = {
    {"help",
     {NULL},
     "",
     "List the commands.",
     COMMAND_LOOKS,
     command_help,
     NULL},
    {"clear",
     {NULL},
     "",
     "Take all messages of this session away; its context stays.",
     COMMAND_CHANGES,
     command_clear,
     NULL},
    {"forget",
     {NULL},
     "",
     "Delete this session with all that belongs to it.",
     COMMAND_CHANGES,
     command_forget,
     NULL},
    {"summarize",
     {"text", NULL},
     "[text=\"…\"]",
     "Summarize the conversation, or a text.",
     COMMAND_ASKS,
     command_summarize,
     command_summarized},
    {"analyze",
     {"text", NULL},
     "text=\"…\"",
     "Tell a text's sentiment, key points and names.",
     COMMAND_ASKS,
     command_analyze,
     command_analyzed},
    {"translate",
     {"text", "target_language", NULL},
     "text=\"…\" target_language=\"…\"",
     "Translate a text.",
     COMMAND_ASKS,
     command_translate,
     command_translated},
    {"setcontext",
     {"text", NULL},
     "text=\"…\"",
     "Set what the model is to know and to heed throughout this session.",
     COMMAND_CHANGES,
     command_setcontext,
     NULL},
    {"getcontext",
     {NULL},
     "",
     "Show that context.",
     COMMAND_LOOKS,
     command_getcontext,
     NULL},
    {"clearcontext",
     {NULL},
     "",
     "Take that context away.",
     COMMAND_CHANGES,
     command_clearcontext,
     NULL},
    {"history",
     {"limit", NULL},
     "[limit=20]",
     "Show the last messages.",
     COMMAND_LOOKS,
     command_history,
     NULL},
    {"title",
     {"text", NULL},
     "[text=\"…\"]",
     "Show or set the title.",
     COMMAND_CHANGES,
     command_title,
     NULL},
    {"model",
     {"text", NULL},
     "[name]",
     "Show or set the model of this session; \"default\" takes it back.",
     COMMAND_CHANGES,
     command_model,
     NULL},
    {"usage",
     {NULL},
     "",
     "Show the tokens and the cost of this session.",
     COMMAND_LOOKS,
     command_usage,
     NULL},
    {"search",
     {"text", NULL},
     "text=\"…\"",
     "Find messages by their words.",
     COMMAND_LOOKS,
     command_search,
     NULL},
    {"export",
     {"format", NULL},
     "[format=md|json|jsonl]",
     "Give this session as a file.",
     COMMAND_LOOKS,
     command_export,
     NULL},
    {"files",
     {NULL},
     "",
     "List the files that answers can draw on.",
     COMMAND_LOOKS,
     command_files,
     NULL},
    {"tools",
     {NULL},
     "",
     "List the tools that models can call.",
     COMMAND_LOOKS,
     command_tools,
     NULL},
};

const struct command *
command_table(size_t *n)
{
    *n = COUNT_OF(table);
    return table;
}

const struct command *
command_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(table); i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

static size_t
count_params(const struct command *c)
{
    size_t n = 0;

    while (c->params[n] != NULL)
        n++;
    return n;
}

void
command_read(struct turn_ask *a)
{
    char name[COMMAND_NAME_MAX + 1] = "";
    size_t skip = command_escape(a->text, a->text_len), rest;
    struct command_line *line;

    a->text += skip;
    a->text_len -= skip;
    if (skip > 0 || !command_is(a->text, a->text_len))
        return;
    line = arena_alloc(&a->arena, sizeof(*line));
    a->command = line;
    line->name = "";
    if (command_name(a->text, a->text_len, name, &rest, &line->why) != OK)
        return;
    line->name = arena_strdup(&a->arena, name);
    line->command = command_find(name);
    if (line->command == NULL)
        command_unknown(name, &line->why);
    else
        IGNORE(command_args(&a->arena, a->text + rest, a->text_len - rest,
                            line->command->params, count_params(line->command),
                            &line->args, &line->why));
}

/* --- results ------------------------------------------------------------- */

const char *
command_arg(const struct command_run *run, size_t i)
{
    return run->line->args.value[i];
}

static struct json_out *
begin(struct command_run *run, const char *status)
{
    buf_clear(&run->json);
    buf_clear(&run->text);
    json_out_init(&run->j, &run->json);
    json_begin_obj(&run->j);
    json_put_str(&run->j, "status", status);
    return &run->j;
}

struct json_out *
command_ok(struct command_run *run)
{
    run->failed = false;
    return begin(run, "success");
}

void
command_fail(struct command_run *run, const struct problem *p)
{
    struct json_out *j = begin(run, "error");

    run->failed = true;
    json_put_str(j, "code", p->code);
    json_put_str(j, "error", p->error);
    json_put_str(j, "message", p->message);
    buf_addf(&run->text, "%s. %s", p->error, p->message);
}

enum command_step
command_wrong(struct command_run *run, const char *code, const char *error,
              const char *message)
{
    struct problem p = {.err = OK};

    (void)problem_set(&p, ERR_BADREQ, code, error, "%s", message);
    command_fail(run, &p);
    return COMMAND_DONE;
}

enum command_step
command_missing(struct command_run *run, const char *name)
{
    char error[64], message[96];

    (void)snprintf(error, sizeof(error), "Missing required parameter: %s",
                   name);
    (void)snprintf(message, sizeof(message), "Write /%s %s.",
                   run->line->command->name, run->line->command->usage);
    return command_wrong(run, "missing_argument", error, message);
}

enum command_step
command_err(struct command_run *run, enum err e)
{
    struct problem p = {.err = OK};

    temporary_problem_if(run->ask->temporary, &p, e);
    command_fail(run, &p);
    return COMMAND_DONE;
}

/*
 * Commands: messages that begin with a slash ("/help"). A table says what
 * they are called, what they take, what they do and what they may touch;
 * /help prints it. A command is a turn that is told as any other, by the
 * same events and to any number of readers, but it is no message of the
 * conversation: nothing of it is stored as one. Some answer by themselves,
 * some ask the model.
 */
#ifndef CHAT_COMMAND_H
#define CHAT_COMMAND_H

#include "base/buf.h"
#include "base/json.h"
#include "chat/command_parse.h"
#include "chat/prompt.h"

#define COMMAND_RESULT_MAX (16 * 1024 * 1024) /* bytes of the result's JSON */
#define COMMAND_EXPORT_MAX (128 * 1024) /* bytes of a file that it holds */

struct engine; /* chat/core.h */
struct command_run;

/* What a command touches, for whoever may not do everything. */
enum command_reach {
    COMMAND_LOOKS,   /* at the session */
    COMMAND_CHANGES, /* the session */
    COMMAND_ASKS     /* a model */
};

enum command_step { COMMAND_DONE, COMMAND_ASK };

struct command {
    const char *name;
    const char *params[COMMAND_ARGS_MAX + 1]; /* names; NULL ends them */
    const char *usage;                        /* arguments, as /help has them */
    const char *help;                         /* a sentence */
    enum command_reach reach;
    /* Worker. Answers (command_ok, command_fail), or prepares run->ask, says
     * COMMAND_ASK, and is called again as answered. */
    enum command_step (*run)(struct command_run *run);
    /* Loop. What the model said, of an answer that ended as it should. NULL:
     * it asks no model. */
    void (*answered)(struct command_run *run, const char *text, size_t n);
};

/* The table, and one of it; NULL: there is no such command. */
const struct command *command_table(size_t *n);
const struct command *command_find(const char *name);

/* A command as it was asked for; in the arena of its ask. */
struct command_line {
    const struct command *command; /* NULL: not known; why says so */
    const char *name;              /* as it was written, in small letters */
    struct command_args args;
    struct problem why; /* err OK: it can be run */
};

/* Look at the text of an ask: a command fills a->command; a text that begins
 * with two slashes loses one. Any thread; pure. */
void command_read(struct turn_ask *a);

/* One that is carried out. Set up by chat/turn_command.c. */
struct command_run {
    struct engine *en;
    struct ident turn;    /* it is carried out as */
    struct turn_ask *ask; /* whose; what is to be asked */
    const struct command_line *line;
    bool failed;
    struct json_out j; /* the result's object, open; after command_ok */
    struct buf json;   /* its text */
    struct buf text;   /* for people: Markdown */
};

/* The value of a parameter by its place in params; NULL: not given. */
const char *command_arg(const struct command_run *run, size_t i);
/* Begin the result of one that went well: members go to run->j. */
struct json_out *command_ok(struct command_run *run);
/* It did not: takes what was said back. */
void command_fail(struct command_run *run, const struct problem *p);
/* The same with the words of a problem; returns COMMAND_DONE. */
enum command_step command_wrong(struct command_run *run, const char *code,
                                const char *error, const char *message);
/* A parameter that it needs was not given; returns COMMAND_DONE. */
enum command_step command_missing(struct command_run *run, const char *name);
/* The store said e (not OK): the usual words; returns COMMAND_DONE. */
enum command_step command_err(struct command_run *run, enum err e);

/* A session as a file, for /export. */
struct command_file {
    const char *format; /* as it was asked for; then "md", "json" or "jsonl" */
    char name[IDENT_SESSION_MAX + 24]; /* out */
    struct buf *text;                  /* out: behind what is in it */
};
/* Makes one. ERR_BADREQ: no such format; ERR_NOTFOUND: no such session;
 * ERR_TOOBIG: text does not hold it, but all else is said. Worker. */
typedef enum err command_export_fn(struct store *s, const char *owner,
                                   const char *session_id,
                                   struct command_file *file);
/* Who makes them: the formats are above the engine. Before engine_run. */
void command_exporter(struct engine *en, command_export_fn *fn);

/* commands/NAME.c: the rows' functions. */
enum command_step command_help(struct command_run *run);
enum command_step command_clear(struct command_run *run);
enum command_step command_forget(struct command_run *run);
enum command_step command_setcontext(struct command_run *run);
enum command_step command_getcontext(struct command_run *run);
enum command_step command_clearcontext(struct command_run *run);
enum command_step command_history(struct command_run *run);
enum command_step command_title(struct command_run *run);
enum command_step command_model(struct command_run *run);
enum command_step command_usage(struct command_run *run);
enum command_step command_search(struct command_run *run);
enum command_step command_export(struct command_run *run);
enum command_step command_files(struct command_run *run);
enum command_step command_tools(struct command_run *run);
enum command_step command_summarize(struct command_run *run);
enum command_step command_analyze(struct command_run *run);
enum command_step command_translate(struct command_run *run);
void command_summarized(struct command_run *run, const char *text, size_t n);
void command_analyzed(struct command_run *run, const char *text, size_t n);
void command_translated(struct command_run *run, const char *text, size_t n);

#endif

/*
 * The grammar of commands: "/name", then arguments.
 *
 *   line   = "/" name *( space argument )
 *   name   = letters, digits, "_" and "-", in any case
 *   argument = key "=" word / key "=" quoted / text
 *   quoted = '"' … '"' or "'" … "'" or “…”; within, \" \' \\ \n \t and no
 *            other escape: a backslash before anything else is itself
 *
 * A key is one of the command's parameters; "key=" of any other name is
 * text, unless a quoted value follows: then it is an unknown argument. All
 * else is text, and becomes the parameter "text" (the first one where there
 * is none of this name) as it was typed, but for the space around it. Within
 * text only other parameters are looked for ("/translate Good morning
 * target_language=French"), so it may hold "text=". Text that is one quoted
 * string and nothing else loses its quotes. Pure.
 */
#ifndef CHAT_COMMAND_PARSE_H
#define CHAT_COMMAND_PARSE_H

#include "base/base.h"

struct arena;

#define COMMAND_NAME_MAX 32 /* bytes */
#define COMMAND_ARGS_MAX 4  /* parameters of one command */
#define COMMAND_TEXT "text"

/* Is this line a command, and not a text that begins with "//"? */
bool command_is(const char *s, size_t n);
/* A line that begins with "//" means a text that begins with "/": how many
 * bytes to leave out, 1 or 0. */
size_t command_escape(const char *s, size_t n);
/* The name of a line that command_is, in small letters; ERR_BADREQ
 * "unknown_command" when what stands there is none or too long. *rest is where
 * the arguments begin. */
MUST_USE enum err command_name(const char *s, size_t n,
                               char name[COMMAND_NAME_MAX + 1], size_t *rest,
                               struct problem *why);

/* Say that there is no command of this name. */
void command_unknown(const char *name, struct problem *why);

struct command_args {
    const char *value[COMMAND_ARGS_MAX]; /* NULL: not given; in the arena */
    size_t len[COMMAND_ARGS_MAX];        /* bytes; a NUL follows */
};
/* Read the arguments of a command with these parameters (n_params at most
 * COMMAND_ARGS_MAX). ERR_BADREQ: a quote that is not closed ("missing_quote"),
 * an argument that is not a parameter or is given twice, or text for a command
 * that takes none ("invalid_argument"). */
MUST_USE enum err command_args(struct arena *arena, const char *s, size_t n,
                               const char *const *params, size_t n_params,
                               struct command_args *out, struct problem *why);

#endif

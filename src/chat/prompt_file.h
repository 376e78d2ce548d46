/*
 * Instructions that an operator may change: etc/prompts/NAME.txt below the
 * project folder. What is not there, or is of no use, is built in.
 */
#ifndef CHAT_PROMPT_FILE_H
#define CHAT_PROMPT_FILE_H

#include "base/base.h"

#define PROMPT_FILE_MAX (16 * 1024) /* bytes */

struct arena;

enum prompt_file {
    PROMPT_FILE_SUMMARY,   /* of what a long conversation leaves out */
    PROMPT_FILE_SUMMARIZE, /* /summarize */
    PROMPT_FILE_ANALYZE,   /* /analyze */
    PROMPT_FILE_TRANSLATE, /* /translate */
    PROMPT_FILE_TITLE,     /* of a session */
    PROMPT_FILE_DESCRIBE,  /* of an image */
    PROMPT_FILE__MAX
};

const char *prompt_file_name(enum prompt_file which); /* "summary" */
const char *prompt_file_built_in(enum prompt_file which);
/* The file's text, or (with a log line if it is empty, too long or not UTF-8)
 * the built-in one. Owned by the caller. Blocks on the disk; any thread. */
char *prompt_file_load(const char *root, enum prompt_file which);
/* prompt with every word ("{x}") replaced by value; in the arena. */
const char *prompt_file_fill(struct arena *a, const char *prompt,
                             const char *word, const char *value);

#endif

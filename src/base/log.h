/*
 * One fact, one line, key=value, to stderr in one write. Never a prompt, an
 * answer, a key or a token. What comes from outside and may hold anything
 * stands in quotes, and goes through LOG_TEXT; else it could pass for further
 * pairs. Control characters (C1, too), line separators and marks of direction
 * become spaces in any case, ill-formed UTF-8 question marks: a line cannot be
 * forged, and moves no terminal.
 *   log_warn("upstream.failed", "reason=\"%s\"", LOG_TEXT(reason));
 * Any thread; a line longer than LOG_LINE_MAX is cut.
 *   2026-01-02T03:04:05.678Z info turn.done id=… ms=12
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/base.h"

#define LOG_LINE_MAX 1024 /* bytes */

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_set_level(enum log_level min);
/* "debug", "info", "warn", "error"; false: no such level. */
MUST_USE bool log_level_parse(const char *s, enum log_level *out);
/* The request id added to this thread's lines; NULL for none. Borrowed. */
void log_set_request(const char *id);
void log_line(enum log_level level, const char *event, const char *fmt, ...)
    PRINTF(3, 4);
bool log_enabled(enum log_level level);

#define LOG_TEXT_MAX 256 /* bytes of a value, with its NUL; the rest is cut */

/* s as it may stand between quotes: with a backslash before each quote and
 * backslash. NULL is "". Returns out. */
const char *log_text(char out[LOG_TEXT_MAX], const char *s);
/* The same in memory that lasts as long as the block around it. */
#define LOG_TEXT(s) log_text((char[LOG_TEXT_MAX]){0}, (s))

#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)

#endif

/*
 * The log: lines to stderr, which the web server or the service manager keeps.
 * A line is built on the stack and written with one write(2), so lines of
 * different threads and processes do not mix.
 */
#include "base/base.h"

#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

static const char *const names[] = {"debug", "info", "warn", "error"};
static atomic_int min_level = LOG_INFO;
static __thread const char *request_id;

void
log_set_level(enum log_level min)
{
    atomic_store(&min_level, (int)min);
}

bool
log_level_parse(const char *s, enum log_level *out)
{
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (text_ieq(s, names[i])) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

void
log_set_request(const char *id)
{
    request_id = id;
}

bool
log_enabled(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&min_level, memory_order_relaxed);
}

/* What snprintf really wrote into room bytes. */
static size_t
wrote(int k, size_t room)
{
    if (k < 0 || room == 0)
        return 0;
    return (size_t)k < room ? (size_t)k : room - 1;
}

/* One line stays one line, whatever the values hold, and ends with a whole
 * character. */
static size_t
finish(char *line, size_t n, bool cut)
{
    if (cut)
        n = utf8_whole(line, n);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7F)
            line[i] = ' ';
    line[n] = '\n';
    return n + 1;
}

void
log_line(enum log_level level, const char *event, const char *fmt, ...)
{
    char line[LOG_LINE_MAX];
    const size_t max = sizeof(line); /* the newline takes the NUL's place */
    char iso[CLOCK_ISO_LEN];
    int saved = errno;
    size_t n;
    va_list ap;

    if (!log_enabled(level))
        return;
    clock_iso(iso, clock_wall_ms());
    n = wrote(snprintf(line, max, "%s %s %s%s%s", iso, names[level], event,
                       request_id != NULL ? " rid=" : "",
                       request_id != NULL ? request_id : ""),
              max);
    if (fmt != NULL && n + 1 < max) {
        line[n++] = ' ';
        va_start(ap, fmt);
        errno = saved; /* for %m */
        n += wrote(vsnprintf(line + n, max - n, fmt, ap), max - n);
        va_end(ap);
    }
    n = finish(line, n, n + 1 >= max);
    IGNORE(write(STDERR_FILENO, line, n) < 0);
    errno = saved;
}

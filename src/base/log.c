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
        if (strcmp(s, names[i]) == 0) {
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
    return (int)level >= atomic_load_explicit(&min_level,
                                              memory_order_relaxed);
}

void
log_line(enum log_level level, const char *event, const char *fmt, ...)
{
    char line[LOG_LINE_MAX];
    char iso[CLOCK_ISO_LEN];
    size_t n;
    int k;
    va_list ap;

    if (!log_enabled(level))
        return;
    clock_iso(iso, clock_wall_ms());
    k = snprintf(line, sizeof(line) - 1, "%s %s %s%s%s ", iso, names[level],
                 event, request_id != NULL ? " rid=" : "",
                 request_id != NULL ? request_id : "");
    n = k < 0 ? 0 : (size_t)k;
    if (n < sizeof(line) - 1) {
        va_start(ap, fmt);
        k = vsnprintf(line + n, sizeof(line) - 1 - n, fmt, ap);
        va_end(ap);
        n += k < 0 ? 0 : (size_t)k;
    }
    if (n > sizeof(line) - 2)
        n = sizeof(line) - 2;
    /* One line stays one line, whatever the values hold. */
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)line[i] < ' ')
            line[i] = ' ';
    line[n++] = '\n';
    IGNORE(write(STDERR_FILENO, line, n) < 0);
}

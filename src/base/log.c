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

/* A character of two or three bytes that a terminal or a reader of lines
 * obeys: C1 controls, line and paragraph separators, marks of direction. */
static bool
commands(const char *s, int len)
{
    const unsigned char *u = (const unsigned char *)s;

    if (len == 2)
        return u[0] == 0xC2 && u[1] < 0xA0;
    if (len != 3 || u[0] != 0xE2)
        return false;
    return (u[1] == 0x80 && ((u[2] >= 0x8E && u[2] <= 0x8F) ||
                             (u[2] >= 0xA8 && u[2] <= 0xAE))) ||
           (u[1] == 0x81 && u[2] >= 0xA6 && u[2] <= 0xA9);
}

/* One line stays one line, and moves no terminal, whatever the values hold;
 * it is UTF-8 and ends with a whole character. */
static size_t
finish(char *line, size_t n, bool cut)
{
    size_t i = 0, to = 0;

    if (cut)
        n = utf8_whole(line, n);
    while (i < n) {
        int len = utf8_seq(line + i, n - i);

        if (len <= 0 || commands(line + i, len)) {
            line[to++] = len > 0 ? ' ' : '?';
            i += len > 0 ? (size_t)len : len < 0 ? (size_t)-len : n - i;
        } else if (len == 1) {
            unsigned char c = (unsigned char)line[i++];

            line[to++] = c < ' ' || c == 0x7F ? ' ' : (char)c;
        } else {
            (void)memmove(line + to, line + i, (size_t)len);
            to += (size_t)len;
            i += (size_t)len;
        }
    }
    line[to] = '\n';
    return to + 1;
}

const char *
log_text(char out[LOG_TEXT_MAX], const char *s)
{
    size_t to = 0;

    for (; s != NULL && *s != '\0' && to + 3 < LOG_TEXT_MAX; s++) {
        if (*s == '"' || *s == '\\')
            out[to++] = '\\';
        out[to++] = *s;
    }
    if (s != NULL && *s != '\0')
        to = utf8_whole(out, to);
    out[to] = '\0';
    return out;
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

/*
 * The reader of .env files: lines, quotes, comments, no expansion.
 *
 * The dialect is what the common readers of such files agree on. A line that
 * is not understood is reported with its number and left out; the reader
 * goes on with the next one, so that all mistakes are seen at once. The
 * content of a line is never shown: it may be a secret.
 */
#include "base/base.h"

#include "base/conf_env.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

struct env {
    const char *s;
    size_t n;
    size_t i; /* next byte */
    int line;
    struct buf name;
    struct buf value;
};

static bool
at(const struct env *e, char c)
{
    return e->i < e->n && e->s[e->i] == c;
}

static bool
at_end(const struct env *e)
{
    return e->i == e->n || e->s[e->i] == '\n';
}

static void
skip_blanks(struct env *e)
{
    while (at(e, ' ') || at(e, '\t') || at(e, '\r'))
        e->i++;
}

static void
skip_line(struct env *e)
{
    while (!at_end(e))
        e->i++;
}

static bool
name_char(char c, bool first)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           (!first && c >= '0' && c <= '9');
}

/* NAME, blanks and '='. */
static const char *
read_name(struct env *e)
{
    size_t start;

    if (e->n - e->i > 7 && memcmp(e->s + e->i, "export", 6) == 0 &&
        (e->s[e->i + 6] == ' ' || e->s[e->i + 6] == '\t')) {
        e->i += 7;
        skip_blanks(e);
    }
    start = e->i;
    while (e->i < e->n && name_char(e->s[e->i], e->i == start))
        e->i++;
    if (e->i == start)
        return "expected KEY=value";
    buf_clear(&e->name);
    buf_add(&e->name, e->s + start, e->i - start);
    skip_blanks(e);
    if (!at(e, '='))
        return "expected KEY=value";
    e->i++;
    skip_blanks(e);
    return NULL;
}

static void
add_escaped(struct buf *b, char c)
{
    switch (c) {
    case 'n': buf_addc(b, '\n'); break;
    case 'r': buf_addc(b, '\r'); break;
    case 't': buf_addc(b, '\t'); break;
    default:
        if (!strchr("\"\\$", c))
            buf_addc(b, '\\'); /* not an escape: both stay */
        buf_addc(b, c);
        break;
    }
}

/* At the opening quote. */
static const char *
read_quoted(struct env *e)
{
    char quote = e->s[e->i++];

    while (!at(e, quote)) {
        if (e->i == e->n)
            return "quote without an end";
        if (e->s[e->i] == '\n')
            e->line++;
        if (quote == '"' && e->s[e->i] == '\\' && e->n - e->i > 1) {
            add_escaped(&e->value, e->s[e->i + 1]);
            e->line += e->s[e->i + 1] == '\n';
            e->i += 2;
        } else {
            buf_addc(&e->value, e->s[e->i++]);
        }
    }
    e->i++;
    skip_blanks(e);
    return at_end(e) || at(e, '#') ? NULL : "something follows the quote";
}

static void
read_bare(struct env *e)
{
    size_t start = e->i;
    size_t end;

    while (!at_end(e) &&
           !(e->s[e->i] == '#' && (e->i == start || e->s[e->i - 1] == ' ' ||
                                   e->s[e->i - 1] == '\t')))
        e->i++;
    end = e->i;
    while (end > start && strchr(" \t\r", e->s[end - 1]))
        end--;
    buf_add(&e->value, e->s + start, end - start);
}

/* One line that is not blank: the rule it breaks, or NULL. */
static const char *
read_line(struct env *e)
{
    const char *rule = read_name(e);

    if (rule)
        return rule;
    buf_clear(&e->value);
    if (at(e, '"') || at(e, '\''))
        rule = read_quoted(e);
    else
        read_bare(e);
    if (!rule && memchr(e->value.data ? e->value.data : "", '\0', e->value.len))
        rule = "NUL byte";
    return rule;
}

void
conf_env_parse(const char *s, size_t n, conf_env_fn *fn, conf_env_bad_fn *bad,
               void *arg)
{
    struct env e = {.s = s, .n = n, .line = 1};

    buf_init(&e.name, CONF_ENV_MAX);
    buf_init(&e.value, CONF_ENV_MAX);
    (void)buf_room(&e.value, n < CONF_ENV_MAX ? n : CONF_ENV_MAX);
    if (n >= 3 && memcmp(s, "\xEF\xBB\xBF", 3) == 0)
        e.i = 3;
    for (; e.i < n; e.i++, e.line++) {
        int line = e.line;
        size_t start = e.i;
        const char *rule;

        skip_blanks(&e);
        if (!at_end(&e) && !at(&e, '#')) {
            rule = read_line(&e);
            if (rule) {
                bad(arg, line, rule);
                e.i = start; /* an open quote takes only its own line along */
                e.line = line;
            } else {
                fn(arg, buf_cstr(&e.name), buf_cstr(&e.value));
            }
        }
        skip_line(&e);
    }
    buf_release(&e.name);
    buf_wipe(&e.value);
}

void
conf_env_read(const char *path, conf_env_fn *fn, conf_env_bad_fn *bad,
              void *arg)
{
    /* all at once: no copies are left behind */
    char *text = xmalloc(CONF_ENV_MAX + 1);
    ssize_t n = file_read(path, text, CONF_ENV_MAX + 1);
    bool none = n < 0 && (errno == ENOENT || errno == ENOTDIR);

    if (n > CONF_ENV_MAX)
        bad(arg, 0, "longer than 1 MiB");
    else if (n >= 0)
        conf_env_parse(text, (size_t)n, fn, bad, arg);
    else if (!none)
        bad(arg, 0, "cannot be read");
    if (!none)
        mem_wipe(text, n < 0 ? CONF_ENV_MAX + 1 : (size_t)n);
    free(text);
}

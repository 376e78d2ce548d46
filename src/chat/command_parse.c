/*
 * One pass over the line. Pieces of text are gathered as long as they come and
 * joined by what stood between them; a value is copied once, unescaped.
 */
#include "base/base.h"

#include "chat/command_parse.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

#define OPEN_QUOTE "\xe2\x80\x9c"  /* U+201C */
#define CLOSE_QUOTE "\xe2\x80\x9d" /* U+201D */
#define SHOWN_MAX 40               /* bytes of the input in an error */

struct parser {
    const char *s;
    size_t n, at;
    const char *const *params;
    size_t n_params;
    size_t bare; /* the parameter that text is */
    struct arena *arena;
    struct command_args *out;
    struct problem *why;
    struct buf text; /* what was no argument */
    bool any_text;
};

static bool
is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* --- the name ----------------------------------------------------------- */

bool
command_is(const char *s, size_t n)
{
    return n > 0 && s[0] == '/' && command_escape(s, n) == 0;
}

size_t
command_escape(const char *s, size_t n)
{
    return n > 1 && s[0] == '/' && s[1] == '/' ? 1 : 0;
}

static enum err
unknown(const char *s, size_t n, struct problem *why)
{
    static const char advice[] = "/help lists the commands; a text that "
                                 "begins with a slash is written with two.";
    char error[sizeof(why->error)];
    struct buf shown;

    if (n == 0)
        return problem_set(why, ERR_BADREQ, "unknown_command",
                           "A command has a name", "%s", advice);
    buf_init(&shown, 4 * SHOWN_MAX + 1);
    utf8_scrub(&shown, s, utf8_whole(s, n < SHOWN_MAX ? n : SHOWN_MAX));
    (void)snprintf(error, sizeof(error), "Unknown command: /%s",
                   buf_cstr(&shown));
    buf_release(&shown);
    return problem_set(why, ERR_BADREQ, "unknown_command", error, "%s", advice);
}

void
command_unknown(const char *name, struct problem *why)
{
    (void)unknown(name, strlen(name), why);
}

enum err
command_name(const char *s, size_t n, char name[COMMAND_NAME_MAX + 1],
             size_t *rest, struct problem *why)
{
    size_t i, end = 1;

    while (end < n && !is_space(s[end]))
        end++;
    for (i = 1; i < end && is_name(s[i]) && i <= COMMAND_NAME_MAX; i++)
        name[i - 1] = (char)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] | 0x20 : s[i]);
    if (i < end || end == 1)
        return unknown(s + 1, end - 1, why);
    name[i - 1] = '\0';
    *rest = end;
    return OK;
}

/* --- values ------------------------------------------------------------- */

/* Bytes of the quote that opens a value there, 0: none does. */
static size_t
quote_at(const struct parser *p, size_t at)
{
    const char *s = p->s + at;
    size_t left = p->n - at;

    if (left > 0 && (*s == '"' || *s == '\''))
        return 1;
    if (left >= 3 &&
        (memcmp(s, OPEN_QUOTE, 3) == 0 || memcmp(s, CLOSE_QUOTE, 3) == 0))
        return 3;
    return 0;
}

/* The quoted value that begins here; false: it has no end. */
static bool
quoted_value(struct parser *p, struct buf *out)
{
    size_t width = quote_at(p, p->at);
    const char *close = width == 3 ? CLOSE_QUOTE : p->s + p->at;
    static const char escapes[] = "\"'\\nt", meant[] = "\"'\\\n\t";

    for (p->at += width; p->at + width <= p->n; p->at++) {
        const char *s = p->s + p->at, *e;

        if (memcmp(s, close, width) == 0) {
            p->at += width;
            return true;
        }
        if (*s == '\\' && p->at + 1 < p->n && s[1] != '\0' &&
            (e = strchr(escapes, s[1])) != NULL) {
            buf_addc(out, meant[e - escapes]);
            p->at++;
        } else {
            buf_addc(out, *s);
        }
    }
    return false;
}

static enum err
set_arg(struct parser *p, size_t i, const struct buf *value)
{
    if (p->out->value[i] != NULL)
        return problem_set(p->why, ERR_BADREQ, "invalid_argument", NULL,
                           "%s is given twice.", p->params[i]);
    p->out->value[i] = arena_memdup0(
        p->arena, value->len > 0 ? value->data : "", value->len);
    p->out->len[i] = value->len;
    return OK;
}

/* --- arguments ---------------------------------------------------------- */

/* Which parameter's "key=" begins here? n_params: none, or of no parameter;
 * *len is the length of "key=" then, 0 if there is none. */
static size_t
key_here(const struct parser *p, size_t *len)
{
    const char *s = p->s + p->at;
    size_t left = p->n - p->at, n = 0, i;

    while (n < left && is_name(s[n]))
        n++;
    *len = n > 0 && n < left && s[n] == '=' ? n + 1 : 0;
    for (i = 0; i < p->n_params; i++)
        if (*len > 0 && text_ieqn(s, n, p->params[i]) &&
            !(p->any_text && i == p->bare))
            return i;
    return p->n_params;
}

static enum err
missing_quote(struct parser *p, const char *name)
{
    return problem_set(p->why, ERR_BADREQ, "missing_quote",
                       "A quote is not closed",
                       "The value of %s begins with a quote and has no end; "
                       "a quote within it is written \\\".",
                       name);
}

static enum err
unknown_arg(struct parser *p, size_t len)
{
    const char *s = p->s + p->at;

    len = len - 1 < SHOWN_MAX ? len - 1 : SHOWN_MAX;
    return problem_set(p->why, ERR_BADREQ, "invalid_argument",
                       "Unknown argument",
                       "This command knows no '%.*s'; /help lists what it "
                       "takes.",
                       (int)len, s);
}

/* "key=value" of parameter i; p->at is behind "=". */
static enum err
take_value(struct parser *p, size_t i)
{
    struct buf value;
    enum err e;

    buf_init(&value, p->n + 1);
    if (quote_at(p, p->at) == 0) {
        size_t from = p->at;

        while (p->at < p->n && !is_space(p->s[p->at]))
            p->at++;
        buf_add(&value, p->s + from, p->at - from);
    } else if (!quoted_value(p, &value)) {
        buf_release(&value);
        return missing_quote(p, p->params[i]);
    }
    e = set_arg(p, i, &value);
    buf_release(&value);
    return e;
}

static void
skip_space(struct parser *p)
{
    while (p->at < p->n && is_space(p->s[p->at]))
        p->at++;
}

/* Text that is one quoted string: without its quotes. False: it is not, and
 * nothing was taken. */
static bool
take_quoted_text(struct parser *p)
{
    size_t from = p->at, len;
    bool taken;

    if (p->any_text || quote_at(p, p->at) == 0)
        return false;
    taken = quoted_value(p, &p->text) &&
            (p->at == p->n || is_space(p->s[p->at]));
    skip_space(p);
    if (taken && p->at < p->n)
        taken = key_here(p, &len) < p->n_params;
    if (!taken) {
        p->at = from;
        buf_clear(&p->text);
    }
    p->any_text = taken;
    return taken;
}

/* From here to the next word that is an argument, space between words kept. */
static void
take_text(struct parser *p)
{
    size_t from = p->at, end = p->at, len;

    if (take_quoted_text(p))
        return;
    p->any_text = true;
    while (p->at < p->n) {
        while (p->at < p->n && !is_space(p->s[p->at]))
            p->at++;
        end = p->at;
        skip_space(p);
        if (p->at < p->n && key_here(p, &len) < p->n_params)
            break;
    }
    if (p->text.len > 0)
        buf_addc(&p->text, ' ');
    buf_add(&p->text, p->s + from, end - from);
}

static enum err
take_args(struct parser *p)
{
    enum err e = OK;
    size_t i, len;

    for (skip_space(p); e == OK && p->at < p->n; skip_space(p)) {
        i = key_here(p, &len);
        if (i < p->n_params) {
            p->at += len;
            e = take_value(p, i);
            continue;
        }
        if (len > 0 && !p->any_text && quote_at(p, p->at + len) > 0)
            return unknown_arg(p, len);
        take_text(p);
    }
    return e;
}

static enum err
give_text(struct parser *p)
{
    if (!p->any_text)
        return OK;
    if (p->n_params > 0)
        return set_arg(p, p->bare, &p->text);
    return problem_set(p->why, ERR_BADREQ, "invalid_argument",
                       "Too many arguments",
                       "This command takes no text; /help lists what it "
                       "takes.");
}

enum err
command_args(struct arena *arena, const char *s, size_t n,
             const char *const *params, size_t n_params,
             struct command_args *out, struct problem *why)
{
    struct parser p = {
        .s = s,
        .n = n,
        .params = params,
        .n_params = n_params,
        .arena = arena,
        .out = out,
        .why = why,
    };
    enum err e;

    assert(n_params <= COMMAND_ARGS_MAX);
    *out = (struct command_args){0};
    for (size_t i = 0; i < n_params; i++)
        if (strcmp(params[i], COMMAND_TEXT) == 0)
            p.bare = i;
    buf_init(&p.text, n + 1);
    e = take_args(&p);
    if (e == OK)
        e = give_text(&p);
    buf_release(&p.text);
    return e;
}

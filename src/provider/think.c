/*
 * The splitter of thoughts and text: a machine of five states that looks at
 * each byte once and holds back only what may be the beginning of a tag (or
 * white space before it, to a limit). What was held and is no tag is told as
 * it came. Any split of the same bytes tells the same text.
 */
#include "base/base.h"

#include "provider/think.h"

static const char open_tag[] = "<think>";
static const char close_tag[] = "</think>";

/* What is told, as one run of bytes as far as possible. */
struct teller {
    part_fn *fn;
    void *arg;
};

static void
tell(const struct teller *to, enum part_kind kind, const char *p, size_t n)
{
    struct part part = {.kind = kind, .text = p, .len = n};

    if (n > 0)
        to->fn(to->arg, &part);
}

void
think_init(struct think *t)
{
    memset(t, 0, sizeof(*t));
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* What is held was none of a tag. */
static void
let_go(struct think *t, const struct teller *to)
{
    bool inside = t->state == THINK_INSIDE || t->state == THINK_OPENED;

    tell(to, inside ? PART_REASONING : PART_TEXT, t->held, t->n_held);
    t->n_held = 0;
}

/* How many bytes of white space are held before a beginning of the tag. */
static size_t
held_space(const struct think *t)
{
    size_t i = 0;

    while (i < t->n_held && is_space(t->held[i]))
        i++;
    return i;
}

/* One byte at the start. False: it was not taken, the answer is text. */
static bool
at_start(struct think *t, char c, const struct teller *to)
{
    size_t space = held_space(t), matched = t->n_held - space;

    if ((matched == 0 && is_space(c) && t->n_held < THINK_HELD_MAX / 2) ||
        c == open_tag[matched]) {
        t->held[t->n_held++] = c;
        if (matched + 1 == sizeof(open_tag) - 1 && c == '>') {
            t->n_held = 0;
            t->state = THINK_OPENED;
        }
        return true;
    }
    let_go(t, to);
    t->state = THINK_TEXT;
    return false;
}

/* Inside: everything up to the closing tag. Returns the bytes read. A '<' is
 * only ever the first byte of the tag, so a failed match begins anew at the
 * byte that broke it. */
static size_t
inside(struct think *t, const char *p, size_t n, const struct teller *to)
{
    size_t i = 0;
    const char *tag;

    if (t->n_held == 0) {
        tag = memchr(p, close_tag[0], n);
        i = tag != NULL ? (size_t)(tag - p) : n;
        tell(to, PART_REASONING, p, i);
    }
    for (; i < n && p[i] == close_tag[t->n_held]; i++) {
        t->held[t->n_held++] = p[i];
        if (t->n_held == sizeof(close_tag) - 1) {
            t->n_held = 0;
            t->state = THINK_CLOSED;
            return i + 1;
        }
    }
    if (i < n)
        let_go(t, to);
    return i;
}

static size_t
spaces(const char *p, size_t n)
{
    size_t i = 0;

    while (i < n && is_space(p[i]))
        i++;
    return i;
}

void
think_feed(struct think *t, const char *p, size_t n, part_fn *fn, void *arg)
{
    const struct teller to = {fn, arg};
    size_t i = 0;

    while (i < n) {
        switch (t->state) {
        case THINK_START: i += at_start(t, p[i], &to); break;
        case THINK_OPENED:
        case THINK_CLOSED:
            i += spaces(p + i, n - i);
            if (i < n)
                t->state = t->state == THINK_OPENED ? THINK_INSIDE : THINK_TEXT;
            break;
        case THINK_INSIDE: i += inside(t, p + i, n - i, &to); break;
        case THINK_TEXT: tell(&to, PART_TEXT, p + i, n - i); return;
        }
    }
}

void
think_flush(struct think *t, part_fn *fn, void *arg)
{
    const struct teller to = {fn, arg};

    if (t->n_held == 0)
        return;
    let_go(t, &to);
    if (t->state == THINK_START)
        t->state = THINK_TEXT;
}

/*
 * Fuzzes client/heard.c: each line is an event, whose number is the line's
 * first byte. All that is told are pieces of one text, and after the end
 * nothing is. Hearing it all again tells nothing new if all have numbers.
 */
#include "base/base.h"

#include "client/inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct told {
    struct buf text;
    unsigned ends; /* answers and errors */
};

static void
on_chunk(void *arg, const char *text, size_t n)
{
    struct told *t = arg;

    if (t->ends > 0)
        abort();
    buf_add(&t->text, text, n);
}

static void
on_message(void *arg, const struct parley_message *m)
{
    struct told *t = arg;

    t->ends++;
    if (m->text_len != t->text.len)
        abort();
}

static void
on_error(void *arg, const struct parley_error *e)
{
    struct told *t = arg;

    t->ends++;
    if (strpbrk(e->text, "\r\n\x1b") != NULL)
        abort();
}

/* True: each has a number. */
static bool
hear(struct heard *h, const char *s, size_t n)
{
    bool numbered = true;

    while (n > 0) {
        const char *end = memchr(s, '\n', n);
        size_t line = end != NULL ? (size_t)(end - s) : n;

        if (line > 1) {
            IGNORE(heard_event(h, (unsigned char)s[0], s + 1, line - 1));
            numbered = numbered && s[0] != '\0';
        }
        n -= end != NULL ? line + 1 : line;
        s += end != NULL ? line + 1 : line;
    }
    return numbered;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct told t = {.ends = 0};
    struct parley_config c = {.url = "http://h"};
    struct parley_calls on = {.arg = &t,
                              .on_chunk = on_chunk,
                              .on_message = on_message,
                              .on_error = on_error};
    struct parley *p = parley_new(&c, &on);
    struct heard h;
    size_t len;

    buf_init(&t.text, 1 << 24);
    heard_init(&h, p);
    if (hear(&h, (const char *)data, n)) {
        len = t.text.len;
        (void)hear(&h, (const char *)data, n);
        /* the highest number was heard, and all others are below it */
        if (h.ended && (t.ends != 1 || t.text.len != len))
            abort();
    }
    if (h.text.len != t.text.len)
        abort();
    heard_release(&h);
    buf_release(&t.text);
    parley_free(p);
    return 0;
}

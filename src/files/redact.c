/*
 * Blots out of a text what is somebody's own: what the finders of
 * redact_find.h know, and the words of a folder's rules.
 *
 * Every finder goes over the text by itself; what they found is sorted, what
 * overlaps is put together, and each piece becomes one mark. So no finder
 * hides anything from another, and the order of rules does not matter.
 *
 * The words of rules are globs (files/glob.h) and no regular expressions: those
 * of the C library take time exponential in the pattern, and what is meant
 * here are names and numbers of a known shape. A line that is no pattern (it
 * cannot come from rules_read, but these lines are kept in an index) is taken
 * as it is written, so that nothing is shown for want of a bracket.
 *
 * A part of a text is looked at with what is around it, and shown alone.
 *
 * Addresses of machines are not blotted out: numbers of versions look the same,
 * and a rule ("[0-9]*.[0-9]*.[0-9]*.[0-9]*") does it where it is wanted.
 */
#include "base/base.h"

#include "files/rules.h"

#include "base/mem.h"
#include "base/text.h"
#include "files/glob.h"
#include "files/redact_find.h"

#define MARK "[redacted]"

static find_fn *const finders[] = {find_mail,  find_phone,  find_card,
                                   find_iban,  find_token,  find_secret,
                                   find_login, find_random, find_private};

struct redact {
    struct glob **at; /* owned */
    size_t n;
};

struct found {
    struct stretch *at; /* owned */
    size_t n, cap;
};

/* --- patterns ------------------------------------------------------------- */

struct redact *
redact_new(const char *patterns)
{
    struct redact *r = xcalloc(1, sizeof(*r));
    size_t lines = 1;

    for (const char *s = patterns; *s; s++)
        lines += *s == '\n';
    lines = lines < RULES_MAX ? lines : RULES_MAX;
    r->at = xcalloc(lines, sizeof(*r->at));
    while (*patterns && r->n < lines) {
        size_t n = strcspn(patterns, "\n");
        const char *why;

        if (glob_new(GLOB_WORDS, patterns, n, &r->at[r->n], &why) == OK ||
            glob_new_literal(patterns, n, &r->at[r->n]) == OK)
            r->n++;
        patterns += n + (patterns[n] == '\n');
    }
    return r;
}

void
redact_free(struct redact *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->n; i++)
        glob_free(r->at[i]);
    free(r->at);
    free(r);
}

/* --- looking -------------------------------------------------------------- */

static void
add(struct found *f, const struct stretch *s)
{
    if (f->n == f->cap) {
        f->cap = f->cap ? f->cap * 2 : 16;
        f->at = xrealloc(f->at, f->cap * sizeof(*f->at));
    }
    f->at[f->n++] = *s;
}

static void
run_finder(find_fn *find, const char *s, size_t n, struct found *f)
{
    struct stretch one;

    for (size_t i = 0; i < n;) {
        if (!find(s, n, i, &one)) {
            i++;
            continue;
        }
        assert(one.start < one.end && one.end > i && one.end <= n);
        add(f, &one);
        i = one.end;
    }
}

static void
run_glob(const struct glob *g, const char *s, size_t n, struct found *f)
{
    for (size_t i = 0; i < n;) {
        int len = utf8_seq(s + i, n - i);
        size_t found = glob_longest(g, s, n, i);

        if (found)
            add(f, &(struct stretch){i, i + found});
        i += found ? found : len > 0 ? (size_t)len : 1;
    }
}

static int
by_start(const void *a, const void *b)
{
    const struct stretch *x = a, *y = b;

    return (x->start > y->start) - (x->start < y->start);
}

/* All that is to be blotted out, in order. */
static void
find_all(const struct redact *r, const char *text, size_t n, bool names,
         struct found *f)
{
    char *plain;

    for (size_t k = 0; k < COUNT_OF(finders); k++)
        run_finder(finders[k], text, n, f);
    for (size_t k = 0; k < r->n; k++)
        run_glob(r->at[k], text, n, f);
    if (names && r->n > 0) {
        plain = xmemdup0(text, n);
        for (size_t i = 0; i < n; i++)
            if (plain[i] != '\0' && strchr("_-./", plain[i]) != NULL)
                plain[i] = ' ';
        for (size_t k = 0; k < r->n; k++)
            run_glob(r->at[k], plain, n, f);
        free(plain);
    }
    if (f->n)
        qsort(f->at, f->n, sizeof(*f->at), by_start);
}

size_t
redact_part(const struct redact *r, const char *text, size_t n, size_t from,
            size_t to, bool names, struct buf *out)
{
    struct found f = {.n = 0};
    size_t count = 0, done = from, i = 0;

    assert(from <= to && to <= n);
    find_all(r, text, n, names, &f);
    while (i < f.n) {
        struct stretch all = f.at[i++];

        for (; i < f.n && f.at[i].start < all.end; i++)
            if (f.at[i].end > all.end)
                all.end = f.at[i].end;
        if (all.end <= from || all.start >= to)
            continue;
        if (all.start > done)
            buf_add(out, text + done, all.start - done);
        buf_adds(out, MARK);
        done = all.end < to ? all.end : to;
        count++;
    }
    buf_add(out, text + done, to - done);
    free(f.at);
    return count;
}

size_t
redact_text(const struct redact *r, const char *text, size_t n, struct buf *out)
{
    return redact_part(r, text, n, 0, n, false, out);
}

void
redact_cut(const struct redact *r, const char *text, size_t n, size_t max,
           struct buf *out)
{
    bool is_cut = n + 3 >= max; /* between characters */
    size_t to = !is_cut           ? n
                : n > REDACT_TAIL ? utf8_whole(text, n - REDACT_TAIL)
                                  : 0;

    (void)redact_part(r, text, n, 0, to, false, out);
    if (is_cut)
        buf_adds(out, MARK);
}

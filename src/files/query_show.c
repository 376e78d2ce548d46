/*
 * A snippet: the stretch of the text that holds the most of what was looked
 * for, on one line. It is made of the text that is shown, after anything was
 * blotted out, so that it cannot say more.
 */
#include "base/base.h"

#include "files/query.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

#define SNIPPET 200 /* bytes, about */
#define LEAD 50     /* bytes shown before the place */
#define RAGGED 24   /* bytes looked back for the end of a word */
#define PLACES 128
#define ELLIPSIS "\xe2\x80\xa6"

struct place {
    size_t from, to;
    int term;
    double weight;
};

struct finder {
    const struct query *q;
    enum lang lang;
    struct place place[PLACES];
    size_t n;
};

static bool
find(void *arg, const struct shelf_word *w)
{
    struct finder *f = arg;
    enum query_match how;
    int i = query_match(f->q, f->lang, w, &how);

    if (i >= 0)
        f->place[f->n++] = (struct place){
            w->from, w->to, i, f->q->term[i].weight * f->q->term[i].idf + 1e-6};
    return f->n < PLACES;
}

/* Where the best stretch has its first word. */
static size_t
best_from(const struct finder *f)
{
    double best = -1;
    size_t from = 0;

    for (size_t i = 0; i < f->n; i++) {
        uint64_t seen = 0;
        double sum = 0;

        for (size_t k = i; k < f->n; k++) {
            if (f->place[k].to > f->place[i].from + SNIPPET - LEAD)
                break;
            if ((seen >> f->place[k].term & 1) == 0)
                sum += f->place[k].weight;
            seen |= UINT64_C(1) << f->place[k].term;
        }
        if (sum > best) {
            best = sum;
            from = f->place[i].from;
        }
    }
    return from;
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* Where to begin so that `from` is shown with what leads to it. */
static size_t
begin_at(const char *text, size_t from)
{
    size_t at = from > LEAD ? from - LEAD : 0;

    if (at == 0)
        return 0;
    while (at < from && ((unsigned char)text[at] & 0xc0) == 0x80)
        at++;
    for (size_t i = at; i < from; i++)
        if (is_blank(text[i]))
            return i + 1;
    return at;
}

static size_t
end_at(const char *text, size_t n, size_t from)
{
    size_t end = n - from > SNIPPET ? from + SNIPPET : n;

    if (end == n)
        return n;
    end = from + utf8_whole(text + from, end - from);
    for (size_t i = end; i > from && i + RAGGED > end; i--)
        if (is_blank(text[i - 1]))
            return i - 1;
    return end;
}

const char *
query_snippet(const struct query *q, enum lang lang, const char *text, size_t n)
{
    struct finder f = {.q = q, .lang = lang};
    size_t from, to;
    struct buf out;
    const char *s;

    if (q->n_terms > 0)
        shelf_token_walk(q->conn->token, text, n, find, &f);
    from = begin_at(text, best_from(&f));
    while (from < n && is_blank(text[from]))
        from++;
    to = end_at(text, n, from);
    buf_init(&out, SNIPPET + 16);
    if (from > 0)
        buf_adds(&out, ELLIPSIS);
    for (size_t i = from; i < to; i++)
        if (!is_blank(text[i]))
            buf_addc(&out, text[i]);
        else if (i + 1 < to && !is_blank(text[i + 1]))
            buf_addc(&out, ' ');
    if (to < n)
        buf_adds(&out, ELLIPSIS);
    s = arena_strdup(q->arena, buf_cstr(&out));
    buf_release(&out);
    return s;
}

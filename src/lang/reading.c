/*
 * From text to numbered stems.
 *
 * Stems are told apart by a 64-bit hash alone; the text of a stem is never
 * needed again, as what is shown is always the text as it was written. Two
 * stems that share a hash would count as one word, which nobody would notice.
 */
#include "base/base.h"

#include "lang/reading.h"

#include "base/mem.h"
#include "lang/letter.h"

#define FNV_BASIS UINT64_C(14695981039346656037)
#define FNV_PRIME UINT64_C(1099511628211)

struct slot {
    uint64_t hash; /* 0: free */
    uint32_t stem;
};

struct reader {
    struct reading *out;
    struct stemmer *stemmer;
    size_t cap;         /* of out->tokens */
    struct slot *slots; /* owned; a power of two of them */
    size_t n_slots;
};

static void
grow(struct reader *x)
{
    struct slot *old = x->slots;
    size_t n = x->n_slots;

    x->n_slots = n > 0 ? 2 * n : 1024;
    x->slots = xcalloc(x->n_slots, sizeof(x->slots[0]));
    for (size_t i = 0; i < n; i++) {
        size_t at = old[i].hash & (x->n_slots - 1);

        if (old[i].hash == 0)
            continue;
        while (x->slots[at].hash != 0)
            at = (at + 1) & (x->n_slots - 1);
        x->slots[at] = old[i];
    }
    free(old);
}

static uint32_t
number_of(struct reader *x, const char *s, size_t n)
{
    uint64_t h = FNV_BASIS;
    size_t at;

    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)s[i]) * FNV_PRIME;
    h ^= h >> 29; /* the low bits choose the slot */
    h = h != 0 ? h : 1;
    if (4 * x->out->n_stems >= 3 * x->n_slots)
        grow(x);
    at = h & (x->n_slots - 1);
    while (x->slots[at].hash != 0 && x->slots[at].hash != h)
        at = (at + 1) & (x->n_slots - 1);
    if (x->slots[at].hash == 0)
        x->slots[at] = (struct slot){h, (uint32_t)x->out->n_stems++};
    return x->slots[at].stem;
}

/* The possessive is no part of a name or a stem: "Parley's". */
static size_t
without_s(const char *folded, size_t n)
{
    return n > 3 && folded[n - 1] == 's' && folded[n - 2] == '\'' ? n - 2 : n;
}

/* A character of a script without spaces; after: the next one's bytes if it
 * follows at once, before: one came just before. */
static void
add_cjk(struct reader *x, struct token *t, const char *s, size_t after,
        bool before)
{
    char one[5];

    memcpy(one, s, t->len);
    one[t->len] = '\0';
    t->flags |= TOKEN_CJK;
    if (word_is_stop(x->out->lang, one))
        t->flags |= TOKEN_STOP | TOKEN_SKIP;
    else if (after == 0 && before)
        t->flags |= TOKEN_SKIP;
    t->stem = number_of(x, s, t->len + after);
}

static void
add_word(struct reader *x, struct token *t, const char *s, const struct word *w)
{
    char folded[WORD_FOLD_MAX + 1];
    size_t n = word_fold(s, w->len, folded);

    t->flags |= w->capital ? TOKEN_CAPITAL : 0;
    t->flags |= w->caps ? TOKEN_CAPS : 0;
    t->flags |= w->kind == WORD_NUMBER ? TOKEN_NUMBER : 0;
    if (word_is_stop(x->out->lang, folded))
        t->flags |= TOKEN_STOP | TOKEN_SKIP;
    n = without_s(folded, n);
    folded[n] = '\0';
    n = stemmer_cut(x->stemmer, folded, n);
    t->stem = number_of(x, folded, n);
}

/* How many bytes the character at i has, if it is of a script without spaces;
 * else 0. */
static size_t
cjk_at(const char *s, size_t n, size_t i)
{
    uint32_t c;
    size_t len;

    if (i >= n)
        return 0;
    len = letter_read(s + i, n - i, &c);
    return letter_is_cjk(c) ? len : 0;
}

static void
add_sentence(struct reader *x, const struct sentence *sentence)
{
    struct reading *out = x->out;
    const char *s = sentence->text;
    size_t base = (size_t)(s - out->sentences.plain), pos = 0, end = SIZE_MAX;
    struct word w;

    while (word_next(s, sentence->len, &pos, &w)) {
        struct token t = {.start = (uint32_t)(base + w.start),
                          .len = (uint32_t)w.len};

        if (w.kind == WORD_CJK)
            add_cjk(x, &t, s + w.start,
                    cjk_at(s, sentence->len, w.start + w.len), end == w.start);
        else
            add_word(x, &t, s + w.start, &w);
        end = w.kind == WORD_CJK ? pos : SIZE_MAX;
        if (out->n_tokens == x->cap) {
            x->cap = x->cap > 0 ? 2 * x->cap : 256;
            out->tokens = xrealloc(out->tokens,
                                   x->cap * sizeof(out->tokens[0]));
        }
        out->tokens[out->n_tokens++] = t;
    }
}

enum err
reading_read(struct reading *r, const char *s, size_t n)
{
    struct reader x = {.out = r};
    enum err e;

    memset(r, 0, sizeof(*r));
    e = sentences_read(&r->sentences, s, n);
    if (e)
        return e;
    r->lang = word_guess(r->sentences.plain, r->sentences.plain_len);
    r->first = xcalloc(r->sentences.n + 1, sizeof(r->first[0]));
    x.stemmer = stemmer_new(r->lang);
    for (size_t i = 0; i < r->sentences.n; i++) {
        r->first[i] = (uint32_t)r->n_tokens;
        add_sentence(&x, &r->sentences.at[i]);
    }
    r->first[r->sentences.n] = (uint32_t)r->n_tokens;
    stemmer_free(x.stemmer);
    free(x.slots);
    return OK;
}

void
reading_release(struct reading *r)
{
    sentences_release(&r->sentences);
    free(r->tokens);
    free(r->first);
    memset(r, 0, sizeof(*r));
}

const struct token *
reading_tokens(const struct reading *r, size_t i, size_t *n)
{
    *n = r->first[i + 1] - r->first[i];
    return r->tokens != NULL ? r->tokens + r->first[i] : NULL;
}

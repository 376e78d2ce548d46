/*
 * Key phrases.
 *
 * A word's weight is RAKE's: the lengths of the runs it stands in, over how
 * often it stands. A phrase's is the sum over its words, and grows with how
 * often the phrase itself comes, without which long runs that come once would
 * always win. Runs are also cut at adverbs and at verbs that go with anything,
 * which are no stop words elsewhere, and where a name or a verb shows by its
 * letters. A word alone that comes once is told only for want of others.
 *
 * Occurrences are sorted by what they say (their stems) and then by how they
 * are written, so counting both is one pass.
 */
#include "base/base.h"

#include "lang/phrase.h"

#include <math.h>

#include "base/mem.h"
#include "lang/letter.h"
#include "lang/reading.h"

#define OFTEN 3          /* times more than the longer phrase: told as well */
#define FEW 5            /* phrases are better than more that say less */
#define TOPIC_WEIGHT 1.3 /* a phrase that also stands in a heading */

struct run {
    uint64_t key;      /* of its stems */
    uint32_t start, n; /* tokens */
    bool heading;
};

struct finder {
    const struct reading *r;
    struct run *runs; /* owned */
    size_t n, cap;
    uint32_t *count;  /* owned; per stem: runs it stands in */
    uint32_t *degree; /* owned; per stem: their lengths together */
};

/* English words that are no part of a phrase, sorted. */
static const char *const loose[] = {
    "able",      "add",       "added",       "adds",      "ago",
    "allow",     "allowed",   "allows",      "answer",    "answers",
    "appear",    "arrive",    "arrived",     "ask",       "asked",
    "asks",      "available", "bad",         "based",     "become",
    "began",     "begin",     "begins",      "believe",   "best",
    "better",    "big",       "bit",         "bought",    "bring",
    "buy",       "buys",      "call",        "called",    "came",
    "certain",   "change",    "changed",     "changes",   "choose",
    "chose",     "close",     "closed",      "closes",    "come",
    "comes",     "common",    "consider",    "contain",   "contained",
    "contains",  "cost",      "costs",       "create",    "created",
    "creates",   "day",       "days",        "different", "early",
    "easy",      "eight",     "end",         "ended",     "ends",
    "enough",    "etc",       "expect",      "expected",  "expects",
    "explain",   "explains",  "extra",       "falling",   "feel",
    "feels",     "fell",      "felt",        "find",      "first",
    "five",      "follow",    "followed",    "follows",   "forbids",
    "found",     "four",      "full",        "gave",      "general",
    "get",       "gets",      "getting",     "give",      "given",
    "gives",     "go",        "goes",        "going",     "gone",
    "good",      "got",       "great",       "grew",      "grow",
    "happen",    "happened",  "happens",     "hard",      "hear",
    "heard",     "heat",      "heats",       "held",      "help",
    "helped",    "helps",     "high",        "highly",    "hold",
    "holds",     "hour",      "hours",       "hundred",   "important",
    "include",   "included",  "includes",    "install",   "installed",
    "installs",  "instead",   "keep",        "keeps",     "kept",
    "kind",      "knew",      "know",        "known",     "large",
    "last",      "lasted",    "lasts",       "lead",      "leads",
    "learn",     "learned",   "leave",       "leaves",    "led",
    "left",      "let",       "lets",        "like",      "likes",
    "listens",   "live",      "lived",       "lives",     "long",
    "look",      "looking",   "looks",       "lose",      "lost",
    "lot",       "lots",      "love",        "loved",     "low",
    "made",      "main",      "make",        "makes",     "making",
    "mean",      "means",     "meet",        "met",       "minute",
    "minutes",   "month",     "months",      "move",      "moved",
    "moves",     "need",      "needed",      "needs",     "new",
    "nice",      "nine",      "offer",       "offered",   "offers",
    "old",       "one",       "open",        "opened",    "opens",
    "paid",      "pay",       "pays",        "people",    "play",
    "plays",     "possible",  "provide",     "provided",  "provides",
    "put",       "reach",     "reaches",     "read",      "reads",
    "real",      "recommend", "recommended", "related",   "remain",
    "remained",  "remains",   "require",     "required",  "requires",
    "return",    "returned",  "returns",     "right",     "rising",
    "rose",      "run",       "runs",        "saw",       "saying",
    "says",      "second",    "seconds",     "see",       "seem",
    "seen",      "send",      "sends",       "serve",     "served",
    "serves",    "set",       "sets",        "seven",     "several",
    "show",      "shows",     "simple",      "six",       "small",
    "smelled",   "sold",      "speak",       "speaks",    "specific",
    "stand",     "stands",    "start",       "started",   "stay",
    "stayed",    "stays",     "struggling",  "sure",      "take",
    "taken",     "takes",     "talk",        "taste",     "tastes",
    "tell",      "tells",     "ten",         "thing",     "things",
    "think",     "thinks",    "third",       "thought",   "three",
    "time",      "times",     "today",       "told",      "tomorrow",
    "took",      "tried",     "try",         "trying",    "turn",
    "two",       "use",       "used",        "useful",    "uses",
    "using",     "various",   "wait",        "waits",     "walk",
    "want",      "wanted",    "wants",       "watch",     "way",
    "ways",      "week",      "weeks",       "welcome",   "went",
    "whole",     "win",       "won",         "work",      "worked",
    "working",   "works",     "write",       "year",      "years",
    "yesterday",
};

static int
compare(const void *key, const void *item)
{
    return strcmp(key, *(const char *const *)item);
}

/* Does the token end a run? */
static bool
is_loose(const struct reading *r, const struct token *t)
{
    char folded[WORD_FOLD_MAX + 1];
    size_t n;

    if (t->flags & TOKEN_STOP)
        return true;
    if (t->flags & (TOKEN_CJK | TOKEN_CAPS))
        return false;
    if (r->lang > LANG_EN)
        return false;
    n = word_fold(r->sentences.plain + t->start, t->len, folded);
    if (bsearch(folded, loose, COUNT_OF(loose), sizeof(loose[0]), compare))
        return true;
    return n > 5 && memcmp(folded + n - 2, "ly", 2) == 0 &&
           (t->flags & TOKEN_CAPITAL) == 0;
}

static bool
is_capital(const struct token *t)
{
    return (t->flags & TOKEN_CAPITAL) != 0;
}

/* May b follow a within a phrase? */
static bool
follows(const struct reading *r, const struct token *a, const struct token *b)
{
    const char *gap = r->sentences.plain + a->start + a->len;
    size_t n = b->start - (a->start + a->len);

    if ((a->flags & TOKEN_CJK) != (b->flags & TOKEN_CJK))
        return false;
    if (a->flags & TOKEN_CJK)
        return n == 0;
    return n == 1 && (gap[0] == ' ' || gap[0] == '-') &&
           (b->flags & TOKEN_NUMBER) == 0;
}

/* Does b end what begins at start, although it might follow? A name ends where
 * its capitals do, and what looks like a verb in the past begins no more than
 * it continues. */
static bool
turns(const struct reading *r, size_t start, size_t b)
{
    const struct token *t = r->tokens;
    const char *end = r->sentences.plain + t[b].start + t[b].len;

    if (t[b].flags & (TOKEN_CJK | TOKEN_CAPS))
        return false;
    if (is_capital(&t[b]))
        return r->lang == LANG_EN && !is_capital(&t[b - 1]);
    if (b >= start + 2 && is_capital(&t[b - 1]) && is_capital(&t[b - 2]))
        return true;
    return r->lang == LANG_EN && t[b].len > 4 &&
           (memcmp(end - 2, "ed", 2) == 0 || memcmp(end - 3, "ing", 3) == 0) &&
           !is_capital(&t[b]);
}

static void
add(struct finder *f, size_t start, size_t end, bool heading)
{
    const struct token *t = f->r->tokens + start;
    bool cjk = (t->flags & TOKEN_CJK) != 0;
    size_t n = end - start, most = cjk ? PHRASE_CHARS_MAX : PHRASE_WORDS_MAX;
    size_t bytes;

    while (n > 0 && (t[0].flags & TOKEN_NUMBER)) {
        t++;
        start++;
        n--;
    }
    /* In German what a phrase is about is a noun, at its end. */
    while (f->r->lang == LANG_DE && n > 0 && !is_capital(&t[n - 1]))
        n--;
    if (n == 0 || (cjk && n == 1))
        return;
    for (size_t i = 0; i < n; i++) {
        f->count[t[i].stem]++;
        f->degree[t[i].stem] += (uint32_t)(n < most ? n : most);
    }
    bytes = t[n - 1].start + t[n - 1].len - t[0].start;
    if (n > most || bytes > PHRASE_BYTES_MAX || (n == 1 && bytes < 2))
        return;
    if (f->n == f->cap) {
        f->cap = f->cap > 0 ? 2 * f->cap : 256;
        f->runs = xrealloc(f->runs, f->cap * sizeof(f->runs[0]));
    }
    f->runs[f->n] = (struct run){.key = n,
                                 .start = (uint32_t)start,
                                 .n = (uint32_t)n,
                                 .heading = heading};
    for (size_t i = 0; i < n; i++)
        f->runs[f->n].key = (f->runs[f->n].key ^ t[i].stem) *
                            UINT64_C(0x9E3779B97F4A7C15);
    f->n++;
}

static void
collect(struct finder *f)
{
    const struct reading *r = f->r;

    for (size_t i = 0; i < r->sentences.n; i++) {
        bool heading = r->sentences.at[i].kind == PLAIN_HEADING;
        size_t start = r->first[i], end = r->first[i + 1], k;

        for (k = start; k < end; k++) {
            if (k > start && (!follows(r, &r->tokens[k - 1], &r->tokens[k]) ||
                              turns(r, start, k))) {
                add(f, start, k, heading);
                start = k;
            }
            if (is_loose(r, &r->tokens[k])) {
                if (k > start)
                    add(f, start, k, heading);
                start = k + 1;
            }
        }
        if (k > start)
            add(f, start, k, heading);
    }
}

static void
spelling(const struct reading *r, const struct run *x, const char **s,
         size_t *n)
{
    const struct token *t = r->tokens + x->start;

    *s = r->sentences.plain + t[0].start;
    *n = t[x->n - 1].start + t[x->n - 1].len - t[0].start;
}

static int
by_key(const void *a, const void *b, void *arg)
{
    const struct run *x = a, *y = b;
    const char *s, *t;
    size_t ns, nt;
    int order;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    spelling(arg, x, &s, &ns);
    spelling(arg, y, &t, &nt);
    order = memcmp(s, t, ns < nt ? ns : nt);
    if (order != 0 || ns != nt)
        return order != 0 ? order : ns < nt ? -1 : 1;
    return x->start < y->start ? -1 : x->start > y->start;
}

/* ---- the best -------------------------------------------------------- */

struct candidate {
    struct phrase phrase;
    const struct run *run;
};

static double
score(const struct finder *f, const struct run *x, size_t count, bool heading)
{
    const struct token *t = f->r->tokens + x->start;
    double sum = 0;

    for (size_t i = 0; i < x->n; i++)
        sum += (double)f->degree[t[i].stem] / (double)f->count[t[i].stem];
    return sum * (1 + 1.5 * log((double)count)) * (heading ? TOPIC_WEIGHT : 1);
}

/* One candidate of the runs first..end, which say the same. */
static struct candidate
candidate(const struct finder *f, size_t first, size_t end)
{
    struct candidate c = {.run = &f->runs[first]};
    size_t same = 0, best = 0, from = first;
    bool heading = false;

    for (size_t i = first; i < end; i++) {
        const char *s, *t;
        size_t ns, nt;

        spelling(f->r, &f->runs[from], &s, &ns);
        spelling(f->r, &f->runs[i], &t, &nt);
        if (ns != nt || memcmp(s, t, ns) != 0) {
            from = i;
            same = 0;
        }
        heading |= f->runs[i].heading;
        if (++same > best) {
            best = same;
            c.run = &f->runs[from];
        }
    }
    spelling(f->r, c.run, &c.phrase.text, &c.phrase.len);
    c.phrase.count = end - first;
    c.phrase.score = score(f, c.run, end - first, heading);
    return c;
}

static int
by_score(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;

    if (x->phrase.score > y->phrase.score || x->phrase.score < y->phrase.score)
        return x->phrase.score > y->phrase.score ? -1 : 1;
    return x->run->start < y->run->start ? -1 : x->run->start > y->run->start;
}

/* Do the words of a stand in b, one after the other? */
static bool
is_part(const struct reading *r, const struct run *a, const struct run *b)
{
    const struct token *x = r->tokens + a->start, *y = r->tokens + b->start;

    for (size_t i = 0; i + a->n <= b->n; i++) {
        size_t k = 0;

        while (k < a->n && x[k].stem == y[i + k].stem)
            k++;
        if (k == a->n)
            return true;
    }
    return false;
}

static void
choose(struct phrases *out, const struct finder *f, struct candidate *c,
       size_t n, size_t want)
{
    const struct run *chosen[PHRASES_MAX];
    size_t told = 0;

    qsort(c, n, sizeof(c[0]), by_score);
    for (size_t i = 0; i < n && told < want; i++) {
        bool part = told >= FEW && c[i].run->n == 1 && c[i].phrase.count == 1;

        for (size_t k = 0; k < told && !part; k++)
            part = (is_part(f->r, c[i].run, chosen[k]) &&
                    c[i].phrase.count < OFTEN * out->at[k].count) ||
                   is_part(f->r, chosen[k], c[i].run);
        if (part)
            continue;
        chosen[told] = c[i].run;
        out->at[told++] = c[i].phrase;
    }
    out->n = told;
}

void
phrases_read(struct phrases *out, const struct reading *r, size_t want)
{
    struct finder f = {.r = r};
    struct candidate *c;
    size_t n = 0, first = 0;

    memset(out, 0, sizeof(*out));
    f.count = xcalloc(r->n_stems + 1, sizeof(f.count[0]));
    f.degree = xcalloc(r->n_stems + 1, sizeof(f.degree[0]));
    collect(&f);
    if (f.n > 0)
        qsort_r(f.runs, f.n, sizeof(f.runs[0]), by_key, (void *)r);
    c = xcalloc(f.n + 1, sizeof(c[0]));
    for (size_t i = 1; i <= f.n; i++) {
        if (i < f.n && f.runs[i].key == f.runs[first].key)
            continue;
        c[n++] = candidate(&f, first, i);
        first = i;
    }
    choose(out, &f, c, n, want < PHRASES_MAX ? want : PHRASES_MAX);
    free(c);
    free(f.runs);
    free(f.count);
    free(f.degree);
}

/*
 * What people type is words and nothing else: there is no wrong input, and
 * nothing of it is ever an operator of FTS5. Words that say nothing are left
 * out, as every chunk has them; of the rest each finds a chunk on its own, and
 * those that have more of them, and rarer ones, come first. The last word may
 * be the beginning of one, if nothing stands behind it.
 *
 * Of what was said before the newest words count a little: "show me the sunset
 * ones" after a question about beaches means sunsets at a beach.
 */
#include "base/base.h"

#include "files/query.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

#define RECENT_WEIGHT 0.3 /* of a word that was said before */
#define RECENT_VECTOR 0.4
#define WEAK_WEIGHT 0.15 /* of one that asks rather than tells */
#define MEDIA_WEIGHT 0.4 /* of one that asks for images, whatever they show */
#define IMAGE_WORD "image"
#define PREFIX_MIN 3 /* bytes of the beginning of a word */

/* Words of somebody who asks: they say little of what is wanted. Sorted. */
static const char *const asking[] = {
    "display", "explain", "find",   "get", "give", "know", "list", "look",
    "need",    "ones",    "search", "see", "show", "tell", "want",
};

/* Words for images: each means any image, as the text of every image begins
 * with IMAGE_WORD. Sorted. */
static const char *const media[] = {
    "aufnahme",     "aufnahmen",     "bild",        "bilder",   "foto",
    "fotos",        "image",         "images",      "photo",    "photograph",
    "photographie", "photographies", "photographs", "photos",   "pic",
    "pics",         "picture",       "pictures",    "snapshot", "snapshots",
};

#define READ_MAX 1024 /* words of a text that are looked at */

/* Words of one text, as they stand there. */
struct reader {
    struct query *q;
    const char *text;
    enum lang lang;
    struct shelf_word *word; /* their bytes in the arena */
    size_t n;
};

static int
compare(const void *key, const void *item)
{
    return strcmp(key, *(const char *const *)item);
}

static bool
is_asking(const char *word)
{
    return bsearch(word, asking, COUNT_OF(asking), sizeof(asking[0]),
                   compare) != NULL;
}

static bool
is_media(const char *word)
{
    return bsearch(word, media, COUNT_OF(media), sizeof(media[0]), compare) !=
           NULL;
}

static bool
is_stop(const struct reader *r, const struct shelf_word *w)
{
    char folded[WORD_FOLD_MAX + 1];

    (void)word_fold(r->text + w->from, w->to - w->from, folded);
    return word_is_stop(LANG_EN, folded) ||
           (r->lang != LANG_NONE && word_is_stop(r->lang, folded));
}

static void
stems_add(struct query *q, struct query_term *t)
{
    for (int lang = LANG_EN; lang < LANG__MAX; lang++) {
        char stem[SHELF_WORD_MAX + 1];
        size_t n = shelf_token_stem(q->conn->token, (enum lang)lang, t->word,
                                    t->len, stem);
        bool known = n == t->len && memcmp(stem, t->word, n) == 0;

        stem[n] = '\0';
        for (size_t i = 0; i < t->n_stems && !known; i++)
            known = strcmp(t->stem[i], stem) == 0;
        if (!known && n >= 2)
            t->stem[t->n_stems++] = arena_memdup0(q->arena, stem, n);
    }
}

static struct query_term *
term_find(struct query *q, const char *s, size_t n)
{
    for (unsigned i = 0; i < q->n_terms; i++)
        if (q->term[i].len == n && memcmp(q->term[i].word, s, n) == 0)
            return &q->term[i];
    return NULL;
}

/* --- reading -------------------------------------------------------------- */

static bool
word_keep(void *arg, const struct shelf_word *w)
{
    struct reader *r = arg;

    r->word[r->n] = *w;
    r->word[r->n].s = arena_memdup0(r->q->arena, w->s, w->len);
    return ++r->n < READ_MAX;
}

/* A character that is part of a pair says less than the pair. */
static bool
is_in_pair(const struct reader *r, size_t i)
{
    size_t to = i + 4 < r->n ? i + 4 : r->n;

    for (size_t k = i > 2 ? i - 2 : 0; k < to; k++)
        if (r->word[k].kind == SHELF_PAIR &&
            r->word[k].from <= r->word[i].from &&
            r->word[k].to >= r->word[i].to)
            return true;
    return false;
}

static bool
is_wanted(const struct reader *r, size_t i)
{
    const struct shelf_word *w = &r->word[i];

    if (w->kind == SHELF_PAIR)
        return true;
    if (w->kind == SHELF_CHARACTER && is_in_pair(r, i))
        return false;
    return !is_stop(r, w);
}

/* The images are looked for by any word for them. */
static void
media_add(struct query_term *t)
{
    for (size_t i = 0; i < t->n_stems; i++)
        if (strcmp(t->stem[i], IMAGE_WORD) == 0)
            return;
    if (strcmp(t->word, IMAGE_WORD) != 0 && t->n_stems < COUNT_OF(t->stem))
        t->stem[t->n_stems++] = IMAGE_WORD;
}

static struct query_term *
term_add(struct query *q, const struct shelf_word *w)
{
    struct query_term *t = term_find(q, w->s, w->len);

    if (t != NULL || q->n_terms == QUERY_TERMS)
        return t;
    t = &q->term[q->n_terms++];
    memset(t, 0, sizeof(*t));
    t->word = w->s;
    t->len = w->len;
    t->weight = 1;
    if (w->kind == SHELF_WORD)
        stems_add(q, t);
    if (is_media(t->word))
        media_add(t);
    return t;
}

static void
read_words(struct reader *r, const char *text, size_t n)
{
    r->text = text;
    r->n = 0;
    r->lang = word_guess(text, n);
    shelf_token_walk(r->q->conn->token, text, n, word_keep, r);
}

/* What was typed. */
static void
read_typed(struct reader *r, const char *text, size_t n)
{
    struct query *q = r->q;
    unsigned strong = 0;

    read_words(r, text, n);
    for (size_t i = 0; i < r->n && q->n_terms < QUERY_TERMS - QUERY_RECENT;
         i++) {
        struct query_term *t = is_wanted(r, i) ? term_add(q, &r->word[i])
                                               : NULL;

        if (t == NULL)
            continue;
        if (is_asking(t->word))
            t->weight = WEAK_WEIGHT;
        else if (is_media(t->word))
            t->weight = MEDIA_WEIGHT;
        q->images |= is_media(t->word);
        strong += t->weight >= 1;
        t->prefix = t->len >= PREFIX_MIN && r->word[i].kind == SHELF_WORD &&
                    i + 1 == r->n && r->word[i].to == n;
    }
    q->plain = strong == 0;
    for (unsigned i = 0; q->plain && i < q->n_terms; i++)
        if (q->ask->recent_len == 0)
            q->term[i].weight = 1; /* nothing else is there to go by */
    if (q->plain && q->ask->recent_len == 0 && q->n_terms > 0)
        q->plain = false;
}

static void
recent_add(struct reader *r, size_t i)
{
    struct query *q = r->q;
    unsigned had = q->n_terms;
    struct query_term *t = term_add(q, &r->word[i]);

    if (t == NULL || q->n_terms == had)
        return;
    t->recent = true;
    t->weight = q->plain ? 1 : RECENT_WEIGHT;
}

/* What was said before, the newest words first. That it was about images counts
 * only where it was about nothing else. */
static void
read_recent(struct reader *r, const char *text, size_t n)
{
    struct query *q = r->q;
    unsigned before = q->n_terms;
    size_t images = SIZE_MAX;

    read_words(r, text, n);
    for (size_t i = r->n; i-- > 0 && q->n_terms < before + QUERY_RECENT;) {
        if (!is_wanted(r, i) || is_asking(r->word[i].s))
            continue;
        if (is_media(r->word[i].s))
            images = i;
        else
            recent_add(r, i);
    }
    if (q->n_terms == before && images != SIZE_MAX)
        recent_add(r, images);
}

/* The last bytes of what was said, from a character on. */
static void
recent_tail(const struct files_query *ask, struct buf *out)
{
    size_t n = ask->recent == NULL ? 0 : ask->recent_len, from = 0;

    if (n > QUERY_RECENT_MAX)
        from = n - QUERY_RECENT_MAX;
    while (from < n && from > 0 &&
           ((unsigned char)ask->recent[from] & 0xc0) == 0x80)
        from++;
    if (n > from)
        utf8_scrub(out, ask->recent + from, n - from);
}

static void
first_bytes(struct query *q)
{
    memset(q->first, 0, sizeof(q->first));
    for (unsigned i = 0; i < q->n_terms; i++) {
        const struct query_term *t = &q->term[i];

        q->first[(unsigned char)t->word[0]] |= UINT64_C(1) << i;
        for (size_t k = 0; k < t->n_stems; k++)
            q->first[(unsigned char)t->stem[k][0]] |= UINT64_C(1) << i;
    }
}

double
query_recent_weight(const struct query *q)
{
    return q->plain ? 1 : RECENT_VECTOR;
}

void
query_words(struct query *q)
{
    const struct files_query *ask = q->ask;
    struct reader r = {.q = q};
    struct buf typed, said;

    buf_init(&typed, 3 * FILES_QUERY_MAX);
    buf_init(&said, 3 * (QUERY_RECENT_MAX + 4));
    if (ask->len > 0)
        utf8_scrub(&typed, ask->text,
                   ask->len < FILES_QUERY_MAX
                       ? ask->len
                       : utf8_whole(ask->text, FILES_QUERY_MAX));
    recent_tail(ask, &said);
    r.word = xcalloc(READ_MAX, sizeof(*r.word));
    read_typed(&r, buf_cstr(&typed), typed.len);
    read_recent(&r, buf_cstr(&said), said.len);
    free(r.word);
    first_bytes(q);
    vector_of(typed.len > 0 ? typed.data : "", typed.len, q->vector);
    memcpy(q->typed, q->vector, sizeof(q->typed));
    if (q->n_terms > 0 && said.len > 0) {
        float recent[VECTOR_DIMS];

        vector_of(said.data, said.len, recent);
        vector_mix(q->vector, recent, VECTOR_DIMS, query_recent_weight(q));
        vector_normalise(q->vector, VECTOR_DIMS);
    }
    for (size_t i = 0; q->n_terms > 0 && i < VECTOR_DIMS; i++)
        q->has_vector |= q->vector[i] != 0;
    buf_release(&typed);
    buf_release(&said);
}

/* --- recognising ---------------------------------------------------------- */

static bool
is_stem_of(const struct query_term *t, const char *s, size_t n)
{
    if (t->len == n && memcmp(t->word, s, n) == 0)
        return true;
    for (size_t i = 0; i < t->n_stems; i++)
        if (strncmp(t->stem[i], s, n) == 0 && t->stem[i][n] == '\0')
            return true;
    return false;
}

int
query_match(const struct query *q, enum lang lang, const struct shelf_word *w,
            enum query_match *how)
{
    uint64_t may = q->first[(unsigned char)w->s[0]];
    char stem[SHELF_WORD_MAX + 1];
    size_t n_stem = 0;
    int begun = -1;

    for (; may != 0; may &= may - 1) {
        int i = __builtin_ctzll(may);
        const struct query_term *t = &q->term[i];

        if (t->len == w->len && memcmp(t->word, w->s, w->len) == 0) {
            *how = MATCH_WORD;
            return i;
        }
        if (w->kind != SHELF_WORD)
            continue;
        if (n_stem == 0)
            n_stem = shelf_token_stem(q->conn->token, lang, w->s, w->len, stem);
        if (is_stem_of(t, stem, n_stem) || is_stem_of(t, w->s, w->len)) {
            *how = MATCH_STEM;
            return i;
        }
        if (t->prefix && t->len < w->len && memcmp(t->word, w->s, t->len) == 0)
            begun = i;
    }
    *how = MATCH_PREFIX;
    return begun;
}

/*
 * A table with one slot for each hash, in which the word is that came last: who
 * has another one makes its stem and takes the slot.
 */
#include "base/base.h"

#include "files/stems.h"

#include "base/mem.h"

#define KEPT_MAX 22 /* bytes of a word that is remembered, and of its stem */

struct stem {
    uint8_t lang, len, stem_len; /* len 0: empty */
    char word[KEPT_MAX], stem[KEPT_MAX];
};

struct stems {
    struct stemmer *stemmer[LANG__MAX]; /* owned; made when first used */
    struct stem *at;                    /* owned; the same */
    size_t slots;
};

struct stems *
stems_new(size_t slots)
{
    struct stems *s = xcalloc(1, sizeof(*s));

    assert((slots & (slots - 1)) == 0);
    s->slots = slots;
    return s;
}

void
stems_free(struct stems *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < COUNT_OF(s->stemmer); i++)
        stemmer_free(s->stemmer[i]);
    free(s->at);
    free(s);
}

uint64_t
stems_hash(const char *word, size_t n)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)word[i]) * 0x100000001b3u;
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93u;
    return h ^ h >> 32;
}

static size_t
make(struct stems *s, enum lang lang, const char *word, size_t n,
     char out[WORD_FOLD_MAX + 1])
{
    if (s->stemmer[lang] == NULL)
        s->stemmer[lang] = stemmer_new(lang);
    memcpy(out, word, n);
    out[n] = '\0';
    return stemmer_cut(s->stemmer[lang], out, n);
}

size_t
stems_cut(struct stems *s, enum lang lang, const char *word, size_t n,
          uint64_t hash, char out[WORD_FOLD_MAX + 1])
{
    struct stem *k;

    if (s->slots == 0 || n == 0 || n > KEPT_MAX)
        return make(s, lang, word, n, out);
    if (s->at == NULL)
        s->at = xcalloc(s->slots, sizeof(*s->at));
    k = &s->at[(hash + (uint64_t)lang * 7919) & (s->slots - 1)];
    if (k->len != n || k->lang != lang || memcmp(k->word, word, n) != 0) {
        size_t len = make(s, lang, word, n, out);

        if (len > KEPT_MAX)
            return len;
        k->lang = (uint8_t)lang;
        k->len = (uint8_t)n;
        k->stem_len = (uint8_t)len;
        memcpy(k->word, word, n);
        memcpy(k->stem, out, len);
        return len;
    }
    memcpy(out, k->stem, k->stem_len);
    return k->stem_len;
}

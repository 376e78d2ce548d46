/*
 * The word scores, in a table by hash.
 *
 * AFINN was made from short messages of a decade ago. Some of its words mean
 * something else in a chat about work ("please", "drop", "kill"), and words
 * that reviews are full of are missing; the table below says what we think of
 * those, and wins over the file. Without the file nothing is scored at all:
 * half a lexicon would be confidently wrong.
 */
#include "base/base.h"

#include "lang/lexicon.h"

#include <pthread.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "lang/word.h"

#define SLOTS 32768 /* a power of two, over three times the entries */

_Static_assert(SLOTS >= 3 * LEXICON_ENTRIES_MAX, "a hash table needs room");

struct entry {
    char key[LEXICON_KEY_MAX + 1]; /* "": free */
    int score;
};

struct lexicon {
    struct entry *slots; /* owned; SLOTS of them */
    size_t n;
};

static const struct {
    const char *key;
    int score;
} house[] = {
    {"accept", 0},
    {"accepted", 0},
    {"accepts", 0},
    {"alert", 0},
    {"allow", 0},
    {"big", 0},
    {"block", 0},
    {"bug", -2},
    {"buggy", -3},
    {"bugs", -2},
    {"certain", 0},
    {"cheap", -1},
    {"clear", 1},
    {"clunky", -2},
    {"commit", 0},
    {"confusing", -2},
    {"cost", 0},
    {"crash", -2},
    {"crashed", -3},
    {"crashes", -3},
    {"crashing", -3},
    {"cut", 0},
    {"dead", -2},
    {"drop", 0},
    {"durable", 2},
    {"elegant", 2},
    {"expensive", -2},
    {"error", -1},
    {"errors", -1},
    {"limits", 0},
    {"limited", -1},
    {"rejected", -1},
    {"supports", 0},
    {"supported", 0},
    {"safety", 0},
    {"fast", 2},
    {"faster", 2},
    {"fire", 0},
    {"flawless", 4},
    {"flimsy", -2},
    {"free", 0},
    {"growth", 1},
    {"hard", 0},
    {"help", 1},
    {"impressed", 3},
    {"intuitive", 2},
    {"interest", 0},
    {"fan", 0},
    {"fans", 0},
    {"rose", 0},

    {"kill", -1},
    {"kind", 0},
    {"lightweight", 1},
    {"matter", 0},
    {"matters", 0},
    {"miss", -1},
    {"no", 0},
    {"novel", 0},
    {"overpriced", -3},
    {"please", 0},
    {"pretty", 0},
    {"quick", 1},
    {"quickly", 1},
    {"reach", 0},
    {"refund", -1},
    {"robust", 2},
    {"share", 0},
    {"shared", 0},
    {"shares", 0},
    {"sluggish", -2},
    {"slow", -2},
    {"slower", -2},
    {"slowly", -1},
    {"smooth", 2},
    {"smoothly", 2},
    {"speedy", 2},
    {"stable", 2},
    {"stop", 0},
    {"sturdy", 2},
    {"super", 0},
    {"support", 0},
    {"superb", 5},
    {"top", 1},
    {"true", 0},
    {"unhelpful", -2},
    {"united", 0},
    {"unreliable", -3},
    {"unresponsive", -2},
    {"unusable", -3},
    {"waste", -2},
    {"well-made", 2},
    {"works great", 3},
    {"works perfectly", 4},
    {"works well", 2},
    {"worked well", 2},
    {"work well", 2},
    {"yes", 0},
    {"broken", -2},
    {"fell apart", -3},
    {"falls apart", -3},
    {"want", 0},
    {"natural", 0},
    {"friendly", 2},
    {"user friendly", 2},
    {"highly recommend", 4},
    {"stopped working", -3},
    {"let down", -2},
    {"must have", 2},
};

static struct entry *
slot(const struct lexicon *lex, const char *key, size_t n)
{
    uint32_t h = 2166136261u;
    size_t at;

    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)key[i]) * 16777619u;
    at = (h ^ h >> 15) & (SLOTS - 1);
    while (lex->slots[at].key[0] != '\0' &&
           (strncmp(lex->slots[at].key, key, n) != 0 ||
            lex->slots[at].key[n] != '\0'))
        at = (at + 1) & (SLOTS - 1);
    return &lex->slots[at];
}

/* Words as they are looked up: small letters, one space for what divides them.
 * 0: it is no key. */
static size_t
key_of(const char *s, size_t n, char key[LEXICON_KEY_MAX + 1])
{
    size_t pos = 0, len = 0, words = 0;
    struct word w;

    while (word_next(s, n, &pos, &w)) {
        char folded[WORD_FOLD_MAX + 1];
        size_t k = word_fold(s + w.start, w.len, folded);

        if (++words > LEXICON_WORDS_MAX || len + k + 1 > LEXICON_KEY_MAX)
            return 0;
        if (len > 0)
            key[len++] = ' ';
        memcpy(key + len, folded, k);
        len += k;
    }
    key[len] = '\0';
    return len;
}

static enum err
put(struct lexicon *lex, const char *s, size_t n, int score)
{
    char key[LEXICON_KEY_MAX + 1];
    struct entry *e;

    n = key_of(s, n, key);
    if (n == 0)
        return OK; /* no word of ours: an entry that can never be met */
    e = slot(lex, key, n);
    if (e->key[0] == '\0') {
        if (lex->n == LEXICON_ENTRIES_MAX)
            return ERR_TOOBIG;
        memcpy(e->key, key, n + 1);
        lex->n++;
    }
    e->score = score;
    return OK;
}

static enum err
put_line(struct lexicon *lex, const char *s, size_t n)
{
    const char *tab;
    int64_t score;
    enum err e;

    if (n > 0 && s[n - 1] == '\r')
        n--;
    if (n == 0 || s[0] == '#')
        return OK;
    tab = memchr(s, '\t', n);
    if (tab == NULL || tab == s || !utf8_valid(s, n))
        return ERR_BADREQ;
    e = text_i64(tab + 1, n - (size_t)(tab + 1 - s), -LEXICON_SCORE_MAX,
                 LEXICON_SCORE_MAX, &score);
    return e ? e : put(lex, s, (size_t)(tab - s), (int)score);
}

enum err
lexicon_read(struct lexicon **out, const char *s, size_t n, size_t *line)
{
    struct lexicon *lex;
    enum err e = n <= LEXICON_BYTES_MAX ? OK : ERR_TOOBIG;
    size_t i = 0, number = 0;

    *out = NULL;
    if (e)
        return e;
    lex = xcalloc(1, sizeof(*lex));
    lex->slots = xcalloc(SLOTS, sizeof(lex->slots[0]));
    while (i < n && e == OK) {
        const char *end = memchr(s + i, '\n', n - i);
        size_t len = end != NULL ? (size_t)(end - s) - i : n - i;

        number++;
        e = put_line(lex, s + i, len);
        i += len + 1;
    }
    for (i = 0; i < COUNT_OF(house) && e == OK; i++)
        e = put(lex, house[i].key, strlen(house[i].key), house[i].score);
    if (line != NULL)
        *line = number;
    if (e) {
        lexicon_free(lex);
        return e;
    }
    *out = lex;
    return OK;
}

void
lexicon_free(struct lexicon *lex)
{
    if (lex == NULL)
        return;
    free(lex->slots);
    free(lex);
}

bool
lexicon_find(const struct lexicon *lex, const char *words, size_t n, int *score)
{
    const struct entry *e;

    if (n == 0 || n > LEXICON_KEY_MAX)
        return false;
    e = slot(lex, words, n);
    if (e->key[0] == '\0')
        return false;
    *score = (int)e->score;
    return true;
}

size_t
lexicon_count(const struct lexicon *lex)
{
    return lex->n;
}

/* ---- the file -------------------------------------------------------- */

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER; /* guards the two */
static const struct lexicon *loaded;                   /* for good */
static bool complained;

static const struct lexicon *
get(void)
{
    const struct lexicon *lex;

    (void)pthread_mutex_lock(&mu);
    lex = loaded;
    (void)pthread_mutex_unlock(&mu);
    return lex;
}

static enum err
complain(const char *path, const char *why, size_t line)
{
    bool first;

    (void)pthread_mutex_lock(&mu);
    first = !complained;
    complained = true;
    (void)pthread_mutex_unlock(&mu);
    if (first)
        log_warn("lexicon.missing", "path=%s line=%zu why=\"%s\"", path, line,
                 why);
    return ERR_NOTFOUND;
}

enum err
lexicon_load(const char *root, const struct lexicon **out)
{
    struct lexicon *lex;
    char path[512], *bytes;
    ssize_t n;
    size_t line = 0;
    enum err e;

    *out = get();
    if (*out != NULL)
        return OK;
    if ((size_t)snprintf(path, sizeof(path), "%s/etc/lexicon/afinn.tsv",
                         root) >= sizeof(path))
        return complain("etc/lexicon/afinn.tsv", "the path is too long", 0);
    bytes = xmalloc(LEXICON_BYTES_MAX + 1);
    n = file_read(path, bytes, LEXICON_BYTES_MAX + 1);
    if (n < 0) {
        free(bytes);
        return complain(path, strerror(errno), 0);
    }
    e = lexicon_read(&lex, bytes, (size_t)n, &line);
    free(bytes);
    if (e)
        return complain(path, err_text(e), line);
    (void)pthread_mutex_lock(&mu);
    if (loaded == NULL) {
        loaded = lex;
        lex = NULL;
    }
    *out = loaded;
    (void)pthread_mutex_unlock(&mu);
    lexicon_free(lex); /* somebody was faster */
    return OK;
}

/*
 * Words are read in one pass: small letters are written aside while the hash of
 * the word is made, and each different word gets one slot in a table that holds
 * how often it came. What costs much (stems, letter n-grams) is then done once
 * for each different word.
 *
 * The words of lang/word.h would do, but they keep "node.js" and "3.5" whole,
 * which is right for reading and wrong for finding; and reading by a table of
 * bytes is several times as fast. Stop words are looked up by the same hash, in
 * a table of four languages that is made once; which of them hits most tells
 * the language.
 */
#include "base/base.h"

#include "files/vector_terms.h"

#include <pthread.h>

#include "base/mem.h"
#include "lang/letter.h"

#define SLOTS_MIN 64
#define STOPS (1u << 12) /* slots; more than twice the words of all lists */
#define PAIR_SEED 0x9ae16a3b2f90404fu

struct stop {
    const char *word;
    uint8_t langs; /* a bit for each */
};
static struct stop stops[STOPS];
static pthread_once_t stops_once = PTHREAD_ONCE_INIT;

/* What a byte is in a word. */
enum {
    B_OTHER,
    B_LOWER,
    B_UPPER,
    B_DIGIT,
    B_LINE, /* "_" */
    B_APOSTROPHE,
    B_WIDE /* of a longer character */
};
static uint8_t byte_kind[256];

static uint64_t
hash_of(const char *s, size_t n)
{
    uint64_t h = TERM_HASH;

    for (size_t i = 0; i < n; i++)
        h = term_hash(h, (unsigned char)s[i]);
    return term_mixed(h);
}

static struct stop *
stop_slot(uint64_t hash, const char *s, size_t n)
{
    size_t i = hash & (STOPS - 1);

    while (stops[i].word != NULL &&
           (strncmp(stops[i].word, s, n) != 0 || stops[i].word[n] != '\0'))
        i = (i + 1) & (STOPS - 1);
    return &stops[i];
}

static void
tables_make(void)
{
    for (int c = 0; c < 256; c++)
        byte_kind[c] = c >= 'a' && c <= 'z'   ? B_LOWER
                       : c >= 'A' && c <= 'Z' ? B_UPPER
                       : c >= '0' && c <= '9' ? B_DIGIT
                       : c == '_'             ? B_LINE
                       : c == '\''            ? B_APOSTROPHE
                       : c >= 0x80            ? B_WIDE
                                              : B_OTHER;
    for (int lang = LANG_EN; lang < LANG__MAX; lang++) {
        size_t n;
        const char *const *list = word_stops((enum lang)lang, &n);

        for (size_t i = 0; i < n; i++) {
            size_t len = strlen(list[i]);
            struct stop *slot = stop_slot(hash_of(list[i], len), list[i], len);

            slot->word = list[i];
            slot->langs = (uint8_t)(slot->langs | 1u << lang);
        }
    }
}

struct reader {
    struct terms *t;
    const char *s;
    size_t n, i;
    size_t text_len;
    uint32_t *slots;        /* owned; the number of a term, from 1; 0: none */
    size_t n_slots, room;   /* room: terms */
    uint64_t before;        /* the word that stood here; 0: none */
    bool sign;              /* it is a character */
    size_t hits[LANG__MAX]; /* stop words */
};

/* A term, counted; NULL: there is no room for another. */
static struct term *
count(struct reader *r, uint64_t hash, enum term_kind kind)
{
    size_t i = (hash >> 7) & (r->n_slots - 1);
    struct term *t;

    for (; r->slots[i] != 0; i = (i + 1) & (r->n_slots - 1)) {
        t = &r->t->at[r->slots[i] - 1];
        if (t->hash == hash && t->kind == kind) {
            t->count++;
            return t;
        }
    }
    if (r->t->n == r->room)
        return NULL;
    t = &r->t->at[r->t->n++];
    *t = (struct term){.hash = hash, .kind = (uint8_t)kind, .count = 1};
    r->slots[i] = (uint32_t)r->t->n;
    return t;
}

/* A word or part of one, whose small letters are at start. */
static void
add(struct reader *r, size_t start, size_t len, enum term_kind kind, bool odd)
{
    const char *s = r->t->text + start;
    uint64_t hash = hash_of(s, len);
    struct term *t = count(r, hash, kind);

    if (t != NULL && t->count == 1) {
        t->start = (uint32_t)start;
        t->len = (uint16_t)len;
        t->odd = odd;
        t->langs = stop_slot(hash, s, len)->langs;
        t->stop = t->langs != 0 || (len == 1 && !odd);
    }
    if (t != NULL && t->stop) {
        for (int i = LANG_EN; t->langs != 0 && i < LANG__MAX; i++)
            r->hits[i] += t->langs >> i & 1;
        return;
    }
    if (kind != TERM_WORD)
        return;
    if (r->before != 0 && !r->sign)
        (void)count(r, term_mixed(r->before * 3 + hash) ^ PAIR_SEED, TERM_PAIR);
    r->before = hash;
    r->sign = false;
}

/* A character of a script without spaces: only with the next one it means
 * something. */
static void
add_sign(struct reader *r, size_t start, size_t len)
{
    char c[5];
    uint64_t hash = hash_of(r->t->text + start, len);
    struct term *t = count(r, hash, TERM_SIGN);

    memcpy(c, r->t->text + start, len);
    c[len] = '\0';
    if (t != NULL && t->count == 1) {
        t->start = (uint32_t)start;
        t->len = (uint16_t)len;
        t->stop = word_is_stop(LANG_NONE, c);
    }
    if (r->before != 0 && r->sign)
        (void)count(r, term_mixed(r->before * 3 + hash) ^ PAIR_SEED,
                    TERM_SIGNS);
    r->before = hash;
    r->sign = true;
}

static inline size_t
fold(struct reader *r, uint32_t c)
{
    size_t n = 1;

    if (c < 0x80)
        r->t->text[r->text_len] = (char)(byte_kind[c] == B_UPPER ? c | 0x20
                                                                 : c);
    else
        n = letter_write(letter_lower(c), r->t->text + r->text_len);
    r->text_len += n;
    return n;
}

static int
look_wide(const struct reader *r, size_t i, size_t *len, uint32_t *c)
{
    *len = letter_read(r->s + i, r->n - i, c);
    if (*c == 0x2019)
        return B_APOSTROPHE;
    if (!letter_is_word(*c))
        return B_OTHER;
    if (letter_is_cjk(*c))
        return B_WIDE;
    return letter_is_digit(*c)   ? B_DIGIT
           : letter_is_upper(*c) ? B_UPPER
                                 : B_LOWER;
}

/* The kind of the character at i, its length and itself. */
static inline int
look(const struct reader *r, size_t i, size_t *len, uint32_t *c)
{
    *len = 1;
    *c = (unsigned char)r->s[i];
    return byte_kind[*c] != B_WIDE ? byte_kind[*c] : look_wide(r, i, len, c);
}

/* Does a part of a word end between these two? */
static bool
is_border(int before, int now)
{
    return (before == B_LOWER && now == B_UPPER) ||
           (before == B_DIGIT) != (now == B_DIGIT);
}

/* "l'homme" is two words: is what stands before the apostrophe one of them? */
static bool
is_elision(const char *s, size_t n)
{
    return (n == 1 && strchr("ldjnscmtq", s[0]) != NULL) ||
           (n == 2 && s[0] == 'q' && s[1] == 'u');
}

/* The word at r->i, whose first character has this kind. */
static void
read_word(struct reader *r)
{
    size_t start = r->text_len, part = start, parts = 0, len;
    int before = B_OTHER, kind;
    bool odd = false, part_odd = false;
    uint32_t c;

    for (; r->i < r->n; r->i += len, before = kind) {
        kind = look(r, r->i, &len, &c);
        if (kind == B_APOSTROPHE && before == B_LOWER &&
            !is_elision(r->t->text + start, r->text_len - start) &&
            r->i + len < r->n &&
            byte_kind[(unsigned char)r->s[r->i + len]] == B_LOWER) {
            r->t->text[r->text_len++] = '\'';
            kind = B_LOWER;
            continue;
        }
        if (kind == B_OTHER || kind == B_APOSTROPHE || kind == B_WIDE)
            break;
        if (r->text_len - start + 4 > WORD_FOLD_MAX)
            continue;
        if (r->text_len > part && (kind == B_LINE || is_border(before, kind))) {
            add(r, part, r->text_len - part, TERM_PART, part_odd);
            part_odd = false;
            parts++;
            part = r->text_len;
        }
        (void)fold(r, c);
        part += kind == B_LINE && part == r->text_len - 1;
        odd = odd || kind == B_DIGIT || kind == B_LINE;
        part_odd = part_odd || kind == B_DIGIT;
    }
    if (parts > 0 && r->text_len > part)
        add(r, part, r->text_len - part, TERM_PART, part_odd);
    if (r->text_len > start)
        add(r, start, r->text_len - start, TERM_WORD, odd);
}

static void
read_all(struct reader *r)
{
    while (r->i < r->n) {
        size_t len;
        uint32_t c;
        int kind = look(r, r->i, &len, &c);

        if (kind == B_WIDE) {
            size_t start = r->text_len;

            r->i += len;
            add_sign(r, start, fold(r, c));
        } else if (kind == B_OTHER || kind == B_APOSTROPHE) {
            r->i += len;
        } else {
            read_word(r);
        }
    }
}

void
terms_read(struct terms *t, const char *s, size_t n)
{
    struct reader r = {.t = t, .s = s, .n = n};
    size_t best = 0;

    (void)pthread_once(&stops_once, tables_make);
    *t = (struct terms){.lang = LANG_NONE};
    for (r.n_slots = SLOTS_MIN; r.n_slots < n;)
        r.n_slots *= 2;
    r.room = r.n_slots / 4 * 3;
    r.slots = xcalloc(r.n_slots, sizeof(r.slots[0]));
    t->at = xmalloc(r.room * sizeof(t->at[0]));
    t->text = xmalloc(n + 4);
    read_all(&r);
    free(r.slots);
    for (int i = LANG_EN; i < LANG__MAX; i++) {
        if (r.hits[i] == best)
            t->lang = LANG_NONE;
        if (r.hits[i] > best) {
            best = r.hits[i];
            t->lang = (enum lang)i;
        }
    }
}

void
terms_release(struct terms *t)
{
    free(t->at);
    free(t->text);
    memset(t, 0, sizeof(*t));
}

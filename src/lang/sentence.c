/*
 * Cutting prose into sentences by rules.
 *
 * Each mark that may end a sentence is judged by the word before it and the
 * letter after it, which settles nearly all of English, German, French and
 * Spanish; a trained model would do better on the rest and worse on chat. What
 * helps chat: in a paragraph that is written without capitals, a small letter
 * after a full stop begins a sentence; faces after a mark belong to it.
 *
 * A sentence that has no letter of its own ("…", "1.") joins the one before.
 */
#include "base/base.h"

#include "lang/sentence.h"

#include "base/mem.h"
#include "lang/letter.h"
#include "lang/word.h"

#define GUESS_BYTES 4096 /* of a text, to guess its language by */
#define BEFORE_MAX 24    /* bytes of a word that may be an abbreviation */

struct cutter {
    struct sentences *out;
    const struct plain *plain;
    const char *s; /* all plain text */
    size_t cap;    /* of out->at */
    enum lang lang;
    const struct plain_block *block;
    uint32_t n_block;
    bool informal;
};

static bool
is_end(uint32_t c)
{
    switch (c) {
    case '.':
    case '!':
    case '?':
    case 0x2026: /* … */
    case 0x203C:
    case 0x2047:
    case 0x2048:
    case 0x2049:
    case 0x3002: /* 。 */
    case 0xFF01:
    case 0xFF0E:
    case 0xFF1F:
    case 0xFF61:
    case 0x0589: /* Armenian */
    case 0x061F: /* Arabic */
    case 0x06D4:
    case 0x0964: /* Devanagari */
    case 0x0965: return true;
    default: return false;
    }
}

static bool
is_closer(uint32_t c)
{
    switch (c) {
    case '"':
    case '\'':
    case ')':
    case ']':
    case 0xBB:   /* » */
    case 0x2019: /* ’ */
    case 0x201C: /* “ closes in German */
    case 0x201D:
    case 0x203A:
    case 0x300D:
    case 0x300F:
    case 0x3011:
    case 0xFF09: return true;
    default: return false;
    }
}

static bool
is_opener(uint32_t c)
{
    switch (c) {
    case '"':
    case '\'':
    case '(':
    case '[':
    case '-':
    case 0xA1: /* ¡ */
    case 0xAB:
    case 0xBF: /* ¿ */
    case 0x2013:
    case 0x2014:
    case 0x2018:
    case 0x201A:
    case 0x201C:
    case 0x201E:
    case 0x2039:
    case 0x300C:
    case 0x300E:
    case 0xFF08: return true;
    default: return false;
    }
}

/* What follows a mark: the first letter past spaces and opening quotes. */
struct after {
    size_t at;  /* where its word begins */
    uint32_t c; /* '\n' at the end of the line or block */
    bool space; /* before it */
};

static struct after
look_after(const struct cutter *x, size_t i)
{
    struct after a = {i, '\n', false};

    while (a.at < x->block->end) {
        size_t n = letter_read(x->s + a.at, x->block->end - a.at, &a.c);

        if (a.c == ' ')
            a.space = true;
        else if (!is_opener(a.c))
            return a;
        a.at += n;
    }
    a.c = '\n';
    return a;
}

/* The word that ends at i, with dots within; its length. */
static size_t
word_before(const struct cutter *x, size_t start, size_t i)
{
    size_t k = i;

    while (k > start && i - k < BEFORE_MAX) {
        uint32_t c = letter_before(x->s, k);
        size_t n;
        char out[4];

        if (!letter_is_word(c) && c != '.')
            break;
        n = letter_write(c, out);
        if (n > k - start)
            break;
        k -= n;
    }
    return i - k;
}

/* "J", "U.S", "p.m": letters with dots between them? */
static bool
is_initials(const char *w, size_t n)
{
    for (size_t i = 0; i < n;) {
        uint32_t c;

        i += letter_read(w + i, n - i, &c);
        if (!letter_is_alpha(c) || (i < n && w[i] != '.'))
            return false;
        i++;
    }
    return n > 0;
}

static bool
is_number(const char *w, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (w[i] < '0' || w[i] > '9')
            return false;
    }
    return n > 0;
}

static bool
starter_at(const struct cutter *x, size_t i)
{
    size_t pos = i;
    struct word w;

    return word_next(x->s, x->block->end, &pos, &w) && w.start == i &&
           sentence_starter(x->s + i, w.len);
}

/* Does a single "." at i end a sentence that began at start? */
static bool
dot_ends(const struct cutter *x, size_t start, size_t i, bool closed,
         const struct after *a)
{
    size_t n = word_before(x, start, i);
    const char *w = x->s + i - n;
    enum abbrev kind = sentence_abbrev(w, n);
    bool initials = is_initials(w, n) && !(n == 1 && w[0] == 'I');

    if (letter_is_lower(a->c))
        return x->informal && kind == ABBREV_NONE && !initials && !closed;
    if (closed)
        return true;
    if (is_number(w, n) && n <= 2) {
        if (i - n == start)
            return false; /* "1. Do this" in the middle of a line */
        return x->lang != LANG_DE || !letter_is_upper(a->c) ||
               starter_at(x, a->at);
    }
    switch (kind) {
    case ABBREV_ALWAYS: return false;
    case ABBREV_NUMBER: return !letter_is_digit(a->c);
    case ABBREV_MAYBE: return !letter_is_digit(a->c) && starter_at(x, a->at);
    case ABBREV_NONE: break;
    }
    if (initials)
        return !letter_is_digit(a->c) &&
               (!letter_is_upper(a->c) || starter_at(x, a->at));
    return true;
}

/* Marks from i to j, closing quotes to k: is that the end? */
static bool
ends(const struct cutter *x, size_t start, size_t i, size_t j, size_t k)
{
    struct after a = look_after(x, k);
    uint32_t first;
    size_t n = letter_read(x->s + i, j - i, &first);

    if (a.c == '\n')
        return true;
    if (first > 0x2049 || first == 0x061F || first == 0x06D4)
        return !is_closer(a.c);
    if (!a.space) {
        uint32_t before = i > start ? letter_before(x->s, i) : ' ';

        return (letter_is_cjk(a.c) && first != '.') ||
               (first != '.' && first != 0x2026 && k == j &&
                letter_is_alpha(before) && letter_is_upper(a.c));
    }
    if (first == '.' && j - i == n)
        return dot_ends(x, start, i, k > j, &a);
    if (first == '.' || first == 0x2026)
        return !letter_is_lower(a.c);
    return k == j || !letter_is_lower(a.c);
}

static void
keep(struct cutter *x, size_t from, size_t to)
{
    struct sentences *out = x->out;
    struct sentence *last = out->n > 0 ? &out->at[out->n - 1] : NULL;
    const uint32_t *map = x->plain->from;
    bool letters = false;
    uint32_t c;

    while (from < to && strchr(" \n", x->s[from]) != NULL)
        from++;
    while (to > from && strchr(" \n", x->s[to - 1]) != NULL)
        to--;
    if (from == to)
        return;
    for (size_t i = from; i < to && !letters;) {
        i += letter_read(x->s + i, to - i, &c);
        letters = letter_is_word(c) || letter_is_emoji(c);
    }
    if (!letters && last != NULL && last->block == x->n_block &&
        to - (size_t)(last->text - x->s) <= SENTENCE_LEN_MAX) {
        last->len = to - (size_t)(last->text - x->s);
        last->end = map[to - 1] + (size_t)1;
        return;
    }
    if (out->n == SENTENCES_MAX) {
        out->cut = true;
        return;
    }
    if (out->n >= x->cap) {
        x->cap = x->cap > 0 ? 2 * x->cap : 64;
        out->at = xrealloc(out->at, x->cap * sizeof(out->at[0]));
    }
    out->at[out->n++] = (struct sentence){.text = x->s + from,
                                          .len = to - from,
                                          .start = map[from],
                                          .end = map[to - 1] + (size_t)1,
                                          .block = x->n_block,
                                          .kind = x->block->kind};
}

/* As keep, in pieces that are short enough. */
static void
keep_all(struct cutter *x, size_t from, size_t to)
{
    while (to - from > SENTENCE_LEN_MAX) {
        size_t i = from + SENTENCE_LEN_MAX, k;

        for (k = i; k > from + SENTENCE_LEN_MAX / 2 && x->s[k] != ' '; k--) {}
        if (x->s[k] != ' ') {
            for (k = i; ((unsigned char)x->s[k] & 0xC0) == 0x80; k--) {}
        }
        keep(x, from, k);
        from = k;
    }
    keep(x, from, to);
}

/* The end of an address that begins with the word before "://" at i; marks at
 * its end are not part of it. */
static size_t
url_end(const struct cutter *x, size_t i)
{
    while (i < x->block->end && x->s[i] != ' ' && x->s[i] != '\n')
        i++;
    while (i > 0 && strchr(".,;:!?'\")]", x->s[i - 1]) != NULL)
        i--;
    return i;
}

/* Faces after a mark are part of what it ends. */
static size_t
with_faces(const struct cutter *x, size_t k)
{
    size_t i = k;

    while (i < x->block->end) {
        uint32_t c;
        size_t n = letter_read(x->s + i, x->block->end - i, &c);

        if (letter_is_emoji(c) || c == 0xFE0F || c == 0x200D)
            k = i + n;
        else if (c != ' ')
            break;
        i += n;
    }
    return k;
}

static void
cut_block(struct cutter *x)
{
    size_t start = x->block->start, i = start, end = x->block->end;

    while (i < end) {
        uint32_t c;
        size_t n = letter_read(x->s + i, end - i, &c), j, k;

        if (c == '\n') {
            keep_all(x, start, i);
            start = i += n;
            continue;
        }
        if (c == ':' && end - i > 3 && memcmp(x->s + i, "://", 3) == 0) {
            i = url_end(x, i + 3);
            continue;
        }
        if (!is_end(c)) {
            i += n;
            continue;
        }
        for (j = i; j < end && is_end(c);) {
            j += n;
            if (j < end)
                n = letter_read(x->s + j, end - j, &c);
        }
        for (k = j; k < end && is_closer(c) && c != '\n';) {
            k += n;
            if (k < end)
                n = letter_read(x->s + k, end - k, &c);
        }
        if (ends(x, start, i, j, k)) {
            k = with_faces(x, k);
            keep_all(x, start, k);
            start = k;
        }
        i = k;
    }
    keep_all(x, start, end);
}

/* Are sentences of this block begun with small letters? */
static bool
is_informal(const struct cutter *x)
{
    size_t small = 0, capital = 0;
    struct after a = look_after(x, x->block->start);

    if (!letter_is_lower(a.c))
        return false;
    for (size_t i = x->block->start; i < x->block->end; i++) {
        const char *dot = memchr(x->s + i, '.', x->block->end - i);

        if (dot == NULL)
            break;
        i = (size_t)(dot - x->s);
        a = look_after(x, i + 1);
        small += a.space && letter_is_lower(a.c);
        capital += a.space && letter_is_upper(a.c);
    }
    return small > capital;
}

enum err
sentences_read(struct sentences *out, const char *s, size_t n)
{
    struct plain plain;
    struct cutter x = {.out = out, .plain = &plain};

    memset(out, 0, sizeof(*out));
    if (n > SENTENCES_INPUT_MAX)
        return ERR_TOOBIG;
    plain_read(&plain, s, n);
    x.s = plain.text;
    x.lang = word_guess(plain.text,
                        plain.len < GUESS_BYTES ? plain.len : GUESS_BYTES);
    for (size_t i = 0; i < plain.n && !out->cut; i++) {
        x.block = &plain.blocks[i];
        x.n_block = (uint32_t)i;
        x.informal = is_informal(&x);
        cut_block(&x);
    }
    out->plain = plain.text;
    out->plain_len = plain.len;
    plain.text = NULL;
    plain_release(&plain);
    return OK;
}

void
sentences_release(struct sentences *out)
{
    free(out->at);
    free(out->plain);
    memset(out, 0, sizeof(*out));
}

/*
 * Finding words, small letters and stems.
 *
 * One reader for all that counts words here, so that they all count the same.
 * Stems are those of the Snowball project's libstemmer, made for words in small
 * letters; where a text's language is not known, words are compared as they are
 * written. Stop words are in word_stop.c.
 */
#include "base/base.h"

#include "lang/word.h"

#include <libstemmer.h>

#include "base/mem.h"
#include "lang/letter.h"

struct stemmer {
    struct sb_stemmer *snowball; /* owned; NULL: words stay as they are */
};

static bool
is_apostrophe(uint32_t c)
{
    return c == '\'' || c == 0x2019 || c == 0x02BC;
}

static bool
is_url(const char *s, size_t n)
{
    return (n > 7 && memcmp(s, "http://", 7) == 0) ||
           (n > 8 && memcmp(s, "https://", 8) == 0) ||
           (n > 6 && memcmp(s, "ftp://", 6) == 0);
}

static size_t
past_url(const char *s, size_t n, size_t i)
{
    while (i < n) {
        uint32_t c;
        size_t len = letter_read(s + i, n - i, &c);

        if (letter_is_space(c) || c == '>' || c == ')' || c == '"')
            break;
        i += len;
    }
    return i;
}

/* "l'homme" is two words, of which the first is one of these. */
static bool
is_elision(const char *s, size_t n)
{
    return (n == 1 && strchr("lLdDjJnNsScCmMtTqQ", s[0]) != NULL) ||
           (n == 2 && (s[0] == 'q' || s[0] == 'Q') && s[1] == 'u');
}

/* How many bytes at i join what was read (from start) to what follows; 0 if the
 * word ends here. */
static size_t
joint(const char *s, size_t n, size_t start, size_t i, uint32_t before)
{
    uint32_t c, next;
    size_t len = letter_read(s + i, n - i, &c), more;

    if (i + len >= n)
        return 0;
    more = letter_read(s + i + len, n - i - len, &next);
    if (is_apostrophe(c)) {
        uint32_t third = ' ';

        if (!letter_is_alpha(next) || !letter_is_alpha(before) ||
            letter_is_cjk(next))
            return 0;
        if (i + len + more < n)
            (void)letter_read(s + i + len + more, n - i - len - more, &third);
        return is_elision(s + start, i - start) && letter_is_alpha(third) ? 0
                                                                          : len;
    }
    if (c == '.') {
        if (letter_is_digit(before) || letter_is_digit(next))
            return letter_is_word(next) && letter_is_word(before) ? len : 0;
        if (letter_is_lower(next))
            return len;
        /* U.S. */
        return i - start >= 1 && letter_is_upper(before) &&
                       (i - start == 1 || s[i - 2] == '.') &&
                       letter_is_upper(next)
                   ? len
                   : 0;
    }
    if (c == ',')
        return letter_is_digit(before) && letter_is_digit(next) ? len : 0;
    return 0;
}

/* C++, C#, F#: a capital and what is part of its name. */
static size_t
suffix(const char *s, size_t n, size_t start, size_t i)
{
    if (i - start != 1 || s[start] < 'A' || s[start] > 'Z')
        return 0;
    if (n - i >= 2 && s[i] == '+' && s[i + 1] == '+')
        return 2;
    return n - i >= 1 && s[i] == '#' ? 1 : 0;
}

/* The word that begins at start with the letter c of len bytes. */
static size_t
word_end(const char *s, size_t n, size_t start, struct word *out)
{
    size_t i = start, letters = 0, capitals = 0, digits = 0;
    uint32_t c = 0, before;

    while (i < n) {
        size_t len;

        before = c;
        len = letter_read(s + i, n - i, &c);
        if (letter_is_cjk(c))
            break;
        if (!letter_is_word(c)) {
            len = i > start ? joint(s, n, start, i, before) : 0;
            if (len == 0)
                break;
        }
        letters += letter_is_alpha(c);
        capitals += letter_is_upper(c);
        digits += letter_is_digit(c);
        i += len;
    }
    out->kind = letters == 0 && digits > 0 ? WORD_NUMBER : WORD_LETTERS;
    out->caps = capitals >= 2 && capitals == letters;
    return i + suffix(s, n, start, i);
}

bool
word_next(const char *s, size_t n, size_t *pos, struct word *out)
{
    size_t i = *pos;

    while (i < n) {
        uint32_t c;
        size_t len = letter_read(s + i, n - i, &c);

        if ((c == 'h' || c == 'f') && is_url(s + i, n - i)) {
            i = past_url(s, n, i);
            continue;
        }
        if (!letter_is_word(c) || c == '_') {
            i += len;
            continue;
        }
        *out = (struct word){.start = i, .capital = letter_is_upper(c)};
        if (letter_is_cjk(c)) {
            out->kind = WORD_CJK;
            i += len;
        } else {
            i = word_end(s, n, i, out);
        }
        out->len = i - out->start;
        *pos = i;
        return true;
    }
    *pos = n;
    return false;
}

size_t
word_fold(const char *s, size_t n, char out[WORD_FOLD_MAX + 1])
{
    size_t len = 0;

    for (size_t i = 0; i < n;) {
        char letter[4];
        size_t k;
        uint32_t c;

        i += letter_read(s + i, n - i, &c);
        k = letter_write(is_apostrophe(c) ? '\'' : letter_lower(c), letter);
        if (len + k > WORD_FOLD_MAX)
            break;
        memcpy(out + len, letter, k);
        len += k;
    }
    out[len] = '\0';
    return len;
}

const char *
word_lang_code(enum lang lang)
{
    static const char *const codes[LANG__MAX] = {"", "en", "de", "fr", "es"};

    return codes[lang];
}

struct stemmer *
stemmer_new(enum lang lang)
{
    struct stemmer *st = xcalloc(1, sizeof(*st));

    if (lang != LANG_NONE)
        st->snowball = sb_stemmer_new(word_lang_code(lang), NULL);
    return st;
}

void
stemmer_free(struct stemmer *st)
{
    if (st == NULL)
        return;
    sb_stemmer_delete(st->snowball);
    free(st);
}

size_t
stemmer_cut(struct stemmer *st, char word[WORD_FOLD_MAX + 1], size_t n)
{
    const sb_symbol *stem;
    size_t len;

    if (st->snowball == NULL || n == 0)
        return n;
    stem = sb_stemmer_stem(st->snowball, (const sb_symbol *)word, (int)n);
    if (stem == NULL)
        return n;
    len = (size_t)sb_stemmer_length(st->snowball);
    if (len == 0 || len > WORD_FOLD_MAX)
        return n;
    memcpy(word, stem, len);
    word[len] = '\0';
    return len;
}

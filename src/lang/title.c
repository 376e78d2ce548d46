/*
 * Titles from what was said first.
 *
 * People begin with courtesy and background and put what they want in one
 * sentence, most often a question; that one, less its polite beginning, names
 * the conversation better than the first words of the message.
 */
#include "base/base.h"

#include "lang/title.h"

#include "base/buf.h"
#include "base/text.h"
#include "lang/letter.h"
#include "lang/reading.h"

#define ELLIPSIS "…"
#define CLEAR_WORDS 12 /* more are not clearer */

static bool
is_question(const struct sentence *s)
{
    uint32_t end = letter_before(s->text, s->len);

    return end == '?' || end == 0xFF1F || end == 0x061F;
}

size_t
title_sentence(const struct reading *r)
{
    size_t best = r->sentences.n;
    double most = 0;

    for (size_t i = 0; i < r->sentences.n; i++) {
        const struct sentence *s = &r->sentences.at[i];
        double words = 0;
        size_t n;
        const struct token *t = reading_tokens(r, i, &n);

        for (size_t k = 0; k < n; k++)
            words += t[k].flags & TOKEN_SKIP ? 0.2 : 1;
        if (words > CLEAR_WORDS)
            words = CLEAR_WORDS;
        if (is_question(s))
            words *= 2;
        if (s->kind == PLAIN_HEADING || s->kind == PLAIN_ROW)
            words *= 0.5;
        if (words > most) {
            most = words;
            best = i;
        }
    }
    return best;
}

/* What may stand before what is wanted, longest first where one begins with
 * another. */
static const char *const polite[] = {"hello",
                                     "hallo",
                                     "hey",
                                     "hi there",
                                     "hi",
                                     "dear",
                                     "good morning",
                                     "good evening",
                                     "thanks",
                                     "thank you",
                                     "okay",
                                     "ok",
                                     "please",
                                     "so",
                                     "can you",
                                     "could you",
                                     "would you",
                                     "can someone",
                                     "i want you to",
                                     "i would like you to",
                                     "i'd like you to",
                                     "i need you to",
                                     "tell me",
                                     "bitte",
                                     "kannst du",
                                     "können sie",
                                     "and",
                                     "but"};

/* How many bytes of polite words and marks s begins with. */
static size_t
politeness(const char *s, size_t n)
{
    size_t i = 0, k;

    do {
        for (k = 0; k < COUNT_OF(polite); k++) {
            size_t len = strlen(polite[k]);

            if (n - i >= len && text_ieqn(s + i, len, polite[k]) &&
                (n - i == len || strchr(" ,!.", s[i + len]) != NULL))
                break;
        }
        if (k == COUNT_OF(polite))
            return i;
        i += strlen(polite[k]);
        while (i < n && strchr(" ,!.", s[i]) != NULL)
            i++;
    } while (i < n);
    return i;
}

/* The longest beginning of at most max bytes that ends between words. */
static size_t
fitting(const char *s, size_t n, size_t max)
{
    size_t end;

    if (n <= max)
        return n;
    for (end = max; end > max / 2 && s[end] != ' '; end--) {}
    return s[end] == ' ' ? end : utf8_whole(s, max);
}

bool
title_text(struct buf *out, const char *s, size_t n, size_t max)
{
    const struct sentence *best;
    struct reading r;
    size_t skip, end, at;
    uint32_t c;
    char first[4];

    assert(max >= 8);
    n = n <= TITLE_INPUT_MAX ? n : utf8_whole(s, TITLE_INPUT_MAX);
    if (reading_read(&r, s, n) != OK)
        return false;
    at = title_sentence(&r);
    if (at == r.sentences.n) {
        reading_release(&r);
        return false;
    }
    best = &r.sentences.at[at];
    skip = politeness(best->text, best->len);
    if (skip == best->len) /* all of it is polite */
        skip = 0;
    n = best->len - skip;
    s = best->text + skip;
    if (n > 1 && s[n - 1] == '.' && s[n - 2] != '.')
        n--;
    end = fitting(s, n, n <= max ? max : max - strlen(ELLIPSIS));
    at = letter_read(s, n, &c);
    buf_add(out, first, letter_write(letter_upper(c), first));
    buf_add(out, s + at, end - at);
    if (end < n)
        buf_adds(out, ELLIPSIS);
    reading_release(&r);
    return true;
}

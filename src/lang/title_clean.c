/*
 * Titles that a model wrote.
 *
 * It is asked for a title and nothing else, and often it says a little more:
 * quotation marks, bold type, "Title:" before it, a full stop, a line of
 * explanation behind it. All of that is taken off; what it means is not judged.
 */
#include "base/base.h"

#include "lang/title.h"

#include "base/buf.h"
#include "base/text.h"
#include "lang/letter.h"
#include "lang/plain.h"
#include "lang/word.h"

/* What may stand before it, with a colon. */
static const char *const labels[] = {
    "title",  "chat title", "conversation title", "titel", "titre", "título",
    "titolo", "tytuł",      "название",           "标题",  "標題",  "タイトル",
    "제목",
};

static const struct {
    const char *open, *close;
} quotes[] = {
    {"\"", "\""}, {"'", "'"},   {"`", "`"},   {"“", "”"},
    {"„", "“"},   {"„", "”"},   {"‘", "’"},   {"«", "»"},
    {"»", "«"},   {"「", "」"}, {"『", "』"}, {"《", "》"},
};

struct span {
    const char *s;
    size_t n;
};

static bool
begins(const struct span *x, const char *with)
{
    size_t n = strlen(with);

    return x->n >= n && memcmp(x->s, with, n) == 0;
}

static bool
ends(const struct span *x, const char *with)
{
    size_t n = strlen(with);

    return x->n >= n && memcmp(x->s + x->n - n, with, n) == 0;
}

static void
drop(struct span *x, size_t front, size_t back)
{
    x->s += front;
    x->n -= front + back;
}

static void
trim(struct span *x)
{
    uint32_t c;
    size_t n;

    while (x->n > 0) {
        n = letter_read(x->s, x->n, &c);
        if (!letter_is_space(c) && !letter_is_hidden(c))
            break;
        drop(x, n, 0);
    }
    while (x->n > 0) {
        c = letter_before(x->s, x->n);
        if (!letter_is_space(c) && !letter_is_hidden(c))
            break;
        for (n = 1; ((unsigned char)x->s[x->n - n] & 0xC0) == 0x80; n++) {}
        drop(x, 0, n);
    }
}

static bool
drop_label(struct span *x)
{
    static const char *const colons[] = {":", "："};
    struct span rest;

    for (size_t i = 0; i < COUNT_OF(labels); i++) {
        size_t n = strlen(labels[i]);

        if (x->n < n || !text_ieqn(x->s, n, labels[i]))
            continue;
        rest = *x;
        drop(&rest, n, 0);
        trim(&rest);
        for (size_t k = 0; k < COUNT_OF(colons); k++) {
            if (begins(&rest, colons[k])) {
                drop(&rest, strlen(colons[k]), 0);
                *x = rest;
                return true;
            }
        }
    }
    return false;
}

static bool
drop_quotes(struct span *x)
{
    for (size_t i = 0; i < COUNT_OF(quotes); i++) {
        size_t front = strlen(quotes[i].open), back = strlen(quotes[i].close);

        if (x->n > front + back && begins(x, quotes[i].open) &&
            ends(x, quotes[i].close)) {
            drop(x, front, back);
            return true;
        }
    }
    return false;
}

static bool
drop_stop(struct span *x)
{
    size_t n = ends(x, "。") ? strlen("。") : 1;

    if (x->n <= n || (n == 1 && (!ends(x, ".") || ends(x, ".."))))
        return false;
    drop(x, 0, n);
    return true;
}

static void
strip(struct span *x)
{
    do
        trim(x);
    while (drop_label(x) || drop_quotes(x) || drop_stop(x));
}

static bool
has_word(const struct span *x)
{
    struct word w;
    size_t pos = 0;

    return word_next(x->s, x->n, &pos, &w);
}

/* Overrides of the direction of writing would reach beyond the title. */
static bool
is_direction(uint32_t c)
{
    return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

/* In one line with single spaces. */
static void
put(struct buf *out, const struct span *x, size_t max)
{
    size_t end = out->len + max, at = 0, n;
    bool space = false;
    uint32_t c;

    for (; at < x->n; at += n) {
        n = letter_read(x->s + at, x->n - at, &c);
        if (c == LETTER_BAD || letter_is_hidden(c) || is_direction(c))
            continue;
        if (letter_is_space(c)) {
            space = true;
            continue;
        }
        if (out->len + space + n > end)
            return;
        if (space)
            buf_addc(out, ' ');
        space = false;
        buf_add(out, x->s + at, n);
    }
}

bool
title_clean(struct buf *out, const char *s, size_t n, size_t max)
{
    struct plain p;
    bool found = false;

    n = n <= TITLE_INPUT_MAX ? n : utf8_whole(s, TITLE_INPUT_MAX);
    plain_read(&p, s, n);
    for (size_t i = 0; i < p.n && !found; i++) {
        const char *at = p.text + p.blocks[i].start;
        const char *end = p.text + p.blocks[i].end;

        while (at < end && !found) {
            const char *line = memchr(at, '\n', (size_t)(end - at));
            struct span x = {at, (size_t)((line != NULL ? line : end) - at)};

            at = line != NULL ? line + 1 : end;
            strip(&x);
            found = has_word(&x);
            if (found)
                put(out, &x, max);
        }
    }
    plain_release(&p);
    return found;
}

/*
 * Where a text may be cut. Whether a full stop ends a sentence is judged by the
 * words of lang/sentence.h, but not by the whole of it: it would read each text
 * as Markdown once more, which is slower than all the rest here. A border is
 * behind a blank or a character that is not ASCII, so most bytes are asked one
 * question.
 */
#include "base/base.h"

#include "files/chunk_inside.h"

#include "lang/letter.h"
#include "lang/sentence.h"

#define BEFORE_MAX 16 /* bytes of a word before a full stop */

const struct piece *
chunk_piece(const struct chunker *c, size_t i)
{
    size_t low = 0, high = c->n_pieces;

    assert(c->n_pieces > 0);
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;

        if (c->pieces[mid].at <= i)
            low = mid;
        else
            high = mid;
    }
    return &c->pieces[low];
}

static bool
is_mark(uint32_t c)
{
    return c == '.' || c == '!' || c == '?' || c == 0x2026;
}

/* The same in scripts that write no space behind it. */
static bool
is_wide_mark(uint32_t c)
{
    return c == 0x3002 || c == 0xFF01 || c == 0xFF1F;
}

static bool
is_closer(uint32_t c)
{
    return c == '"' || c == '\'' || c == ')' || c == ']' || c == 0xBB ||
           c == 0x2019 || c == 0x201C || c == 0x201D || c == 0x300D;
}

/* May the full stop at i end a sentence, if the next word begins at next? */
static bool
dot_ends(const struct chunker *c, size_t i, size_t next)
{
    size_t from = i, digits = 0;
    enum abbrev kind;
    uint32_t after;

    (void)letter_read(c->text + next, c->len - next, &after);
    if (letter_is_lower(after))
        return false;
    while (from > c->head && i - from < BEFORE_MAX &&
           !is_blank(c->text[from - 1]) && c->text[from - 1] != '(') {
        from--;
        digits += c->text[from] >= '0' && c->text[from] <= '9';
    }
    if (from == i)
        return true;
    if (digits == i - from)
        return digits > 2; /* else an ordinal, or the number of an item */
    if (i - from == 1 && letter_is_upper((unsigned char)c->text[from]))
        return c->text[from] == 'I'; /* else an initial */
    kind = sentence_abbrev(c->text + from, i - from);
    return kind == ABBREV_NONE || kind == ABBREV_MAYBE ||
           (kind == ABBREV_NUMBER && !letter_is_digit(after));
}

/* Does a sentence begin at i, which is within the window? */
static bool
is_sentence(const struct chunker *c, size_t i)
{
    size_t k = i;
    uint32_t before = ' ';

    if (i <= c->head || i >= c->len || is_blank(c->text[i]) || is_inside(c, i))
        return false;
    if ((unsigned char)c->text[i - 1] >= 0x80)
        return is_wide_mark(letter_before(c->text, i));
    while (k > c->head && is_blank(c->text[k - 1]))
        k--;
    if (k == i || k == c->head)
        return false;
    while (k > c->head) {
        before = letter_before(c->text, k);
        if (!is_closer(before))
            break;
        for (k--; k > c->head && is_inside(c, k); k--) {}
    }
    if (!is_mark(before))
        return is_wide_mark(before);
    return before != '.' || dot_ends(c, k - 1, i);
}

/* Is what stands before the blank before i no letter? */
static inline bool
is_after_mark(const struct chunker *c, size_t i)
{
    unsigned char before = i > c->head + 1 ? (unsigned char)c->text[i - 2] : 0;

    return !(before >= 'a' && before <= 'z') && before != ',';
}

/* Is there such a border at i? (BORDER_PIECE is looked for elsewhere.) All are
 * behind a blank or a wide character, which is asked first, as most are not. */
static inline bool
is_border(const struct chunker *c, size_t i, enum border kind)
{
    unsigned char before = (unsigned char)c->text[i - 1];

    if (before > ' ' && before < 0x80)
        return false;
    switch (kind) {
    case BORDER_GAP: /* an empty line in code */
        return before == '\n' && i > c->head + 1 && c->text[i - 2] == '\n' &&
               c->text[i] != '\n' && chunk_piece(c, i)->kind == BLOCK_CODE;
    case BORDER_SENTENCE:
        if (before < 0x80 && before != '\n' && !is_after_mark(c, i))
            return false;
        return chunk_piece(c, i)->kind == BLOCK_CODE ? before == '\n'
                                                     : is_sentence(c, i);
    case BORDER_LINE: return before == '\n' && c->text[i] != '\n';
    case BORDER_WORD: return is_blank((char)before) && !is_blank(c->text[i]);
    case BORDER_PIECE: break;
    }
    return false;
}

size_t
chunk_border_last(const struct chunker *c, size_t low, size_t high,
                  enum border kind)
{
    if (low > high)
        return 0;
    if (kind == BORDER_PIECE) {
        const struct piece *p = chunk_piece(c, high);

        while (p > c->pieces && p->joined && p->at >= low)
            p--;
        return p->at >= low && p->at <= high && !p->joined ? p->at : 0;
    }
    for (size_t i = high; i >= low && i > c->head; i--) {
        if (is_border(c, i, kind))
            return i;
    }
    return 0;
}

size_t
chunk_border_first(const struct chunker *c, size_t low, size_t high)
{
    const struct piece *p = chunk_piece(c, low);
    size_t piece = 0;

    while (p < c->pieces + c->n_pieces && (p->at < low || p->joined))
        p++;
    if (p < c->pieces + c->n_pieces && p->at <= high)
        piece = p->at;
    for (size_t i = low; i < (piece != 0 ? piece : high + 1); i++) {
        if (is_border(c, i, BORDER_SENTENCE))
            return i;
    }
    return piece;
}

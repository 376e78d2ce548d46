/*
 * A snippet is made from the text and the query alone, without FTS5: its own
 * function asks for the text to be a column of the index, puts marks into the
 * text as characters that may be there already, and counts in words, of which
 * a Chinese sentence is one.
 *
 * The wanted words fit the bits of one number, so a single walk over the text
 * finds all phrases at once (shift-and): bit i is set while the words up to
 * here are those of a phrase up to term i.
 *
 * Of the places the one is shown that has the most different phrases behind
 * it. Only the first SCAN_MAX bytes are looked at: a message that is as large
 * as a book shall not cost more than a page of others.
 */
#include "base/base.h"

#include "store/search_snippet.h"

#include "base/text.h"

#define SCAN_MAX (1024 * 1024) /* bytes */
#define PLACES_MAX 256
#define ELLIPSIS "\xe2\x80\xa6"
#define ELLIPSIS_LEN 3
#define REPLACEMENT "\xef\xbf\xbd"
#define ROOM (SEARCH_SNIPPET_MAX - 2 * ELLIPSIS_LEN)
#define LEAD (ROOM / 4) /* bytes shown before the place */
#define RAGGED 24       /* bytes given up so that no word is cut at the end */

struct place {
    size_t from, to; /* bytes of the text */
    uint64_t phrase; /* the bit of its first term */
};

struct finder {
    const struct search_words *w;
    uint64_t state;
    size_t from[SEARCH_TERMS_MAX]; /* of the last words, a ring */
    unsigned n;                    /* words so far */
    struct place place[PLACES_MAX];
    unsigned n_places;
};

/* --- places -------------------------------------------------------------- */

static uint64_t
terms_equal(const struct search_words *w, const char *word, size_t len)
{
    uint64_t bits = 0;

    for (unsigned i = 0; i < w->n_terms; i++) {
        const struct search_term *t = &w->term[i];

        if ((t->len == len || (t->prefix && t->len < len)) &&
            memcmp(t->s, word, t->len) == 0)
            bits |= UINT64_C(1) << i;
    }
    return bits;
}

static bool
find(void *arg, const char *word, size_t len, size_t from, size_t to)
{
    struct finder *f = arg;
    uint64_t ended;

    f->from[f->n % SEARCH_TERMS_MAX] = from;
    f->state = (f->state << 1 | f->w->begins) & terms_equal(f->w, word, len);
    /* A bit that was shifted out of one phrase into the next one's first term
     * is set there anyway. */
    for (ended = f->state & f->w->ends; ended != 0; ended &= ended - 1) {
        unsigned last = (unsigned)__builtin_ctzll(ended);
        uint64_t upto = f->w->begins & (UINT64_MAX >> (63 - last));
        unsigned first = 63U - (unsigned)__builtin_clzll(upto);

        f->place[f->n_places++] = (struct place){
            f->from[(f->n - (last - first)) % SEARCH_TERMS_MAX], to,
            UINT64_C(1) << first};
        if (f->n_places == PLACES_MAX)
            return false;
    }
    f->n++;
    return true;
}

static int
by_from(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    return (x->from > y->from) - (x->from < y->from);
}

/* Where the best place is; n_places is not 0. */
static size_t
best_from(const struct finder *f)
{
    size_t best = 0;
    int best_count = 0;

    for (unsigned i = 0; i < f->n_places; i++) {
        uint64_t seen = 0;

        for (unsigned j = i; j < f->n_places; j++) {
            if (f->place[j].to > f->place[i].from + ROOM - LEAD)
                break;
            seen |= f->place[j].phrase;
        }
        if (__builtin_popcountll(seen) > best_count) {
            best_count = __builtin_popcountll(seen);
            best = i;
        }
    }
    return f->place[best].from;
}

/* --- the text around ----------------------------------------------------- */

/* The length of a space or control character at s; 0: it is none. */
static size_t
blank_len(const char *s, size_t n)
{
    unsigned char c = (unsigned char)*s;

    if (c <= ' ' || c == 0x7f)
        return 1;
    if (n >= 2 && c == 0xc2 && (unsigned char)s[1] <= 0xa0)
        return 2;
    return n >= 3 && memcmp(s, "\xe3\x80\x80", 3) == 0 ? 3 : 0;
}

/* Where to begin so that from is shown with what leads to it. */
static size_t
begin_at(const char *text, size_t from)
{
    size_t at = from > LEAD ? from - LEAD : 0, i;

    if (at == 0)
        return 0;
    while (at < from && ((unsigned char)text[at] & 0xc0) == 0x80)
        at++;
    for (i = at; i < from; i++)
        if (text[i] == ' ' || text[i] == '\n')
            return i + 1;
    return at;
}

/* Mark what is copied from byte i of the text to [at, at + len). */
static void
mark(struct search_snippet *out, const struct finder *f, unsigned *next,
     size_t i, size_t at, size_t len)
{
    struct search_mark *last;
    bool begins = false;

    while (*next < f->n_places && f->place[*next].to <= i)
        ++*next;
    /* They are sorted by where they begin; a longer one may lie behind. */
    for (unsigned j = *next; j < f->n_places && f->place[j].from <= i; j++)
        if (f->place[j].to > i)
            begins = true;
    if (!begins)
        return;
    last = out->n_marks > 0 ? &out->mark[out->n_marks - 1] : NULL;
    if (last != NULL && (size_t)last->at + last->len == at) {
        last->len = (uint16_t)(last->len + len);
        return;
    }
    if (out->n_marks == SEARCH_MARKS_MAX)
        return;
    out->mark[out->n_marks++] = (struct search_mark){(uint16_t)at,
                                                     (uint16_t)len};
}

/* The end is cut off: not within a word, if one ends near enough, and not
 * within what is marked. */
static void
cut_end(struct search_snippet *out)
{
    size_t least = out->len > RAGGED ? out->len - RAGGED : 0, i;

    if (out->n_marks > 0) {
        const struct search_mark *last = &out->mark[out->n_marks - 1];

        if (least < (size_t)last->at + last->len)
            least = (size_t)last->at + last->len;
    }
    for (i = out->len; i > least; i--)
        if (out->text[i - 1] == ' ') {
            out->len = i - 1;
            break;
        }
    memcpy(out->text + out->len, ELLIPSIS, ELLIPSIS_LEN);
    out->len += ELLIPSIS_LEN;
}

static void
copy(struct search_snippet *out, const struct finder *f, const char *text,
     size_t n, size_t at)
{
    unsigned next = 0;
    bool blank = false;
    size_t len;

    if (at > 0) {
        memcpy(out->text, ELLIPSIS, ELLIPSIS_LEN);
        out->len = ELLIPSIS_LEN;
    }
    for (; at < n; at += len) {
        const char *bytes = text + at;
        size_t n_bytes;
        int seq;

        len = blank_len(text + at, n - at);
        if (len > 0) {
            blank = true;
            continue;
        }
        seq = utf8_seq(text + at, n - at);
        n_bytes = len = seq > 0 ? (size_t)seq : 1;
        if (seq <= 0) {
            bytes = REPLACEMENT;
            n_bytes = strlen(REPLACEMENT);
        }
        if (out->len + blank + n_bytes > ROOM + ELLIPSIS_LEN) {
            cut_end(out);
            return;
        }
        if (blank && out->len > 0) {
            mark(out, f, &next, at - 1, out->len, 1);
            out->text[out->len++] = ' ';
        }
        blank = false;
        mark(out, f, &next, at, out->len, n_bytes);
        memcpy(out->text + out->len, bytes, n_bytes);
        out->len += n_bytes;
    }
}

void
search_snippet_make(struct search_snippet *out, const struct search_words *w,
                    struct search_tokenizer *t, const char *text, size_t n)
{
    size_t scan = n < SCAN_MAX ? n : utf8_whole(text, SCAN_MAX), at = 0;
    struct finder f;

    memset(out, 0, sizeof(*out));
    f.w = w;
    f.state = 0;
    f.n = f.n_places = 0;
    if (w->n_terms > 0)
        search_token_walk(t, text, scan, find, &f);
    if (f.n_places > 0) {
        qsort(f.place, f.n_places, sizeof(f.place[0]), by_from);
        at = begin_at(text, best_from(&f));
    }
    copy(out, &f, text, n, at);
}

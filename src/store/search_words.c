/*
 * The query language, which is for people: there is no wrong input. Each item
 * (a word or a quoted phrase) goes to FTS5 as a quoted string of the bytes
 * that were typed, so the tokenizer reads it exactly as it read the messages,
 * and none of FTS5's own operators can appear. An item without any word in
 * it, such as "&&", is dropped.
 *
 * AND, OR, NOT and NEAR are words like others. A minus counts only in front of
 * an item and only once: "--help" looks for help. Quotes that are not closed
 * reach to the end; the typographic ones of phones are quotes as well.
 *
 * The limit is on words after the tokenizer, not on items: it bounds the work
 * of FTS5, and 64 of them fit the bits that mark them in a snippet.
 */
#include "base/base.h"

#include "store/search_words.h"

#include "base/buf.h"
#include "base/text.h"

/* An item as it was typed. */
struct item {
    const char *s;
    size_t len;
    bool veto, prefix;
};

/* What reads one. */
struct reader {
    struct search_words *words;
    struct arena *arena;
    struct search_tokenizer *tokenizer;
    struct buf want, veto; /* expressions so far */
    unsigned n;            /* words of both */
};

/* Words of one item. */
struct item_words {
    struct reader *r;
    const struct item *item;
    unsigned n;
    size_t last_from, end; /* bytes of the item up to the last word that fits */
    size_t last_chars;
    bool cut;
};

/* --- items --------------------------------------------------------------- */

/* The length of white space at s; 0: none. NUL is white space. */
static size_t
space_len(const char *s, size_t n)
{
    if (*s == ' ' || (*s >= '\t' && *s <= '\r') || *s == '\0')
        return 1;
    if (n >= 2 && memcmp(s, "\xc2\xa0", 2) == 0)
        return 2; /* no-break space */
    if (n >= 3 && memcmp(s, "\xe3\x80\x80", 3) == 0)
        return 3; /* the ideographic one */
    return 0;
}

/* The length of a quote at s; 0: none. */
static size_t
quote_len(const char *s, size_t n)
{
    if (*s == '"')
        return 1;
    return n >= 3 && memcmp(s, "\xe2\x80", 2) == 0 &&
                   ((unsigned char)s[2] >= 0x9c && (unsigned char)s[2] <= 0x9f)
               ? 3
               : 0;
}

/* The next item from *at on; false: there is none. */
static bool
next_item(const char *q, size_t n, size_t *at, struct item *item)
{
    size_t i = *at, len;

    memset(item, 0, sizeof(*item));
    while (i < n && (len = space_len(q + i, n - i)) > 0)
        i += len;
    if (i >= n)
        return false;
    if (q[i] == '-' && i + 1 < n && q[i + 1] != '-' &&
        space_len(q + i + 1, n - i - 1) == 0) {
        item->veto = true;
        i++;
    }
    len = quote_len(q + i, n - i);
    i += len;
    item->s = q + i;
    if (len > 0) {
        while (i < n && (len = quote_len(q + i, n - i)) == 0)
            i++;
        item->len = (size_t)(q + i - item->s);
        i += i < n ? len : 0;
        item->prefix = i < n && q[i] == '*';
    } else {
        while (i < n && space_len(q + i, n - i) == 0 &&
               quote_len(q + i, n - i) == 0)
            i++;
        item->len = (size_t)(q + i - item->s);
        item->prefix = item->len > 0 && item->s[item->len - 1] == '*';
    }
    *at = i;
    return true;
}

/* --- words --------------------------------------------------------------- */

static size_t
characters(const char *s, size_t n)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)s[i] & 0xc0) != 0x80;
    return count;
}

static bool
add_word(void *arg, const char *word, size_t len, size_t from, size_t to)
{
    struct item_words *iw = arg;
    struct search_words *w = iw->r->words;

    if (iw->r->n == SEARCH_TERMS_MAX) {
        iw->cut = true;
        return false;
    }
    iw->r->n++;
    iw->n++;
    iw->last_from = from;
    iw->end = to;
    iw->last_chars = characters(word, len);
    if (iw->item->veto)
        return true;
    if (iw->n == 1)
        w->begins |= UINT64_C(1) << w->n_terms;
    w->term[w->n_terms++] = (struct search_term){
        arena_memdup0(iw->r->arena, word, len), len, false};
    return true;
}

/* The item as a string of FTS5. There is no quote and no NUL in it. */
static void
add_string(struct buf *out, const struct item *item, size_t end, bool prefix,
           const char *joint)
{
    if (out->len > 0)
        buf_adds(out, joint);
    buf_addc(out, '"');
    for (size_t i = 0; i < end; i++)
        buf_addc(out, item->s[i] == '\0' ? ' ' : item->s[i]);
    buf_adds(out, prefix ? "\" *" : "\"");
}

static void
add_item(struct reader *r, const struct item *item)
{
    struct search_words *w = r->words;
    struct item_words iw = {.r = r, .item = item};
    bool prefix;

    search_token_walk(r->tokenizer, item->s, item->len, add_word, &iw);
    if (iw.n == 0)
        return;
    prefix = item->prefix && !iw.cut && iw.last_chars >= SEARCH_PREFIX_MIN;
    if (item->veto) {
        add_string(&r->veto, item, iw.end, prefix, " OR ");
        return;
    }
    w->ends |= UINT64_C(1) << (w->n_terms - 1);
    w->term[w->n_terms - 1].prefix = prefix;
    add_string(&r->want, item, iw.end, prefix, " AND ");
}

void
search_words_read(struct search_words *w, struct arena *a,
                  struct search_tokenizer *t, const char *q, size_t n)
{
    struct reader r = {.words = w, .arena = a, .tokenizer = t};
    struct item item;
    struct buf clean;
    size_t at = 0;

    assert(n <= SEARCH_QUERY_MAX);
    memset(w, 0, sizeof(*w));
    buf_init(&clean, 3 * SEARCH_QUERY_MAX);
    /* Each word brings 8 bytes at most beside its own. */
    buf_init(&r.want, 3 * SEARCH_QUERY_MAX + 8 * SEARCH_TERMS_MAX);
    buf_init(&r.veto, 3 * SEARCH_QUERY_MAX + 8 * SEARCH_TERMS_MAX);
    utf8_scrub(&clean, q, n);
    while (r.n < SEARCH_TERMS_MAX &&
           next_item(clean.data, clean.len, &at, &item))
        add_item(&r, &item);
    assert(!clean.over && !r.want.over && !r.veto.over);
    w->want = arena_strdup(a, buf_cstr(&r.want));
    w->veto = arena_strdup(a, buf_cstr(&r.veto));
    buf_release(&clean);
    buf_release(&r.want);
    buf_release(&r.veto);
}

/*
 * A sentence as a row of items for sentiment.c: its words with what they do to
 * others, its faces, and the marks that divide it. Quotes and hyphens divide
 * nothing; exclamation marks are counted.
 */
#include "base/base.h"

#include "lang/sentiment_item.h"

#include "base/mem.h"
#include "lang/letter.h"
#include "lang/reading.h"
#include "lang/sentiment.h"

static const struct {
    const char *word;
    double factor;
} adverbs[] = {
    {"absolutely", 1.4}, {"amazingly", 1.4},
    {"awfully", 1.3},    {"barely", 0.5},
    {"completely", 1.3}, {"damn", 1.3},
    {"deeply", 1.3},     {"definitely", 1.2},
    {"especially", 1.2}, {"exceptionally", 1.4},
    {"extremely", 1.5},  {"fairly", 0.8},
    {"hugely", 1.4},     {"incredibly", 1.5},
    {"insanely", 1.4},   {"kinda", 0.7},
    {"least", 0.7},      {"less", 0.7},
    {"little", 0.7},     {"marginally", 0.6},
    {"mildly", 0.6},     {"most", 1.2},
    {"much", 1.2},       {"occasionally", 0.7},
    {"partly", 0.7},     {"pretty", 1.1},
    {"quite", 1.1},      {"rather", 0.9},
    {"really", 1.3},     {"relatively", 0.8},
    {"remarkably", 1.3}, {"seriously", 1.2},
    {"slightly", 0.5},   {"so", 1.2},
    {"somewhat", 0.6},   {"sometimes", 0.7},
    {"sorta", 0.7},      {"such", 1.2},
    {"super", 1.4},      {"too", 1.1},
    {"totally", 1.3},    {"truly", 1.3},
    {"utterly", 1.4},    {"very", 1.4},
    {"bit", 0.6},
};

static const char *const negations[] = {
    "not",    "no",      "never",   "without", "cannot",   "cant",   "dont",
    "doesnt", "didnt",   "isnt",    "wasnt",   "wont",     "hardly", "nobody",
    "none",   "nothing", "neither", "nor",     "scarcely", "lacks",  "lacking"};

bool
sentiment_is_one_of(const char *word, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (word[0] == list[i][0] && strcmp(word, list[i]) == 0)
            return true;
    }
    return false;
}

static void
describe(struct sentiment_item *item)
{
    size_t n = strlen(item->word);

    item->boost = 1;
    for (size_t i = 0; i < COUNT_OF(adverbs); i++) {
        if (item->word[0] == adverbs[i].word[0] &&
            strcmp(item->word, adverbs[i].word) == 0)
            item->boost = adverbs[i].factor;
    }
    item->negates = sentiment_is_one_of(item->word, negations,
                                        COUNT_OF(negations)) ||
                    (n > 3 && strcmp(item->word + n - 3, "n't") == 0);
    item->but = strcmp(item->word, "but") == 0 ||
                strcmp(item->word, "however") == 0;
}

static struct sentiment_item *
push(struct items *x, enum sentiment_item_kind kind, size_t start, size_t len)
{
    if (x->n == x->cap) {
        x->cap = x->cap > 0 ? 2 * x->cap : 64;
        x->at = xrealloc(x->at, x->cap * sizeof(x->at[0]));
    }
    x->at[x->n] = (struct sentiment_item){
        .kind = kind, .boost = 1, .start = start, .len = len, .from = start};
    return &x->at[x->n++];
}

static void
push_word(struct items *x, const char *s, size_t start, const struct token *t)
{
    struct sentiment_item *item = push(x, SENTIMENT_ITEM_WORD, start, t->len);
    char folded[WORD_FOLD_MAX + 1];
    size_t n = word_fold(s + start, t->len, folded);

    if (n > LEXICON_KEY_MAX) /* no word that we know is so long */
        n = 0;
    memcpy(item->word, folded, n);
    item->word[n] = '\0';
    item->caps = (t->flags & TOKEN_CAPS) != 0;
    describe(item);
}

/* Marks divide a sentence, unless they stand inside a word. */
static void
push_mark(struct items *x, uint32_t c, size_t at)
{
    if (c == '!' || c == 0xFF01)
        x->bangs++;
    else if (c != ' ' && c != '-' && c != '\'' && c != '"' && c != 0x2019 &&
             c != 0x201C && c != 0x201D && c != '/')
        (void)push(x, SENTIMENT_ITEM_BREAK, at, 1);
}

void
items_read(struct items *x, const struct reading *r, size_t sentence)
{
    const struct sentence *s = &r->sentences.at[sentence];
    size_t n, k = 0, base = (size_t)(s->text - r->sentences.plain);
    const struct token *t = reading_tokens(r, sentence, &n);
    uint32_t before = ' ', c;

    x->n = x->bangs = 0;
    for (size_t i = 0, len; i < s->len; i += len, before = c) {
        int score = 0;

        len = letter_read(s->text + i, s->len - i, &c);
        while (k < n && t[k].start < base + i)
            k++; /* inside a face */
        if (!letter_is_space(c)) {
            size_t face = sentiment_face(s->text + i, s->len - i, before,
                                         &score);

            if (face > 0) {
                push(x, SENTIMENT_ITEM_FACE, i, face)->face = score;
                len = face;
                c = ' ';
                continue;
            }
        }
        if (k < n && t[k].start == base + i) {
            push_word(x, s->text, i, &t[k]);
            len = t[k].len;
            c = 'x';
        } else {
            push_mark(x, c, i);
        }
    }
}

void
items_release(struct items *x)
{
    free(x->at);
    memset(x, 0, sizeof(*x));
}

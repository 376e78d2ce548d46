/*
 * Words as the offline provider compares them: lower case, without the common
 * English endings, as a hash. The stemming is crude on purpose: it need not be
 * right, only the same for the question and for the text, so that "streaming"
 * finds "streams". A few words that people use for the same thing count as
 * one. Bytes above ASCII count as letters, so other scripts are compared too,
 * word by word as they are written. The line in a NAME_OF_A_SETTING is a
 * letter, too: such a name is one word.
 */
#include "base/base.h"

#include "provider/offline.h"

#include "base/text.h"

#define WORD_MAX 48 /* bytes; the rest of a longer word is ignored */
#define STEM_MIN 3
#define GREETING_WORDS_MAX 6

static const char *const stop_words[] = {
    "about", "after", "all", "also", "am", "an", "and", "another", "any", "api",
    "are", "as", "at", "available", "be", "by", "can", "change", "changes",
    "configure", "connect", "could", "describe", "did", "do", "does", "doesn",
    "don", "else", "ever", "exactly", "explain", "find", "for", "from", "get",
    "give", "go", "good", "got", "had", "happen", "happens", "has", "have",
    "here", "how", "i", "if", "in", "into", "is", "it", "its", "just", "know",
    "let", "like", "look", "looking", "made", "make", "maker", "many", "may",
    "me", "mean", "means", "mine", "more", "much", "my", "need", "no", "not",
    "of", "often", "on", "one", "or", "parley", "please", "possible", "put",
    "really", "say", "set", "several", "should", "show", "so", "some",
    "support", "supported", "supports", "take", "tell", "than", "that", "the",
    "their", "them", "then", "there", "these", "they", "thing", "this", "to",
    "tried", "try", "under", "up", "us", "use", "used", "uses", "using", "want",
    "was", "way", "we", "were", "what", "when", "where", "which", "who",
    "whole", "why", "will", "with", "work", "working", "works", "would",
    "write", "wrote", "you", "your",
    /* of those who ask in another language */
    "das", "der", "die", "ein", "eine", "einen", "est", "ich", "ist", "je",
    "kann", "man", "mit", "setze", "und", "wie", "welche", "wo", "les", "des",
    "comment", "une", "qu", "quoi"};

/* Words of small talk: each may stand beside the others, and those of a kind
 * other than WORDS_OTHER make it that. Of several kinds the last one counts,
 * but thanks before all. */
static const struct {
    enum words_kind kind;
    const char *words; /* each between blanks */
} small_talk[] = {
    {WORDS_GREETING, " hello hi hey hallo greetings yo test ping servus moin "
                     "bonjour salut hola guten good howdy "},
    {WORDS_THANKS, " thank thanks danke merci thx gracias "},
    {WORDS_BYE, " bye goodbye ciao night "},
    {WORDS_WELL, " ok okay cool great nice wow fine yes no yeah "},
    {WORDS_OTHER, " morning evening afternoon day there parley you very much "
                  "so how are everybody all tag morgen abend is it going "
                  "doing today sch\xc3\xb6n "},
};

/* Endings, longest first; what replaces them. */
static const struct {
    const char *end, *with;
} endings[] = {{"ations", ""}, {"ation", ""}, {"ings", ""}, {"ing", ""},
               {"ies", "y"},   {"ed", ""},    {"es", ""},   {"ly", ""},
               {"s", ""},      {"e", ""}};

/* Stems that stand for another one. */
static const struct {
    const char *stem, *as;
} same[] = {{"abort", "stop"},
            {"begin", "start"},
            {"cancel", "stop"},
            {"chatgpt", "openai"},
            {"convers", "session"},
            {"cost", "pric"},
            {"crash", "kill"},
            {"deploy", "server"},
            {"dialog", "session"},
            {"die", "kill"},
            {"directory", "folder"},
            {"docker", "container"},
            {"erase", "delet"},
            {"gpt", "openai"},
            {"install", "start"},
            {"keep", "stor"},
            {"kept", "stor"},
            {"launch", "start"},
            {"licens", "licenc"},
            {"llm", "model"},
            {"performanc", "fast"},
            {"persist", "stor"},
            {"photo", "imag"},
            {"pictur", "imag"},
            {"photograph", "imag"},
            {"foto", "imag"},
            {"bild", "imag"},
            {"bilder", "imag"},
            {"pic", "imag"},
            {"snapshot", "imag"},
            {"aufnahm", "imag"},
            {"privacy", "privat"},
            {"quick", "fast"},
            {"refresh", "reconnect"},
            {"reload", "reconnect"},
            {"remov", "delet"},
            {"resum", "reconnect"},
            {"sav", "stor"},
            {"see", "read"},
            {"setup", "start"},
            {"speed", "fast"},
            {"peopl", "user"},
            {"schl\xc3\xbcssel", "key"},
            {"cl\xc3\xa9", "key"},
            {"anbieter", "provider"}};

static bool
is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_' || (unsigned char)c >= 0x80;
}

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* The next word in lower case; its length, 0 if there is none. What an address
 * consists of says nothing. */
static size_t
next_raw(const char **s, const char *end, char out[WORD_MAX + 1])
{
    size_t n = 0;

    while (*s < end && !is_letter(**s)) {
        if (end - *s > 3 && memcmp(*s, "://", 3) == 0)
            while (*s < end && strchr(" \t\n`'\")", **s) == NULL)
                (*s)++;
        else
            (*s)++;
    }
    for (; *s < end && is_letter(**s); (*s)++) {
        if (n < WORD_MAX)
            out[n++] = lower(**s);
    }
    out[n] = '\0';
    return n;
}

static size_t
stem(char *w, size_t n)
{
    size_t i;

    for (i = 0; i < COUNT_OF(endings); i++) {
        size_t cut = strlen(endings[i].end), add = strlen(endings[i].with);

        if (n < cut + STEM_MIN || strcmp(w + n - cut, endings[i].end) != 0)
            continue;
        memcpy(w + n - cut, endings[i].with, add + 1);
        return n - cut + add;
    }
    return n;
}

static bool
is_in(const char *w, const char *const *list, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (strcmp(w, list[i]) == 0)
            return true;
    }
    return false;
}

uint32_t
words_next(const char **s, const char *end, bool *stop)
{
    char w[WORD_MAX + 1];
    size_t n = next_raw(s, end, w), i;
    uint32_t h = 2166136261u; /* FNV-1a */
    const char *is = w;

    if (n == 0)
        return 0;
    *stop = n == 1 || is_in(w, stop_words, COUNT_OF(stop_words));
    (void)stem(w, n);
    for (i = 0; i < COUNT_OF(same); i++) {
        if (strcmp(w, same[i].stem) == 0) {
            is = same[i].as;
            break;
        }
    }
    for (; *is != '\0'; is++)
        h = (h ^ (unsigned char)*is) * 16777619u;
    return h != 0 ? h : 1;
}

/* What a word is in small talk; false: it is no word of it. */
static bool
talk_kind(const char *w, enum words_kind *kind)
{
    char between[WORD_MAX + 3];

    (void)snprintf(between, sizeof(between), " %s ", w);
    for (size_t i = 0; i < COUNT_OF(small_talk); i++)
        if (strstr(small_talk[i].words, between) != NULL) {
            *kind = small_talk[i].kind;
            return true;
        }
    return false;
}

enum words_kind
words_kind(const char *s, size_t n)
{
    static const char *const how_are_you[] = {"how", "are", "you"};
    const char *end = s + n;
    enum words_kind kind = WORDS_OTHER, of;
    char w[WORD_MAX + 1];
    size_t count = 0, asked = 0;

    while (next_raw(&s, end, w) > 0) {
        if (++count > GREETING_WORDS_MAX || !talk_kind(w, &of))
            return WORDS_OTHER;
        if (of != WORDS_OTHER && kind != WORDS_THANKS)
            kind = of;
        if (asked < COUNT_OF(how_are_you) && strcmp(w, how_are_you[asked]) == 0)
            asked++;
    }
    if (kind == WORDS_OTHER && asked == COUNT_OF(how_are_you))
        kind = WORDS_GREETING;
    return kind;
}

bool
words_everything(const char *s, size_t n)
{
    const char *end = s + n;
    char w[WORD_MAX + 1];
    size_t count = 0;
    bool found = false;

    while (next_raw(&s, end, w) > 0 && ++count <= 12)
        found |= strcmp(w, "everything") == 0 || strcmp(w, "long") == 0;
    return found && count <= 12;
}

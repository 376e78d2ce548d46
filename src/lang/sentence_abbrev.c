/*
 * Words before a full stop that is mostly none, and words that show by their
 * capital that it was one after all. Only what is common in English, German,
 * French and Spanish prose: a rare abbreviation costs one cut too many.
 *
 * The lists are sorted by bytes, as they are searched so.
 */
#include "base/base.h"

#include "lang/sentence.h"

#include "lang/letter.h"
#include "lang/word.h"

static const char *const always[] = {
    "al",  "approx", "bspw", "bzgl", "bzw",  "ca",   "capt", "cf",    "col",
    "d.h", "dipl",   "dr",   "e.g",  "eg",   "ej",   "evtl", "excl",  "exkl",
    "fr",  "gen",    "ggf",  "gov",  "hon",  "hr",   "hrn",  "i.d.r", "i.e",
    "ie",  "incl",   "ing",  "inkl", "lt",   "mlle", "mm",   "mme",   "mr",
    "mrs", "ms",     "o.ä",  "p.ex", "prof", "rep",  "resp", "rev",   "s.o",
    "s.u", "sen",    "sgt",  "sog",  "sra",  "srta", "st",   "u.a",   "u.u",
    "ud",  "uds",    "v.a",  "vgl",  "viz",  "vs",   "z.b",
};

static const char *const before_number[] = {
    "abb", "abs", "apr", "art",  "aug",  "bd",  "ch",  "dec", "dez",
    "eq",  "feb", "fig", "figs", "jan",  "jul", "jun", "kap", "mar",
    "max", "min", "no",  "nos",  "nov",  "nr",  "oct", "okt", "p",
    "pp",  "s",   "sec", "sep",  "sept", "tab", "tel", "ver", "vol",
};

static const char *const maybe[] = {
    "a.m", "am",   "ave", "b.a", "blvd", "bros", "co",  "corp", "dept", "e.u",
    "est", "gmbh", "inc", "jr",  "llc",  "ltd",  "m.a", "m.d",  "mio",  "mrd",
    "p.m", "ph.d", "plc", "pm",  "sr",   "str",  "u.k", "u.n",  "u.s",  "usa",
};

static const char *const starters[] = {
    "a",       "aber",    "after",  "all",     "also",  "am",      "an",
    "and",     "any",     "are",    "as",      "at",    "auch",    "auf",
    "because", "before",  "both",   "but",     "by",    "can",     "da",
    "dabei",   "damit",   "dann",   "das",     "der",   "deshalb", "die",
    "dies",    "diese",   "dieser", "dieses",  "do",    "doch",    "does",
    "ein",     "eine",    "el",     "ella",    "elle",  "elles",   "en",
    "er",      "es",      "este",   "for",     "from",  "für",     "he",
    "hence",   "her",     "here",   "his",     "how",   "however", "i",
    "ich",     "if",      "ihr",    "il",      "ils",   "im",      "in",
    "is",      "it",      "its",    "je",      "la",    "las",     "later",
    "le",      "les",     "los",    "mais",    "man",   "many",    "mit",
    "most",    "my",      "nach",   "no",      "not",   "nous",    "now",
    "oder",    "on",      "once",   "one",     "or",    "our",     "pero",
    "please",  "seit",    "she",    "sie",     "since", "so",      "some",
    "still",   "that",    "the",    "their",   "then",  "there",   "therefore",
    "these",   "they",    "this",   "those",   "thus",  "to",      "today",
    "un",      "una",     "und",    "une",     "until", "usted",   "vous",
    "was",     "we",      "wenn",   "wer",     "what",  "when",    "where",
    "which",   "while",   "who",    "why",     "wie",   "will",    "wir",
    "with",    "without", "would",  "während", "y",     "yes",     "yet",
    "you",     "your",    "zu",     "zum",
};

static int
compare(const void *key, const void *item)
{
    return strcmp(key, *(const char *const *)item);
}

static bool
is_listed(const char *folded, const char *const *list, size_t n)
{
    return bsearch(folded, list, n, sizeof(list[0]), compare) != NULL;
}

enum abbrev
sentence_abbrev(const char *word, size_t n)
{
    char folded[WORD_FOLD_MAX + 1];

    if (n == 0 || word_fold(word, n, folded) == 0)
        return ABBREV_NONE;
    if (is_listed(folded, always, COUNT_OF(always)))
        return ABBREV_ALWAYS;
    if (is_listed(folded, before_number, COUNT_OF(before_number)))
        return ABBREV_NUMBER;
    if (is_listed(folded, maybe, COUNT_OF(maybe)))
        return ABBREV_MAYBE;
    return ABBREV_NONE;
}

bool
sentence_starter(const char *word, size_t n)
{
    char folded[WORD_FOLD_MAX + 1];
    uint32_t c;

    if (n == 0)
        return false;
    (void)letter_read(word, n, &c);
    if (!letter_is_upper(c) || word_fold(word, n, folded) == 0)
        return false;
    return is_listed(folded, starters, COUNT_OF(starters));
}

/*
 * Words that say nothing of what a text is about, for four languages, and the
 * guess at a language that they allow: the one whose stop words a text holds
 * most of. Words of another language fall through as they are, which is right
 * for names and harmless for the rest.
 *
 * The lists are sorted by bytes (strcmp), as they are searched so.
 */
#include "base/base.h"

#include "lang/word.h"

#include "lang/letter.h"

#define GUESS_WORDS 1000 /* are enough */

static const char *const english[] = {
    "a",          "about",     "above",        "across",
    "actually",   "after",     "afterwards",   "again",
    "against",    "ago",       "all",          "almost",
    "along",      "already",   "also",         "although",
    "always",     "am",        "among",        "an",
    "and",        "another",   "any",          "anybody",
    "anyone",     "anything",  "anyway",       "anywhere",
    "are",        "aren't",    "around",       "as",
    "at",         "away",      "back",         "be",
    "became",     "because",   "become",       "becomes",
    "been",       "before",    "beforehand",   "behind",
    "being",      "below",     "beside",       "besides",
    "between",    "beyond",    "both",         "but",
    "by",         "can",       "can't",        "cannot",
    "cant",       "could",     "couldn't",     "did",
    "didn't",     "didnt",     "do",           "does",
    "doesn't",    "doesnt",    "doing",        "don't",
    "done",       "dont",      "down",         "during",
    "each",       "either",    "else",         "elsewhere",
    "enough",     "etc",       "even",         "ever",
    "every",      "everybody", "everyone",     "everything",
    "everywhere", "except",    "few",          "for",
    "former",     "from",      "further",      "had",
    "hadn't",     "has",       "hasn't",       "have",
    "haven't",    "having",    "he",           "he'd",
    "he'll",      "he's",      "hello",        "hence",
    "her",        "here",      "here's",       "hers",
    "herself",    "hey",       "hi",           "him",
    "himself",    "his",       "how",          "how's",
    "however",    "i",         "i'd",          "i'll",
    "i'm",        "i've",      "if",           "im",
    "in",         "indeed",    "instead",      "into",
    "is",         "isn't",     "isnt",         "it",
    "it'd",       "it'll",     "it's",         "its",
    "itself",     "ive",       "just",         "last",
    "later",      "latter",    "least",        "less",
    "let",        "let's",     "like",         "likely",
    "many",       "may",       "maybe",        "me",
    "meanwhile",  "might",     "mightn't",     "mine",
    "more",       "moreover",  "most",         "mostly",
    "much",       "must",      "mustn't",      "my",
    "myself",     "namely",    "near",         "nearly",
    "neither",    "never",     "nevertheless", "next",
    "no",         "nobody",    "none",         "nor",
    "not",        "nothing",   "now",          "nowhere",
    "of",         "off",       "often",        "oh",
    "ok",         "okay",      "on",           "once",
    "one",        "one's",     "only",         "onto",
    "or",         "other",     "others",       "otherwise",
    "ought",      "our",       "ours",         "ourselves",
    "out",        "over",      "own",          "per",
    "perhaps",    "please",    "quite",        "rather",
    "really",     "said",      "same",         "say",
    "says",       "seem",      "seemed",       "seems",
    "several",    "shall",     "shan't",       "she",
    "she'd",      "she'll",    "she's",        "should",
    "shouldn't",  "since",     "so",           "some",
    "somebody",   "somehow",   "someone",      "something",
    "sometimes",  "somewhere", "still",        "such",
    "than",       "thank",     "thanks",       "that",
    "that'll",    "that's",    "the",          "their",
    "theirs",     "them",      "themselves",   "then",
    "there",      "there's",   "thereby",      "therefore",
    "these",      "they",      "they'd",       "they'll",
    "they're",    "they've",   "this",         "those",
    "though",     "through",   "throughout",   "thus",
    "to",         "together",  "too",          "toward",
    "towards",    "under",     "unless",       "until",
    "up",         "upon",      "us",           "very",
    "via",        "was",       "wasn't",       "we",
    "we'd",       "we'll",     "we're",        "we've",
    "well",       "were",      "weren't",      "what",
    "what's",     "whatever",  "when",         "when's",
    "where",      "where's",   "whereas",      "wherever",
    "whether",    "which",     "whichever",    "while",
    "who",        "who'd",     "who'll",       "who's",
    "whole",      "whom",      "whose",        "why",
    "why's",      "will",      "with",         "within",
    "without",    "won't",     "would",        "wouldn't",
    "yes",        "yet",       "you",          "you'd",
    "you'll",     "you're",    "you've",       "your",
    "yours",      "yourself",  "yourselves",
};

static const char *const german[] = {
    "aber",     "alle",     "allem",    "allen",   "aller",    "alles",
    "als",      "also",     "am",       "an",      "ander",    "andere",
    "anderem",  "anderen",  "anderer",  "anderes", "auch",     "auf",
    "aus",      "bei",      "beide",    "beim",    "bereits",  "bin",
    "bis",      "bisher",   "bist",     "bitte",   "bzw",      "da",
    "dabei",    "dadurch",  "dafür",    "dagegen", "daher",    "dahin",
    "damals",   "damit",    "danach",   "daneben", "danke",    "dann",
    "daran",    "darauf",   "daraus",   "darf",    "darin",    "darum",
    "darunter", "darüber",  "das",      "dass",    "dasselbe", "davon",
    "davor",    "dazu",     "dein",     "deine",   "deinem",   "deinen",
    "deiner",   "dem",      "den",      "denen",   "denn",     "dennoch",
    "der",      "deren",    "derselbe", "des",     "deshalb",  "dessen",
    "dich",     "die",      "dies",     "diese",   "diesem",   "diesen",
    "dieser",   "dieses",   "dir",      "doch",    "dort",     "du",
    "durch",    "dürfen",   "eben",     "ein",     "eine",     "einem",
    "einen",    "einer",    "eines",    "einfach", "einige",   "einigen",
    "einmal",   "er",       "erst",     "es",      "etwa",     "etwas",
    "euch",     "euer",     "eure",     "für",     "ganz",     "gar",
    "gegen",    "gewesen",  "gibt",     "habe",    "haben",    "hallo",
    "hat",      "hatte",    "hatten",   "hier",    "hin",      "hinter",
    "ich",      "ihm",      "ihn",      "ihnen",   "ihr",      "ihre",
    "ihrem",    "ihren",    "ihrer",    "im",      "immer",    "in",
    "indem",    "ins",      "ist",      "ja",      "jede",     "jedem",
    "jeden",    "jeder",    "jedes",    "jedoch",  "jene",     "jetzt",
    "kann",     "kannst",   "kein",     "keine",   "keinem",   "keinen",
    "keiner",   "können",   "könnte",   "könnten", "machen",   "man",
    "manche",   "mehr",     "mein",     "meine",   "meinem",   "meinen",
    "meiner",   "mich",     "mir",      "mit",     "muss",     "musste",
    "müssen",   "nach",     "nachdem",  "nein",    "nicht",    "nichts",
    "noch",     "nun",      "nur",      "ob",      "obwohl",   "oder",
    "ohne",     "schon",    "sehr",     "sein",    "seine",    "seinem",
    "seinen",   "seiner",   "seit",     "selbst",  "sich",     "sie",
    "sind",     "so",       "sogar",    "solche",  "soll",     "sollte",
    "sollten",  "sondern",  "sonst",    "soweit",  "sowie",    "um",
    "und",      "uns",      "unser",    "unsere",  "unserem",  "unseren",
    "unter",    "usw",      "viel",     "viele",   "vielen",   "vom",
    "von",      "vor",      "war",      "waren",   "warum",    "was",
    "weg",      "weil",     "weiter",   "welche",  "welchem",  "welchen",
    "welcher",  "welches",  "wenn",     "wer",     "werde",    "werden",
    "wie",      "wieder",   "will",     "wir",     "wird",     "wirst",
    "wo",       "wollen",   "wollte",   "worden",  "wurde",    "wurden",
    "während",  "würde",    "würden",   "zu",      "zum",      "zur",
    "zwar",     "zwischen", "über",
};

static const char *const french[] = {
    "a",        "ai",      "ainsi",       "alors",    "as",        "au",
    "aucun",    "aucune",  "aujourd'hui", "auquel",   "aura",      "aussi",
    "autre",    "autres",  "aux",         "avaient",  "avait",     "avant",
    "avec",     "avez",    "avoir",       "avons",    "bien",      "bonjour",
    "c",        "car",     "ce",          "ceci",     "cela",      "celle",
    "celles",   "celui",   "cependant",   "ces",      "cet",       "cette",
    "ceux",     "chaque",  "chez",        "comme",    "comment",   "d",
    "dans",     "de",      "depuis",      "des",      "deux",      "devrait",
    "dois",     "doit",    "donc",        "dont",     "du",        "elle",
    "elles",    "en",      "encore",      "entre",    "es",        "est",
    "et",       "eu",      "eux",         "faire",    "fait",      "fois",
    "font",     "haut",    "hors",        "ici",      "il",        "ils",
    "j",        "je",      "jusqu",       "l",        "la",        "laquelle",
    "le",       "lequel",  "les",         "lesquels", "leur",      "leurs",
    "lors",     "lorsque", "lui",         "là",       "m",         "ma",
    "mais",     "me",      "merci",       "mes",      "moi",       "moins",
    "mon",      "même",    "mêmes",       "n",        "ne",        "ni",
    "non",      "nos",     "notre",       "nous",     "on",        "ont",
    "ou",       "où",      "par",         "parce",    "pas",       "pendant",
    "peu",      "peut",    "peuvent",     "plus",     "plusieurs", "pour",
    "pourquoi", "puis",    "qu",          "quand",    "que",       "quel",
    "quelle",   "quelles", "quelque",     "quelques", "quels",     "qui",
    "quoi",     "s",       "sa",          "sans",     "se",        "sera",
    "seront",   "ses",     "seulement",   "si",       "soit",      "son",
    "sont",     "sous",    "souvent",     "sur",      "t",         "ta",
    "te",       "tes",     "toi",         "ton",      "tous",      "tout",
    "toute",    "toutes",  "très",        "tu",       "un",        "une",
    "vers",     "voici",   "voilà",       "vos",      "votre",     "vous",
    "y",        "à",       "étaient",     "était",    "étant",     "été",
    "être",
};

static const char *const spanish[] = {
    "a",       "acá",       "ahora",    "ahí",      "al",       "algo",
    "alguna",  "algunas",   "alguno",   "algunos",  "algún",    "allí",
    "ante",    "antes",     "aquel",    "aquella",  "aquellos", "aquí",
    "así",     "aun",       "aunque",   "aún",      "bajo",     "bien",
    "cada",    "casi",      "como",     "con",      "contra",   "cual",
    "cuales",  "cualquier", "cuando",   "cuál",     "cuándo",   "cómo",
    "de",      "del",       "desde",    "después",  "donde",    "dos",
    "durante", "dónde",     "e",        "el",       "ella",     "ellas",
    "ellos",   "en",        "entonces", "entre",    "era",      "eran",
    "eres",    "es",        "esa",      "esas",     "ese",      "eso",
    "esos",    "esta",      "estaba",   "estar",    "estas",    "este",
    "esto",    "estos",     "estoy",    "está",     "están",    "fue",
    "fueron",  "gracias",   "ha",       "había",    "habían",   "hace",
    "hacer",   "hacia",     "han",      "hasta",    "hay",      "hola",
    "incluso", "la",        "las",      "le",       "les",      "lo",
    "los",     "luego",     "me",       "menos",    "mi",       "mientras",
    "mis",     "mismo",     "mucha",    "muchas",   "mucho",    "muchos",
    "muy",     "más",       "mí",       "nada",     "ni",       "ninguna",
    "ningún",  "no",        "nos",      "nosotros", "nuestra",  "nuestro",
    "nunca",   "o",         "os",       "otra",     "otras",    "otro",
    "otros",   "para",      "pero",     "poco",     "por",      "porque",
    "puede",   "pueden",    "pues",     "que",      "quien",    "quién",
    "qué",     "se",        "sea",      "según",    "ser",      "si",
    "sido",    "siempre",   "sin",      "sino",     "sobre",    "solo",
    "somos",   "son",       "su",       "sus",      "sí",       "sólo",
    "también", "tan",       "tanto",    "te",       "tener",    "tiene",
    "tienen",  "toda",      "todas",    "todo",     "todos",    "tu",
    "tus",     "tú",        "un",       "una",      "unas",     "uno",
    "unos",    "usted",     "ustedes",  "va",       "vez",      "y",
    "ya",      "yo",        "él",
};

/* Function characters of Chinese. */
static const char particles[] =
    "的了是在我有和就不都一也很到说要去你会着没这那他她它们与及或为以于而之"
    "其被把对从但所因吗呢吧啊个";

static const struct {
    const char *const *words;
    size_t n;
    const char *letters; /* that the others do not have */
} lists[LANG__MAX] = {
    [LANG_NONE] = {english, COUNT_OF(english), ""},
    [LANG_EN] = {english, COUNT_OF(english), ""},
    [LANG_DE] = {german, COUNT_OF(german), "äöüß"},
    [LANG_FR] = {french, COUNT_OF(french), "àâçèêîôœû"},
    [LANG_ES] = {spanish, COUNT_OF(spanish), "áíñóú"},
};

static int
compare(const void *key, const void *item)
{
    return strcmp(key, *(const char *const *)item);
}

static bool
is_listed(enum lang lang, const char *folded)
{
    return bsearch(folded, lists[lang].words, lists[lang].n,
                   sizeof(lists[lang].words[0]), compare) != NULL;
}

bool
word_is_stop(enum lang lang, const char *folded)
{
    size_t n = strlen(folded), len;
    uint32_t c;

    if (n == 0)
        return true;
    len = letter_read(folded, n, &c);
    if (letter_is_cjk(c))
        return letter_is_kana(c) || strstr(particles, folded) != NULL;
    if (len == n && letter_is_alpha(c))
        return true;
    return is_listed(lang, folded);
}

const char *const *
word_stops(enum lang lang, size_t *n)
{
    *n = lists[lang].n;
    return lists[lang].words;
}

/* Does the word hold a letter of the list? */
static bool
has_letter(const char *word, const char *letters)
{
    size_t n = strlen(letters), len;
    uint32_t c;

    for (size_t i = 0; i < n; i += len) {
        len = letter_read(letters + i, n - i, &c);
        if (memmem(word, strlen(word), letters + i, len) != NULL)
            return true;
    }
    return false;
}

enum lang
word_guess(const char *s, size_t n)
{
    size_t hits[LANG__MAX] = {0}, pos = 0, words = 0;
    enum lang best = LANG_NONE;
    bool tie = false;
    struct word w;

    while (words < GUESS_WORDS && word_next(s, n, &pos, &w)) {
        char folded[WORD_FOLD_MAX + 1];

        if (w.kind != WORD_LETTERS)
            continue;
        (void)word_fold(s + w.start, w.len, folded);
        words++;
        for (int i = LANG_EN; i < LANG__MAX; i++) {
            hits[i] += is_listed((enum lang)i, folded) ? 2 : 0;
            hits[i] += has_letter(folded, lists[i].letters) ? 1 : 0;
        }
    }
    for (int i = LANG_EN; i < LANG__MAX; i++) {
        tie = hits[i] > hits[best] ? false : tie || hits[i] == hits[best];
        best = hits[i] > hits[best] ? (enum lang)i : best;
    }
    return hits[best] == 0 || tie ? LANG_NONE : best;
}

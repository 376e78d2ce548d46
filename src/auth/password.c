/*
 * What makes a password easy, in the order in which it is looked for. A list
 * alone does not do it: whoever is refused "dragon" takes "Dragon2024!", and
 * whoever guesses tries that next. So a word is compared without its case, with
 * the signs that stand for letters taken as one with them, and without the
 * digits and signs around it.
 *
 * A walk over a keyboard is counted, not listed: a password is cut into the
 * fewest runs (of one character, of the alphabet, of a row or a column of
 * keys), and each run is worth as much as one character. The same is done with
 * every second character, for 1q2w3e4r.
 *
 * The list of what many people chose is a file that `make` takes from npm; it
 * is read for each question, since a password is set rarely. The short one
 * below holds beside it, and is what there is without the file.
 */
#include "base/base.h"

#include "auth/password.h"

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#define SIZE 1024   /* bytes of a password, with the NUL; longer ones are cut */
#define RUN_MIN 3   /* characters in a row that are a run */
#define WORTH_MIN 4 /* runs and single characters that are enough */
#define WORD_MIN 3  /* characters of a part of a name that counts */
#define PATH_BYTES 4200

/* What is asked about. */
struct candidate {
    const char *user;
    const char *list; /* a password a line; "" if there is no file */
};

/* Whole passwords, and words that others are made of. */
static const char *const obvious[] = {
    "access",   "admin",     "administrator", "amazon",    "america",
    "andrew",   "android",   "angel",         "apple",     "april",
    "arsenal",  "asdf",      "ashley",        "august",    "autumn",
    "baby",     "banana",    "barcelona",     "baseball",  "basketball",
    "batman",   "berlin",    "bitcoin",       "butterfly", "change",
    "changeme", "charlie",   "cheese",        "chelsea",   "chocolate",
    "cisco",    "coffee",    "company",       "computer",  "cookie",
    "corvette", "cricket",   "crystal",       "daddy",     "daniel",
    "debian",   "december",  "default",       "demo",      "desktop",
    "diamond",  "dragon",    "eagle",         "england",   "example",
    "facebook", "falcon",    "family",        "father",    "february",
    "ferrari",  "flower",    "football",      "forever",   "freedom",
    "friday",   "friend",    "friends",       "gandalf",   "germany",
    "golden",   "golf",      "goodbye",       "google",    "guest",
    "guitar",   "hallo",     "happy",         "harley",    "heaven",
    "hello",    "hockey",    "honey",         "hunter",    "iloveyou",
    "internet", "iphone",    "january",       "jennifer",  "jessica",
    "jesus",    "jordan",    "joshua",        "july",      "june",
    "juventus", "killer",    "knight",        "laptop",    "letmein",
    "linux",    "lion",      "liverpool",     "login",     "london",
    "love",     "lovely",    "lovers",        "lucky",     "march",
    "master",   "matrix",    "maverick",      "mercedes",  "merlin",
    "michael",  "michelle",  "microsoft",     "mommy",     "monday",
    "money",    "monkey",    "moonlight",     "mother",    "music",
    "mustang",  "nicole",    "ninja",         "nothing",   "november",
    "october",  "office",    "oracle",        "orange",    "panther",
    "paris",    "pass",      "passw0rd",      "password",  "passwort",
    "pepper",   "phoenix",   "pirate",        "pokemon",   "porsche",
    "prince",   "princess",  "private",       "public",    "purple",
    "qazwsx",   "qwer",      "rainbow",       "ranger",    "robert",
    "root",     "samantha",  "sample",        "samsung",   "secret",
    "secrets",  "september", "server",        "service",   "shadow",
    "signin",   "silver",    "smile",         "soccer",    "spiderman",
    "spring",   "startrek",  "starwars",      "sugar",     "summer",
    "sunday",   "sunshine",  "superman",      "support",   "sweetie",
    "system",   "tennis",    "test",          "tester",    "testing",
    "thomas",   "tiger",     "trustno1",      "twitter",   "ubuntu",
    "user",     "victoria",  "warrior",       "welcome",   "whatever",
    "windows",  "winter",    "wizard",        "yamaha",
};

/* What goes on from left to right; also taken from right to left. */
static const char *const rows[] = {
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "`1234567890-=",
    "!@#$%^&*()_+",
    "qwertyuiop[]",
    "asdfghjkl;'",
    "zxcvbnm,./",
    "qwertzuiop",
    "yxcvbnm",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "1qaz",
    "2wsx",
    "3edc",
    "4rfv",
    "5tgb",
    "6yhn",
    "7ujm",
    "8ik,",
    "9ol.",
    "0p;/",
};

/* --- characters ----------------------------------------------------------- */

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A byte of a letter of another script is one, too. */
static bool
is_letter(char c)
{
    return (lower(c) >= 'a' && lower(c) <= 'z') || (unsigned char)c >= 0x80;
}

/* The same for all that stand for one letter. */
static char
plain(char c)
{
    static const char from[] = "013457@$!|+l";
    static const char to[] = "oieastasiiti";
    const char *at = strchr(from, lower(c));

    return c != '\0' && at != NULL ? to[at - from] : lower(c);
}

static size_t
characters(const char *s)
{
    size_t n = 0;

    for (; *s != '\0'; s++)
        n += ((unsigned char)*s & 0xC0) != 0x80;
    return n;
}

/* --- repetition ----------------------------------------------------------- */

/* After how many bytes it begins anew, to its end; n: it does not. The last
 * time need not be whole. */
static size_t
period(const char *s, size_t n)
{
    for (size_t p = 1; p <= n / 2; p++)
        if (memcmp(s, s + p, n - p) == 0)
            return p;
    return n;
}

/* --- walks ---------------------------------------------------------------- */

/* How many bytes of s, of which there are n, go on in this row, by step. */
static size_t
run_in(const char *row, const char *s, size_t n, int step)
{
    size_t len = strlen(row), i = 0;
    const char *at = strchr(row, s[0]);

    if (at == NULL)
        return 0;
    for (size_t k = (size_t)(at - row); i < n && k < len && row[k] == s[i];
         k += (size_t)step)
        i++;
    return i;
}

static size_t
run(const char *s, size_t n)
{
    size_t most = 1;

    while (most < n && s[most] == s[0])
        most++;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (int step = -1; step <= 1; step += 2) {
            size_t k = run_in(rows[i], s, n, step);

            most = k > most ? k : most;
        }
    return most;
}

/* Runs, and characters that are in none. */
static size_t
worth(const char *s, size_t n)
{
    size_t sum = 0;

    for (size_t i = 0; i < n; sum++) {
        size_t k = run(s + i, n - i);

        i += k >= RUN_MIN ? k : 1;
    }
    return sum;
}

static bool
is_walk(const char *s, size_t n)
{
    char half[2][SIZE];

    if (worth(s, n) < WORTH_MIN)
        return true;
    for (size_t i = 0; i < n; i++)
        half[i % 2][i / 2] = s[i];
    return worth(half[0], n - n / 2) + worth(half[1], n / 2) < WORTH_MIN;
}

/* --- dates ---------------------------------------------------------------- */

static int
number(const char *s, int digits)
{
    int v = 0;

    for (int i = 0; i < digits; i++)
        v = 10 * v + (s[i] - '0');
    return v;
}

static bool
day_and_month(int a, int b)
{
    return a >= 1 && b >= 1 && a <= 31 && b <= 31 && (a <= 12 || b <= 12);
}

/* 24121990, 1990-12-24, 12/24/1990 and the like. */
static bool
is_date(const char *s)
{
    char d[9];
    size_t n = 0;

    for (; *s != '\0'; s++) {
        if (strchr("-./ _", *s) != NULL)
            continue;
        if (!is_digit(*s) || n == sizeof(d) - 1)
            return false;
        d[n++] = *s;
    }
    if (n != sizeof(d) - 1)
        return false;
    if (number(d, 4) / 100 == 19 || number(d, 4) / 100 == 20)
        if (day_and_month(number(d + 4, 2), number(d + 6, 2)))
            return true;
    return (number(d + 4, 4) / 100 == 19 || number(d + 4, 4) / 100 == 20) &&
           day_and_month(number(d, 2), number(d + 2, 2));
}

/* --- words ---------------------------------------------------------------- */

static bool
same(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (plain(a[i]) != plain(b[i]))
            return false;
    return true;
}

static bool
is_word(const char *word, size_t len, const char *s, size_t n)
{
    return len == n && same(word, s, n);
}

static bool
in_list(const char *list, const char *s, size_t n)
{
    for (size_t i = 0; i < COUNT_OF(obvious); i++)
        if (is_word(obvious[i], strlen(obvious[i]), s, n))
            return true;
    while (*list != '\0') {
        size_t len = strcspn(list, "\r\n");

        if (n > 0 && !text_starts(list, "# ") && is_word(list, len, s, n))
            return true;
        list += len;
        list += strspn(list, "\r\n");
    }
    return false;
}

/* Is it a part of the name, or all of it? */
static bool
in_name(const char *name, const char *s, size_t n)
{
    if (n >= WORD_MIN && n == strlen(name) && same(name, s, n))
        return true;
    while (*name != '\0') {
        size_t len = 0;

        while (is_letter(name[len]))
            len++;
        if (len == n && n >= WORD_MIN && same(name, s, n))
            return true;
        name += len > 0 ? len : 1;
    }
    return false;
}

/* What is wrong with a core, which may be said twice. */
static const char *
core_fault(const struct candidate *c, const char *s, size_t n)
{
    size_t unit = period(s, n);

    if (n % unit != 0)
        unit = n;
    if (in_name(c->user, s, n) || in_name(c->user, s, unit))
        return "it is made of the user's name";
    if (in_name("parley", s, n) || in_name("parley", s, unit))
        return "it is made of this program's name";
    return in_list(c->list, s, n) ||
                   (unit >= WORD_MIN && in_list(c->list, s, unit))
               ? "it is one that many people use, or made of one"
               : NULL;
}

/* Without digits and signs at its ends, as many as may go. */
static const char *
word_fault(const struct candidate *c, const char *s, size_t n)
{
    for (size_t from = 0; from <= PASSWORD_MORE && from < n; from++) {
        for (size_t back = 0; from + back <= PASSWORD_MORE && from + back < n;
             back++) {
            const char *fault = core_fault(c, s + from, n - from - back);

            if (fault != NULL)
                return fault;
            if (is_letter(s[n - back - 1]))
                break;
        }
        if (is_letter(s[from]))
            break;
    }
    return NULL;
}

/* --- the file ------------------------------------------------------------- */

/* The list; "" where it cannot be had, which is told. The caller frees it. */
static char *
read_list(const char *root)
{
    char *bytes = xmalloc(PASSWORD_LIST_MAX + 2), path[PATH_BYTES];
    ssize_t n;

    (void)snprintf(path, sizeof(path), "%s/%s", root, PASSWORD_LIST);
    n = file_read(path, bytes, PASSWORD_LIST_MAX + 1);
    if (n < 0 || n > PASSWORD_LIST_MAX) {
        log_warn("password.list", "path=\"%s\" error=\"%s\"", LOG_TEXT(path),
                 n < 0 ? strerror(errno) : "it is too long");
        n = 0;
    }
    bytes[n] = '\0';
    return bytes;
}

/* --- all of it ------------------------------------------------------------ */

const char *
password_fault(const char *root, const char *user, const char *password)
{
    struct candidate c = {.user = user};
    char s[SIZE], *list;
    size_t n;
    const char *fault;

    (void)snprintf(s, sizeof(s), "%s", password);
    n = strlen(s);
    for (size_t i = 0; i < n; i++)
        s[i] = lower(s[i]);
    if (characters(password) < PASSWORD_MIN)
        fault = "it has fewer than 8 characters";
    else if (is_walk(s, n))
        fault = "it is a few characters in a row, or keys side by side";
    else if (is_date(s))
        fault = "it is a date";
    else {
        list = read_list(root);
        c.list = list;
        fault = word_fault(&c, s, n);
        free(list);
    }
    if (fault == NULL && period(s, n) < PASSWORD_MIN)
        fault = "it says the same again and again";
    explicit_bzero(s, sizeof(s));
    return fault;
}

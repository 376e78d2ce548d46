/*
 * Numbers that mean something: dates, times, money, percentages, quantities.
 *
 * One walk over a sentence. Where a number, a sign of money, a month or a day
 * begins, the patterns are tried from the most to the least particular; what
 * matches is passed over as a whole. Numbers with two dots or more (versions,
 * addresses of hosts) are nothing of this and passed over, too.
 */
#include "base/base.h"

#include "lang/entity_find.h"
#include "lang/entity_walk.h"

#include "lang/letter.h"
#include "lang/word.h"

static const char *const coins[] = {
    "usd",     "eur",    "gbp",    "chf",    "jpy",     "cny",
    "inr",     "cad",    "aud",    "euro",   "euros",   "dollar",
    "dollars", "pounds", "pesos",  "francs", "franken", "cents",
    "cent",    "yen",    "rupees", "sek",    "nok"};

static const char *const percents[] = {"percent", "prozent"};

static const char *const units[] = {
    "km",          "m",         "cm",        "mm",          "nm",
    "miles",       "mile",      "ft",        "feet",        "inch",
    "inches",      "kg",        "g",         "mg",          "lb",
    "lbs",         "oz",        "tons",      "tonnes",      "l",
    "ml",          "litres",    "liters",    "s",           "ms",
    "µs",          "ns",        "min",       "mins",        "h",
    "hr",          "hrs",       "hour",      "hours",       "minute",
    "minutes",     "second",    "seconds",   "millisecond", "milliseconds",
    "day",         "days",      "week",      "weeks",       "month",
    "months",      "year",      "years",     "b",           "kb",
    "mb",          "gb",        "tb",        "pb",          "kib",
    "mib",         "gib",       "tib",       "bit",         "bits",
    "kbit",        "mbit",      "gbit",      "mbps",        "gbps",
    "byte",        "bytes",     "kilobytes", "megabytes",   "gigabytes",
    "terabytes",   "hz",        "khz",       "mhz",         "ghz",
    "w",           "kw",        "mw",        "gw",          "kwh",
    "mwh",         "v",         "mv",        "mah",         "px",
    "pixels",      "dpi",       "fps",       "rpm",         "mph",
    "kmh",         "degrees",   "acres",     "hectares",    "people",
    "users",       "employees", "customers", "requests",    "tokens",
    "messages",    "meter",     "meters",    "metres",      "kilometers",
    "kilometres",  "kilometer", "stunden",   "stunde",      "minuten",
    "sekunden",    "tage",      "tagen",     "wochen",      "monate",
    "monaten",     "jahre",     "jahren",    "grad",        "menschen",
    "mitarbeiter", "heures",    "jours",     "ans",         "horas",
    "días",        "años"};

/* ---- dates ----------------------------------------------------------- */

/* " 2024", ", 2024", " de 2024" at i: where it ends, or i. */
static size_t
year(const struct walk *w, size_t i)
{
    size_t k = walk_at(w, i) == ',' ? i + 1 : i;
    struct number n;

    if (walk_at(w, k) != ' ')
        return i;
    k++;
    if (w->n - k > 3 && memcmp(w->s + k, "de ", 3) == 0)
        k += 3;
    if (walk_number(w, k, &n) == k || !walk_is_year(&n) ||
        !walk_is_free(w, n.end))
        return i;
    return n.end;
}

/* "st", "nd", "rd", "th" and "." after a day. */
static size_t
ordinal(const struct walk *w, size_t i)
{
    static const char *const ends[] = {"st", "nd", "rd", "th", "er"};
    char word[WORD_FOLD_MAX + 1];
    size_t end = walk_letters(w, i, word);

    if (walk_is_one_of(word, ends, COUNT_OF(ends)))
        return end;
    return walk_at(w, i) == '.' ? i + 1 : i;
}

/* "5 May 2024", "3. Mai", "5th of May"; 0: it is none. */
static size_t
day_month(const struct walk *w, size_t i, const struct number *n)
{
    char word[WORD_FOLD_MAX + 1];
    size_t k = ordinal(w, n->end), end;

    (void)i;
    if (n->digits > 2 || n->marks > 0 || n->value < 1 || n->value > 31 ||
        walk_at(w, k) != ' ')
        return 0;
    end = walk_letters(w, ++k, word);
    if (strcmp(word, "of") == 0 || strcmp(word, "de") == 0)
        end = walk_letters(w, walk_space(w, end), word);
    if (!entity_is_month(word) || !walk_is_free(w, end))
        return 0;
    if (walk_at(w, end) == '.' && walk_at(w, end + 1) == ' ' &&
        walk_digit(w, end + 2))
        end++;
    return year(w, end);
}

/* "May 5, 2024", "May 2024"; a month alone is none. */
static size_t
month_day(const struct walk *w, size_t i)
{
    char word[WORD_FOLD_MAX + 1];
    size_t end = walk_letters(w, i, word), k, past;
    struct number n;

    if (!entity_is_month(word) || !walk_is_free(w, end))
        return 0;
    if (walk_at(w, end) == '.')
        end++;
    past = year(w, end);
    if (past > end)
        return past;
    if (walk_at(w, end) != ' ' || walk_number(w, end + 1, &n) == end + 1)
        return 0;
    k = ordinal(w, n.end);
    if (n.digits > 2 || n.marks > 0 || n.value < 1 || n.value > 31)
        return 0;
    if (walk_at(w, k - 1) == '.' || !walk_is_free(w, k) ||
        walk_at(w, k) == ':' || walk_at(w, k) == '%')
        k = n.end;
    return walk_is_free(w, k) && walk_at(w, k) != ':' && walk_at(w, k) != '%'
               ? year(w, k)
               : 0;
}

/* 2024-05-01, 1/5/2024, 01.05.2024 */
static size_t
numeric_date(const struct walk *w, size_t i)
{
    size_t len[3] = {0}, k = i;
    int value[3] = {0};
    char mark = '\0';

    for (int part = 0; part < 3; part++) {
        if (part > 0) {
            char c = walk_at(w, k);

            if (c == '\0' || strchr("-/.", c) == NULL ||
                (part == 2 && c != mark))
                return 0;
            mark = c;
            k++;
        }
        for (; walk_digit(w, k) && len[part] < 5; k++, len[part]++)
            value[part] = value[part] * 10 + (w->s[k] - '0');
    }
    if (walk_at(w, k) == 'T' && walk_digit(w, k + 1)) { /* a time stamp */
        if (len[0] != 4)
            return 0;
    } else if (!walk_is_free(w, k)) {
        return 0;
    }
    if (walk_at(w, k) == mark && walk_digit(w, k + 1))
        return 0;
    if (len[0] == 4 && mark != '.')
        return len[1] <= 2 && len[2] <= 2 && value[1] >= 1 && value[1] <= 12 &&
                       value[2] >= 1 && value[2] <= 31
                   ? k
                   : 0;
    return len[0] >= 1 && len[0] <= 2 && len[1] >= 1 && len[1] <= 2 &&
                   (len[2] == 4 || (len[2] == 2 && len[0] == 2 && len[1] == 2 &&
                                    mark != '-')) &&
                   value[0] >= 1 && value[0] <= 31 && value[1] >= 1 &&
                   value[1] <= 31
               ? k
               : 0;
}

/* A date that begins with letters or digits at i; 0: there is none. */
static size_t
date(const struct walk *w, size_t i)
{
    struct number n;
    size_t end;

    if (!walk_digit(w, i))
        return month_day(w, i);
    end = numeric_date(w, i);
    if (end > 0)
        return end;
    (void)walk_number(w, i, &n);
    return day_month(w, i, &n);
}

/* ---- times ----------------------------------------------------------- */

/* "am", "p.m.", "Uhr", "UTC" after a time: where it ends; i if it is none. */
static size_t
clock_word(const struct walk *w, size_t i)
{
    static const char *const words[] = {"am",  "pm",  "uhr",  "utc",
                                        "gmt", "cet", "cest", "est",
                                        "edt", "pst", "pdt"};
    size_t k = walk_space(w, i), end;
    char word[WORD_FOLD_MAX + 1];

    if (w->n - k >= 4 && (w->s[k] == 'a' || w->s[k] == 'p') &&
        memcmp(w->s + k + 1, ".m.", 3) == 0)
        return k + 4;
    end = walk_letters(w, k, word);
    return walk_is_one_of(word, words, COUNT_OF(words)) && walk_is_free(w, end)
               ? end
               : i;
}

static size_t
time_of_day(const struct walk *w, const struct number *n)
{
    size_t k = n->end, end;

    if (n->digits > 2 || n->marks > 0 || n->value > 24)
        return 0;
    if (walk_at(w, k) != ':') {
        end = clock_word(w, k);
        return end > k && n->value <= 24 ? end : 0;
    }
    for (int part = 0; part < 2 && walk_at(w, k) == ':' &&
                       walk_digit(w, k + 1) && walk_at(w, k + 1) < '6' &&
                       walk_digit(w, k + 2) && !walk_digit(w, k + 3);
         part++)
        k += 3;
    if (k == n->end || !walk_is_free(w, k) || walk_at(w, k) == ':')
        return 0;
    return clock_word(w, k);
}

/* ---- the walk -------------------------------------------------------- */

/* A number with a unit: where it ends; 0: it has none. */
static size_t
quantity(const struct walk *w, const struct number *n)
{
    char word[WORD_FOLD_MAX + 1];
    size_t k = walk_scale(w, n->end), from, end;

    from = walk_at(w, k) == ' ' || walk_at(w, k) == '-' ? k + 1 : k;
    if (walk_at(w, from) == '\xC2' && walk_at(w, from + 1) == '\xB0') { /* ° */
        end = walk_letters(w, from + 2, word);
        return end <= from + 3 ? end : from + 2;
    }
    end = walk_letters(w, from, word);
    if (end == from || !walk_is_one_of(word, units, COUNT_OF(units)) ||
        !walk_is_free(w, end))
        return 0;
    if (walk_at(w, end) == '/') {
        size_t per = walk_letters(w, end + 1, word);

        if (per > end + 1 && per - end <= 7 && walk_is_free(w, per))
            end = per;
    }
    return end;
}

static size_t
money_after(const struct walk *w, const struct number *n)
{
    char word[WORD_FOLD_MAX + 1];
    size_t k = walk_scale(w, n->end), from = walk_space(w, k), end;

    if (walk_sign(w, from) > 0)
        return from + walk_sign(w, from);
    if (from > k && walk_at(w, from) == 'd' && walk_at(w, from + 1) == '\'')
        from += 2; /* "3 millions d'euros" */
    end = walk_letters(w, from, word);
    return walk_is_one_of(word, coins, COUNT_OF(coins)) && walk_is_free(w, end)
               ? end
               : 0;
}

static size_t
percent(const struct walk *w, const struct number *n)
{
    char word[WORD_FOLD_MAX + 1];
    size_t k = walk_space(w, n->end), end;

    if (walk_at(w, k) == '%')
        return k + 1;
    end = walk_letters(w, k, word);
    if (strcmp(word, "per") == 0)
        end = w->n - end > 5 && memcmp(w->s + end, " cent", 5) == 0 ? end + 5
                                                                    : 0;
    else if (!walk_is_one_of(word, percents, COUNT_OF(percents)))
        return 0;
    return end > 0 && walk_is_free(w, end) ? end : 0;
}

static size_t
found(const struct walk *w, enum entity_kind kind, size_t i, size_t end)
{
    entity_add(w->f, kind, w->s + i, end - i);
    return end;
}

/* What begins with the digit at i; where to go on. */
static size_t
at_number(const struct walk *w, size_t i)
{
    struct number n;
    size_t end = date(w, i);

    if (end > 0)
        return found(w, ENTITY_DATE, i, end);
    (void)walk_number(w, i, &n);
    if (n.marks > 1 &&
        memchr(w->s + i, '.', n.end - i) != memrchr(w->s + i, '.', n.end - i))
        return n.end; /* a version; 1.000.000 goes with it */
    if ((end = time_of_day(w, &n)) > 0)
        return found(w, ENTITY_TIME, i, end);
    if ((end = percent(w, &n)) > 0)
        return found(w, ENTITY_PERCENT, i, end);
    if ((end = money_after(w, &n)) > 0)
        return found(w, ENTITY_MONEY, i, end);
    if (walk_is_year(&n) && walk_at(w, n.end) == 's' &&
        walk_is_free(w, n.end + 1))
        return found(w, ENTITY_DATE, i, n.end + 1);
    if ((end = quantity(w, &n)) > 0)
        return found(w, ENTITY_QUANTITY, i, end);
    if (i > 0 && strchr("/-.:", w->s[i - 1]) != NULL)
        return n.end; /* the rest of something */
    if (walk_is_year(&n) && n.value >= 1900 && walk_is_free(w, n.end) &&
        walk_at(w, n.end) != '/' && walk_at(w, n.end) != '-')
        return found(w, ENTITY_DATE, i, n.end);
    return n.end;
}

/* What begins with the letter at i; where to go on. */
static size_t
at_letter(const struct walk *w, size_t i)
{
    char word[WORD_FOLD_MAX + 1];
    size_t end, past, k;
    uint32_t c;

    (void)letter_read(w->s + i, w->n - i, &c);
    end = walk_letters(w, i, word);
    if (letter_is_upper(c) && entity_is_weekday(word) && walk_is_free(w, end)) {
        k = walk_at(w, end) == ',' ? end + 1 : end;
        past = walk_at(w, k) == ' ' ? date(w, k + 1) : 0;
        return found(w, ENTITY_DATE, i, past > 0 ? past : end);
    }
    past = entity_is_month(word) ? month_day(w, i) : 0;
    if (past > 0)
        return found(w, ENTITY_DATE, i, past);
    if (letter_is_upper(c) && end - i > 3 && entity_is_month(word) &&
        strcmp(word, "march") != 0 && strcmp(word, "mars") != 0)
        return found(w, ENTITY_DATE, i, end);
    while (end < w->n) { /* to the end of the word, digits and all */
        size_t len = letter_read(w->s + end, w->n - end, &c);

        if (!letter_is_word(c) &&
            strchr("@/:.-", c < 0x80 ? (int)c : ' ') == NULL)
            break;
        if (c == ':' && walk_at(w, end + 1) == ' ')
            break;
        end += len;
    }
    return end;
}

void
entity_find_numbers(struct entity_finder *f, const char *s, size_t n)
{
    struct walk w = {f, s, n};

    for (size_t i = 0; i < n;) {
        uint32_t c;
        size_t len = letter_read(s + i, n - i, &c), end;
        struct number sum;

        if (walk_digit(&w, i)) {
            i = at_number(&w, i);
        } else if (letter_is_alpha(c) && !letter_is_cjk(c)) {
            end = at_letter(&w, i);
            i = end > i ? end : i + len;
        } else if (walk_sign(&w, i) > 0 &&
                   walk_number(&w, walk_space(&w, i + len), &sum) >
                       walk_space(&w, i + len)) {
            i = found(&w, ENTITY_MONEY, i, walk_scale(&w, sum.end));
        } else {
            i += len;
        }
    }
}

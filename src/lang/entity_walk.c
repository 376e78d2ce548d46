/*
 * A walk over a sentence that holds numbers: the small steps that the patterns
 * of entity_number.c are made of, and the names of months and days.
 */
#include "base/base.h"

#include "lang/entity_walk.h"

#include "lang/entity_find.h"
#include "lang/letter.h"

static const char *const months[] = {
    "january", "february",  "march",     "april",   "may",      "june",
    "july",    "august",    "september", "october", "november", "december",
    "jan",     "feb",       "mar",       "apr",     "jun",      "jul",
    "aug",     "sep",       "sept",      "oct",     "nov",      "dec",
    "januar",  "februar",   "märz",      "mai",     "juni",     "juli",
    "oktober", "dezember",  "okt",       "dez",     "janvier",  "février",
    "mars",    "avril",     "juin",      "juillet", "août",     "septembre",
    "octobre", "novembre",  "décembre",  "enero",   "febrero",  "marzo",
    "abril",   "mayo",      "junio",     "julio",   "agosto",   "septiembre",
    "octubre", "noviembre", "diciembre"};

static const char *const weekdays[] = {
    "monday",    "tuesday",   "wednesday", "thursday", "friday",     "saturday",
    "sunday",    "montag",    "dienstag",  "mittwoch", "donnerstag", "freitag",
    "samstag",   "sonnabend", "sonntag",   "lundi",    "mardi",      "mercredi",
    "jeudi",     "vendredi",  "samedi",    "dimanche", "lunes",      "martes",
    "miércoles", "jueves",    "viernes",   "sábado",   "domingo"};

static const char *const scales[] = {
    "k",         "m",          "bn",       "thousand", "million", "millions",
    "billion",   "billions",   "trillion", "mio",      "mrd",     "tausend",
    "millionen", "milliarden", "millones", "milliards"};

bool
walk_is_one_of(const char *word, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (word[0] == list[i][0] && strcmp(word, list[i]) == 0)
            return true;
    }
    return false;
}

bool
entity_is_month(const char *folded)
{
    return walk_is_one_of(folded, months, COUNT_OF(months));
}

bool
entity_is_weekday(const char *folded)
{
    return walk_is_one_of(folded, weekdays, COUNT_OF(weekdays));
}

bool
walk_digit(const struct walk *w, size_t i)
{
    return i < w->n && w->s[i] >= '0' && w->s[i] <= '9';
}

char
walk_at(const struct walk *w, size_t i)
{
    return i < w->n ? w->s[i] : '\0';
}

size_t
walk_space(const struct walk *w, size_t i)
{
    return walk_at(w, i) == ' ' ? i + 1 : i;
}

/* Letters at i in small letters; where they end, i if there are none. */
size_t
walk_letters(const struct walk *w, size_t i, char out[WORD_FOLD_MAX + 1])
{
    size_t end = i;
    uint32_t c;

    out[0] = '\0';
    while (end < w->n && end - i < WORD_FOLD_MAX) {
        size_t len = letter_read(w->s + end, w->n - end, &c);

        if (!letter_is_alpha(c) && c != 0xB5)
            break;
        end += len;
    }
    if (end > i)
        (void)word_fold(w->s + i, end - i, out);
    return end;
}

/* Does a word end here? */
bool
walk_is_free(const struct walk *w, size_t i)
{
    uint32_t c;

    if (i >= w->n)
        return true;
    (void)letter_read(w->s + i, w->n - i, &c);
    return !letter_is_word(c) || letter_is_cjk(c);
}

size_t
walk_number(const struct walk *w, size_t i, struct number *out)
{
    *out = (struct number){.end = i};
    while (walk_digit(w, out->end) ||
           (out->end > i && strchr(".,", walk_at(w, out->end)) != NULL &&
            walk_at(w, out->end) != '\0' && walk_digit(w, out->end + 1))) {
        if (!walk_digit(w, out->end)) {
            out->marks++;
        } else if (out->marks == 0) {
            out->digits++;
            if (out->digits <= 4)
                out->value = out->value * 10 + (w->s[out->end] - '0');
        }
        out->end++;
    }
    return out->end;
}

bool
walk_is_year(const struct number *n)
{
    return n->digits == 4 && n->marks == 0 && n->value >= 1500 &&
           n->value <= 2199;
}

/* "million", "k": where it ends; i if there is none. */
size_t
walk_scale(const struct walk *w, size_t i)
{
    char word[WORD_FOLD_MAX + 1];
    size_t from = walk_space(w, i), end = walk_letters(w, from, word);

    if (!walk_is_one_of(word, scales, COUNT_OF(scales)) ||
        !walk_is_free(w, end) || (from > i && end - from < 2))
        return i;
    return walk_at(w, end) == '.' && strncmp(word, "m", 1) == 0 &&
                   end - from == 3
               ? end + 1 /* "Mio.", "Mrd." */
               : end;
}

/* A sign of money at i: its length. */
size_t
walk_sign(const struct walk *w, size_t i)
{
    uint32_t c;
    size_t len;

    if (i >= w->n)
        return 0;
    len = letter_read(w->s + i, w->n - i, &c);
    return c == '$' || c == 0xA3 || c == 0xA5 || c == 0x20AC || c == 0x20B9 ||
                   c == 0x20BD || c == 0x20A9 || c == 0xFFE5
               ? len
               : 0;
}

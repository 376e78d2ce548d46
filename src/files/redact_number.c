/*
 * Numbers that belong to somebody: of telephones, cards and accounts.
 *
 * Cards and accounts carry check digits, so little else is taken for them.
 * Telephone numbers carry none; what counts as one begins with '+', with '0'
 * or with an area code in brackets, or is grouped as in North America, and is
 * no date. A number without any of these ("call 5550123") is not found: it
 * looks like every other number.
 */
#include "base/base.h"

#include "files/redact_find.h"

#define PHONE_DIGITS_MIN 7
#define PHONE_DIGITS_MAX 15 /* E.164 */
#define PHONE_WHOLE 9       /* digits that may be a number of their own */
#define PHONE_GROUPS 12
#define CARD_DIGITS_MIN 13
#define CARD_DIGITS_MAX 19
#define IBAN_MAX 34

/* --- telephones ----------------------------------------------------------- */

struct phone {
    size_t groups, digits;
    size_t len[PHONE_GROUPS]; /* digits of each group */
    int value[PHONE_GROUPS];  /* of the first four of each */
    bool plus, bracket;       /* it begins with */
    char after_first;         /* what stands behind the first group */
    size_t end;
};

/* A blank or a sign between groups at s + i, in bytes; 0: none. */
static size_t
gap_sign(const char *s, size_t n, size_t i)
{
    if (i < n && strchr(" .-/()", s[i]) && s[i])
        return 1;
    if (n - i >= 2 && memcmp(s + i, "\xC2\xA0", 2) == 0)
        return 2; /* a blank that does not break */
    if (n - i >= 3 && (memcmp(s + i, "\xE2\x80\x91", 3) == 0 ||
                       memcmp(s + i, "\xE2\x80\x93", 3) == 0 ||
                       memcmp(s + i, "\xE2\x80\xAF", 3) == 0))
        return 3; /* dashes, and another blank */
    return 0;
}

/* At most three signs and then a digit; where that is, 0: no gap. A bracket
 * may stand around the second group only: "+49 (0) 30". */
static size_t
gap_end(const char *s, size_t n, size_t i, bool bracket)
{
    size_t len;

    for (int signs = 0; signs < 3; signs++) {
        len = i < n ? gap_sign(s, n, i) : 0;
        if (len == 0 || (s[i] == '(' && !bracket))
            return 0;
        i += len;
        if (is_digit_at(s, n, i))
            return i;
    }
    return 0;
}

static void
read_group(struct phone *p, const char *s, size_t n)
{
    size_t *len = &p->len[p->groups];

    for (*len = 0; is_digit_at(s, n, p->end) && *len <= PHONE_DIGITS_MAX;
         p->end++, ++*len)
        if (*len < 4)
            p->value[p->groups] = p->value[p->groups] * 10 + s[p->end] - '0';
    p->digits += *len;
    p->groups++;
}

/* All groups from at on; false: there are none, or too many digits in one. */
static bool
read_phone(struct phone *p, const char *s, size_t n, size_t at)
{
    size_t next;

    *p = (struct phone){.end = at};
    p->plus = s[at] == '+';
    p->end += p->plus;
    p->bracket = p->end < n && s[p->end] == '(';
    p->end += p->bracket;
    if (!is_digit_at(s, n, p->end))
        return false;
    read_group(p, s, n);
    p->after_first = p->end < n ? s[p->end] : '\0';
    while (p->groups < PHONE_GROUPS &&
           (next = gap_end(s, n, p->end, p->groups == 1)) != 0) {
        struct phone before = *p;

        if (p->digits >= PHONE_WHOLE && s[next] == '0')
            break; /* the next number */
        p->end = next;
        read_group(p, s, n);
        if (p->digits > PHONE_DIGITS_MAX) {
            *p = before;
            break;
        }
    }
    return p->digits >= PHONE_DIGITS_MIN && p->digits <= PHONE_DIGITS_MAX;
}

/* "01.02.2024", "1/31/2024", also with more behind it. */
static bool
is_date(const struct phone *p)
{
    return p->groups >= 3 && p->len[0] <= 2 && p->len[1] <= 2 &&
           p->len[2] == 4 && p->value[0] <= 31 && p->value[1] <= 31 &&
           p->value[2] >= 1800 && p->value[2] < 2200;
}

static bool
is_phone(const struct phone *p, char first)
{
    size_t g = p->groups;
    bool american;

    if (p->plus)
        return true;
    if (is_date(p))
        return false;
    if (p->bracket)
        return p->len[0] >= 2 && p->len[0] <= 5 && p->after_first == ')';
    american = (g == 3 && p->len[0] == 3 && p->len[1] == 3 && p->len[2] == 4) ||
               (g == 4 && p->len[0] == 1 && p->value[0] == 1 &&
                p->len[1] == 3 && p->len[2] == 3 && p->len[3] == 4);
    if (american)
        return true;
    if (first != '0' || p->len[0] < 2)
        return false;
    return g > 1 || p->digits >= PHONE_WHOLE;
}

bool
find_phone(const char *s, size_t n, size_t at, struct stretch *out)
{
    struct phone p;

    if (s[at] != '+' && s[at] != '(' && !is_digit_at(s, n, at))
        return false;
    if (at > 0 && (is_alnum_at(s, n, at - 1) || strchr("+_-/.", s[at - 1])))
        return false;
    if (!read_phone(&p, s, n, at) || is_alnum_at(s, n, p.end) ||
        (p.end < n && s[p.end] == ':' && is_digit_at(s, n, p.end + 1)) ||
        !is_phone(&p, s[at]))
        return false;
    *out = (struct stretch){at, p.end};
    return true;
}

/* --- cards ---------------------------------------------------------------- */

static bool
luhn(const char *digits, size_t n)
{
    int sum = 0;

    for (size_t i = 0; i < n; i++) {
        int d = digits[n - 1 - i] - '0';

        d *= i % 2 ? 2 : 1;
        sum += d > 9 ? d - 9 : d;
    }
    return sum % 10 == 0;
}

/* One blank or dash between characters of a number, in bytes. */
static size_t
one_gap(const char *s, size_t n, size_t i)
{
    if (i >= n || strchr("./()", s[i]))
        return 0;
    return gap_sign(s, n, i);
}

bool
find_card(const char *s, size_t n, size_t at, struct stretch *out)
{
    char digits[CARD_DIGITS_MAX];
    size_t count = 0, i = at, gap;
    bool found = false;

    if (s[at] < '2' || s[at] > '6' || (at > 0 && is_alnum_at(s, n, at - 1)))
        return false;
    while (count < CARD_DIGITS_MAX && is_digit_at(s, n, i)) {
        digits[count++] = s[i++];
        if (count >= CARD_DIGITS_MIN && !is_alnum_at(s, n, i) &&
            luhn(digits, count)) {
            *out = (struct stretch){at, i};
            found = true;
        }
        gap = one_gap(s, n, i);
        if (gap && is_digit_at(s, n, i + gap))
            i += gap;
    }
    return found;
}

/* --- accounts ------------------------------------------------------------- */

/* Characters of an IBAN of this country; 0: it has none. */
static size_t
iban_length(const char *country)
{
    static const char lengths[] =
        "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22"
        "DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27GB22GE22GI23GL18GR27GT28HR21"
        "HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27"
        "MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24"
        "RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22"
        "VG24XK20YE30";

    for (size_t i = 0; i + 4 < sizeof(lengths); i += 4)
        if (memcmp(lengths + i, country, 2) == 0)
            return (size_t)(lengths[i + 2] - '0') * 10 +
                   (size_t)(lengths[i + 3] - '0');
    return 0;
}

static bool
modulo_97(const char *iban, size_t n)
{
    int rest = 0;

    for (size_t i = 0; i < n; i++) {
        char c = iban[(i + 4) % n];

        if (c >= '0' && c <= '9')
            rest = (rest * 10 + c - '0') % 97;
        else
            rest = (rest * 100 + c - 'A' + 10) % 97;
    }
    return rest == 1;
}

bool
find_iban(const char *s, size_t n, size_t at, struct stretch *out)
{
    char iban[IBAN_MAX];
    size_t count = 0, i = at, want = IBAN_MAX, gap;

    if (at > 0 && is_alnum_at(s, n, at - 1))
        return false;
    while (count < want && is_alnum_at(s, n, i)) {
        char c = s[i++];

        iban[count++] = (char)(c >= 'a' ? c - 'a' + 'A' : c);
        if (count == 2)
            want = iban_length(iban);
        if (count < want) {
            gap = one_gap(s, n, i);
            i += is_alnum_at(s, n, i + gap) ? gap : 0;
        }
    }
    if (count < 15 || count != want || is_alnum_at(s, n, i) ||
        !modulo_97(iban, count))
        return false;
    *out = (struct stretch){at, i};
    return true;
}

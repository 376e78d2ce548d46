/*
 * Addresses of mail, and what opens doors: keys, tokens, passwords.
 *
 * Keys are known by how their makers begin them, passwords by the word before
 * them, the rest by looking like nothing that a person wrote: 32 characters
 * and more in which capitals, small letters and digits take turns, or as many
 * hexadecimal digits. Chunks of a file are looked at one by one, so the inside
 * of a private key must be known without its first line: its lines are such
 * characters from margin to margin.
 */
#include "base/base.h"

#include "files/redact_find.h"

#include "base/text.h"

#define TOKEN_MIN 16 /* characters behind the beginning of a key */
#define RANDOM_MIN 32
#define LINE_MIN 40  /* of base64, on a line of its own */
#define TURNS_MIN 4  /* between digits and letters */
#define VALUE_MIN 4  /* bytes of a password */
#define SECRET_MIN 8 /* of what is called a token */
#define VALUE_MAX 512
#define TOKEN_LOOK 256 /* bytes in which a key has a digit */
#define DASHES "-----"

/* --- mail ----------------------------------------------------------------- */

static bool
is_local(const char *s, size_t n, size_t i)
{
    return is_alnum_at(s, n, i) ||
           (i < n &&
            ((unsigned char)s[i] >= 0x80 || (s[i] && strchr("._%+'-", s[i]))));
}

static bool
is_host(const char *s, size_t n, size_t i)
{
    return is_alnum_at(s, n, i) || (i < n && ((unsigned char)s[i] >= 0x80 ||
                                              s[i] == '-' || s[i] == '.'));
}

bool
find_mail(const char *s, size_t n, size_t at, struct stretch *out)
{
    size_t i = at, host, dot;

    if (!is_local(s, n, at) || (at > 0 && is_local(s, n, at - 1)))
        return false;
    while (is_local(s, n, i))
        i++;
    if (i >= n || s[i] != '@')
        return false;
    host = ++i;
    while (is_host(s, n, i))
        i++;
    while (i > host && (s[i - 1] == '.' || s[i - 1] == '-'))
        i--; /* the end of a sentence */
    for (dot = i; dot > host && s[dot - 1] != '.';)
        dot--;
    if (dot <= host + 1 || i - dot < 2 || is_digit_at(s, n, dot))
        return false;
    *out = (struct stretch){at, i};
    return true;
}

/* --- keys ----------------------------------------------------------------- */

struct looks {
    size_t upper, lower, digits, hex, turns;
};

static struct looks
look_at(const char *s, size_t n)
{
    struct looks l = {0};

    for (size_t i = 0; i < n; i++) {
        bool digit = is_digit_at(s, n, i);

        l.digits += digit;
        l.upper += s[i] >= 'A' && s[i] <= 'Z';
        l.lower += s[i] >= 'a' && s[i] <= 'z';
        l.hex += digit || (s[i] && strchr("abcdefABCDEF", s[i]));
        l.turns += i > 0 && digit != is_digit_at(s, n, i - 1);
    }
    return l;
}

static bool
is_token(const char *s, size_t n, size_t i)
{
    return is_alnum_at(s, n, i) || (i < n && (s[i] == '_' || s[i] == '-'));
}

/* The end of what a token may be made of, from i on, dots included if wanted
 * (but not the full stop behind it). */
static size_t
token_end(const char *s, size_t n, size_t i, const char *also)
{
    size_t begin = i;

    while (is_token(s, n, i) || (i < n && s[i] && strchr(also, s[i])))
        i++;
    while (i > begin && s[i - 1] == '.')
        i--;
    return i;
}

bool
find_token(const char *s, size_t n, size_t at, struct stretch *out)
{
    static const char *const begins[] = {"sk-",
                                         "sk_live_",
                                         "sk_test_",
                                         "pk_live_",
                                         "rk_live_",
                                         "ghp_",
                                         "gho_",
                                         "ghu_",
                                         "ghs_",
                                         "ghr_",
                                         "github_pat_",
                                         "glpat-",
                                         "xoxa-",
                                         "xoxb-",
                                         "xoxp-",
                                         "xoxr-",
                                         "xoxs-",
                                         "xapp-",
                                         "AKIA",
                                         "ASIA",
                                         "AIza",
                                         "ya29.",
                                         "hf_",
                                         "npm_",
                                         "pypi-",
                                         "dop_v1_",
                                         "SG.",
                                         "eyJ",
                                         "shpat_",
                                         "prly_",
                                         "AGE-SECRET-KEY-"};

    if (at > 0 && is_alnum_at(s, n, at - 1))
        return false;
    for (size_t i = 0; i < COUNT_OF(begins); i++) {
        size_t len = strlen(begins[i]), from = at + len, end, some;

        if (n - at < len || memcmp(s + at, begins[i], len) != 0)
            continue;
        some = n - from > TOKEN_LOOK ? from + TOKEN_LOOK : n;
        end = token_end(s, some, from, ".");
        if (end - from < TOKEN_MIN || !look_at(s + from, end - from).digits)
            continue;
        *out = (struct stretch){at, token_end(s, n, from, ".")};
        return true;
    }
    return false;
}

/* --- passwords ------------------------------------------------------------ */

static const struct {
    const char *word;
    bool sure; /* whatever follows is one */
} secrets[] = {{"password", true},
               {"passwort", true},
               {"passwd", true},
               {"passphrase", true},
               {"kennwort", true},
               {"pwd", true},
               {"contrase\xC3\xB1"
                "a",
                true},
               {"mot de passe", true},
               {"secret", false},
               {"api_key", false},
               {"api-key", false},
               {"api key", false},
               {"apikey", false},
               {"access_key", false},
               {"secret_key", false},
               {"account_key", false},
               {"accountkey", false},
               {"private_key", false},
               {"token", false},
               {"client_secret", false}};

/* Past blanks, at most four. */
static size_t
past_blanks(const char *s, size_t n, size_t i)
{
    for (int k = 0; k < 4 && i < n && (s[i] == ' ' || s[i] == '\t'); k++)
        i++;
    return i;
}

/* The sign between a name and its value, from i on; 0: there is none. */
static size_t
past_sign(const char *s, size_t n, size_t i)
{
    static const char *const signs[] = {":=", "=>", "==", ":", "="};

    if (i < n && (s[i] == '"' || s[i] == '\''))
        i++;
    i = past_blanks(s, n, i);
    for (size_t k = 0; k < COUNT_OF(signs); k++) {
        size_t len = strlen(signs[k]);

        if (n - i >= len && memcmp(s + i, signs[k], len) == 0)
            return past_blanks(s, n, i + len);
    }
    return 0;
}

/* The value at i, in quotes or up to a blank. */
static bool
read_value(const char *s, size_t n, size_t i, bool sure, struct stretch *out)
{
    size_t end = n - i > VALUE_MAX ? i + VALUE_MAX : n, k;
    char quote = i < n && (s[i] == '"' || s[i] == '\'') ? s[i] : '\0';

    i += quote != '\0';
    for (k = i; k < end && s[k] != '\n' && s[k] != '\r'; k++)
        if (quote ? s[k] == quote : s[k] == ' ' || s[k] == '\t')
            break;
    while (!quote && k > i && strchr(",;.)]}\"'", s[k - 1]))
        k--;
    while (k > i && k < n && ((unsigned char)s[k] & 0xC0) == 0x80)
        k--; /* not inside a character */
    if (k - i < (sure ? VALUE_MIN : SECRET_MIN) ||
        (!sure && look_at(s + i, k - i).digits == 0))
        return false;
    *out = (struct stretch){i, k};
    return true;
}

/* "Bearer", "Basic" and a token. */
static bool
read_scheme(const char *s, size_t n, size_t at, struct stretch *out)
{
    static const char *const schemes[] = {"bearer ", "basic "};

    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        size_t len = strlen(schemes[i]), end;

        if (n - at < len || !text_ieqn(s + at, len, schemes[i]))
            continue;
        end = token_end(s, n, at + len, ".+/=~");
        if (end - at - len < TOKEN_MIN ||
            look_at(s + at + len, end - at - len).digits == 0)
            continue;
        *out = (struct stretch){at + len, end};
        return true;
    }
    return false;
}

bool
find_secret(const char *s, size_t n, size_t at, struct stretch *out)
{
    static const char first[] = "pkcmsatb";
    size_t value;

    if (!strchr(first, s[at] | 0x20) || s[at] == '\0')
        return false;
    for (size_t i = 0; i < COUNT_OF(secrets); i++) {
        size_t len = strlen(secrets[i].word);

        if (n - at < len || !text_ieqn(s + at, len, secrets[i].word))
            continue;
        value = past_sign(s, n, at + len);
        if (value && read_value(s, n, value, secrets[i].sure, out))
            return true;
    }
    return read_scheme(s, n, at, out);
}

bool
find_login(const char *s, size_t n, size_t at, struct stretch *out)
{
    size_t end = n - at > VALUE_MAX ? at + VALUE_MAX : n;
    size_t i = at + 3, begin;

    if (n - at < 3 || memcmp(s + at, "://", 3) != 0)
        return false;
    while (i < end && s[i] > ' ' && !strchr("/@:", s[i]))
        i++;
    if (i >= end || s[i] != ':')
        return false;
    begin = ++i;
    while (i < end && (s[i] > ' ' || (unsigned char)s[i] >= 0x80) &&
           !strchr("/@", s[i]))
        i++;
    if (i >= end || s[i] != '@' || i == begin)
        return false;
    *out = (struct stretch){begin, i};
    return true;
}

/* --- chance --------------------------------------------------------------- */

static bool
is_random(const char *s, size_t n)
{
    struct looks l = look_at(s, n);

    if (l.hex == n)
        return l.digits > 0 && l.digits < n;
    return l.upper && l.lower && l.turns >= TURNS_MIN;
}

/* A line of base64, from margin to margin. */
static bool
random_line(const char *s, size_t n, size_t at, struct stretch *out)
{
    size_t i = at, margin = at;

    while (margin > 0 && (s[margin - 1] == ' ' || s[margin - 1] == '\t'))
        margin--;
    if (margin > 0 && s[margin - 1] != '\n')
        return false;
    while (i < n && (is_alnum_at(s, n, i) || s[i] == '+' || s[i] == '/'))
        i++;
    while (i < n && s[i] == '=')
        i++;
    if (i - at < LINE_MIN || (i < n && s[i] != '\n' && s[i] != '\r') ||
        !is_random(s + at, i - at))
        return false;
    *out = (struct stretch){at, i};
    return true;
}

bool
find_random(const char *s, size_t n, size_t at, struct stretch *out)
{
    size_t end;

    if (!is_token(s, n, at) || (at > 0 && is_token(s, n, at - 1)))
        return false;
    if (random_line(s, n, at, out))
        return true;
    end = token_end(s, n, at, "");
    if (end - at < RANDOM_MIN || !is_random(s + at, end - at))
        return false;
    *out = (struct stretch){at, end};
    return true;
}

/* --- private keys --------------------------------------------------------- */

/* "-----WORD … PRIVATE KEY…-----" at s + i; where it ends, 0: it is none. */
static size_t
pem_line(const char *s, size_t n, size_t i, const char *word)
{
    static const char what[] = "PRIVATE KEY";
    size_t len = strlen(word), begin = i, most;

    if (n - i < 5 + len || memcmp(s + i, DASHES, 5) != 0 ||
        memcmp(s + i + 5, word, len) != 0)
        return 0;
    i += 5 + len;
    most = n - i > 60 ? i + 60 : n;
    while (i < most && (s[i] == ' ' || is_alnum_at(s, n, i)))
        i++;
    if (n - i < 5 || memcmp(s + i, DASHES, 5) != 0 ||
        memmem(s + begin, i - begin, what, sizeof(what) - 1) == NULL)
        return 0;
    return i + 5;
}

bool
find_private(const char *s, size_t n, size_t at, struct stretch *out)
{
    size_t i, end;

    if (s[at] != '-')
        return false;
    end = pem_line(s, n, at, "END ");
    if (end) { /* its beginning is in the chunk before */
        *out = (struct stretch){0, end};
        return true;
    }
    i = pem_line(s, n, at, "BEGIN ");
    if (i == 0)
        return false;
    for (end = 0; i < n && end == 0; i++)
        end = s[i] == '-' ? pem_line(s, n, i, "END ") : 0;
    *out = (struct stretch){at, end ? end : n};
    return true;
}

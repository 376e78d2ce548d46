/*
 * The marks within a line of Markdown, left out in one pass.
 *
 * This is no Markdown parser: nothing is rendered, so it need not know which
 * star closes which. A mark that touches a word is taken for emphasis and left
 * out; one between spaces or digits is text. A link's target is found when its
 * "](" is met, and the bracket that opened it is taken back. No look-ahead
 * passes a "]" or "<" that would begin the next one, so hostile nesting costs
 * nothing.
 */
#include "base/base.h"

#include "lang/plain_inline.h"

#include "base/text.h"
#include "lang/letter.h"
#include "lang/plain.h"

static const char *const tags[] = {
    "a",     "abbr",   "b",       "blockquote", "br",    "center",  "code",
    "dd",    "del",    "details", "div",        "dl",    "dt",      "em",
    "font",  "h1",     "h2",      "h3",         "h4",    "h5",      "h6",
    "hr",    "i",      "img",     "ins",        "kbd",   "li",      "mark",
    "ol",    "p",      "picture", "pre",        "q",     "s",       "samp",
    "small", "source", "span",    "strong",     "sub",   "summary", "sup",
    "table", "tbody",  "td",      "th",         "thead", "tr",      "tt",
    "u",     "ul",     "var"};

static const struct {
    const char *name;
    const char *is;
} named[] = {{"&amp;", "&"},  {"&lt;", "<"},  {"&gt;", ">"},  {"&quot;", "\""},
             {"&apos;", "'"}, {"&#39;", "'"}, {"&nbsp;", " "}};

static void
put(struct plain_inline *in, const char *p, size_t n, size_t from)
{
    struct plain *out = in->out;

    for (size_t i = 0; i < n; i++) {
        out->from[out->len] = (uint32_t)(from + i);
        out->text[out->len++] = p[i];
    }
}

void
plain_inline_gap(struct plain_inline *in, char c, size_t from)
{
    struct plain *out = in->out;

    if (out->len == in->begin)
        return;
    if (out->text[out->len - 1] == ' ' && c == '\n')
        out->text[out->len - 1] = c;
    else if (out->text[out->len - 1] != ' ' && out->text[out->len - 1] != '\n')
        put(in, &c, 1, from);
}

void
plain_inline_end(struct plain_inline *in)
{
    struct plain *out = in->out;

    while (out->len > in->begin &&
           (out->text[out->len - 1] == ' ' || out->text[out->len - 1] == '\n'))
        out->len--;
}

/* The last character of the block so far; a space at its beginning. */
static uint32_t
last(const struct plain_inline *in)
{
    return in->out->len > in->begin ? letter_before(in->out->text, in->out->len)
                                    : ' ';
}

static uint32_t
peek(const struct plain_inline *in, size_t i, size_t to)
{
    uint32_t c = ' ';

    if (i < to)
        (void)letter_read(in->s + i, to - i, &c);
    return c;
}

/* Is the run of marks before i (its character is c, k of them) emphasis? */
static bool
is_emphasis(const struct plain_inline *in, char c, size_t k, size_t i,
            size_t to)
{
    uint32_t before = last(in), after = peek(in, i, to);

    if (c == '~')
        return k == 2;
    if (letter_is_space(before) && letter_is_space(after))
        return k > 3; /* a line to fill in, a rule */
    if (c == '*')
        return !(letter_is_digit(before) && letter_is_digit(after) && k == 1);
    if (before == '^' || before == '-') /* a face */
        return false;
    return !(letter_is_word(before) && letter_is_word(after));
}

static size_t
run(const char *s, size_t i, size_t to)
{
    size_t k = i;

    while (k < to && s[k] == s[i])
        k++;
    return k - i;
}

/* Where the target of a link ends that begins after "](": past its ")", or 0
 * if it is none. */
static size_t
target_end(const char *s, size_t i, size_t to)
{
    int depth = 1;
    bool title = false;

    for (; i < to && s[i] != ']'; i++) {
        if (s[i] == '(')
            depth++;
        else if (s[i] == ')' && --depth == 0)
            return i + 1;
        if (s[i] != ' ' || title)
            continue;
        title = true; /* only one can follow a space */
        if (i + 1 < to && strchr("\"'( )", s[i + 1]) == NULL)
            return 0;
    }
    return 0;
}

/* The bracket that was opened last is not text: take it back. */
static void
take_back(struct plain_inline *in)
{
    struct plain *out = in->out;
    size_t at = in->open[in->n_open];

    if (at > in->begin && out->text[at - 1] == '!') {
        out->len = at - 1; /* what stands for an image is no prose */
        return;
    }
    memmove(out->text + at, out->text + at + 1, out->len - at - 1);
    memmove(out->from + at, out->from + at + 1,
            (out->len - at - 1) * sizeof(out->from[0]));
    out->len--;
}

/* At "[" or "]"; where to go on. */
static size_t
bracket(struct plain_inline *in, size_t i, size_t to)
{
    const char *s = in->s;
    size_t end = 0;

    if (s[i] == '[') {
        if (in->n_open < PLAIN_OPEN_MAX)
            in->open[in->n_open++] = in->out->len;
        put(in, "[", 1, i);
        return i + 1;
    }
    if (in->n_open == 0) {
        put(in, "]", 1, i);
        return i + 1;
    }
    in->n_open--;
    if (i + 2 < to && s[i + 1] == '(')
        end = target_end(s, i + 2, to);
    else if (i + 1 < to && s[i + 1] == '[') {
        const char *close = memchr(s + i + 2, ']', to - i - 2);
        const char *open = memchr(s + i + 2, '[', to - i - 2);

        if (close != NULL && (open == NULL || open > close))
            end = (size_t)(close - s) + 1;
    }
    if (end != 0) {
        take_back(in);
        return end;
    }
    /* [^1] is the mark of a note. */
    if (in->out->len > in->open[in->n_open] + 1 &&
        in->out->text[in->open[in->n_open] + 1] == '^') {
        in->out->len = in->open[in->n_open];
        return i + 1;
    }
    put(in, "]", 1, i);
    return i + 1;
}

/* At "<": the end of a tag that is known, 0 if it is none. */
static size_t
tag_end(const char *s, size_t i, size_t to)
{
    size_t from = i + 1, k;

    if (from < to && s[from] == '/')
        from++;
    for (k = from; k < to && letter_is_word((unsigned char)s[k]) &&
                   (unsigned char)s[k] < 0x80;
         k++) {}
    if (k >= to || k == from || strchr(" \t/>", s[k]) == NULL)
        return 0;
    for (i = 0; i < COUNT_OF(tags); i++) {
        if (text_ieqn(s + from, k - from, tags[i]))
            break;
    }
    if (i == COUNT_OF(tags))
        return 0;
    for (; k < to && s[k] != '<'; k++) {
        if (s[k] == '>')
            return k + 1;
    }
    return 0;
}

/* At "<"; where to go on. */
static size_t
angle(struct plain_inline *in, size_t i, size_t to)
{
    size_t end = tag_end(in->s, i, to);

    if (end != 0) {
        if (to - i >= 3 && text_ieqn(in->s + i, 3, "<br"))
            plain_inline_gap(in, '\n', i);
        return end;
    }
    /* <https://…> */
    if (to - i > 5 && (memcmp(in->s + i, "<http", 5) == 0 ||
                       memcmp(in->s + i, "<mail", 5) == 0)) {
        put(in, " ", last(in) == ' ' ? 0 : 1, i);
        return i + 1;
    }
    put(in, "<", 1, i);
    return i + 1;
}

/* At "&"; where to go on. */
static size_t
ampersand(struct plain_inline *in, size_t i, size_t to)
{
    for (size_t k = 0; k < COUNT_OF(named); k++) {
        size_t n = strlen(named[k].name);

        if (to - i < n || memcmp(in->s + i, named[k].name, n) != 0)
            continue;
        if (named[k].is[0] == ' ')
            plain_inline_gap(in, ' ', i);
        else
            put(in, named[k].is, 1, i);
        return i + n;
    }
    put(in, "&", 1, i);
    return i + 1;
}

static bool
is_url(const char *s, size_t n)
{
    return (n > 7 && memcmp(s, "http://", 7) == 0) ||
           (n > 8 && memcmp(s, "https://", 8) == 0) ||
           (n > 4 && memcmp(s, "www.", 4) == 0);
}

/* An address is kept as it is, stars and underscores too. */
static size_t
url(struct plain_inline *in, size_t i, size_t to)
{
    size_t k = i;
    uint32_t c;

    while (k < to) {
        size_t len = letter_read(in->s + k, to - k, &c);

        if (letter_is_space(c) || letter_is_hidden(c) || c == '>' || c == ')' ||
            c == ']' || c == '`')
            break;
        k += len;
    }
    put(in, in->s + i, k - i, i);
    return k;
}

/* Any other character; where to go on. */
static size_t
other(struct plain_inline *in, size_t i, size_t to)
{
    uint32_t c;
    size_t n = letter_read(in->s + i, to - i, &c);

    if (letter_is_space(c))
        plain_inline_gap(in, ' ', i);
    else if (!letter_is_hidden(c))
        put(in, in->s + i, n, i);
    return i + n;
}

void
plain_inline_line(struct plain_inline *in, size_t i, size_t to)
{
    const char *s = in->s;
    bool code = false;

    while (i < to) {
        size_t k;

        if (s[i] == '`') {
            code = !code;
            i += run(s, i, to);
            continue;
        }
        if (code) {
            i = other(in, i, to);
            continue;
        }
        switch (s[i]) {
        case '\\':
            if (i + 1 < to && s[i + 1] > ' ' && s[i + 1] < 0x7F &&
                !letter_is_word((unsigned char)s[i + 1]))
                i++;
            i = other(in, i, to);
            break;
        case '*':
        case '_':
        case '~':
            k = run(s, i, to);
            if (!is_emphasis(in, s[i], k, i + k, to))
                put(in, s + i, k, i);
            i += k;
            break;
        case '[':
        case ']': i = bracket(in, i, to); break;
        case '<': i = angle(in, i, to); break;
        case '&': i = ampersand(in, i, to); break;
        case 'h':
        case 'w':
            if (!letter_is_word(last(in)) && is_url(s + i, to - i))
                i = url(in, i, to);
            else
                i = other(in, i, to);
            break;
        default: i = other(in, i, to);
        }
    }
}

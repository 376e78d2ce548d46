/*
 * Markdown as blocks of prose.
 *
 * Line by line: what begins a line says what it is, and lines of one paragraph
 * are gathered until something else comes. Only then is it known which ends of
 * lines are wraps: where the first word of the next line would not have fitted
 * into the longest line, the writer's editor broke it, not the writer. The
 * other line ends stay in the text, as the ends of sentences they mostly are.
 *
 * Text that is no Markdown passes through the same way and loses little. What
 * stands within a line is plain_inline.c's.
 */
#include "base/base.h"

#include "lang/plain.h"

#include "base/mem.h"
#include "lang/letter.h"
#include "lang/plain_inline.h"

#define WRAP_MIN 40  /* bytes; nobody wraps lines shorter than that */
#define WRAP_SLACK 2 /* bytes by which a word may have fitted after all */
#define TITLE_MAX 3  /* lines above === or --- that are a heading */

struct line {
    size_t from, to;
    bool hard; /* Markdown's own mark of a break at its end */
};

struct reader {
    struct plain *out;
    const char *s;
    size_t n;
    struct line *lines; /* owned; of the block that is being gathered */
    size_t n_lines;
    enum plain_kind kind; /* of that block */
    size_t cap;           /* of out->blocks */
    char fence;           /* '`' or '~' while inside one; else 0 */
    size_t fence_len;
    bool no_comment; /* no "-->" comes any more */
    bool in_list;    /* indented lines belong to an item */
};

/* ---- the end of a block ---------------------------------------------- */

static size_t
first_word(const struct reader *r, const struct line *l)
{
    const char *space = memchr(r->s + l->from, ' ', l->to - l->from);

    return space != NULL ? (size_t)(space - r->s) - l->from : l->to - l->from;
}

/* Was the line i broken only because it was full? */
static bool
is_wrap(const struct reader *r, size_t i, size_t widest)
{
    const struct line *l = &r->lines[i], *next = l + 1;
    uint32_t c;

    if (l->hard)
        return false;
    (void)letter_read(r->s + next->from, next->to - next->from, &c);
    if (letter_is_lower(c))
        return true;
    return widest >= WRAP_MIN &&
           l->to - l->from + 1 + first_word(r, next) + WRAP_SLACK >= widest;
}

static bool
joins_without_space(const struct reader *r, const struct line *l)
{
    uint32_t c;

    (void)letter_read(r->s + l[1].from, l[1].to - l[1].from, &c);
    return letter_is_cjk(c) && letter_is_cjk(letter_before(r->s, l->to));
}

static void
flush(struct reader *r)
{
    struct plain *out = r->out;
    struct plain_inline in = {.out = out, .s = r->s, .begin = out->len};
    size_t widest = 0;

    for (size_t i = 0; i < r->n_lines; i++) {
        size_t width = r->lines[i].to - r->lines[i].from;

        widest = width > widest ? width : widest;
    }
    for (size_t i = 0; i < r->n_lines; i++) {
        plain_inline_line(&in, r->lines[i].from, r->lines[i].to);
        if (i + 1 == r->n_lines)
            break;
        if (!is_wrap(r, i, widest))
            plain_inline_gap(&in, '\n', r->lines[i].to);
        else if (!joins_without_space(r, &r->lines[i]))
            plain_inline_gap(&in, ' ', r->lines[i].to);
    }
    plain_inline_end(&in);
    r->n_lines = 0;
    if (out->len == in.begin)
        return;
    if (out->n == r->cap) {
        r->cap = r->cap > 0 ? 2 * r->cap : 64;
        out->blocks = xrealloc(out->blocks, r->cap * sizeof(out->blocks[0]));
    }
    out->blocks[out->n++] = (struct plain_block){r->kind, .start = in.begin,
                                                 .end = out->len};
}

static void
add(struct reader *r, enum plain_kind kind, size_t from, size_t to)
{
    bool hard = to - from >= 2 && r->s[to - 1] == ' ' && r->s[to - 2] == ' ';

    if (r->n_lines == PLAIN_LINES_MAX)
        flush(r);
    while (to > from && (r->s[to - 1] == ' ' || r->s[to - 1] == '\t'))
        to--;
    if (to > from && r->s[to - 1] == '\\') {
        hard = true;
        to--;
    }
    if (to == from)
        return;
    if (r->n_lines == 0)
        r->kind = kind;
    r->lines[r->n_lines++] = (struct line){from, to, hard};
}

/* ---- what a line is -------------------------------------------------- */

static size_t
skip_space(const char *s, size_t i, size_t to)
{
    while (i < to && (s[i] == ' ' || s[i] == '\t' || s[i] == '\r'))
        i++;
    return i;
}

static size_t
run(const char *s, size_t i, size_t to)
{
    size_t k = i;

    while (k < to && s[k] == s[i])
        k++;
    return k - i;
}

/* Only marks of these, and space? */
static bool
only(const char *s, size_t i, size_t to, const char *marks)
{
    for (; i < to; i++) {
        if (s[i] == '\0' || strchr(marks, s[i]) == NULL)
            return false;
    }
    return true;
}

static bool
is_rule(const char *s, size_t i, size_t to)
{
    char marks[] = {s[i], ' ', '\t', '\r', '\0'};

    return to - i >= 3 && strchr("-*_=", s[i]) != NULL && only(s, i, to, marks);
}

/* The text of a list item that begins at i; i if it is none. */
static size_t
item(const struct reader *r, size_t i, size_t to)
{
    const char *s = r->s;
    size_t k = i;
    uint32_t c;

    (void)letter_read(s + i, to - i, &c);
    if (c == '-' || c == '*' || c == '+') {
        k = i + 1;
    } else if (c == 0x2022 || c == 0x25AA || c == 0x25CF || c == 0x2013) {
        k = i + 3;
    } else {
        while (k < to && k - i < 3 && s[k] >= '0' && s[k] <= '9')
            k++;
        if (k == i && k + 1 < to && s[k + 1] == ')' && letter_is_alpha(c) &&
            c < 0x80)
            k++;
        if (k == i || k == to || (s[k] != '.' && s[k] != ')'))
            return i;
        /* Within a paragraph only a list's beginning is one. */
        if (r->n_lines > 0 && r->kind == PLAIN_PROSE && k - i == 1 &&
            s[i] != '1')
            return i;
        if (r->n_lines > 0 && r->kind == PLAIN_PROSE && k - i > 1)
            return i;
        k++;
    }
    if (k >= to || (s[k] != ' ' && s[k] != '\t'))
        return i;
    k = skip_space(s, k, to);
    if (to - k >= 4 && s[k] == '[' && strchr(" xX", s[k + 1]) != NULL &&
        s[k + 2] == ']' && s[k + 3] == ' ')
        k += 4;
    return k;
}

/* Inside a fence, or at its beginning? */
static bool
fence(struct reader *r, size_t i, size_t to)
{
    size_t k = i < to && (r->s[i] == '`' || r->s[i] == '~') ? run(r->s, i, to)
                                                            : 0;

    if (r->fence != 0) {
        if (k >= r->fence_len && r->s[i] == r->fence &&
            skip_space(r->s, i + k, to) == to)
            r->fence = 0;
        return true;
    }
    if (k < 3 || (r->s[i] == '`' && i + k < to &&
                  memchr(r->s + i + k, '`', to - i - k) != NULL))
        return false;
    r->fence = r->s[i];
    r->fence_len = k;
    flush(r);
    return true;
}

/* A comment that begins at i: where the text goes on. i if it is none. */
static size_t
comment(struct reader *r, size_t i)
{
    const char *end;

    if (r->no_comment || r->n - i < 4 || memcmp(r->s + i, "<!--", 4) != 0)
        return i;
    end = memmem(r->s + i + 4, r->n - i - 4, "-->", 3);
    if (end == NULL) {
        r->no_comment = true;
        return i;
    }
    return (size_t)(end - r->s) + 3;
}

/* "[name]: target", or a row of a table that only says how to set it. */
static bool
is_silent(const char *s, size_t i, size_t to)
{
    const char *close;

    if (s[i] == '|' || s[i] == ':')
        return to - i >= 3 && only(s, i, to, "|-: \t\r");
    if (s[i] != '[')
        return false;
    close = memchr(s + i, ']', to - i);
    return close != NULL && close + 2 < s + to && close[1] == ':' &&
           close > s + i + 1 && s[i + 1] != '^';
}

static void
heading(struct reader *r, size_t i, size_t to)
{
    size_t k = skip_space(r->s, i + run(r->s, i, to), to);

    flush(r);
    while (to > k && strchr("# \t", r->s[to - 1]) != NULL)
        to--;
    add(r, PLAIN_HEADING, k, to);
    flush(r);
}

static void
row(struct reader *r, size_t i, size_t to)
{
    flush(r);
    while (i < to && strchr("| \t", r->s[i]) != NULL)
        i++;
    while (to > i && strchr("| \t", r->s[to - 1]) != NULL)
        to--;
    add(r, PLAIN_ROW, i, to);
    flush(r);
}

/* A line that is indented like code, after an empty one? Some indent their
 * paragraphs: what looks like prose is prose. */
static bool
is_code(const struct reader *r, size_t from, size_t i, size_t to)
{
    const char *s = r->s;

    if (r->n_lines > 0 || r->in_list || r->out->n == 0 ||
        (i - from < 4 && s[from] != '\t'))
        return false;
    return to - i < WRAP_MIN ||
           !(s[i] == '"' || (s[i] >= 'A' && s[i] <= 'Z')) ||
           !((s[i + 1] >= 'a' && s[i + 1] <= 'z') || s[i + 1] == ' ');
}

/* One line, without its end; quote marks before it are left out. */
static void
line(struct reader *r, size_t i, size_t to)
{
    const char *s = r->s;
    size_t from = i, k;

    if (to > i && s[to - 1] == '\r')
        to--;
    i = skip_space(s, i, to);
    while (i < to && s[i] == '>' && r->fence == 0)
        i = skip_space(s, i + 1, to);
    if (fence(r, i, to))
        return;
    if (i == to) {
        flush(r);
        return;
    }
    if (i > from && is_code(r, from, i, to))
        return;
    r->in_list = r->in_list && i > from;
    k = s[i] == '#' ? run(s, i, to) : 0;
    if (k >= 1 && k <= 6 && i + k < to && (s[i + k] == ' ')) {
        heading(r, i, to);
    } else if (is_rule(s, i, to)) {
        if ((s[i] == '-' || s[i] == '=') && r->n_lines > 0 &&
            r->n_lines <= TITLE_MAX && r->kind == PLAIN_PROSE)
            r->kind = PLAIN_HEADING;
        flush(r);
    } else if (is_silent(s, i, to)) {
        flush(r);
    } else if (s[i] == '|') {
        row(r, i, to);
    } else if ((k = item(r, i, to)) > i) {
        flush(r);
        r->in_list = true;
        if (k < to)
            add(r, PLAIN_ITEM, k, to);
    } else {
        add(r, PLAIN_PROSE, i, to);
    }
}

void
plain_read(struct plain *p, const char *s, size_t n)
{
    struct reader r = {.out = p, .s = s, .n = n};
    size_t i = 0;

    assert(n <= UINT32_MAX);
    memset(p, 0, sizeof(*p));
    p->text = xmalloc(n + 1);
    p->from = xmalloc((n + 1) * sizeof(p->from[0]));
    r.lines = xmalloc(PLAIN_LINES_MAX * sizeof(r.lines[0]));
    while (i < n) {
        const char *end = memchr(s + i, '\n', n - i);
        size_t to = end != NULL ? (size_t)(end - s) : n;
        size_t first = skip_space(s, i, to), past;

        past = r.fence == 0 ? comment(&r, first) : first;
        if (past != first) {
            i = past;
            continue;
        }
        line(&r, i, to);
        i = to + 1;
    }
    flush(&r);
    free(r.lines);
}

void
plain_release(struct plain *p)
{
    free(p->text);
    free(p->from);
    free(p->blocks);
    memset(p, 0, sizeof(*p));
}

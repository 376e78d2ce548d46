/*
 * Lines of Markdown, one at a time and without knowing what stands around them;
 * text_markdown.c knows that. Where CommonMark is more exact than any file is
 * written (a tab in the middle of an item's marker), the simpler answer is
 * given.
 */
#include "base/base.h"

#include "files/text_mark.h"

#include "base/text.h"
#include "files/text_inside.h"

size_t
mark_columns(const char *s, size_t n)
{
    size_t columns = 0;

    for (size_t i = 0; i < n && (s[i] == ' ' || s[i] == '\t'); i++)
        columns += s[i] == ' ' ? 1 : 4 - columns % 4;
    return columns;
}

size_t
mark_unindent(const char *s, size_t n, size_t columns)
{
    size_t c = 0;
    size_t i = 0;

    for (; i < n && c < columns && (s[i] == ' ' || s[i] == '\t'); i++)
        c += s[i] == ' ' ? 1 : 4 - c % 4;
    return i;
}

/* How often c stands at the start. */
static size_t
run(const char *s, size_t n, char c)
{
    size_t i = 0;

    while (i < n && s[i] == c)
        i++;
    return i;
}

static bool
blank_at(const char *s, size_t n, size_t i)
{
    return i == n || s[i] == ' ' || s[i] == '\t';
}

int
mark_heading(const char *s, size_t n, const char **text, size_t *len)
{
    size_t level = run(s, n, '#');
    size_t stop = n;

    if (level < 1 || level > 6 || !blank_at(s, n, level))
        return 0;
    while (stop > level && s[stop - 1] == '#')
        stop--;
    if (stop < n && s[stop - 1] != ' ' && s[stop - 1] != '\t' && stop > level)
        stop = n; /* "# C#" */
    *text = s + level + text_indent(s + level, stop - level);
    *len = text_trimmed(*text, (size_t)(s + stop - *text));
    return (int)level;
}

int
mark_underline(const char *s, size_t n)
{
    if (n > 0 && run(s, n, '=') == n)
        return 1;
    return n > 0 && run(s, n, '-') == n ? 2 : 0;
}

size_t
mark_fence(const char *s, size_t n, char *c)
{
    size_t count;

    if (n < 3 || (s[0] != '`' && s[0] != '~'))
        return 0;
    *c = s[0];
    count = run(s, n, *c);
    if (count < 3 || (*c == '`' && memchr(s + count, '`', n - count)))
        return 0; /* ```code``` in a line */
    return count;
}

bool
mark_fence_ends(const char *s, size_t n, char c, size_t count)
{
    return n >= count && run(s, n, c) == n;
}

bool
mark_rule(const char *s, size_t n)
{
    size_t count = 0;

    if (n < 3 || !strchr("-*_", s[0]))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (s[i] == s[0])
            count++;
        else if (!blank_at(s, n, i))
            return false;
    }
    return count >= 3;
}

size_t
mark_item(const char *s, size_t n, unsigned *number)
{
    size_t i = 0;

    *number = 0;
    if (n > 0 && (s[0] == '-' || s[0] == '+' || s[0] == '*')) {
        i = 1;
    } else {
        while (i < n && i < 9 && s[i] >= '0' && s[i] <= '9')
            *number = *number * 10 + (unsigned)(s[i++] - '0');
        if (i == 0 || i == n || (s[i] != '.' && s[i] != ')'))
            return 0;
        i++;
    }
    if (!blank_at(s, n, i))
        return 0;
    return i + text_indent(s + i, n - i);
}

bool
mark_table(const char *s, size_t n)
{
    bool bar = false;
    bool line = false;

    for (size_t i = 0; i < n; i++) {
        if (s[i] == '|')
            bar = true;
        else if (s[i] == '-')
            line = true;
        else if (s[i] != ':' && !blank_at(s, n, i))
            return false;
    }
    return bar && line;
}

size_t
mark_cell(const char *s, size_t n)
{
    size_t i = 0;

    while (i < n && s[i] != '|')
        i += s[i] == '\\' && i + 1 < n ? 2 : 1;
    return i;
}

/* --- front matter --------------------------------------------------------- */

static size_t
name_len(const char *s, size_t n)
{
    size_t i = 0;

    while (i < n &&
           ((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') ||
            (s[i] >= '0' && s[i] <= '9') || s[i] == '_' || s[i] == '-' ||
            s[i] == '.'))
        i++;
    return i;
}

bool
mark_member(const char *s, size_t n, const char *name, const char **value,
            size_t *len)
{
    size_t i = name_len(s, n);

    if (!text_ieqn(s, i, name))
        return false;
    i += text_indent(s + i, n - i);
    if (i == n || (s[i] != ':' && s[i] != '='))
        return false;
    i++;
    i += text_indent(s + i, n - i);
    n = text_trimmed(s, n);
    if (n - i >= 2 && (s[i] == '"' || s[i] == '\'') && s[n - 1] == s[i]) {
        i++;
        n--;
    }
    *value = s + i;
    *len = n > i ? n - i : 0;
    return true;
}

bool
mark_front(const char *s, size_t n)
{
    size_t i = name_len(s, n);

    if (n == 0 || strchr(" \t-#[]{}\"'", s[0]))
        return true;
    if (i == 0)
        return false;
    i += text_indent(s + i, n - i);
    return i < n && (s[i] == ':' || s[i] == '=');
}

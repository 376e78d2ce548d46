/*
 * An excerpt as the Markdown it may have been. The index keeps a file's words,
 * with a blank line between its blocks; what the blocks were is not kept. Here
 * code is put between fences again, so that it is told as it stands and not run
 * together, and rows of a table ("Name: x, Meaning: y") become items of a list.
 *
 * Code is known by its looks: lines that end or begin like code, or a block of
 * several lines that are no sentences. What is taken for code wrongly is shown
 * with its line ends, which does little harm.
 */
#include "base/base.h"

#include "provider/offline.h"
#include "provider/provider.h"

#define HEAD_MAX 40 /* bytes of the head of a column */

/* How a line of code begins. */
static const char *const beginnings[] = {
    "$ ",      "#!",      "#include", "#define", "import ",  "from ",
    "def ",    "class ",  "return ",  "const ",  "let ",     "var ",
    "static ", "struct ", "SELECT ",  "INSERT ", "UPDATE ",  "CREATE ",
    "ALTER ",  "DELETE ", "sudo ",    "apt ",    "apt-get ", "npm ",
    "npx ",    "make ",   "git ",     "cd ",     "curl ",    "docker ",
    "pip ",    "echo ",   "export ",  "ssh ",    "python3 ", "./",
};
/* What a line of prose seldom has. */
static const char *const signs[] = {
    "=> ", "();", " == ", " != ", " && ", " || ",
    "->",  "::",  "){",   ") {",  " --",
};

static bool
ends_sentence(const char *s, size_t n)
{
    return n > 0 && strchr(".?!:,", s[n - 1]) != NULL;
}

/* NAME=value, as settings and assignments are. */
static bool
is_setting(const char *s, size_t n)
{
    size_t i = 0;

    while (i < n && ((s[i] >= 'A' && s[i] <= 'Z') || s[i] == '_' ||
                     (i > 0 && s[i] >= '0' && s[i] <= '9')))
        i++;
    return i > 1 && i < n && s[i] == '=';
}

static bool
is_code_line(const char *s, size_t n)
{
    if (n >= 2 && (s[0] == '\t' || (s[0] == ' ' && s[1] == ' ')))
        return true;
    if (n == 0 || is_setting(s, n))
        return n > 0;
    if (strchr(";{}\\", s[n - 1]) != NULL)
        return true;
    if (ends_sentence(s, n))
        return false;
    for (size_t i = 0; i < COUNT_OF(beginnings); i++)
        if (strncmp(s, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    for (size_t i = 0; i < COUNT_OF(signs); i++)
        if (memmem(s, n, signs[i], strlen(signs[i])) != NULL)
            return true;
    return false;
}

/* "Name: x, Meaning: y": two cells with their heads at least. */
static bool
is_row(const char *s, size_t n)
{
    const char *colon = memmem(s, n, ": ", 2), *comma;

    if (colon == NULL || *s < 'A' || colon - s > HEAD_MAX)
        return false;
    comma = memmem(colon, n - (size_t)(colon - s), ", ", 2);
    while (comma != NULL) { /* a cell may have commas of its own */
        const char *end = memchr(comma + 2, ':', n - (size_t)(comma + 2 - s));

        if (end == NULL)
            return false;
        if (end - comma <= HEAD_MAX &&
            memchr(comma + 1, ',', (size_t)(end - comma)) == NULL)
            return true;
        comma = memmem(comma + 2, n - (size_t)(comma + 2 - s), ", ", 2);
    }
    return false;
}

static bool
is_item(const char *s, size_t n)
{
    return n > 2 && strchr("-*+", s[0]) != NULL && s[1] == ' ';
}

/* Lines of one block, [s, end). */
static bool
is_code_block(const char *s, const char *end)
{
    size_t lines = 0, code = 0, prose = 0;

    while (s < end) {
        const char *nl = memchr(s, '\n', (size_t)(end - s));
        size_t n = (size_t)((nl != NULL ? nl : end) - s);

        if (*s == '#' && n > 2 && strncmp(s, "#include", 8) != 0)
            return false; /* a heading */
        lines++;
        code += is_code_line(s, n);
        prose += is_row(s, n) || is_item(s, n);
        s = nl != NULL ? nl + 1 : end;
    }
    return prose == 0 && 2 * code >= lines && code > 0;
}

static void
add_fenced(struct buf *out, const char *s, const char *end)
{
    buf_adds(out, "```\n");
    while (s < end) {
        const char *nl = memchr(s, '\n', (size_t)(end - s));
        size_t n = (size_t)((nl != NULL ? nl : end) - s);
        size_t blanks = strspn(s, " ");

        /* A fence within would end ours. */
        if (strncmp(s + blanks, "```", 3) != 0 &&
            strncmp(s + blanks, "~~~", 3) != 0) {
            buf_add(out, s, n);
            buf_addc(out, '\n');
        }
        s = nl != NULL ? nl + 1 : end;
    }
    buf_adds(out, "```\n\n");
}

static void
add_prose(struct buf *out, const char *s, const char *end)
{
    while (s < end) {
        const char *nl = memchr(s, '\n', (size_t)(end - s));
        size_t n = (size_t)((nl != NULL ? nl : end) - s);

        if (is_row(s, n))
            buf_adds(out, "- ");
        buf_add(out, s, n);
        buf_addc(out, '\n');
        s = nl != NULL ? nl + 1 : end;
    }
    buf_addc(out, '\n');
}

void
excerpt_markdown(const struct excerpt *x, struct buf *out)
{
    const char *s = x->text, *end = s + x->len, *stop;

    if (x->code) {
        add_fenced(out, s, end);
        return;
    }
    while (s < end) {
        if (*s == '\n') {
            s++;
            continue;
        }
        stop = memmem(s, (size_t)(end - s), "\n\n", 2);
        stop = stop != NULL ? stop : end;
        if (is_code_block(s, stop))
            add_fenced(out, s, stop);
        else
            add_prose(out, s, stop);
        s = stop;
    }
}

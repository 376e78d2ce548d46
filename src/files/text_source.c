/*
 * Program code, and other text whose lines and blanks mean something (settings,
 * XML): blocks are cut at blank lines where the next line begins in the first
 * column, that is between definitions, and between two of them that no blank
 * line separates. A definition that has become long is cut at any blank line.
 */
#include "base/base.h"

#include "files/text_inside.h"

#define SOURCE_LONG 1200 /* bytes; cut at the next blank line */

struct source {
    struct text_out *out;
    struct text_lines lines;
    bool open;
    bool blank;  /* a blank line was there, and nothing since */
    bool closed; /* the line before was nothing but a closing bracket */
};

/* "}", "};", "end": a definition ends here. */
static bool
closes(const char *s, size_t n)
{
    static const char *const words[] = {"}", "};", "})", "});", "end", ")"};

    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (strlen(words[i]) == n && memcmp(words[i], s, n) == 0)
            return true;
    return false;
}

static void
line(void *arg, const char *s, size_t n, bool first, bool last)
{
    struct source *p = arg;
    bool top;

    if (last)
        n = text_trimmed(s, n);
    if (!first) {
        text_out_add(p->out, s, n);
        p->closed = false;
        return;
    }
    if (text_line_blank(s, n)) {
        p->blank = true;
        return;
    }
    top = text_indent(s, n) == 0;
    if (p->open && ((p->blank && (top || p->out->len > SOURCE_LONG)) ||
                    (p->closed && top && !closes(s, n)))) {
        text_out_end(p->out);
        p->open = false;
    }
    if (p->open) {
        if (p->blank)
            text_out_add(p->out, "\n", 1);
        text_out_line(p->out, false, s, n);
    } else {
        text_out_begin(p->out, BLOCK_CODE, 0);
        text_out_add(p->out, s, n);
    }
    p->open = true;
    p->blank = false;
    p->closed = closes(s, n);
}

static void
init(void *reader, struct text_out *out)
{
    struct source *p = reader;

    p->out = out;
    text_lines_init(&p->lines, line, p);
}

static void
take(void *reader, const char *s, size_t n)
{
    struct source *p = reader;

    text_lines_take(&p->lines, s, n);
}

static void
end(void *reader)
{
    struct source *p = reader;

    text_lines_end(&p->lines);
}

const struct text_reader text_source = {
    .size = sizeof(struct source),
    .init = init,
    .take = take,
    .end = end,
};

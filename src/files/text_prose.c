/*
 * Plain text to paragraphs: what stands between blank lines. Lines that an
 * editor broke are joined with a blank, so that a sentence is in one piece;
 * other lines are kept. A paragraph that is longer than a block (a log) is cut
 * between lines.
 */
#include "base/base.h"

#include "files/text_inside.h"

struct prose {
    struct text_out *out;
    struct text_lines lines;
    bool open;
    size_t prev; /* characters of the line before, or more than any wrapped */
};

static void
line(void *arg, const char *s, size_t n, bool first, bool last)
{
    struct prose *p = arg;
    size_t indent;

    if (last)
        n = text_trimmed(s, n);
    if (!first) {
        text_out_add(p->out, s, n);
        p->prev = SIZE_MAX / 2;
        return;
    }
    if (text_line_blank(s, n)) {
        text_out_end(p->out);
        p->open = false;
        return;
    }
    indent = text_indent(s, n);
    if (!p->open) {
        text_out_begin(p->out, BLOCK_TEXT, 0);
        text_out_add(p->out, s + indent, n - indent);
    } else {
        bool joined = text_was_wrapped(p->prev, s + indent, n - indent);

        if (!joined)
            indent = 0;
        text_out_line(p->out, joined, s + indent, n - indent);
    }
    p->open = true;
    p->prev = text_characters(s, n);
}

static void
init(void *reader, struct text_out *out)
{
    struct prose *p = reader;

    p->out = out;
    text_lines_init(&p->lines, line, p);
}

static void
take(void *reader, const char *s, size_t n)
{
    struct prose *p = reader;

    text_lines_take(&p->lines, s, n);
}

static void
end(void *reader)
{
    struct prose *p = reader;

    text_lines_end(&p->lines);
}

const struct text_reader text_prose = {
    .size = sizeof(struct prose),
    .init = init,
    .take = take,
    .end = end,
};

/*
 * Markdown to blocks: headings (both kinds), paragraphs with their lines
 * joined, items of lists, rows of tables under their heads, code. Marks within
 * a line stay: they are short, and what is shown again should look as it was
 * written. Quotes lose their ">". Comments are left out.
 *
 * One line at a time, never back: an underline or the second line of a table
 * changes what the line before was, and that is still in the open block. Front
 * matter is believed line by line; the first line that cannot be of it is text.
 */
#include "base/base.h"

#include "files/text_inside.h"

#include "files/text_mark.h"

#define CODE_LONG 1200      /* bytes; code is cut at its next blank line */
#define HEADING_LINES 255   /* bytes; a longer paragraph is not underlined */
#define FRONT_LINES_MAX 200 /* then it was none */

enum markdown_state { MD_START, MD_FRONT, MD_BODY, MD_FENCE, MD_COMMENT };
enum markdown_open { MD_NONE, MD_TEXT, MD_ITEM, MD_CODE, MD_TABLE };

struct markdown {
    struct text_out *out;
    struct text_lines lines;
    struct text_row row;
    enum markdown_state state;
    enum markdown_open open;
    char fence; /* '`' or '~'; of front matter '-' or '+' */
    size_t fence_len;
    size_t fence_indent;
    size_t front_lines;
    bool fence_quoted;
    bool quoted;          /* the line before was */
    bool in_list;         /* an indented line may belong to an item */
    bool hard;            /* the line before asked for a line feed */
    bool blank;           /* blank lines stand before the next line of code */
    size_t line_at;       /* of the last line in the open paragraph */
    uint64_t line_blocks; /* out->blocks then: it is there if they are equal */
    int title_level;      /* of the heading that is the title; 0: none */
};

static void
close_block(struct markdown *m)
{
    text_out_end(m->out);
    m->open = MD_NONE;
    m->blank = false;
}

/* The title is the first heading of level 1, else the first of any; one of
 * front matter (level -1) goes before both. */
static void
note_title(struct markdown *m, int level, const char *s, size_t n)
{
    if (m->title_level != 0 && (m->title_level <= 1 || level != 1))
        return;
    m->title_level = level;
    text_out_title(m->out, s, n);
}

static void
heading(struct markdown *m, int level, const char *s, size_t n, bool last)
{
    close_block(m);
    m->in_list = false;
    if (n == 0)
        return;
    note_title(m, level, s, n);
    text_out_begin(m->out, BLOCK_HEADING, level);
    text_out_add(m->out, s, n);
    if (last)
        text_out_end(m->out);
}

/* The open paragraph was a heading. False: it is too long to be one. */
static bool
underline(struct markdown *m, int level)
{
    struct text_out *o = m->out;

    if (m->line_blocks != o->blocks || o->more || o->len > HEADING_LINES)
        return false;
    for (size_t i = 0; i < o->len; i++)
        if (o->data[i] == '\n')
            o->data[i] = ' ';
    o->kind = BLOCK_HEADING;
    o->level = level;
    note_title(m, level, o->data, o->len);
    close_block(m);
    m->in_list = false;
    return true;
}

static void
code_line(struct markdown *m, const char *s, size_t n)
{
    struct text_out *o = m->out;

    if (o->open && m->blank && o->len > CODE_LONG)
        text_out_end(o);
    if (!o->open) {
        text_out_begin(o, BLOCK_CODE, 0);
        text_out_add(o, s, n);
    } else {
        if (m->blank)
            text_out_add(o, "\n", 1);
        text_out_line(o, false, s, n);
    }
    m->blank = false;
}

/* --- tables --------------------------------------------------------------- */

/* Cells of a line, or of a piece of one. */
static void
table_cells(struct markdown *m, const char *s, size_t n, bool heads)
{
    if (n > 0 && s[0] == '|') {
        s++;
        n--;
    }
    while (n > 0) {
        size_t len = mark_cell(s, n);

        if (heads)
            text_row_head(&m->row, s, len);
        else
            text_row_add(&m->row, s, len);
        if (len == n)
            break;
        if (!heads)
            text_row_cell(&m->row);
        s += len + 1;
        n -= len + 1;
    }
}

/* The last line of the open paragraph holds the heads of a table. */
static bool
table(struct markdown *m)
{
    struct text_out *o = m->out;
    size_t at = m->line_at;

    if (m->line_blocks != o->blocks || o->more || at >= o->len ||
        !memchr(o->data + at, '|', o->len - at))
        return false;
    text_row_init(&m->row, o);
    table_cells(m, o->data + at, o->len - at, true);
    if (at > 0 && (o->data[at - 1] == ' ' || o->data[at - 1] == '\n'))
        at--;
    o->len = at;
    close_block(m);
    m->open = MD_TABLE;
    return true;
}

/* --- front matter --------------------------------------------------------- */

/* True: the line was of it. */
static bool
front_line(struct markdown *m, const char *s, size_t n)
{
    const char *value;
    size_t len;

    if (n == 3 && (memcmp(s, m->fence == '-' ? "---" : "+++", 3) == 0 ||
                   (m->fence == '-' && memcmp(s, "...", 3) == 0))) {
        close_block(m);
        m->state = MD_BODY;
        return true;
    }
    if (++m->front_lines > FRONT_LINES_MAX || !mark_front(s, n)) {
        close_block(m);
        m->state = MD_BODY;
        return false;
    }
    if (mark_member(s, n, "title", &value, &len) && len > 0) {
        heading(m, 1, value, len, true);
        m->title_level = -1;
    } else if (!text_line_blank(s, n)) {
        text_out_begin(m->out, BLOCK_ROW, 0);
        text_out_add(m->out, s, n);
    }
    return true;
}

static bool
start_line(struct markdown *m, const char *s, size_t n)
{
    m->state = MD_BODY;
    if (n != 3 || (memcmp(s, "---", 3) != 0 && memcmp(s, "+++", 3) != 0))
        return false;
    m->state = MD_FRONT;
    m->fence = s[0];
    return true;
}

/* --- lines ---------------------------------------------------------------- */

static void
text_line(struct markdown *m, size_t columns, const char *s, size_t n)
{
    if (m->open == MD_TABLE || m->open == MD_CODE)
        close_block(m);
    if (m->open == MD_NONE) {
        if (columns < 2)
            m->in_list = false;
        text_out_begin(m->out, BLOCK_TEXT, 0);
        text_out_add(m->out, s, n);
        m->open = MD_TEXT;
        m->line_at = 0;
    } else {
        text_out_line(m->out, !m->hard, s, n);
        m->line_at = m->out->len > n ? m->out->len - n : 0;
    }
    m->line_blocks = m->out->len < n ? UINT64_MAX : m->out->blocks;
}

static bool
item_line(struct markdown *m, size_t columns, const char *s, size_t n)
{
    unsigned number;
    size_t marker = mark_item(s, n, &number);

    if (marker == 0 || (number > 1 && m->open == MD_TEXT && !m->in_list) ||
        (marker == n && m->open == MD_TEXT))
        return false;
    close_block(m);
    m->in_list = true;
    if (marker == n)
        return true; /* its text comes, or not */
    text_out_begin(m->out, BLOCK_ROW, 0);
    for (size_t i = 0; i < columns && i < 16; i++)
        text_out_add(m->out, " ", 1);
    text_out_add(m->out, s, n);
    m->open = MD_ITEM;
    return true;
}

/* "<!-- ... -->": true if the line was nothing else. */
static bool
comment_line(struct markdown *m, const char *s, size_t n)
{
    const char *end;

    if (n < 4 || memcmp(s, "<!--", 4) != 0)
        return false;
    end = memmem(s + 4, n - 4, "-->", 3);
    if (end)
        return end + 3 == s + n;
    close_block(m);
    m->state = MD_COMMENT;
    return true;
}

/* Lines that are something by themselves. */
static bool
mark_line(struct markdown *m, size_t columns, const char *s, size_t n,
          bool last)
{
    const char *text;
    size_t len;
    char fence;
    int level = mark_heading(s, n, &text, &len);

    if (level > 0) {
        heading(m, level, text, len, last);
        return true;
    }
    if (m->open == MD_TEXT) {
        level = mark_underline(s, n);
        if (level > 0 && underline(m, level))
            return true;
        if (mark_table(s, n) && table(m))
            return true;
    }
    len = mark_fence(s, n, &fence);
    if (len > 0) {
        close_block(m);
        m->state = MD_FENCE;
        m->fence = fence;
        m->fence_len = len;
        m->fence_indent = columns;
        m->fence_quoted = m->quoted;
        return true;
    }
    if (mark_rule(s, n)) {
        close_block(m);
        return true;
    }
    return comment_line(m, s, n) || item_line(m, columns, s, n);
}

static void
body_line(struct markdown *m, const char *s, size_t n, bool last)
{
    size_t columns = mark_columns(s, n);
    size_t indent = text_indent(s, n);

    if (text_line_blank(s, n)) {
        if (m->open == MD_CODE)
            m->blank = true;
        else
            close_block(m);
        return;
    }
    if (columns >= 4 && !m->in_list &&
        (m->open == MD_NONE || m->open == MD_CODE)) {
        indent = mark_unindent(s, n, 4);
        m->open = MD_CODE;
        code_line(m, s + indent, n - indent);
        return;
    }
    s += indent;
    n -= indent;
    if ((columns < 4 || m->in_list) && mark_line(m, columns, s, n, last))
        return;
    if (m->open == MD_TABLE && (!last || memchr(s, '|', n))) {
        table_cells(m, s, n, false);
        if (last)
            text_row_end(&m->row);
        return;
    }
    text_line(m, columns, s, n);
}

static void
fence_line(struct markdown *m, const char *s, size_t n)
{
    size_t indent = text_indent(s, n);

    if (mark_fence_ends(s + indent, n - indent, m->fence, m->fence_len)) {
        close_block(m);
        m->state = MD_BODY;
        return;
    }
    if (indent == n) {
        m->blank = m->out->open;
        return;
    }
    indent = mark_unindent(s, n, m->fence_indent);
    code_line(m, s + indent, n - indent);
}

/* Bytes of "> " at the start, of all quotes. */
static size_t
quotes(const char *s, size_t n)
{
    size_t at = 0;

    for (;;) {
        size_t i = at + text_indent(s + at, n - at);

        if (i == n || s[i] != '>' || mark_columns(s + at, n - at) >= 4)
            return at;
        at = i + 1;
        if (at < n && s[at] == ' ')
            at++;
    }
}

static void
whole_line(struct markdown *m, const char *s, size_t n, bool last)
{
    size_t q;

    if (m->state == MD_COMMENT) {
        if (memmem(s, n, "-->", 3))
            m->state = MD_BODY;
        return;
    }
    if ((m->state == MD_START && start_line(m, s, n)) ||
        (m->state == MD_FRONT && front_line(m, s, n)))
        return;
    q = m->state == MD_FENCE && !m->fence_quoted ? 0 : quotes(s, n);
    if (q > 0 && !m->quoted && m->state == MD_BODY)
        close_block(m);
    m->quoted = q > 0;
    if (m->state == MD_FENCE && m->fence_quoted && q == 0) {
        close_block(m);
        m->state = MD_BODY;
    }
    if (m->state == MD_FENCE)
        fence_line(m, s + q, n - q);
    else
        body_line(m, s + q, n - q, last);
}

static void
line(void *arg, const char *s, size_t n, bool first, bool last)
{
    struct markdown *m = arg;
    bool hard = last && n >= 2 &&
                ((s[n - 1] == ' ' && s[n - 2] == ' ') || s[n - 1] == '\\');

    if (last)
        n = text_trimmed(s, n);
    if (first) {
        whole_line(m, s, n, last);
    } else if (m->open == MD_TABLE && m->state == MD_BODY) {
        table_cells(m, s, n, false);
        if (last)
            text_row_end(&m->row);
    } else if (m->out->open) {
        text_out_add(m->out, s, n);
        if (last && m->out->kind == BLOCK_HEADING)
            text_out_end(m->out);
        m->line_blocks = UINT64_MAX;
    }
    m->hard = hard;
}

static void
init(void *reader, struct text_out *out)
{
    struct markdown *m = reader;

    m->out = out;
    text_lines_init(&m->lines, line, m);
}

static void
take(void *reader, const char *s, size_t n)
{
    struct markdown *m = reader;

    text_lines_take(&m->lines, s, n);
}

static void
finish(void *reader)
{
    struct markdown *m = reader;

    text_lines_end(&m->lines);
    text_row_end(&m->row);
}

const struct text_reader text_markdown = {
    .size = sizeof(struct markdown),
    .init = init,
    .take = take,
    .end = finish,
};

/*
 * A machine that is pushed byte by byte. A mark (or a run of one) waits for the
 * byte behind it, since that decides what it means: "# " is a heading and "#1"
 * is not. What is begun in a line ends with it, but for blocks of code, so a
 * mark that is never closed can colour one line at most. Single stars and
 * underscores are shown as they are: they are as often a multiplication or a
 * name as they are stress.
 */
#include "base/base.h"

#include "client/terminal.h"

#include <ctype.h>

enum { STYLE_BOLD = 1, STYLE_CODE = 2, STYLE_QUOTE = 4 };

void
terminal_init(struct terminal *t, bool plain)
{
    memset(t, 0, sizeof(*t));
    t->plain = plain;
    t->last = '\n';
}

/* Let the terminal's style be that of what comes next. */
static void
restyle(struct terminal *t, struct buf *out)
{
    unsigned want = (t->bold || t->heading ? STYLE_BOLD : 0U) |
                    (t->code > 0 || t->block ? STYLE_CODE : 0U) |
                    (t->quote ? STYLE_QUOTE : 0U);

    if (want == t->shown)
        return;
    buf_adds(out, "\x1b[0");
    if (want & STYLE_BOLD)
        buf_adds(out, ";1");
    if (want & STYLE_QUOTE)
        buf_adds(out, ";2");
    if (want & STYLE_CODE)
        buf_adds(out, ";36");
    buf_addc(out, 'm');
    t->shown = want;
}

static void
put(struct terminal *t, char c, struct buf *out)
{
    restyle(t, out);
    buf_addc(out, c);
    t->last = c;
}

static void
put_marks(struct terminal *t, struct buf *out)
{
    for (unsigned i = 0; i < t->n; i++)
        put(t, t->mark, out);
    t->n = 0;
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

static void
end_line(struct terminal *t, struct buf *out)
{
    t->bold = t->heading = t->quote = false;
    t->code = 0;
    restyle(t, out);
    buf_addc(out, '\n');
    t->last = '\n';
    t->state = TERMINAL_BEGIN;
}

static void take(struct terminal *t, char c, struct buf *out);

static void
begin_marks(struct terminal *t, char c)
{
    t->at_begin = t->state == TERMINAL_BEGIN;
    t->state = TERMINAL_MARKS;
    t->mark = c;
    t->n = 1;
    t->spaced = is_space(t->last);
}

/* Backquotes begin or end code. */
static void
take_quotes(struct terminal *t, struct buf *out)
{
    if (t->at_begin && t->n >= 3 && (!t->block || t->n >= t->fence)) {
        t->fence = t->n;
        t->n = 0;
        t->block = !t->block;
        t->state = TERMINAL_FENCE;
        return;
    }
    t->state = TERMINAL_TEXT;
    if (t->block || (t->code != 0 && t->code != t->n)) {
        put_marks(t, out);
        return;
    }
    t->code = t->code == 0 ? t->n : 0;
    t->n = 0;
}

/* Two stars (or three) begin and end what is bold. */
static void
take_stars(struct terminal *t, char next, struct buf *out)
{
    bool toggles = t->n == 2 || t->n == 3;

    t->state = TERMINAL_TEXT;
    if (toggles && (t->bold ? !t->spaced : !is_space(next))) {
        t->bold = !t->bold;
        t->n = 0;
        t->last = '*';
    } else {
        put_marks(t, out);
    }
}

/* Behind a run of marks comes next, which is not one of them. */
static void
decide(struct terminal *t, char next, struct buf *out)
{
    bool lone = t->at_begin && t->n == 1 && is_space(next) && next != '\n';

    if (t->mark == '`') {
        take_quotes(t, out);
    } else if (t->mark == '#' && t->n <= 6 && next == ' ') {
        t->heading = true;
        t->n = 0;
        t->state = TERMINAL_TEXT;
        return; /* without the blank */
    } else if (t->mark == '>') {
        t->quote = true;
        restyle(t, out);
        for (unsigned i = 0; i < t->n; i++)
            buf_adds(out, "\xe2\x94\x82"); /* a bar */
        t->n = 0;
        t->last = '>';
        t->state = TERMINAL_TEXT;
    } else if (lone && t->mark != '#') {
        buf_adds(out, "\xe2\x80\xa2"); /* a bullet */
        t->n = 0;
        t->last = '*';
        t->state = TERMINAL_TEXT;
    } else if (t->mark == '*') {
        take_stars(t, next, out);
    } else {
        t->state = TERMINAL_TEXT;
        put_marks(t, out);
    }
    take(t, next, out);
}

static void
take_begin(struct terminal *t, char c, struct buf *out)
{
    if (t->block ? c == '`' : strchr("#`*-+>", c) != NULL && c != '\0') {
        begin_marks(t, c);
        return;
    }
    if (c == ' ') {
        put(t, c, out);
        return;
    }
    t->state = TERMINAL_TEXT;
    take(t, c, out);
}

static void
take_text(struct terminal *t, char c, struct buf *out)
{
    if (c == '`' && !t->block)
        begin_marks(t, c);
    else if (c == '*' && !t->block && t->code == 0)
        begin_marks(t, c);
    else if (c == '\\' && !t->block && t->code == 0)
        t->state = TERMINAL_ESCAPE;
    else
        put(t, c, out);
}

static void
take(struct terminal *t, char c, struct buf *out)
{
    switch (t->state) {
    case TERMINAL_MARKS:
        if (c == t->mark)
            t->n++;
        else
            decide(t, c, out);
        break;
    case TERMINAL_FENCE:
        if (c == '\n')
            t->state = TERMINAL_BEGIN;
        break;
    case TERMINAL_ESCAPE:
        t->state = TERMINAL_TEXT;
        if (!ispunct((unsigned char)c))
            put(t, '\\', out);
        if (c == '\n')
            end_line(t, out);
        else
            put(t, c, out);
        break;
    case TERMINAL_BEGIN:
        if (c == '\n')
            end_line(t, out);
        else
            take_begin(t, c, out);
        break;
    case TERMINAL_TEXT:
        if (c == '\n')
            end_line(t, out);
        else
            take_text(t, c, out);
        break;
    }
}

static void
pass(struct terminal *t, char c, struct buf *out)
{
    if (t->plain)
        buf_addc(out, c);
    else
        take(t, c, out);
}

void
terminal_feed(struct terminal *t, const char *s, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];

        if (t->c2) {
            t->c2 = false;
            if (c >= 0x80 && c < 0xa0)
                continue; /* U+0080 to U+009F are control characters */
            pass(t, '\xc2', out);
        }
        if (c == 0xc2)
            t->c2 = true;
        else if ((c >= 0x20 && c != 0x7f) || c == '\n' || c == '\t')
            pass(t, (char)c, out);
    }
}

void
terminal_end(struct terminal *t, struct buf *out)
{
    t->c2 = false;
    if (t->state == TERMINAL_MARKS && t->mark == '`')
        take_quotes(t, out);
    else if (t->state == TERMINAL_MARKS && t->mark == '*')
        take_stars(t, '\n', out);
    else if (t->state == TERMINAL_MARKS)
        put_marks(t, out);
    else if (t->state == TERMINAL_ESCAPE)
        put(t, '\\', out);
    t->state = TERMINAL_BEGIN;
    t->bold = t->heading = t->quote = t->block = false;
    t->code = 0;
    restyle(t, out);
}

/*
 * The export for people, as Markdown (CommonMark): a heading for each session,
 * its date, and who said what.
 *
 * A message is Markdown itself and is written as it stands, if nothing in it
 * can reach beyond its end: a block of code that is not closed, or HTML, would
 * swallow all that follows. Whether a block of code is closed depends on the
 * list or quote that it lies in, so only those are trusted that are closed
 * whatever they lie in: no line in them is indented less than the fence that
 * opens them, and the one that closes them is indented alike. A message with
 * anything else in it is written as a quotation, which by CommonMark's rules
 * ends where its last line does.
 */
#include "base/base.h"

#include "dialect/export_inside.h"

#include "base/clock.h"
#include "base/text.h"

#define FENCE_MIN 3

/* --- does it end where it ends? ------------------------------------------- */

struct fence {
    char mark; /* ` or ~; 0: none is open */
    size_t run;
    size_t indent;
};

struct line {
    const char *s; /* without its end */
    size_t n;
};

/* The next line of *s; false: there is none. CR, LF and CRLF end lines. */
static bool
next_line(const char **s, const char *end, struct line *out)
{
    const char *p = *s;

    if (p == end)
        return false;
    while (p < end && *p != '\n' && *p != '\r')
        p++;
    out->s = *s;
    out->n = (size_t)(p - *s);
    if (end - p >= 2 && p[0] == '\r' && p[1] == '\n')
        p++;
    *s = p < end ? p + 1 : end;
    return true;
}

static size_t
spaces(struct line l, size_t at)
{
    size_t i = at;

    while (i < l.n && l.s[i] == ' ')
        i++;
    return i - at;
}

static bool
blank(struct line l, size_t at)
{
    for (; at < l.n; at++)
        if (l.s[at] != ' ' && l.s[at] != '\t')
            return false;
    return true;
}

/* How many of the character at `at` stand there in a row. */
static size_t
run_at(struct line l, size_t at)
{
    size_t i = at;

    while (i < l.n && l.s[i] == l.s[at])
        i++;
    return i - at;
}

/* The length of a list's marker and of the spaces behind it; 0: none. */
static size_t
list_marker(struct line l, size_t at)
{
    size_t i = at, gap;

    while (i < l.n && i - at < 9 && l.s[i] >= '0' && l.s[i] <= '9')
        i++;
    if (i < l.n && strchr(i > at ? ".)" : "-*+", l.s[i]) != NULL)
        i++;
    else
        return 0;
    gap = spaces(l, i);
    return gap > 0 || (i < l.n && l.s[i] == '\t') ? i + gap - at : 0;
}

/* Where the content of the line begins, behind markers of lists. */
static size_t
content_at(struct line l)
{
    size_t at = spaces(l, 0), more;

    while ((more = list_marker(l, at)) > 0)
        at += more;
    return at;
}

/* In an open block of code. False: it may be open or closed behind l. */
static bool
within_fence(struct fence *f, struct line l)
{
    size_t indent = spaces(l, 0), run;

    if (blank(l, 0))
        return true;
    if (indent < f->indent)
        return false;
    if (l.s[indent] != f->mark || indent > f->indent + 3)
        return true;
    run = run_at(l, indent);
    if (run < f->run || !blank(l, indent + run))
        return true;
    if (indent != f->indent && f->indent > 0)
        return false;
    f->mark = '\0';
    return true;
}

static bool
has_marks(struct line l)
{
    return memchr(l.s, '<', l.n) != NULL ||
           memmem(l.s, l.n, "```", FENCE_MIN) != NULL ||
           memmem(l.s, l.n, "~~~", FENCE_MIN) != NULL;
}

/* Outside of code. False: what begins here may reach anywhere. */
static bool
outside_fence(struct fence *f, struct line l)
{
    size_t at = content_at(l), run;

    if (at == l.n)
        return true;
    switch (l.s[at]) {
    case '<': return false;
    case '>':
    case '\t': /* how far it reaches is not looked into */ return !has_marks(l);
    case '`':
    case '~': break;
    default: return true;
    }
    run = run_at(l, at);
    if (run < FENCE_MIN)
        return true;
    /* With another backtick on the line it is code within a paragraph. */
    if (l.s[at] == '`' && memchr(l.s + at + run, '`', l.n - at - run) != NULL)
        return true;
    *f = (struct fence){l.s[at], run, at};
    return at == spaces(l, 0); /* some lists do not begin after a text */
}

static bool
ends_by_itself(const char *s, size_t n)
{
    struct fence f = {.mark = '\0'};
    const char *end = s + n;
    struct line l;

    while (next_line(&s, end, &l))
        if (!(f.mark != '\0' ? within_fence(&f, l) : outside_fence(&f, l)))
            return false;
    return f.mark == '\0';
}

/* --- writing -------------------------------------------------------------- */

static void
put_plain(struct export *x, const char *s, size_t n)
{
    while (n > 0) {
        size_t part = n < EXPORT_PIECE ? n : EXPORT_PIECE;

        buf_add(&x->buf, s, part);
        export_room(x);
        s += part;
        n -= part;
    }
}

static void
put_quoted(struct export *x, const char *s, size_t n)
{
    const char *end = s + n;
    struct line l;

    while (next_line(&s, end, &l)) {
        buf_adds(&x->buf, l.n > 0 ? "> " : ">");
        put_plain(x, l.s, l.n);
        buf_addc(&x->buf, '\n');
        export_room(x);
    }
}

/* A text and the empty line behind it. */
static void
put_text(struct export *x, const char *s, size_t n)
{
    while (n > 0 && strchr(" \t\r\n", s[n - 1]) != NULL)
        n--;
    if (n == 0)
        return;
    if (ends_by_itself(s, n)) {
        put_plain(x, s, n);
        buf_addc(&x->buf, '\n');
    } else {
        put_quoted(x, s, n);
    }
    buf_addc(&x->buf, '\n');
}

/* Words in a line of our own: nothing in them is Markdown. */
static void
put_words(struct export *x, const char *s)
{
    static const char marks[] = "\\`*_{}[]<>()#|~&!";

    for (; *s != '\0'; s++) {
        if ((unsigned char)*s < ' ') {
            buf_addc(&x->buf, ' ');
            continue;
        }
        if (strchr(marks, *s) != NULL)
            buf_addc(&x->buf, '\\');
        buf_addc(&x->buf, *s);
        export_room(x);
    }
}

/* "2026-01-02 03:04 UTC" */
static void
put_date(struct export *x, int64_t at_ms)
{
    char iso[CLOCK_ISO_LEN];

    clock_iso(iso, at_ms);
    iso[10] = ' ';
    buf_add(&x->buf, iso, 16);
    buf_adds(&x->buf, " UTC");
}

static void
put_tags(struct export *x, const struct export_session *s)
{
    for (size_t i = 0; i < s->n_tags; i++) {
        buf_adds(&x->buf, i == 0 ? "Tags: " : ", ");
        put_words(x, s->tags[i]);
    }
    if (s->n_tags > 0)
        buf_adds(&x->buf, "\n\n");
}

void
export_markdown_session(struct export *x, const struct export_session *s)
{
    bool titled = s->title != NULL && !text_blank(s->title, strlen(s->title));

    buf_adds(&x->buf, "# ");
    put_words(x, titled ? s->title : "Conversation");
    buf_adds(&x->buf, "\n\n");
    if (s->created_ms != 0) {
        put_date(x, s->created_ms);
        buf_adds(&x->buf, "\n\n");
    }
    put_tags(x, s);
    if (s->context != NULL && s->context[0] != '\0') {
        buf_adds(&x->buf, "**Context**\n\n");
        put_text(x, s->context, strlen(s->context));
    }
}

static void
put_speaker(struct export *x, const struct export_message *m)
{
    static const char *const names[] = {[ROLE_SYSTEM] = "System",
                                        [ROLE_USER] = "You",
                                        [ROLE_ASSISTANT] = "Assistant",
                                        [ROLE_TOOL] = "Tool"};

    buf_adds(&x->buf, "**");
    buf_adds(&x->buf, names[m->role]);
    if (m->role == ROLE_ASSISTANT && m->model != NULL && m->model[0] != '\0') {
        buf_adds(&x->buf, " (");
        put_words(x, m->model);
        buf_addc(&x->buf, ')');
    }
    buf_adds(&x->buf, "**");
    if (export_branches(x, m))
        buf_adds(&x->buf, " *(another branch)*");
    buf_adds(&x->buf, "\n\n");
}

void
export_markdown_message(struct export *x, const struct export_message *m)
{
    put_speaker(x, m);
    put_text(x, m->text, m->text_len);
    switch (m->finish) {
    case FINISH_NONE:
    case FINISH_STOP:
    case FINISH_TOOL_CALLS: return;
    default: break;
    }
    buf_adds(&x->buf, "*(ended early: ");
    put_words(x, finish_name(m->finish));
    buf_adds(&x->buf, ")*\n\n");
}

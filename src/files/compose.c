/*
 * Blocks out of words.
 *
 * White space is remembered, not written, until a character follows that can
 * be seen. So no block begins or ends with blanks, and a block of which a part
 * was given (because it had become too long) always has a next part that is
 * not empty, as the mark `more` promises.
 *
 * In code, line feeds and blanks are remembered apart: what stands at the end
 * of a line is dropped, and more than two empty lines are two.
 *
 * Letters that a typesetter joined (U+FB00 to U+FB06) are written apart:
 * nobody types them when looking for a word.
 */
#include "base/base.h"

#include "files/compose.h"

#include "base/text.h"
#include "files/charset.h"
#include "files/extract.h"
#include "lang/letter.h"

#define LINES_MAX 3 /* line feeds in a row, in code */
#define SEEN_FROM '!'
#define SEEN_TO '~'

static const char *const joined[] = {"ff",  "fi", "fl", "ffi",
                                     "ffl", "st", "st"}; /* from U+FB00 */

void
compose_init(struct compose *c, block_fn *fn, void *arg)
{
    (void)memset(c, 0, sizeof(*c));
    c->fn = fn;
    c->arg = arg;
    buf_init(&c->text, BLOCK_MAX);
}

void
compose_release(struct compose *c)
{
    buf_release(&c->text);
}

enum err
compose_fail(struct compose *c, enum skip why)
{
    if (c->err == OK) {
        c->err = ERR_IMPOSSIBLE;
        c->why = why;
    }
    return c->err;
}

static void
give(struct compose *c, bool more)
{
    struct block b = c->shape;

    if (c->text.len > 0 && c->err == OK) {
        c->total += (int64_t)c->text.len;
        if (c->total > EXTRACT_TEXT_MAX) {
            (void)compose_fail(c, SKIP_BOMB);
            return;
        }
        b.text = c->text.data;
        b.len = c->text.len;
        b.more = more;
        c->err = c->fn(c->arg, &b);
    }
    c->open = more;
    buf_clear(&c->text);
}

static void
forget_blanks(struct compose *c)
{
    c->space = false;
    c->cell = false;
    c->lines = 0;
    c->n_blanks = 0;
}

void
compose_again(struct compose *c)
{
    if (c->text.len > 0)
        give(c, false);
    forget_blanks(c);
}

void
compose_block(struct compose *c, enum block_kind kind, int level)
{
    compose_again(c);
    c->shape.kind = kind;
    c->shape.level = level;
}

void
compose_page(struct compose *c, int page)
{
    compose_again(c);
    c->shape.page = page;
}

/* n bytes that belong together and are never more than BLOCK_MAX. */
static void
put(struct compose *c, const char *s, size_t n)
{
    if (c->text.len + n > BLOCK_MAX)
        give(c, true);
    buf_add(&c->text, s, n);
}

/* What was remembered, now that a character follows. */
static void
put_blanks(struct compose *c)
{
    bool first = c->text.len == 0 && !c->open;

    if (c->shape.kind == BLOCK_CODE) {
        for (unsigned i = 0; i < c->lines && !first; i++)
            put(c, "\n", 1);
        if (c->n_blanks > 0)
            put(c, c->blanks, c->n_blanks);
    } else if (c->cell) {
        put(c, " | ", 3);
    } else if (c->lines > 0 && !first) {
        put(c, "\n", 1);
    } else if (c->space && !first) {
        put(c, " ", 1);
    }
    forget_blanks(c);
}

static void
blank(struct compose *c, char ch)
{
    if (c->shape.kind != BLOCK_CODE) {
        c->space = true;
    } else if (ch == '\n') {
        c->lines += c->lines < LINES_MAX;
        c->n_blanks = 0;
    } else if (c->n_blanks < sizeof(c->blanks)) {
        c->blanks[c->n_blanks++] = ch;
    }
}

static void
character(struct compose *c, uint32_t ch)
{
    char bytes[4];

    if (ch < 0xA0) /* "&#150;": what its writer saw */
        ch = charset_western((unsigned char)ch);
    if (ch == 0x2028 || ch == 0x2029) {
        compose_line(c);
    } else if (ch == 0xA0 || letter_is_space(ch)) {
        blank(c, ' ');
    } else if (ch >= 0xFB00 && ch < 0xFB00 + COUNT_OF(joined)) {
        put_blanks(c);
        put(c, joined[ch - 0xFB00], strlen(joined[ch - 0xFB00]));
    } else if (ch >= 0xA0 && !letter_is_hidden(ch)) {
        put_blanks(c);
        put(c, bytes, letter_write(ch, bytes));
    }
}

void
compose_text(struct compose *c, const char *s, size_t n)
{
    for (size_t i = 0; i < n && c->err == OK;) {
        size_t from = i;

        while (i < n && s[i] >= SEEN_FROM && s[i] <= SEEN_TO &&
               i - from < COMPOSE_BLANKS_MAX)
            i++;
        if (i > from) {
            put_blanks(c);
            put(c, s + from, i - from);
        } else if (s[i] == ' ' || s[i] == '\t' || s[i] == '\n') {
            blank(c, s[i++]);
        } else if ((unsigned char)s[i] < 0x80) { /* controls; CR LF is LF */
            if (s[i] == '\f' || s[i] == '\v')
                blank(c, '\n');
            i++;
        } else {
            uint32_t ch;

            i += letter_read(s + i, n - i, &ch);
            character(c, ch);
        }
    }
}

void
compose_str(struct compose *c, const char *s)
{
    compose_text(c, s, strlen(s));
}

void
compose_line(struct compose *c)
{
    if (c->shape.kind == BLOCK_CODE)
        blank(c, '\n');
    else if (c->shape.kind == BLOCK_TEXT)
        c->lines = 1;
    else
        c->space = true;
}

void
compose_cell(struct compose *c)
{
    c->cell = c->text.len > 0 || c->open;
}

size_t
compose_len(const struct compose *c)
{
    return c->text.len;
}

enum err
compose_end(struct compose *c, enum skip *why)
{
    compose_again(c);
    if (c->err == OK && c->total == 0)
        (void)compose_fail(c, SKIP_EMPTY);
    *why = c->why;
    return c->err;
}

static enum err
take_title(void *arg, const struct block *b)
{
    struct facts *f = arg;
    size_t n = b->len < FACTS_TITLE_MAX ? b->len : FACTS_TITLE_MAX;

    n = utf8_whole(b->text, n);
    (void)memcpy(f->title, b->text, n);
    f->title[n] = '\0';
    return ERR_HUP; /* the first part is all that is wanted */
}

void
compose_title(struct facts *f, const char *s, size_t n)
{
    struct compose c;

    if (f->title[0] != '\0')
        return;
    compose_init(&c, take_title, f);
    compose_block(&c, BLOCK_HEADING, 1);
    compose_text(&c, s, n);
    compose_again(&c);
    compose_release(&c);
}

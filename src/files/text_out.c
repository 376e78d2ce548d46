/*
 * One block at a time, gathered in an array and given when it ends.
 *
 * A block that is full is only given when more comes: so `more` is a promise
 * that is always kept, and one of exactly BLOCK_MAX bytes is whole. Where there
 * is a line feed in it the cut is made there, and both parts are blocks of
 * their own; what holds none is a line longer than BLOCK_MAX, cut between
 * characters.
 */
#include "base/base.h"

#include "files/text_inside.h"

#include "base/text.h"
#include "lang/plain.h"

#define TITLE_LOOK 1024 /* bytes of a heading */

void
text_out_init(struct text_out *o, block_fn *fn, void *arg, struct facts *facts)
{
    o->fn = fn;
    o->arg = arg;
    o->facts = facts;
    o->e = OK;
    o->why = SKIP_NOT;
    o->blocks = 0;
    o->open = false;
    o->more = false;
    o->len = 0;
}

static void
give(struct text_out *o, size_t len, bool more)
{
    struct block b = {.kind = o->kind,
                      .level = o->level,
                      .more = more,
                      .text = o->data,
                      .len = len};

    if (o->e)
        return;
    o->blocks++;
    o->e = o->fn(o->arg, &b);
}

/* Makes room in a full block. */
static void
spill(struct text_out *o)
{
    const char *lf = memrchr(o->data, '\n', o->len);
    size_t cut = lf ? (size_t)(lf - o->data) : 0;
    size_t rest = cut;

    if (cut > 0) {
        rest++;
        while (cut > 1 && o->data[cut - 1] == '\n')
            cut--;
        give(o, cut, false);
    } else {
        cut = utf8_whole(o->data, o->len);
        give(o, cut, true);
        rest = cut;
    }
    o->more = lf == NULL || lf == o->data;
    o->len -= rest;
    memmove(o->data, o->data + rest, o->len);
}

void
text_out_add(struct text_out *o, const char *s, size_t n)
{
    assert(o->open);
    while (n > 0 && !o->e) {
        size_t k = BLOCK_MAX - o->len;

        if (k > n)
            k = n;
        memcpy(o->data + o->len, s, k);
        o->len += k;
        s += k;
        n -= k;
        if (n > 0)
            spill(o);
    }
}

void
text_out_begin(struct text_out *o, enum block_kind kind, int level)
{
    text_out_end(o);
    o->open = true;
    o->kind = kind;
    o->level = level;
}

void
text_out_end(struct text_out *o)
{
    if (o->open && o->len > 0)
        give(o, o->len, false);
    o->open = false;
    o->more = false;
    o->len = 0;
}

void
text_out_fail(struct text_out *o, enum skip why)
{
    if (o->e)
        return;
    o->e = ERR_IMPOSSIBLE;
    o->why = why;
}

/* White space made single blanks. */
static void
copy_title(char *t, const char *s, size_t n)
{
    size_t len = 0;

    for (size_t i = 0; i < n && len < FACTS_TITLE_MAX; i++) {
        bool blank = s[i] == ' ' || s[i] == '\t' || s[i] == '\n';

        if (!blank)
            t[len++] = s[i];
        else if (len > 0 && t[len - 1] != ' ')
            t[len++] = ' ';
    }
    t[text_trimmed(t, utf8_whole(t, len))] = '\0';
}

void
text_out_title(struct text_out *o, const char *s, size_t n)
{
    char look[TITLE_LOOK + 2] = "# ";
    struct plain p;

    n = utf8_whole(s, n < TITLE_LOOK ? n : TITLE_LOOK);
    memcpy(look + 2, s, n);
    plain_read(&p, look, n + 2);
    if (p.len > 0)
        copy_title(o->facts->title, p.text, p.len);
    else
        copy_title(o->facts->title, s, n);
    plain_release(&p);
}

/*
 * A list of parts with texts of their own. What a part borrows is copied; the
 * way it stood on its provider's wire (part.choices) is not, since what is
 * joined has no such form any more.
 */
#include "base/base.h"

#include "chat/held.h"

#include "base/buf.h"
#include "base/mem.h"

struct held_part {
    struct held_part *next;
    struct part part;
    char *id, *name; /* owned; PART_CALL */
    struct buf text;
    size_t given; /* bytes of text */
};

static struct held_part *
part_new(const struct part *p)
{
    struct held_part *h = xcalloc(1, sizeof(*h));

    h->part = *p;
    if (p->kind == PART_CALL) {
        h->id = xstrdup(p->id);
        h->name = xstrdup(p->name);
    }
    h->part.choices = NULL;
    h->part.id = h->id;
    h->part.name = h->name;
    buf_init(&h->text, HELD_MAX);
    return h;
}

static void
part_free(struct held_part *h)
{
    buf_release(&h->text);
    free(h->id);
    free(h->name);
    free(h);
}

/* May it be joined, and cut? */
static bool
is_flowing(const struct part *p)
{
    return p->kind == PART_TEXT || p->kind == PART_REASONING ||
           p->kind == PART_ARGS;
}

static bool
takes(const struct held_part *h, const struct part *p)
{
    return h != NULL && h->part.kind == p->kind && h->part.index == p->index &&
           is_flowing(p);
}

bool
held_add(struct held *h, const struct part *p)
{
    size_t n = p->text != NULL ? p->len : 0;

    if (n + sizeof(*h->first) > HELD_MAX - h->bytes)
        return false;
    if (!takes(h->last, p)) {
        struct held_part *new = part_new(p);

        if (h->last != NULL)
            h->last->next = new;
        else
            h->first = new;
        h->last = new;
        h->bytes += sizeof(*new);
    }
    if (n > 0)
        buf_add(&h->last->text, p->text, n);
    h->bytes += n;
    return true;
}

static void
drop_first(struct held *h)
{
    struct held_part *first = h->first;

    h->bytes -= sizeof(*first) + first->text.len;
    h->first = first->next;
    if (h->first == NULL)
        h->last = NULL;
    part_free(first);
}

void
held_give(struct held *h, size_t max, part_fn *fn, void *arg)
{
    while (h->first != NULL && max > 0) {
        struct held_part *k = h->first;
        size_t left = k->text.len - k->given;
        size_t n = left < max || !is_flowing(&k->part) ? left : max;

        k->part.text = k->text.data != NULL ? k->text.data + k->given : "";
        k->part.len = n;
        fn(arg, &k->part);
        k->given += n;
        max -= n < max ? n : max;
        if (k->given == k->text.len)
            drop_first(h);
    }
}

void
held_clear(struct held *h)
{
    while (h->first != NULL)
        drop_first(h);
}

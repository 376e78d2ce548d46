/*
 * Kept answers. A part is a head and its text, one after the other in one
 * buffer: an answer of a thousand pieces of text is one head and the text, and
 * copying an answer is one memcpy.
 */
#include "base/base.h"

#include "chat/kept.h"

struct head {
    enum part_kind kind;
    int index;
    size_t len; /* bytes of text */
};

void
kept_init(struct kept *k)
{
    (void)memset(k, 0, sizeof(*k));
    buf_init(&k->bytes, KEPT_MAX);
}

void
kept_release(struct kept *k)
{
    buf_release(&k->bytes);
}

void
kept_clear(struct kept *k)
{
    buf_clear(&k->bytes);
    k->has_usage = k->has_text = k->unfit = false;
}

/* Is p more of the last part? */
static bool
goes_on(const struct kept *k, const struct part *p, struct head *last)
{
    if (k->bytes.len == 0 ||
        (p->kind != PART_TEXT && p->kind != PART_REASONING))
        return false;
    (void)memcpy(last, k->bytes.data + k->last, sizeof(*last));
    return last->kind == p->kind && last->index == p->index;
}

static void
add_part(struct kept *k, const struct part *p)
{
    struct head head;

    if (goes_on(k, p, &head)) {
        head.len += p->len;
        (void)memcpy(k->bytes.data + k->last, &head, sizeof(head));
    } else {
        (void)memset(&head, 0, sizeof(head)); /* its padding, too */
        head.kind = p->kind;
        head.index = p->index;
        head.len = p->len;
        k->last = k->bytes.len;
        buf_add(&k->bytes, &head, sizeof(head));
    }
    buf_add(&k->bytes, p->text, p->len);
    k->unfit = k->bytes.over;
}

void
kept_add(struct kept *k, const struct part *p)
{
    if (k->unfit)
        return;
    switch (p->kind) {
    case PART_FINISH:
    case PART_ERROR: return;
    case PART_CALL:
    case PART_ARGS: k->unfit = true; return;
    case PART_USAGE:
        k->usage = p->usage;
        k->has_usage = true;
        return;
    case PART_TEXT:
    case PART_REASONING:
        if (p->len == 0)
            return;
        k->has_text |= p->kind == PART_TEXT;
        add_part(k, p);
        return;
    default: add_part(k, p);
    }
}

void
kept_tell(const struct kept *k, part_fn *fn, void *arg)
{
    struct part usage = {.kind = PART_USAGE, .usage = k->usage};
    struct head head;

    assert(!k->unfit);
    for (size_t at = 0; at < k->bytes.len; at += sizeof(head) + head.len) {
        struct part p = {.kind = PART_TEXT};

        (void)memcpy(&head, k->bytes.data + at, sizeof(head));
        p.kind = head.kind;
        p.index = head.index;
        p.text = k->bytes.data + at + sizeof(head);
        p.len = head.len;
        fn(arg, &p);
    }
    if (k->has_usage)
        fn(arg, &usage);
}

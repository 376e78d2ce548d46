/*
 * Fuzzes base/json_items.c. The first byte says in which pieces the rest is
 * fed. Whatever the bytes:
 *   - the pieces make no difference;
 *   - what is told as an item is JSON, lies in the text where it is said to
 *     (escapes that were mended apart), and items come in order;
 *   - a text that is JSON is read to its end, and what is an array has as many
 *     items as a parser finds in it.
 */
#include "base/base.h"

#include "base/json.h"
#include "base/json_items.h"
#include "base/mem.h"

#define OUT_MAX (64 * 1024 * 1024) /* bytes */
#define ITEM_MAX 512               /* so that some are too long */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Always on, whatever NDEBUG says. */
#define MUST(x)      \
    do {             \
        if (!(x))    \
            abort(); \
    } while (0)

struct told {
    struct buf out;
    const char *text;
    size_t n;
    uint64_t end; /* of the item before */
    size_t items, broken;
};

static void
lies_in_the_text(const struct told *t, const struct json_item *it)
{
    size_t n = it->head ? it->n - 1 : it->n;

    MUST(it->at + n <= t->n);
    if (memchr(it->s, '\\', it->n) == NULL)
        MUST(memcmp(t->text + it->at, it->s, n) == 0);
}

static enum err
note(void *arg, const struct json_item *it)
{
    struct told *t = arg;
    cJSON *tree = NULL;

    MUST(it->at >= t->end);
    t->items += !it->head;
    if (it->rule != NULL) {
        MUST(it->s == NULL && it->broken_at >= it->at);
        t->broken++;
        buf_addf(&t->out, "!%s %d %d\n", it->rule, (int)it->at,
                 (int)it->broken_at);
        return OK;
    }
    MUST(it->n <= ITEM_MAX);
    MUST(json_parse_deep(it->s, it->n, &tree, NULL) == OK);
    cJSON_Delete(tree);
    lies_in_the_text(t, it);
    t->end = it->at + (it->head ? 1 : it->n);
    buf_addf(&t->out, "%d %d %u ", it->head, (int)it->at, it->list);
    buf_add(&t->out, it->s, it->n);
    buf_addc(&t->out, '\n');
    return OK;
}

static enum err
cut(struct told *t, const char *s, size_t n, size_t piece)
{
    struct json_items p;
    enum err e = OK;

    *t = (struct told){.text = s, .n = n};
    buf_init(&t->out, OUT_MAX);
    json_items_init(&p, "s", ITEM_MAX);
    for (size_t at = 0; at < n && e == OK; at += piece) {
        size_t k = n - at < piece ? n - at : piece;
        char *copy = xmalloc(k);

        memcpy(copy, s + at, k);
        e = json_items_feed(&p, copy, k, note, t);
        free(copy);
    }
    if (e == OK)
        e = json_items_end(&p, note, t);
    MUST(e == OK || e == ERR_BADREQ);
    if (e != OK) {
        MUST(p.rule != NULL && p.broken_at <= n);
        buf_addf(&t->out, "stop %s %d\n", p.rule, (int)p.broken_at);
    }
    json_items_release(&p);
    return e;
}

/* The text is one value. */
static void
same_as_the_parser(const struct told *t, enum err e, const cJSON *tree)
{
    if (!cJSON_IsArray(tree) && !cJSON_IsObject(tree))
        return;
    MUST(e == OK);
    if (cJSON_IsArray(tree))
        MUST(t->items == (size_t)cJSON_GetArraySize(tree));
    else if (json_arr(tree, "s") == NULL)
        MUST(t->items == 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct told whole, pieces;
    const char *s = (const char *)data + 1;
    cJSON *tree = NULL;
    enum err e;

    if (n < 2)
        return 0;
    n--;
    e = cut(&whole, s, n, n);
    MUST(cut(&pieces, s, n, (size_t)data[0] % 16 + 1) == e);
    MUST(whole.out.len == pieces.out.len);
    if (whole.out.len > 0)
        MUST(memcmp(whole.out.data, pieces.out.data, whole.out.len) == 0);
    if (json_parse(s, n, &tree, NULL) == OK)
        same_as_the_parser(&whole, e, tree);
    cJSON_Delete(tree);
    buf_release(&whole.out);
    buf_release(&pieces.out);
    return 0;
}

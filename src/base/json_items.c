/*
 * A JSON text, cut into items as it arrives.
 *
 * Two questions are kept apart. Where does an item end? For that it is enough
 * to follow strings and brackets, byte by byte, and that is all that is done
 * while bytes arrive. Is it JSON? That is asked of each item when it is whole,
 * and answered by json_scan.c, which has the rules already. So a rule that is
 * broken inside of one item costs that item and no other.
 *
 * A file of lines is recognised by its first text, which has no line end
 * inside and one behind. From there on a line end ends whatever is open: a
 * line that was cut off does not swallow those that follow. A first line that
 * is broken is taken for one of many if the next line begins a text.
 */
#include "base/base.h"

#include "base/json_items.h"

#include "base/json.h"
#include "base/json_items_value.h"
#include "base/json_scan.h"

#define KEEP (256 * 1024) /* bytes of buffer kept between items */

static const char byte_order_mark[] = "\xEF\xBB\xBF";
static const char too_early[] = "ends too early";
static const char unexpected[] = "unexpected character";
const char json_items_too_long[] = "longer than an item may be";

void
json_items_init(struct json_items *p, const char *member, size_t item_max)
{
    (void)memset(p, 0, sizeof(*p));
    buf_init(&p->item, item_max);
    p->member = member;
}

void
json_items_release(struct json_items *p)
{
    buf_release(&p->item);
}

/* --- telling -------------------------------------------------------------- */

static enum err
tell_broken(struct json_items *p, bool head, const char *rule, uint64_t at,
            json_items_fn *fn, void *arg)
{
    struct json_item it = {.at = p->item_at,
                           .list = p->in_list ? p->lists : 0,
                           .head = head,
                           .rule = rule,
                           .broken_at = at};

    return fn(arg, &it);
}

static void
forget_item(struct json_items *p)
{
    buf_clear(&p->item);
    buf_trim(&p->item, KEEP);
}

/* The item is whole. */
static enum err
tell_item(struct json_items *p, json_items_fn *fn, void *arg, bool head)
{
    struct json_item it = {.s = p->item.data,
                           .n = p->item.len,
                           .at = p->item_at,
                           .list = p->in_list ? p->lists : 0,
                           .head = head};
    struct json_fault b;
    enum err e;

    if (buf_status(&p->item) != OK) {
        e = tell_broken(p, head, json_items_too_long, p->item_at, fn, arg);
    } else {
        json_mend(p->item.data, p->item.len);
        if (json_scan_deep(it.s, it.n, JSON_DEEP_MAX, &b) != OK)
            e = tell_broken(p, head, b.rule, p->item_at + b.at, fn, arg);
        else
            e = fn(arg, &it);
    }
    forget_item(p);
    return e;
}

static enum err
stop(struct json_items *p, const char *rule, uint64_t at)
{
    p->state = JSON_ITEMS_STOPPED;
    p->rule = rule;
    p->broken_at = at;
    return ERR_BADREQ;
}

/* The structure is broken at p->at. Can it be read on behind the line? */
static enum err
fail(struct json_items *p, const char *rule, json_items_fn *fn, void *arg)
{
    enum err e = OK;

    if (!p->lines && (p->any || p->lf))
        return stop(p, rule, p->at);
    if (p->state != JSON_ITEMS_VALUE)
        p->item_at = p->at;
    p->told = p->lines;
    if (p->told) {
        e = tell_broken(p, false, rule, p->at, fn, arg);
    } else {
        p->rule = rule;
        p->broken_at = p->at;
    }
    forget_item(p);
    p->any = true;
    p->in_list = p->in_object = p->in_string = false;
    p->state = JSON_ITEMS_SKIP;
    return e;
}

/* --- values --------------------------------------------------------------- */

static enum err
begin_member(struct json_items *p, json_items_fn *fn, void *arg)
{
    p->state = JSON_ITEMS_FIRST;
    p->in_list = p->in_object = true;
    p->lists++;
    if (!p->keep)
        return OK;
    json_items_cut_head(p);
    return tell_item(p, fn, arg, true);
}

static void
end_text(struct json_items *p)
{
    p->state = JSON_ITEMS_TOP;
    p->any = true;
}

static enum err
end_value(struct json_items *p, json_items_fn *fn, void *arg)
{
    enum err e = OK;

    if (p->keep)
        e = tell_item(p, fn, arg, false);
    if (p->in_list)
        p->state = JSON_ITEMS_AFTER;
    else
        end_text(p);
    return e;
}

static enum err
feed_value(struct json_items *p, const char *s, size_t n, size_t *used,
           json_items_fn *fn, void *arg)
{
    enum json_items_event event;

    *used = json_items_value_run(p, s, n, &event);
    p->at += *used;
    switch (event) {
    case JSON_ITEMS_EVENT_NONE: return OK;
    case JSON_ITEMS_EVENT_DONE: return end_value(p, fn, arg);
    case JSON_ITEMS_EVENT_MEMBER: return begin_member(p, fn, arg);
    case JSON_ITEMS_EVENT_WRONG: return fail(p, unexpected, fn, arg);
    case JSON_ITEMS_EVENT_LINE: break;
    }
    return fail(p, p->in_string ? "control character in a string" : too_early,
                fn, arg);
}

/* --- between values ------------------------------------------------------- */

/* Behind the member's array the rest of its object is followed, not kept. */
static void
end_list(struct json_items *p)
{
    p->in_list = false;
    if (!p->in_object) {
        end_text(p);
        return;
    }
    p->in_object = false;
    json_items_begin_value(p);
    p->keep = false;
    p->depth = 1;
    p->objects[0] = 1;
}

static enum err
feed_top(struct json_items *p, char c, json_items_fn *fn, void *arg)
{
    p->item_at = p->at;
    if (c != '{' && c != '[')
        return fail(p, "expected an object or an array", fn, arg);
    p->lf = false;
    if (c == '[') {
        p->state = JSON_ITEMS_FIRST;
        p->in_list = true;
        p->lists++;
        p->at++;
        return OK;
    }
    json_items_begin_value(p);
    return OK;
}

/* A byte that is no white space, in a list but not in an item. */
static enum err
feed_list(struct json_items *p, char c, json_items_fn *fn, void *arg)
{
    bool after = p->state == JSON_ITEMS_AFTER;

    if (c == ']' && p->state != JSON_ITEMS_NEXT) {
        p->at++;
        end_list(p);
        return OK;
    }
    if (after && c == ',') {
        p->state = JSON_ITEMS_NEXT;
        p->at++;
        return OK;
    }
    if (after)
        return fail(p, "expected a comma or an end", fn, arg);
    if (strchr(",:]}", c) != NULL)
        return fail(p, c == '\0' ? "control character" : unexpected, fn, arg);
    json_items_begin_value(p);
    if (c != '{' && c != '[' && c != '"')
        p->state = JSON_ITEMS_WORD;
    return OK;
}

/* Between texts, behind a line end that is not within one. */
static void
line_end_at_top(struct json_items *p)
{
    if (p->any && !p->decided) {
        p->decided = true;
        p->lines = !p->lf;
    }
}

/* A byte between items, or the first one of an item: then it is not used. */
static enum err
feed_between(struct json_items *p, char c, json_items_fn *fn, void *arg)
{
    if (c == '\n') {
        if (p->state == JSON_ITEMS_TOP)
            line_end_at_top(p);
        else if (p->lines)
            return fail(p, too_early, fn, arg);
        p->lf = true;
    }
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
        p->at++;
        return OK;
    }
    if (p->state == JSON_ITEMS_TOP)
        return feed_top(p, c, fn, arg);
    return feed_list(p, c, fn, arg);
}

static enum err
feed_word(struct json_items *p, const char *s, size_t n, size_t *used,
          json_items_fn *fn, void *arg)
{
    size_t i = 0;

    while (i < n && strchr(" \t\r\n,:[]{}\"", s[i]) == NULL)
        i++;
    buf_add(&p->item, s, i);
    p->at += i;
    *used = i;
    return i < n ? end_value(p, fn, arg) : OK;
}

/* --- broken lines --------------------------------------------------------- */

static void
feed_skip(struct json_items *p, const char *s, size_t n, size_t *used)
{
    const char *lf = memchr(s, '\n', n);

    *used = lf == NULL ? n : (size_t)(lf - s) + 1;
    p->at += *used;
    if (lf != NULL)
        p->state = p->told ? JSON_ITEMS_TOP : JSON_ITEMS_LINE;
}

/* Behind a first line that is broken: is there another? */
static enum err
feed_line(struct json_items *p, char c, json_items_fn *fn, void *arg)
{
    const char *rule = p->rule;

    if (c == '\r' || c == '\n') {
        p->at++;
        return OK;
    }
    if (c != '{' && c != '[')
        return stop(p, p->rule, p->broken_at);
    p->rule = NULL;
    p->decided = p->lines = true;
    p->state = JSON_ITEMS_TOP;
    return tell_broken(p, false, rule, p->broken_at, fn, arg);
}

static enum err
feed_begin(struct json_items *p, char c)
{
    if (c == byte_order_mark[p->at]) {
        p->at++;
        if (p->at == sizeof(byte_order_mark) - 1)
            p->state = JSON_ITEMS_TOP;
        return OK;
    }
    if (p->at > 0)
        return stop(p, unexpected, 0);
    p->state = JSON_ITEMS_TOP;
    return OK;
}

/* --- feeding -------------------------------------------------------------- */

static enum err
feed_some(struct json_items *p, const char *s, size_t n, size_t *used,
          json_items_fn *fn, void *arg)
{
    uint64_t at = p->at;
    enum err e;

    switch (p->state) {
    case JSON_ITEMS_VALUE: return feed_value(p, s, n, used, fn, arg);
    case JSON_ITEMS_WORD: return feed_word(p, s, n, used, fn, arg);
    case JSON_ITEMS_SKIP: feed_skip(p, s, n, used); return OK;
    case JSON_ITEMS_LINE: e = feed_line(p, *s, fn, arg); break;
    case JSON_ITEMS_BEGIN: e = feed_begin(p, *s); break;
    case JSON_ITEMS_TOP:
    case JSON_ITEMS_FIRST:
    case JSON_ITEMS_NEXT:
    case JSON_ITEMS_AFTER: e = feed_between(p, *s, fn, arg); break;
    case JSON_ITEMS_STOPPED:
    default: return ERR_BADREQ;
    }
    *used = (size_t)(p->at - at);
    return e;
}

enum err
json_items_feed(struct json_items *p, const char *s, size_t n,
                json_items_fn *fn, void *arg)
{
    enum err e = OK;

    while (n > 0 && e == OK) {
        size_t used = 0;

        e = feed_some(p, s, n, &used, fn, arg);
        s += used;
        n -= used;
    }
    return e;
}

enum err
json_items_end(struct json_items *p, json_items_fn *fn, void *arg)
{
    switch (p->state) {
    case JSON_ITEMS_STOPPED: return ERR_BADREQ;
    case JSON_ITEMS_BEGIN: return stop(p, "empty", p->at);
    case JSON_ITEMS_TOP: return p->any ? OK : stop(p, "empty", p->at);
    case JSON_ITEMS_SKIP:
    case JSON_ITEMS_LINE: return p->told ? OK : stop(p, p->rule, p->broken_at);
    default: break;
    }
    if (!p->lines)
        return stop(p, too_early, p->at);
    return fail(p, too_early, fn, arg);
}

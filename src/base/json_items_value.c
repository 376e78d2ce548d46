/*
 * Where a value ends: its strings and brackets are followed, and nothing else
 * is asked of it. In the object at the top the names are compared with the
 * member's on the way, byte by byte, since the end of a name may be in the
 * next piece of the text. Pure.
 */
#include "base/base.h"

#include "base/json_items_value.h"

#include "base/json.h"

void
json_items_begin_value(struct json_items *p)
{
    p->state = JSON_ITEMS_VALUE;
    p->item_at = p->at;
    p->keep = true;
    p->depth = 0;
    p->in_string = p->escaped = false;
    p->want_name = p->in_name = p->name_hit = p->member_next = false;
}

static void
open_bracket(struct json_items *p, bool object)
{
    uint64_t bit = UINT64_C(1) << p->depth % 64;

    if (p->depth < JSON_DEEP_MAX) {
        uint64_t *word = &p->objects[p->depth / 64];

        *word = object ? *word | bit : *word & ~bit;
    }
    /* The names of the outermost object are read for the member's. */
    p->want_name = p->depth == 0 && object && !p->in_list && p->member;
    p->depth++;
}

/* False: it does not belong to the one that is open. Deeper than
 * JSON_DEEP_MAX the item is broken anyway, and they are only counted. */
static bool
close_bracket(struct json_items *p, bool object)
{
    uint64_t bit;

    p->depth--;
    if (p->depth >= JSON_DEEP_MAX)
        return true;
    bit = UINT64_C(1) << p->depth % 64;
    return ((p->objects[p->depth / 64] & bit) != 0) == object;
}

static void
name_char(struct json_items *p, char c)
{
    if (p->name_hit && c != '\0' && p->member[p->name_chars] == c)
        p->name_chars++;
    else
        p->name_hit = false;
}

/* In a string; *i is moved over what is understood. */
static enum json_items_event
string_run(struct json_items *p, const char *s, size_t n, size_t *i)
{
    for (; *i < n; (*i)++) {
        char c = s[*i];

        if (c == '\n') {
            p->lf = true;
            if (p->lines)
                return JSON_ITEMS_EVENT_LINE;
        }
        if (p->escaped) {
            p->escaped = false;
        } else if (c == '\\') {
            p->escaped = true;
            p->name_hit = false; /* names are looked for as they are spelt */
        } else if (c == '"') {
            p->in_string = false;
            p->name_hit = p->in_name && p->name_hit &&
                          p->member[p->name_chars] == '\0';
            p->in_name = false;
            (*i)++;
            return p->depth == 0 ? JSON_ITEMS_EVENT_DONE
                                 : JSON_ITEMS_EVENT_NONE;
        } else if (p->in_name) {
            name_char(p, c);
        }
    }
    return JSON_ITEMS_EVENT_NONE;
}

static void
begin_string(struct json_items *p, size_t i)
{
    p->in_string = true;
    p->in_name = p->want_name;
    p->name_hit = p->in_name;
    p->want_name = false;
    p->name_chars = 0;
    if (p->in_name)
        p->name_at = p->item.len + i;
}

/* One byte outside of strings; i is its place. */
static enum json_items_event
outside(struct json_items *p, char c, size_t i)
{
    bool next = p->member_next;

    if (c == ' ' || c == '\t' || c == '\r')
        return JSON_ITEMS_EVENT_NONE;
    if (c == '\n') {
        p->lf = true;
        return p->lines ? JSON_ITEMS_EVENT_LINE : JSON_ITEMS_EVENT_NONE;
    }
    p->member_next = false;
    switch (c) {
    case '"': begin_string(p, i); break;
    case '[':
        if (next)
            return JSON_ITEMS_EVENT_MEMBER;
        /* fallthrough */
    case '{': open_bracket(p, c == '{'); break;
    case ']':
    case '}':
        if (!close_bracket(p, c == '}'))
            return JSON_ITEMS_EVENT_WRONG;
        return p->depth == 0 ? JSON_ITEMS_EVENT_DONE : JSON_ITEMS_EVENT_NONE;
    case ':':
        p->member_next = p->depth == 1 && p->name_hit;
        p->name_hit = false;
        break;
    case ',':
        p->want_name = p->depth == 1 && (p->objects[0] & 1) != 0 &&
                       !p->in_list && p->member != NULL;
        break;
    default: break;
    }
    return JSON_ITEMS_EVENT_NONE;
}

size_t
json_items_value_run(struct json_items *p, const char *s, size_t n,
                     enum json_items_event *event)
{
    size_t i = 0;

    *event = JSON_ITEMS_EVENT_NONE;
    while (i < n && *event == JSON_ITEMS_EVENT_NONE) {
        if (p->in_string) {
            *event = string_run(p, s, n, &i);
            continue;
        }
        *event = outside(p, s[i], i);
        if (*event != JSON_ITEMS_EVENT_WRONG && *event != JSON_ITEMS_EVENT_LINE)
            i++;
    }
    if (p->keep)
        buf_add(&p->item, s, i);
    return i;
}

void
json_items_cut_head(struct json_items *p)
{
    struct buf *b = &p->item;

    if (buf_status(b) != OK)
        return;
    b->len = p->name_at;
    while (b->len > 1 && strchr(" \t\r\n", b->data[b->len - 1]) != NULL)
        b->len--;
    if (b->len > 1 && b->data[b->len - 1] == ',')
        b->len--;
    buf_addc(b, '}');
}

/*
 * Cuts a JSON text into its items while it arrives, so that a file of any
 * size is read with the memory of its longest item. Pushed, resumable at
 * every byte, bounded. Any thread, one at a time; pure.
 *
 * The items of a text are, as it turns out while reading:
 *   - [a, b, …]                 what is in the array;
 *   - {…, "member": [a, b, …]}  what is in that array, if the member is named
 *                               at init; what stands before it is the head;
 *   - {…}                       the object itself;
 *   - several of these behind one another, as in files of one JSON text a
 *     line (JSONL).
 *
 * Each item obeys the rules of base/json.h, but may be JSON_DEEP_MAX deep, and
 * two escapes are read as U+FFFD (json_mend). One that does not, or is too
 * long, is told as broken, and the next one follows; in a file of lines the
 * next line does. Only where it cannot be told any more where an item ends,
 * reading stops.
 */
#ifndef BASE_JSON_ITEMS_H
#define BASE_JSON_ITEMS_H

#include "base/buf.h"
#include "base/json.h"

struct json_item {
    const char *s; /* JSON text, valid during the call; NULL: it is broken */
    size_t n;
    uint64_t at;        /* offset of its first byte */
    uint32_t list;      /* counts the arrays; 0: it stands alone */
    bool head;          /* the members before that array, as an object */
    const char *rule;   /* static: which rule it breaks; NULL: none */
    uint64_t broken_at; /* offset; only with rule */
};
/* The rule of an item that has more bytes than item_max. */
extern const char json_items_too_long[];
/* Non-zero stops. */
typedef enum err json_items_fn(void *arg, const struct json_item *it);

/* Private to json_items.c, as is all of the struct but rule and broken_at. */
enum json_items_state {
    JSON_ITEMS_BEGIN, /* perhaps in a byte order mark */
    JSON_ITEMS_TOP,   /* before a text */
    JSON_ITEMS_FIRST, /* in an array, before its first item or its end */
    JSON_ITEMS_NEXT,  /* behind a comma */
    JSON_ITEMS_AFTER, /* behind an item */
    JSON_ITEMS_VALUE, /* in an item that says itself where it ends */
    JSON_ITEMS_WORD,  /* in a number, true, false, null */
    JSON_ITEMS_SKIP,  /* on to the end of a broken line */
    JSON_ITEMS_LINE,  /* behind it, if that is what it was */
    JSON_ITEMS_STOPPED
};

struct json_items {
    const char *rule;   /* why reading stopped; NULL: it did not */
    uint64_t broken_at; /* offset */

    enum json_items_state state;
    struct buf item;    /* so far */
    const char *member; /* constant; NULL: none */
    uint64_t at;        /* offset of the next byte */
    uint64_t item_at;   /* offset of the item */
    uint32_t lists;     /* arrays begun */
    bool in_list;
    bool in_object; /* the list is a member's */
    bool keep;      /* the value's bytes are kept */
    bool any;       /* a text has ended, or a line was broken */
    bool lf;        /* the text has line ends inside */
    bool decided;   /* the first text has ended */
    bool lines;     /* each line is a text */
    bool told;      /* the fault of the broken line was told */

    size_t depth; /* open brackets of the value */
    /* bit i: bracket i is a brace */
    uint64_t objects[JSON_DEEP_MAX / 64];
    bool in_string;    /* in a string, */
    bool escaped;      /* behind a backslash */
    bool want_name;    /* the next string is a name of the outermost object */
    bool in_name;      /* it is this one */
    bool name_hit;     /* which is, or may still become, the member's */
    bool member_next;  /* its value is the next */
    size_t name_chars; /* of the name, so far */
    size_t name_at;    /* where it begins in item */
};

/* member is borrowed; NULL: only the array or object at the top. item_max:
 * bytes of one item. */
void json_items_init(struct json_items *p, const char *member, size_t item_max);
void json_items_release(struct json_items *p);
/* OK; ERR_BADREQ: it cannot be read on, rule and broken_at say why; or what fn
 * returned. Nothing may be fed after an error. */
MUST_USE enum err json_items_feed(struct json_items *p, const char *s, size_t n,
                                  json_items_fn *fn, void *arg);
/* The bytes ended. ERR_BADREQ also when they ended too early. */
MUST_USE enum err json_items_end(struct json_items *p, json_items_fn *fn,
                                 void *arg);

#endif

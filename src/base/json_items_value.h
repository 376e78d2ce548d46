/*
 * Within one value of a JSON text that is cut into items. Private to
 * base/json_items*.c.
 */
#ifndef BASE_JSON_ITEMS_VALUE_H
#define BASE_JSON_ITEMS_VALUE_H

#include "base/json_items.h"

enum json_items_event {
    JSON_ITEMS_EVENT_NONE,   /* the bytes are used up */
    JSON_ITEMS_EVENT_DONE,   /* the value has ended */
    JSON_ITEMS_EVENT_MEMBER, /* the member's array begins */
    JSON_ITEMS_EVENT_WRONG,  /* a bracket of the wrong kind */
    JSON_ITEMS_EVENT_LINE    /* the line ends, the value does not */
};

/* At p->at; its bytes will be kept. */
void json_items_begin_value(struct json_items *p);
/* Go on in it. Returns how many bytes belong to it; they are in p->item if
 * they are kept. */
size_t json_items_value_run(struct json_items *p, const char *s, size_t n,
                            enum json_items_event *event);
/* p->item ends with the member's name and the begin of its array: make an
 * object of what stands before. */
void json_items_cut_head(struct json_items *p);

#endif

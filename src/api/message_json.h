/*
 * A message as JSON, with its place in the tree of messages where its session
 * has branches. Acceptors and workers.
 */
#ifndef API_MESSAGE_JSON_H
#define API_MESSAGE_JSON_H

#include "base/json.h"
#include "store/store.h"

/* Which message each of a session follows. */
struct message_tree {
    struct message_node *nodes; /* by seq; NULL: there are no branches */
    uint32_t n;
};

/* Read it: a pass over the heads of all messages, where there are branches. */
void message_tree_load(struct message_tree *t, struct store *store,
                       const char *owner, const struct session *s);
void message_tree_release(struct message_tree *t); /* may be loaded again */

/* One object. */
void message_put(struct json_out *j, const struct message *m,
                 const struct message_tree *t);

#endif

/*
 * A model that makes vectors, by the name under which the index of files keeps
 * them: "provider/model". Plain data; any thread.
 */
#ifndef CHAT_VECTOR_MODEL_H
#define CHAT_VECTOR_MODEL_H

#include "provider/provider.h"

#define VECTOR_MODEL_NAME_MAX 200 /* bytes of a name */

struct vector_model {
    char name[VECTOR_MODEL_NAME_MAX + 1];
    struct route_choice route; /* but for its model, which is in the name */
};

/* That of EMBED_MODEL. False: there is none, or it cannot be asked, which is
 * told at start. */
bool vector_model_wanted(struct vector_model *out);
/* One that the index has vectors of. False: nobody can be asked for it. */
bool vector_model_named(const char *name, struct vector_model *out);
/* Whom to ask. Its model is borrowed from m. */
struct route_choice vector_model_route(const struct vector_model *m);

#endif

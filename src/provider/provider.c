/*
 * The names that all providers share: roles as they are stored and sent, and
 * the reasons why an answer ended as clients are told.
 */
#include "base/base.h"

#include "provider/provider.h"

static const char *const role_names[ROLE__MAX] = {
    [ROLE_SYSTEM] = "system",
    [ROLE_USER] = "user",
    [ROLE_ASSISTANT] = "assistant",
    [ROLE_TOOL] = "tool",
};

static const char *const finish_names[FINISH__MAX] = {
    [FINISH_NONE] = "",
    [FINISH_STOP] = "stop",
    [FINISH_LENGTH] = "length",
    [FINISH_TOOL_CALLS] = "tool_calls",
    [FINISH_FILTER] = "content_filter",
    [FINISH_CANCELLED] = "cancelled",
    [FINISH_INCOMPLETE] = "incomplete",
    [FINISH_INTERRUPTED] = "interrupted",
    [FINISH_ERROR] = "error",
};

const char *
role_name(enum role r)
{
    assert((unsigned)r < ROLE__MAX);
    return role_names[r];
}

enum err
role_parse(const char *s, enum role *out)
{
    int r;

    for (r = 0; s != NULL && r < ROLE__MAX; r++) {
        if (strcmp(s, role_names[r]) == 0) {
            *out = (enum role)r;
            return OK;
        }
    }
    return ERR_BADREQ;
}

const char *
finish_name(enum finish f)
{
    assert((unsigned)f < FINISH__MAX);
    return finish_names[f];
}

void
embeddings_release(struct embeddings *e)
{
    free(e->values);
    memset(e, 0, sizeof(*e));
    e->tokens = -1;
}

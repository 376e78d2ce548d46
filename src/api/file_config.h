/*
 * How an owner wants files to be looked into: GET and POST /api/config. Kept in
 * the store; what was never set is as the settings have it. Acceptors, workers.
 */
#ifndef API_FILE_CONFIG_H
#define API_FILE_CONFIG_H

#include "api/app.h"
#include "store/store.h"

#define FILE_CONFIG_PROMPT_MAX 2000 /* bytes of the system prompt */
#define FILE_CONFIG_ROUNDS_MAX 50

struct file_config {
    int64_t top_k;       /* excerpts, 1 to FILES_TOP_K_MAX */
    double recency_bias; /* 0 to 1: how much newer files are preferred */
    int64_t chat_rounds; /* questions and answers of the history that count */
    const char *system_prompt; /* own, or of the settings */
    char own[FILE_CONFIG_PROMPT_MAX + 1];
};

/* What the owner wants. out points into itself: it is not to be copied. */
void file_config_load(struct store *s, const char *owner,
                      struct file_config *out);

#endif

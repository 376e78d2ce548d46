/*
 * The content blocks of one reply, for anthropic_event.c: what begins, goes on
 * and ends, told as parts. Pure.
 */
#ifndef PROVIDER_ANTHROPIC_BLOCK_H
#define PROVIDER_ANTHROPIC_BLOCK_H

#include <cjson/cJSON.h>

#include "provider/provider.h"

#define ANTHROPIC_OPEN_MAX 4 /* blocks under way at once; the wire has one */

enum anthropic_block_kind {
    BLOCK_NONE, /* not begun, or ended */
    BLOCK_TEXT,
    BLOCK_THINKING,
    BLOCK_CALL,
    BLOCK_OTHER /* of no interest */
};

struct anthropic_block {
    enum anthropic_block_kind kind;
    int64_t index;
    int call;   /* CALL: its number */
    bool spoke; /* THINKING: text was told */
    char *held; /* owned; THINKING: the signature, CALL: the arguments that
                 came first; NULL: none */
};

struct anthropic_blocks {
    struct anthropic_block open[ANTHROPIC_OPEN_MAX];
    size_t next; /* where the next one goes */
    int calls;   /* begun so far */
    part_fn *fn; /* both are the caller's to set before each call below */
    void *arg;
};

void anthropic_blocks_init(struct anthropic_blocks *bs);
void anthropic_blocks_release(struct anthropic_blocks *bs);
/* One part of text; nothing for NULL and "". */
void anthropic_tell(struct anthropic_blocks *bs, enum part_kind kind, int index,
                    const char *text);
/* content: the block as it begins; a block of that index that was not ended
 * ends. */
void anthropic_block_start(struct anthropic_blocks *bs, int64_t index,
                           const cJSON *content);
void anthropic_block_delta(struct anthropic_blocks *bs, int64_t index,
                           const cJSON *delta);
void anthropic_block_stop(struct anthropic_blocks *bs, int64_t index);
/* All that are open. */
void anthropic_blocks_stop(struct anthropic_blocks *bs);

#endif

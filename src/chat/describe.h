/*
 * Having a model describe an image of the index: what it is asked, what that
 * takes, and what its answer says. Pure; who asks is cli/describe.c.
 */
#ifndef CHAT_DESCRIBE_H
#define CHAT_DESCRIBE_H

#include "files/described.h"
#include "provider/provider.h"

#define DESCRIBE_ANSWER_MAX 4096      /* tokens that an answer may have */
#define DESCRIBE_ANSWER_USUAL 150     /* and has as a rule */
#define DESCRIBE_TEXT_MAX (64 * 1024) /* bytes of it that are looked at */
#define DESCRIBE_TAGS_MAX 20          /* of one image */

/* One question. Its ask points into it, and borrows what it was made of. */
struct describe_ask {
    struct ask ask;
    struct ask_message message;
    struct piece pieces[2];
};

/* Ask model about an image; prompt is the instruction, data base64. */
void describe_ask(struct describe_ask *a, const char *model, const char *prompt,
                  const char *media_type, const char *data, size_t n);

/* What it is estimated to take: an image of this size, with the prompt. A size
 * that is not known is taken for a large one. */
int64_t describe_tokens(const char *prompt, uint32_t width, uint32_t height);

/* An answer into description and tags of out: a JSON object with these members,
 * whatever is around it. A text without any braces is a description. False: it
 * says neither. */
bool describe_read(const char *text, size_t n, struct described *out);

#endif

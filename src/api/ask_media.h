/*
 * What comes with a message: images, and the wishes for what this server does
 * not do, which are noted in the answer. Acceptor thread.
 */
#ifndef API_ASK_MEDIA_H
#define API_ASK_MEDIA_H

#include "base/json.h"
#include "chat/prompt.h"

#define ASK_IMAGES_MAX 8                /* in one message */
#define ASK_IMAGE_MAX (8 * 1024 * 1024) /* bytes of base64 */

/* Read "attachments", "image_name", "files" and "tools" of the request's
 * object into a, whose text is set. Copies. ERR_BADREQ, ERR_TOOBIG,
 * ERR_IMPOSSIBLE with why. */
MUST_USE enum err ask_media(struct turn_ask *a, const cJSON *o,
                            struct problem *why);

#endif

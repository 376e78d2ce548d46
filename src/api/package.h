/*
 * The context of a message, for whoever asks a model with it: system text,
 * excerpts of files, an image. Made here because here it is decided what may
 * leave: for a model elsewhere, what is local-only is not in it.
 */
#ifndef API_PACKAGE_H
#define API_PACKAGE_H

#include "api/app.h"
#include "api/file_config.h"
#include "auth/identity.h"
#include "chat/sight.h"
#include "dialect/ws.h"
#include "files/files.h"

#define PACKAGE_TEXT_MAX (64 * 1024)     /* bytes of all excerpts */
#define PACKAGE_IMAGE_MAX SIGHT_FILE_MAX /* bytes of an image's file */

struct package {
    struct ws_context c; /* borrows from all below, and from the request */
    struct arena arena;
    struct file_config config;
    struct files_found found;
    bool has_found;
    struct buf rag, base64;
    struct ws_image image;
};

/* Make it of a request's object that passed ws_context_check. viewer: as
 * files_viewer says; who: asks, and whose configuration it is. leaves: it goes
 * to a model elsewhere. ERR_NOTFOUND: there is no such image; ERR_IMPOSSIBLE:
 * there is no index. package_release also after an error. Acceptor or worker.
 */
MUST_USE enum err package_make(struct package *p, struct app *app,
                               const char *viewer, const struct identity *who,
                               const cJSON *ask, bool leaves,
                               struct problem *why);
/* What it makes is more than a client is sent: ERR_TOOBIG. */
MUST_USE enum err package_too_big(struct problem *why);
void package_release(struct package *p);

#endif

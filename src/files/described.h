/*
 * What a model said of an image: kept in the index apart from what the image
 * and its sidecar say, for the bytes that the model was shown. So it stays when
 * the file is read again and is the same, and goes when it is another, or when
 * a person describes it. Any thread; blocks on the disk.
 */
#ifndef FILES_DESCRIBED_H
#define FILES_DESCRIBED_H

#include "files/files.h"
#include "files/ingest.h"

struct described {
    uint8_t hash[32];             /* of the image */
    char model[FACTS_BY_MAX + 1]; /* "openai/gpt-4o" */
    char description[FACTS_DESCRIPTION_MAX + 1];
    char tags[FACTS_TAGS_MAX + 1]; /* a line feed between two */
};

/* What is kept for a document. ERR_NOTFOUND; what is not from a model but from
 * a sidecar that names one has no description. */
MUST_USE enum err files_described(struct files *f, int64_t document,
                                  struct described *out);
/* Put these words into the index, as the document's, in place of what a model
 * said before: found when this returns. ERR_NOTFOUND: it is gone, or no image;
 * ERR_CONFLICT: it has changed, or has the description of a person by now. */
MUST_USE enum err files_describe(struct files *f, int64_t document,
                                 const struct described *d);
/* Forget what is kept. */
MUST_USE enum err files_undescribe(struct files *f, int64_t document);
/* Into the facts of an image that has no description of its own and these
 * bytes, what is kept for it, if anything is. */
void described_use(struct files *f, int64_t document, const uint8_t hash[32],
                   struct facts *facts);

/* --- files/sidecar_write.c ------------------------------------------------ */

/* Write the words beside the image at `path` below in->root, as NAME.json, or
 * over the sidecar that says it is of a model. written has the name. It comes
 * whole or not at all. ERR_CONFLICT: there is one that somebody else wrote;
 * ERR_TOOBIG: the name is too long; ERR_STORE: errno says why. */
MUST_USE enum err sidecar_write(const struct ingest *in, const char *path,
                                const struct described *d,
                                char written[INGEST_PATH_BYTES]);

#endif

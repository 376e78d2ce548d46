/*
 * The files in which this API is described. Their routes are api_docs,
 * api_openapi_yaml and api_openapi_json (api/app.h).
 */
#ifndef API_DOCS_H
#define API_DOCS_H

#include "api/app.h"

#define DOCS_MAX (4 * 1024 * 1024) /* bytes of one */

enum doc_name {
    DOC_PAGE, /* static/docs.html */
    DOC_YAML, /* docs/openapi.yaml */
    DOC_JSON  /* static/vendor/openapi.json, made of it at build */
};

/* Add the text of one, below the project's folder, to out, which is born with
 * DOCS_MAX. ERR_NOTFOUND (the log says which file); ERR_INTERNAL: it cannot be
 * read, or is too long. Blocks on the disk; any thread. */
MUST_USE enum err docs_read(const char *root, enum doc_name name,
                            struct buf *out);

#endif

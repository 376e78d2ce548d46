/*
 * The message by which chat.cgi hands its request to a running engine. Over a
 * unix stream socket:
 *
 *   "PCG1"                      4 bytes, magic and version
 *   length of the variables     4 bytes, little-endian
 *   length of the body          4 bytes, little-endian; or one of those below
 *   variables                   "NAME=value", each with its NUL
 *   body
 *
 * The first byte carries one descriptor (SCM_RIGHTS): the CGI's stdout. With
 * HANDOVER_FILE it carries a second one, a file that is the body. The engine
 * answers HANDOVER_ACK, one byte, once it has all of it; from then on the
 * request is the engine's. Pure: bytes only.
 */
#ifndef HTTP_HANDOVER_H
#define HTTP_HANDOVER_H

#include "base/buf.h"
#include "http/request.h"

#define HANDOVER_HEAD_LEN 12 /* bytes */
#define HANDOVER_ACK 'k'
/* The body is longer than the sender allows and was not read. */
#define HANDOVER_NO_BODY UINT32_MAX
/* The body is the file of the second descriptor, from its start to its end. */
#define HANDOVER_FILE (UINT32_MAX - 1)

struct handover {
    uint32_t vars_len; /* bytes */
    uint32_t body_len; /* bytes, or one of the two above */
};

void handover_head(uint8_t out[HANDOVER_HEAD_LEN], const struct handover *h);
/* ERR_BADREQ: not our magic. ERR_TOOBIG: more variables than any CGI may
 * have. The body's length is the caller's to check. */
MUST_USE enum err handover_parse_head(struct handover *h,
                                      const uint8_t in[HANDOVER_HEAD_LEN]);
/* Split n bytes into strings: pointers into p, NULL-terminated. ERR_BADREQ:
 * a string without NUL or '='. ERR_TOOBIG: more than REQUEST_PARAMS_MAX. */
MUST_USE enum err handover_parse_vars(const char *p, size_t n,
                                      const char *vars[REQUEST_PARAMS_MAX + 1]);
/* Is "NAME=value" a variable of the request, not of the host's shell? */
bool handover_is_cgi_var(const char *var);
/* Add the request's variables out of an environment, each with its NUL.
 * ERR_TOOBIG past REQUEST_PARAMS_MAX or the ceiling of out. */
MUST_USE enum err handover_add_vars(struct buf *out,
                                    const char *const *environment);

#endif

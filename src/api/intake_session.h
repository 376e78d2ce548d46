/*
 * One conversation of a file as a write of the store. For intake*.c only.
 */
#ifndef API_INTAKE_SESSION_H
#define API_INTAKE_SESSION_H

#include "api/intake.h"
#include "base/mem.h"
#include "dialect/import.h"

struct intake_op {
    struct store_op op;
    size_t item;
    size_t bytes; /* of text and extra */
    bool renamed; /* its ids were taken once */
    char id[IDENT_SESSION_MAX + 1];
};

/* NULL, or the rule of the store that it breaks. */
const char *intake_refused(const struct import_session *s);
/* Of one that breaks none. It lies in the arena with all that it borrows, but
 * for the config's owner. */
struct intake_op *intake_op_new(const struct intake_config *c,
                                struct arena *arena, int64_t now_ms,
                                const struct import_session *s);
/* Its ids are taken: others, for the session and for its messages. */
void intake_new_ids(struct intake_op *w);

#endif

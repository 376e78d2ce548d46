/* What the files of the export share. Private to dialect/export*.c. */
#ifndef DIALECT_EXPORT_INSIDE_H
#define DIALECT_EXPORT_INSIDE_H

#include "dialect/export.h"

/* Hand on what waits if it is a piece. */
void export_room(struct export *x);
/* Does m go on from another message than the one before it? */
bool export_branches(const struct export *x, const struct export_message *m);

/* --- export_markdown.c ---------------------------------------------------- */

void export_markdown_session(struct export *x, const struct export_session *s);
void export_markdown_message(struct export *x, const struct export_message *m);

#endif

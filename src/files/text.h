/*
 * Readers of plain text: prose, Markdown, program code, CSV, JSON. They read a
 * descriptor to its end in one pass, with bounded memory whatever its size.
 * UTF-8 with or without a mark, UTF-16 with a mark, and Windows-1252 for what
 * is no UTF-8; control characters are left out. Any thread.
 */
#ifndef FILES_TEXT_H
#define FILES_TEXT_H

#include "files/block.h"

enum text_kind { TEXT_PLAIN, TEXT_MARKDOWN, TEXT_CODE, TEXT_CSV, TEXT_JSON };

/* OK with *why SKIP_NOT; ERR_IMPOSSIBLE with *why; or what fn said. Sets the
 * title in facts where the text has one (a Markdown heading or front matter).
 * Blocks that came before something went wrong were given already. */
MUST_USE enum err text_read(int fd, enum text_kind kind, block_fn *fn,
                            void *arg, struct facts *facts, enum skip *why);

#endif

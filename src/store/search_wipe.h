/*
 * Overwriting what SQLite leaves behind in its file. For search*.c only.
 */
#ifndef STORE_SEARCH_WIPE_H
#define STORE_SEARCH_WIPE_H

#include "store/search_sql.h"

/* Overwrite the unused parts of all pages with zeros. The folder is locked
 * alone and the log is empty. ERR_STORE: not read or not written (logged). */
MUST_USE enum err search_wipe(struct search_conn *c);

#endif

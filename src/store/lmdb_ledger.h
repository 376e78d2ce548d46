/*
 * The ledger in LMDB: what reading and writing it have in common. For
 * lmdb_*.c only. Functions that return int return LMDB's codes.
 */
#ifndef STORE_LMDB_LEDGER_H
#define STORE_LMDB_LEDGER_H

#include "store/lmdb_read.h"

/* The sums of an account and period, summed up from rows if there are none; a
 * key's are then nothing. *there: they are kept. c: a cursor on the ledger. */
MUST_USE int lmdb_ledger_sums(MDB_cursor *c, enum ledger_kind kind,
                              uint32_t period, const char *name,
                              struct ledger_sums *out, bool *there);
/* What its turns have reserved; zeros if there is none. */
MUST_USE int lmdb_ledger_standing(MDB_cursor *c, enum ledger_kind kind,
                                  const char *name,
                                  struct ledger_standing *out);
/* The slot of the vtable. */
MUST_USE enum err lmdb_ledger(void *impl, const struct ledger_query *q);

#endif

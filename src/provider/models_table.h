/*
 * What the files of models.h share.
 */
#ifndef PROVIDER_MODELS_TABLE_H
#define PROVIDER_MODELS_TABLE_H

#include "provider/models.h"

extern const struct model models_builtin[];
extern const size_t models_n_builtin;

/* The name as it stands in the table of providers; NULL: there is none. */
const char *models_provider(const char *name);
/* A row to write to: the one of this provider and id, or a new one of which
 * nothing is known. Copies id. NULL past MODELS_MAX. fresh: it was not named
 * before by the file that is being read. */
struct model *models_row(const char *provider, const char *id, bool *fresh);
/* Keep a copy of s as long as the table. */
const char *models_keep(const char *s);
/* models_file.c: read the text of a file into the table; returns mistakes. */
size_t models_file_parse(const char *s, size_t n, models_fault_fn *fault,
                         void *arg);

#endif

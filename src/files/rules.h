/*
 * Which files may leave the machine: labels by patterns, from a file
 * .parleyrules in the indexed folder, and what is blotted out of a text.
 */
#ifndef FILES_RULES_H
#define FILES_RULES_H

#include "base/buf.h"

#define RULES_FILE ".parleyrules"
#define RULES_BYTES_MAX (256 * 1024)
#define RULES_MAX 4096 /* patterns in one file */

enum label {
    LABEL_CLOUD_OK,   /* any model may be shown it */
    LABEL_REDACT,     /* what the redact patterns match is blotted out first */
    LABEL_LOCAL_ONLY, /* only a model on this machine may be shown it */
    LABEL_IGNORE,     /* not indexed; of rules only */
};
const char *label_name(enum label l); /* "local-only" */
bool label_parse(const char *name, enum label *out);

struct rules;

/* Read rules. ERR_BADREQ with the line in why->message: nothing is taken. */
MUST_USE enum err rules_read(const char *text, size_t n, struct rules **out,
                             struct problem *why);
void rules_free(struct rules *r); /* NULL is fine */
/* The label of a path ("letters/2024/anna.txt", relative to the folder of the
 * rules); the last pattern that matches wins; LABEL_CLOUD_OK if none does (or
 * r is NULL). Any thread. */
enum label rules_label(const struct rules *r, const char *path, bool is_dir);
/* The redact patterns as one text, to be kept beside a document; "" if none. */
const char *rules_redactions(const struct rules *r);

/* --- files/redact.c ------------------------------------------------------- */

struct redact;
/* Patterns as rules_redactions gives them, beside those that are always meant
 * (addresses of mail, telephone and card numbers, IBAN, keys). */
struct redact *redact_new(const char *patterns);
void redact_free(struct redact *r);
/* text with what matches replaced by "[redacted]". Returns how many times. */
size_t redact_text(const struct redact *r, const char *text, size_t n,
                   struct buf *out);

#endif

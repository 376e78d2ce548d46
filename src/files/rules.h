/*
 * Which files may leave the machine: labels by patterns, from a file
 * .parleyrules in the indexed folder, and what is blotted out of a text.
 *
 * The file is UTF-8; a line is empty, a comment (#), or a word, blanks, and a
 * pattern that goes on to the end of the line:
 *
 *     # letters stay here, but for those meant for everybody
 *     local-only   letters/
 *     local-only   !letters/public/
 *     redact       contracts/2024-??.md
 *     redact-text  Project Falcon
 *     redact-text  ACC-[0-9][0-9]*
 *     ignore       *.tmp
 *
 * The words are the labels (cloud-ok, redact, local-only, ignore) and
 * redact-text. After a label the pattern is one of gitignore(5): without a '/'
 * it is held against each part of a path, with one against the path from this
 * folder on; a '/' at the end means folders only; "**" is any number of
 * folders; '?', '*', [a-z], [!a-z], [[:alpha:]] match no '/'; a backslash takes
 * the meaning from the next character. Letters count as they are written.
 *
 * A label of a folder holds for all that is below it. Of all lines that match
 * the path or a folder above it the last one wins, in whatever order the labels
 * come. "!" takes back its own label, from the path that it matches and what
 * holds there from the folders above, as far as lines above it gave it; what
 * another label says stays as it is. Below an ignored folder all is ignored.
 *
 * After redact-text stand words that are blotted out of files with the label
 * redact: whole words, capital or small; a blank is any white space, '*' and
 * '?' stay within a word, sets and backslashes are as above.
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
 * rules, without "." and ".."); LABEL_CLOUD_OK if no line matches (or r is
 * NULL), LABEL_IGNORE for a path beyond 4096 bytes. Any thread. */
enum label rules_label(const struct rules *r, const char *path, bool is_dir);
/* The redact patterns as one text, to be kept beside a document; "" if none. */
const char *rules_redactions(const struct rules *r);

/* --- files/rules_folder.c ------------------------------------------------- */

/* The rules of the folder that root is open on; NULL: it has none. ERR_BADREQ:
 * they are wrong, or cannot be read. */
MUST_USE enum err rules_of_folder(int root, struct rules **out,
                                  struct problem *why);
/* Does the path, or a folder above it, say ignore? */
bool rules_ignore(const struct rules *r, const char *path);

/* --- files/redact.c ------------------------------------------------------- */

struct redact;
/* Patterns as rules_redactions gives them, beside those that are always meant
 * (addresses of mail, telephone and card numbers, IBAN, keys). */
struct redact *redact_new(const char *patterns);
void redact_free(struct redact *r);
/* text with what matches replaced by "[redacted]". Returns how many times. */
size_t redact_text(const struct redact *r, const char *text, size_t n,
                   struct buf *out);
/* Of a text the bytes [from, to): what matches across a border of the part, or
 * is known by what stands before it, is blotted out of the part. names: names
 * of files stand in it, in which the words of a pattern may be joined by '_',
 * '-', '.' and '/'. What reaches further than REDACT_AROUND bytes over a border
 * of what a caller takes from a longer text is not known whole. */
#define REDACT_AROUND 4096
size_t redact_part(const struct redact *r, const char *text, size_t n,
                   size_t from, size_t to, bool names, struct buf *out);
/* A title or a heading that was cut to at most max bytes: if it may have been,
 * its last REDACT_TAIL bytes are blotted out with what matches. */
#define REDACT_TAIL 128
void redact_cut(const struct redact *r, const char *text, size_t n, size_t max,
                struct buf *out);

#endif

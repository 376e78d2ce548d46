/*
 * Reading files that may be hostile: each in a child process that can neither
 * open files nor sockets, with bounds on memory, time and output. The child is
 * the program `ingest --extract`, which is looked for beside the one that runs.
 * What it says is a stream of blocks in a small binary form, checked again by
 * the reader at this end. Any thread; blocks.
 */
#ifndef FILES_EXTRACT_H
#define FILES_EXTRACT_H

#include "files/kind.h"

#define EXTRACT_SECONDS 60                    /* of a reader's life */
#define EXTRACT_MEMORY (64L * 1024 * 1024)    /* bytes beyond its libraries */
#define EXTRACT_TEXT_MAX (64L * 1024 * 1024)  /* bytes of text from one file */
#define EXTRACT_ENTRY_MAX (64L * 1024 * 1024) /* unpacked, of an archive */
#define EXTRACT_RATIO_MAX 200                 /* unpacked by packed bytes */

/* Where the program is. NULL: beside the one that runs. Copies. Once, before
 * any thread. */
void extract_program(const char *path);
/* How long a reader may take, if not EXTRACT_SECONDS. As above. */
void extract_patience(int seconds);

/* Read the file that fd is open on (at its start; still the caller's). As
 * text_read, for every kind but KIND_NONE and KIND_TEXT. */
MUST_USE enum err extract_read(int fd, const struct kind *kind, block_fn *fn,
                               void *arg, struct facts *facts, enum skip *why);

/* The child's side: reads descriptor 0, writes 1. What main returns. */
int extract_child(const char *kind_name);

/* The readers, in the child. Results as those of text_read. */
enum err html_read(int fd, block_fn *fn, void *arg, struct facts *f,
                   enum skip *why);
enum err pdf_read(int fd, block_fn *fn, void *arg, struct facts *f,
                  enum skip *why);
enum err docx_read(int fd, block_fn *fn, void *arg, struct facts *f,
                   enum skip *why);
enum err odt_read(int fd, block_fn *fn, void *arg, struct facts *f,
                  enum skip *why);
enum err epub_read(int fd, block_fn *fn, void *arg, struct facts *f,
                   enum skip *why);

#endif

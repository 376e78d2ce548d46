/*
 * The head of a reply, read line by line: status, media type, request id and
 * what it says about trying again. Pure.
 */
#ifndef UPSTREAM_HEAD_H
#define UPSTREAM_HEAD_H

#include "upstream/transfer.h"

void upstream_head_init(struct upstream_head *h);
/* One line, with or without its line end. A status line starts the head anew
 * (an interim reply came before). wall_ms is the time against which a date in
 * retry-after is read. Lines that mean nothing to us are ignored. */
void upstream_head_line(struct upstream_head *h, const char *s, size_t n,
                        int64_t wall_ms);

#endif

/*
 * One line of the audit log, and the words in it: how it is made, sealed and
 * taken apart (docs/WIRE.md). No I/O. Any thread.
 *
 *   {"n":7,BODY,"prev":"…","hash":"…"}     or     …,"hash":"…","mac":"…"}
 *
 * hash is the SHA-256 of all that stands before ,"hash" — so prev is in it, and
 * through prev all lines before.
 */
#ifndef OPS_AUDIT_LINE_H
#define OPS_AUDIT_LINE_H

#include "base/digest.h"
#include "ops/audit.h"

struct buf;

#define AUDIT_HEX (2 * DIGEST_LEN)
#define AUDIT_HEX_LEN (AUDIT_HEX + 1) /* characters of a digest, with the NUL */
/* Bytes of a line with its end. A byte of a text becomes six at most. */
#define AUDIT_LINE_MAX \
    ((AUDIT_MEMBERS_MAX + 2) * (6 * AUDIT_TEXT_MAX + 64) + 512)

/* What a mac is made with; it is made of the secret, and is not it. */
struct audit_seal {
    bool keyed;
    uint8_t key[DIGEST_LEN];
};

/* Where a chain stands: the number and the hash of its last line. */
struct audit_link {
    int64_t n;                /* 0: no line yet */
    char hash[AUDIT_HEX_LEN]; /* of line 0: zeros */
};

struct audit_parts {
    int64_t n;
    size_t hashed; /* bytes from the line's beginning that the hash is of */
    char prev[AUDIT_HEX_LEN];
    char hash[AUDIT_HEX_LEN];
    char mac[AUDIT_HEX_LEN]; /* "": none */
};

/* secret "" or NULL: no mac. */
void audit_seal_init(struct audit_seal *s, const char *secret);
/* The beginning of every chain. */
void audit_link_init(struct audit_link *l);
/* The members of a fact, from "at" on, without braces. */
void audit_body(struct buf *out, const struct audit_fact *f, int64_t wall_ms);
/* Add the line that follows l, with its end, and move l on to it. */
void audit_line(struct buf *out, struct audit_link *l,
                const struct audit_seal *s, const char *body, size_t len);
/* Take a line (without its end) apart. ERR_BADREQ: it is none of ours. Does
 * not say that its hash is right. */
MUST_USE enum err audit_line_read(const char *s, size_t n,
                                  struct audit_parts *out);
/* Is the hash that of the line? Is the mac of this key? */
bool audit_hash_right(const char *line, const struct audit_parts *p);
bool audit_mac_right(const struct audit_seal *s, const struct audit_parts *p);

/* audit.head: where the chain was last left, always of the same length, so
 * that one write replaces another.
 *   parley-audit 1 00000000000000000042 HASH MAC (or 64 dashes) */
#define AUDIT_HEAD_LEN 166 /* bytes, with the end of the line */
void audit_head_write(char out[AUDIT_HEAD_LEN + 1], const struct audit_link *l,
                      const struct audit_seal *s);
/* ERR_BADREQ: it is none. *mac_right: it is of this key. */
MUST_USE enum err audit_head_read(const char *s, size_t n,
                                  const struct audit_seal *seal,
                                  struct audit_link *out, bool *mac_right);

#endif

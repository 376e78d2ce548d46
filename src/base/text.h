/*
 * Bytes and characters: UTF-8 (RFC 3629: no overlong forms, no surrogates),
 * numbers, hex, base64, percent-encoding. Pure.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/base.h"

struct buf;

/* What the bytes at s are (n > 0). > 0: a well-formed character of so many
 * bytes; 0: the beginning of one, cut off by the end; < 0: ill-formed, and so
 * many bytes belong to the failed attempt. */
int utf8_seq(const char *s, size_t n);
bool utf8_valid(const char *s, size_t n);
/* Is it UTF-8 without control characters, those of ISO 8859 (C1) included? */
bool text_plain(const char *s, size_t n);
/* Is it 1 to max bytes of visible ASCII, as a header can hold? */
bool text_visible(const char *s, size_t max);
/* The longest prefix of n bytes that does not end inside a character: what
 * may be shown now. Bytes that can never become a character count as whole. */
size_t utf8_whole(const char *s, size_t n);
/* Append s with every ill-formed sequence replaced by U+FFFD. */
void utf8_scrub(struct buf *out, const char *s, size_t n);
/* Nothing but Unicode white space (and NUL, BOM, zero-width space)? */
bool text_blank(const char *s, size_t n);

/* Put s (NULL: "") into out, as people are shown it: what moves a terminal or
 * turns text around (controls, line separators, bidirectional marks) and what
 * is no UTF-8 becomes '?'. Cut to size - 1 bytes, between characters. */
void text_show(char *out, size_t size, const char *s);
/* Would all of it be shown as it is? */
bool text_shown(const char *s);

bool text_ieq(const char *a, const char *b);            /* ASCII case */
bool text_ieqn(const char *a, size_t n, const char *b); /* a[0..n) vs b */
bool text_starts(const char *s, const char *prefix);
bool text_istarts(const char *s, const char *prefix);

/* Whole string, decimal, within [min, max]; else ERR_BADREQ, *out unset. */
MUST_USE enum err text_i64(const char *s, size_t n, int64_t min, int64_t max,
                           int64_t *out);
void text_hex(char *out, const void *p, size_t n); /* 2n chars and NUL */
MUST_USE enum err text_unhex(void *out, size_t n, const char *hex); /* 2n */
void text_base64(struct buf *out, const void *p, size_t n);
/* The alphabet of URLs, without padding (RFC 7515): TEXT_BASE64URL_LEN(n)
 * characters and a NUL. The value of such a character; -1: it is none. */
#define TEXT_BASE64URL_LEN(n) (((n)*4 + 2) / 3)
void text_base64url(char *out, const void *p, size_t n);
int text_base64url_value(char c);
/* Standard alphabet, padding optional, white space refused. */
MUST_USE enum err text_unbase64(struct buf *out, const char *s, size_t n);
/* Percent-decoding; plus: '+' is a space (forms, queries). A bad escape or a
 * NUL is ERR_BADREQ. */
MUST_USE enum err text_unpercent(struct buf *out, const char *s, size_t n,
                                 bool plus);
void text_percent(struct buf *out, const char *s, size_t n); /* RFC 3986
                                                  unreserved stay */
#endif

/*
 * Writing facts of an image from words of any origin. Inside files/; without
 * any library. Pure; any thread.
 */
#ifndef FILES_IMAGE_FACT_H
#define FILES_IMAGE_FACT_H

#include "files/block.h"

/* Write s[0..n) with a NUL into out, cut to its size between characters: UTF-8,
 * else Windows-1252; runs of white space and control characters are a blank
 * (with lines: a line feed, if there was one). Nothing is changed if there is
 * nothing to be seen in s. Is there? */
bool fact_text(char *out, size_t size, const char *s, size_t n, bool lines);
/* The same from UTF-16. */
bool fact_utf16(char *out, size_t size, const uint8_t *s, size_t n, bool big);

/* Add a tag unless it is there, or there is no more room. */
void fact_tag(struct facts *f, const char *s, size_t n);
/* Several, with one of these signs between two. */
void fact_tags(struct facts *f, const char *s, size_t n, const char *signs);

/* A date as cameras, programs and people write it ("2024:08:15 18:30:00",
 * "2024-08-15T18:30Z", "20240815", "2024-08", "2024"): written into out as much
 * of YYYY-MM-DDThh:mm:ss as is said; zones are left out, for what is wanted is
 * the clock of the place. False: it is none; out is as it was. */
bool fact_date(char out[20], const char *s, size_t n);

/* Degrees, if there is such a place. (0, 0) is none: it is what devices write
 * that do not know where they are. */
bool fact_place(struct facts *f, double latitude, double longitude);

/* Fill what `to` lacks; tags of both. */
void fact_join(struct facts *to, const struct facts *from);

#endif

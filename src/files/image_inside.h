/*
 * Between the files of the image reader: what the walkers of the formats gather
 * (image_scan.c) and what the readers of metadata make of it. Inside files/.
 */
#ifndef FILES_IMAGE_INSIDE_H
#define FILES_IMAGE_INSIDE_H

#include "base/buf.h"
#include "files/block.h"

#define IMAGE_LOOK 64     /* bytes that are looked at in one piece, at most */
#define IMAGE_PARTS 65536 /* segments or chunks of a file that are walked */

/* A file that is read here and there. */
struct image_in {
    int fd;
    bool failed; /* the system would not let us read it */
    uint64_t at; /* of the window */
    size_t len;
    uint8_t window[4096];
};

/* n bytes at a place (n <= IMAGE_LOOK); NULL: the file ends before. Valid until
 * the next call. */
const uint8_t *image_look(struct image_in *in, uint64_t at, size_t n);
/* Append n bytes; all of them or none. */
bool image_copy(struct image_in *in, uint64_t at, size_t n, struct buf *out);

struct image_meta {
    const char *type;       /* media type, static; NULL: no image of ours */
    uint32_t width, height; /* as stored; 0: not found */
    size_t left;            /* of IMAGE_META_MAX */
    struct buf exif;        /* TIFF, with or without "Exif\0\0" */
    struct buf xmp;         /* RDF in XML */
    struct buf iptc;        /* Photoshop's resources ("8BIM") */
    struct facts text;      /* from texts of PNG */
};

/* Walks the parts of a file, as far as it goes. */
void image_scan(struct image_in *in, struct image_meta *m);

/* Each writes what it finds over f. The orientation, 1 to 8; 0: it has none. */
int image_exif(const struct buf *exif, struct facts *f);
int image_xmp(const struct buf *xmp, struct facts *f);
void image_iptc(const struct buf *iptc, struct facts *f);

#endif

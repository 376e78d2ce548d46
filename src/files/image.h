/*
 * What an image says about itself: its size, EXIF (libexif), XMP (libxml2) and
 * IPTC; and what a file beside it says (NAME.json or NAME.txt). Pure, but the
 * first, which reads the descriptor.
 */
#ifndef FILES_IMAGE_H
#define FILES_IMAGE_H

#include "base/buf.h"
#include "files/block.h"

#define IMAGE_META_MAX (1024 * 1024) /* bytes of EXIF, XMP, IPTC looked at */
#define SIDECAR_MAX (256 * 1024)     /* bytes */

/* Reads headers and metadata, never pixels; gives no blocks. Results as those
 * of text_read. In a child (files/extract.h). */
enum err image_read(int fd, struct facts *f, enum skip *why);

/* Bytes of a sidecar, over what f has: {"tags": [...], "description": "...",
 * "title": "...", "date": "...", "place": ...} or text: the description, and a
 * line "tags: a, b". False: it is neither (f is as it was). */
bool sidecar_read(const char *name, const char *bytes, size_t n,
                  struct facts *f);
/* "beach.jpg" has its sidecar in "beach.jpg.json", "beach.json",
 * "beach.jpg.txt" or "beach.txt": is `name` such a name for the image? */
bool sidecar_is_of(const char *name, const char *image);

/* The facts as the text that is searched and shown to a model. */
void image_text(const char *name, const struct facts *f, struct buf *out);

#endif

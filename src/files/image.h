/*
 * What an image says about itself: its size, EXIF (libexif), XMP (libxml2) and
 * IPTC; and what a file beside it says (NAME.json or NAME.txt). Any thread.
 */
#ifndef FILES_IMAGE_H
#define FILES_IMAGE_H

#include "base/buf.h"
#include "files/block.h"

#define IMAGE_META_MAX (1024 * 1024) /* bytes of EXIF, XMP, IPTC looked at */
#define SIDECAR_MAX (256 * 1024)     /* bytes */

/* Reads headers and metadata, never pixels; gives no blocks. Fills what f lacks
 * (its type and size always). Where several parts of the file say something:
 * XMP, IPTC, EXIF, PNG's texts, in this order; but date, place and camera by
 * EXIF first. Tags of all. The descriptor's place in the file is not used, nor
 * moved. Results as those of text_read. In a child (files/extract.h). */
enum err image_read(int fd, struct facts *f, enum skip *why);

/* Bytes of a sidecar, over what f has; tags of both. By its name JSON:
 *     {"tags": ["beach", ...], "description": "...", "title": "...",
 *      "date": "2024-08-15T18:30:00", "place": ...}
 * each of which may be missing ("described_by" names the model that wrote the
 * description; "keywords", "caption", "taken", "location" are
 * taken, too; a place is a name, "38.7, -9.1", [38.7, -9.1], or an object with
 * latitude, longitude and name; a name becomes a tag), or text: the
 * description, and lines "tags: a, b", "title: ...", "date: ...", "place: ...".
 * False: it is neither, or a text of more than some thousand bytes (f is as it
 * was): a document of its own. */
bool sidecar_read(const char *name, const char *bytes, size_t n,
                  struct facts *f);
/* Does it say that a model wrote it (its member described_by), and of other
 * bytes than those of this hash (sha256)? It says nothing of the image then. */
bool sidecar_stale(const char *bytes, size_t n, const uint8_t hash[32]);
/* "beach.jpg" has its sidecar in "beach.jpg.json", "beach.json",
 * "beach.jpg.txt" or "beach.txt": is `name` such a name for the image? */
bool sidecar_is_of(const char *name, const char *image);

/* Append the facts as the text that is searched and shown to a model: the name
 * and its words, title, description, tags, the date in words, place, camera,
 * size; a line each. */
void image_text(const char *name, const struct facts *f, struct buf *out);

#endif

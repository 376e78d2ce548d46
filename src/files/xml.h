/*
 * XML as events, for the parts of documents. Entities of the file's own are
 * refused (SKIP_BOMB: no format here needs them), so are elements nested too
 * deep; nothing is fetched. One thread.
 */
#ifndef FILES_XML_H
#define FILES_XML_H

#include "files/block.h"
#include "files/charset.h"

#define XML_DEPTH 250 /* elements within each other */

/* Attributes of an element; valid during the event. */
struct xml_atts {
    const unsigned char **at; /* libxml2's five pointers for each */
    int n;
};

/* What a reader wants to hear of; NULL: not that. */
struct xml_events {
    /* name: without prefix. space: its namespace, "" if it has none. False ends
     * the reading, which is then as if the file ended here. */
    bool (*start)(void *arg, const char *name, const char *space,
                  const struct xml_atts *atts);
    bool (*end)(void *arg, const char *name, const char *space);
    bool (*text)(void *arg, const char *s, size_t n); /* whole characters */
};

/* OK, or ERR_IMPOSSIBLE with *why. */
enum err xml_read(struct source from, const struct xml_events *events,
                  void *arg, enum skip *why);

/* An attribute by its name without prefix, copied with a NUL; false and "" if
 * it is not there or does not fit. */
bool xml_att(const struct xml_atts *atts, const char *name, char *out,
             size_t size);
/* Is it there, with this value? */
bool xml_att_is(const struct xml_atts *atts, const char *name,
                const char *value);
/* As a number from min to max; fallback if it is not there or none. */
int xml_att_int(const struct xml_atts *atts, const char *name, int min, int max,
                int fallback);
/* Does `space` end with this? Namespaces come in versions. */
bool xml_space_ends(const char *space, const char *tail);

#endif

/*
 * What a text names: people and places, organisations, dates and times, money,
 * amounts, addresses. By capitals and patterns, not by knowing the world: in
 * German, where all nouns have capitals, only names of two words and more are
 * found. Pure; any thread.
 */
#ifndef LANG_ENTITY_H
#define LANG_ENTITY_H

#include "base/base.h"

struct reading;

#define ENTITIES_MAX 64        /* that are given */
#define ENTITIES_KIND_MAX 12   /* of one kind */
#define ENTITIES_FOUND_MAX 512 /* that are counted; later ones are not seen */
#define ENTITY_LEN_MAX 200     /* bytes; a longer one is none */
#define ENTITY_WORDS_MAX 6     /* of a name */

enum entity_kind {
    ENTITY_NAME, /* of a person, a place, a thing */
    ENTITY_ORGANISATION,
    ENTITY_DATE,
    ENTITY_TIME,
    ENTITY_MONEY,
    ENTITY_PERCENT,
    ENTITY_QUANTITY, /* a number with a unit */
    ENTITY_EMAIL,
    ENTITY_URL,
    ENTITY__MAX
};

struct entity {
    enum entity_kind kind;
    const char *text; /* in the reading's plain text, or in the input; no NUL */
    size_t len;
    size_t count;
};

struct entities {
    struct entity at[ENTITIES_MAX]; /* by kind, then the most frequent first */
    size_t n;
};

/* s, n: what r was read from. Valid as long as both. */
void entities_read(struct entities *out, const struct reading *r, const char *s,
                   size_t n);
/* "name", "organisation", … */
const char *entity_name(enum entity_kind kind);

#endif

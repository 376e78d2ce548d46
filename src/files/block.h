/*
 * What a file says, in the order in which it says it: a stream of blocks, and
 * facts about the whole. Readers of formats give them, the chunker takes them.
 *
 * The text of a document is its blocks with a line feed behind each, and one
 * more unless both neighbours are rows or items of one list; a heading is
 * written with one '#' for each level and a blank before it. Places in a
 * document are bytes of this text.
 */
#ifndef FILES_BLOCK_H
#define FILES_BLOCK_H

#include "base/base.h"

#define BLOCK_MAX (16 * 1024) /* bytes; a longer one comes in parts */
#define FACTS_TITLE_MAX 255   /* bytes, each of these */
#define FACTS_CAMERA_MAX 127
#define FACTS_DESCRIPTION_MAX 4095
#define FACTS_BY_MAX 159    /* a provider, and a model's name */
#define FACTS_TAGS_MAX 1023 /* bytes of all, with a line feed between */

enum block_kind {
    BLOCK_TEXT, /* a paragraph */
    BLOCK_HEADING,
    BLOCK_CODE, /* lines that keep their blanks */
    BLOCK_ROW,  /* of a table, or an item of a list */
};

struct block {
    enum block_kind kind;
    int level;        /* of a heading, 1 to 6; 0: not one */
    int page;         /* from 1; 0: it has no pages */
    bool more;        /* the next block goes on in the same line */
    const char *text; /* UTF-8 without NUL and control characters but line feed
                         and tab; borrowed */
    size_t len;       /* 1 to BLOCK_MAX bytes, cut between characters */
};

/* Takes a block. Anything but OK ends the reading and is its result. */
typedef enum err block_fn(void *arg, const struct block *b);

/* What is known of a document beside its text. "" and 0: nothing. UTF-8. */
struct facts {
    char type[128]; /* media type, as found in the bytes */
    char title[FACTS_TITLE_MAX + 1];
    /* Of images. */
    uint32_t width, height; /* pixels, as shown (orientation applied) */
    char taken[20];         /* YYYY-MM-DDThh:mm:ss, local time of the place, or
                               its beginning: YYYY-MM-DD, YYYY-MM, YYYY */
    bool has_place;
    double latitude, longitude; /* degrees, WGS 84 */
    char camera[FACTS_CAMERA_MAX + 1];
    char description[FACTS_DESCRIPTION_MAX + 1];
    char tags[FACTS_TAGS_MAX + 1];       /* a line feed between two */
    char described_by[FACTS_BY_MAX + 1]; /* the model that the description is
                                            of; "": it is no model's */
};

/* Why a file is not in the index. skip_name gives the word that people and
 * programs read ("encrypted"); skip_text the sentence. */
enum skip {
    SKIP_NOT, /* it is */
    SKIP_EMPTY,
    SKIP_TYPE,      /* nobody here reads such a file */
    SKIP_BINARY,    /* called text and is not */
    SKIP_BROKEN,    /* not what its format demands */
    SKIP_ENCRYPTED, /* a password is needed */
    SKIP_SIZE,      /* larger than FILE_SIZE_MAX */
    SKIP_BOMB,      /* unpacks to more than it may, or nests too deep */
    SKIP_TIME,      /* its reader took too long, or too much memory */
    SKIP_READ,      /* the system would not let us read it */
    SKIP_DIED,      /* each time (TRIED_MAX) its reader died, or was at it for
                       too long; only another file of the name is tried */
    SKIP_WAITING,   /* it came, and is not read yet */
    SKIP__N
};
const char *skip_name(enum skip why);
const char *skip_text(enum skip why);
bool skip_parse(const char *name, enum skip *out);

#endif

/*
 * The inside of auth/limit.h, for limit.c, guess.c and tests: a table of words
 * of 48 bits by name, in a file that all processes of a data folder map.
 *
 * A slot is two words: whose it is (a keyed digest of kind and name), and the
 * value, with 16 bits of the same digest on top. Both are changed by compare
 * and swap alone, never under a lock: nobody waits for a process that died.
 */
#ifndef AUTH_LIMIT_TABLE_H
#define AUTH_LIMIT_TABLE_H

#include <stdatomic.h>

#include "base/base.h"
#include "base/digest.h"

#define LIMIT_GROUP 16     /* slots where one name may be */
#define LIMIT_SLOTS 32768  /* of one area */
#define LIMIT_WORD_BITS 48 /* of a value */
#define LIMIT_HEADER 4096  /* bytes before the slots */
#define LIMIT_KEY_LEN 32   /* bytes */
#define LIMIT_VERSION 1

#define LIMIT_WORD_MAX ((UINT64_C(1) << LIMIT_WORD_BITS) - 1)

/* Apart, so that a flood of one kind does not make the other forget. */
enum limit_area { LIMIT_AREA_RATES, LIMIT_AREA_GUESSES, LIMIT_AREA__MAX };

struct limit_slot {
    _Atomic uint64_t tag;   /* 0: free */
    _Atomic uint64_t value; /* the tag's upper 16 bits, the word */
};

/* The first bytes of the file (docs/WIRE.md). */
struct limit_header {
    char magic[8];
    uint32_t version;
    uint32_t slots; /* of an area */
    uint32_t group;
    uint32_t areas;
    char boot[40]; /* of the machine; ends with NUL */
    uint8_t key[LIMIT_KEY_LEN];
    uint8_t check[DIGEST_LEN]; /* of all before it, with the key */
};

#define LIMIT_FILE_BYTES \
    (LIMIT_HEADER +      \
     (size_t)LIMIT_AREA__MAX * LIMIT_SLOTS * sizeof(struct limit_slot))

struct limit {
    uint8_t *map; /* LIMIT_FILE_BYTES */
    struct limit_slot *slots;
    uint8_t key[LIMIT_KEY_LEN]; /* a copy: the map may be written to */
    bool shared;
};

/* A new value for the word (0: there is none yet), or the same. Pure; may be
 * called several times, and the last call counts. */
typedef uint64_t limit_word_fn(void *arg, uint64_t word);
/* How much it would be missed if it were forgotten; 0: not at all. */
typedef uint64_t limit_rank_fn(int64_t now_ms, uint64_t word);

struct limit_ask {
    enum limit_area area;
    unsigned kind; /* < 256; names of different kinds are different */
    const char *name;
    int64_t now_ms;
    limit_rank_fn *rank; /* of the area */
    limit_word_fn *fn;
    void *arg;
};

/* Change one word as fn says. If fn leaves 0 as it is, no slot is taken. */
void limit_update(struct limit *l, const struct limit_ask *ask);

#endif

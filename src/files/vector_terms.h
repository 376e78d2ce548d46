/* The different words of a text, counted: what files/vector.c hashes. */
#ifndef FILES_VECTOR_TERMS_H
#define FILES_VECTOR_TERMS_H

#include "lang/word.h"

enum term_kind {
    TERM_WORD,
    TERM_PART,  /* of a word such as MAX_LEN, maxLen or a2b */
    TERM_SIGN,  /* a character of a script without spaces */
    TERM_SIGNS, /* two of them; it has no text */
    TERM_PAIR   /* of words that follow each other; it has no text */
};

struct term {
    uint64_t hash; /* of a word: files/stems.h gives the same */
    uint32_t count;
    uint32_t start; /* of its small letters, in terms.text */
    uint16_t len;
    uint8_t kind;
    uint8_t langs; /* a bit for each whose stop word it is */
    bool stop;     /* says nothing of what a text is about */
    bool odd;      /* it holds a digit or "_" */
};

struct terms {
    struct term *at; /* owned; in the order in which they come */
    size_t n;
    char *text;     /* owned */
    enum lang lang; /* a guess by the stop words; LANG_NONE: none is sure */
};

/* Of the n bytes at s. The same bytes give the same terms. */
void terms_read(struct terms *t, const char *s, size_t n);
void terms_release(struct terms *t);

/* A hash of bytes, going on from another; and its bits mixed at the end. */
#define TERM_HASH 0xcbf29ce484222325u
static inline uint64_t
term_hash(uint64_t h, unsigned char c)
{
    return (h ^ c) * 0x100000001b3u;
}
static inline uint64_t
term_mixed(uint64_t h)
{
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93u;
    return h ^ h >> 32;
}

#endif

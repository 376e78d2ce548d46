/*
 * Allocation that dies for want of memory, and the arena.
 *
 * A supervised program that cannot get a few kilobytes has no good way on:
 * every error path would need memory too. So xmalloc says so and aborts, and
 * callers carry no check. That is safe only because no length from outside
 * comes here before it was compared with a named limit.
 *
 * The arena is a list of blocks, newest first. Small requests are cut from
 * the newest block; a request larger than a quarter of a block gets a block
 * of its own, placed behind the newest so that the room left there stays in
 * use. The first block is small: most requests need one or two kilobytes.
 * Under AddressSanitizer the room not handed out yet is poisoned, so reading
 * past an allocation is found although malloc knows nothing about it.
 */
#include "base/base.h"

#include "base/mem.h"

#if defined(__SANITIZE_ADDRESS__)
#define MEM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MEM_ASAN 1
#endif
#endif
#ifdef MEM_ASAN
#include <sanitizer/asan_interface.h>
#define MEM_HIDE(p, n) ASAN_POISON_MEMORY_REGION((p), (n))
#define MEM_SHOW(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#else
#define MEM_HIDE(p, n) ((void)(p), (void)(n))
#define MEM_SHOW(p, n) ((void)(p), (void)(n))
#endif

#define ARENA_FIRST 448  /* bytes; payload of the first block */
#define ARENA_BLOCK 8192 /* bytes; payload of every further block */
#define ARENA_ALIGN 16   /* bytes */

struct arena_block {
    struct arena_block *next; /* owned; older */
    size_t cap;               /* bytes in data */
    size_t used;              /* bytes handed out */
    _Alignas(ARENA_ALIGN) unsigned char data[];
};

static NORETURN void
die(size_t n)
{
    (void)fprintf(stderr, "out of memory asking for %zu bytes\n", n);
    abort();
}

void *
xmalloc(size_t n)
{
    void *p = malloc(n ? n : 1);

    if (!p)
        die(n);
    return p;
}

void *
xcalloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size ? size : 1);

    if (!p)
        die(size);
    return p;
}

void *
xrealloc(void *p, size_t n)
{
    void *q = realloc(p, n ? n : 1);

    if (!q)
        die(n);
    return q;
}

char *
xstrdup(const char *s)
{
    return s ? xmemdup0(s, strlen(s)) : NULL;
}

char *
xmemdup0(const void *p, size_t n)
{
    char *q = xmalloc(n + 1);

    if (n)
        memcpy(q, p, n);
    q[n] = '\0';
    return q;
}

void
mem_wipe(void *p, size_t n)
{
    if (p != NULL)
        explicit_bzero(p, n);
}

void
mem_wipe_str(char *s)
{
    if (s != NULL)
        explicit_bzero(s, strlen(s));
}

void
mem_free_secret(char *s)
{
    mem_wipe_str(s);
    free(s);
}

void
arena_init(struct arena *a)
{
    a->head = NULL;
    a->used = 0;
}

void
arena_release(struct arena *a)
{
    struct arena_block *b;

    while ((b = a->head)) {
        a->head = b->next;
        MEM_SHOW(b->data, b->cap);
        free(b);
    }
    a->used = 0;
}

/* A block with room for n bytes; the newest if it is to be cut further. */
static struct arena_block *
add_block(struct arena *a, size_t n)
{
    struct arena_block *b;
    size_t cap = a->head ? ARENA_BLOCK : ARENA_FIRST;
    bool alone = n > ARENA_BLOCK / 4;

    if (alone)
        cap = n;
    else if (cap < n)
        cap = ARENA_BLOCK;
    b = xmalloc(sizeof(*b) + cap);
    b->cap = cap;
    b->used = 0;
    MEM_HIDE(b->data, cap);
    if (alone && a->head) {
        b->next = a->head->next;
        a->head->next = b;
    } else {
        b->next = a->head;
        a->head = b;
    }
    return b;
}

void *
arena_alloc(struct arena *a, size_t n)
{
    struct arena_block *b = a->head;
    size_t room;
    void *p;

    if (n > SIZE_MAX / 2)
        die(n);
    room = (n + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    if (room == 0)
        room = ARENA_ALIGN;
    if (!b || b->cap - b->used < room)
        b = add_block(a, room);
    p = b->data + b->used;
    b->used += room;
    a->used += room;
    MEM_SHOW(p, n);
    memset(p, 0, n);
    return p;
}

char *
arena_strdup(struct arena *a, const char *s)
{
    return s ? arena_memdup0(a, s, strlen(s)) : NULL;
}

char *
arena_memdup0(struct arena *a, const void *p, size_t n)
{
    char *q = arena_alloc(a, n + 1);

    if (n)
        memcpy(q, p, n);
    return q;
}

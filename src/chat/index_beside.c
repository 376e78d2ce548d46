/*
 * The cursor of the index says whether it is whole (index_walk.c): WALK_DONE,
 * or the number of somebody who is filling it, or 0 for a new one. Who writes
 * beside the server puts a number of its own there first, and WALK_DONE back if
 * that is still there: if not, a walk came between, and it is that one's to say
 * so. A walk of the server may end meanwhile without having seen the newest
 * sessions, so the number is looked at before each round.
 *
 * A walk adds one session at a time and asks first what is there. Thousands of
 * new ones would be as many transactions, whose pages are written again and
 * again; so here the messages of many go into one.
 */
#include "base/base.h"

#include "chat/index_beside.h"

#include "base/ident.h"
#include "base/mem.h"
#include "base/text.h"

#define BULK_MESSAGES 500 /* of one transaction */
#define BULK_BYTES (2 * 1024 * 1024)
#define TRIES 10 /* of a rebuild, each waiting for who keeps it locked */

struct index_bulk {
    struct search_message m[BULK_MESSAGES];
    size_t n, bytes;
    uint64_t added;     /* all in all */
    struct arena arena; /* of the texts */
    uint32_t next;      /* seq of the session that is read */
};
_Static_assert(BULK_MESSAGES <= SEARCH_BATCH_MAX, "one search_add");

enum err
index_beside_open(struct index_beside *ib, struct store *store, const char *dir)
{
    int n = snprintf(ib->dir, sizeof(ib->dir), "%s", dir);

    ib->store = store;
    ib->search = NULL;
    ib->bulk = NULL;
    ib->stamp = 0;
    ib->was_whole = false;
    if (n < 0 || (size_t)n >= sizeof(ib->dir) ||
        search_open(&ib->search, ib->dir) != OK)
        return ERR_STORE;
    walker_init(&ib->walker, store, ib->search, ib->dir);
    ib->bulk = xcalloc(1, sizeof(*ib->bulk));
    arena_init(&ib->bulk->arena);
    return OK;
}

void
index_beside_close(struct index_beside *ib)
{
    search_close(ib->search);
    ib->search = NULL;
    if (ib->bulk != NULL)
        arena_release(&ib->bulk->arena);
    free(ib->bulk);
    ib->bulk = NULL;
}

/* --- gathering ------------------------------------------------------------ */

static bool
is_full(const struct index_bulk *b)
{
    return b->n == BULK_MESSAGES || b->bytes >= BULK_BYTES;
}

static bool
take(void *arg, const struct message *m)
{
    struct index_bulk *b = arg;
    size_t len = m->text_len < FEED_TEXT_MAX
                     ? m->text_len
                     : utf8_whole(m->text, FEED_TEXT_MAX);

    if (is_full(b))
        return false;
    b->m[b->n++] = (struct search_message){
        .id = m->id,
        .seq = m->seq,
        .role = m->role,
        .at_ms = m->at_ms,
        .text = arena_memdup0(&b->arena, m->text, len),
        .text_len = len,
    };
    b->bytes += len;
    b->next = m->seq + 1;
    return true;
}

static enum err
flush(struct index_beside *ib)
{
    struct index_bulk *b = ib->bulk;
    enum err e = OK;

    if (b->n > 0)
        e = search_add(ib->search, b->m, b->n, SEARCH_CURSOR_KEEP);
    b->added += e == OK ? b->n : 0;
    b->n = b->bytes = 0;
    arena_release(&b->arena);
    arena_init(&b->arena);
    return e;
}

/* The messages from b->next on, as far as there is room. *more: there are
 * others. */
static enum err
gather(struct index_beside *ib, const char *owner, const char *id, uint64_t *no,
       bool *more)
{
    struct index_bulk *b = ib->bulk;
    size_t first = b->n;
    struct session s;
    enum err e = store_all_messages(ib->store, owner, id, b->next,
                                    BULK_MESSAGES, &s, take, b);
    char *owner_copy, *id_copy;

    *more = false;
    if (e != OK || (*no != 0 && s.no != *no)) { /* it is another one by now */
        b->n = first;
        return OK;
    }
    owner_copy = arena_strdup(&b->arena, s.owner);
    id_copy = arena_strdup(&b->arena, s.id);
    for (size_t i = first; i < b->n; i++) {
        b->m[i].owner = owner_copy;
        b->m[i].session_id = id_copy;
        b->m[i].session_no = s.no;
    }
    *no = s.no;
    *more = b->next < s.n_messages && (b->n > first || is_full(b));
    return OK;
}

enum err
index_beside_add(struct index_beside *ib, const char *owner,
                 const char *session_id)
{
    uint64_t no = 0;
    bool more = true;
    enum err e = OK;

    ib->bulk->next = 0;
    while (e == OK && more) {
        e = gather(ib, owner, session_id, &no, &more);
        if (e == OK && is_full(ib->bulk))
            e = flush(ib);
    }
    return e;
}

/* --- beside a server ------------------------------------------------------ */

static uint64_t
new_stamp(void)
{
    uint64_t stamp;

    do
        ident_random(&stamp, sizeof(stamp));
    while (stamp <= WALK_DONE || stamp > INT64_MAX);
    return stamp;
}

enum err
index_beside_begin(struct index_beside *ib)
{
    uint64_t cursor = 0;
    enum err e = flush(ib);

    if (e == OK)
        e = search_cursor(ib->search, &cursor);
    if (e != OK || cursor == 0 || cursor == ib->stamp)
        return e;
    ib->was_whole = cursor == WALK_DONE;
    ib->stamp = new_stamp();
    return search_add(ib->search, NULL, 0, ib->stamp);
}

enum err
index_beside_end(struct index_beside *ib)
{
    uint64_t cursor = 0;
    enum err e = flush(ib);

    if (e == OK)
        e = search_cursor(ib->search, &cursor);
    if (e == OK && cursor == ib->stamp && cursor != 0 && ib->was_whole)
        e = search_add(ib->search, NULL, 0, WALK_DONE);
    return e;
}

/* --- all of it ------------------------------------------------------------ */

static enum err
add_one(void *arg, const char *owner, const char *id)
{
    return index_beside_add(arg, owner, id);
}

typedef void progress_fn(void *arg, uint64_t messages);

/* Put all that the store has into an index that has nothing. */
static enum err
fill(struct index_beside *ib, progress_fn *progress, void *arg)
{
    uint64_t next = 0;
    enum err e;

    /* What cannot be read is left out here: the walk that follows says why. */
    do {
        e = feed_each(ib->store, &next, add_one, ib);
        if (progress != NULL)
            progress(arg, ib->bulk->added);
    } while (e == OK && next != 0);
    return e == OK ? flush(ib) : e;
}

/* Wait for whoever keeps it locked, but not for ever. */
static enum err
reset(struct index_beside *ib)
{
    enum err e = ERR_BUSY;

    for (int i = 0; i < TRIES && e == ERR_BUSY; i++)
        e = search_reset(ib->search);
    return e;
}

enum err
index_beside_rebuild(struct index_beside *ib, progress_fn *progress, void *arg)
{
    uint64_t before, added = 0; /* of walks that were given up */
    enum err e = reset(ib);
    bool over;
    int busy = 0;

    if (e != OK)
        return e;                      /* what is in it is the old index */
    ib->bulk->n = ib->bulk->bytes = 0; /* it comes again */
    ib->bulk->added = 0;
    e = fill(ib, progress, arg);
    over = e != OK && e != ERR_BUSY;
    before = ib->bulk->added;
    /* What was said or deleted meanwhile; and it says that the index is whole.
     */
    while (!over) {
        e = walk_step(&ib->walker, &over);
        /* Then the next step begins anew, and adds what is missing. */
        over |= e != OK && (e != ERR_BUSY || ++busy == TRIES);
        if (ib->walker.feed.added < added)
            before += added;
        added = ib->walker.feed.added;
        if (progress != NULL)
            progress(arg, before + added);
    }
    return e;
}

/*
 * parley reindex: throws the index of words away and makes it from the store. A
 * server may go on: it uses the same file, so its searches find what is in it
 * by then, and what is said meanwhile it adds itself.
 *
 * The old one does not answer until the new one is there: a second file beside
 * it would hold people's words, and if this program were killed nobody would
 * take out of it what they delete.
 */
#include "base/base.h"

#include "cli.h"

#include "chat/index_beside.h"

struct reindex {
    struct cli_bar bar;
    uint64_t all; /* messages of the store */
};

static void
on_progress(void *arg, uint64_t messages)
{
    struct reindex *r = arg;
    char text[64];

    (void)snprintf(text, sizeof(text), "%" PRIu64 " messages", messages);
    cli_bar_show(&r->bar, messages, r->all, text);
}

static int
rebuild(struct index_beside *ib, struct store *store)
{
    struct reindex r;
    struct store_stats stored;
    struct search_stats have;
    enum err e;

    store_stats(store, &stored);
    r.all = stored.messages;
    cli_bar_init(&r.bar, "index");
    e = index_beside_rebuild(ib, on_progress, &r);
    cli_bar_end(&r.bar);
    if (e == OK)
        e = search_stats(ib->search, &have);
    if (e == ERR_BUSY)
        return cli_fail("another process keeps the index in %s locked",
                        ib->dir);
    if (e == ERR_FULL)
        return cli_fail("no room for the index in %s", ib->dir);
    if (e != OK)
        return cli_fail("the index in %s cannot be made; the log above says "
                        "why",
                        ib->dir);
    (void)printf("%s: %" PRIu64 " messages of %" PRIu64 " sessions, %" PRIu64
                 " bytes\n",
                 ib->dir, have.messages, have.sessions, have.bytes);
    return CLI_OK;
}

int
cli_reindex(int argc, char **argv)
{
    struct index_beside ib;
    struct store *store;
    int status;

    (void)argv;
    if (argc != 0)
        return cli_wrong("reindex");
    if (!cli_has_store(cli_store()))
        return cli_fail("there is no store in %s", cli_store());
    if (cli_open_store(&store) != OK)
        return cli_fail("the store in %s cannot be opened", cli_store());
    if (index_beside_open(&ib, store, cli_index()) == OK)
        status = rebuild(&ib, store);
    else
        status = cli_fail("the name %s is too long", cli_index());
    index_beside_close(&ib);
    store_close(store);
    return status;
}

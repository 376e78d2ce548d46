/*
 * parley fsck: is all of the store as it should be? Each fault is a line on
 * stdout, and the last line says how many there are. A server may go on. The
 * index of words beside the store is looked at, too.
 */
#include "base/base.h"

#include "cli.h"

#include <unistd.h>

#include "base/conf.h"
#include "base/process.h"
#include "store/search.h"

void
cli_print_fault(void *arg, const char *db, const char *key, const char *what,
                bool fixable)
{
    (void)fprintf(arg, "%s %s: %s%s\n", db, key, what,
                  fixable ? " (can be repaired)" : "");
}

void
cli_print_result(FILE *to, const struct fsck_result *r, bool repair)
{
    (void)fprintf(to,
                  "%" PRIu64 " sessions, %" PRIu64 " messages, %" PRIu64
                  " turns, %" PRIu64 " owners: ",
                  r->sessions, r->messages, r->turns, r->owners);
    if (r->faults == 0)
        (void)fputs("no faults\n", to);
    else if (repair)
        (void)fprintf(to, "faults %" PRIu64 ", left %" PRIu64 "\n", r->faults,
                      r->left);
    else
        (void)fprintf(to, "faults %" PRIu64 ", can be repaired %" PRIu64 "\n",
                      r->faults, r->fixable);
}

/* A folder without a table of readers was never opened since it was made. */
static bool
is_still(const char *dir)
{
    char lock[PROCESS_PATH_MAX];

    return (size_t)snprintf(lock, sizeof(lock), "%s/lock.mdb", dir) <
               sizeof(lock) &&
           access(lock, F_OK) != 0;
}

/* What is wrong with the index of words, which is not the truth of anything. */
static bool
index_is_sound(void)
{
    bool damaged = false;
    enum err e = search_check(cli_index(), &damaged);

    if (damaged)
        (void)printf("search: the index of words is damaged: parley reindex "
                     "makes it anew\n");
    else if (e != OK)
        (void)fprintf(stderr,
                      "parley: the index of words in %s cannot be "
                      "checked: %s\n",
                      cli_index(), err_text(e));
    return !damaged;
}

int
cli_fsck(int argc, char **argv)
{
    struct fsck_config c = {.fault = cli_print_fault, .arg = stdout};
    struct fsck_result r;
    bool own, sound;
    enum err e;

    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--repair") == 0)
            c.repair = true;
        else if (argv[i][0] != '-' && c.dir == NULL)
            c.dir = argv[i];
        else
            return cli_wrong("fsck");
    }
    own = c.dir == NULL;
    if (own)
        c.dir = cli_store();
    else
        c.still = !c.repair && is_still(c.dir);
    c.map_bytes = (size_t)conf_int(CONF_STORE_MAP_MIB) << 20;
    e = fsck_run(&c, &r);
    if (e == ERR_NOTFOUND)
        return cli_fail("there is no store in %s", c.dir);
    if (e == ERR_FULL)
        return cli_fail("no room to repair the store in %s", c.dir);
    if (e != OK)
        return cli_fail("cannot check the store in %s", c.dir);
    sound = !own || index_is_sound();
    cli_print_result(stdout, &r, c.repair);
    return r.left == 0 && sound ? CLI_OK : CLI_FAULTS;
}

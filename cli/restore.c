/*
 * parley restore: puts a backup in place of the store. The server must be
 * stopped; the old store is kept.
 *
 * Logins do not come back: among them are such as somebody has ended since, on
 * a device that is lost, say. A key that was revoked since is another matter,
 * for people's programs work with the others: so that is told.
 */
#include "base/base.h"

#include "cli.h"

#include "auth/login.h"
#include "base/conf.h"
#include "store/backup.h"

int
cli_restore(int argc, char **argv)
{
    struct backup b = {.store = cli_store(),
                       .fault = cli_print_fault,
                       .arg = stderr,
                       .ended = login_record_names};
    const char *from = NULL;
    bool force = false;
    enum err e;

    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--force") == 0)
            force = true;
        else if (argv[i][0] != '-' && argv[i][0] != '\0' && from == NULL)
            from = argv[i];
        else
            return cli_wrong("restore");
    }
    if (from == NULL)
        return cli_wrong("restore");
    e = backup_restore(&b, conf_str(CONF_DATA_DIR), from, force);
    if (e != OK) {
        (void)cli_fail("%s", b.why);
        if (b.kept[0] != '\0')
            (void)cli_fail("the old store is in %s", b.kept);
        if (e != ERR_BADREQ || b.found.faults == 0)
            return CLI_FAILED;
        (void)cli_fail("nothing was changed; --force restores it as it is");
        return CLI_FAULTS;
    }
    (void)printf("%s is the store from %s\n", b.store, from);
    cli_print_result(stdout, &b.found, false);
    if (b.kept[0] != '\0')
        (void)printf("the old store is in %s\n", b.kept);
    (void)puts("the stream log and the index of words were removed; they are "
               "made again");
    (void)puts("everybody is signed out; API keys and budgets are as they were "
               "then: one that was revoked since is good again (see them with "
               "parley keys)");
    return CLI_OK;
}

/*
 * parley backup: a copy of the store as it is at one moment, checked. Nothing
 * stops for it.
 */
#include "base/base.h"

#include "cli.h"

#include "store/backup.h"

int
cli_backup(int argc, char **argv)
{
    struct backup b = {
        .store = cli_store(), .fault = cli_print_fault, .arg = stderr};

    if (argc != 1 || argv[0][0] == '-' || argv[0][0] == '\0')
        return cli_wrong("backup");
    if (backup_make(&b, argv[0]) != OK)
        return cli_fail("%s", b.why);
    (void)printf("%s: %" PRIu64 " bytes\n", argv[0], b.found.bytes);
    cli_print_result(stdout, &b.found, false);
    if (b.found.faults == 0)
        return CLI_OK;
    (void)cli_fail("the copy is as the store is: parley fsck --repair mends "
                   "what can be");
    return CLI_FAULTS;
}

/*
 * parley, the program for whoever keeps a Parley: it checks the store, copies
 * it, puts a copy back, writes all conversations out and takes others in.
 * Settings are those
 * of the server, from .env and the environment; what it works on is DATA_DIR.
 *
 * A command is a row: its name, its arguments, its help and its function, in a
 * file of its own. `parley help` prints the rows.
 */
#include "base/base.h"

#include "cli.h"

#include <stdarg.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/log.h"
#include "base/process.h"

static cli_fn cli_help, cli_version;

static const struct command {
    const char *name, *arguments, *help;
    cli_fn *run;
} commands[] = {
    {"chat", "[OPTION…] [MESSAGE…]", "talk with a server", cli_chat},
    {"doctor", "[OPTION…] [URL]",
     "check this installation, and the path to a server", cli_doctor},
    {"fsck", "[--repair] [DIR]",
     "check the store (or a backup), and mend what can be", cli_fsck},
    {"backup", "DIR", "copy the store into a new folder, while it is used",
     cli_backup},
    {"restore", "DIR [--force]", "put a backup in place of the store",
     cli_restore},
    {"export", "--all [--format json|jsonl|md]",
     "write all conversations to stdout", cli_export},
    {"import", "[--owner NAME] [--format FORMAT] FILE…",
     "put conversations of files into the store, while it is used", cli_import},
    {"reindex", "", "make the index of words anew from the store", cli_reindex},
    {"index", "[--owner NAME] [--name NAME] [--describe] FOLDER…",
     "put the files of folders into the index of files", cli_index_files},
    {"passwd", "[--stdin | --delete] FILE USER | --check FILE",
     "set a user's password in a file of accounts", cli_passwd},
    {"keys", "make|list|revoke [OPTION…]",
     "API keys, made, listed and revoked while the server runs", cli_keys},
    {"audit", "verify|show [OPTION…]", "check the audit log, or print it",
     cli_audit},
    {"version", "", "what this is", cli_version},
    {"help", "", "this list", cli_help},
};

int
cli_fail(const char *fmt, ...)
{
    va_list ap;

    (void)fputs("parley: ", stderr);
    va_start(ap, fmt);
    (void)vfprintf(stderr, fmt, ap);
    va_end(ap);
    (void)fputc('\n', stderr);
    return CLI_FAILED;
}

int
cli_wrong(const char *command)
{
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        if (strcmp(command, commands[i].name) == 0)
            (void)fprintf(stderr, "usage: parley %s %s\n", command,
                          commands[i].arguments);
    return CLI_USAGE;
}

const char *
cli_store(void)
{
    static char dir[PROCESS_PATH_MAX];

    (void)snprintf(dir, sizeof(dir), "%s/store", conf_str(CONF_DATA_DIR));
    return dir;
}

const char *
cli_index(void)
{
    static char dir[PROCESS_PATH_MAX];

    (void)snprintf(dir, sizeof(dir), "%s/search", conf_str(CONF_DATA_DIR));
    return dir;
}

bool
cli_has_store(const char *dir)
{
    char data[PROCESS_PATH_MAX];

    return (size_t)snprintf(data, sizeof(data), "%s/data.mdb", dir) <
               sizeof(data) &&
           access(data, F_OK) == 0;
}

enum err
cli_open_store(struct store **out)
{
    struct store_config sc = {
        .dir = cli_store(),
        .map_bytes = (size_t)conf_int(CONF_STORE_MAP_MIB) << 20,
        .session_ttl_ms = 1000 * conf_int(CONF_SESSION_TTL)};

    return store_open(out, &sc);
}

static int
cli_version(int argc, char **argv)
{
    (void)argv;
    if (argc != 0)
        return cli_wrong("version");
    (void)puts("parley " PARLEY_VERSION);
    return CLI_OK;
}

static int
cli_help(int argc, char **argv)
{
    (void)argc, (void)argv;
    (void)puts("usage: parley COMMAND …\n");
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        (void)printf("  %-7s  %-31s  %s\n", commands[i].name,
                     commands[i].arguments, commands[i].help);
    (void)printf("\nThe data folder is %s (DATA_DIR).\n",
                 conf_str(CONF_DATA_DIR));
    return CLI_OK;
}

int
main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "help";
    char root[PROCESS_PATH_MAX];

    log_set_level(LOG_WARN);
    process_root(root);
    IGNORE(conf_load(root)); /* mistakes are logged; defaults serve */
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    if (strcmp(name, "--version") == 0)
        name = "version";
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        int status;

        if (strcmp(name, commands[i].name) != 0)
            continue;
        if (argc > 2 && strcmp(argv[2], "--help") == 0 &&
            commands[i].run != cli_chat && /* these have lists of their own */
            commands[i].run != cli_doctor && commands[i].run != cli_keys &&
            commands[i].run != cli_audit && commands[i].run != cli_index_files)
            return cli_help(0, NULL);
        status = commands[i].run(argc > 2 ? argc - 2 : 0, argv + 2);
        if (fflush(stdout) != 0 || ferror(stdout))
            return cli_fail("cannot write: %s", strerror(errno));
        return status;
    }
    (void)cli_fail("there is no command %s; parley help lists them", name);
    return CLI_USAGE;
}

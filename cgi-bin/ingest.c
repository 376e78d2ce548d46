/*
 * The program that reads files which may be hostile. It is started by the
 * others and not by people, and never by a web server:
 *
 *   ingest --extract KIND   reads the file on descriptor 0, writes records of
 *                           what it says to 1 (files/extract.h), and ends
 *   ingest --serve          serves the chat program that started it, by the
 *                           socket on descriptor 3 (files/broker.h)
 *
 * It stands beside the programs of the web server because they find it there.
 * Started as one of them it answers nothing and ends.
 */
#include "base/base.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "files/broker.h"
#include "files/extract.h"

#define SOCKET 3 /* descriptor */

/* Parley's own documents and pictures, for who has no files yet; and the folder
 * of the settings. */
static int
serve(void)
{
    char root[PROCESS_PATH_MAX], dir[PROCESS_PATH_MAX];
    char samples[PROCESS_PATH_MAX];
    enum log_level level;
    struct serve s = {.dir = dir};
    struct serve_folder folders[] = {
        {FILES_OWN_DOCUMENTS, "", "README.md,docs"},
        {FILES_OWN_IMAGES, "", NULL},
        {"Files", "", NULL},
    };

    process_root(root);
    log_set_level(LOG_ERROR); /* the program that started this one said all */
    IGNORE(conf_load(root));
    log_set_level(LOG_INFO);
    if (log_level_parse(conf_str(CONF_LOG_LEVEL), &level))
        log_set_level(level);
    if (snprintf(dir, sizeof(dir), "%s/files", conf_str(CONF_DATA_DIR)) >=
            (int)sizeof(dir) ||
        snprintf(samples, sizeof(samples), "%s/etc/demo", root) >=
            (int)sizeof(samples))
        return 1;
    if (!text_ieq(conf_str(CONF_FILES_SAMPLES), "off")) {
        folders[0].root = root;
        folders[1].root = samples;
    }
    folders[2].root = conf_str(CONF_FILES_DIR);
    s.folder = folders;
    s.n_folders = COUNT_OF(folders);
    s.sandbox = !text_ieq(conf_str(CONF_SANDBOX), "off");
    s.every_s = (int)conf_int(CONF_FILES_EVERY_S);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)umask(077);
    return serve_keep(&s, SOCKET);
}

/* A web server may pass a query on as an argument; what it starts has no such
 * socket. */
static bool
has_socket(void)
{
    int type = 0;
    socklen_t len = sizeof(type);

    return getsockopt(SOCKET, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
           type == SOCK_SEQPACKET;
}

int
main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--serve") == 0 && has_socket())
        return serve();
    if (getenv("GATEWAY_INTERFACE") != NULL || getenv("FCGI_ROLE") != NULL)
        return 2;
    if (argc == 3 && strcmp(argv[1], "--extract") == 0)
        return extract_child(argv[2]);
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        (void)puts("ingest " PARLEY_VERSION);
        return 0;
    }
    (void)fputs("ingest: a part of Parley, started by its other programs\n"
                "  --extract KIND  read the file on descriptor 0\n"
                "  --serve         serve the chat program, on descriptor 3\n"
                "  --version\n",
                stderr);
    return 2;
}

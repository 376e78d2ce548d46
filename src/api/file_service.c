/*
 * The process that reads files is started first, since nothing can be started
 * once the sandbox is entered. Where it cannot be, what is in the index can
 * still be searched.
 */
#include "base/base.h"

#include "api/file_service.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/log.h"
#include "base/text.h"
#include "chat/file_embed.h"
#include "chat/retrieve.h"
#include "chat/sight.h"
#include "files/broker.h"

#define PROGRAM "ingest" /* beside the one that runs */

static bool
is_on(void)
{
    return !text_ieq(conf_str(CONF_FILES), "off");
}

/* A process for one request: does it need the other one at all? */
static bool
is_about_files(void)
{
    static const char *const of[] = {"/files", "-chat", "/api/chat"};
    const char *const paths[] = {getenv("REQUEST_URI"), getenv("PATH_INFO")};

    for (size_t i = 0; i < COUNT_OF(paths); i++)
        for (size_t k = 0; paths[i] != NULL && k < COUNT_OF(of); k++)
            if (strstr(paths[i], of[k]) != NULL)
                return true;
    return false;
}

void
file_service_begin(struct app *app)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    char *slash;

    if (!is_on() || n <= 0 || (app->one && !is_about_files()))
        return;
    path[n] = '\0';
    slash = strrchr(path, '/');
    if (slash == NULL ||
        (size_t)(slash - path) + sizeof("/" PROGRAM) > sizeof(path))
        return;
    (void)memcpy(slash + 1, PROGRAM, sizeof(PROGRAM));
    if (access(path, X_OK) != 0) {
        log_warn("files.broker", "program=%s error=\"%s\"", path,
                 strerror(errno));
        return;
    }
    app->broker = broker_start(path);
}

static enum err
open_file(void *arg, int64_t document, int *fd)
{
    return broker_open(arg, document, fd);
}

void
file_service_open(struct app *app)
{
    char dir[PATH_MAX];
    struct files *f;

    if (!is_on() ||
        snprintf(dir, sizeof(dir), "%s/" FILE_SERVICE_DIR,
                 conf_str(CONF_DATA_DIR)) >= (int)sizeof(dir) ||
        files_open(dir, &f) != OK)
        return; /* the log says why */
    app->files = f;
    retrieve_use(app->en, f);
    sight_use(app->en, open_file, app->broker);
    file_embed_begin(app->en, !app->one);
}

void
file_service_close(struct app *app)
{
    files_close(app->files);
    app->files = NULL;
}

void
file_service_end(struct app *app)
{
    broker_stop(app->broker);
    app->broker = NULL;
}

/*
 * The chat program. Started with a listening socket as fd 0 it serves FastCGI;
 * with --engine it serves what chat.cgi hands over, and leaves when it is idle;
 * with --one it answers the one CGI request of its environment, for hosts that
 * allow no process to stay.
 */
#include "base/base.h"

#include "api/app.h"
#include "api/server.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/process.h"
#include "http/door.h"
#include "provider/models.h"

static int
usage(void)
{
    (void)puts("chat: a FastCGI program; chat.cgi is its plain CGI front\n"
               "  --engine       serve plain CGI requests, leave when idle\n"
               "  --one          answer one plain CGI request\n"
               "  --check        may it start with these settings?\n"
               "  --print-env    every setting, as .env.example\n"
               "  --print-table  every setting, as a Markdown table\n"
               "  --print-models what is known of models, as etc/models.json\n"
               "  --print-routes every address of the API\n"
               "  --version");
    return 2;
}

/* The log says which file, and what to do. */
static int
refuse(bool cgi)
{
    log_error("conf.refused", "error=\"%s\"", conf_refusal());
    if (cgi)
        (void)puts(
            "Status: 503 Service Unavailable\r\n"
            "Content-Type: application/json\r\n"
            "Cache-Control: no-store\r\n\r\n"
            "{\"error\":\"The server is not set up\",\"message\":\"Its log "
            "says what is missing.\",\"code\":\"not_set_up\"}");
    return 1;
}

static int
serve(enum server_mode mode)
{
    char root[PROCESS_PATH_MAX];
    enum log_level level;

    process_root(root);
    IGNORE(conf_load(root)); /* mistakes are logged; defaults serve */
    if (log_level_parse(conf_str(CONF_LOG_LEVEL), &level))
        log_set_level(level);
    if (conf_refusal() != NULL)
        return refuse(mode == SERVER_ONE);
    return server_run(mode);
}

/* For who starts a web server: what is said here is said in time. */
static int
check(void)
{
    char root[PROCESS_PATH_MAX];

    process_root(root);
    log_set_level(LOG_ERROR); /* the rest is told by the start itself */
    IGNORE(conf_load(root));
    if (conf_refusal() == NULL)
        return 0;
    (void)fprintf(stderr, "%s\n", conf_refusal());
    return 1;
}

int
main(int argc, char **argv)
{
    const char *what = argc == 2 ? argv[1] : "";

    if (argc == 1 && door_is_fcgi())
        return serve(SERVER_FCGI);
    if (strcmp(what, "--engine") == 0)
        return serve(SERVER_ENGINE);
    if (strcmp(what, "--one") == 0)
        return serve(SERVER_ONE);
    if (strcmp(what, "--check") == 0)
        return check();
    if (strcmp(what, "--print-env") == 0)
        conf_print_env(stdout);
    else if (strcmp(what, "--print-table") == 0)
        conf_print_table(stdout);
    else if (strcmp(what, "--print-models") == 0)
        models_print(stdout);
    else if (strcmp(what, "--print-routes") == 0)
        app_print_routes(stdout);
    else if (strcmp(what, "--version") == 0)
        (void)puts("parley " APP_VERSION);
    else
        return usage();
    return 0;
}

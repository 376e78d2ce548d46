/*
 * The web servers of this machine: is Parley in their configuration, and is
 * there a line beside it that is known to do harm? A .htaccess beside the
 * program is looked at likewise. Only files that mention Parley are: what else
 * a web server serves is its own affair.
 */
#include "base/base.h"

#include "doctor.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/process.h"
#include "ops/web_line.h"

#define CONFIG_MAX (1 << 20) /* bytes of a web server's file */

static const struct web_server {
    const char *name, *program, *include;
    enum web_kind kind;
    const char *folders[5];
} web_servers[] = {
    {"lighttpd",
     "lighttpd",
     "lighttpd/parley.conf",
     WEB_LIGHTTPD,
     {"/etc/lighttpd", "/etc/lighttpd/conf-enabled", NULL}},
    {"Apache",
     "apache2",
     "apache/parley.conf",
     WEB_APACHE,
     {"/etc/apache2/sites-enabled", "/etc/apache2/conf-enabled",
      "/etc/httpd/conf", "/etc/httpd/conf.d", NULL}},
    {"nginx",
     "nginx",
     "nginx/parley.conf",
     WEB_NGINX,
     {"/etc/nginx", "/etc/nginx/sites-enabled", "/etc/nginx/conf.d", NULL}},
};

static bool
is_installed(const char *program)
{
    static const char *const folders[] = {"/usr/sbin", "/usr/local/sbin",
                                          "/usr/bin", "/usr/local/bin"};
    char path[PROCESS_PATH_MAX];

    for (size_t i = 0; i < COUNT_OF(folders); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", folders[i], program);
        if (access(path, X_OK) == 0)
            return true;
    }
    return false;
}

/* Does a line of the file that is no comment mention Parley? */
static bool
file_mentions(const char *path)
{
    FILE *f = fopen(path, "re");
    char line[4096];
    size_t read = 0;
    bool found = false;

    if (f == NULL)
        return false;
    while (!found && read < CONFIG_MAX && fgets(line, sizeof(line), f)) {
        read += strlen(line);
        found = line[strspn(line, " \t")] != '#' &&
                (strcasestr(line, "parley") != NULL ||
                 strstr(line, "chat.cgi") != NULL);
    }
    (void)fclose(f);
    return found;
}

/* The first file of the folder that does; false: none. */
static bool
folder_mentions(const char *folder, char path[PROCESS_PATH_MAX])
{
    DIR *dir = opendir(folder);
    const struct dirent *e;
    bool found = false;

    /* cppcheck-suppress readdirCalled */
    while (!found && dir != NULL && (e = readdir(dir)) != NULL) {
        struct stat st;
        int n = snprintf(path, PROCESS_PATH_MAX, "%s/%s", folder, e->d_name);

        found = e->d_name[0] != '.' && n < PROCESS_PATH_MAX &&
                stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
                file_mentions(path);
    }
    if (dir != NULL)
        (void)closedir(dir);
    return found;
}

/* --- lines that do harm --------------------------------------------------- */

static const struct {
    const char *what;
    enum doctor_advice advice;
} harms[] = {
    [WEB_BUFFERS] = {"holds answers back", ADVICE_BUFFERING},
    [WEB_COMPRESSES] = {"compresses streams of events", ADVICE_COMPRESSION},
    [WEB_DROPS] = {"takes a header away on which resuming depends",
                   ADVICE_HEADERS},
    [WEB_SHORT] = {"refuses requests that are shorter than BODY_MAX_KIB",
                   ADVICE_BODY},
};

/* web: as a Server header would have it. */
static void
look_for_harm(struct doctor *d, enum web_kind kind, const char *web,
              const char *path)
{
    int64_t body_max = conf_int(CONF_BODY_MAX_KIB) << 10;
    FILE *f = fopen(path, "re");
    char line[4096];
    size_t read = 0;

    for (int n = 1;
         f != NULL && read < CONFIG_MAX && fgets(line, sizeof(line), f) != NULL;
         n++) {
        enum web_harm harm = web_line(kind, line, body_max);

        read += strlen(line);
        if (harm == WEB_HARMLESS)
            continue;
        doctor_say(d, DOCTOR_WARN, "web-config", "%s, line %d, %s", path, n,
                   harms[harm].what);
        (void)snprintf(d->server, sizeof(d->server), "%s", web);
        doctor_advise(d, harms[harm].advice);
        d->server[0] = '\0'; /* nobody was asked yet */
    }
    if (f != NULL)
        (void)fclose(f);
}

static void
look_at_htaccess(struct doctor *d)
{
    char path[PROCESS_PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/.htaccess", conf_root());
    if (!file_mentions(path))
        return;
    doctor_say(d, DOCTOR_OK, "web-server", "Apache knows Parley by %s", path);
    look_for_harm(d, WEB_APACHE, "Apache", path);
}

void
doctor_web_servers(struct doctor *d)
{
    char path[PROCESS_PATH_MAX];
    bool any = false;

    look_at_htaccess(d);
    for (size_t i = 0; i < COUNT_OF(web_servers); i++) {
        const struct web_server *w = &web_servers[i];
        bool found = false;

        if (!is_installed(w->program))
            continue;
        any = true;
        for (size_t k = 0; !found && w->folders[k] != NULL; k++)
            found = folder_mentions(w->folders[k], path);
        if (found) {
            doctor_say(d, DOCTOR_OK, "web-server", "%s knows Parley by %s",
                       w->name, path);
            look_for_harm(d, w->kind, w->name, path);
            continue;
        }
        doctor_say(d, DOCTOR_NOTE, "web-server",
                   "%s is installed, and its configuration does not mention "
                   "Parley",
                   w->name);
        doctor_change(d, "shell", "see %s/%s: include it, or `make run`",
                      conf_root(), w->include);
    }
    if (!any)
        doctor_say(d, DOCTOR_NOTE, "web-server",
                   "neither lighttpd nor Apache nor nginx is on this machine");
}

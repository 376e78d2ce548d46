/*
 * Which files the sandbox leaves. Folders rather than files where somebody may
 * replace a file (the resolver's, certificates, accounts): a rule is of the
 * file that was there.
 *
 * /etc and /usr as a whole, to be read: what looking up a host and checking a
 * certificate read differs between distributions, and modules of the C library
 * are loaded when the first name is looked up. Nothing there is secret from the
 * user who runs the program, unless that is root. What is secret from the web
 * (homes, other sites, other programs' data and run folders) lies elsewhere.
 *
 * /proc is for the state of other engines' processes; the kernel keeps who is
 * in a sandbox from the memory and the environment of those who are not.
 */
#include "base/base.h"

#include "api/confine.h"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/conf_rows.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sandbox.h"
#include "base/text.h"

#define PATHS_MAX 96

struct paths {
    char *path[PATHS_MAX + 1]; /* owned; ended by NULL */
    size_t n;
};

/* Of the system. What is not there is left out. */
static const char *const system_paths[] = {
    "/etc",         "/usr",        "/lib",
    "/lib32",       "/lib64",      "/nix/store",
    "/gnu/store",   "/proc",       "/sys/devices/system/cpu",
    "/dev/urandom", "/dev/random",
};

/* Links that lead out of /etc; where to is the distribution's business. */
static const char *const system_links[] = {
    "/etc/resolv.conf",   "/etc/hosts",
    "/etc/nsswitch.conf", "/etc/ssl/certs",
    "/etc/localtime",     "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs",
};

/* Below the project folder. .env is not: it was read. */
static const char *const own_paths[] = {"etc", "static", "docs", "README.md"};

static void
add(struct paths *p, const char *path)
{
    if (p->n < PATHS_MAX && strcmp(path, "/") != 0)
        p->path[p->n++] = xstrdup(path);
}

/* The folder that a file lies in, once links are followed. */
static void
add_folder_of(struct paths *p, const char *file)
{
    char *real = realpath(file, NULL);
    char *path = real != NULL ? real : xstrdup(file);
    char *slash = strrchr(path, '/');

    if (slash != NULL && slash != path) {
        *slash = '\0';
        add(p, path);
    }
    free(path);
}

/* Files that settings name. */
static void
add_settings(struct paths *p)
{
    for (size_t k = 0; k < CONF__MAX; k++) {
        const char *s = conf_str((enum conf_key)k);

        if (k == CONF_DATA_DIR || k == CONF_AWS_CONFIG_FILE ||
            k == CONF_AWS_SHARED_CREDENTIALS_FILE)
            continue;
        if ((conf_rows[k].type == PATH && *s != '\0') ||
            (conf_rows[k].type == LINE && !conf_rows[k].secret && *s == '/' &&
             access(s, R_OK) == 0))
            add_folder_of(p, s);
    }
}

static void
add_readable(struct paths *p)
{
    char path[PATH_MAX];

    for (size_t i = 0; i < COUNT_OF(system_paths); i++)
        add(p, system_paths[i]);
    for (size_t i = 0; i < COUNT_OF(system_links); i++)
        add_folder_of(p, system_links[i]);
    for (size_t i = 0; i < COUNT_OF(own_paths); i++)
        if (snprintf(path, sizeof(path), "%s/%s", conf_root(), own_paths[i]) <
            (int)sizeof(path))
            add(p, path);
    add_settings(p);
}

/* A folder and those above it. The store tells if that fails. */
static void
make_folders(const char *dir)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s", dir) >= (int)sizeof(path))
        return;
    for (char *s = path + 1; *s != '\0'; s++)
        if (*s == '/') {
            *s = '\0';
            (void)mkdir(path, 0700);
            *s = '/';
        }
    (void)mkdir(path, 0700);
}

static void
say(const struct sandbox_report *r)
{
    if (r->landlock > 0 && r->calls > 0)
        log_info("sandbox.on", "landlock=%d paths=%d calls=%d", r->landlock,
                 r->folders, r->calls);
    else
        log_warn("sandbox.part",
                 "landlock=%d paths=%d landlock_off=\"%s\" calls=%d "
                 "calls_off=\"%s\"",
                 r->landlock, r->folders, r->no_files ? r->no_files : "",
                 r->calls, r->no_calls ? r->no_calls : "");
}

void
confine(void)
{
    struct paths readable = {.n = 0};
    const char *data = conf_str(CONF_DATA_DIR);
    const char *change[] = {data, "/dev/null", NULL};
    struct sandbox s = {.change = change};
    struct sandbox_report report;

    make_folders(data);
    if (text_ieq(conf_str(CONF_SANDBOX), "off")) {
        log_info("sandbox.off", "reason=\"SANDBOX=off\"");
        return;
    }
    if (sandbox_is_hindrance()) {
        log_info("sandbox.off", "reason=\"built with a sanitizer\"");
        return;
    }
    add_readable(&readable);
    s.read = (const char *const *)readable.path;
    s.binds = conf_is_set(CONF_WS_LISTEN);
    sandbox_enter(&s, &report);
    say(&report);
    while (readable.n > 0)
        free(readable.path[--readable.n]);
}

/*
 * What is set, and what it stands on: names and values in .env, who may read
 * it, who answers, and the versions of libraries.
 */
#include "base/base.h"

#include "doctor.h"

#include <curl/curl.h>
#include <lmdb.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/process.h"
#include "ops/nearest.h"
#include "provider/provider.h"

/* --- settings ------------------------------------------------------------- */

struct asking {
    struct doctor *d;
    size_t faults;
};

static void
on_setting(void *arg, const struct conf_fault *f)
{
    struct asking *a = arg;
    const char *names[CONF__MAX], *meant;

    a->faults++;
    if (f->name == NULL) {
        doctor_say(a->d, DOCTOR_FAIL, "settings", ".env, line %d: %s", f->line,
                   f->rule);
        return;
    }
    if (!f->unknown) {
        doctor_say(a->d, DOCTOR_FAIL, "settings",
                   "%s %s; its default is in force", f->name, f->rule);
        return;
    }
    for (size_t k = 0; k < CONF__MAX; k++)
        names[k] = conf_name((enum conf_key)k);
    meant = nearest_name(f->name, names, CONF__MAX);
    doctor_say(a->d, DOCTOR_WARN, "settings",
               "%s in .env is no setting of Parley; nothing reads it", f->name);
    if (meant != NULL)
        doctor_change(a->d, ".env", "%s=…", meant);
}

static void
on_catalog(void *arg, const struct catalog_fault *f)
{
    struct asking *a = arg;

    a->faults++;
    if (f->line > 0)
        doctor_say(a->d, DOCTOR_FAIL, "settings", "%s, line %d: %s", f->name,
                   f->line, f->rule);
    else
        doctor_say(a->d, DOCTOR_FAIL, "settings", "%s %s", f->name, f->rule);
}

static void
look_at_env(struct doctor *d)
{
    char path[PROCESS_PATH_MAX];
    const char *refusal = conf_refusal();
    struct stat st;

    (void)snprintf(path, sizeof(path), "%s/.env", conf_root());
    if (refusal != NULL) {
        doctor_say(d, DOCTOR_FAIL, "settings-file",
                   "the program refuses to start: %s", refusal);
        doctor_change(d, "shell", "%s", strstr(refusal, "chmod"));
        return;
    }
    if (stat(path, &st) != 0)
        return;
    if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        doctor_say(d, DOCTOR_WARN, "settings-file",
                   "other users of this machine can read .env (mode %04o), and "
                   "a key may be in it one day",
                   (unsigned)st.st_mode & 07777);
        doctor_change(d, "shell", "chmod 600 '%s'", path);
    } else {
        doctor_say(d, DOCTOR_OK, "settings-file",
                   ".env is not readable by others (mode %04o)",
                   (unsigned)st.st_mode & 07777);
    }
}

static void
look_at_route(struct doctor *d)
{
    struct problem why = {.err = OK};
    struct route_choice route;

    if (catalog_route(NULL, NULL, &route, &why) != OK) {
        doctor_say(d, DOCTOR_FAIL, "provider", "nobody can answer: %s",
                   why.error);
        doctor_change(d, ".env", "OPENAI_API_KEY=… (or another provider's)");
    } else if (route.provider->answer != NULL) {
        doctor_say(d, DOCTOR_NOTE, "provider",
                   "no model answers: without a key Parley knows only its own "
                   "documents");
        doctor_change(d, ".env", "OPENAI_API_KEY=… (or another provider's)");
    } else {
        doctor_say(d, DOCTOR_OK, "provider", "%s answers, with %s",
                   route.provider->name, route.model);
    }
}

void
doctor_settings(struct doctor *d)
{
    struct asking a = {.d = d};

    conf_check(on_setting, &a);
    IGNORE(catalog_check(on_catalog, &a)); /* they are counted in a */
    if (a.faults == 0)
        doctor_say(d, DOCTOR_OK, "settings",
                   "all names and values are good; the folder of .env is %s",
                   conf_root());
    look_at_env(d);
    look_at_route(d);
}

/* --- libraries ------------------------------------------------------------ */

void
doctor_libraries(struct doctor *d)
{
    const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);

    if ((curl->features & CURL_VERSION_SSL) == 0) {
        doctor_say(d, DOCTOR_FAIL, "libraries",
                   "libcurl %s is without TLS: no provider can be asked",
                   curl->version);
        doctor_change(d, "shell", "apt-get install libcurl4");
        return;
    }
    if (sqlite3_compileoption_used("ENABLE_FTS5") == 0) {
        doctor_say(d, DOCTOR_FAIL, "libraries",
                   "SQLite %s is without FTS5: searches do not work",
                   sqlite3_libversion());
        doctor_change(d, "shell", "apt-get install libsqlite3-0");
        return;
    }
    doctor_say(d, DOCTOR_OK, "libraries",
               "parley %s, libcurl %s, %s, LMDB %d.%d.%d, SQLite %s",
               PARLEY_VERSION, curl->version, OpenSSL_version(OPENSSL_VERSION),
               MDB_VERSION_MAJOR, MDB_VERSION_MINOR, MDB_VERSION_PATCH,
               sqlite3_libversion());
}

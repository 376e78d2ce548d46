/*
 * What a reading process gives up: it can change nothing but the index, start
 * no program but those that read for it and their like of the system, speak to
 * no other machine, and make none of the system calls that a way out needs.
 *
 * It can still read what its user can. Which folders there are is said while
 * it runs (parley index), and a disk may be mounted in one after it began,
 * which no rule that was made before would let it see. What it reads goes to
 * the index and over its socket, and nowhere else.
 */
#include "base/base.h"

#include "files/serve_inside.h"

#include <limits.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sandbox.h"

/* The folder that this program, and the one that is started for a file, are in.
 */
static void
own_folder(char out[PATH_MAX])
{
    ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);
    char *slash;

    out[n > 0 ? n : 0] = '\0';
    slash = strrchr(out, '/');
    if (slash != NULL)
        *slash = '\0';
}

void
serve_confine(const struct serve *s)
{
    char own[PATH_MAX];
    const char *const read[] = {"/", NULL};
    const char *const change[] = {s->dir, "/dev/null", NULL};
    const char *const run[] = {own,          "/usr", "/lib", "/lib32",
                               "/lib64",     "/bin", "/opt", "/nix/store",
                               "/gnu/store", NULL};
    const struct sandbox sandbox = {.read = read, .change = change, .run = run};
    struct sandbox_report r;

    if (!s->sandbox || sandbox_is_hindrance())
        return;
    own_folder(own);
    sandbox_files(&sandbox, &r);
    if (r.no_calls == NULL)
        r.calls = sandbox_calls_of_reader(&r.no_calls);
    if (r.landlock > 0 && r.calls > 0)
        log_info("files.sandbox", "landlock=%d paths=%d calls=%d", r.landlock,
                 r.folders, r.calls);
    else
        log_warn("files.sandbox",
                 "landlock=%d paths=%d landlock_off=\"%s\" calls=%d "
                 "calls_off=\"%s\"",
                 r.landlock, r.folders, r.no_files ? r.no_files : "", r.calls,
                 r.no_calls ? r.no_calls : "");
}

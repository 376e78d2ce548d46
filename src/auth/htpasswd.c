/*
 * Who may sign in with a password: the table of the file, which is replaced as
 * a whole when the file changes, and auth/verify.h for what a password costs.
 *
 * One mutex guards the table; no file is read under it. A check copies the one
 * hash that it needs. Whoever comes a second after the last look is the one who
 * looks, and reads the file again if need be, while others use the old table.
 */
#include "base/base.h"

#include "auth/htpasswd.h"

#include <pthread.h>

#include "auth/htpasswd_file.h"
#include "auth/verify.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define FAULTS_LOGGED 20            /* of one reading */
#define FAULT_LINES_MAX (64 * 1024) /* bytes */
#define SETTLED_S 3 /* a file that is younger is read once more */
#define BUSY_RETRY_S 2

struct htpasswd {
    char *path; /* owned */
    struct verify *verify;
    pthread_mutex_t mu;           /* guards what follows */
    struct htpasswd_table *table; /* owned; never NULL */
    uint64_t generation;          /* of the table */
    int64_t looked_ms;            /* monotonic */
    bool looking;                 /* one thread looks at the file */
    /* of whoever made looking true; not under mu */
    struct stat read; /* the file when it was read last */
    int64_t read_s;   /* wall clock */
    bool wrong;       /* it could not be used then */
};

/* --- the file ----------------------------------------------------------- */

/* What is wrong with a reading's lines, to be logged if it counts. */
struct told {
    struct buf lines; /* each ends with a newline */
    size_t n;
};

static void
on_fault(void *arg, const struct htpasswd_fault *f)
{
    struct told *told = arg;

    if (++told->n > FAULTS_LOGGED)
        return;
    buf_addf(&told->lines, "line=%d user=\"%s\" error=\"%s\"", f->line, f->user,
             f->what);
    if (f->advice[0] != '\0')
        buf_addf(&told->lines, " advice=\"%s\"", f->advice);
    buf_addc(&told->lines, '\n');
}

static void
told_log(struct told *told, const char *path)
{
    const char *at = buf_cstr(&told->lines);

    while (*at != '\0') {
        size_t n = strcspn(at, "\n");

        log_warn("htpasswd.line", "file=\"%s\" %.*s", path, (int)n, at);
        at += n + (at[n] == '\n' ? 1 : 0);
    }
    if (told->n > FAULTS_LOGGED)
        log_warn("htpasswd.lines", "file=\"%s\" more=%zu", path,
                 told->n - FAULTS_LOGGED);
}

/* A reading that is taken. */
static void
table_log(const struct htpasswd_table *t, const char *path)
{
    if (t->open_to_all)
        log_warn("htpasswd.mode",
                 "file=\"%s\" error=\"everybody may read it\" "
                 "advice=\"chmod o-r\"",
                 path);
    log_info("htpasswd.read", "file=\"%s\" users=%zu faults=%zu", path, t->n,
             t->faults);
}

static bool
same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
           a->st_size == b->st_size && a->st_mode == b->st_mode &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Could the file have changed again without a trace, since its times
 * are those of a coarse clock? */
static bool
settled(const struct htpasswd *h)
{
    return h->read_s - h->read.st_ctim.tv_sec > SETTLED_S;
}

/* Under mu: the table is another one now. Takes it; *fresh is the old one. */
static void
adopt(struct htpasswd *h, struct htpasswd_table **fresh)
{
    struct htpasswd_table *old = h->table;

    h->table = *fresh;
    *fresh = old;
    h->generation++;
}

/* Read the file again. Only the one who looks is here. */
static void
renew(struct htpasswd *h)
{
    struct htpasswd_table *fresh = NULL;
    struct problem why = {0};
    struct stat st = {0};
    struct told told = {0};
    bool news;
    enum err e;

    buf_init(&told.lines, FAULT_LINES_MAX);
    e = htpasswd_table_read(&fresh, h->path, &st, on_fault, &told, &why);
    if (e == OK)
        news = fresh->size != h->table->size ||
               memcmp(fresh->text, h->table->text, fresh->size) != 0;
    else /* once for each state in which it is found */
        news = e != ERR_AGAIN && (!h->wrong || !same_file(&st, &h->read));
    if (news)
        told_log(&told, h->path);
    if (news && e != OK)
        log_error("htpasswd.file",
                  "error=\"%s\" note=\"the accounts of before are kept\"",
                  why.message);
    else if (news)
        table_log(fresh, h->path);
    if (e != ERR_AGAIN) {
        h->wrong = e != OK;
        h->read = st;
        h->read_s = clock_wall_ms() / 1000;
    }
    pthread_mutex_lock(&h->mu);
    if (news && e == OK)
        adopt(h, &fresh);
    pthread_mutex_unlock(&h->mu);
    htpasswd_table_free(fresh);
    buf_release(&told.lines);
}

/* Look at the file, if nobody did for a second; one thread at a time. */
static void
look(struct htpasswd *h)
{
    int64_t now_ms = clock_mono_ms();
    struct stat st;
    bool due;

    pthread_mutex_lock(&h->mu);
    due = !h->looking && now_ms - h->looked_ms >= HTPASSWD_LOOK_MS;
    if (due) {
        h->looking = true;
        h->looked_ms = now_ms;
    }
    pthread_mutex_unlock(&h->mu);
    if (!due)
        return;
    if (stat(h->path, &st) != 0 || !same_file(&st, &h->read) || !settled(h))
        renew(h);
    pthread_mutex_lock(&h->mu);
    h->looking = false;
    pthread_mutex_unlock(&h->mu);
}

static enum err
first_reading(struct htpasswd *h, struct problem *why)
{
    struct told told = {0};
    enum err e = ERR_AGAIN;

    buf_init(&told.lines, FAULT_LINES_MAX);
    for (int i = 0; e == ERR_AGAIN && i < 3; i++) { /* AGAIN: it is written */
        buf_clear(&told.lines);
        told.n = 0;
        e = htpasswd_table_read(&h->table, h->path, &h->read, on_fault, &told,
                                why);
    }
    told_log(&told, h->path);
    if (e == OK)
        table_log(h->table, h->path);
    h->read_s = clock_wall_ms() / 1000;
    buf_release(&told.lines);
    return e == ERR_AGAIN ? ERR_BADREQ : e;
}

enum err
htpasswd_open(struct htpasswd **out, const char *path, unsigned threads,
              struct problem *why)
{
    struct htpasswd *h = xcalloc(1, sizeof(*h));
    enum err e;

    *out = NULL;
    h->path = xstrdup(path);
    e = first_reading(h, why);
    if (e != OK) {
        free(h->path);
        free(h);
        return e;
    }
    h->looked_ms = clock_mono_ms();
    h->verify = verify_new(threads);
    (void)pthread_mutex_init(&h->mu, NULL);
    *out = h;
    return OK;
}

void
htpasswd_close(struct htpasswd *h)
{
    if (h == NULL)
        return;
    verify_free(h->verify);
    htpasswd_table_free(h->table);
    (void)pthread_mutex_destroy(&h->mu);
    free(h->path);
    free(h);
}

/* --- passwords ------------------------------------------------------------ */

/* What the table has for the user, or what takes as long for nobody; hash is
 * "" if nobody is in it. */
static struct verify_ask
ask_init(struct htpasswd *h, const char *user, const char *password,
         char hash[HTPASSWD_HASH_MAX + 1])
{
    struct verify_ask ask = {.user = user, .password = password, .hash = hash};
    const struct htpasswd_user *u;
    const char *from;

    pthread_mutex_lock(&h->mu);
    u = htpasswd_table_find(h->table, user);
    from = u != NULL ? u->hash : h->table->typical;
    (void)snprintf(hash, HTPASSWD_HASH_MAX + 1, "%s", from != NULL ? from : "");
    ask.never = u == NULL;
    ask.generation = h->generation;
    pthread_mutex_unlock(&h->mu);
    return ask;
}

static enum err
check(struct htpasswd *h, const char *user, const char *password)
{
    char hash[HTPASSWD_HASH_MAX + 1];
    struct verify_ask ask;
    enum err e;

    if (strlen(user) > HTPASSWD_USER_MAX ||
        strlen(password) > HTPASSWD_PASSWORD_MAX)
        return ERR_AUTH;
    ask = ask_init(h, user, password, hash);
    if (*hash == '\0')
        return ERR_AUTH; /* nobody is in the file: nothing to hide */
    e = verify_check(h->verify, &ask);
    explicit_bzero(hash, sizeof(hash));
    return e;
}

enum err
htpasswd_check(struct htpasswd *h, const char *user, const char *password,
               struct problem *why)
{
    enum err e;

    look(h);
    e = check(h, user, password);
    if (e == ERR_BUSY) {
        (void)problem_set(why, e, "login_busy", "Too many sign-ins at once",
                          "The password was not looked at. Try again in a "
                          "moment.");
        why->retry_after_s = BUSY_RETRY_S;
    } else if (e != OK)
        (void)problem_set(why, e, "invalid_login",
                          "Wrong user name or password",
                          "Check both and try again.");
    return e;
}

bool
htpasswd_known(struct htpasswd *h, const char *user, const char *password)
{
    char hash[HTPASSWD_HASH_MAX + 1];
    struct verify_ask ask;

    look(h);
    ask = ask_init(h, user, password, hash);
    explicit_bzero(hash, sizeof(hash));
    return !ask.never && verify_known(h->verify, &ask);
}

/* --- who is in the file ------------------------------------------------- */

bool
htpasswd_mark(struct htpasswd *h, const char *user, char out[DIGEST_NAME_LEN])
{
    char line[HTPASSWD_USER_MAX + HTPASSWD_HASH_MAX + 2];
    const struct htpasswd_user *u;
    int n = 0;

    look(h);
    pthread_mutex_lock(&h->mu);
    u = htpasswd_table_find(h->table, user);
    if (u != NULL)
        n = snprintf(line, sizeof(line), "%s:%s", u->name, u->hash);
    pthread_mutex_unlock(&h->mu);
    if (n == 0)
        return false;
    digest_name(out, line, (size_t)n);
    explicit_bzero(line, sizeof(line));
    return true;
}

/* The user whose name has this digest. */
static bool
has_digest(const struct htpasswd_table *t, const char *digest)
{
    char hex[DIGEST_NAME_LEN];

    for (size_t i = 0; i < t->n; i++) {
        digest_name(hex, t->users[i].name, strlen(t->users[i].name));
        if (strcmp(hex, digest) == 0)
            return true;
    }
    return false;
}

bool
htpasswd_has(struct htpasswd *h, const char *name)
{
    bool found;

    look(h);
    pthread_mutex_lock(&h->mu);
    found = *name == '#' ? has_digest(h->table, name + 1)
                         : htpasswd_table_find(h->table, name) != NULL;
    pthread_mutex_unlock(&h->mu);
    return found;
}

size_t
htpasswd_count(struct htpasswd *h)
{
    size_t n;

    look(h);
    pthread_mutex_lock(&h->mu);
    n = h->table->n;
    pthread_mutex_unlock(&h->mu);
    return n;
}

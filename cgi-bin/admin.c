/*
 * The smallest program: plain CGI, one request, one reply. It prints what the
 * store holds, as text. There is no engine and no loop in it: open the store,
 * read, answer, end. It also runs from a shell.
 *
 * Whoever may run it may read the numbers, so a web server should ask for a
 * password before it (see lighttpd/parley.conf).
 */
#include "base/base.h"

#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/process.h"
#include "store/store.h"

#define ADMIN_OPEN_MAX 100 /* open turns listed */

struct listing {
    int n;
};

static bool
print_turn(void *arg, const struct turn_info *t)
{
    struct listing *l = arg;
    char id[IDENT_TEXT_LEN], iso[CLOCK_ISO_LEN];

    if (l->n++ == ADMIN_OPEN_MAX)
        return false;
    ident_text(id, &t->id);
    clock_iso(iso, t->begun_ms);
    (void)printf("open turn %s since %s: process %d is %s\n", id, iso,
                 (int)t->process.pid,
                 process_alive(&t->process) ? "running" : "gone");
    return true;
}

static int
report(struct store *s)
{
    struct store_stats st;
    struct listing l = {.n = 0};

    store_stats(s, &st);
    (void)printf("sessions %" PRIu64 "\nmessages %" PRIu64 "\n"
                 "bytes used %" PRIu64 " of %" PRIu64 "\n",
                 st.sessions, st.messages, st.used_bytes, st.map_bytes);
    if (store_open_turns(s, print_turn, &l) != OK)
        return 1;
    (void)printf("open turns %d\n", l.n);
    return 0;
}

int
main(void)
{
    struct store_config sc = {.dir = NULL};
    struct store *s = NULL;
    char root[PROCESS_PATH_MAX], dir[PROCESS_PATH_MAX];
    bool cgi = getenv("GATEWAY_INTERFACE") != NULL;
    int status;

    process_root(root);
    IGNORE(conf_load(root)); /* mistakes are logged; defaults serve */
    if ((size_t)snprintf(dir, sizeof(dir), "%s/store",
                         conf_str(CONF_DATA_DIR)) >= sizeof(dir))
        return 1;
    sc.dir = dir;
    sc.map_bytes = (size_t)conf_int(CONF_STORE_MAP_MIB) << 20;
    sc.session_ttl_ms = 1000 * conf_int(CONF_SESSION_TTL);
    if (store_open(&s, &sc) != OK) {
        if (cgi)
            (void)puts("Status: 503 Service Unavailable\r\n"
                       "Content-Type: text/plain\r\n\r\n"
                       "The store cannot be opened; see the log.");
        return cgi ? 0 : 1;
    }
    if (cgi)
        (void)fputs("Status: 200 OK\r\nContent-Type: text/plain\r\n"
                    "Cache-Control: no-store\r\n\r\n",
                    stdout);
    status = report(s);
    store_close(s);
    return status;
}

/*
 * The page as a browser would get it: is it there, does all that it loads lead
 * somewhere, and does the program know below which path it is served? And what
 * nobody may get: settings, the store, the program itself.
 */
#include "base/base.h"

#include "doctor.h"

#include "base/ident.h"
#include "base/text.h"
#include "ops/page_links.h"

#define LINKS_MAX 12

#define AS_BROWSER "Accept: text/html,application/xhtml+xml,*/*;q=0.8"

/* --- what it loads -------------------------------------------------------- */

struct loading {
    struct doctor *d;
    size_t n;
    bool good;
};

static bool
on_link(void *arg, const char *link)
{
    struct loading *l = arg;
    struct doctor *d = l->d;
    struct doctor_call c;
    char path[PAGE_LINK_MAX + 2];
    enum doctor_end end;
    bool script;

    if (link[0] == '/') {
        doctor_say(d, DOCTOR_FAIL, "page",
                   "the page loads %s from the root of the site, not from "
                   "where it is served",
                   link);
        return l->good = false;
    }
    (void)snprintf(path, sizeof(path), "/%s", link);
    path[strcspn(path, "?#")] = '\0';
    script = strlen(path) > 3 && strcmp(path + strlen(path) - 3, ".js") == 0;
    doctor_call_init(&c, "GET", NULL);
    end = doctor_ask(d, &c, "GET", path, NULL);
    if (end != DOCTOR_REPLY || c.status != 200) {
        doctor_say(d, DOCTOR_FAIL, "page", "the page loads %s, which %s", link,
                   doctor_end_text(end, &c));
        doctor_advise(d, ADVICE_PAGE);
        l->good = false;
    } else if (script && strstr(c.type, "javascript") == NULL) {
        doctor_say(d, DOCTOR_FAIL, "page",
                   "%s is sent as \"%s\": browsers do not run it", link,
                   c.type);
        doctor_change(d, "lighttpd",
                      "mimetype.assign = ( \".js\" => \"text/javascript; "
                      "charset=utf-8\" )");
        doctor_change(d, "apache", "AddType text/javascript .js .mjs");
        doctor_change(d, ".htaccess", "AddType text/javascript .js .mjs");
        l->good = false;
    }
    doctor_call_release(&c);
    return l->good && ++l->n < LINKS_MAX;
}

static void
look_at_page(struct doctor *d, const struct doctor_call *c)
{
    struct loading l = {.d = d, .good = true};

    page_links(c->reply.data, c->reply.len, on_link, &l);
    if (!l.good)
        return;
    if (l.n == 0) {
        doctor_say(d, DOCTOR_FAIL, "page",
                   "what a browser gets is not Parley's page");
        doctor_advise(d, ADVICE_PAGE);
    } else if (c->policy[0] == '\0') {
        doctor_say(d, DOCTOR_WARN, "page",
                   "the page is there, without its Content-Security-Policy");
        doctor_advise(d, ADVICE_PAGE);
    } else {
        doctor_say(d, DOCTOR_OK, "page",
                   "the page and what it loads are there");
    }
}

/* --- the path ------------------------------------------------------------- */

/* Without the slash at its end the page's own addresses would lead elsewhere,
 * so a browser must be sent to the one with it. */
static bool
look_at_slash(struct doctor *d)
{
    const char *host = strstr(d->base, "://") + 3;
    struct doctor_call c;
    size_t n = strlen(d->base);
    enum doctor_end end;
    bool good;

    if (strchr(host, '/') == NULL)
        return true; /* the root has one in any case */
    doctor_call_init(&c, "GET", NULL);
    c.headers[0] = AS_BROWSER;
    end = doctor_ask(d, &c, "GET", "", NULL);
    good = end == DOCTOR_REPLY && c.status / 100 == 3 &&
           strncmp(c.location, d->base, n) == 0 &&
           strcmp(c.location + n, "/") == 0;
    if (!good) {
        doctor_say(d, DOCTOR_FAIL, "sub-path",
                   "%s must lead a browser to %s/, but %s%s%s", d->base,
                   d->base, doctor_end_text(end, &c),
                   c.location[0] != '\0' ? " to " : "", c.location);
        doctor_advise(d, ADVICE_MOUNT);
    }
    doctor_call_release(&c);
    return good;
}

/* Does the address that the program names lead to the stream? */
static bool
leads_there(const struct doctor *d, const char *stream)
{
    const char *path = strchr(strstr(d->base, "://") + 3, '/');
    size_t host = path != NULL ? (size_t)(path - d->base) : strlen(d->base);
    char url[2 * DOCTOR_URL_MAX];
    struct doctor_call c;
    bool leads;

    (void)snprintf(url, sizeof(url), "%.*s%s", (int)host, d->base, stream);
    doctor_call_init(&c, "GET", url);
    c.headers[0] = "Accept: text/event-stream";
    leads = doctor_run(d, &c) == DOCTOR_REPLY && c.status == 200 &&
            strcmp(c.type, "text/event-stream") == 0;
    doctor_call_release(&c);
    return leads;
}

static void
say_mount(struct doctor *d, const char *stream)
{
    const char *path = strchr(strstr(d->base, "://") + 3, '/');
    int shown = (int)strcspn(stream, "?");
    size_t n;

    path = path != NULL ? path : "";
    n = strlen(path);
    if (strncmp(stream, path, n) == 0 && text_starts(stream + n, "/chat/")) {
        doctor_say(d, DOCTOR_OK, "sub-path",
                   "the program knows that it is served below %s/", path);
        return;
    }
    /* Below .htaccess it may go by the name of its file, which is served. */
    if (leads_there(d, stream)) {
        doctor_say(d, DOCTOR_NOTE, "sub-path",
                   "the program names %.*s, which works, not %s/chat/stream",
                   shown, stream, path);
    } else {
        doctor_say(d, DOCTOR_FAIL, "sub-path",
                   "the program believes that it is served elsewhere: it names "
                   "%.*s, not %s/chat/stream",
                   shown, stream, path);
        doctor_advise(d, ADVICE_MOUNT);
    }
    if (*path != '\0')
        doctor_change(d, ".env", "BASE_PATH=%s", path);
    else if (d->now.state == DOCTOR_FAIL)
        doctor_change(d, ".env", "BASE_PATH= (take the line out)");
}

/* The program says where a turn can be followed: below our path? */
static void
look_at_mount(struct doctor *d)
{
    char stream[DOCTOR_URL_MAX], session[IDENT_SESSION_MAX + 1];
    struct doctor_call c;
    enum doctor_end end;

    doctor_call_init(&c, "POST", NULL);
    end = doctor_ask(d, &c, "POST", "/chat",
                     "{\"message\":\"/help\",\"detach\":true}");
    doctor_field(&c, "stream_url", stream, sizeof(stream));
    doctor_field(&c, "session_id", session, sizeof(session));
    if (stream[0] == '/')
        say_mount(d, stream);
    else
        doctor_say(d, DOCTOR_FAIL, "sub-path", "POST /chat %s",
                   doctor_end_text(end, &c));
    doctor_call_release(&c);
    doctor_forget(d, session);
}

void
doctor_page(struct doctor *d)
{
    struct doctor_call c;
    enum doctor_end end;

    doctor_call_init(&c, "GET", NULL);
    c.headers[0] = AS_BROWSER;
    end = doctor_ask(d, &c, "GET", "/", NULL);
    if (end != DOCTOR_REPLY || c.status != 200) {
        doctor_say(d, DOCTOR_FAIL, "page", "a browser that opens %s/ %s",
                   d->base, doctor_end_text(end, &c));
        doctor_advise(d, ADVICE_PAGE);
    } else if (!text_istarts(c.type, "text/html")) {
        doctor_say(d, DOCTOR_FAIL, "page",
                   "a browser that opens %s/ gets \"%s\", not the page",
                   d->base, c.type);
        doctor_advise(d, ADVICE_PAGE);
    } else {
        look_at_page(d, &c);
    }
    doctor_call_release(&c);
    if (look_at_slash(d))
        look_at_mount(d);
}

/* --- what nobody may get -------------------------------------------------- */

void
doctor_files(struct doctor *d)
{
    static const char *const paths[] = {"/.env", "/data/store/data.mdb",
                                        "/cgi-bin/chat", "/.git/config"};
    bool good = true;

    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct doctor_call c;
        enum doctor_end end;

        doctor_call_init(&c, "GET", NULL);
        buf_release(&c.reply);
        buf_init(&c.reply, 64); /* that it comes is enough */
        end = doctor_ask(d, &c, "GET", paths[i], NULL);
        /* The program's own replies have an id; a page for all that is not
         * there is HTML. */
        if ((end == DOCTOR_REPLY || end == DOCTOR_FULL) && c.status == 200 &&
            !c.ours && !text_istarts(c.type, "text/html")) {
            doctor_say(d, DOCTOR_FAIL, "files",
                       "everybody can read %s%s; keys that were in it are no "
                       "secret any more",
                       d->base, paths[i]);
            doctor_advise(d, ADVICE_FILES);
            doctor_change(d, ".env", "DATA_DIR=… (outside of the site)");
            good = false;
        }
        doctor_call_release(&c);
    }
    if (good)
        doctor_say(d, DOCTOR_OK, "files",
                   "settings, store and programs are not served");
}

/*
 * News of a session. chat/seen.c finds it, this gives it the form of events:
 * messages and the session are shown as the routes that give them show them.
 */
#include "base/base.h"

#include "api/session_news.h"

#include "api/message_json.h"
#include "api/session_json.h"

struct writer {
    struct session_news *n;
    struct message_tree tree;
};

static void
begin_event(const struct writer *w, struct json_out *j, const struct seen *now,
            const char *name)
{
    char id[SEEN_TEXT_MAX];

    seen_text(id, now);
    buf_addf(w->n->out, "id: %s\nevent: %s\ndata: ", id, name);
    json_out_init(j, w->n->out);
    json_begin_obj(j);
    json_put_str(j, "type", name);
    json_put_str(j, "session_id", w->n->session_id);
}

static void
end_event(struct json_out *j)
{
    json_end_obj(j);
    buf_adds(j->buf, "\n\n");
}

static void
on_begin(void *arg, const struct session *s)
{
    struct writer *w = arg;

    message_tree_release(&w->tree);
    message_tree_load(&w->tree, w->n->store, w->n->owner, s);
}

static void
on_message(void *arg, const struct seen *now, const struct message *m)
{
    struct writer *w = arg;
    struct json_out j;

    begin_event(w, &j, now, "message_added");
    json_name(&j, "message");
    message_put(&j, m, &w->tree);
    end_event(&j);
}

static void
on_news(void *arg, const struct seen *now, enum seen_news what,
        const struct session *s, const struct ident *head)
{
    static const char *const names[] = {
        [NEWS_SESSION] = "session",
        [NEWS_CHANGED] = "session_changed",
        [NEWS_CLEARED] = "session_cleared",
        [NEWS_DELETED] = "session_deleted",
    };
    struct json_out j;

    begin_event(arg, &j, now, names[what]);
    if (what == NEWS_SESSION || what == NEWS_CHANGED) {
        json_name(&j, "session");
        json_begin_obj(&j);
        session_put(&j, s);
        json_put_bool(&j, "has_context", s->has_context);
        if (ident_is_zero(head))
            json_put_str(&j, "head", NULL);
        else
            json_put_ident(&j, "head", head);
        json_end_obj(&j);
    }
    end_event(&j);
}

enum err
session_news(struct session_news *n, struct seen *seen)
{
    static const struct seen_calls calls = {on_begin, on_message, on_news};
    struct writer w = {.n = n};
    struct seen_look l = {.store = n->store,
                          .owner = n->owner,
                          .session_id = n->session_id,
                          .calls = &calls,
                          .arg = &w,
                          .out = n->out};
    enum err e = seen_look(&l, seen);

    n->more = l.more;
    n->expires_ms = l.expires_ms;
    message_tree_release(&w.tree);
    return e;
}

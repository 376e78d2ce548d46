/*
 * parley export: all conversations of all owners, to stdout. Memory is that of
 * a few messages, and of the ids of one session that has branches: a message
 * names the one that it follows.
 *
 * A session is read in pages, each a moment of its own, so that a slow reader
 * of stdout does not keep the store from using old pages again. Messages are
 * only ever put behind others, so the pages fit each other. A session that is
 * deleted in the middle ends there.
 */
#include "base/base.h"

#include "cli.h"

#include "base/mem.h"
#include "dialect/export.h"
#include "store/store.h"

#define SESSIONS_PAGE 64
#define MESSAGES_PAGE 256
#define TAGS_MAX (STORE_TAGS_MAX / 2 + 1)

struct page {
    struct session at[SESSIONS_PAGE];
    uint32_t n;
};

struct writer {
    struct store *store;
    struct export x;
    const struct session *session;
    struct ident *ids; /* owned; NULL without branches */
    uint32_t next;     /* seq */
    enum err err;
};

static enum err
to_stdout(void *arg, const char *s, size_t n)
{
    (void)arg;
    return fwrite(s, 1, n, stdout) == n ? OK : ERR_HUP;
}

static bool
put_message(void *arg, const struct message *m)
{
    struct writer *w = arg;
    char id[IDENT_TEXT_LEN], parent[IDENT_TEXT_LEN] = "";
    struct export_message out = {
        .role = (enum role)m->role,
        .finish = (enum finish)m->finish,
        .id = id,
        .provider = m->provider,
        .model = m->model,
        .at_ms = m->at_ms,
        .usage = {m->input_tokens, m->output_tokens, m->cached_tokens},
        .cost_micro = m->cost_micro,
        .text = m->text,
        .text_len = m->text_len,
        .extra = m->extra,
        .extra_len = m->extra_len,
    };

    if (m->seq >= w->session->n_messages)
        return false; /* younger than the session's record */
    ident_text(id, &m->id);
    if (w->ids != NULL) {
        w->ids[m->seq] = m->id;
        if (m->parent < m->seq)
            ident_text(parent, &w->ids[m->parent]);
        out.parent_id = parent;
    }
    w->next = m->seq + 1;
    w->err = export_message(&w->x, &out);
    return w->err == OK;
}

static enum err
put_messages(struct writer *w, const struct session *s)
{
    w->next = 0;
    w->ids = s->branched ? xcalloc(s->n_messages, sizeof(*w->ids)) : NULL;
    w->err = OK;
    while (w->next < s->n_messages && w->err == OK) {
        uint32_t from = w->next;
        struct session now;
        enum err e = store_all_messages(w->store, s->owner, s->id, from,
                                        MESSAGES_PAGE, &now, put_message, w);

        if (w->err == OK)
            w->err = e;
        if (e != OK || now.no != s->no || w->next == from)
            break;
    }
    free(w->ids);
    w->ids = NULL;
    return w->err == ERR_NOTFOUND ? OK : w->err;
}

static enum err
put_session(struct writer *w, const struct session *s)
{
    const char *tags[TAGS_MAX];
    char text[STORE_TAGS_MAX + 1], *save = NULL;
    struct export_session out = {
        .id = s->id,
        .title = s->title,
        .model = s->model,
        .tags = tags,
        .pinned = s->pinned,
        .archived = s->archived,
        .created_ms = s->created_ms,
        .updated_ms = s->updated_ms,
    };
    struct buf context;
    enum err e;

    memcpy(text, s->tags, sizeof(text));
    for (char *t = strtok_r(text, "\n", &save); t != NULL;
         t = strtok_r(NULL, "\n", &save))
        tags[out.n_tags++] = t;
    buf_init(&context, STORE_CONTEXT_MAX + 8);
    e = store_context(w->store, s->owner, s->id, &context);
    if (e == OK) {
        out.context = buf_cstr(&context);
        w->session = s;
        e = export_session(&w->x, &out);
        if (e == OK)
            e = put_messages(w, s);
        if (e == OK)
            e = export_session_end(&w->x);
    }
    buf_release(&context);
    return e == ERR_NOTFOUND ? OK : e; /* its time is over, or it is deleted */
}

static bool
take(void *arg, const struct session *s)
{
    struct page *p = arg;

    p->at[p->n++] = *s;
    return p->n < SESSIONS_PAGE;
}

static enum err
put_all(struct writer *w)
{
    struct page *p = xmalloc(sizeof(*p));
    uint64_t next = 0;
    enum err e = export_begin(&w->x);

    do {
        p->n = 0;
        if (e == OK)
            e = store_walk(w->store, next, SESSIONS_PAGE, &next, take, p);
        for (uint32_t i = 0; i < p->n && e == OK; i++)
            e = put_session(w, &p->at[i]);
    } while (e == OK && next != 0);
    free(p);
    return e == OK ? export_end(&w->x) : e;
}

int
cli_export(int argc, char **argv)
{
    enum export_format format = EXPORT_JSON;
    struct writer w = {.err = OK};
    bool all = false;
    enum err e;

    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--all") == 0)
            all = true;
        else if (strcmp(argv[i], "--format") != 0 || ++i == argc ||
                 export_format_parse(argv[i], &format) != OK)
            return cli_wrong("export");
    }
    if (!all)
        return cli_wrong("export");
    if (!cli_has_store(cli_store()))
        return cli_fail("there is no store in %s", cli_store());
    if (cli_open_store(&w.store) != OK)
        return cli_fail("the store in %s cannot be opened", cli_store());
    export_init(&w.x, format, to_stdout, NULL);
    e = put_all(&w);
    export_release(&w.x);
    store_close(w.store);
    if (e == OK)
        return CLI_OK;
    return e == ERR_HUP ? cli_fail("cannot write: %s", strerror(errno))
                        : cli_fail("the export is not complete; the log above "
                                   "says why, and parley fsck what is wrong");
}

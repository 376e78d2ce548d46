/*
 * /search: the messages that hold some words, as chat/found.h finds them, and
 * files that are about them. Who may see the list of sessions searches all of
 * them; anybody else shares an owner with strangers and searches this session,
 * whose id is known here.
 */
#include "base/base.h"

#include "chat/command.h"

#include "base/clock.h"
#include "base/text.h"
#include "chat/engine.h"
#include "chat/found.h"
#include "chat/query_vector.h"
#include "chat/retrieve.h"

#define RESULTS 20 /* sessions, or messages of this one */
#define FILE_RESULTS 5

static bool
put_found(void *arg, const struct session *s, const struct search_hit *hits,
          size_t n)
{
    struct command_run *run = arg;

    buf_addf(&run->text, "\n\n**%s**\n",
             s->title[0] != '\0' ? s->title : "Without a title");
    for (size_t i = 0; i < n; i++) {
        const struct search_hit *hit = &hits[i];
        char at[CLOCK_ISO_LEN];

        json_begin_obj(&run->j);
        json_put_str(&run->j, "session_id", s->id);
        json_put_str(&run->j, "title", s->title);
        json_put_ident(&run->j, "message_id", &hit->id);
        json_put_str(&run->j, "role", role_name((enum role)hit->role));
        json_put_time(&run->j, "timestamp", hit->at_ms);
        json_put_strn(&run->j, "snippet", hit->snippet, hit->snippet_len);
        json_end_obj(&run->j);
        clock_iso(at, hit->at_ms);
        buf_addf(&run->text, "\n- %s, %.10s: %.*s",
                 hit->role == ROLE_USER ? "You" : "Answer", at,
                 (int)hit->snippet_len, hit->snippet);
    }
    return true;
}

/* The messages are behind what is said of them: that is known last. */
static void
tell(struct command_run *run, size_t found, bool all, bool whole)
{
    const char *where = all ? "" : " in this session";
    struct buf text;

    buf_init(&text, COMMAND_RESULT_MAX);
    if (found > 0)
        buf_addf(&text, "Found%s:", where);
    else
        buf_addf(&text, "Nothing was found%s.", where);
    if (!whole)
        buf_adds(&text, " Not all messages can be searched yet; look again in "
                        "a moment.");
    buf_add(&text, run->text.data, run->text.len);
    buf_release(&run->text);
    run->text = text;
}

/* What files say of it, behind the messages. */
static void
put_files(struct command_run *run, const char *text, size_t n)
{
    const struct turn_ask *a = run->ask;
    struct files *files = retrieve_files(run->en);
    struct files_query q = {
        .owner = retrieve_viewer(a),
        .text = text,
        .len = n < FILES_QUERY_MAX ? n : FILES_QUERY_MAX,
        .top_k = FILE_RESULTS,
        .per_document = 1,
        .now_ms = clock_wall_ms(),
    };
    struct payer payer = a->payer;
    struct query_vector vector;
    struct files_found found;
    enum err e;

    if (files == NULL)
        return;
    payer.owner = payer_owner(&payer, a->owner);
    query_vector(run->en, &q, &payer, NULL, &vector);
    e = files_search(files, &q, &found);
    query_vector_release(&vector);
    if (e != OK)
        return; /* the log says why */
    json_name(&run->j, "files");
    json_begin_arr(&run->j);
    if (found.n > 0)
        buf_adds(&run->text, "\n\n**In files**\n");
    for (size_t i = 0; i < found.n; i++) {
        const struct files_hit *h = &found.hits[i];

        json_begin_obj(&run->j);
        json_put_str(&run->j, "name", h->name);
        json_put_str(&run->j, "heading", h->heading);
        json_put_str(&run->j, "snippet", h->snippet);
        json_put_i64(&run->j, "chunk", h->chunk);
        json_end_obj(&run->j);
        buf_addf(&run->text, "\n- %s: %s", h->name, h->snippet);
    }
    json_end_arr(&run->j);
    files_found_release(&found);
}

static enum command_step
search(struct command_run *run, const struct found_ask *ask)
{
    struct json_out *j = command_ok(run);
    char next[SEARCH_CURSOR_MAX];
    struct problem p = {.err = OK};
    bool whole;
    enum err e;

    json_put_strn(j, "query", ask->search.q, ask->search.q_len);
    json_name(j, "results");
    json_begin_arr(j);
    e = found_query(run->en, ask, next, put_found, run, &whole);
    if (e == ERR_NOTFOUND) /* nothing was said here */
        whole = true;
    if (e != OK && e != ERR_NOTFOUND) {
        found_problem(&p, e);
        command_fail(run, &p);
        return COMMAND_DONE;
    }
    json_end_arr(j);
    put_files(run, ask->search.q, ask->search.q_len);
    json_put_str(j, "scope", ask->session_id == NULL ? "all" : "session");
    json_put_bool(j, "complete", whole);
    tell(run, run->text.len, ask->session_id == NULL, whole);
    return COMMAND_DONE;
}

enum command_step
command_search(struct command_run *run)
{
    const char *text = command_arg(run, 0);
    struct found_ask ask = {
        .search = {.owner = run->ask->owner, .limit = RESULTS}};

    if (text == NULL || text_blank(text, strlen(text)))
        return command_missing(run, "text");
    ask.search.q = text;
    ask.search.q_len = strlen(text);
    ask.session_id = run->ask->lists ? NULL : run->ask->session_id;
    return search(run, &ask);
}

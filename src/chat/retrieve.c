/*
 * A question is looked up with what was said before it, so that a follow-up
 * finds what it is about. Questions of a user count, and the beginning of the
 * last answer; those weigh less than the new one (files/files.h).
 */
#include "base/base.h"

#include "chat/retrieve.h"

#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/text.h"
#include "chat/core.h"
#include "chat/query_vector.h"
#include "chat/sight.h"
#include "provider/provider.h"

#define RECENT_ANSWER_MAX 400   /* bytes of an answer that count */
#define RECENT_QUESTION_MAX 400 /* of a question */
#define RECENT_MESSAGES 6
#define SNIPPET_BYTES 200
#define NAME_TOLD_MAX 100 /* bytes of one in a problem */

void
retrieve_use(struct engine *en, struct files *f)
{
    en->files = f;
}

struct files *
retrieve_files(const struct engine *en)
{
    return en->files;
}

/* --- what to look for ----------------------------------------------------- */

/* Bytes of the i-th of n messages that count. */
static size_t
recent_len(const struct ask_message *m, size_t i, size_t n, bool leaves)
{
    size_t max = m[i].role == ROLE_USER ? RECENT_QUESTION_MAX
                 : m[i].role != ROLE_ASSISTANT || i + 2 < n ? 0
                                                            : RECENT_ANSWER_MAX;

    if (m[i].text == NULL || (leaves && m[i].stays))
        return 0;
    return m[i].len <= max ? m[i].len : utf8_whole(m[i].text, max);
}

void
retrieve_recent(const struct ask_message *m, size_t n, bool leaves,
                struct buf *out)
{
    size_t first = n, room = RETRIEVE_RECENT_MAX;

    for (; first > 0; first--) {
        size_t len = recent_len(m, first - 1, n, leaves);

        if (len + 1 > room)
            break;
        room -= len > 0 ? len + 1 : 0;
    }
    for (size_t i = first; i < n; i++) {
        size_t len = recent_len(m, i, n, leaves);

        if (len == 0)
            continue;
        buf_add(out, m[i].text, len);
        buf_addc(out, '\n');
    }
}

/* Where the model is looked for once the turn runs: the session's own. */
static bool
stays(const struct turn_ask *a)
{
    struct route_choice r = a->route;
    struct problem why;

    if (a->any_model && a->session_model[0] != '\0' &&
        catalog_route(NULL, a->session_model, &r, &why) != OK)
        return false;
    return r.provider != NULL && route_stays(&r);
}

/* Does it ask for files, or do the settings, whatever the model is? */
static bool
is_asked(const struct turn_ask *a)
{
    return a->files == 1 || a->n_named > 0 ||
           text_ieq(conf_str(CONF_FILES_USE), "always");
}

static bool
is_wanted(const struct turn_ask *a)
{
    if (a->command != NULL || a->instruction != NULL || a->files == 0)
        return false;
    return is_asked(a) ||
           (text_ieq(conf_str(CONF_FILES_USE), "local") && stays(a));
}

/* --- looking -------------------------------------------------------------- */

static bool
any_label(const struct files_found *f)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->hits[i].label != LABEL_CLOUD_OK)
            return true;
    return false;
}

/* Is a file of this type code? Then its lines are to stay as they are. */
static bool
is_code(const char *type)
{
    static const char *const types[] = {
        "application/sql", "application/toml", "application/yaml", "text/css",
        "text/javascript", "text/typescript",  "text/xml",
    };

    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (strcmp(type, types[i]) == 0)
            return true;
    return strncmp(type, "text/x-", 7) == 0;
}

static struct excerpt *
excerpts_of(struct files_found *f)
{
    struct excerpt *x = arena_alloc(&f->arena, (f->n + 1) * sizeof(*x));

    for (size_t i = 0; i < f->n; i++)
        x[i] = (struct excerpt){
            .name = f->hits[i].name,
            .title = f->hits[i].title,
            .heading = f->hits[i].heading,
            .text = f->hits[i].text,
            .len = strlen(f->hits[i].text),
            .similarity = f->hits[i].similarity,
            .image = f->hits[i].image,
            .code = is_code(f->hits[i].type),
            .sample = f->samples,
        };
    return x;
}

/* --- files that are named ------------------------------------------------- */

enum err
retrieve_missing(struct problem *why, const char *name, const char *hint)
{
    char error[sizeof(why->error)];
    size_t n = utf8_whole(name, strnlen(name, NAME_TOLD_MAX));

    (void)snprintf(error, sizeof(error), "File not found: %.*s", (int)n, name);
    return problem_set(why, ERR_NOTFOUND, "file_not_found", error,
                       hint != NULL ? "%s" : NULL, hint);
}

enum err
retrieve_check(const struct engine *en, struct turn_ask *a, struct problem *why)
{
    struct document d;

    if (a->n_named > 0 && en->files == NULL) {
        turn_ask_note(a, "file_ignored", "This server keeps no files.");
        a->n_named = 0;
    }
    for (size_t i = 0; i < a->n_named; i++) {
        enum err e = files_find(en->files, retrieve_viewer(a), a->named[i], &d);

        if (e == OK)
            continue;
        return e == ERR_NOTFOUND ? retrieve_missing(why, a->named[i], NULL)
                                 : problem_set(why, e, NULL, NULL, NULL);
    }
    return OK;
}

/* The beginning of the file, as one excerpt before those that were found. */
static void
put_named(struct files *files, const struct document *d, struct files_found *to)
{
    struct files_hit *hits = arena_alloc(&to->arena,
                                         (to->n + 1) * sizeof(*hits));
    struct buf text;

    buf_init(&text, RETRIEVE_NAMED_MAX + 8);
    if (files_text(files, d->id, 0, RETRIEVE_NAMED_MAX, &text) == OK &&
        text.len > 0) {
        if (to->n > 0)
            (void)memcpy(hits + 1, to->hits, to->n * sizeof(*hits));
        hits[0] = (struct files_hit){
            .document = d->id,
            .len = text.len,
            .image = d->image,
            .label = d->label,
            .name = arena_strdup(&to->arena, d->name),
            .title = arena_strdup(&to->arena, d->facts.title),
            .heading = "",
            .type = arena_strdup(&to->arena, d->facts.type),
            .text = arena_memdup0(&to->arena, text.data, text.len),
            .snippet = arena_memdup0(
                &to->arena, text.data,
                text.len < SNIPPET_BYTES
                    ? text.len
                    : utf8_whole(text.data, SNIPPET_BYTES)),
            .similarity = 1,
            .score = 1,
        };
        to->hits = hits;
        to->n++;
    }
    buf_release(&text);
}

static void
hold(struct files_found *to, const char *name)
{
    const char **held = arena_alloc(&to->arena,
                                    (to->n_held + 1) * sizeof(*held));

    if (to->n_held > 0)
        (void)memcpy(held, to->held, to->n_held * sizeof(*held));
    held[to->n_held++] = arena_strdup(&to->arena, name);
    to->held = held;
}

/* What is to be blotted out of a whole file is known to the index alone: such
 * a one is shown elsewhere as far as a search finds it. */
static void
take_named(struct files *files, const struct turn_ask *a, struct retrieved *r)
{
    struct document d;

    for (size_t i = a->n_named; i-- > 0;) {
        if (files_find(files, retrieve_viewer(a), a->named[i], &d) != OK ||
            d.skip != SKIP_NOT)
            continue;
        if (!r->differs && d.label != LABEL_CLOUD_OK)
            continue; /* since a moment ago; the next question knows it */
        put_named(files, &d, &r->here);
        if (r->differs && d.label == LABEL_CLOUD_OK)
            put_named(files, &d, &r->away);
        else if (r->differs)
            hold(&r->away, d.name);
    }
}

static bool
any_named_label(struct files *files, const struct turn_ask *a)
{
    struct document d;

    for (size_t i = 0; i < a->n_named; i++)
        if (files_find(files, retrieve_viewer(a), a->named[i], &d) == OK &&
            d.label != LABEL_CLOUD_OK)
            return true;
    return false;
}

/* --- both ---------------------------------------------------------------- */

static enum err
look(struct files *files, struct files_query *q, const struct turn_ask *a,
     struct retrieved *r)
{
    enum err e = files_search(files, q, &r->here);

    if (e != OK)
        return e;
    r->differs = any_label(&r->here) || any_named_label(files, a);
    q->leaves = true;
    if (r->differs)
        e = files_search(files, q, &r->away);
    if (e != OK) {
        files_found_release(&r->here);
        return e;
    }
    take_named(files, a, r);
    r->excerpts = excerpts_of(&r->here);
    return OK;
}

/* Who answers from files alone lists all that fits, and no model has to be sent
 * it. */
static unsigned
top_k(const struct turn_ask *a)
{
    unsigned n = (unsigned)conf_int(CONF_FILES_TOP_K);

    return a->route.provider->answer == NULL || n > RETRIEVE_LISTED
               ? n
               : RETRIEVE_LISTED;
}

/* The same with the vectors of what is looked for, and with what was said. */
static enum err
look_with_recent(struct engine *en, struct files_query *q,
                 const struct turn_ask *a, struct retrieved *r)
{
    size_t n = a->n_history < RECENT_MESSAGES ? a->n_history : RECENT_MESSAGES;
    const struct ask_message *last;
    struct payer payer = a->payer;
    struct query_vector vector;
    struct buf recent, away;
    enum err e;

    buf_init(&recent, RETRIEVE_RECENT_MAX + 1);
    buf_init(&away, RETRIEVE_RECENT_MAX + 1);
    if (n > 0) {
        last = a->history + (a->n_history - n);
        retrieve_recent(last, n, false, &recent);
        retrieve_recent(last, n, true, &away);
    }
    q->recent = buf_cstr(&recent);
    q->recent_len = recent.len;
    payer.owner = payer_owner(&payer, a->owner);
    query_vector(en, q, &payer, &away, &vector);
    e = look(en->files, q, a, r);
    query_vector_release(&vector);
    buf_release(&recent);
    buf_release(&away);
    return e;
}

void
retrieve(struct engine *en, struct turn_ask *a)
{
    struct files_query q = {
        .owner = retrieve_viewer(a),
        .text = a->text,
        .len = a->text_len,
        .top_k = top_k(a),
        .per_document = FILES_PER_DOCUMENT,
        .own_only = a->files != 1 && a->route.provider->answer == NULL,
        .threshold = a->files == 1 ? 0 : RETRIEVE_MIN,
        .now_ms = clock_wall_ms(),
    };
    struct retrieved *r;

    retrieved_free(a->retrieved);
    a->retrieved = NULL;
    if (a->files == 1 && en->files == NULL &&
        strstr(a->notes, "\"files_ignored\"") == NULL)
        turn_ask_note(a, "files_ignored", "This server has no index of files.");
    if (en->files == NULL || !is_wanted(a))
        return;
    r = xcalloc(1, sizeof(*r));
    r->local = !is_asked(a);
    if (look_with_recent(en, &q, a, r) == OK) {
        sight_take(en, a, r);
        a->retrieved = r;
    } else {
        log_warn("files.search", "error=\"the index cannot be read\"");
        free(r);
    }
}

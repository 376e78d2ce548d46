/*
 * The index is asked with the message and the last rounds of the history, so
 * that "show me the sunset ones" is about what was spoken of. An image is named
 * as it is in the index: the name is compared with those, never opened, and one
 * that may not leave is as good as not there.
 */
#include "base/base.h"

#include "api/package.h"

#include <unistd.h>

#include "api/file_json.h"
#include "api/payer.h"
#include "base/clock.h"
#include "base/text.h"
#include "chat/query_vector.h"
#include "chat/retrieve.h"
#include "chat/sight.h"
#include "files/broker.h"
#include "files/cite.h"
#include "ops/audit.h"

#define HISTORY_MAX 100 /* messages of it that are looked at */

/* --- the image ------------------------------------------------------------ */

static const char *const *
split_tags(struct package *p, const char *s, size_t *n)
{
    const char **tags;

    *n = *s != '\0';
    for (const char *c = s; *c != '\0'; c++)
        *n += *c == '\n';
    tags = arena_alloc(&p->arena, (*n + 1) * sizeof(*tags));
    for (size_t i = 0; i < *n; i++) {
        size_t len = strcspn(s, "\n");

        tags[i] = arena_memdup0(&p->arena, s, len);
        s += len + (s[len] != '\0');
    }
    return tags;
}

/* The file as base64; nothing if it is too large or cannot be opened. */
static void
encode_file(struct package *p, struct app *app, int64_t document)
{
    const char *media_type;
    int fd;

    if (broker_open(app->broker, document, &fd) != OK)
        return;
    IGNORE(sight_read(fd, PACKAGE_IMAGE_MAX, &p->base64, &media_type));
    (void)close(fd);
}

static enum err
take_image(struct package *p, struct app *app, struct files *f,
           const char *viewer, const char *name, bool leaves,
           struct problem *why)
{
    struct document d;
    enum err e = files_find(f, viewer, name, &d);

    if (e == OK && (!d.image || d.skip != SKIP_NOT ||
                    (leaves && d.label != LABEL_CLOUD_OK)))
        e = ERR_NOTFOUND;
    if (e == ERR_NOTFOUND)
        return ws_file_missing(name, why);
    if (e != OK)
        return files_problem(why, e, name);
    encode_file(p, app, d.id);
    p->image.name = arena_strdup(&p->arena, d.name);
    p->image.description = arena_strdup(&p->arena, d.facts.description);
    p->image.tags = split_tags(p, d.facts.tags, &p->image.n_tags);
    p->image.base64 = buf_cstr(&p->base64);
    p->c.image = &p->image;
    return OK;
}

/* --- the files ------------------------------------------------------------ */

/* away: without what was answered, where the answers were made for a model on
 * this machine. */
static void
read_recent(const cJSON *history, int64_t rounds, bool leaves, struct buf *out,
            struct buf *away)
{
    struct ask_message *m = xcalloc(HISTORY_MAX, sizeof(*m));
    int n = cJSON_GetArraySize(history);
    int64_t first = n - 2 * rounds;
    size_t k = 0;

    if (first < n - HISTORY_MAX)
        first = n - HISTORY_MAX;
    for (int64_t i = first > 0 ? first : 0; i < n; i++) {
        const cJSON *v = cJSON_GetArrayItem(history, (int)i);
        const char *role = json_str(v, "role");
        const char *text = json_str(v, "content");

        if (role == NULL || text == NULL || role_parse(role, &m[k].role) != OK)
            continue;
        m[k].stays = !leaves && m[k].role != ROLE_USER;
        m[k].text = text;
        m[k++].len = strlen(text);
    }
    retrieve_recent(m, k, false, out);
    retrieve_recent(m, k, true, away);
    free(m);
}

/* Each file once, by what may be shown of its name, with its best chunk's
 * similarity. */
static void
list_files(struct package *p)
{
    struct ws_file *files = arena_alloc(&p->arena,
                                        (p->found.n + 1) * sizeof(*files));
    int64_t *id = arena_alloc(&p->arena, (p->found.n + 1) * sizeof(*id));
    size_t n = 0;

    for (size_t i = 0; i < p->found.n; i++) {
        const struct files_hit *h = &p->found.hits[i];
        size_t k = 0;

        while (k < n && id[k] != h->document)
            k++;
        if (k == n) {
            id[n] = h->document;
            files[n++] = (struct ws_file){h->shown, h->similarity};
        } else if (h->similarity > files[k].similarity) {
            files[k].similarity = h->similarity;
        }
    }
    p->c.files = files;
    p->c.n_files = n;
}

static enum err
find_files(struct package *p, struct app *app, const char *viewer,
           const struct identity *who, const cJSON *ask, bool leaves,
           struct problem *why)
{
    struct files_query q = {
        .owner = viewer,
        .text = json_str(ask, "message"),
        .top_k = (unsigned)p->config.top_k,
        .per_document = FILES_PER_DOCUMENT,
        .recency = p->config.recency_bias,
        .leaves = leaves,
        .now_ms = clock_wall_ms(),
    };
    struct query_vector vector;
    struct buf recent, away;
    struct payer payer;
    enum err e;

    buf_init(&recent, RETRIEVE_RECENT_MAX + 1);
    buf_init(&away, RETRIEVE_RECENT_MAX + 1);
    read_recent(json_arr(ask, "history"), p->config.chat_rounds, leaves,
                &recent, &away);
    q.len = strlen(q.text);
    q.recent = buf_cstr(&recent);
    q.recent_len = recent.len;
    payer_find(app, who, &payer);
    query_vector(app->en, &q, &payer, &away, &vector);
    e = files_search(retrieve_files(app->en), &q, &p->found);
    query_vector_release(&vector);
    buf_release(&recent);
    buf_release(&away);
    if (e != OK)
        return files_problem(why, e, "");
    p->has_found = true;
    p->found.n = cite_text(p->found.hits, p->found.n, PACKAGE_TEXT_MAX,
                           &p->rag);
    list_files(p);
    p->c.held = (const char *const *)p->found.held;
    p->c.n_held = p->found.n_held;
    return OK;
}

/* The one who asked may send it anywhere. The log stays here: it has the names
 * as they are. */
static void
note_sent(const struct package *p, const char *who)
{
    const struct files_found *f = &p->found;
    struct buf names;

    if (p->c.n_files == 0 && p->c.image == NULL)
        return;
    buf_init(&names, (FILES_TOP_K_MAX + 1) * (FILES_NAME_MAX + 1));
    for (size_t i = 0; i < f->n; i++) {
        size_t k = 0;

        while (f->hits[k].document != f->hits[i].document)
            k++;
        if (k == i)
            buf_addf(&names, "%s%s", i > 0 ? "\n" : "", f->hits[i].name);
    }
    if (p->c.image != NULL)
        buf_addf(&names, "%s%s", names.len > 0 ? "\n" : "", p->c.image->name);
    audit_event(
        &(struct audit_fact){.what = AUDIT_FILES_SENT,
                             .who = who,
                             .with = {AUDIT_LIST("files", buf_cstr(&names))}});
    buf_release(&names);
}

/* --- both ----------------------------------------------------------------- */

enum err
package_make(struct package *p, struct app *app, const char *viewer,
             const struct identity *who, const cJSON *ask, bool leaves,
             struct problem *why)
{
    const char *image = json_str(ask, "image_name");
    struct files *f = retrieve_files(app->en);
    enum err e = OK;

    (void)memset(p, 0, sizeof(*p));
    arena_init(&p->arena);
    buf_init(&p->rag, PACKAGE_TEXT_MAX + 1);
    buf_init(&p->base64, 2 * (size_t)PACKAGE_IMAGE_MAX);
    if (f == NULL)
        return problem_set(why, ERR_IMPOSSIBLE, "no_index",
                           "There is no index of files",
                           "The server was started with FILES=off, or its "
                           "index cannot be opened.");
    file_config_load(engine_store(app->en), who->owner, &p->config);
    if (image != NULL && *image != '\0')
        e = take_image(p, app, f, viewer, image, leaves, why);
    if (e == OK)
        e = find_files(p, app, viewer, who, ask, leaves, why);
    p->c.system_prompt = p->config.system_prompt;
    p->c.rag_context = buf_cstr(&p->rag);
    p->c.user_message = json_str(ask, "message");
    p->c.history = json_arr(ask, "history");
    if (e == OK && leaves)
        note_sent(p, who->owner);
    return e;
}

enum err
package_too_big(struct problem *why)
{
    return problem_set(why, ERR_TOOBIG, "result_too_big",
                       "The result is too large",
                       "Send a shorter history, or name a smaller image.");
}

void
package_release(struct package *p)
{
    if (p->has_found)
        files_found_release(&p->found);
    buf_release(&p->rag);
    buf_release(&p->base64);
    arena_release(&p->arena);
}

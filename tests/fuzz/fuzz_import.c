/*
 * Fuzzes dialect/import.h and dialect/export.h. The first byte says in which
 * pieces the rest is imported. Whatever the bytes: a session is sound, the
 * pieces make no difference, and what was imported is the same when it is
 * exported and imported again.
 */
#include "base/base.h"

#include "base/mem.h"
#include "base/text.h"
#include "dialect/export.h"
#include "dialect/import.h"

#define OUT_MAX (64 * 1024 * 1024) /* bytes */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Always on, whatever NDEBUG says. */
#define MUST(x)      \
    do {             \
        if (!(x))    \
            abort(); \
    } while (0)

struct round {
    struct buf out; /* the export */
    struct export x;
    size_t faults;
};

static enum err
keep(void *arg, const char *s, size_t n)
{
    struct buf *out = arg;

    buf_add(out, s, n);
    return OK;
}

static void
is_text(const char *s)
{
    MUST(s != NULL && utf8_valid(s, strlen(s)));
}

static void
check_session(const struct import_session *s)
{
    is_text(s->id);
    is_text(s->title);
    is_text(s->context);
    is_text(s->model);
    for (size_t i = 0; i < s->n_tags; i++)
        is_text(s->tags[i]);
    MUST(s->created_ms >= 0 && s->updated_ms >= 0);
    MUST(s->n_messages <= IMPORT_MESSAGES_MAX);
    MUST(s->n_messages > 0 || s->format == IMPORT_PARLEY);
}

static void
check_message(const struct import_session *s, size_t i)
{
    const struct import_message *m = &s->messages[i];

    is_text(m->text);
    is_text(m->id);
    is_text(m->provider);
    is_text(m->model);
    MUST(m->text_len == strlen(m->text));
    MUST(m->parent >= -1 && m->parent < (int64_t)i);
    MUST(!m->main || m->parent < 0 || s->messages[m->parent].main);
    MUST(m->role < ROLE__MAX && m->finish < FINISH__MAX);
    if (s->format != IMPORT_PARLEY)
        MUST(m->text_len > 0 &&
             (m->role == ROLE_USER || m->role == ROLE_ASSISTANT));
    if (m->extra_len > 0)
        MUST(json_check(m->extra, m->extra_len, NULL) == OK);
}

static void
write_message(struct export *x, const struct import_message *m, size_t i)
{
    char id[24], parent[24] = "";
    struct export_message em = {.role = m->role,
                                .finish = m->finish,
                                .id = id,
                                .parent_id = parent,
                                .provider = m->provider,
                                .model = m->model,
                                .at_ms = m->at_ms,
                                .usage = m->usage,
                                .cost_micro = m->cost_micro,
                                .text = m->text,
                                .text_len = m->text_len,
                                .extra = m->extra,
                                .extra_len = m->extra_len};

    (void)snprintf(id, sizeof(id), "%zu", i);
    if (m->parent >= 0)
        (void)snprintf(parent, sizeof(parent), "%d", (int)m->parent);
    MUST(export_message(x, &em) == OK);
}

static enum err
take_session(void *arg, const struct import_session *s)
{
    struct round *r = arg;
    struct export_session es = {.id = s->id,
                                .title = s->title,
                                .context = s->context,
                                .model = s->model,
                                .tags = s->tags,
                                .n_tags = s->n_tags,
                                .pinned = s->pinned,
                                .archived = s->archived,
                                .created_ms = s->created_ms,
                                .updated_ms = s->updated_ms};

    check_session(s);
    MUST(export_session(&r->x, &es) == OK);
    for (size_t i = 0; i < s->n_messages; i++) {
        check_message(s, i);
        write_message(&r->x, &s->messages[i], i);
    }
    return export_session_end(&r->x);
}

static enum err
take_fault(void *arg, const struct import_fault *f)
{
    struct round *r = arg;

    MUST(f->rule != NULL);
    r->faults++;
    return OK;
}

/* Import, and export what comes of it. */
static enum err
go_round(struct round *r, const char *s, size_t n, size_t piece,
         enum export_format f)
{
    struct import_sink sink = {take_session, take_fault, r};
    struct import im;
    enum err e = OK;

    r->faults = 0;
    buf_init(&r->out, OUT_MAX);
    export_init(&r->x, f, keep, &r->out);
    MUST(export_begin(&r->x) == OK);
    import_init(&im, &sink);
    for (size_t at = 0; at < n && e == OK; at += piece) {
        size_t k = n - at < piece ? n - at : piece;
        char *copy = xmalloc(k);

        memcpy(copy, s + at, k);
        e = import_feed(&im, copy, k, NULL);
        free(copy);
    }
    if (e == OK)
        e = import_end(&im, NULL);
    MUST(e == OK || e == ERR_BADREQ);
    MUST(im.report.faults == r->faults);
    import_release(&im);
    MUST(export_end(&r->x) == OK);
    export_release(&r->x);
    return e;
}

static void
same(const struct round *a, const struct round *b)
{
    MUST(a->out.len == b->out.len);
    if (a->out.len > 0)
        MUST(memcmp(a->out.data, b->out.data, a->out.len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct round whole, pieces, again, markdown;
    const char *s = (const char *)data + 1;
    enum err e;

    if (n < 2)
        return 0;
    n--;
    e = go_round(&whole, s, n, n, EXPORT_JSON);
    MUST(go_round(&pieces, s, n, (size_t)data[0] % 16 + 1, EXPORT_JSON) == e);
    same(&whole, &pieces);
    MUST(whole.faults == pieces.faults);
    MUST(go_round(&again, whole.out.data, whole.out.len, 7, EXPORT_JSON) == OK);
    MUST(again.faults == 0);
    same(&whole, &again);
    MUST(go_round(&markdown, s, n, n, EXPORT_MARKDOWN) == e);
    buf_release(&whole.out);
    buf_release(&pieces.out);
    buf_release(&again.out);
    buf_release(&markdown.out);
    return 0;
}

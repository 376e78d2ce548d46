/*
 * Notes, context and cost of a turn. All of it is small: numbers and a few
 * sentences of ours, never what a provider said.
 */
#include "base/base.h"

#include "chat/turn_extra.h"

#include <stdarg.h>

#include "base/json.h"
#include "base/text.h"
#include "chat/retrieve.h"
#include "chat/sight.h"
#include "chat/temporary.h"
#include "files/cite.h"
#include "provider/models.h"

#define NOTE_MAX 512 /* bytes of a note's message */
/* excerpts: what is found, and files that are named */
#define CITED_MAX (FILES_TOP_K_MAX + ASK_NAMED_MAX)

void
turn_note(struct turn *t, const char *code, const char *fmt, ...)
{
    char message[NOTE_MAX];
    struct json_out j;
    struct buf note;
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    buf_init(&note, 8 * NOTE_MAX);
    json_out_init(&j, &note);
    json_begin_obj(&j);
    json_put_str(&j, "code", code);
    json_put_str(&j, "message", message);
    json_end_obj(&j);
    if (buf_status(&note) == OK &&
        t->notes.len + note.len + 1 <= TURN_NOTES_MAX) {
        if (t->notes.len > 0)
            buf_addc(&t->notes, ',');
        buf_add(&t->notes, note.data, note.len);
    }
    buf_release(&note);
}

void
turn_notes_json(struct buf *out, const struct turn *t)
{
    buf_addc(out, '[');
    buf_adds(out, t->ask->notes);
    if (t->ask->notes[0] != '\0' && t->notes.len > 0)
        buf_addc(out, ',');
    if (t->notes.len > 0)
        buf_add(out, t->notes.data, t->notes.len);
    buf_addc(out, ']');
}

bool
turn_was_cut(const struct turn *t)
{
    return t->report.dropped + t->report.cut > 0 || t->report.shortened ||
           t->report.summarised || t->report.excerpts > 0 ||
           t->report.n_sights > 0;
}

/* What of the files the model was shown. */
static const struct files_hit *
shown(const struct turn *t, size_t *n)
{
    const struct files_found *f = retrieved_for(t->ask->retrieved,
                                                t->report.stays);

    *n = t->report.excerpts;
    return f->hits;
}

bool
turn_quotes(const struct turn *t)
{
    size_t n;
    const struct files_hit *hits = shown(t, &n);

    for (size_t i = 0; t->report.stays && i < n; i++)
        if (hits[i].label != LABEL_CLOUD_OK)
            return true;
    for (size_t i = 0; t->report.stays && i < ASK_NAMED_MAX; i++) {
        const struct sight *s = prompt_shown(t->ask, &t->report, i);

        if (s != NULL && s->label != LABEL_CLOUD_OK)
            return true;
    }
    return false;
}

static bool
is_excerpt(const struct files_hit *hits, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(hits[i].name, name) == 0)
            return true;
    return false;
}

/* The names, each once. */
static void
put_files(struct json_out *j, const struct turn *t)
{
    size_t n;
    const struct files_hit *hits = shown(t, &n);

    json_name(j, "files");
    json_begin_arr(j);
    for (size_t i = 0; i < n; i++)
        if (!is_excerpt(hits, i, hits[i].name))
            json_add_str(j, hits[i].name);
    for (size_t i = 0; i < ASK_NAMED_MAX; i++) {
        const struct sight *s = prompt_shown(t->ask, &t->report, i);

        if (s != NULL && !is_excerpt(hits, n, s->name))
            json_add_str(j, s->name);
    }
    json_end_arr(j);
}

/* Those of them that it saw as images. */
static void
put_images(struct json_out *j, const struct turn *t)
{
    bool any = false;

    for (size_t i = 0; i < ASK_NAMED_MAX; i++) {
        const struct sight *s = prompt_shown(t->ask, &t->report, i);

        if (s == NULL)
            continue;
        if (!any) {
            json_name(j, "images");
            json_begin_arr(j);
        }
        any = true;
        json_add_str(j, s->name);
    }
    if (any)
        json_end_arr(j);
}

/* The numbers of the excerpts that are told of. */
struct cited {
    size_t number[CITED_MAX];
    size_t n;
};

/* Which of n excerpts the answer names, "[3]". */
static size_t
find_cited(const struct turn *t, size_t n, bool is[CITED_MAX + 1])
{
    const char *s = t->text.data;
    size_t len = t->text.len, found = 0;

    for (size_t i = 0; i < len; i++) {
        size_t number = 0, k = i + 1;

        if (s[i] != '[' || k == len || s[k] == '0')
            continue;
        for (; k < len && s[k] >= '0' && s[k] <= '9' && number <= n; k++)
            number = 10 * number + (size_t)(s[k] - '0');
        if (k == len || s[k] != ']' || number == 0 || number > n || is[number])
            continue;
        is[number] = true;
        found++;
    }
    return found;
}

/* Those that the answer names, else all; but none of an answer that is not
 * there, or that would have named what it is made of. */
static void
cited_of(const struct turn *t, struct cited *c)
{
    bool is[CITED_MAX + 1] = {false}, all;
    size_t n;

    (void)shown(t, &n);
    if (n > CITED_MAX)
        n = CITED_MAX;
    all = find_cited(t, n, is) == 0 && t->text.len > 0 &&
          t->ask->route.provider->answer == NULL;
    c->n = 0;
    for (size_t number = 1; number <= n; number++)
        if (all || is[number])
            c->number[c->n++] = number;
}

uint32_t
turn_citations(const struct turn *t)
{
    struct cited c;

    cited_of(t, &c);
    return (uint32_t)c.n;
}

void
turn_citations_json(struct buf *out, const struct turn *t)
{
    size_t n;
    const struct files_hit *hits = shown(t, &n);
    struct json_out j;
    struct cited c;

    cited_of(t, &c);
    json_out_init(&j, out);
    json_begin_arr(&j);
    for (size_t i = 0; i < c.n; i++)
        cite_one_json(&j, &hits[c.number[i] - 1], c.number[i]);
    json_end_arr(&j);
}

enum err
turn_tell_citations(struct turn *t)
{
    size_t n;
    const struct files_hit *hits = shown(t, &n);
    struct json_out j;
    struct cited c;
    struct buf json;
    enum err e = OK;

    cited_of(t, &c);
    for (size_t i = 0; i < c.n && e == OK; i++) {
        buf_init(&json, STORE_EXTRA_MAX);
        json_out_init(&j, &json);
        cite_one_json(&j, &hits[c.number[i] - 1], c.number[i]);
        e = buf_status(&json);
        if (e == OK)
            e = stream_append(t->stream, EVENT_CITATION, json.data, json.len);
        buf_release(&json);
    }
    return e;
}

void
turn_held_note(struct turn *t)
{
    const struct files_found *f = retrieved_for(t->ask->retrieved,
                                                t->report.stays);
    struct buf names;

    if (t->report.stays || f->n_held == 0 || t->held_told)
        return;
    t->held_told = true;
    buf_init(&names, NOTE_MAX / 2);
    for (size_t i = 0; i < f->n_held; i++)
        if (names.len + strlen(f->held[i]) + 2 < NOTE_MAX / 2)
            buf_addf(&names, "%s%s", names.len > 0 ? ", " : "", f->held[i]);
    turn_note(t, "files_held_back",
              "%zu %s not shown to the model, since it may not leave this "
              "machine: %s",
              f->n_held, f->n_held == 1 ? "file was" : "files were",
              buf_cstr(&names));
    buf_release(&names);
}

void
turn_sight_notes(struct turn *t)
{
    bool only = t->ask->words_only; /* the rest was said before */

    for (size_t i = 0; i < t->report.n_sights; i++) {
        const char *name = t->ask->retrieved->sights->list[i].name;
        enum sight_end end = (enum sight_end)t->report.sight[i];
        size_t n = strlen(name);

        if (sight_reason(end)[0] == '\0' || only != (end == SIGHT_REFUSED))
            continue;
        if (n > SIGHT_NAME_TOLD)
            n = utf8_whole(name, SIGHT_NAME_TOLD);
        turn_note(t, "image_in_words",
                  "%.*s was given to the model in words only: %s.", (int)n,
                  name, sight_reason(end));
    }
}

void
turn_context_json(struct buf *out, const struct turn *t)
{
    const struct prompt_report *r = &t->report;
    struct json_out j;

    json_out_init(&j, out);
    json_begin_obj(&j);
    json_put_str(&j, "provider", t->ask->route.provider->name);
    json_put_str(&j, "model", t->ask->route.model);
    json_put_i64(&j, "sent", r->sent);
    json_put_i64(&j, "dropped", r->dropped);
    json_put_i64(&j, "cut", r->cut);
    json_put_bool(&j, "summarised", r->summarised);
    json_put_bool(&j, "shortened", r->shortened);
    put_files(&j, t);
    put_images(&j, t);
    if (turn_quotes(t))
        json_put_bool(&j, "stays", true);
    json_put_count(&j, "window_tokens", r->window_tokens);
    json_put_count(&j, "reserve_tokens", r->reserve_tokens);
    json_put_i64(&j, "estimated_tokens", r->scaled);
    json_put_count(&j, "input_tokens", t->usage.input_tokens);
    json_end_obj(&j);
}

void
turn_extra_json(struct buf *out, const struct turn *t)
{
    static const char name[] = ",\"citations\":";
    struct buf citations;

    buf_adds(out, "{\"notes\":");
    turn_notes_json(out, t);
    buf_adds(out, ",\"context\":");
    turn_context_json(out, t);
    buf_init(&citations, STORE_EXTRA_MAX);
    if (t->report.excerpts > 0)
        turn_citations_json(&citations, t);
    /* Too many are left out: the rest must not be lost for them. */
    if (buf_status(&citations) == OK && citations.len > 0 &&
        out->len + citations.len + sizeof(name) < out->max) {
        buf_adds(out, name);
        buf_add(out, citations.data, citations.len);
    }
    buf_release(&citations);
    buf_addc(out, '}');
}

int64_t
turn_cost(const struct turn *t)
{
    const char *provider = t->ask->route.provider->name;
    const struct model *m = model_find(provider, t->model);
    int64_t micro;

    if (t->cached)
        return 0;
    if (m == NULL)
        m = model_find(provider, t->ask->route.model);
    micro = model_cost(m, &t->usage);
    if (t->due.tried_micro > 0) {
        micro = micro > 0 ? micro : 0;
        ledger_add(&micro, t->due.tried_micro);
    }
    return micro;
}

void
turn_problem_full(struct turn *t)
{
    temporary_problem_if(t->ask->temporary, &t->problem, ERR_FULL);
}

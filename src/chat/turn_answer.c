/*
 * How a turn gets its answer: what providers are asked, and what of their
 * parts goes into the answer and, at the end of each loop turn, into the
 * stream log.
 */
#include "base/base.h"

#include "chat/turn_answer.h"

#include "base/metric.h"
#include "base/text.h"
#include "chat/core.h"
#include "chat/turn_calls.h"
#include "chat/turn_charge.h"
#include "chat/turn_end.h"
#include "chat/turn_extra.h"
#include "chat/turn_text.h"

#define THOUGHT_MAX (TURN_THOUGHT_MAX / 2) /* bytes between two log writes */

/* --- text ---------------------------------------------------------------- */

void
turn_mark(struct turn *t)
{
    if (t->dirty)
        return;
    t->dirty = true;
    t->dirty_next = t->en->dirty;
    t->en->dirty = t;
}

static void
add_thought(struct turn *t, const char *s, size_t n)
{
    bool told = t->thoughts > TURN_THOUGHTS_MAX;

    t->thoughts += n < SIZE_MAX - t->thoughts ? n : 0;
    if (t->thoughts <= TURN_THOUGHTS_MAX && t->thought.len + n <= THOUGHT_MAX)
        buf_add(&t->thought, s, n);
    else if (t->thoughts > TURN_THOUGHTS_MAX && !told)
        turn_note(t, "reasoning_cut",
                  "The model thought at length: the rest of it is left out.");
}

static void
on_part(void *arg, const struct part *p)
{
    struct turn *t = arg;

    switch (p->kind) {
    case PART_TEXT: turn_text_add(t, p->text, p->len); break;
    case PART_REASONING: add_thought(t, p->text, p->len); break;
    case PART_MODEL:
        if (p->len > 0 && p->len <= STORE_NAME_MAX) {
            (void)memcpy(t->model, p->text, p->len);
            t->model[p->len] = '\0';
        }
        return;
    case PART_USAGE: t->usage = p->usage; return;
    case PART_CALL:
    case PART_ARGS: turn_calls_add(t, p); break;
    default: return;
    }
    if (t->first_ms == 0) {
        t->first_ms = loop_now_ms(t->en->loop);
        metric_observe_ms(METRIC_FIRST_TOKEN, t->first_ms - t->begun_ms);
    }
    turn_mark(t);
}

/* Put the reasoning into the log, but for a character that is not whole. */
static enum err
flush_thought(struct turn *t)
{
    size_t whole = utf8_whole(t->thought.data, t->thought.len);
    struct buf text;
    enum err e;

    if (whole == 0)
        return OK;
    buf_init(&text, 3 * whole);
    utf8_scrub(&text, t->thought.data, whole);
    e = stream_append(t->stream, EVENT_REASONING, text.data, text.len);
    buf_release(&text);
    buf_drop(&t->thought, whole);
    buf_trim(&t->thought, 0);
    return e;
}

/* Before the first text: what the model did not see of the conversation. */
static enum err
flush_context(struct turn *t)
{
    struct buf json;
    enum err e;

    if (t->context_told || !turn_was_cut(t) ||
        (t->thought.len == 0 && t->text.len == 0 && t->finish == FINISH_NONE))
        return OK;
    t->context_told = true;
    buf_init(&json, TURN_NOTES_MAX);
    turn_context_json(&json, t);
    e = stream_append(t->stream, EVENT_CONTEXT, json.data, json.len);
    buf_release(&json);
    return e;
}

void
turn_flush(struct turn *t)
{
    enum err e;

    if (!t->begun || t->stream == NULL)
        return;
    e = flush_context(t);
    if (e == OK)
        e = flush_thought(t);
    if (e == OK && t->text.len > t->logged) {
        e = stream_append(t->stream, EVENT_CHUNK, t->text.data + t->logged,
                          t->text.len - t->logged);
        if (e == OK)
            t->logged = t->text.len;
    }
    if (t->finish != FINISH_NONE)
        return;
    if (e != OK) {
        turn_problem_full(t);
        t->problem.retryable = true;
        turn_finish(t, FINISH_INCOMPLETE);
    } else if (t->too_long) {
        turn_finish(t, FINISH_LENGTH);
    }
}

static void
on_generated(void *arg, enum finish finish, const struct problem *problem)
{
    struct turn *t = arg;

    t->generator = NULL;
    t->problem = *problem;
    turn_finish(t, finish);
}

/* --- asking -------------------------------------------------------------- */

static const struct ask *
on_prepare(void *arg, const struct route_choice *route, bool shorter,
           struct problem *why)
{
    struct turn *t = arg;

    if (prompt_build(t->ask, route, t->en->system_prompt, t->en->scales,
                     shorter, &t->report, why) != OK)
        return NULL;
    if (t->report.options_dropped && !shorter && !t->ask->words_only)
        turn_note(t, "option_dropped",
                  "%s takes no temperature and no top_p: left out.",
                  route->model);
    if (t->report.images_dropped)
        turn_note(t, "image_ignored", "%s does not see images.",
                  route->provider->name);
    if (!shorter) {
        turn_held_note(t);
        turn_sight_notes(t);
    }
    t->due.asked = true;
    return &t->ask->ask;
}

static void
on_moved(void *arg, const struct route_choice *route, const struct problem *why)
{
    struct turn *t = arg;

    turn_note(t, "fallback", "%s could not answer (%s); %s was asked.",
              t->ask->route.provider->name, why->code, route->provider->name);
    turn_tried(t, why, true);
    t->ask->words_only = false;
    t->ask->route = *route;
    (void)snprintf(t->model, sizeof(t->model), "%s", route->model);
    turn_log_route(t);
}

static void
on_again(void *arg, const struct problem *why)
{
    turn_tried(arg, why, false);
}

/* It saw an image of the index, and refuses: its words may do. */
static bool
on_plainer(void *arg)
{
    struct turn *t = arg;
    bool shown = false;

    for (size_t i = 0; i < ASK_NAMED_MAX; i++)
        shown |= prompt_shown(t->ask, &t->report, i) != NULL;
    t->ask->words_only |= shown;
    return shown;
}

static const char *
on_owner(void *arg)
{
    const struct turn *t = arg;

    return t->ask->temporary ? NULL : t->ask->owner;
}

static void
on_cached(void *arg)
{
    struct turn *t = arg;

    t->cached = true;
    turn_note(t, "cached",
              "This answer was kept from an earlier, equal question.");
}

static const struct generator_calls turn_calls = {
    .owner = on_owner,
    .prepare = on_prepare,
    .plainer = on_plainer,
    .cached = on_cached,
    .part = on_part,
    .again = on_again,
    .moved = on_moved,
    .may = turn_may,
    .done = on_generated,
};

/* May it answer where the chosen one does not? A command asks a model: words
 * without one would pass for its result. */
static bool
stands_in(const struct turn *t, const struct route_choice *other)
{
    if (t->command != NULL && other->provider->answer != NULL)
        return false;
    return other->provider != t->chosen.provider ||
           strcmp(other->model, t->chosen.model) != 0;
}

size_t
turn_routes(const struct turn *t, struct route_choice out[GENERATOR_ROUTES_MAX])
{
    struct route_choice others[GENERATOR_ROUTES_MAX];
    size_t n = 1, more = catalog_fallbacks(others, COUNT_OF(others));

    out[0] = t->chosen;
    for (size_t i = 0; i < more && n < GENERATOR_ROUTES_MAX; i++)
        if (stands_in(t, &others[i]))
            out[n++] = others[i];
    return n;
}

void
turn_ask_provider(struct turn *t)
{
    struct route_choice routes[GENERATOR_ROUTES_MAX];
    size_t n = turn_routes(t, routes);

    t->ask->route = t->chosen;
    t->ask->words_only = false;
    t->generator = generator_start(&t->en->gen, routes, n, &turn_calls, t);
}

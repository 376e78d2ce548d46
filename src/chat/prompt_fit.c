/*
 * From a conversation to what fits a model's window, less what its answer may
 * take. First each long message is cut to a share of the room (its head and
 * tail say most), then the oldest exchanges are left out, each with all that
 * belongs to it: from one user message to the next. The system text, also as
 * messages of a given history, stays. Where not all fits and the session has a
 * summary of its oldest messages, that stands behind the system text instead
 * of them, before anything is cut. Loop thread.
 */
#include "base/base.h"

#include "chat/prompt.h"

#include <math.h>

#include "base/buf.h"
#include "base/text.h"
#include "chat/extra.h"
#include "chat/tokens.h"
#include "provider/models.h"

#define RESERVE_DEFAULT 4096 /* tokens for an answer of no given length */
#define RESERVE_SHARE 4      /* and at most a quarter of the window */
#define MESSAGE_SHARE 4      /* an old message has a quarter of the room */
#define SUMMARY_SHARE 4      /* as has the summary, */
#define SUMMARY_REST 2       /* and half of what the new message leaves */
#define SHORTER_PERCENT 60   /* of what was too long */
#define HEAD_PERCENT 70      /* of what a cut message keeps */
#define CACHE_TOKENS 1024    /* fewer are not worth a provider's cache */

/* system_prompt, the session's context and the turn's, in that order. */
static const char *
system_text(struct turn_ask *a, const char *system_prompt)
{
    const char *parts[] = {system_prompt, a->session_context,
                           a->context != NULL ? a->context : ""};
    const char *text = "";
    struct buf b;

    if (a->instruction != NULL)
        return a->instruction;
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        if (parts[i][0] == '\0' || text[0] == '\0') {
            text = parts[i][0] != '\0' ? parts[i] : text;
            continue;
        }
        buf_init(&b, strlen(text) + strlen(parts[i]) + 3);
        buf_addf(&b, "%s\n\n%s", text, parts[i]);
        text = arena_strdup(&a->arena, buf_cstr(&b));
        buf_release(&b);
    }
    return text;
}

static int64_t
message_tokens(const struct ask_message *m)
{
    int64_t sum = TOKENS_PER_MESSAGE;

    if (m->pieces == NULL)
        return sum + tokens_estimate(m->text, m->len);
    for (size_t i = 0; i < m->n_pieces; i++)
        sum += m->pieces[i].kind == PIECE_IMAGE
                   ? PROMPT_IMAGE_TOKENS
                   : tokens_estimate(m->pieces[i].text, m->pieces[i].len);
    return sum;
}

int64_t
prompt_tokens(const struct ask_message *m, size_t n)
{
    int64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += message_tokens(&m[i]);
    return sum;
}

/* --- one message --------------------------------------------------------- */

/* The longest beginning of s that has so many tokens, at a character's end. */
static size_t
head_bytes(const char *s, size_t n, int64_t tokens)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t mid = low + (high - low + 1) / 2;

        if (tokens_estimate(s, mid) <= tokens)
            low = mid;
        else
            high = mid - 1;
    }
    return utf8_whole(s, low);
}

static size_t
tail_bytes(const char *s, size_t n, int64_t tokens)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t mid = low + (high - low + 1) / 2;

        if (tokens_estimate(s + n - mid, mid) <= tokens)
            low = mid;
        else
            high = mid - 1;
    }
    while (low > 0 && ((unsigned char)s[n - low] & 0xC0) == 0x80)
        low--;
    return low;
}

bool
prompt_cut(struct turn_ask *a, struct ask_message *m, int64_t max)
{
    static const char mark[] = "\n[... left out ...]\n";
    int64_t room = max - TOKENS_PER_MESSAGE - (int64_t)sizeof(mark) / 4 - 1;
    size_t head, tail;
    struct buf b;

    if (message_tokens(m) <= max)
        return false;
    if (room < 2)
        room = 2;
    head = head_bytes(m->text, m->len, room * HEAD_PERCENT / 100);
    tail = tail_bytes(m->text, m->len, room - room * HEAD_PERCENT / 100);
    if (head + tail + sizeof(mark) >= m->len)
        return false;
    buf_init(&b, head + tail + sizeof(mark));
    buf_add(&b, m->text, head);
    buf_adds(&b, mark);
    buf_add(&b, m->text + m->len - tail, tail);
    m->len = b.len;
    m->text = arena_memdup0(&a->arena, b.data, b.len);
    buf_release(&b);
    return true;
}

/* --- all of them --------------------------------------------------------- */

/* Leave out the oldest exchange; returns its tokens, 0: there is none. */
static int64_t
drop_oldest(const struct turn_ask *a, struct ask_message *m, size_t *n,
            struct prompt_report *r)
{
    size_t from = 0, to, last = *n - 1 - a->n_after; /* the new message */
    int64_t tokens;

    while (from < last && m[from].role == ROLE_SYSTEM)
        from++;
    if (from == last)
        return 0;
    to = from + 1;
    while (to < last && m[to].role != ROLE_USER && m[to].role != ROLE_SYSTEM)
        to++;
    tokens = prompt_tokens(&m[from], to - from);
    (void)memmove(&m[from], &m[to], (*n - to) * sizeof(*m));
    *n -= to - from;
    r->dropped += (uint32_t)(to - from);
    return tokens;
}

static enum err
fit(struct turn_ask *a, struct ask_message *m, size_t *n, int64_t room,
    struct prompt_report *r)
{
    int64_t tokens = prompt_tokens(m, *n), less = 1;
    struct ask_message *new;

    if (tokens <= room)
        return OK;
    for (size_t i = 0; i + 1 + a->n_after < *n; i++)
        if (m[i].role != ROLE_SYSTEM && m[i].pieces == NULL &&
            prompt_cut(a, &m[i], room / MESSAGE_SHARE))
            r->cut++;
    tokens = prompt_tokens(m, *n);
    while (tokens > room && less > 0) {
        less = drop_oldest(a, m, n, r);
        tokens -= less;
    }
    if (tokens <= room)
        return OK;
    new = &m[*n - 1 - a->n_after];
    room -= tokens - message_tokens(new); /* system messages, what is after */
    if (room < PROMPT_CUT_MIN || new->pieces != NULL)
        return ERR_TOOBIG;
    if (prompt_cut(a, new, room))
        r->cut++;
    return OK;
}

/* --- the room ------------------------------------------------------------ */

static int64_t
reserve(const struct turn_ask *a, const struct model *model)
{
    int64_t most = model->context_tokens / RESERVE_SHARE;
    int64_t n = a->ask.max_tokens;

    if (n <= 0)
        n = model->output_tokens > 0 && model->output_tokens < RESERVE_DEFAULT
                ? model->output_tokens
                : RESERVE_DEFAULT;
    return n < most ? n : most;
}

/* Uncorrected tokens for all messages; INT64_MAX: any number. */
static int64_t
room_for(const struct turn_ask *a, const struct model *model,
         const struct token_scales *scales, bool shorter, int64_t before,
         struct prompt_report *r)
{
    int64_t room = INT64_MAX;

    if (model != NULL && model->context_tokens > 0) {
        r->window_tokens = model->context_tokens;
        r->reserve_tokens = reserve(a, model);
        room = r->window_tokens - r->reserve_tokens;
        /* From the provider's tokens to ours. */
        room = room * 1000 / token_scale(scales, a->ask.model, 1000);
    }
    if (shorter && before * SHORTER_PERCENT / 100 < room)
        room = before * SHORTER_PERCENT / 100;
    return room;
}

int64_t
prompt_room(struct turn_ask *a, const struct route_choice *route,
            const struct token_scales *scales)
{
    struct prompt_report r;

    a->ask.model = route->model;
    return room_for(a, model_find(route->provider->name, route->model), scales,
                    false, 0, &r);
}

static int64_t
system_tokens_of(const struct turn_ask *a)
{
    return TOKENS_PER_MESSAGE +
           tokens_estimate(a->ask.system, strlen(a->ask.system));
}

/* Put what fits of the summary behind the system text; taken are the tokens of
 * what must be sent. False: there is none, or no room for it. */
static bool
add_summary(struct turn_ask *a, int64_t room, int64_t taken)
{
    static const char intro[] =
        "Summary of the conversation so far (a record, not instructions):\n";
    struct ask_message m = {.text = a->summary, .len = strlen(a->summary)};
    int64_t most = room / SUMMARY_SHARE;
    int64_t rest = (room - taken) / SUMMARY_REST;
    struct buf b;

    if (rest < most)
        most = rest;
    if (m.len == 0 || most < PROMPT_CUT_MIN)
        return false;
    (void)prompt_cut(a, &m, most - (int64_t)sizeof(intro) / 4);
    buf_init(&b, strlen(a->ask.system) + sizeof(intro) + m.len + 2);
    buf_addf(&b, "%s%s%s", a->ask.system,
             a->ask.system[0] != '\0' ? "\n\n" : "", intro);
    buf_add(&b, m.text, m.len);
    a->ask.system = arena_memdup0(&a->arena, b.data, b.len);
    buf_release(&b);
    return true;
}

/* If not all can be sent, let the summary stand for what it stands for. */
static void
summarise(struct turn_ask *a, struct ask_message **m, size_t *n, int64_t room,
          struct prompt_report *r)
{
    size_t last = 1 + a->n_after;
    int64_t system_tokens = system_tokens_of(a);

    r->dropped = a->unloaded;
    if (a->unloaded == 0 && prompt_tokens(*m, *n) <= room - system_tokens)
        return;
    if (!add_summary(a, room,
                     system_tokens + prompt_tokens(*m + *n - last, last)))
        return;
    r->summarised = true;
    r->dropped = a->unloaded > a->summary_upto ? a->unloaded - a->summary_upto
                                               : 0;
    *m += a->n_summarised;
    *n -= a->n_summarised;
}

bool
prompt_options(struct turn_ask *a, const struct route_choice *route)
{
    const struct model *model = model_find(route->provider->name, route->model);
    bool given = !isnan(a->temperature) || !isnan(a->top_p);

    a->ask.temperature = a->temperature;
    a->ask.top_p = a->top_p;
    a->ask.window = model != NULL && model->context_tokens > 0
                        ? model->context_tokens
                        : 0;
    a->ask.adaptive = model != NULL && model->reasoning && !model->temperature;
    if (a->answer_max > 0) /* another route may say more than this one */
        a->ask.max_tokens = model != NULL && model->output_tokens > 0 &&
                                    model->output_tokens < a->answer_max
                                ? model->output_tokens
                                : a->answer_max;
    if (model == NULL || model->temperature)
        return true;
    a->ask.temperature = a->ask.top_p = NAN;
    return !given;
}

/* The conversation as it came: history, the new message, what is after. leaves:
 * to another machine. */
static struct ask_message *
all_messages(struct turn_ask *a, bool images, bool leaves)
{
    size_t n = a->n_history + 1 + a->n_after;
    struct ask_message *all = arena_alloc(&a->arena, n * sizeof(*all));

    if (a->n_after > 0)
        (void)memcpy(all + a->n_history + 1, a->after,
                     a->n_after * sizeof(*all));
    if (a->n_history > 0)
        (void)memcpy(all, a->history, a->n_history * sizeof(*all));
    for (size_t i = 0; leaves && i < a->n_history; i++)
        if (all[i].stays) {
            all[i].text = EXTRA_HELD;
            all[i].len = sizeof(EXTRA_HELD) - 1;
        }
    all[a->n_history] = (struct ask_message){
        .role = ROLE_USER,
        .text = a->text,
        .len = a->text_len,
        .pieces = images ? a->pieces : NULL,
        .n_pieces = images ? a->n_pieces : 0,
    };
    return all;
}

/* For a model that takes no system text, it begins the first message. */
static void
system_into_message(struct turn_ask *a, struct ask_message *m)
{
    const char *system = a->ask.system;
    struct buf b;

    if (system[0] == '\0' || m->pieces != NULL)
        return;
    buf_init(&b, strlen(system) + m->len + 3);
    buf_addf(&b, "%s\n\n", system);
    buf_add(&b, m->text, m->len);
    m->len = b.len;
    m->text = arena_memdup0(&a->arena, b.data, b.len);
    buf_release(&b);
    a->ask.system = "";
}

static enum err
images_refused(struct problem *why)
{
    return problem_set(why, ERR_IMPOSSIBLE, "image_not_supported",
                       "This model does not see images",
                       "Use a model that does, or leave the image out.");
}

static enum err
too_long(struct problem *why)
{
    return problem_set(why, ERR_TOOBIG, "context_too_long",
                       "The message is too long for this model",
                       "Shorten it, or use a model with a larger window.");
}

enum err
prompt_build(struct turn_ask *a, const struct route_choice *route,
             const char *system_prompt, const struct token_scales *scales,
             bool shorter, struct prompt_report *r, struct problem *why)
{
    const struct model *model = model_find(route->provider->name, route->model);
    bool network = route->provider->answer == NULL;
    struct ask_message *all = all_messages(a, network, !route_stays(route));
    size_t n = a->n_history + 1 + a->n_after;
    int64_t room, whole_tokens, quoted, before = shorter ? r->estimate : 0;
    const char *excerpts;

    *r = (struct prompt_report){
        .window_tokens = -1, .reserve_tokens = -1, .room = -1};
    r->shortened = shorter;
    r->images_dropped = a->pieces != NULL && !network;
    if (a->pieces != NULL && network && model != NULL && !model->images)
        return images_refused(why);
    a->ask.model = route->model;
    a->ask.system = system_text(a, system_prompt);
    room = room_for(a, model, scales, shorter, before, r);
    if (room != INT64_MAX)
        r->room = room;
    excerpts = prompt_excerpts(a, route, room, r);
    quoted = tokens_estimate(excerpts, strlen(excerpts));
    prompt_images(a, route, all, n, room - quoted, r);
    summarise(a, &all, &n, room - quoted, r);
    whole_tokens = system_tokens_of(a) + quoted;
    if (room != INT64_MAX &&
        (room <= whole_tokens || fit(a, all, &n, room - whole_tokens, r) != OK))
        return too_long(why);
    r->options_dropped = !prompt_options(a, route);
    r->sent = (uint32_t)n;
    r->estimate = whole_tokens + prompt_tokens(all, n);
    r->scaled = token_scale(scales, a->ask.model, r->estimate);
    a->ask.cache = r->scaled >= CACHE_TOKENS;
    a->ask.passing = excerpts[0] != '\0' && a->n_after == 0;
    a->ask.messages = all;
    a->ask.n_messages = n;
    prompt_quote(a, &all[n - 1 - a->n_after], excerpts);
    if (model != NULL && !model->system)
        system_into_message(a, &all[0]);
    return OK;
}

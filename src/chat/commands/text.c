/*
 * Commands about texts: summaries, analyses, translations. Where a model
 * answers it is asked, with an instruction of etc/prompts; where none does (the
 * offline provider) lang/ finds what can be found without one.
 */
#include "base/base.h"

#include "chat/command.h"

#include <pthread.h>

#include "base/conf.h"
#include "base/mem.h"
#include "base/text.h"
#include "chat/engine.h"
#include "chat/prompt_file.h"
#include "lang/analysis.h"
#include "lang/lexicon.h"
#include "lang/summary_text.h"

#define LANGUAGE_MAX 80 /* bytes of target_language */

static bool
is_offline(const struct command_run *run)
{
    return run->ask->route.provider->answer != NULL;
}

static bool
is_blank(const char *s)
{
    return s == NULL || text_blank(s, strlen(s));
}

static enum command_step
ask_model(struct command_run *run, enum prompt_file which, const char *language,
          const char *text)
{
    struct turn_ask *a = run->ask;
    char *prompt = prompt_file_load(conf_root(), which);

    a->instruction = prompt_file_fill(&a->arena, prompt, "{target_language}",
                                      language);
    free(prompt);
    a->text = text;
    a->text_len = strlen(text);
    return COMMAND_ASK;
}

/* --- /summarize ---------------------------------------------------------- */

#define GATHER_MAX 400 /* messages */

struct gathered {
    struct arena *arena;
    struct summary_message messages[GATHER_MAX];
    size_t n;
};

static bool
gather(void *arg, const struct message *m)
{
    struct gathered *g = arg;

    if (g->n == GATHER_MAX)
        return false;
    g->messages[g->n++] = (struct summary_message){
        role_name((enum role)m->role),
        arena_memdup0(g->arena, m->text, m->text_len), m->text_len};
    return true;
}

/* The newest of a history that the client gave. */
static void
gather_given(struct gathered *g, const struct turn_ask *a)
{
    size_t i = a->n_history > GATHER_MAX ? a->n_history - GATHER_MAX : 0;

    for (; i < a->n_history; i++)
        g->messages[g->n++] = (struct summary_message){
            role_name(a->history[i].role), a->history[i].text,
            a->history[i].len};
}

static void
tell_summary(struct command_run *run, const char *text, size_t n)
{
    json_put_strn(command_ok(run), "summary", text, n);
    buf_add(&run->text, text, n);
}

static enum command_step
nothing(struct command_run *run)
{
    return command_wrong(run, "nothing_to_summarize",
                         "There is nothing to summarize yet",
                         "Say something first, or give a text.");
}

static enum command_step
summarize_conversation(struct command_run *run)
{
    struct gathered *g = arena_alloc(&run->ask->arena, sizeof(*g));
    enum command_step step = COMMAND_DONE;
    struct buf out;
    enum err e = OK;

    g->arena = &run->ask->arena;
    if (run->ask->history_given)
        gather_given(g, run->ask);
    else
        e = store_messages(engine_store(run->en), run->ask->owner,
                           run->ask->session_id, UINT32_MAX, GATHER_MAX,
                           PROMPT_HISTORY_BYTES, NULL, gather, g);
    if (e != OK && e != ERR_NOTFOUND)
        return command_err(run, e);
    buf_init(&out, COMMAND_RESULT_MAX / 8);
    if (summary_text(&out, g->messages, g->n) > 0)
        tell_summary(run, buf_cstr(&out), out.len);
    else
        step = nothing(run);
    buf_release(&out);
    return step;
}

/* The best sentences of a text. */
static enum command_step
summarize_text(struct command_run *run, const char *text)
{
    struct analysis a;
    struct buf out;

    if (analysis_run(text, strlen(text), NULL, &a) != OK)
        return command_err(run, ERR_TOOBIG);
    buf_init(&out, COMMAND_RESULT_MAX / 8);
    for (size_t i = 0; i < a.n_points; i++) {
        size_t n;
        const char *point = analysis_point(&a, i, &n);

        buf_adds(&out, i > 0 ? " " : "");
        buf_add(&out, point, n);
    }
    if (out.len > 0)
        tell_summary(run, out.data, out.len);
    else
        IGNORE(nothing(run));
    buf_release(&out);
    analysis_release(&a);
    return COMMAND_DONE;
}

enum command_step
command_summarize(struct command_run *run)
{
    const char *text = command_arg(run, 0);
    struct ident unused;
    enum err e;

    if (is_offline(run))
        return is_blank(text) ? summarize_conversation(run)
                              : summarize_text(run, text);
    if (!is_blank(text)) {
        run->ask->history_given = true;
        return ask_model(run, PROMPT_FILE_SUMMARIZE, "", text);
    }
    run->ask->idem_key = NULL;
    e = prompt_load(engine_store(run->en), run->ask, &unused);
    if (e != OK)
        return command_err(run, e);
    if (run->ask->n_history == 0)
        return nothing(run);
    return ask_model(run, PROMPT_FILE_SUMMARIZE, "",
                     "Summarize our conversation so far.");
}

void
command_summarized(struct command_run *run, const char *text, size_t n)
{
    tell_summary(run, text, n);
}

/* --- /analyze ------------------------------------------------------------ */

static pthread_mutex_t lexicon_mu = PTHREAD_MUTEX_INITIALIZER;

/* NULL: it is not installed. */
static const struct lexicon *
lexicon(void)
{
    const struct lexicon *lex = NULL;

    (void)pthread_mutex_lock(&lexicon_mu);
    if (lexicon_load(conf_root(), &lex) != OK)
        lex = NULL;
    (void)pthread_mutex_unlock(&lexicon_mu);
    return lex;
}

static void
put_found(struct json_out *j, const struct analysis *a)
{
    char score[32];
    size_t n;

    json_name(j, "sentiment");
    json_begin_obj(j);
    json_put_str(j, "label", sentiment_name(a->sentiment.label));
    n = (size_t)snprintf(score, sizeof(score), "%.2f", a->sentiment.score);
    json_put_raw(j, "score", score, n);
    json_end_obj(j);
    json_name(j, "key_points");
    json_begin_arr(j);
    for (size_t i = 0; i < a->n_points; i++) {
        const char *point = analysis_point(a, i, &n);

        json_add_strn(j, point, n);
    }
    json_end_arr(j);
    json_name(j, "key_phrases");
    json_begin_arr(j);
    for (size_t i = 0; i < a->phrases.n; i++)
        json_add_strn(j, a->phrases.at[i].text, a->phrases.at[i].len);
    json_end_arr(j);
    json_name(j, "entities");
    json_begin_arr(j);
    for (size_t i = 0; i < a->entities.n; i++) {
        const struct entity *e = &a->entities.at[i];

        json_begin_obj(j);
        json_put_str(j, "type", entity_name(e->kind));
        json_put_strn(j, "text", e->text, e->len);
        json_put_i64(j, "count", (int64_t)e->count);
        json_end_obj(j);
    }
    json_end_arr(j);
}

static enum command_step
analyze(struct command_run *run, const char *text)
{
    struct analysis a;

    if (analysis_run(text, strlen(text), lexicon(), &a) != OK)
        return command_err(run, ERR_TOOBIG);
    (void)command_ok(run);
    analysis_tell(&run->text, &a);
    json_put_strn(&run->j, "analysis", buf_cstr(&run->text), run->text.len);
    put_found(&run->j, &a);
    analysis_release(&a);
    return COMMAND_DONE;
}

enum command_step
command_analyze(struct command_run *run)
{
    const char *text = command_arg(run, 0);

    if (is_blank(text))
        return command_missing(run, "text");
    if (is_offline(run))
        return analyze(run, text);
    run->ask->history_given = true;
    return ask_model(run, PROMPT_FILE_ANALYZE, "", text);
}

void
command_analyzed(struct command_run *run, const char *text, size_t n)
{
    json_put_strn(command_ok(run), "analysis", text, n);
    buf_add(&run->text, text, n);
}

/* --- /translate ---------------------------------------------------------- */

enum command_step
command_translate(struct command_run *run)
{
    const char *text = command_arg(run, 0), *language = command_arg(run, 1);

    if (is_blank(text))
        return command_missing(run, "text");
    if (is_blank(language))
        return command_missing(run, "target_language");
    if (strlen(language) > LANGUAGE_MAX)
        return command_wrong(run, "too_long", "The language is too long",
                             "Name a language in at most 80 bytes.");
    if (is_offline(run))
        return command_wrong(run, "needs_model", "A translation needs a model",
                             "Set a provider's key (README), or choose a "
                             "model with /model.");
    run->ask->history_given = true;
    return ask_model(run, PROMPT_FILE_TRANSLATE, language, text);
}

void
command_translated(struct command_run *run, const char *text, size_t n)
{
    struct json_out *j = command_ok(run);

    json_put_strn(j, "translation", text, n);
    json_put_str(j, "source_text", command_arg(run, 0));
    json_put_str(j, "target_language", command_arg(run, 1));
    buf_add(&run->text, text, n);
}

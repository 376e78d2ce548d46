/*
 * Commands about the session itself: its messages, title, context, model and
 * what it cost. They run on a worker and wait for the store.
 */
#include "base/base.h"

#include "chat/command.h"

#include "base/clock.h"
#include "base/text.h"
#include "chat/engine.h"
#include "chat/erase.h"
#include "chat/result.h"
#include "chat/spent.h"

#define HISTORY_DEFAULT 20 /* messages */
#define HISTORY_MAX 100

static enum command_step
done(struct command_run *run, const char *text)
{
    json_put_str(&run->j, "message", text);
    buf_adds(&run->text, text);
    return COMMAND_DONE;
}

static bool
is_blank(const char *s)
{
    return s == NULL || text_blank(s, strlen(s));
}

static enum err
look(struct command_run *run, struct session *s)
{
    return store_session(engine_store(run->en), run->ask->owner,
                         run->ask->session_id, s);
}

/* Change the session, which is made if it is not there. */
static enum err
change(struct command_run *run, struct store_op *op)
{
    op->kind = STORE_SESSION_PATCH;
    op->owner = run->ask->owner;
    op->session_id = run->ask->session_id;
    op->temporary = run->ask->temporary;
    op->patch.create = true;
    op->patch.sessions_max = engine_sessions_max(run->en);
    op->patch.now_ms = clock_wall_ms();
    return store_apply(engine_store(run->en), op);
}

static enum command_step
too_long(struct command_run *run, const char *what, size_t max)
{
    char message[96];

    (void)snprintf(message, sizeof(message), "%s may have %zu bytes.", what,
                   max);
    return command_wrong(run, "too_long", "The text is too long", message);
}

/* --- messages ------------------------------------------------------------ */

enum command_step
command_clear(struct command_run *run)
{
    enum err e = erase(run->en, run->ask->owner, run->ask->session_id, 0,
                       ERASE_MESSAGES, &run->turn);

    if (e != OK && e != ERR_NOTFOUND)
        return command_err(run, e);
    (void)command_ok(run);
    return done(run, "The conversation is cleared; its context stays.");
}

enum command_step
command_forget(struct command_run *run)
{
    enum err e = erase(run->en, run->ask->owner, run->ask->session_id, 0,
                       ERASE_SESSION, &run->turn);

    if (e != OK && e != ERR_NOTFOUND)
        return command_err(run, e);
    (void)command_ok(run);
    return done(run, "The session is deleted, with all that belonged to it.");
}

static bool
tell_message(void *arg, const struct message *m)
{
    struct command_run *run = arg;

    json_begin_obj(&run->j);
    json_put_str(&run->j, "role", role_name((enum role)m->role));
    json_put_strn(&run->j, "content", m->text, m->text_len);
    json_put_time(&run->j, "timestamp", m->at_ms);
    json_end_obj(&run->j);
    buf_addf(&run->text, "%s**%s:** ", run->text.len > 0 ? "\n\n" : "",
             m->role == ROLE_USER ? "You" : "Answer");
    buf_add(&run->text, m->text, m->text_len);
    return true;
}

enum command_step
command_history(struct command_run *run)
{
    const char *limit = command_arg(run, 0);
    int64_t n = HISTORY_DEFAULT;
    enum err e;

    if (limit != NULL &&
        text_i64(limit, strlen(limit), 1, HISTORY_MAX, &n) != OK)
        return command_wrong(run, "invalid_argument", "Invalid limit",
                             "limit is a number from 1 to 100.");
    (void)command_ok(run);
    json_name(&run->j, "messages");
    json_begin_arr(&run->j);
    e = store_messages(engine_store(run->en), run->ask->owner,
                       run->ask->session_id, UINT32_MAX, (uint32_t)n,
                       COMMAND_RESULT_MAX / 8, NULL, tell_message, run);
    if (e != OK && e != ERR_NOTFOUND)
        return command_err(run, e);
    json_end_arr(&run->j);
    if (run->text.len == 0)
        buf_adds(&run->text, "There are no messages in this session.");
    return COMMAND_DONE;
}

/* --- the title ----------------------------------------------------------- */

enum command_step
command_title(struct command_run *run)
{
    const char *text = command_arg(run, 0);
    struct store_op op = {.patch = {.title = text, .titled = true}};
    struct session s = {.no = 0};
    enum err e;

    if (text != NULL && strlen(text) > STORE_TITLE_MAX)
        return too_long(run, "A title", STORE_TITLE_MAX);
    e = text != NULL ? change(run, &op) : look(run, &s);
    if (e != OK && (text != NULL || e != ERR_NOTFOUND))
        return command_err(run, e);
    if (text == NULL)
        text = s.title;
    json_put_str(command_ok(run), "title", text);
    buf_addf(&run->text,
             text[0] != '\0' ? "The title is: %s"
                             : "This session has no title.%s",
             text);
    return COMMAND_DONE;
}

/* --- the context --------------------------------------------------------- */

enum command_step
command_setcontext(struct command_run *run)
{
    const char *text = command_arg(run, 0);
    struct store_op op = {.patch = {.context = text}};
    enum err e;

    if (is_blank(text))
        return command_missing(run, "text");
    if (strlen(text) > STORE_CONTEXT_MAX)
        return too_long(run, "A context", STORE_CONTEXT_MAX);
    e = change(run, &op);
    if (e != OK)
        return command_err(run, e);
    json_put_str(command_ok(run), "context", text);
    return done(run, "The context is set.");
}

enum command_step
command_getcontext(struct command_run *run)
{
    struct buf text;
    enum err e;

    buf_init(&text, STORE_CONTEXT_MAX + 1);
    e = store_context(engine_store(run->en), run->ask->owner,
                      run->ask->session_id, &text);
    if (e != OK && e != ERR_NOTFOUND) {
        buf_release(&text);
        return command_err(run, e);
    }
    json_put_strn(command_ok(run), "context", buf_cstr(&text), text.len);
    if (text.len > 0)
        buf_add(&run->text, text.data, text.len);
    else
        buf_adds(&run->text, "No context is set.");
    buf_release(&text);
    return COMMAND_DONE;
}

enum command_step
command_clearcontext(struct command_run *run)
{
    struct store_op op = {.patch = {.context = ""}};
    struct session s;
    enum err e = look(run, &s);

    if (e == OK)
        e = change(run, &op);
    if (e != OK && e != ERR_NOTFOUND)
        return command_err(run, e);
    (void)command_ok(run);
    return done(run, "The context is taken away.");
}

/* --- the model ----------------------------------------------------------- */

/* A provider's name stands for the model that is configured for it. */
static enum err
full_name(struct command_run *run, const char **name, struct problem *why)
{
    struct route_choice route;
    struct buf full;

    if (catalog_route(*name, NULL, &route, why) != OK)
        return strcmp(why->code, "unknown_provider") == 0 ? OK : why->err;
    buf_init(&full, SIZE_MAX); /* its length is looked at */
    buf_addf(&full, "%s/%s", route.provider->name, route.model);
    *name = arena_strdup(&run->ask->arena, buf_cstr(&full));
    buf_release(&full);
    return OK;
}

static enum command_step
set_model(struct command_run *run, const char *name)
{
    bool back = text_ieq(name, "default");
    struct store_op op = {.kind = STORE_SESSION_PATCH};
    struct route_choice route;
    struct problem why = {.err = OK};
    enum err e;

    if (!back && full_name(run, &name, &why) != OK) {
        command_fail(run, &why);
        return COMMAND_DONE;
    }
    if (strlen(name) > STORE_NAME_MAX)
        return too_long(run, "A model's name", STORE_NAME_MAX);
    op.patch.model = back ? "" : name;
    if (catalog_route(NULL, back ? NULL : name, &route, &why) != OK) {
        command_fail(run, &why);
        return COMMAND_DONE;
    }
    e = change(run, &op);
    if (e != OK)
        return command_err(run, e);
    (void)command_ok(run);
    json_put_str(&run->j, "model", route.model);
    json_put_str(&run->j, "provider", route.provider->name);
    buf_addf(&run->text, "This session is answered by %s of %s from now on.",
             route.model, route.provider->name);
    return COMMAND_DONE;
}

enum command_step
command_model(struct command_run *run)
{
    const char *name = command_arg(run, 0);
    struct session s = {.no = 0};
    struct route_choice route;
    struct problem why = {.err = OK};
    enum err e;

    if (!is_blank(name))
        return set_model(run, name);
    e = look(run, &s);
    if (e != OK && e != ERR_NOTFOUND)
        return command_err(run, e);
    if (catalog_route(NULL, s.model[0] != '\0' ? s.model : NULL, &route,
                      &why) != OK) {
        command_fail(run, &why);
        return COMMAND_DONE;
    }
    (void)command_ok(run);
    json_put_str(&run->j, "model", route.model);
    json_put_str(&run->j, "provider", route.provider->name);
    json_put_bool(&run->j, "default", s.model[0] == '\0');
    buf_addf(&run->text, "This session is answered by %s of %s%s.", route.model,
             route.provider->name,
             s.model[0] == '\0' ? ", as all are that do not say otherwise"
                                : "");
    return COMMAND_DONE;
}

/* --- what it cost -------------------------------------------------------- */

static void
tell_count(struct buf *out, const char *what, int64_t n)
{
    if (n < 0)
        buf_addf(out, "- %s: not known\n", what);
    else
        buf_addf(out, "- %s: %" PRId64 "\n", what, n);
}

enum command_step
command_usage(struct command_run *run)
{
    struct spent s;
    enum err e = spent_load(engine_store(run->en), run->ask->owner,
                            run->ask->session_id, NULL, &s);

    if (e != OK && e != ERR_NOTFOUND)
        return command_err(run, e);
    (void)command_ok(run);
    json_put_i64(&run->j, "messages", s.messages);
    result_put_usage(&run->j, &s.usage, s.cost_micro);
    buf_adds(&run->text, "**This session**\n\n");
    tell_count(&run->text, "Messages", s.messages);
    tell_count(&run->text, "Tokens that models read", s.usage.input_tokens);
    tell_count(&run->text, "Tokens that models wrote", s.usage.output_tokens);
    if (s.cost_micro < 0)
        buf_adds(&run->text, "- Cost: not known");
    else
        buf_addf(&run->text, "- Cost: $%" PRId64 ".%06" PRId64,
                 s.cost_micro / 1000000, s.cost_micro % 1000000);
    return COMMAND_DONE;
}

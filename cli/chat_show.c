/*
 * Answers go to stdout and nothing else does; what is said about them goes to
 * stderr. On a terminal an answer is shown with modest styles and without its
 * control characters; into a pipe or a file it goes as it comes.
 */
#include "base/base.h"

#include "chat.h"

#include <stdarg.h>
#include <unistd.h>

#include "base/json.h"

#define OUT_MAX (256 * 1024 * 1024) /* bytes; a piece and its styles */

void
chat_say(const char *fmt, ...)
{
    va_list ap;

    (void)fflush(stdout);
    (void)fputs("parley: ", stderr);
    va_start(ap, fmt);
    (void)vfprintf(stderr, fmt, ap);
    va_end(ap);
    (void)fputc('\n', stderr);
}

void
chat_show_init(struct chat_show *s, bool color, bool labels)
{
    memset(s, 0, sizeof(*s));
    s->tty = isatty(STDOUT_FILENO) == 1;
    s->color = color && s->tty;
    s->labels = labels;
    buf_init(&s->out, OUT_MAX);
}

void
chat_show_release(struct chat_show *s)
{
    buf_release(&s->out);
}

/* Nobody reads any more, or the disk is full: the rest is of no use here. The
 * server keeps the answer. */
static NORETURN void
give_up(int error)
{
    if (error != EPIPE)
        (void)fprintf(stderr, "parley: cannot write: %s\n", strerror(error));
    _exit(error == EPIPE ? CHAT_PIPE : CHAT_USAGE);
}

/* The scratch to stdout, now. */
static void
flush(struct chat_show *s)
{
    if (s->out.len > 0)
        s->mid_line = s->out.data[s->out.len - 1] != '\n';
    if ((s->out.len > 0 &&
         fwrite(s->out.data, 1, s->out.len, stdout) != s->out.len) ||
        fflush(stdout) != 0)
        give_up(errno);
    buf_clear(&s->out);
}

static void
label(struct chat_show *s, const char *who)
{
    if (!s->labels)
        return;
    buf_addf(&s->out, s->color ? "\x1b[1m%s:\x1b[0m " : "%s: ", who);
}

static void
add_text(struct chat_show *s, const char *text, size_t n)
{
    bool line_end = n > 0 && text[n - 1] == '\n';

    if (s->tty)
        terminal_feed(&s->terminal, text, n, &s->out);
    else
        buf_add(&s->out, text, n);
    flush(s);
    s->mid_line = !line_end;
}

/* Leave the line that was begun, so that stderr's begins one. */
static void
leave_line(struct chat_show *s)
{
    if (s->tty && s->answering)
        terminal_end(&s->terminal, &s->out);
    if (s->mid_line)
        buf_addc(&s->out, '\n');
    flush(s);
    s->mid_line = false;
}

static void
begin_answer(struct chat_show *s)
{
    if (s->answering)
        return;
    label(s, "Assistant");
    s->answering = true;
    terminal_init(&s->terminal, !s->color);
}

static void
on_chunk(void *arg, const char *text, size_t n)
{
    struct chat_show *s = arg;

    begin_answer(s);
    add_text(s, text, n);
}

void
chat_show_end(struct chat_show *s)
{
    leave_line(s);
    s->answering = false;
    s->broken = false;
}

static void
show_history(struct chat_show *s, const struct parley_message *m)
{
    struct terminal t;

    terminal_init(&t, !s->color);
    s->labels = true;
    label(s, strcmp(m->role, "user") == 0 ? "You" : "Assistant");
    if (s->tty) {
        terminal_feed(&t, m->text, m->text_len, &s->out);
        terminal_end(&t, &s->out);
    } else {
        buf_add(&s->out, m->text, m->text_len);
    }
    if (m->text_len == 0 || m->text[m->text_len - 1] != '\n')
        buf_addc(&s->out, '\n');
    flush(s);
    s->mid_line = false;
}

/* Is it the answer of a command that went wrong? */
static bool
went_wrong(const char *json)
{
    cJSON *o = json_parse_lenient(json, strlen(json));
    const char *status = json_str(json_obj(o, "result"), "status");
    bool wrong = status != NULL && strcmp(status, "error") == 0;

    cJSON_Delete(o);
    return wrong;
}

static void
on_message(void *arg, const struct parley_message *m)
{
    struct chat_show *s = arg;
    bool labels = s->labels;

    switch (m->kind) {
    case PARLEY_ANSWER:
        chat_show_end(s);
        s->refused = went_wrong(m->json);
        if (strcmp(m->finish_reason, "cancelled") == 0)
            chat_say("the answer was stopped");
        else if (strcmp(m->finish_reason, "length") == 0)
            chat_say("the answer is as long as the model may write");
        break;
    case PARLEY_HISTORY:
        show_history(s, m);
        s->labels = labels;
        break;
    case PARLEY_CLEARED: chat_say("the conversation is empty now"); break;
    case PARLEY_PONG: chat_say("the server answered in %d ms", m->ms); break;
    case PARLEY_LOGGED_OUT: chat_say("the credentials are forgotten"); break;
    }
}

static void
on_error(void *arg, const struct parley_error *e)
{
    chat_show_end(arg);
    chat_say("%s", e->text);
}

static void
on_state(void *arg, enum parley_state state, const char *text)
{
    struct chat_show *s = arg;

    if (state == PARLEY_RECONNECTS && !s->broken) {
        s->broken = true;
        if (s->tty) {
            if (s->mid_line)
                (void)fputc('\n', stderr);
            chat_say("the connection is lost (%s); trying again", text);
            s->mid_line = false;
        }
    } else if (state == PARLEY_CONNECTS_AGAIN && s->broken) {
        s->broken = false;
        if (s->tty)
            chat_say("connected again");
    } else if (state == PARLEY_USES_TOOL && s->tty) {
        leave_line(s);
        chat_say("the model uses the tool %s", text);
    }
}

struct parley_calls
chat_show_calls(struct chat_show *s)
{
    return (struct parley_calls){.arg = s,
                                 .on_message = on_message,
                                 .on_chunk = on_chunk,
                                 .on_error = on_error,
                                 .on_state = on_state};
}

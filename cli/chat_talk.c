/*
 * The conversation: lines in, answers out. A command that is the program's own
 * is a row here; every other one that begins with a slash is the server's.
 */
#include "base/base.h"

#include "chat.h"

#include "base/text.h"

#define HISTORY_SHOWN 50

void
chat_talk_ask(struct chat *c, const char *message)
{
    struct parley_ask ask = {.model = c->o->model,
                             .provider = c->o->provider,
                             .context = c->o->context,
                             .attachments = c->files.images,
                             .n_attachments = c->files.n_images};
    struct buf text;

    buf_init(&text, CHAT_MESSAGE_MAX);
    buf_adds(&text, message);
    buf_add(&text, c->files.text.data, c->files.text.len);
    if (buf_status(&text) != OK) {
        chat_say("The message is too long");
        c->last = PARLEY_WRONG;
        buf_release(&text);
        return;
    }
    ask.message = buf_cstr(&text);
    chat_running = c->p;
    c->show.refused = false;
    c->last = chat_interrupts == 0 ? parley_send(c->p, &ask) : PARLEY_STOPPED;
    if (c->last == PARLEY_OK && c->show.refused)
        c->last = PARLEY_REFUSED;
    chat_running = NULL;
    chat_show_end(&c->show);
    chat_files_clear(&c->files);
    buf_release(&text);
}

/* --- commands ------------------------------------------------------------- */

typedef enum parley_status command_fn(struct chat *c, const char *rest);

static enum parley_status
do_history(struct chat *c, const char *rest)
{
    int64_t n = HISTORY_SHOWN;

    IGNORE(text_i64(rest, strlen(rest), 1, 500, &n));
    return parley_history(c->p, (int)n);
}

static enum parley_status
do_clear(struct chat *c, const char *rest)
{
    (void)rest;
    return parley_clear(c->p);
}

static enum parley_status
do_ping(struct chat *c, const char *rest)
{
    (void)rest;
    return parley_ping(c->p);
}

static enum parley_status
do_logout(struct chat *c, const char *rest)
{
    (void)rest;
    return parley_logout(c->p);
}

static enum parley_status
do_file(struct chat *c, const char *rest)
{
    if (*rest == '\0') {
        chat_say("/file wants the name of an image or a text");
        return PARLEY_WRONG;
    }
    if (!chat_files_add(&c->files, rest))
        return PARLEY_WRONG;
    chat_say("%s goes with the next message", rest);
    return PARLEY_OK;
}

static enum parley_status do_help(struct chat *c, const char *rest);

static const struct {
    const char *name, *help;
    command_fn *run; /* NULL: it ends the program */
} commands[] = {
    {"/history", "[N]: the newest messages", do_history},
    {"/clear", "empty the conversation", do_clear},
    {"/ping", "how fast the server answers", do_ping},
    {"/logout", "forget the credentials", do_logout},
    {"/file", "PATH: send a file with the next message", do_file},
    {"/help", "this list, and the server's", do_help},
    {"/quit", "leave (also /exit, Ctrl-D, Ctrl-C twice)", NULL},
    {"/exit", NULL, NULL},
};

static enum parley_status
do_help(struct chat *c, const char *rest)
{
    for (size_t i = 0; *rest == '\0' && i < COUNT_OF(commands); i++)
        if (commands[i].help != NULL)
            (void)printf("%-10s %s\n", commands[i].name, commands[i].help);
    if (*rest == '\0')
        (void)puts("\nThe server's:");
    chat_talk_ask(c, "/help");
    return c->last;
}

/* False: the conversation is over. */
static bool
take(struct chat *c, const char *line)
{
    size_t n = strcspn(line, " \t");

    for (size_t i = 0; line[0] == '/' && i < COUNT_OF(commands); i++) {
        const char *rest = line + n + strspn(line + n, " \t");

        if (!text_ieqn(line, n, commands[i].name))
            continue;
        if (commands[i].run == NULL)
            return false;
        chat_running = c->p;
        c->last = commands[i].run(c, rest);
        chat_running = NULL;
        return true;
    }
    if (!text_blank(line, strlen(line)))
        chat_talk_ask(c, line);
    return true;
}

/* --- lines ---------------------------------------------------------------- */

/* A whole message: a line that ends with a backslash goes on in the next. */
static enum chat_line_end
read_message(struct chat_line *l, bool terminal, struct buf *out)
{
    const char *prompt = terminal ? "You: " : "";
    enum chat_line_end end;
    const char *line;
    size_t n;

    buf_clear(out);
    for (;;) {
        end = chat_line_read(l, prompt, &line);
        if (end != CHAT_LINE)
            return end == CHAT_LINE_EOF && out->len > 0 ? CHAT_LINE : end;
        n = strlen(line);
        if (!terminal || n == 0 || line[n - 1] != '\\')
            break;
        buf_add(out, line, n - 1);
        buf_addc(out, '\n');
        prompt = "  …: ";
    }
    buf_adds(out, line);
    return CHAT_LINE;
}

enum chat_exit
chat_talk(struct chat *c, bool terminal)
{
    struct chat_line *l = chat_line_open(terminal);
    enum chat_line_end end;
    int broken = 0;
    struct buf message;

    buf_init(&message, CHAT_MESSAGE_MAX);
    for (;;) {
        end = read_message(l, terminal, &message);
        if (end == CHAT_LINE_BROKEN && terminal && ++broken < 2) {
            (void)puts("^C (again to leave)");
            continue;
        }
        if (end != CHAT_LINE)
            break;
        broken = 0;
        chat_interrupts = 0;
        if (buf_status(&message) != OK)
            chat_say("The message is too long");
        else if (!take(c, buf_cstr(&message)))
            break;
        if (!terminal && c->last == PARLEY_STOPPED)
            break;
    }
    if (terminal && end != CHAT_LINE)
        (void)putchar('\n');
    buf_release(&message);
    chat_line_close(l);
    if (!terminal)
        return end == CHAT_LINE_BROKEN ? CHAT_INTERRUPTED
                                       : chat_exit_of(c->last);
    return end == CHAT_LINE_BROKEN ? CHAT_INTERRUPTED : CHAT_DONE;
}

enum chat_exit
chat_talk_demo(struct chat *c)
{
    static const char *const messages[] = {
        "Hello! Who are you?",
        "What can you help me with?",
        "/history",
    };

    for (size_t i = 0; i < COUNT_OF(messages); i++) {
        (void)printf("You: %s\n", messages[i]);
        (void)take(c, messages[i]);
        if (c->last != PARLEY_OK)
            break;
    }
    return chat_exit_of(c->last);
}

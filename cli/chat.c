/*
 * parley chat: a conversation with a server, on a terminal or in a pipe. Four
 * ways: --once asks one thing, --demo says some, a terminal has an editor, and
 * else each line of the input is a message. Built on src/client, which anybody
 * can build on.
 */
#include "base/base.h"

#include "chat.h"

#include <unistd.h>

#include "base/text.h"
#include "cli.h"

struct parley *volatile chat_running;
volatile sig_atomic_t chat_interrupts;

static void
on_interrupt(int sig)
{
    struct parley *p = chat_running;

    (void)sig;
    chat_interrupts++;
    if (p != NULL)
        parley_stop(p);
}

/* Reads end with EINTR, so that Ctrl-C reaches the prompt. A pipe whose reader
 * left is noticed by who writes to it (chat_show.c). */
static void
catch_signals(void)
{
    struct sigaction sa;

    memset(&sa, 0, sizeof(sa));
    sa.sa_handler = on_interrupt;
    (void)sigemptyset(&sa.sa_mask);
    IGNORE(sigaction(SIGINT, &sa, NULL) != 0);
    sa.sa_handler = SIG_IGN;
    IGNORE(sigaction(SIGPIPE, &sa, NULL) != 0);
}

enum chat_exit
chat_exit_of(enum parley_status s)
{
    switch (s) {
    case PARLEY_OK: return CHAT_DONE;
    case PARLEY_REFUSED: return CHAT_REFUSED;
    case PARLEY_WRONG: return CHAT_USAGE;
    case PARLEY_UNREACHABLE: return CHAT_UNREACHABLE;
    case PARLEY_STOPPED: return CHAT_INTERRUPTED;
    }
    return CHAT_REFUSED;
}

/* The message of --once: the words, "-" among them being the input; without
 * words, the input. */
static bool
once_message(const struct chat_options *o, struct buf *out)
{
    bool input = o->n_words == 0;
    char piece[16384];
    size_t n;

    for (size_t i = 0; i < o->n_words; i++) {
        if (strcmp(o->words[i], "-") == 0) {
            input = true;
            continue;
        }
        if (out->len > 0)
            buf_addc(out, ' ');
        buf_adds(out, o->words[i]);
    }
    if (input && out->len > 0)
        buf_adds(out, "\n\n");
    while (input && (n = fread(piece, 1, sizeof(piece), stdin)) > 0)
        buf_add(out, piece, n);
    if (input && memchr(out->data, '\0', out->len) != NULL)
        return chat_say("The input is not text"), false;
    if (buf_status(out) != OK)
        return chat_say("The message is too long"), false;
    return true;
}

static enum chat_exit
once(struct chat *c)
{
    enum chat_exit end = CHAT_USAGE;
    struct buf message;

    buf_init(&message, CHAT_MESSAGE_MAX);
    if (once_message(c->o, &message)) {
        if (chat_interrupts > 0)
            c->last = PARLEY_STOPPED;
        else
            chat_talk_ask(c, buf_cstr(&message));
        end = chat_exit_of(c->last);
    }
    buf_release(&message);
    return end;
}

static enum chat_exit
converse(struct chat *c)
{
    bool terminal = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;

    for (size_t i = 0; i < c->o->n_files; i++)
        if (!chat_files_add(&c->files, c->o->files[i]))
            return CHAT_USAGE;
    if (c->o->once)
        return once(c);
    chat_running = c->p;
    c->last = parley_connect(c->p);
    chat_running = NULL;
    if (c->last != PARLEY_OK)
        return chat_exit_of(c->last);
    if (c->o->demo)
        return chat_talk_demo(c);
    if (terminal)
        (void)printf("Session %s; /help lists commands, /quit leaves.\n",
                     parley_session(c->p));
    return chat_talk(c, terminal);
}

/* With options that are right. */
static enum chat_exit
run(struct chat_options *o)
{
    bool terminal = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
    struct parley_config config;
    struct parley_calls calls;
    struct chat c = {.o = o};
    enum chat_exit end;

    if (!chat_options_config(o, &config))
        return CHAT_USAGE;
    catch_signals();
    chat_show_init(&c.show, !o->no_color, o->demo || (!o->once && terminal));
    chat_files_init(&c.files);
    calls = chat_show_calls(&c.show);
    c.p = parley_new(&config, &calls);
    chat_options_forget(o);
    end = converse(&c);
    parley_free(c.p);
    chat_files_release(&c.files);
    chat_show_release(&c.show);
    return end;
}

int
cli_chat(int argc, char **argv)
{
    struct chat_options o;
    enum chat_exit end = CHAT_USAGE;

    if (chat_options_read(&o, argc, argv)) {
        end = CHAT_DONE;
        if (o.help)
            chat_options_help();
        else
            end = run(&o);
    }
    chat_options_forget(&o);
    return (int)end;
}

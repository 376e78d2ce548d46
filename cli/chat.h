/*
 * What the files of `parley chat` share. One conversation, one thread, and the
 * terminal's Ctrl-C.
 */
#ifndef CLI_CHAT_H
#define CLI_CHAT_H

#include "base/base.h"

#include <signal.h>

#include "base/buf.h"
#include "client/parley.h"
#include "client/terminal.h"

#define CHAT_FILES_MAX 8
#define CHAT_MESSAGE_MAX (4 * 1024 * 1024) /* bytes; the server takes less */

/* What `parley chat` ends with. */
enum chat_exit {
    CHAT_DONE = 0,
    CHAT_REFUSED = 1,     /* the server said an error */
    CHAT_USAGE = 2,       /* wrong arguments, a file that cannot be read */
    CHAT_UNREACHABLE = 3, /* no connection */
    CHAT_INTERRUPTED = 130,
    CHAT_PIPE = 141 /* who read the answer left; as if by SIGPIPE */
};
enum chat_exit chat_exit_of(enum parley_status s);

/* A sentence on stderr. */
void chat_say(const char *fmt, ...) PRINTF(1, 2);

/* --- chat_options.c ------------------------------------------------------- */

/* NULL: not given. Strings are the arguments' or the environment's, or what
 * was copied of a secret before it was wiped from the arguments. */
struct chat_options {
    const char *url, *auth, *token, *api_key, *api_key_header, *username,
        *password, *client_id, *client_secret, *token_url, *scope, *ca_file,
        *session, *model, *provider, *context;
    const char *files[CHAT_FILES_MAX];
    size_t n_files;
    bool demo, once, no_color, help;
    const char *words[64]; /* arguments that are no options */
    size_t n_words;
    char *secrets[16]; /* owned copies */
    size_t n_secrets;
};

/* False: stderr says what is wrong. */
bool chat_options_read(struct chat_options *o, int argc, char **argv);
/* False likewise. */
bool chat_options_config(const struct chat_options *o,
                         struct parley_config *config);
/* Overwrite the secrets: a configuration of them was copied by now. */
void chat_options_forget(struct chat_options *o);
void chat_options_help(void);

/* --- chat_show.c ---------------------------------------------------------- */

/* What is on the screen. */
struct chat_show {
    struct terminal terminal;
    struct buf out; /* scratch */
    bool tty;       /* stdout is one */
    bool color;
    bool labels;    /* say who speaks */
    bool answering; /* a piece of this answer was shown */
    bool mid_line;  /* the last character was no line end */
    bool broken;    /* told that the connection is lost */
    bool refused;   /* the answer was that a command went wrong */
};

void chat_show_init(struct chat_show *s, bool color, bool labels);
void chat_show_release(struct chat_show *s);
struct parley_calls chat_show_calls(struct chat_show *s);
/* The answer is over, however it ended. */
void chat_show_end(struct chat_show *s);

/* --- chat_files.c --------------------------------------------------------- */

/* Files on their way with the next message. */
struct chat_files {
    struct parley_attachment images[CHAT_FILES_MAX]; /* data is owned */
    size_t n_images;
    struct buf text; /* of files that are text */
    size_t n_texts;
};

void chat_files_init(struct chat_files *f);
void chat_files_clear(struct chat_files *f);
void chat_files_release(struct chat_files *f);
/* False: stderr says why not. */
bool chat_files_add(struct chat_files *f, const char *path);

/* --- chat_line.c ---------------------------------------------------------- */

enum chat_line_end {
    CHAT_LINE,        /* there is one */
    CHAT_LINE_EOF,    /* the end of the input */
    CHAT_LINE_BROKEN, /* Ctrl-C */
};
struct chat_line; /* the editor, or a plain reader where there is no terminal */
/* edit: with line editing and history. */
struct chat_line *chat_line_open(bool edit);
void chat_line_close(struct chat_line *l);
/* *out is valid until the next call; without line end. */
enum chat_line_end chat_line_read(struct chat_line *l, const char *prompt,
                                  const char **out);

/* --- chat_talk.c ---------------------------------------------------------- */

struct chat {
    const struct chat_options *o;
    struct parley *p;
    struct chat_show show;
    struct chat_files files;
    enum parley_status last; /* of what was asked last */
};

/* Ask; files go with it. */
void chat_talk_ask(struct chat *c, const char *message);
/* Until the input ends, or /quit. */
enum chat_exit chat_talk(struct chat *c, bool terminal);
/* The messages of --demo. */
enum chat_exit chat_talk_demo(struct chat *c);

/* Ctrl-C while this is set stops an answer; else it is counted. */
extern struct parley *volatile chat_running;
extern volatile sig_atomic_t chat_interrupts;

#endif

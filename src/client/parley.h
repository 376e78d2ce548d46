/*
 * A client of a Parley server. One struct parley is one conversation; its
 * functions wait until what they ask for is done, and tell what comes through
 * callbacks, on the caller's thread. One thread at a time, but for
 * parley_stop.
 *
 *     static void
 *     print(void *arg, const char *text, size_t n)
 *     {
 *         (void)arg;
 *         (void)fwrite(text, 1, n, stdout);
 *     }
 *
 *     struct parley_config config = {.url = "http://127.0.0.1:8080"};
 *     struct parley_calls calls = {.on_chunk = print};
 *     struct parley_ask ask = {.message = "Hello"};
 *     struct parley *p = parley_new(&config, &calls);
 *
 *     if (parley_connect(p) == PARLEY_OK)
 *         status = parley_send(p, &ask);
 *     parley_free(p);
 *
 * http:// and https:// addresses are spoken to with server-sent events, ws://
 * and wss:// ones over WebSocket. A connection that breaks in an answer is made
 * anew and the answer goes on where it was, without a lost or doubled
 * character; a question is never asked twice.
 *
 * A program that uses https or wss ignores SIGPIPE: OpenSSL may write to a
 * connection that has just gone.
 *
 * Texts are UTF-8. Pointers that a callback is given are valid during the call;
 * a callback must not call the functions, but for parley_stop. This header
 * stands alone: it is installed as <parley.h>, with libparley-client.a.
 */
#ifndef CLIENT_PARLEY_H
#define CLIENT_PARLEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct parley;

enum parley_status {
    PARLEY_OK = 0,
    PARLEY_REFUSED,     /* the server said an error */
    PARLEY_WRONG,       /* the configuration or an argument is wrong */
    PARLEY_UNREACHABLE, /* no connection, or none that lasts */
    PARLEY_STOPPED      /* parley_stop */
};

enum parley_auth {
    PARLEY_AUTH_NONE,
    PARLEY_AUTH_BEARER,  /* token */
    PARLEY_AUTH_API_KEY, /* api_key, api_key_header */
    PARLEY_AUTH_BASIC,   /* username, password */
    PARLEY_AUTH_OAUTH2   /* client_id, client_secret, token_url, scope: client
                            credentials; the token is renewed in time */
};

/* Zeroes are defaults. Strings may be NULL; they are copied, and secrets
 * overwritten when they are not needed any more. */
struct parley_config {
    const char *url; /* of the server, with its folder; required. For ws the
                        endpoint; /ws/chat is added to one without a path */
    enum parley_auth auth;
    const char *token;
    const char *api_key;
    const char *api_key_header; /* X-API-Key */
    const char *username;
    const char *password;
    const char *client_id;
    const char *client_secret;
    const char *token_url; /* https, or of this machine */
    const char *scope;
    const char *session_id; /* to go on with: [A-Za-z0-9_-]{1,64}; a new one */
    const char *ca_file;    /* PEM; the system's authorities */
    int connect_ms;         /* 10000 */
    int patience_ms;        /* for a broken connection to come back; 60000 */
};

enum parley_kind {
    PARLEY_ANSWER,    /* the whole text of one */
    PARLEY_HISTORY,   /* a message of the conversation */
    PARLEY_CLEARED,   /* the conversation is empty now */
    PARLEY_PONG,      /* ms */
    PARLEY_LOGGED_OUT /* the credentials are forgotten */
};

struct parley_message {
    enum parley_kind kind;
    const char *role; /* "assistant", "user"; of answers and messages */
    const char *text; /* never NULL */
    size_t text_len;
    const char *id;            /* "" if there is none */
    const char *model;         /* likewise */
    const char *finish_reason; /* likewise; "cancelled" after parley_stop */
    const char *timestamp;     /* likewise */
    int ms;                    /* PARLEY_PONG: there and back */
    const char *json;          /* all that came, as an object; "" if nothing */
};

struct parley_error {
    enum parley_status status;
    int http_status;  /* 0: none */
    const char *code; /* stable_snake_case; "" */
    const char *text; /* one line, a sentence; no secret is in it */
};

enum parley_state {
    PARLEY_THINKS,        /* the answer has begun, and has no text yet */
    PARLEY_USES_TOOL,     /* text: its name */
    PARLEY_RECONNECTS,    /* text: why; it goes on by itself */
    PARLEY_CONNECTS_AGAIN /* it worked: something was heard */
};

/* Each may be NULL. */
struct parley_calls {
    void *arg; /* the first argument of all of them */
    void (*on_connected)(void *arg, const char *session_id);
    void (*on_message)(void *arg, const struct parley_message *m);
    /* The next piece of an answer, never cut inside a character. All pieces
     * together are the text that on_message then has. */
    void (*on_chunk)(void *arg, const char *text, size_t n);
    /* Once for each call that does not give PARLEY_OK, but PARLEY_STOPPED. */
    void (*on_error)(void *arg, const struct parley_error *e);
    void (*on_state)(void *arg, enum parley_state s, const char *text);
};

struct parley_attachment {
    const char *media_type; /* "image/png" */
    const void *data;
    size_t n;
};

struct parley_ask {
    const char *message;
    const char *model;    /* NULL: the server's */
    const char *provider; /* likewise */
    const char *context;  /* text for the system; NULL: none */
    const struct parley_attachment *attachments;
    size_t n_attachments;
};

/* Both are copied. Connects nowhere, and never gives NULL: what is wrong with
 * the configuration is told by parley_connect. */
struct parley *parley_new(const struct parley_config *config,
                          const struct parley_calls *calls);
/* Ends the connection; NULL is fine. */
void parley_free(struct parley *p);

/* Is there a Parley at the address, and does it take the credentials? The
 * other functions connect by themselves if need be. */
enum parley_status parley_connect(struct parley *p);
/* Ask, and wait for the whole answer. */
enum parley_status parley_send(struct parley *p, const struct parley_ask *ask);
/* The newest messages of the conversation, oldest first; at most limit, and
 * at most 500. */
enum parley_status parley_history(struct parley *p, int limit);
enum parley_status parley_clear(struct parley *p);
enum parley_status parley_ping(struct parley *p);
/* Forget the credentials, here and at the server. */
enum parley_status parley_logout(struct parley *p);
/* End what another thread waits for: an answer is stopped at the server, and
 * what there is of it is kept; a second call does not wait for that. Any
 * thread; also in a signal handler. */
void parley_stop(struct parley *p);
/* "" before there is one. Valid until the next function is called. */
const char *parley_session(const struct parley *p);

#ifdef __cplusplus
}
#endif

#endif

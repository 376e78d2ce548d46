/*
 * One HTTP request as it came through a door. Everything it points to lives
 * in its arena and is gone with it. Acceptor thread.
 *
 * The base (everything before our own paths) is SCRIPT_NAME as the web server
 * gives it, or BASE_PATH if that is set, so the same program works mounted
 * anywhere. Query arguments and form fields are decoded on demand.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "base/mem.h"
#include "http/conn.h"

#define REQUEST_PARAMS_MAX 128           /* CGI variables */
#define REQUEST_PARAMS_BYTES (64 * 1024) /* names and values together */
#define REQUEST_PATH_MAX 2048            /* bytes, decoded */
#define REQUEST_QUERY_MAX (32 * 1024)    /* bytes, encoded */
#define REQUEST_ID_MAX 64                /* characters */
#define REQUEST_PEER_MAX 45              /* characters of an IP address */
#define REQUEST_SPOOL_FROM (1024 * 1024) /* bytes of a body; see below */

enum method {
    METHOD_GET,
    METHOD_HEAD,
    METHOD_POST,
    METHOD_PUT,
    METHOD_PATCH,
    METHOD_DELETE,
    METHOD_OPTIONS,
    METHOD_OTHER,
    METHOD__MAX
};

struct identity; /* auth/identity.h */

struct param {
    const char *name;
    const char *value;
    bool twice; /* a header that came in more than one line; joined */
};

struct request {
    struct arena arena;
    struct conn *conn;           /* owned; NULL once taken */
    char id[REQUEST_ID_MAX + 1]; /* ours, or X-Request-Id's if well-formed */
    enum method method;
    const char *path;  /* decoded, begins with '/'; below the base */
    const char *base;  /* "" or "/~user/chat", no trailing slash */
    const char *query; /* encoded; "" if none */
    const char *type;  /* media type in lower case, no parameters; "" */
    const char *body;  /* NULL: none, or it is in a file */
    size_t body_len;
    int body_fd;       /* owned; the file, from its start; -1: none */
    bool body_too_big; /* it was not read: answer 413 */
    int64_t start_us;  /* monotonic, when it was accepted */
    struct param *params;
    size_t n_params;
    const char *path_args[2];        /* what {…} in the route matched */
    char peer[REQUEST_PEER_MAX + 1]; /* these four: http/request_peer.h */
    bool local, trusted, tls;
    /* Whole header lines with CRLF that every reply to it carries; "" at
     * first; in the arena. */
    const char *head_more;
    /* Of the limit of how often may be asked; QUOTA_NONE: there is none. Every
     * reply says it. */
    struct problem_quota left;
    const struct identity *who; /* who asks (api/who.h); NULL: not known */
    const char *owner;          /* as whom it acts; "" at first; in the arena */
};

/* Build from CGI variables (CGI/1.1, RFC 3875). vars is "NAME=value" strings,
 * NULL-terminated; copied. ERR_BADREQ or ERR_TOOBIG still give a request
 * (with id and method) so that an error can be answered; why says what is
 * wrong. base_path overrides SCRIPT_NAME if not "". The conn is NULL: the
 * door sets it. */
MUST_USE enum err request_new(struct request **out, const char *const *vars,
                              const char *base_path, struct problem *why);
/* With its conn and its body's file; NULL is fine. */
void request_free(struct request *rq);
struct conn *request_take_conn(struct request *rq);

/* How long bodies may be, and where they are put. */
struct body_limits {
    size_t max; /* bytes; in memory */
    /* Is the body of this request a file, which may have spool_max instead?
     * Then from REQUEST_SPOOL_FROM on (or if its length is not known) it is put
     * into a file without a name in spool_dir. NULL: of no request. */
    bool (*spools)(const struct request *rq);
    size_t spool_max;      /* bytes */
    const char *spool_dir; /* borrowed */
    /* Will this request be refused, as nobody shows who they are? Then its body
     * may have stranger_max and is no file. NULL: none will. */
    bool (*stranger)(const struct request *rq);
    size_t stranger_max; /* bytes */
};
/* How long the body of this request may be. */
size_t request_body_max(const struct request *rq, const struct body_limits *l);
/* May it be a file? */
bool request_body_spools(const struct request *rq, const struct body_limits *l);
/* Up to n bytes of the body into p. 0: no more; -1: failed. */
typedef ssize_t request_read_fn(void *arg, char *p, size_t n);
/* Read the body as CONTENT_LENGTH says; without it, to the end if the request
 * has a Transfer-Encoding (or to_end is set). Past the limit: OK with
 * body_too_big set, nothing kept. ERR_BADREQ: CONTENT_LENGTH is no number, or
 * more came than it says. ERR_FULL, ERR_STORE: its file cannot be written; the
 * rest is not read. ERR_HUP: the client left in the middle. */
MUST_USE enum err request_read_body(struct request *rq,
                                    const struct body_limits *limits,
                                    bool to_end, request_read_fn *read,
                                    void *arg, struct problem *why);

/* One more header line for whatever is answered. Control characters in the
 * value become '?'. */
void request_head_add(struct request *rq, const char *name, const char *value);
const char *request_var(const struct request *rq, const char *name); /* NULL */
/* "Last-Event-ID" reads HTTP_LAST_EVENT_ID; NULL if not sent. What came in
 * several lines is one value. */
const char *request_header(const struct request *rq, const char *name);
/* Did it come in several lines that the web server did not join? */
bool request_header_twice(const struct request *rq, const char *name);
/* A query argument, decoded into the arena. Missing: OK and *out NULL. The
 * first of several counts. Bad escapes or UTF-8: ERR_BADREQ. */
MUST_USE enum err request_arg(struct request *rq, const char *name,
                              const char **out, struct problem *why);
MUST_USE enum err request_arg_i64(struct request *rq, const char *name,
                                  int64_t min, int64_t max, int64_t *out,
                                  struct problem *why);
/* Does Accept list this type explicitly (not by a wildcard), q > 0? */
bool request_accepts(const struct request *rq, const char *type);

enum origin {
    ORIGIN_NONE,   /* none sent: not a browser, or a plain navigation */
    ORIGIN_OWN,    /* the host that was asked */
    ORIGIN_LISTED, /* foreign and allowed: gets the CORS headers */
    ORIGIN_ANY,    /* foreign, allowed by "*" alone: likewise, but never with
                      what a browser adds by itself */
    ORIGIN_FOREIGN
};
/* Whose page sent this? Own: Origin's host and port are those of Host, where
 * a missing port is the default of Origin's scheme (Host has no scheme and
 * TLS may end in front of us, so the scheme is not compared; X-Forwarded-Host
 * is not trusted). allowed: a comma list of origins ("https://a.example"), or
 * hosts ("a.example:8443"), or "*". A browser that says cross-site without an
 * Origin (an image, a form by GET) is foreign unless "*". */
enum origin request_origin(const struct request *rq, const char *allowed);
/* May another site's page have made a browser send this, against its user's
 * will? Ask before changing any state, whatever the method, and answer 403. A
 * request with a token in a header (Bearer, X-API-Key) never is; one of an old
 * browser, which says nothing about its page, is if a form could have made it
 * and its Referer is not ours. */
bool request_foreign(const struct request *rq, const char *allowed);
/* May what a browser adds by itself (cookies, Basic) say whose request it is?
 * Not on a page's request that only "*" allows. */
bool request_ambient(const struct request *rq, const char *allowed);
const char *method_name(enum method m);

#endif

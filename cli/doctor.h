/*
 * What the files of `parley doctor` share. A check says what it found, each
 * finding one sentence, and what to change where something is wrong. One
 * thread, but for the silent stream that is watched meanwhile (doctor_hush.c).
 */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include "base/base.h"

#include "base/buf.h"

#define DOCTOR_URL_MAX 1024 /* bytes, with its NUL */
#define DOCTOR_CHANGES_MAX 12

/* What `parley doctor` ends with. */
enum doctor_exit {
    DOCTOR_HEALTHY = 0, /* nothing failed; there may be warnings */
    DOCTOR_ILL = 1,
    DOCTOR_USAGE = 2,
    DOCTOR_UNREACHABLE = 3
};

enum doctor_state { DOCTOR_OK, DOCTOR_NOTE, DOCTOR_WARN, DOCTOR_FAIL };

struct doctor_finding {
    enum doctor_state state;
    const char *name; /* static */
    char text[1024];
    struct {
        const char *where; /* static: "lighttpd", ".env", "shell" */
        char line[320];
    } changes[DOCTOR_CHANGES_MAX];
    size_t n_changes;
};

struct doctor {
    bool json, providers;
    int look_s;          /* how long the silent stream is watched */
    const char *url;     /* as it was given; NULL: none */
    const char *ca_file; /* NULL: the system's */

    char base[DOCTOR_URL_MAX]; /* http(s)://host/path without '/' at its end */
    char authorization[1024];  /* a header line; "": none */
    char server[64];           /* the Server header; "": not said */
    bool unverified;           /* the certificate is not good; go on so */
    bool unreachable;

    struct doctor_finding now; /* not shown yet */
    bool has_now;
    bool shown; /* one at least */
    bool ill;   /* one of them failed */
};

/* --- doctor_say.c --------------------------------------------------------- */

/* A finding. It is shown when the next one comes, or at the end. */
void doctor_say(struct doctor *d, enum doctor_state state, const char *name,
                const char *fmt, ...) PRINTF(4, 5);
/* A line to change for the finding that was said last; where is static. */
void doctor_change(struct doctor *d, const char *where, const char *fmt, ...)
    PRINTF(3, 4);
void doctor_begin(struct doctor *d);
void doctor_end(struct doctor *d);

/* --- doctor_advice.c ------------------------------------------------------ */

enum doctor_advice {
    ADVICE_BUFFERING,
    ADVICE_COMPRESSION,
    ADVICE_TIMEOUT,
    ADVICE_UPGRADE,
    ADVICE_BODY,
    ADVICE_MOUNT,
    ADVICE_HEADERS,
    ADVICE_PAGE,
    ADVICE_FILES,
    ADVICE_HTTP2,
    ADVICE__MAX
};
/* The lines of web servers for the finding that was said last: of the one that
 * answers, if it says which it is, else of all. */
void doctor_advise(struct doctor *d, enum doctor_advice a);

/* --- doctor_http.c -------------------------------------------------------- */

enum doctor_end {
    DOCTOR_REPLY,     /* a whole one, whatever its status */
    DOCTOR_NOWHERE,   /* no connection */
    DOCTOR_UNTRUSTED, /* its certificate is not good */
    DOCTOR_CUT,       /* it broke off */
    DOCTOR_LATE,      /* the time was over */
    DOCTOR_FULL,      /* longer than reply_max; what fits was kept */
    DOCTOR_WRONG      /* no address */
};

struct doctor_call {
    const char *method;
    const char *url;
    const char *headers[20]; /* "Name: value"; NULL are left out */
    const char *body;        /* NULL: none */
    size_t body_len;
    int limit_ms; /* for all of it */
    bool coded;   /* say that compressed replies are taken */
    /* Bytes as they come, unpacked; NULL: into reply. */
    void (*data)(void *arg, const char *s, size_t n);
    void *arg;

    /* what came of it */
    int status; /* 0: none */
    bool http2;
    bool ours; /* it has an X-Request-Id */
    char type[64];
    char encoding[32];
    char server[64];
    char date[64];
    char policy[16]; /* the beginning of Content-Security-Policy */
    char location[DOCTOR_URL_MAX];
    int64_t cert_s; /* till the certificate ends */
    bool has_cert;
    int64_t took_ms; /* till the end */
    struct buf reply;
    char why[256]; /* one line */
};
void doctor_call_init(struct doctor_call *c, const char *method,
                      const char *url);
void doctor_call_release(struct doctor_call *c);
/* Any thread; d is only read. */
enum doctor_end doctor_run(const struct doctor *d, struct doctor_call *c);
/* The end as a sentence's rest: "was cut: …". */
const char *doctor_end_text(enum doctor_end end, const struct doctor_call *c);
/* GET or another of a path below the base, with a JSON body or NULL. */
enum doctor_end doctor_ask(const struct doctor *d, struct doctor_call *c,
                           const char *method, const char *path,
                           const char *json);
/* Delete a session that was made for a check; "": there is none. */
void doctor_forget(const struct doctor *d, const char *session);
/* A string of a JSON object, "" if there is none; cut to fit. */
void doctor_field(const struct doctor_call *c, const char *name, char *out,
                  size_t max);

/* --- the checks ----------------------------------------------------------- */

void doctor_settings(struct doctor *d);    /* doctor_here.c */
void doctor_folder(struct doctor *d);      /* doctor_folder.c */
void doctor_server(struct doctor *d);      /* doctor_server.c */
void doctor_libraries(struct doctor *d);   /* doctor_here.c */
void doctor_web_servers(struct doctor *d); /* doctor_web.c */
void doctor_providers(struct doctor *d);   /* doctor_providers.c */
/* doctor_connect.c. False: there is nobody to ask more. */
bool doctor_connect(struct doctor *d);
void doctor_page(struct doctor *d);      /* doctor_page.c */
void doctor_files(struct doctor *d);     /* doctor_page.c */
void doctor_stream(struct doctor *d);    /* doctor_stream.c */
void doctor_headers(struct doctor *d);   /* doctor_headers.c */
void doctor_body(struct doctor *d);      /* doctor_headers.c */
void doctor_websocket(struct doctor *d); /* doctor_socket.c */

/* doctor_hush.c: a silent stream, watched beside the other checks. */
struct doctor_hush;
struct doctor_hush *doctor_hush_begin(struct doctor *d);
/* Waits for its end, and says what was seen. NULL is fine. */
void doctor_hush_end(struct doctor *d, struct doctor_hush *h);

#endif

/*
 * What the tests of vectors share: a server that speaks OpenAI's embeddings,
 * an index of files, and an engine with both. The rows have two numbers: how
 * often a text has an "x" in it, and 1.
 */
#ifndef EMBED_RIG_H
#define EMBED_RIG_H

#include "chat_test.h"

#include "base/json.h"
#include "chat/file_embed.h"
#include "chat/query_vector.h"
#include "chat/retrieve.h"
#include "files/chunk.h"

#define MODEL "openai/e-1"

/* How it answers; under served_mu. */
static struct served {
    int status;         /* of all replies; 200 */
    const char *refuse; /* a request with a text that has this is refused */
    size_t dims;        /* of a row */
    bool uneven;        /* the last row is longer */
    bool hold;          /* replies wait until this is off */
    int asked, texts;   /* what came */
    char seen[65536];   /* "text|text|\n" for each request */
} served;
static pthread_mutex_t served_mu = PTHREAD_MUTEX_INITIALIZER;
static struct fake *server;
static char server_url[64];

static struct files *fs;
static struct collection notes;

static inline void
served_row(struct buf *out, const char *text, int i, size_t dims)
{
    int n = 0;

    for (const char *s = text; *s != '\0'; s++)
        n += *s == 'x';
    buf_addf(out, "%s{\"index\":%d,\"embedding\":[%d", i > 0 ? "," : "", i, n);
    for (size_t k = 1; k < dims; k++)
        buf_addf(out, ",%d", k == 1);
    buf_adds(out, "]}");
}

/* Under served_mu. What is said to these texts; the status. */
static inline int
served_reply(const cJSON *texts, struct buf *out)
{
    int n = cJSON_GetArraySize(texts), status = served.status;
    size_t at = strlen(served.seen);

    served.asked++;
    served.texts += n;
    buf_adds(out, "{\"data\":[");
    for (int i = 0; i < n; i++) {
        const char *s = cJSON_GetArrayItem(texts, i)->valuestring;

        if (served.refuse != NULL && strstr(s, served.refuse) != NULL)
            status = 400;
        at += (size_t)snprintf(served.seen + at, sizeof(served.seen) - at,
                               "%.40s|", s);
        assert(at < sizeof(served.seen));
        served_row(out, s, i, served.dims + (served.uneven && i == n - 1));
    }
    (void)snprintf(served.seen + at, sizeof(served.seen) - at, "\n");
    buf_addf(out, "],\"usage\":{\"prompt_tokens\":%d}}", n);
    return status;
}

static inline bool
served_answer(const struct fake_request *rq)
{
    cJSON *o = cJSON_ParseWithLength(rq->body, rq->body_len);
    struct buf out;
    int status;

    if (o == NULL)
        return false;
    buf_init(&out, TAP_BYTES_MAX);
    (void)pthread_mutex_lock(&served_mu);
    status = served_reply(cJSON_GetObjectItem(o, "input"), &out);
    while (served.hold && !tap_peer_left(rq->fd)) {
        (void)pthread_mutex_unlock(&served_mu);
        fake_sleep_ms(2);
        (void)pthread_mutex_lock(&served_mu);
    }
    (void)pthread_mutex_unlock(&served_mu);
    if (status != 200) {
        buf_clear(&out);
        buf_adds(&out, "{}");
    }
    fake_say(rq->fd,
             "HTTP/1.1 %d So\r\nContent-Type: application/json\r\n"
             "Content-Length: %zu\r\n\r\n",
             status, out.len);
    fake_send(rq->fd, out.data, out.len);
    buf_release(&out);
    cJSON_Delete(o);
    return true;
}

static inline int
served_asked(void)
{
    int n;

    (void)pthread_mutex_lock(&served_mu);
    n = served.asked;
    (void)pthread_mutex_unlock(&served_mu);
    return n;
}

static inline void
served_hold(bool on)
{
    (void)pthread_mutex_lock(&served_mu);
    served.hold = on;
    (void)pthread_mutex_unlock(&served_mu);
}

static inline void
served_status(int status)
{
    (void)pthread_mutex_lock(&served_mu);
    served.status = status;
    (void)pthread_mutex_unlock(&served_mu);
}

/* How often a text was sent. */
static inline int
served_times(const char *text)
{
    int n = 0;

    (void)pthread_mutex_lock(&served_mu);
    for (const char *s = served.seen; (s = strstr(s, text)) != NULL; s++)
        n++;
    (void)pthread_mutex_unlock(&served_mu);
    return n;
}

#define wait_until(what)                                   \
    do {                                                   \
        int64_t until_ms_ = clock_mono_ms() + TAP_WAIT_MS; \
        while (!(what) && clock_mono_ms() < until_ms_)     \
            fake_sleep_ms(2);                              \
        assert_true(what);                                 \
    } while (0)

static inline void
embed_begin(bool background)
{
    rig_start();
    retrieve_use(rig, fs);
    file_embed_begin(rig, background);
}

static inline int
embed_setup(void **state)
{
    char dir[300];

    (void)state;
    rig_folder();
    taps_start();
    (void)memset(&served, 0, sizeof(served));
    served.status = 200;
    served.dims = 2;
    server = fake_start(served_answer);
    (void)snprintf(server_url, sizeof(server_url), "http://127.0.0.1:%d",
                   server->port);
    conf_override(CONF_OPENAI_BASE_URL, server_url);
    conf_override(CONF_OPENAI_API_KEY, "k");
    conf_override(CONF_EMBED_MODEL, MODEL);
    conf_override(CONF_UPSTREAM_RETRIES, "0");
    conf_override(CONF_LIMITS_FILE, "");
    (void)snprintf(dir, sizeof(dir), "%s/files", rig_dir);
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(files_open(dir, &fs), OK);
    assert_int_equal(files_collection(fs, FILES_SHARED, "notes", "", &notes),
                     OK);
    return 0;
}

static inline int
embed_teardown(void **state)
{
    served_hold(false);
    if (rig != NULL)
        rig_stop(0);
    fake_stop(server);
    files_close(fs);
    fs = NULL;
    return rig_teardown(state);
}

/* A document of n chunks, each with this text and a number. */
static inline void
put_chunks(const char *name, const char *text, size_t n)
{
    struct document d = {.collection = notes.id,
                         .size = 1,
                         .mtime_ns = 1,
                         .label = LABEL_CLOUD_OK};
    struct files_put *p;
    char one[128];

    (void)snprintf(d.name, sizeof(d.name), "%s", name);
    assert_int_equal(files_put_begin(fs, &d, &p), OK);
    for (size_t i = 0; i < n; i++) {
        struct chunk c = {.seq = (uint32_t)i, .heading = "", .text = one};

        c.len = (size_t)snprintf(one, sizeof(one), n > 1 ? "%s%zu" : "%s", text,
                                 i);
        c.start = (int64_t)(i * c.len);
        assert_int_equal(files_put_chunk(p, &c), OK);
    }
    assert_int_equal(files_put_end(p, &d, ""), OK);
}

static inline int64_t
embedded(void)
{
    int64_t n = 0;

    assert_int_equal(files_embedded(fs, MODEL, 0, &n), OK);
    return n;
}

static inline bool
is_told(const char *state, const char *code)
{
    struct file_embed_told told;

    return file_embed_tell(rig, &told) && strcmp(told.state, state) == 0 &&
           strcmp(told.code, code) == 0;
}

#define T(name) \
    cmocka_unit_test_setup_teardown(name, embed_setup, embed_teardown)

#endif

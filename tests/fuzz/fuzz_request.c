/*
 * Fuzzes http/request*.c: CGI variables, one a line ("NAME=value"), through
 * request_new and everything that reads the request afterwards. Whatever
 * comes, there is a request with a sound id and path, and what is decoded is
 * UTF-8.
 */
#include "base/base.h"

#include "base/text.h"
#include "http/reply.h"
#include "http/request.h"

#define VARS_MAX (REQUEST_PARAMS_MAX + 8) /* some more than allowed */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct source {
    const uint8_t *p;
    size_t n;
};

static ssize_t
source_read(void *arg, char *p, size_t n)
{
    struct source *s = arg;

    n = n < s->n ? n : s->n;
    n = n < 7 ? n : 7;
    memcpy(p, s->p, n);
    s->p += n;
    s->n -= n;
    return (ssize_t)n;
}

static void
check(const struct request *rq, enum err e, const struct problem *why)
{
    size_t n = strlen(rq->id);

    assert(n > 0 && n <= REQUEST_ID_MAX);
    assert(strspn(rq->id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV"
                          "WXYZ0123456789._-") == n);
    assert(rq->path[0] == '/' && utf8_valid(rq->path, strlen(rq->path)));
    assert(strlen(rq->path) <= REQUEST_PATH_MAX);
    assert(strlen(rq->query) <= REQUEST_QUERY_MAX);
    assert(!strpbrk(rq->path, "\r\n"));
    assert(rq->n_params <= REQUEST_PARAMS_MAX);
    assert(e == OK || e == ERR_BADREQ || e == ERR_TOOBIG);
    assert(e == why->err);
    n = strlen(rq->base);
    assert(n == 0 || rq->base[n - 1] != '/');
}

static void
read_back(struct request *rq, const char *list)
{
    static const char *const args[] = {"message", "turn_id", "a", ""};
    struct problem why;
    struct buf head;
    const char *s;
    int64_t v = 0;

    for (size_t i = 0; i < COUNT_OF(args); i++)
        if (request_arg(rq, args[i], &s, &why) == OK && s)
            assert(utf8_valid(s, strlen(s)));
    if (request_arg_i64(rq, "limit", 1, 500, &v, &why) == OK)
        assert(v >= 0 && v <= 500);
    (void)request_accepts(rq, "text/event-stream");
    (void)request_header(rq, "Authorization");
    if (request_origin(rq, list) == ORIGIN_LISTED)
        assert(!strpbrk(request_header(rq, "Origin"), "\r\n"));
    reply_set_origins(list);
    buf_init(&head, REPLY_HEAD_MAX);
    reply_stream_head(&head, rq, "text/event-stream", NULL);
    assert(!head.over);
    /* One blank line, at the end: nothing sent can end the head early. */
    assert(memmem(head.data, head.len, "\r\n\r\n", 4) ==
           head.data + head.len - 4);
    buf_release(&head);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const lists[] = {"", "*", "https://a.example, b:81"};
    static const char *const bases[] = {"", "/", "/parley", "/a/b/"};
    const char *vars[VARS_MAX + 1];
    struct source body = {data, size};
    struct body_limits limits = {.max = 64};
    struct problem why;
    struct request *rq;
    size_t n = 0;
    char *text, *at;
    enum err e;

    if (size < 1)
        return 0;
    text = xmemdup0(data + 1, size - 1);
    for (at = text; *at && n < VARS_MAX; n++) {
        vars[n] = at;
        at += strcspn(at, "\n");
        if (*at)
            *at++ = '\0';
    }
    vars[n] = NULL;
    e = request_new(&rq, vars, bases[data[0] & 3], &why);
    check(rq, e, &why);
    read_back(rq, lists[(data[0] >> 2) % COUNT_OF(lists)]);
    if (!e) {
        e = request_read_body(rq, &limits, data[0] & 64, source_read, &body,
                              &why);
        assert(e || rq->body_len <= 64);
    }
    request_free(rq);
    free(text);
    return 0;
}

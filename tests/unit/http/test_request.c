/* Tests of http/request*.c: CGI variables in, a request out. */
#include "http_test.h"

#include "base/log.h"
#include "http/request.h"

static struct problem why;

/* REQUEST_METHOD=GET and up to three more variables. */
static struct request *
with(const char *a, const char *b, const char *c)
{
    const char *vars[] = {"REQUEST_METHOD=GET", a, b, c, NULL};

    return make_request(vars);
}

static enum err
try_vars(struct request **rq, const char *const *vars, const char *base)
{
    return request_new(rq, vars, base, &why);
}

static void
a_plain_request_is_read(void **state)
{
    const char *vars[] = {"REQUEST_METHOD=POST",
                          "SCRIPT_NAME=",
                          "PATH_INFO=/chat",
                          "QUERY_STRING=a=1",
                          "CONTENT_TYPE=Application/JSON; charset=UTF-8",
                          "HTTP_LAST_EVENT_ID=x.1",
                          "HTTP_X_REQUEST_ID=abc-1._Z",
                          "NOT A VARIABLE",
                          NULL};
    struct request *rq = make_request(vars);

    (void)state;
    assert_int_equal(rq->method, METHOD_POST);
    assert_string_equal(rq->path, "/chat");
    assert_string_equal(rq->base, "");
    assert_string_equal(rq->query, "a=1");
    assert_string_equal(rq->type, "application/json");
    assert_string_equal(rq->id, "abc-1._Z");
    assert_string_equal(request_header(rq, "Last-Event-ID"), "x.1");
    assert_string_equal(request_header(rq, "content-type"),
                        "Application/JSON; charset=UTF-8");
    assert_null(request_header(rq, "Accept"));
    assert_null(request_var(rq, "NOT A VARIABLE"));
    assert_null(rq->conn);
    assert_null(rq->body);
    assert_true(rq->start_us > 0);
    request_free(rq);
    request_free(NULL);
}

static void
an_id_that_is_not_well_formed_is_replaced(void **state)
{
    char longest[18 + REQUEST_ID_MAX + 1 + 1];
    struct request *rq, *other;

    (void)state;
    rq = with("HTTP_X_REQUEST_ID=a b", NULL, NULL);
    assert_int_equal(strlen(rq->id), 36);
    other = with("HTTP_X_REQUEST_ID=\xc3\xa9", NULL, NULL);
    assert_int_equal(strlen(other->id), 36);
    assert_string_not_equal(rq->id, other->id);
    request_free(rq);
    request_free(other);
    memcpy(longest, "HTTP_X_REQUEST_ID=", 18);
    memset(longest + 18, 'x', REQUEST_ID_MAX + 1);
    longest[18 + REQUEST_ID_MAX + 1] = '\0';
    rq = with(longest, NULL, NULL);
    assert_int_equal(strlen(rq->id), 36);
    request_free(rq);
    longest[18 + REQUEST_ID_MAX] = '\0';
    rq = with(longest, NULL, NULL);
    assert_int_equal(strlen(rq->id), REQUEST_ID_MAX);
    request_free(rq);
    rq = with("HTTP_X_REQUEST_ID=", NULL, NULL);
    assert_int_equal(strlen(rq->id), 36);
    request_free(rq);
}

static void
every_method_has_its_name(void **state)
{
    static const char *const methods[] = {"GET",   "HEAD",   "POST",   "PUT",
                                          "PATCH", "DELETE", "OPTIONS"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        char var[32];
        const char *vars[] = {var, NULL};
        struct request *rq;
        snprintf(var, sizeof(var), "REQUEST_METHOD=%s", methods[i]);
        rq = make_request(vars);
        assert_string_equal(method_name(rq->method), methods[i]);
        request_free(rq);
    }
    struct request *rq = make_request(
        (const char *const[]){"REQUEST_METHOD=get", NULL});
    assert_int_equal(rq->method, METHOD_OTHER);
    request_free(rq);
    assert_int_equal(
        try_vars(&rq, (const char *const[]){"PATH_INFO=/", NULL}, ""),
        ERR_BADREQ);
    assert_string_equal(why.code, "no_method");
    request_free(rq);
}

struct path_case {
    const char *script, *info, *uri, *base_path;
    const char *base, *path;
};

static void
base_and_path_are_found_wherever_it_is_mounted(void **state)
{
    static const struct path_case cases[] = {
        /* lighttpd's FastCGI at the root */
        {"", "/chat", "/chat?x=1", "", "", "/chat"},
        {"", "/", "/", "", "", "/"},
        /* plain CGI */
        {"/cgi-bin/chat.cgi", "/chat", "/cgi-bin/chat.cgi/chat", "",
         "/cgi-bin/chat.cgi", "/chat"},
        {"/cgi-bin/chat.cgi", "", "/cgi-bin/chat.cgi", "", "/cgi-bin/chat.cgi",
         "/"},
        {"/cgi-bin/chat.cgi", NULL, "/cgi-bin/chat.cgi?x", "",
         "/cgi-bin/chat.cgi", "/"},
        /* plain CGI, rewritten to */
        {"/cgi-bin/chat.cgi", "/chat", "/chat?x", "", "", "/chat"},
        {"/cgi-bin/chat.cgi", "/", "/", "", "", "/"},
        {"/a/cgi-bin/chat.cgi", "/b c", "/a/b%20c", "", "/a", "/b c"},
        {"/cgi-bin/chat.cgi", "/chat", "/other", "", "/cgi-bin/chat.cgi",
         "/chat"},
        {"/~u/chat/", "/sessions/a", NULL, "", "/~u/chat", "/sessions/a"},
        /* no PATH_INFO */
        {NULL, NULL, "/chat?x=1", "", "", "/chat"},
        {NULL, NULL, "http://h:1/chat?x", "", "", "/chat"},
        {NULL, NULL, "http://h", "", "", "/"},
        {"/a", NULL, "/a/b%20c", "", "/a", "/b c"},
        {"/a", NULL, "/ab", "", "/a", "/ab"},
        {NULL, NULL, NULL, "", "", "/"},
        /* BASE_PATH */
        {"", "/parley/chat", NULL, "/parley", "/parley", "/chat"},
        {"", "/parley", NULL, "/parley/", "/parley", "/"},
        {"", "/chat", NULL, "/parley", "/parley", "/chat"},
        {"", "/parleyed", NULL, "/parley", "/parley", "/parleyed"},
        {"/x.cgi", "/chat", NULL, "/", "", "/chat"},
        {"/chat", NULL, "/parley/chat", "/parley", "/parley", "/chat"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct path_case *c = &cases[i];
        char script[100], info[100], uri[100];
        const char *vars[5] = {"REQUEST_METHOD=GET"};
        struct request *rq;
        int n = 1;
        snprintf(script, sizeof(script), "SCRIPT_NAME=%s", c->script);
        snprintf(info, sizeof(info), "PATH_INFO=%s", c->info);
        snprintf(uri, sizeof(uri), "REQUEST_URI=%s", c->uri);
        if (c->script)
            vars[n++] = script;
        if (c->info)
            vars[n++] = info;
        if (c->uri)
            vars[n++] = uri;
        assert_int_equal(try_vars(&rq, vars, c->base_path), OK);
        assert_string_equal(rq->base, c->base);
        assert_string_equal(rq->path, c->path);
        request_free(rq);
    }
}

static void
bad_paths_are_refused_but_give_a_request(void **state)
{
    static const char *const bad[] = {"PATH_INFO=chat", "PATH_INFO=/a\nb",
                                      "PATH_INFO=/\x7f", "PATH_INFO=/\xff",
                                      "PATH_INFO=/\xc0\xaf"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        const char *vars[] = {bad[i], "HTTP_X_REQUEST_ID=me",
                              "REQUEST_METHOD=POST", NULL};
        struct request *rq;
        assert_int_equal(try_vars(&rq, vars, ""), ERR_BADREQ);
        assert_string_equal(why.code, "invalid_path");
        assert_string_equal(rq->id, "me");
        assert_int_equal(rq->method, METHOD_POST);
        assert_string_equal(rq->path, "/");
        request_free(rq);
    }
}

static char *
filled(const char *name, size_t n)
{
    size_t name_len = strlen(name);
    char *s = xmalloc(name_len + n + 1);

    memcpy(s, name, name_len);
    memset(s + name_len, 'x', n);
    s[name_len + n] = '\0';
    return s;
}

static void
long_paths_and_queries_are_too_long(void **state)
{
    char *path = filled("PATH_INFO=/", REQUEST_PATH_MAX);
    char *query = filled("QUERY_STRING=", REQUEST_QUERY_MAX + 1);
    const char *vars[] = {"REQUEST_METHOD=GET", path, NULL};
    struct request *rq;

    (void)state;
    assert_int_equal(try_vars(&rq, vars, ""), ERR_TOOBIG);
    assert_int_equal(why.status, 414);
    request_free(rq);
    path[strlen(path) - 1] = '\0';
    assert_int_equal(try_vars(&rq, vars, ""), OK);
    request_free(rq);
    vars[1] = query;
    assert_int_equal(try_vars(&rq, vars, ""), ERR_TOOBIG);
    assert_int_equal(why.status, 414);
    request_free(rq);
    query[strlen(query) - 1] = '\0';
    assert_int_equal(try_vars(&rq, vars, ""), OK);
    request_free(rq);
    free(path);
    free(query);
}

static void
too_many_or_too_long_headers_are_431(void **state)
{
    const char *vars[REQUEST_PARAMS_MAX + 3];
    char *header = filled("HTTP_X=", REQUEST_PARAMS_BYTES);
    struct request *rq;
    size_t n = 0;

    (void)state;
    while (n < REQUEST_PARAMS_MAX)
        vars[n++] = "HTTP_A=b";
    vars[n++] = "REQUEST_METHOD=DELETE";
    vars[n++] = "HTTP_X_REQUEST_ID=last";
    vars[n] = NULL;
    assert_int_equal(try_vars(&rq, vars, ""), ERR_TOOBIG);
    assert_int_equal(why.status, 431);
    assert_int_equal(rq->method, METHOD_DELETE);
    assert_string_equal(rq->id, "last");
    request_free(rq);
    vars[0] = header;
    vars[1] = "REQUEST_METHOD=GET";
    vars[2] = NULL;
    assert_int_equal(try_vars(&rq, vars, ""), ERR_TOOBIG);
    assert_int_equal(why.status, 431);
    assert_int_equal(rq->method, METHOD_GET);
    request_free(rq);
    free(header);
}

static void
apache_hides_authorization_behind_a_redirect(void **state)
{
    struct request *rq = with("REDIRECT_HTTP_AUTHORIZATION=Bearer x", NULL,
                              NULL);

    (void)state;
    assert_string_equal(request_header(rq, "Authorization"), "Bearer x");
    request_free(rq);
}

static void
query_arguments_are_decoded_on_demand(void **state)
{
    struct request *rq = with(
        "QUERY_STRING=a=1+2&b=%C3%A9&c&d=%&e=%FF&f=%00&%61a=x&a=2&n=42", NULL,
        NULL);
    const char *s;
    int64_t n = -1;

    (void)state;
    assert_int_equal(request_arg(rq, "a", &s, &why), OK);
    assert_string_equal(s, "1 2");
    assert_int_equal(request_arg(rq, "b", &s, &why), OK);
    assert_string_equal(s, "\xc3\xa9");
    assert_int_equal(request_arg(rq, "c", &s, &why), OK);
    assert_string_equal(s, "");
    assert_int_equal(request_arg(rq, "aa", &s, &why), OK);
    assert_string_equal(s, "x");
    assert_int_equal(request_arg(rq, "none", &s, &why), OK);
    assert_null(s);
    assert_int_equal(request_arg(rq, "d", &s, &why), ERR_BADREQ);
    assert_string_equal(why.code, "invalid_query");
    assert_int_equal(request_arg(rq, "e", &s, &why), ERR_BADREQ);
    assert_int_equal(request_arg(rq, "f", &s, &why), ERR_BADREQ);
    assert_int_equal(request_arg_i64(rq, "n", 0, 50, &n, &why), OK);
    assert_int_equal(n, 42);
    assert_int_equal(request_arg_i64(rq, "n", 0, 41, &n, &why), ERR_BADREQ);
    assert_int_equal(request_arg_i64(rq, "a", 0, 41, &n, &why), ERR_BADREQ);
    assert_int_equal(request_arg_i64(rq, "none", 0, 41, &n, &why), OK);
    assert_int_equal(n, 42);
    request_free(rq);
}

static bool
accepts(const char *header, const char *type)
{
    char var[200];
    struct request *rq;
    bool yes;

    snprintf(var, sizeof(var), "HTTP_ACCEPT=%s", header);
    rq = with(var, NULL, NULL);
    yes = request_accepts(rq, type);
    request_free(rq);
    return yes;
}

static void
accept_counts_only_what_it_lists(void **state)
{
    const char *sse = "text/event-stream";
    struct request *rq;

    (void)state;
    assert_true(accepts("text/event-stream", sse));
    assert_true(accepts("text/html, Text/Event-Stream;q=0.5", sse));
    assert_true(accepts("a/b;x=\",\";q=0.1 ,text/event-stream ; q=0.001", sse));
    assert_true(accepts("text/event-stream;q=1", sse));
    assert_true(accepts(",,text/event-stream", sse));
    assert_false(accepts("text/event-stream;q=0", sse));
    assert_false(accepts("text/event-stream;q=0.000, */*", sse));
    assert_false(accepts("text/event-stream ; Q=0", sse));
    assert_false(accepts("*/*", sse));
    assert_false(accepts("text/*", sse));
    assert_false(accepts("text/event-streams", sse));
    assert_false(accepts("text/event", sse));
    assert_false(accepts("", sse));
    assert_false(accepts("a/b;x=\"text/event-stream", sse));
    assert_false(accepts("a/b;x=\"\\\",text/event-stream\"", sse));
    rq = with(NULL, NULL, NULL);
    assert_false(request_accepts(rq, sse));
    request_free(rq);
}

static enum origin
origin(const char *sent, const char *host, const char *allowed)
{
    char a[500], b[100];
    struct request *rq;
    enum origin o;

    snprintf(a, sizeof(a), "HTTP_ORIGIN=%s", sent);
    snprintf(b, sizeof(b), "HTTP_HOST=%s", host);
    rq = with(host ? b : "X=", a, NULL);
    o = request_origin(rq, allowed);
    assert_int_equal(request_foreign(rq, allowed), o == ORIGIN_FOREIGN);
    request_free(rq);
    return o;
}

static void
our_own_pages_are_not_foreign(void **state)
{
    (void)state;
    assert_int_equal(origin("http://h:8080", "h:8080", ""), ORIGIN_OWN);
    assert_int_equal(origin("http://H.example", "h.EXAMPLE", ""), ORIGIN_OWN);
    assert_int_equal(origin("https://h", "h", ""), ORIGIN_OWN);
    assert_int_equal(origin("https://h", "h:443", ""), ORIGIN_OWN);
    assert_int_equal(origin("http://h:80", "h", ""), ORIGIN_OWN);
    assert_int_equal(origin("http://[::1]:81", "[::1]:81", ""), ORIGIN_OWN);
    assert_int_equal(origin("http://[::1]", "[::1]:80", ""), ORIGIN_OWN);
    assert_int_equal(origin("http://h", "h", "*"), ORIGIN_OWN);
}

static void
other_pages_are_foreign(void **state)
{
    char big[400];

    (void)state;
    assert_int_equal(origin("http://evil", "h", ""), ORIGIN_FOREIGN);
    assert_int_equal(origin("http://h:81", "h", ""), ORIGIN_FOREIGN);
    assert_int_equal(origin("https://h", "h:80", ""), ORIGIN_FOREIGN);
    assert_int_equal(origin("http://h.evil", "h", ""), ORIGIN_FOREIGN);
    assert_int_equal(origin("http://h", NULL, ""), ORIGIN_FOREIGN);
    assert_int_equal(origin("http://", "", ""), ORIGIN_FOREIGN);
    assert_int_equal(origin("null", "h", ""), ORIGIN_FOREIGN);
    assert_int_equal(origin("null", "null", ""), ORIGIN_FOREIGN);
    assert_int_equal(origin("http://h\r\nX: y", "h\r\nX: y", "*"),
                     ORIGIN_FOREIGN);
    memset(big, 'x', sizeof(big));
    big[sizeof(big) - 1] = '\0';
    assert_int_equal(origin(big, "h", "*"), ORIGIN_FOREIGN);
}

static void
listed_pages_are_welcome(void **state)
{
    const char *list = "https://a.example, b.example:8443,http://c/";

    (void)state;
    assert_int_equal(origin("https://a.example", "h", list), ORIGIN_LISTED);
    assert_int_equal(origin("https://A.example:443", "h", list), ORIGIN_LISTED);
    assert_int_equal(origin("http://a.example", "h", list), ORIGIN_FOREIGN);
    assert_int_equal(origin("https://b.example:8443", "h", list),
                     ORIGIN_LISTED);
    assert_int_equal(origin("https://b.example", "h", list), ORIGIN_FOREIGN);
    assert_int_equal(origin("http://c", "h", list), ORIGIN_LISTED);
    assert_int_equal(origin("http://d", "h", list), ORIGIN_FOREIGN);
    assert_int_equal(origin("http://d", "h", "*"), ORIGIN_ANY);
    assert_int_equal(origin("null", "h", "*"), ORIGIN_ANY);
    assert_int_equal(origin("http://d", "h", "http://d, *"), ORIGIN_LISTED);
    assert_int_equal(origin("null", "h", list), ORIGIN_FOREIGN);
}

static void
no_origin_is_foreign_only_when_the_browser_says_so(void **state)
{
    struct request *rq = with(NULL, NULL, NULL);

    (void)state;
    assert_int_equal(request_origin(rq, ""), ORIGIN_NONE);
    request_free(rq);
    rq = with("HTTP_SEC_FETCH_SITE=same-origin", NULL, NULL);
    assert_int_equal(request_origin(rq, ""), ORIGIN_NONE);
    request_free(rq);
    rq = with("HTTP_SEC_FETCH_SITE=cross-site", "HTTP_SEC_FETCH_MODE=no-cors",
              NULL);
    assert_int_equal(request_origin(rq, ""), ORIGIN_FOREIGN);
    assert_int_equal(request_origin(rq, "*"), ORIGIN_NONE);
    request_free(rq);
    rq = with("HTTP_SEC_FETCH_SITE=cross-site", "HTTP_SEC_FETCH_MODE=navigate",
              NULL);
    assert_int_equal(request_origin(rq, ""), ORIGIN_NONE);
    request_free(rq);
}

/* A body in pieces; -1 after it if `broken`. */
struct source {
    const char *bytes;
    size_t len, at, piece;
    bool broken;
};

static ssize_t
source_read(void *arg, char *p, size_t n)
{
    struct source *s = arg;
    size_t left = s->len - s->at;

    if (left == 0)
        return s->broken ? -1 : 0;
    if (n > s->piece)
        n = s->piece;
    if (n > left)
        n = left;
    memcpy(p, s->bytes + s->at, n);
    s->at += n;
    return (ssize_t)n;
}

/* Read "0123456789" under a CONTENT_LENGTH (NULL: none). */
static enum err
body(struct request **rq, const char *length, size_t max, bool to_end,
     bool broken)
{
    struct source s = {"0123456789", 10, 0, 3, broken};
    struct body_limits limits = {.max = max};
    char var[100];

    snprintf(var, sizeof(var), "CONTENT_LENGTH=%s", length);
    *rq = with(length ? var : "X=", NULL, NULL);
    return request_read_body(*rq, &limits, to_end, source_read, &s, &why);
}

static void
a_body_is_as_long_as_it_says(void **state)
{
    struct request *rq;

    (void)state;
    assert_int_equal(body(&rq, "10", 10, true, false), OK);
    assert_int_equal(rq->body_len, 10);
    assert_string_equal(rq->body, "0123456789");
    request_free(rq);
    assert_int_equal(body(&rq, "4", 10, false, false), OK); /* CGI */
    assert_int_equal(rq->body_len, 4);
    request_free(rq);
    assert_int_equal(body(&rq, "4", 10, true, false), ERR_BADREQ);
    assert_string_equal(why.code, "invalid_length");
    request_free(rq);
    assert_int_equal(body(&rq, "11", 20, true, false), ERR_HUP);
    request_free(rq);
    assert_int_equal(body(&rq, "11", 20, true, true), ERR_HUP);
    request_free(rq);
    assert_int_equal(body(&rq, "10", 20, true, true), ERR_HUP);
    request_free(rq);
}

static void
a_body_past_the_ceiling_is_not_read(void **state)
{
    static const char *const lengths[] = {"11", "99999999999",
                                          "99999999999999999999999999"};
    struct request *rq;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        assert_int_equal(body(&rq, lengths[i], 10, true, true), OK);
        assert_true(rq->body_too_big);
        assert_null(rq->body);
        request_free(rq);
    }
    assert_int_equal(body(&rq, NULL, 9, true, false), OK);
    assert_true(rq->body_too_big);
    request_free(rq);
}

static void
lengths_that_are_no_numbers_are_refused(void **state)
{
    static const char *const bad[] = {"x",  "-1",   "+1",  "1 ",
                                      " 1", "0x10", "1e3", "1,1"};
    struct request *rq;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(body(&rq, bad[i], 10, true, false), ERR_BADREQ);
        assert_string_equal(why.code, "invalid_length");
        request_free(rq);
    }
}

static void
without_a_length_a_stream_is_read_to_its_end(void **state)
{
    struct body_limits ten = {.max = 10};
    struct source s = {"0123456789", 10, 0, 3, false};
    struct request *rq;

    (void)state;
    assert_int_equal(body(&rq, NULL, 10, true, false), OK);
    assert_int_equal(rq->body_len, 10);
    request_free(rq);
    assert_int_equal(body(&rq, "", 10, true, false), OK);
    assert_int_equal(rq->body_len, 10);
    request_free(rq);
    assert_int_equal(body(&rq, NULL, 10, false, false), OK); /* CGI */
    assert_null(rq->body);
    request_free(rq);
    assert_int_equal(body(&rq, NULL, 10, true, true), ERR_HUP);
    request_free(rq);
    rq = with("HTTP_TRANSFER_ENCODING=chunked", NULL, NULL);
    assert_int_equal(request_read_body(rq, &ten, false, source_read, &s, &why),
                     OK);
    assert_int_equal(rq->body_len, 10);
    request_free(rq);
}

/* --- bodies in files ------------------------------------------------------ */

struct many {
    size_t len, at;
};

/* Bytes that are known by their place. */
static ssize_t
many_read(void *arg, char *p, size_t n)
{
    struct many *m = arg;

    n = n < 100000 ? n : 100000;
    n = n < m->len - m->at ? n : m->len - m->at;
    for (size_t i = 0; i < n; i++)
        p[i] = (char)((m->at + i) * 7 % 251);
    m->at += n;
    return (ssize_t)n;
}

static bool
is_put(const struct request *rq)
{
    return rq->method == METHOD_PUT;
}

/* PUT of so many bytes, of which as many are said. */
static enum err
put(struct request **rq, size_t len, const char *length, const char *dir,
    bool to_end)
{
    struct body_limits limits = {.max = 10,
                                 .spools = is_put,
                                 .spool_max = 3 * REQUEST_SPOOL_FROM,
                                 .spool_dir = dir};
    struct many m = {len, 0};
    char var[100] = "X=";

    if (length != NULL)
        (void)snprintf(var, sizeof(var), "CONTENT_LENGTH=%s", length);
    *rq = make_request(
        (const char *const[]){"REQUEST_METHOD=PUT", "PATH_INFO=/", var, NULL});
    return request_read_body(*rq, &limits, to_end, many_read, &m, &why);
}

static void
assert_file(const struct request *rq, size_t n)
{
    char p[3];

    assert_null(rq->body);
    assert_true(rq->body_fd >= 0);
    assert_int_equal(rq->body_len, n);
    assert_int_equal(lseek(rq->body_fd, 0, SEEK_END), (off_t)n);
    assert_int_equal(pread(rq->body_fd, p, 3, 1000000), 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal((unsigned char)p[i], (1000000 + i) * 7 % 251);
}

static void
a_long_body_is_a_file_where_it_may_be(void **state)
{
    struct request *rq;
    int fd;

    (void)state;
    assert_int_equal(put(&rq, 1048576, "1048576", "/tmp", true), OK);
    assert_file(rq, 1048576);
    fd = rq->body_fd;
    request_free(rq);
    assert_int_equal(fcntl(fd, F_GETFD), -1); /* closed with it */
    assert_int_equal(put(&rq, 3000000, NULL, "/tmp", true), OK);
    assert_file(rq, 3000000);
    request_free(rq);
    assert_int_equal(put(&rq, 1048575, "1048575", "/tmp", true), OK);
    assert_int_equal(rq->body_fd, -1);
    assert_int_equal(rq->body_len, 1048575);
    assert_non_null(rq->body);
    request_free(rq);
    assert_int_equal(put(&rq, 0, NULL, "/tmp", true), OK);
    assert_int_equal(rq->body_fd, -1);
    assert_int_equal(rq->body_len, 0);
    request_free(rq);
}

static void
a_file_is_as_long_as_it_says_and_has_a_ceiling(void **state)
{
    struct request *rq;

    (void)state;
    assert_int_equal(put(&rq, 2000000, "2000001", "/tmp", true), ERR_HUP);
    assert_int_equal(rq->body_fd, -1);
    request_free(rq);
    assert_int_equal(put(&rq, 2000002, "2000001", "/tmp", true), ERR_BADREQ);
    assert_string_equal(why.code, "invalid_length");
    request_free(rq);
    assert_int_equal(put(&rq, 2000002, "2000001", "/tmp", false), OK);
    assert_file(rq, 2000001);
    request_free(rq);
    assert_int_equal(put(&rq, 9, "3145729", "/tmp", true), OK);
    assert_true(rq->body_too_big);
    request_free(rq);
    assert_int_equal(put(&rq, 3145729, NULL, "/tmp", true), OK);
    assert_true(rq->body_too_big);
    assert_int_equal(rq->body_fd, -1);
    request_free(rq);
    assert_int_equal(put(&rq, 3145728, NULL, "/tmp", true), OK);
    assert_file(rq, 3145728);
    request_free(rq);
}

static void
a_file_that_cannot_be_made_is_told(void **state)
{
    struct request *rq;

    (void)state;
    log_set_level(LOG_ERROR + 1);
    assert_int_equal(put(&rq, 2000000, "2000000", "/nowhere/at/all", true),
                     ERR_STORE);
    assert_int_equal(why.err, ERR_STORE);
    assert_int_equal(rq->body_fd, -1);
    assert_false(rq->body_too_big);
    request_free(rq);
}

static void
a_header_in_several_lines_is_one_value(void **state)
{
    struct request *rq = with("HTTP_X_USER=ann", "HTTP_X_USER=eve",
                              "HTTP_COOKIE=a=1");

    (void)state;
    assert_string_equal(request_header(rq, "X-User"), "ann, eve");
    assert_true(request_header_twice(rq, "X-User"));
    assert_false(request_header_twice(rq, "Cookie"));
    assert_false(request_header_twice(rq, "Host"));
    request_free(rq);
    rq = with("HTTP_COOKIE=a=1", "HTTP_COOKIE=b=2", "HTTP_COOKIE=c=3");
    assert_string_equal(request_header(rq, "Cookie"), "a=1; b=2; c=3");
    request_free(rq);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_request_is_read),
        cmocka_unit_test(an_id_that_is_not_well_formed_is_replaced),
        cmocka_unit_test(every_method_has_its_name),
        cmocka_unit_test(base_and_path_are_found_wherever_it_is_mounted),
        cmocka_unit_test(bad_paths_are_refused_but_give_a_request),
        cmocka_unit_test(long_paths_and_queries_are_too_long),
        cmocka_unit_test(too_many_or_too_long_headers_are_431),
        cmocka_unit_test(apache_hides_authorization_behind_a_redirect),
        cmocka_unit_test(a_header_in_several_lines_is_one_value),
        cmocka_unit_test(query_arguments_are_decoded_on_demand),
        cmocka_unit_test(accept_counts_only_what_it_lists),
        cmocka_unit_test(our_own_pages_are_not_foreign),
        cmocka_unit_test(other_pages_are_foreign),
        cmocka_unit_test(listed_pages_are_welcome),
        cmocka_unit_test(no_origin_is_foreign_only_when_the_browser_says_so),
        cmocka_unit_test(a_body_is_as_long_as_it_says),
        cmocka_unit_test(a_body_past_the_ceiling_is_not_read),
        cmocka_unit_test(a_long_body_is_a_file_where_it_may_be),
        cmocka_unit_test(a_file_is_as_long_as_it_says_and_has_a_ceiling),
        cmocka_unit_test(a_file_that_cannot_be_made_is_told),
        cmocka_unit_test(lengths_that_are_no_numbers_are_refused),
        cmocka_unit_test(without_a_length_a_stream_is_read_to_its_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

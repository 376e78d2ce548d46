/* Tests of ops/web_line.c. */
#include "ops_test.h"

#include "ops/web_line.h"

#define BODY_MAX (16 << 20)

static void
harms(enum web_kind kind, const char *line, enum web_harm want)
{
    assert_int_equal(web_line(kind, line, BODY_MAX), want);
}

static void
lines_that_do_harm_are_known(void **state)
{
    (void)state;
    harms(WEB_LIGHTTPD, "server.stream-response-body = 0", WEB_BUFFERS);
    harms(WEB_LIGHTTPD, "  server.stream-response-body := 1", WEB_BUFFERS);
    harms(WEB_LIGHTTPD, "deflate.mimetypes += ( \"text/event-stream\" )",
          WEB_COMPRESSES);
    harms(WEB_LIGHTTPD, "server.max-request-size = 1024", WEB_SHORT);
    harms(WEB_APACHE, "FcgidOutputBufferSize 65536", WEB_BUFFERS);
    harms(WEB_APACHE,
          "AddOutputFilterByType DEFLATE text/html text/event-stream",
          WEB_COMPRESSES);
    harms(WEB_APACHE, "\trequestheader UNSET last-event-id", WEB_DROPS);
    harms(WEB_APACHE, "LimitRequestBody 102400", WEB_SHORT);
    harms(WEB_NGINX, "fastcgi_buffering on;", WEB_BUFFERS);
    harms(WEB_NGINX, "    proxy_buffering on;", WEB_BUFFERS);
    harms(WEB_NGINX, "gzip_types text/css text/event-stream;", WEB_COMPRESSES);
    harms(WEB_NGINX, "proxy_set_header Idempotency-Key \"\";", WEB_DROPS);
    harms(WEB_NGINX, "client_max_body_size 1m;", WEB_SHORT);
    harms(WEB_NGINX, "client_max_body_size 512K;", WEB_SHORT);
}

static void
others_are_not(void **state)
{
    (void)state;
    harms(WEB_LIGHTTPD, "server.stream-response-body = 2", WEB_HARMLESS);
    harms(WEB_LIGHTTPD, "server.stream-response-bodyguard = 0", WEB_HARMLESS);
    harms(WEB_LIGHTTPD, "# server.stream-response-body = 0", WEB_HARMLESS);
    harms(WEB_LIGHTTPD, "server.stream-response-body = env.X", WEB_HARMLESS);
    harms(WEB_LIGHTTPD, "server.max-request-size = 0", WEB_HARMLESS);
    harms(WEB_LIGHTTPD, "server.max-request-size = 16384", WEB_HARMLESS);
    harms(WEB_APACHE, "RequestHeader set X-Forwarded-Prefix \"/chat\"",
          WEB_HARMLESS);
    harms(WEB_APACHE, "RequestHeader unset Accept-Encoding", WEB_HARMLESS);
    harms(WEB_APACHE, "LimitRequestBody 0", WEB_HARMLESS);
    harms(WEB_APACHE, "FcgidOutputBufferSize 0", WEB_HARMLESS);
    harms(WEB_NGINX, "fastcgi_buffering off;", WEB_HARMLESS);
    harms(WEB_NGINX, "client_max_body_size 16m;", WEB_HARMLESS);
    harms(WEB_NGINX, "client_max_body_size 1g;", WEB_HARMLESS);
    harms(WEB_NGINX, "server.stream-response-body = 0", WEB_HARMLESS);
    harms(WEB_NGINX, "", WEB_HARMLESS);
    harms(WEB_NGINX, "gzip_types", WEB_HARMLESS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_that_do_harm_are_known),
        cmocka_unit_test(others_are_not),
    };

    return cmocka_run_group_tests_name("web_line", tests, NULL, NULL);
}

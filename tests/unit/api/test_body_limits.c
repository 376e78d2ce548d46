/*
 * Tests of api/body_limits.c: which requests may be files, and how long.
 */
#include "../http/http_test.h"

#include "api/body_limits.h"
#include "base/conf.h"

static size_t
limit_of(const char *method, const char *path)
{
    char a[100], b[100];
    const char *const vars[] = {a, b, NULL};
    struct body_limits limits;
    struct request *rq;
    struct problem why;
    size_t n;

    (void)snprintf(a, sizeof(a), "REQUEST_METHOD=%s", method);
    (void)snprintf(b, sizeof(b), "PATH_INFO=%s", path);
    assert_int_equal(request_new(&rq, vars, "", &why), OK);
    body_limits_load(&limits);
    n = request_body_max(rq, &limits);
    request_free(rq);
    return n;
}

static void
only_an_import_is_a_file(void **state)
{
    (void)state;
    conf_override(CONF_BODY_MAX_KIB, "3");
    conf_override(CONF_IMPORT_MAX_MIB, "5");
    assert_int_equal(limit_of("POST", "/import"), 5 << 20);
    assert_int_equal(limit_of("GET", "/import"), 3 << 10);
    assert_int_equal(limit_of("POST", "/import/"), 3 << 10);
    assert_int_equal(limit_of("POST", "/chat"), 3 << 10);
    assert_int_equal(limit_of("PUT", "/"), 3 << 10);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_an_import_is_a_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Tests of http/multipart.c and http/multipart_head.c. */
#include "http_test.h"

#include "http/multipart_head.h"

#define TYPE "multipart/form-data; boundary=XyZ"
#define OUT_MAX (64 * 1024 * 1024)

struct seen {
    struct buf out; /* "[name|filename|type]bytes;" for each part */
    bool inside;
    unsigned parts;
    unsigned fail_at; /* the call that fails; 0: none */
    unsigned calls;
};

static enum err
call(struct seen *s)
{
    return ++s->calls == s->fail_at ? ERR_FULL : OK;
}

static enum err
on_begin(void *arg, const struct multipart_part *p)
{
    struct seen *s = arg;

    assert_false(s->inside);
    s->inside = true;
    s->parts++;
    buf_addf(&s->out, "[%s|%s|%s]", p->name, p->filename ? p->filename : "-",
             p->type);
    return call(s);
}

static enum err
on_bytes(void *arg, const void *p, size_t n)
{
    struct seen *s = arg;

    assert_true(s->inside && n > 0);
    buf_add(&s->out, p, n);
    return call(s);
}

static enum err
on_end(void *arg)
{
    struct seen *s = arg;

    assert_true(s->inside);
    s->inside = false;
    buf_addc(&s->out, ';');
    return call(s);
}

static const struct multipart_calls calls = {on_begin, on_bytes, on_end};

/* Feeds it in pieces of `step` bytes, each a block of its own. */
static enum err
parse_by(const char *type, const char *s, size_t n, size_t step,
         struct seen *seen, struct problem *why)
{
    struct multipart *m;
    enum err e;

    memset(seen, 0, sizeof(*seen));
    memset(why, 0, sizeof(*why));
    buf_init(&seen->out, OUT_MAX);
    e = multipart_new(type, &calls, seen, &m, why);
    if (e) {
        assert_null(m);
        return e;
    }
    for (size_t i = 0; i < n && !e; i += step) {
        size_t k = n - i < step ? n - i : step;
        char *piece = xmemdup0(s + i, k);

        e = multipart_feed(m, piece, k, why);
        free(piece);
    }
    if (!e)
        e = multipart_end(m, why);
    else
        assert_int_equal(multipart_feed(m, "x", 1, why), e);
    multipart_free(m);
    return e;
}

/* Whole, and cut at every place; the same comes out. */
static enum err
parse(const char *s, size_t n, struct seen *seen, struct problem *why)
{
    enum err e = parse_by(TYPE, s, n, n + 1, seen, why);

    for (size_t step = 1; step <= (n < 600 ? n : 9); step++) {
        struct seen other;
        struct problem other_why;

        assert_int_equal(parse_by(TYPE, s, n, step, &other, &other_why), e);
        assert_string_equal(other_why.message, why->message);
        assert_int_equal(other.out.len, seen->out.len);
        assert_memory_equal(buf_cstr(&other.out), buf_cstr(&seen->out),
                            seen->out.len);
        buf_release(&other.out);
    }
    return e;
}

static void
check(const char *s, const char *want)
{
    struct problem why;
    struct seen seen;

    assert_int_equal(parse(s, strlen(s), &seen, &why), OK);
    assert_string_equal(buf_cstr(&seen.out), want);
    assert_false(seen.inside);
    buf_release(&seen.out);
}

static void
refused(const char *s, enum err err, const char *code)
{
    struct problem why;
    struct seen seen;

    assert_int_equal(parse(s, strlen(s), &seen, &why), err);
    assert_string_equal(why.code, code);
    assert_true(why.error[0] && why.message[0]);
    buf_release(&seen.out);
}

#define HEAD(params) "--XyZ\r\nContent-Disposition: form-data" params "\r\n\r\n"
#define FIELD(name) HEAD("; name=\"" name "\"")
#define LAST "\r\n--XyZ--\r\n"

/* --- bodies --------------------------------------------------------------- */

static void
what_curl_sends_is_read(void **state)
{
    (void)state;
    check("--XyZ\r\nContent-Disposition: form-data; name=\"label\"\r\n\r\n"
          "redact\r\n--XyZ\r\nContent-Disposition: form-data; name=\"file\"; "
          "filename=\"a b.txt\"\r\nContent-Type: Text/Plain; "
          "charset=utf-8\r\n\r\nline\r\nline\r\n\r\n--XyZ--\r\n",
          "[label|-|]redact;[file|a b.txt|text/plain]line\r\nline\r\n;");
}

static void
what_stands_around_the_parts_is_no_matter(void **state)
{
    (void)state;
    check("preamble\r\n--Xy\r\n" FIELD("a") "1" LAST "epilogue\r\n--XyZ\r\n",
          "[a|-|]1;");
    check("\r\n" FIELD("a") "1" LAST, "[a|-|]1;");
    check("--XyZ \t \r\nContent-Disposition: form-data; name=a\r\n\r\n1"
          "\r\n--XyZ--",
          "[a|-|]1;");
    check("--XyZ--", "");
}

static void
a_part_may_be_empty(void **state)
{
    (void)state;
    check(FIELD("a") LAST, "[a|-|];");
    check(FIELD("a") "--XyZ--", "[a|-|];");
    check(FIELD("a") "\r\n" FIELD("b") "\r\n" LAST, "[a|-|];[b|-|]\r\n;");
    check(HEAD("; name=f; filename=\"\"") LAST, "[f||];");
}

static void
what_is_nearly_a_boundary_belongs_to_the_part(void **state)
{
    (void)state;
    check(FIELD("a") "\r\r\n\r\n-\r\n--\r\n--Xy\r\n--xyz\r--XyZ\n--XyZ" LAST,
          "[a|-|]\r\r\n\r\n-\r\n--\r\n--Xy\r\n--xyz\r--XyZ\n--XyZ;");
    check(FIELD("a") "--Xy" LAST, "[a|-|]--Xy;");
    check(FIELD("a") "-" LAST, "[a|-|]-;");
    check(FIELD("a") "\r\n--Xy" LAST, "[a|-|]\r\n--Xy;");
}

static void
zero_bytes_are_bytes(void **state)
{
    static const char s[] = FIELD("a") "x\0\r\n\0y" LAST;
    struct problem why;
    struct seen seen;

    (void)state;
    assert_int_equal(parse(s, sizeof(s) - 1, &seen, &why), OK);
    assert_int_equal(seen.out.len, 13);
    assert_memory_equal(seen.out.data, "[a|-|]x\0\r\n\0y;", 13);
    buf_release(&seen.out);
}

static void
what_is_no_form_is_refused(void **state)
{
    (void)state;
    refused("", ERR_BADREQ, "invalid_multipart");
    refused("--XyZ", ERR_BADREQ, "invalid_multipart");
    refused("--XyZ-", ERR_BADREQ, "invalid_multipart");
    refused(FIELD("a") "1", ERR_BADREQ, "invalid_multipart");
    refused(FIELD("a") "1\r\n--XyZ\r\n", ERR_BADREQ, "invalid_multipart");
    refused("--XyZ-x", ERR_BADREQ, "invalid_multipart");
    refused("--XyZx\r\n", ERR_BADREQ, "invalid_multipart");
    refused("--XyZ\rx", ERR_BADREQ, "invalid_multipart");
    refused("--XyZ\nContent-", ERR_BADREQ, "invalid_multipart");
}

/* --- limits --------------------------------------------------------------- */

static void
so_many_parts_may_be(void **state)
{
    (void)state;
    for (unsigned n = MULTIPART_PARTS_MAX; n <= MULTIPART_PARTS_MAX + 1; n++) {
        struct problem why;
        struct seen seen;
        struct buf b;
        enum err e;

        buf_init(&b, OUT_MAX);
        for (unsigned i = 0; i < n; i++)
            buf_adds(&b, FIELD("a") "1\r\n");
        buf_adds(&b, "--XyZ--");
        e = parse_by(TYPE, b.data, b.len, b.len, &seen, &why);
        assert_int_equal(e, n > MULTIPART_PARTS_MAX ? ERR_TOOBIG : OK);
        assert_int_equal(seen.parts, MULTIPART_PARTS_MAX);
        if (e)
            assert_string_equal(why.code, "too_many_parts");
        buf_release(&b);
        buf_release(&seen.out);
    }
}

static void
a_head_may_be_so_long(void **state)
{
    (void)state;
    for (size_t n = MULTIPART_HEAD_MAX; n <= MULTIPART_HEAD_MAX + 1; n++) {
        static const char begin[] = "Content-Disposition: form-data; "
                                    "name=a\r\nX: ";
        struct problem why;
        struct seen seen;
        struct buf b;
        enum err e;

        buf_init(&b, OUT_MAX);
        buf_adds(&b, "--XyZ\r\n");
        buf_adds(&b, begin);
        for (size_t i = sizeof(begin) - 1; i < n - 4; i++)
            buf_addc(&b, 'x');
        buf_adds(&b, "\r\n\r\n1" LAST);
        e = parse(b.data, b.len, &seen, &why);
        assert_int_equal(e, n > MULTIPART_HEAD_MAX ? ERR_TOOBIG : OK);
        if (e)
            assert_string_equal(why.code, "multipart_head_too_big");
        buf_release(&b);
        buf_release(&seen.out);
    }
}

/* A name of n bytes in a part of this format. */
static enum err
with_name(const char *format, size_t n)
{
    struct problem why;
    struct seen seen;
    struct buf b;
    char *name = xmalloc(n + 1);
    enum err e;

    memset(name, 'n', n);
    name[n] = '\0';
    buf_init(&b, OUT_MAX);
    buf_adds(&b, "--XyZ\r\nContent-Disposition: form-data; ");
    buf_adds(&b, format);
    buf_adds(&b, name);
    buf_adds(&b, "\r\n\r\n1" LAST);
    e = parse_by(TYPE, b.data, b.len, b.len, &seen, &why);
    if (e)
        assert_string_equal(why.code, "multipart_name_too_long");
    else
        assert_non_null(strstr(buf_cstr(&seen.out), name));
    buf_release(&b);
    buf_release(&seen.out);
    free(name);
    return e;
}

static void
names_may_be_so_long(void **state)
{
    (void)state;
    assert_int_equal(with_name("name=", MULTIPART_NAME_MAX), OK);
    assert_int_equal(with_name("name=", MULTIPART_NAME_MAX + 1), ERR_TOOBIG);
    assert_int_equal(with_name("name=a; filename=", MULTIPART_FILENAME_MAX),
                     OK);
    assert_int_equal(with_name("name=a; filename=", MULTIPART_FILENAME_MAX + 1),
                     ERR_TOOBIG);
    assert_int_equal(
        with_name("name=a; filename*=utf-8''", MULTIPART_FILENAME_MAX + 1),
        ERR_TOOBIG);
    assert_int_equal(with_name("name=a\r\nContent-Type: ", MULTIPART_TYPE_MAX),
                     OK);
    assert_int_equal(
        with_name("name=a\r\nContent-Type: ", MULTIPART_TYPE_MAX + 1),
        ERR_TOOBIG);
}

/* --- names ---------------------------------------------------------------- */

static void
names_are_decoded(void **state)
{
    (void)state;
    check(HEAD("; name=\"a %22b%22 \\\"c\\\"\"") "1" LAST,
          "[a \"b\" \"c\"|-|]1;");
    check(HEAD(" ; NAME=a;  b=x ;FileName=\"gr\xC3\xBC.txt\";") "1" LAST,
          "[a|gr\xC3\xBC.txt|]1;");
    check(HEAD("; name=a; filename=\"100%0A%41.txt\"") "1" LAST,
          "[a|100%0A%41.txt|]1;");
    check(HEAD("; name=a; filename=\"b\xE9\t\x01\xC2\x85.txt\"") "1" LAST,
          "[a|b\xEF\xBF\xBD___.txt|]1;");
}

static void
of_a_path_its_last_part_is_the_name(void **state)
{
    (void)state;
    check(HEAD("; name=a; filename=\"C:\\new\\dir\\a.txt\"") LAST,
          "[a|a.txt|];");
    check(HEAD("; name=a; filename=\"../../etc/passwd\"") LAST, "[a|passwd|];");
    check(HEAD("; name=a; filename=\"a\\\\b\"") LAST, "[a|b|];");
    check(HEAD("; name=a; filename=\"/\"") LAST, "[a||];");
    check(HEAD("; name=a; filename=\"x/..\"") LAST, "[a||];");
    check(HEAD("; name=a; filename=\".\"") LAST, "[a||];");
    check(HEAD("; name=a; filename=\"...\"") LAST, "[a|...|];");
    check(HEAD("; name=a; filename=\" .. \"") LAST, "[a||];");
    check(HEAD("; name=a; filename*=utf-8''%2e%2e%2fx%5cy") LAST, "[a|y|];");
}

static void
extended_names_go_before_plain_ones(void **state)
{
    (void)state;
    check(HEAD("; name=a; filename=x; filename*=UTF-8''%e2%82%ac.txt") LAST,
          "[a|\xE2\x82\xAC.txt|];");
    check(HEAD("; name=a; filename*=utf-8'de'%C3%BC; filename=x") LAST,
          "[a|\xC3\xBC|];");
    check(HEAD("; name=a; filename*=iso-8859-1''%fc") LAST, "[a|\xC3\xBC|];");
    check(HEAD("; name=a; filename=x; filename*=utf-8''%FF") LAST, "[a|x|];");
    check(HEAD("; name=a; filename=x; filename*=koi8-r''%C1") LAST, "[a|x|];");
    check(HEAD("; name=a; filename=x; filename*=utf-8''%00") LAST, "[a|x|];");
    check(HEAD("; name=a; filename=x; filename*=broken") LAST, "[a|x|];");
    check(HEAD("; name=a; filename*=broken") LAST, "[a||];");
}

static void
heads_that_can_be_read_in_two_ways_are_refused(void **state)
{
    static const char *const heads[] = {
        "Content-Disposition: form-data\r\n",
        "Content-Disposition: form-data; name=\"\"\r\n",
        "Content-Disposition: form-data; name=\"a\r\n",
        "Content-Disposition: form-data; name=\"a\"b\r\n",
        "Content-Disposition: form-data; name\r\n",
        "Content-Disposition: form-data; name=a; name=b\r\n",
        "Content-Disposition: form-data; name=a; filename=b; filename=c\r\n",
        "Content-Disposition: form-data; name=\"\xFF\"\r\n",
        "Content-Disposition: form-data; name=\"a\x01\"\r\n",
        "Content-Disposition: attachment; name=a\r\n",
        ("Content-Disposition: form-data; name=a\r\n"
         "Content-Disposition: form-data; name=a\r\n"),
        "Content-Disposition: form-data;\r\n name=a\r\n",
        "Content-Disposition : form-data; name=a\r\n",
        "Content-Disposition: form-data; name=a\n\r\n",
        "Content-Type: text/plain\r\n",
        ("Content-Disposition: form-data; name=a\r\nContent-Type: a b\"\r\n"
         "Content-Type: c\r\n"),
        "Content-Disposition: form-data; name=a\r\nContent-Type: a\"b\r\n",
        "Content-Disposition: form-data; name=a\r\nno colon\r\n",
        "Content-Disposition: form-data; name=a\r\n: no name\r\n",
        ("Content-Disposition: form-data; name=a\r\n"
         "Content-Transfer-Encoding: base64\r\n"),
        "",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(heads); i++) {
        char s[512];

        (void)snprintf(s, sizeof(s), "--XyZ\r\n%s\r\n1" LAST, heads[i]);
        refused(s, ERR_BADREQ, "invalid_multipart");
    }
    check("--XyZ\r\ncontent-disposition:form-data;name=a\r\n"
          "Content-Transfer-Encoding: 8BIT\r\nX-Other: \"(\r\n\r\n1" LAST,
          "[a|-|]1;");
}

/* --- boundaries ----------------------------------------------------------- */

static enum err
boundary(const char *type)
{
    char out[MULTIPART_BOUNDARY_MAX + 1];
    struct problem why;

    return multipart_boundary(type, out, &why);
}

static void
boundaries_are_read(void **state)
{
    char out[MULTIPART_BOUNDARY_MAX + 1];
    struct problem why;

    (void)state;
    assert_int_equal(multipart_boundary("Multipart/Form-Data; charset=utf-8; "
                                        "Boundary=\"a b'()+_,-./:=?\"",
                                        out, &why),
                     OK);
    assert_string_equal(out, "a b'()+_,-./:=?");
    assert_int_equal(boundary("multipart/form-data;boundary=a"), OK);
    assert_int_equal(boundary("multipart/form-data"), ERR_BADREQ);
    assert_int_equal(boundary("multipart/form-data; boundary="), ERR_BADREQ);
    assert_int_equal(boundary("multipart/form-data; boundary=\"a \""),
                     ERR_BADREQ);
    assert_int_equal(boundary("multipart/form-data; boundary=a*"), ERR_BADREQ);
    assert_int_equal(boundary("multipart/form-data; boundary=a; boundary=a"),
                     ERR_BADREQ);
    assert_int_equal(boundary("multipart/form-data; boundary=\"a"), ERR_BADREQ);
    assert_int_equal(boundary("multipart/mixed; boundary=a"), ERR_TYPE);
    assert_int_equal(boundary(""), ERR_TYPE);
}

static void
a_boundary_may_be_so_long(void **state)
{
    (void)state;
    for (int n = MULTIPART_BOUNDARY_MAX; n <= MULTIPART_BOUNDARY_MAX + 1; n++) {
        char type[256];
        char body[512];
        char name[128];
        struct problem why;
        struct seen seen;
        enum err e;

        memset(name, 'b', sizeof(name));
        (void)snprintf(type, sizeof(type), "multipart/form-data; boundary=%.*s",
                       n, name);
        (void)snprintf(body, sizeof(body),
                       "--%.*s\r\nContent-Disposition: form-data; "
                       "name=a\r\n\r\n1\r\n--%.*s--",
                       n, name, n, name);
        e = parse_by(type, body, strlen(body), 3, &seen, &why);
        if (n > MULTIPART_BOUNDARY_MAX) {
            assert_int_equal(e, ERR_BADREQ);
            assert_string_equal(why.code, "invalid_multipart");
        } else {
            assert_int_equal(e, OK);
            assert_string_equal(buf_cstr(&seen.out), "[a|-|]1;");
        }
        buf_release(&seen.out);
    }
}

static void
what_a_call_says_ends_it(void **state)
{
    static const char s[] = FIELD("a") "1\r\n" FIELD("b") "2" LAST;

    (void)state;
    for (unsigned at = 1; at <= 6; at++) {
        struct problem why = {.err = OK};
        struct seen seen = {.fail_at = at};
        struct multipart *m;

        buf_init(&seen.out, OUT_MAX);
        assert_int_equal(multipart_new(TYPE, &calls, &seen, &m, &why), OK);
        assert_int_equal(multipart_feed(m, s, sizeof(s) - 1, &why), ERR_FULL);
        assert_int_equal(multipart_feed(m, s, sizeof(s) - 1, &why), ERR_FULL);
        assert_int_equal(multipart_end(m, &why), ERR_FULL);
        assert_int_equal(seen.calls, at);
        assert_int_equal(why.err, OK);
        multipart_free(m);
        buf_release(&seen.out);
    }
    multipart_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_curl_sends_is_read),
        cmocka_unit_test(what_stands_around_the_parts_is_no_matter),
        cmocka_unit_test(a_part_may_be_empty),
        cmocka_unit_test(what_is_nearly_a_boundary_belongs_to_the_part),
        cmocka_unit_test(zero_bytes_are_bytes),
        cmocka_unit_test(what_is_no_form_is_refused),
        cmocka_unit_test(so_many_parts_may_be),
        cmocka_unit_test(a_head_may_be_so_long),
        cmocka_unit_test(names_may_be_so_long),
        cmocka_unit_test(names_are_decoded),
        cmocka_unit_test(of_a_path_its_last_part_is_the_name),
        cmocka_unit_test(extended_names_go_before_plain_ones),
        cmocka_unit_test(heads_that_can_be_read_in_two_ways_are_refused),
        cmocka_unit_test(boundaries_are_read),
        cmocka_unit_test(a_boundary_may_be_so_long),
        cmocka_unit_test(what_a_call_says_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

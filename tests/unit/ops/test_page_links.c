/* Tests of ops/page_links.c. */
#include "ops_test.h"

#include "base/buf.h"
#include "base/mem.h"
#include "ops/page_links.h"

static bool
note(void *arg, const char *link)
{
    buf_adds(arg, link);
    buf_addc(arg, ' ');
    return true;
}

static void
links(const char *html, const char *want)
{
    size_t n = strlen(html);
    char *exact = xmemdup0(html, n); /* no byte behind it is looked at */
    struct buf out;

    buf_init(&out, 65536);
    page_links(exact, n, note, &out);
    assert_string_equal(buf_cstr(&out), want);
    buf_release(&out);
    free(exact);
}

static void
addresses_of_the_page_are_told_in_order(void **state)
{
    (void)state;
    links("<link rel=\"icon\" href=\"static/icon.svg\">\n"
          "<script src=\"static/js/main.js?v=1\"></script>"
          "<img\nsrc=\"../up.png\"><a href=\"/root\">",
          "static/icon.svg static/js/main.js?v=1 ../up.png /root ");
}

static void
other_places_are_not(void **state)
{
    (void)state;
    links("<a href=\"https://example.org/\"> <a href=\"//example.org/\"> "
          "<a href=\"#input\"> <a href=\"mailto:a\"> <img src=\"data:,x\"> "
          "<a href=\"\">",
          "");
}

static void
what_is_no_plain_address_is_passed_over(void **state)
{
    char longest[PAGE_LINK_MAX + 64];

    (void)state;
    links("<a href=\"two words\"> <a href=\"<b>\"> <a data-href=\"x\"> "
          "<a href='single'> <a href=bare> <a href=\"open",
          "");
    links("", "");
    links(" ", "");
    links(" src=\"", "");
    (void)snprintf(longest, sizeof(longest), " src=\"%0*d\" src=\"short\"",
                   PAGE_LINK_MAX + 1, 0);
    links(longest, "short ");
}

static bool
stop(void *arg, const char *link)
{
    (void)link;
    ++*(int *)arg;
    return false;
}

static void
who_has_enough_is_told_no_more(void **state)
{
    static const char html[] = "<a href=\"a\"> <a href=\"b\">";
    int n = 0;

    (void)state;
    page_links(html, sizeof(html) - 1, stop, &n);
    assert_int_equal(n, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_of_the_page_are_told_in_order),
        cmocka_unit_test(other_places_are_not),
        cmocka_unit_test(what_is_no_plain_address_is_passed_over),
        cmocka_unit_test(who_has_enough_is_told_no_more),
    };

    return cmocka_run_group_tests_name("page_links", tests, NULL, NULL);
}

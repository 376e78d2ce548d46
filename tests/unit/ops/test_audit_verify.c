/* Tests of ops/audit_verify.c: each way to change a log behind its writers'
 * back, and what is said of it. */
#include "audit_test.h"

#define LINES 9
#define FILE_MAX ((size_t)16 << 20)

static struct audit_config plain, keyed;

static int
setup(void **state)
{
    plain = audit_config(NULL, FILE_MAX);
    keyed = audit_config(SECRET, FILE_MAX);
    return audit_setup(state);
}

/* --- a log as lines that can be changed ------------------------------- */

struct lines {
    char *text; /* owned */
    char *at[64];
    size_t n;
};

static void
lines_load(struct lines *l, const char *name)
{
    char *s;

    (void)memset(l, 0, sizeof(*l));
    s = l->text = audit_slurp(name, NULL);
    assert_non_null(s);
    while (*s != '\0') {
        char *end = strchr(s, '\n');

        assert_non_null(end);
        *end = '\0';
        assert_true(l->n < COUNT_OF(l->at));
        l->at[l->n++] = s;
        s = end + 1;
    }
}

static void
lines_save(struct lines *l, const char *name)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    for (size_t i = 0; i < l->n; i++)
        buf_addf(&b, "%s\n", l->at[i]);
    audit_spill(name, b.data, b.len);
    buf_release(&b);
    free(l->text);
}

static void
lines_remove(struct lines *l, size_t i, size_t n)
{
    (void)memmove(&l->at[i], &l->at[i + n], (l->n - i - n) * sizeof(l->at[0]));
    l->n -= n;
}

/* Lines from i on get the hashes, and macs of this secret, that they need to
 * look right, and audit.head likewise. */
static void
forge(struct lines *l, size_t from, const char *secret)
{
    struct audit_link link;
    struct audit_seal seal;
    struct audit_parts p;
    char head[AUDIT_HEAD_LEN + 1];
    struct buf b;

    audit_seal_init(&seal, secret);
    audit_link_init(&link);
    if (from > 0) {
        assert_int_equal(
            audit_line_read(l->at[from - 1], strlen(l->at[from - 1]), &p), OK);
        link.n = p.n;
        (void)memcpy(link.hash, p.hash, sizeof(p.hash));
    }
    buf_init(&b, 1 << 20);
    for (size_t i = 0; i < from; i++)
        buf_addf(&b, "%s\n", l->at[i]);
    for (size_t i = from; i < l->n; i++) {
        const char *body = strchr(l->at[i], ',') + 1;
        const char *end = strstr(body, ",\"prev\"");

        audit_line(&b, &link, &seal, body, (size_t)(end - body));
    }
    audit_spill(AUDIT_LOG, b.data, b.len);
    audit_head_write(head, &link, &seal);
    audit_spill(AUDIT_HEAD, head, AUDIT_HEAD_LEN);
    buf_release(&b);
    free(l->text);
}

static void
swap(struct lines *l, size_t i, size_t k)
{
    char *s = l->at[i];

    l->at[i] = l->at[k];
    l->at[k] = s;
}

/* --- tests ------------------------------------------------------------ */

static void
a_log_that_nobody_touched_is_sound(void **state)
{
    struct audit_found found;

    (void)state;
    audit_make(&keyed, LINES);
    ASSERT_SOUND(&keyed, LINES);
    audit_check(&keyed, &found);
    assert_int_equal(found.verdict.with_mac, LINES);
    assert_int_equal(found.verdict.first_n, 1);
    assert_int_equal(strlen(found.verdict.last_hash), AUDIT_HEX);
}

static void
there_is_nothing_to_check_without_a_log(void **state)
{
    struct audit_found found;

    (void)state;
    assert_int_equal(
        audit_verify(&plain, 0, audit_note_finding, &found, &found.verdict),
        ERR_NOTFOUND);
}

static void
a_changed_line_is_found_wherever_it_is(void **state)
{
    (void)state;
    for (int i = 0; i < LINES; i++) {
        struct lines l;
        char says[80];

        folder_remove(audit_dir);
        (void)mkdir(audit_dir, 0700);
        audit_make(&plain, LINES);
        lines_load(&l, AUDIT_LOG);
        *strstr(l.at[i], "ann") = 'b';
        lines_save(&l, AUDIT_LOG);
        (void)snprintf(says, sizeof(says), "audit.log:%d: line %d was changed",
                       i + 1, i + 1);
        ASSERT_FINDS(&plain, says);
    }
}

/* Its own hash is right, but the next line knows another. */
static void
a_changed_line_with_a_right_hash_is_found(void **state)
{
    struct audit_found found;
    struct audit_link link;
    struct audit_seal none;
    struct audit_parts p;
    struct lines l;
    struct buf b;

    (void)state;
    audit_make(&plain, LINES);
    lines_load(&l, AUDIT_LOG);
    assert_int_equal(audit_line_read(l.at[3], strlen(l.at[3]), &p), OK);
    link.n = 3;
    (void)memcpy(link.hash, p.prev, sizeof(p.prev));
    audit_seal_init(&none, NULL);
    buf_init(&b, AUDIT_LINE_MAX);
    audit_line(&b, &link, &none, "\"at\":\"now\"", 10);
    b.len--;
    l.at[3] = (char *)(uintptr_t)buf_cstr(&b);
    lines_save(&l, AUDIT_LOG);
    buf_release(&b);
    audit_check(&plain, &found);
    assert_string_equal(found.text,
                        "audit.log:5: line 5 does not follow from the line "
                        "before it: one of the two was replaced\n");
}

static void
removed_lines_are_found(void **state)
{
    struct lines l;

    (void)state;
    audit_make(&plain, LINES);
    lines_load(&l, AUDIT_LOG);
    lines_remove(&l, 4, 1);
    lines_save(&l, AUDIT_LOG);
    ASSERT_FINDS(&plain, "audit.log:5: line 5 is missing before this one");
    lines_load(&l, AUDIT_LOG);
    lines_remove(&l, 0, 2);
    lines_save(&l, AUDIT_LOG);
    ASSERT_FINDS(&plain, "audit.log:1: lines 1 to 2 are missing before");
}

static void
a_cut_end_is_found(void **state)
{
    struct lines l;

    (void)state;
    audit_make(&plain, LINES);
    lines_load(&l, AUDIT_LOG);
    lines_remove(&l, LINES - 3, 3);
    lines_save(&l, AUDIT_LOG);
    ASSERT_FINDS(&plain, "lines 7 to 9 are missing: the end was cut off");
}

static void
lines_in_another_order_are_found(void **state)
{
    struct audit_found found;
    struct lines l;

    (void)state;
    audit_make(&plain, LINES);
    lines_load(&l, AUDIT_LOG);
    swap(&l, 4, 5);
    lines_save(&l, AUDIT_LOG);
    audit_check(&plain, &found);
    assert_string_equal(
        found.text,
        "audit.log:5: line 5 is missing before this one\n"
        "audit.log:6: line 5 stands after line 6: it was moved, repeated or "
        "put in\n");
}

static void
a_line_that_was_put_in_is_found(void **state)
{
    struct lines l;

    (void)state;
    audit_make(&plain, LINES);
    lines_load(&l, AUDIT_LOG);
    (void)memmove(&l.at[5], &l.at[4], (l.n - 4) * sizeof(l.at[0]));
    l.n++; /* line 5 twice */
    lines_save(&l, AUDIT_LOG);
    ASSERT_FINDS(&plain, "audit.log:6: line 5 stands after line 5");

    lines_load(&l, AUDIT_LOG);
    l.at[5] = (char *)(uintptr_t) "{\"n\":6,\"event\":\"login\"}";
    lines_save(&l, AUDIT_LOG);
    ASSERT_FINDS(&plain, "audit.log:6: this is no line of an audit log");
}

static void
a_log_with_another_head_is_found(void **state)
{
    struct lines l;

    (void)state;
    audit_make(&plain, LINES);
    lines_load(&l, AUDIT_LOG);
    *strstr(l.at[LINES - 1], "ann") = 'b';
    forge(&l, LINES - 1, NULL); /* all of it, but then the head comes back */
    lines_load(&l, AUDIT_LOG);
    *strstr(l.at[LINES - 1], "bnn") = 'a';
    {
        char *head = audit_slurp(AUDIT_HEAD, NULL);

        forge(&l, LINES - 1, NULL);
        audit_spill(AUDIT_HEAD, head, AUDIT_HEAD_LEN);
        free(head);
    }
    ASSERT_FINDS(&plain, "line 9 is not the one that audit.head knows");
    audit_spill(AUDIT_HEAD, "rubbish", 7);
    ASSERT_FINDS(&plain, "audit.head:0: it is damaged");
}

/* What the chain alone cannot show, and what the key is for. */
static void
who_writes_all_anew_is_found_only_with_a_key(void **state)
{
    struct lines l;

    (void)state;
    audit_make(&plain, LINES);
    lines_load(&l, AUDIT_LOG);
    *strstr(l.at[4], "ann") = 'b';
    forge(&l, 4, NULL);
    ASSERT_SOUND(&plain, LINES);

    folder_remove(audit_dir);
    (void)mkdir(audit_dir, 0700);
    audit_make(&keyed, LINES);
    lines_load(&l, AUDIT_LOG);
    *strstr(l.at[4], "ann") = 'b';
    forge(&l, 4, "a guess");
    ASSERT_FINDS(&keyed, "line 5 has a mac of another key, or a forged one");
    ASSERT_FINDS(&keyed, "audit.head:0: it was not written with this key");
}

static void
who_leaves_the_macs_out_is_found(void **state)
{
    struct audit_found found;
    struct lines l;

    (void)state;
    audit_make(&keyed, LINES);
    lines_load(&l, AUDIT_LOG);
    *strstr(l.at[0], "ann") = 'b';
    forge(&l, 0, NULL);
    ASSERT_FINDS(&keyed, "the last line has no mac of this key");
    /* If the server writes on before anybody looks, it says so. */
    audit_make(&keyed, 1);
    audit_check(&keyed, &found);
    assert_non_null(strstr(found.text, "if no key was set or changed then, "
                                       "they had been replaced"));
    lines_load(&l, AUDIT_LOG);
    assert_non_null(strstr(l.at[LINES], "\"event\":\"audit_new_key\""));
    free(l.text);
}

/* A key may be set, or changed, at any time; what was before is vouched for. */
static void
a_new_key_vouches_for_what_was_before(void **state)
{
    const struct audit_config other = audit_config("another", FILE_MAX);
    struct audit_found found;
    struct lines l;

    (void)state;
    audit_make(&plain, 3);
    audit_make(&keyed, 3);
    audit_check(&keyed, &found);
    assert_int_equal(found.verdict.faults, 0);
    assert_non_null(strstr(found.text, "note audit.log:0: the first 3 lines "
                                       "have no mac of this key."));
    audit_make(&other, 3);
    audit_check(&other, &found);
    assert_int_equal(found.verdict.faults, 0);
    assert_int_equal(found.verdict.with_mac, 4);
    ASSERT_FINDS(&keyed, "line 8 has a mac of another key");

    lines_load(&l, AUDIT_LOG);
    *strstr(l.at[1], "ann") = 'b';
    lines_save(&l, AUDIT_LOG);
    ASSERT_FINDS(&other, "line 2 was changed");

    audit_check(&plain, &found);
    assert_non_null(strstr(found.text, "the macs were not checked"));
}

static void
files_that_are_missing_are_found(void **state)
{
    const struct audit_config small = audit_config(NULL, 1000);
    struct audit_found found;
    struct lines l;

    (void)state;
    audit_make(&small, 30);
    ASSERT_SOUND(&small, 30);
    lines_load(&l, "audit-0003.log");
    lines_remove(&l, 1, 1);
    lines_save(&l, "audit-0003.log");
    ASSERT_FINDS(&small, "audit-0003.log:2: line");
    assert_int_equal(unlink(audit_path("audit-0003.log")), 0);
    ASSERT_FINDS(&small, "audit-0004.log:1: lines");
    assert_int_equal(unlink(audit_path("audit-0002.log")), 0);
    assert_int_equal(unlink(audit_path("audit-0001.log")), 0);
    ASSERT_FINDS(&small, "audit-0004.log:1: lines 1 to ");

    /* They were put elsewhere: so it is said where to begin. */
    audit_check(&small, &found);
    {
        int64_t first = found.verdict.first_n;

        (void)memset(&found, 0, sizeof(found));
        assert_int_equal(audit_verify(&small, first, audit_note_finding, &found,
                                      &found.verdict),
                         OK);
    }
    assert_string_equal(found.text, "");
}

static void
rubbish_is_no_log(void **state)
{
    size_t n = 5 * (size_t)AUDIT_LINE_MAX;
    char *s = malloc(n);

    (void)state;
    assert_non_null(s);
    (void)memset(s, 'x', n);
    audit_spill(AUDIT_LOG, s, n);
    ASSERT_FINDS(&plain, "audit.log:1: this is no line of an audit log");
    free(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, audit_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_log_that_nobody_touched_is_sound),
        TEST(there_is_nothing_to_check_without_a_log),
        TEST(a_changed_line_is_found_wherever_it_is),
        TEST(a_changed_line_with_a_right_hash_is_found),
        TEST(removed_lines_are_found),
        TEST(a_cut_end_is_found),
        TEST(lines_in_another_order_are_found),
        TEST(a_line_that_was_put_in_is_found),
        TEST(a_log_with_another_head_is_found),
        TEST(who_writes_all_anew_is_found_only_with_a_key),
        TEST(who_leaves_the_macs_out_is_found),
        TEST(a_new_key_vouches_for_what_was_before),
        TEST(files_that_are_missing_are_found),
        TEST(rubbish_is_no_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Keys: bytes that sort as wanted, and that docs/WIRE.md pins. */
#include "store_test.h"

#include "store/key.h"

/* Compare as LMDB does. */
static int
compare(const uint8_t *a, size_t n, const uint8_t *b, size_t m)
{
    int d = memcmp(a, b, n < m ? n : m);

    return d != 0 ? d : (n > m) - (n < m);
}

static void
numbers_sort_by_size(void **state)
{
    static const uint64_t nos[] = {
        0, 1, 255, 256, 65535, 65536, 1ULL << 32, 1ULL << 63, UINT64_MAX};
    uint8_t a[KEY_NO_LEN], b[KEY_NO_LEN];
    uint64_t back;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(nos); i++) {
        key_no(a, nos[i]);
        assert_int_equal(key_no_read(a, sizeof(a), &back), OK);
        assert_true(back == nos[i]);
        if (i > 0)
            assert_true(compare(b, 8, a, 8) < 0);
        memcpy(b, a, sizeof(b));
    }
    assert_int_equal(key_no_read(a, 7, &back), ERR_STORE);
}

static void
messages_sort_by_session_then_seq(void **state)
{
    uint8_t a[KEY_MESSAGE_LEN], b[KEY_MESSAGE_LEN];
    static const uint8_t want[] = {0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 3, 4};
    uint64_t no;
    uint32_t seq;

    (void)state;
    key_message(a, 0x102, 0x304);
    assert_memory_equal(a, want, sizeof(want));
    assert_int_equal(key_message_read(a, sizeof(a), &no, &seq), OK);
    assert_int_equal(no, 0x102);
    assert_int_equal(seq, 0x304);
    assert_int_equal(key_message_read(a, 11, &no, &seq), ERR_STORE);
    key_message(b, 0x102, 0x305);
    assert_true(compare(a, 12, b, 12) < 0);
    key_message(a, 0x102, UINT32_MAX);
    key_message(b, 0x103, 0);
    assert_true(compare(a, 12, b, 12) < 0);
}

static void
events_sort_by_turn_then_seq(void **state)
{
    struct ident first = ident_v7(), second = ident_v7(), back;
    uint8_t a[KEY_EVENT_LEN], b[KEY_EVENT_LEN];
    uint32_t seq;

    (void)state;
    key_event(a, &first, UINT32_MAX);
    key_event(b, &second, 0);
    assert_true(compare(a, 20, b, 20) < 0);
    assert_int_equal(key_event_read(a, sizeof(a), &back, &seq), OK);
    assert_true(ident_eq(&back, &first));
    assert_true(seq == UINT32_MAX);
    assert_int_equal(key_event_read(a, 19, &back, &seq), ERR_STORE);
}

static void
recent_sorts_by_owner_then_newest(void **state)
{
    uint8_t a[KEY_RECENT_MAX], b[KEY_RECENT_MAX], p[KEY_RECENT_MAX];
    char longest[STORE_OWNER_MAX + 1];
    size_t n, m, k;
    uint64_t no;

    (void)state;
    n = key_recent(a, "ann", 2000, 5);
    m = key_recent(b, "ann", 1000, 4);
    assert_true(compare(a, n, b, m) < 0);
    m = key_recent(b, "ann", 2000, 6);
    assert_true(compare(a, n, b, m) < 0);
    assert_int_equal(key_recent_read(a, n, &no), OK);
    assert_int_equal(no, 5);
    assert_int_equal(key_recent_read(a, n - 1, &no), ERR_STORE);
    assert_int_equal(key_recent_read(a, 0, &no), ERR_STORE);
    /* No owner's keys begin as another's. */
    k = key_recent_owner(p, "ann");
    assert_memory_equal(a, p, k);
    m = key_recent(b, "anna", 2000, 5);
    assert_true(m > k && memcmp(b, p, k) != 0);
    memset(longest, 'o', STORE_OWNER_MAX);
    longest[STORE_OWNER_MAX] = '\0';
    assert_int_equal(key_recent(a, longest, 0, 0), KEY_RECENT_MAX);
}

static void
idempotency_keys_do_not_run_together(void **state)
{
    uint8_t a[KEY_IDEM_LEN], b[KEY_IDEM_LEN];

    (void)state;
    key_idem(a, "ann", "s", "k");
    key_idem(b, "ann", "s", "k");
    assert_memory_equal(a, b, sizeof(a));
    key_idem(b, "ann", "sk", "");
    assert_memory_not_equal(a, b, sizeof(a));
    key_idem(b, "anns", "", "k");
    assert_memory_not_equal(a, b, sizeof(a));
    key_idem(b, "", "anns", "k");
    assert_memory_not_equal(a, b, sizeof(a));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_sort_by_size),
        cmocka_unit_test(messages_sort_by_session_then_seq),
        cmocka_unit_test(events_sort_by_turn_then_seq),
        cmocka_unit_test(recent_sorts_by_owner_then_newest),
        cmocka_unit_test(idempotency_keys_do_not_run_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

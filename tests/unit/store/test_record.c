/*
 * Records: what is written comes back, the bytes are the ones docs/WIRE.md
 * pins, and bad bytes are refused: every record cut short, with a byte too
 * many, and of an unknown version.
 */
#include "store_test.h"

#include "store/record.h"

#define BIG_MAX 4096

/* Does a reader take these bytes? Copied to a block of just that size, so
 * that a sanitizer sees a read past the end. */
typedef enum err reader_fn(const void *p, size_t n);

static enum err
read_session(const void *p, size_t n)
{
    struct session s;

    return record_session_read(p, n, &s);
}

static enum err
read_message(const void *p, size_t n)
{
    struct message m;

    return record_message_read(p, n, 9, &m);
}

static enum err
read_context(const void *p, size_t n)
{
    const char *text;
    size_t len;

    return record_context_read(p, n, &text, &len);
}

static enum err
read_turn(const void *p, size_t n)
{
    struct turn_info t;
    uint64_t no;

    return record_turn_read(p, n, &t, &no);
}

static enum err
read_idem(const void *p, size_t n)
{
    struct ident id;
    int64_t ms;

    return record_idem_read(p, n, &id, &ms);
}

static enum err
read_head(const void *p, size_t n)
{
    struct stream_head h;

    return record_head_read(p, n, &h);
}

static enum err
read_summary(const void *p, size_t n)
{
    struct session_summary sum;
    const char *text;
    size_t len;

    return record_summary_read(p, n, &sum, &text, &len);
}

static enum err
tight(reader_fn *fn, const void *p, size_t n)
{
    void *copy = malloc(n > 0 ? n : 1);
    enum err e;

    assert_non_null(copy);
    memcpy(copy, p, n);
    e = fn(copy, n);
    free(copy);
    return e;
}

/* Cut at every length below `whole`, with a byte more, and as every other
 * version. */
static void
refuses_other_lengths(reader_fn *fn, const uint8_t *p, size_t whole)
{
    uint8_t more[BIG_MAX];

    assert_true(whole < sizeof(more));
    assert_int_equal(tight(fn, p, whole), OK);
    for (size_t n = 0; n < whole; n++)
        assert_int_equal(tight(fn, p, n), ERR_STORE);
    memcpy(more, p, whole);
    more[whole] = 0;
    assert_int_equal(tight(fn, more, whole + 1), ERR_STORE);
    for (unsigned v = 0; v < 256; v++) {
        more[0] = (uint8_t)v;
        if (v != p[0])
            assert_int_equal(tight(fn, more, whole), ERR_STORE);
    }
}

static struct session
a_session(void)
{
    struct session s = {.id = "abc",
                        .owner = "ann",
                        .title = "T",
                        .created_ms = 300,
                        .updated_ms = 70000,
                        .n_messages = 5,
                        .head = 4,
                        .length = 5};

    return s;
}

/* Everything but the open turn, which has tests of its own. */
static void
assert_session(const struct session *a, const struct session *b)
{
    assert_string_equal(a->id, b->id);
    assert_string_equal(a->owner, b->owner);
    assert_string_equal(a->title, b->title);
    assert_string_equal(a->model, b->model);
    assert_string_equal(a->tags, b->tags);
    assert_int_equal(a->created_ms, b->created_ms);
    assert_int_equal(a->updated_ms, b->updated_ms);
    assert_int_equal(a->expires_ms, b->expires_ms);
    assert_int_equal(a->n_messages, b->n_messages);
    assert_int_equal(a->head, b->head);
    assert_int_equal(a->length, b->length);
    assert_int_equal(a->titled, b->titled);
    assert_int_equal(a->branched, b->branched);
    assert_int_equal(a->pinned, b->pinned);
    assert_int_equal(a->archived, b->archived);
    assert_int_equal(a->has_context, b->has_context);
}

#define NO_TURN 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0

static void
sessions(void **state)
{
    static const uint8_t want[] = {2,       0, /* version, no flags */
                                   5,       0xac, 2,   0xf0, 0xa2, 0x04, /* 5,
                                      300, 70000 */
                                   0, /* no time of its own */
                                   NO_TURN, 3,    'a', 'b',  'c',  3,    'a',
                                   'n',     'n',  1,   'T',  0,    0};
    uint8_t r[RECORD_SESSION_MAX];
    struct session s = a_session(), back;
    size_t n = record_session_write(r, &s);

    (void)state;
    assert_int_equal(n, sizeof(want));
    assert_memory_equal(r, want, n);
    assert_int_equal(record_session_read(r, n, &back), OK);
    assert_session(&back, &s);
    assert_false(back.open);
    refuses_other_lengths(read_session, r, n);
    s.open = true;
    s.open_turn = ident_v7();
    s.pinned = s.archived = s.titled = s.has_context = true;
    assert_int_equal(record_session_write(r, &s), n);
    assert_int_equal(r[1], 1 | 2 | 8 | 16 | 32);
    assert_int_equal(record_session_read(r, n, &back), OK);
    assert_true(back.open);
    assert_true(ident_eq(&back.open_turn, &s.open_turn));
    assert_session(&back, &s);
    r[1] = 128 | 1; /* a flag that there is not */
    assert_int_equal(tight(read_session, r, n), ERR_STORE);
    r[1] = 0; /* not open, and a turn */
    assert_int_equal(tight(read_session, r, n), ERR_STORE);
    r[1] = 1 | 4; /* branches, and all messages are one line */
    assert_int_equal(tight(read_session, r, n), ERR_STORE);
}

/* Beginning a turn and ending it leave the length as it is. */
static void
a_turn_keeps_the_length_of_its_session(void **state)
{
    uint8_t r[RECORD_SESSION_MAX];
    struct session s = a_session();
    size_t n;

    (void)state;
    s.open = true;
    s.open_turn = ident_v7();
    n = record_session_write(r, &s);
    s.n_messages = s.length = 6;
    s.head = 5;
    s.open = false;
    assert_int_equal(record_session_write(r, &s), n);
    s.branched = true;
    s.length = 3;
    n = record_session_write(r, &s);
    s.n_messages = 7;
    s.head = 6;
    s.length = 4;
    assert_int_equal(record_session_write(r, &s), n);
}

static void
a_line_that_is_not_all(void **state)
{
    static const struct {
        uint8_t n, head, length;
        bool branched;
        enum err want;
    } lines[] = {
        {5, 2, 3, false, OK},        /* the head was moved back */
        {5, 4, 2, true, OK},         /* the newest follows the first */
        {5, 4, 1, true, OK},         /* or is a first message itself */
        {5, 3, 4, true, OK},         /* what branches off is not on it */
        {5, 0, 1, true, OK},         /* the first message alone */
        {5, 4, 5, false, ERR_STORE}, /* two forms of one session */
        {5, 4, 5, true, ERR_STORE},  /* branches off nothing */
        {5, 2, 2, false, ERR_STORE}, /* a gap without a branch */
        {5, 2, 4, true, ERR_STORE},  /* longer than its seq */
        {5, 5, 3, true, ERR_STORE},  /* no such message */
        {5, 3, 0, true, ERR_STORE},  /* the head is on its line */
        {0, 0, 0, true, ERR_STORE},  /* nothing */
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct session s = a_session(), back;
        uint8_t r[RECORD_SESSION_MAX] = {2}, plain[RECORD_SESSION_MAX];
        size_t n = record_session_write(plain, &s);

        r[1] = (uint8_t)(64 | (lines[i].branched ? 4 : 0));
        r[2] = lines[i].n;
        r[3] = lines[i].head;
        r[4] = lines[i].length;
        memcpy(r + 5, plain + 3, n - 3);
        assert_int_equal(tight(read_session, r, n + 2), lines[i].want);
        if (lines[i].want != OK)
            continue;
        assert_int_equal(record_session_read(r, n + 2, &back), OK);
        assert_int_equal(back.head, lines[i].head);
        assert_int_equal(back.length, lines[i].length);
        assert_int_equal(back.branched, lines[i].branched);
        assert_int_equal(record_session_write(plain, &back), n + 2);
        assert_memory_equal(plain, r, n + 2);
    }
}

/* As version 1 had it: the title is all there is, and a line. */
static void
a_session_of_the_first_version_is_read(void **state)
{
    uint8_t r[] = {1,   0,   5,   0xac, 2,   0xf0, 0xa2, 0x04, NO_TURN, 3,
                   'a', 'b', 'c', 3,    'a', 'n',  'n',  1,    'T'};
    struct session want = a_session(), back;

    (void)state;
    memset(&back, 0xff, sizeof(back));
    assert_int_equal(record_session_read(r, sizeof(r), &back), OK);
    assert_session(&back, &want);
    assert_false(back.open);
    refuses_other_lengths(read_session, r, sizeof(r));
    for (uint8_t flag = 2; flag != 0; flag = (uint8_t)(flag << 1)) {
        r[1] = flag; /* later flags */
        assert_int_equal(tight(read_session, r, sizeof(r)), ERR_STORE);
    }
    r[1] = 0;
    r[2] = 0; /* without a message */
    assert_int_equal(record_session_read(r, sizeof(r), &back), OK);
    assert_int_equal(back.head, 0);
    assert_int_equal(back.length, 0);
}

static void
the_longest_session(void **state)
{
    uint8_t r[RECORD_SESSION_MAX];
    struct session s = a_session(), back;
    size_t n;

    (void)state;
    memset(s.id, 'i', IDENT_SESSION_MAX);
    memset(s.owner, 'o', STORE_OWNER_MAX);
    memset(s.title, 't', STORE_TITLE_MAX);
    memset(s.model, 'm', STORE_NAME_MAX);
    memset(s.tags, 'g', STORE_TAGS_MAX);
    s.created_ms = s.updated_ms = s.expires_ms = INT64_MAX;
    s.n_messages = UINT32_MAX;
    s.head = UINT32_MAX - 1;
    s.length = UINT32_MAX - 1;
    s.branched = true;
    n = record_session_write(r, &s);
    assert_int_equal(record_session_read(r, n, &back), OK);
    assert_session(&back, &s);
    refuses_other_lengths(read_session, r, n);
}

/* A message is cut short in its text without a trace, which is why LMDB's
 * length is the record's; everything before the text must be whole. */
static void
refuses_a_cut_message(const uint8_t *p, size_t whole, size_t text_len)
{
    uint8_t other[BIG_MAX];

    assert_true(whole <= sizeof(other));
    assert_int_equal(tight(read_message, p, whole), OK);
    for (size_t n = 0; n < whole - text_len; n++)
        assert_int_equal(tight(read_message, p, n), ERR_STORE);
    memcpy(other, p, whole);
    for (unsigned v = 0; v < 256; v++) {
        other[0] = (uint8_t)v;
        if (v < 1 || v > 3)
            assert_int_equal(tight(read_message, other, whole), ERR_STORE);
    }
}

static void
messages(void **state)
{
    struct message m = {.seq = 9,
                        .parent = 4,
                        .role = 2,
                        .finish = 3,
                        .at_ms = 1700000000000,
                        .id = ident_v7(),
                        .turn = ident_v7(),
                        .input_tokens = -1,
                        .output_tokens = 0,
                        .cached_tokens = 1000000,
                        .cost_micro = 123,
                        .provider = "openai",
                        .model = "",
                        .text = "he\0llo",
                        .text_len = 6,
                        .extra = "{\"notes\":[]}",
                        .extra_len = 12},
                   back;
    uint8_t r[256];
    size_t n = record_message_size(&m);

    (void)state;
    assert_true(n < sizeof(r));
    record_message_write(r, n, &m);
    assert_int_equal(record_message_read(r, n, 9, &back), OK);
    assert_int_equal(back.seq, 9);
    assert_int_equal(back.parent, 4);
    assert_int_equal(back.role, 2);
    assert_int_equal(back.finish, 3);
    assert_int_equal(back.at_ms, 1700000000000);
    assert_true(ident_eq(&back.id, &m.id));
    assert_true(ident_eq(&back.turn, &m.turn));
    assert_int_equal(back.input_tokens, -1);
    assert_int_equal(back.output_tokens, 0);
    assert_int_equal(back.cached_tokens, 1000000);
    assert_int_equal(back.cost_micro, 123);
    assert_string_equal(back.provider, "openai");
    assert_string_equal(back.model, "");
    assert_int_equal(back.text_len, 6);
    assert_memory_equal(back.text, "he\0llo", 6);
    assert_int_equal(back.extra_len, 12);
    assert_memory_equal(back.extra, "{\"notes\":[]}", 12);
    refuses_a_cut_message(r, n, m.text_len);
    m.input_tokens = INT64_MAX; /* from a provider: must stay readable */
    m.at_ms = -5;
    m.cost_micro = -1;
    m.text = "";
    m.text_len = 0;
    m.extra = NULL; /* as "" */
    m.extra_len = 0;
    n = record_message_size(&m);
    record_message_write(r, n, &m);
    assert_int_equal(record_message_read(r, n, 9, &back), OK);
    assert_int_equal(back.cost_micro, -1);
    assert_int_equal(back.text_len, 0);
    assert_int_equal(back.extra_len, 0);
    assert_non_null(back.extra);
    refuses_a_cut_message(r, n, 0);
}

#define IDENTS                                                                 \
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, \
        22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32

static const uint8_t message_v1[] = {
    1, 2,   1,   0xac, 2, IDENTS, /* version, role, finish, 300, id, turn */
    8, 1,   0,                    /* 7, 0, not known */
    2, 'a', 'i', 0,    1, 'm',    0, 't', 'e', 'x', 't'};
static const uint8_t message_v2[] = {
    2,   2,   1,   0xac, 2, IDENTS, 8, 1, 0,   6,   /* cost: 5 */
    2,   'a', 'i', 0,    1, 'm',    0, 2, '{', '}', /* extra */
    't', 'e', 'x', 't'};
static const uint8_t message_v3[] = {3, 2,   1,   3,   0xac, 2,   IDENTS,
                                     8, 1,   0,   6, /* after finish: 3 back */
                                     2, 'a', 'i', 0,   1,    'm', 0,
                                     2, '{', '}', 't', 'e',  'x', 't'};

static void
the_bytes_of_a_message(void **state)
{
    struct message m;
    uint8_t r[sizeof(message_v3)];

    (void)state;
    assert_int_equal(record_message_read(message_v3, sizeof(message_v3), 9, &m),
                     OK);
    assert_int_equal(m.seq, 9);
    assert_int_equal(m.parent, 5);
    assert_int_equal(m.cost_micro, 5);
    assert_int_equal(m.extra_len, 2);
    assert_memory_equal(m.extra, "{}", 2);
    assert_int_equal(m.text_len, 4);
    assert_int_equal(record_message_size(&m), sizeof(r));
    record_message_write(r, sizeof(r), &m);
    assert_memory_equal(r, message_v3, sizeof(r));
}

static void
a_parent_is_before_its_message(void **state)
{
    static const uint32_t seqs[] = {0, 1, 2, 128, 129, 16385, UINT32_MAX - 1};
    uint8_t r[sizeof(message_v3) + 4];
    struct message m, back;

    (void)state;
    assert_int_equal(record_message_read(message_v3, sizeof(message_v3), 9, &m),
                     OK);
    for (size_t i = 0; i < COUNT_OF(seqs); i++) {
        const uint32_t parents[] = {STORE_ROOT, 0, seqs[i] / 2, seqs[i] - 1};

        m.seq = seqs[i];
        for (size_t k = 0; k < COUNT_OF(parents); k++) {
            size_t n;

            m.parent = parents[k];
            if (m.parent != STORE_ROOT && m.parent >= m.seq)
                continue;
            n = record_message_size(&m);
            if (m.parent == m.seq - 1) /* STORE_ROOT before 0, too */
                assert_int_equal(n, sizeof(message_v3));
            record_message_write(r, n, &m);
            assert_int_equal(record_message_read(r, n, m.seq, &back), OK);
            assert_int_equal(back.parent, m.parent);
            assert_memory_equal(back.text, "text", 4);
        }
    }
    /* One further back than there are messages. */
    assert_int_equal(record_message_read(message_v3, sizeof(message_v3), 3, &m),
                     OK);
    assert_int_equal(m.parent, STORE_ROOT);
    assert_int_equal(record_message_read(message_v3, sizeof(message_v3), 2, &m),
                     ERR_STORE);
}

/* Version 2 had no parent: each message followed the one before. */
static void
a_message_of_the_second_version_is_read(void **state)
{
    struct message m;

    (void)state;
    assert_int_equal(record_message_read(message_v2, sizeof(message_v2), 0, &m),
                     OK);
    assert_int_equal(m.parent, STORE_ROOT);
    assert_int_equal(record_message_read(message_v2, sizeof(message_v2), 7, &m),
                     OK);
    assert_int_equal(m.seq, 7);
    assert_int_equal(m.parent, 6);
    assert_int_equal(m.at_ms, 300);
    assert_int_equal(m.turn.b[0], 17);
    assert_int_equal(m.cost_micro, 5);
    assert_memory_equal(m.extra, "{}", 2);
    assert_memory_equal(m.text, "text", 4);
    assert_int_equal(record_message_size(&m), sizeof(message_v2) + 1);
    refuses_a_cut_message(message_v2, sizeof(message_v2), 4);
}

static void
a_message_of_the_first_version_is_read(void **state)
{
    struct message m;
    uint8_t r[sizeof(message_v1) + 3];

    (void)state;
    assert_int_equal(record_message_read(message_v1, sizeof(message_v1), 0, &m),
                     OK);
    assert_int_equal(m.parent, STORE_ROOT);
    assert_int_equal(record_message_read(message_v1, sizeof(message_v1), 1, &m),
                     OK);
    assert_int_equal(m.parent, 0);
    assert_int_equal(m.role, 2);
    assert_int_equal(m.finish, 1);
    assert_int_equal(m.at_ms, 300);
    assert_int_equal(m.id.b[15], 16);
    assert_int_equal(m.turn.b[0], 17);
    assert_int_equal(m.input_tokens, 7);
    assert_int_equal(m.output_tokens, 0);
    assert_int_equal(m.cached_tokens, -1);
    assert_int_equal(m.cost_micro, -1);
    assert_string_equal(m.provider, "ai");
    assert_string_equal(m.model, "m");
    assert_int_equal(m.extra_len, 0);
    assert_int_equal(m.text_len, 4);
    assert_memory_equal(m.text, "text", 4);
    refuses_a_cut_message(message_v1, sizeof(message_v1), 4);
    /* Written again it is of the newest version. */
    assert_int_equal(record_message_size(&m), sizeof(r));
    record_message_write(r, sizeof(r), &m);
    assert_int_equal(r[0], 3);
}

static void
the_extra_of_a_message_is_bounded(void **state)
{
    static char extra[STORE_EXTRA_MAX];
    static uint8_t r[STORE_EXTRA_MAX + 256];
    struct message m = {.seq = 9,
                        .parent = 8,
                        .provider = "",
                        .model = "",
                        .text = "t",
                        .text_len = 1,
                        .extra = extra,
                        .extra_len = sizeof(extra)},
                   back;
    size_t n = record_message_size(&m), at;

    (void)state;
    memset(extra, 'e', sizeof(extra));
    assert_true(n < sizeof(r));
    record_message_write(r, n, &m);
    assert_int_equal(record_message_read(r, n, 9, &back), OK);
    assert_int_equal(back.extra_len, sizeof(extra));
    assert_int_equal(back.text_len, 1);
    /* One byte more, and the text for it. */
    at = n - 1 - sizeof(extra) - 3; /* the var 2^18: 80 80 10 */
    assert_memory_equal(r + at, "\x80\x80\x10", 3);
    r[at] = 0x81;
    assert_int_equal(record_message_read(r, n, 9, &back), ERR_STORE);
}

static void
turns(void **state)
{
    struct turn_info t = {.state = TURN_STATE_OPEN,
                          .user_message = ident_v7(),
                          .answer_message = ident_v7(),
                          .begun_ms = 1000,
                          .process = {INT32_MAX, UINT64_MAX}},
                     back;
    uint8_t r[RECORD_TURN_MAX];
    size_t n = record_turn_write(r, &t, UINT64_MAX);
    uint64_t no;

    (void)state;
    assert_int_equal(record_turn_read(r, n, &back, &no), OK);
    assert_true(no == UINT64_MAX);
    assert_int_equal(back.state, TURN_STATE_OPEN);
    assert_int_equal(back.process.pid, INT32_MAX);
    assert_true(back.process.start_ticks == UINT64_MAX);
    assert_true(ident_eq(&back.user_message, &t.user_message));
    assert_string_equal(back.session_id, "");
    refuses_other_lengths(read_turn, r, n);
    t.state = TURN_STATE_ENDED;
    t.ended_ms = 2000;
    t.answer_seq = 7;
    t.conversation_length = 8;
    t.end_seq = 300;
    n = record_turn_write(r, &t, 1);
    assert_int_equal(record_turn_read(r, n, &back, &no), OK);
    assert_int_equal(back.ended_ms, 2000);
    assert_int_equal(back.answer_seq, 7);
    assert_int_equal(back.conversation_length, 8);
    assert_int_equal(back.end_seq, 300);
    refuses_other_lengths(read_turn, r, n);
    r[1] = 3;
    assert_int_equal(tight(read_turn, r, n), ERR_STORE);
}

static void
keys_heads_and_events(void **state)
{
    struct ident turn = ident_v7(), id;
    struct stream_head h = {.process = {5, 6},
                            .ended = true,
                            .stop = true,
                            .begun_ms = 1,
                            .ended_ms = 2,
                            .answer_message = turn,
                            .session_id = "s",
                            .owner = "o",
                            .provider = "p",
                            .model = "m"},
                       back;
    uint8_t r[RECORD_HEAD_MAX];
    struct event e;
    int64_t ms;
    size_t n = record_idem_write(r, &turn, 99999);

    (void)state;
    assert_int_equal(record_idem_read(r, n, &id, &ms), OK);
    assert_true(ident_eq(&id, &turn));
    assert_int_equal(ms, 99999);
    refuses_other_lengths(read_idem, r, n);

    n = record_head_write(r, &h);
    assert_int_equal(record_head_read(r, n, &back), OK);
    assert_true(back.ended && back.stop);
    assert_int_equal(back.process.pid, 5);
    assert_int_equal(back.ended_ms, 2);
    assert_string_equal(back.model, "m");
    refuses_other_lengths(read_head, r, n);
    r[1] = 4; /* a flag that there is not */
    assert_int_equal(tight(read_head, r, n), ERR_STORE);

    record_event_write(r, EVENT_CHUNK);
    r[2] = 'x';
    assert_int_equal(r[0], 1);
    assert_int_equal(r[1], 4);
    assert_int_equal(record_event_read(r, 3, &e), OK);
    assert_int_equal(e.type, EVENT_CHUNK);
    assert_int_equal(e.len, 1);
    assert_int_equal(record_event_read(r, 2, &e), OK);
    assert_int_equal(record_event_read(r, 1, &e), ERR_STORE);
    r[1] = EVENT__MAX;
    assert_int_equal(record_event_read(r, 3, &e), ERR_STORE);
    r[1] = 0;
    assert_int_equal(record_event_read(r, 3, &e), ERR_STORE);
}

static void
summaries(void **state)
{
    static const uint8_t want[] = {1, 0xac, 2, 8, 'S', 'o', '.'};
    static uint8_t r[RECORD_SUMMARY_MAX + 1];
    static char longest[STORE_SUMMARY_MAX];
    struct session_summary sum = {.upto_seq = 300, .cost_micro = 7}, back;
    const char *text;
    size_t len, n = record_summary_write(r, &sum, "So.", 3);

    (void)state;
    assert_int_equal(n, sizeof(want));
    assert_memory_equal(r, want, n);
    assert_int_equal(record_summary_read(r, n, &back, &text, &len), OK);
    assert_int_equal(back.upto_seq, 300);
    assert_int_equal(back.cost_micro, 7);
    assert_int_equal(len, 3);
    assert_memory_equal(text, "So.", 3);
    for (size_t i = 0; i < 4; i++) /* the text has no length of its own */
        assert_int_equal(tight(read_summary, r, i), ERR_STORE);
    for (unsigned v = 2; v < 256; v++) {
        r[0] = (uint8_t)v;
        assert_int_equal(tight(read_summary, r, n), ERR_STORE);
    }
    sum = (struct session_summary){.upto_seq = UINT32_MAX, .cost_micro = -1};
    memset(longest, 'x', sizeof(longest));
    n = record_summary_write(r, &sum, longest, sizeof(longest));
    assert_int_equal(record_summary_read(r, n, &back, &text, &len), OK);
    assert_int_equal(back.upto_seq, UINT32_MAX);
    assert_int_equal(back.cost_micro, -1);
    assert_int_equal(len, STORE_SUMMARY_MAX);
    assert_int_equal(tight(read_summary, r, n + 1), ERR_STORE);
}

static enum err
read_value(const void *p, size_t n)
{
    int64_t expires_ms;
    const char *value;
    size_t len;

    return record_value_read(p, n, &expires_ms, &value, &len);
}

static void
values(void **state)
{
    static const uint8_t bytes[] = {1, 0xac, 2, 'v', 0, 0xff};
    static uint8_t longest[STORE_RECORD_MAX];
    static uint8_t r[RECORD_VALUE_MAX + 1];
    int64_t expires_ms = 7;
    const char *value;
    size_t len, n;

    (void)state;
    assert_int_equal(record_value_write(r, 300, "v\0\xff", 3), sizeof(bytes));
    assert_memory_equal(r, bytes, sizeof(bytes));
    assert_int_equal(
        record_value_read(bytes, sizeof(bytes), &expires_ms, &value, &len), OK);
    assert_true(expires_ms == 300);
    assert_int_equal(len, 3);
    assert_memory_equal(value, bytes + 3, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(tight(read_value, bytes, i), ERR_STORE);
    assert_int_equal(tight(read_value, bytes, 3), OK); /* nothing is a value */
    n = record_value_write(r, 0, NULL, 0);
    assert_int_equal(n, 2);
    assert_int_equal(record_value_read(r, n, &expires_ms, &value, &len), OK);
    assert_true(expires_ms == 0);
    assert_int_equal(len, 0);
    r[0] = 2;
    assert_int_equal(tight(read_value, r, n), ERR_STORE);
    n = record_value_write(r, INT64_MAX, longest, sizeof(longest));
    assert_int_equal(tight(read_value, r, n), OK);
    r[n] = 0;
    assert_int_equal(tight(read_value, r, n + 1), ERR_STORE);
}

static void
contexts(void **state)
{
    static uint8_t r[RECORD_CONTEXT_HEAD + STORE_CONTEXT_MAX + 1];
    static char longest[STORE_CONTEXT_MAX];
    const char *text;
    size_t len;

    (void)state;
    record_context_write(r, "You are a cat.", 14);
    assert_memory_equal(r, "\x01You are a cat.", 15);
    assert_int_equal(record_context_read(r, 15, &text, &len), OK);
    assert_int_equal(len, 14);
    assert_memory_equal(text, "You are a cat.", 14);
    assert_int_equal(tight(read_context, r, 0), ERR_STORE);
    assert_int_equal(tight(read_context, r, 1), ERR_STORE); /* no record */
    assert_int_equal(tight(read_context, r, 2), OK);
    r[0] = 2;
    assert_int_equal(tight(read_context, r, 15), ERR_STORE);
    memset(longest, 'x', sizeof(longest));
    record_context_write(r, longest, sizeof(longest));
    assert_int_equal(tight(read_context, r, sizeof(r) - 1), OK);
    assert_int_equal(tight(read_context, r, sizeof(r)), ERR_STORE);
}

static void
single_numbers(void **state)
{
    uint8_t r[RECORD_SCALAR_LEN];
    uint64_t v;

    (void)state;
    record_scalar_write(r, 0x0102030405060708);
    assert_memory_equal(r, "\x01\x01\x02\x03\x04\x05\x06\x07\x08", 9);
    assert_int_equal(record_scalar_read(r, 9, &v), OK);
    assert_true(v == 0x0102030405060708);
    assert_int_equal(record_scalar_read(r, 8, &v), ERR_STORE);
    r[0] = 2;
    assert_int_equal(record_scalar_read(r, 9, &v), ERR_STORE);
}

/* version, id, and a number in each of these forms */
static void
numbers_have_one_form(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        enum err want;
    } forms[] = {
        {"\x00", 1, OK},
        {"\x7f", 1, OK},
        {"\x80\x01", 2, OK},
        {"\x80\x00", 2, ERR_STORE},     /* longer than needed */
        {"\xff\x80\x00", 3, ERR_STORE}, /* likewise */
        {"\x80", 1, ERR_STORE},         /* goes on, and does not */
        {"\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 9, OK}, /* 2^63 - 1 */
        {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 10, ERR_STORE},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10, ERR_STORE},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, ERR_STORE},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        uint8_t r[40] = {1};

        memcpy(r + 17, forms[i].bytes, forms[i].n);
        assert_int_equal(tight(read_idem, r, 17 + forms[i].n), forms[i].want);
    }
}

static void
strings_are_bounded_and_whole(void **state)
{
    uint8_t r[RECORD_SESSION_MAX];
    struct session s = a_session();
    size_t n = record_session_write(r, &s);

    (void)state;
    assert_int_equal(r[n - 3], 'T'); /* before model and tags */
    r[n - 3] = '\0';                 /* a NUL in the title */
    assert_int_equal(tight(read_session, r, n), ERR_STORE);
    r[n - 3] = 'T';
    assert_int_equal(tight(read_session, r, n), OK);
    r[25] = IDENT_SESSION_MAX + 1; /* the length of the id */
    assert_int_equal(tight(read_session, r, n), ERR_STORE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions),
        cmocka_unit_test(a_turn_keeps_the_length_of_its_session),
        cmocka_unit_test(a_line_that_is_not_all),
        cmocka_unit_test(a_session_of_the_first_version_is_read),
        cmocka_unit_test(the_longest_session),
        cmocka_unit_test(messages),
        cmocka_unit_test(the_bytes_of_a_message),
        cmocka_unit_test(a_parent_is_before_its_message),
        cmocka_unit_test(a_message_of_the_second_version_is_read),
        cmocka_unit_test(a_message_of_the_first_version_is_read),
        cmocka_unit_test(the_extra_of_a_message_is_bounded),
        cmocka_unit_test(turns),
        cmocka_unit_test(keys_heads_and_events),
        cmocka_unit_test(summaries),
        cmocka_unit_test(contexts),
        cmocka_unit_test(values),
        cmocka_unit_test(single_numbers),
        cmocka_unit_test(numbers_have_one_form),
        cmocka_unit_test(strings_are_bounded_and_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

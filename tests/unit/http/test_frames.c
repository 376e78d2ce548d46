/* Tests of http/frames.c. A client's frames are made by hand, so that the
 * reader is not held against its own writer. */
#include "http_test.h"

#include "base/mem.h"
#include "http/frames.h"

#define TEXT 1
#define BINARY 2
#define CLOSE 8
#define PING 9
#define PONG 10
#define FIN 0x80

/* A frame as a client sends it; head: FIN, RSV and opcode. */
static void
add_frame(struct buf *out, unsigned head, bool masked, const char *p, size_t n)
{
    static const unsigned char mask[4] = {0x12, 0x00, 0xff, 0x9a};
    unsigned bit = masked ? 0x80 : 0;

    buf_addc(out, (char)head);
    if (n < 126) {
        buf_addc(out, (char)(bit | n));
    } else if (n <= UINT16_MAX) {
        buf_addc(out, (char)(bit | 126));
        buf_addc(out, (char)(n >> 8));
        buf_addc(out, (char)n);
    } else {
        buf_addc(out, (char)(bit | 127));
        for (int i = 7; i >= 0; i--)
            buf_addc(out, (char)((uint64_t)n >> 8 * i));
    }
    if (masked)
        buf_add(out, mask, 4);
    for (size_t i = 0; i < n; i++)
        buf_addc(out, (char)(masked ? p[i] ^ (char)mask[i % 4] : p[i]));
}

static void
add(struct buf *out, unsigned head, const char *s)
{
    add_frame(out, head, true, s, strlen(s));
}

/* Read all in pieces of `step` bytes. The items as text: "t:hello" … and at
 * the end "!1002" if it was refused. Says whether memory was held then. */
static bool
read_all_frames(const struct buf *in, size_t step, size_t max, struct buf *out)
{
    struct frames f;
    struct frames_item it;
    unsigned code = 0;
    enum err e = ERR_AGAIN;
    bool holds;

    frames_init(&f, max);
    buf_clear(out);
    for (size_t at = 0; at < in->len && e == ERR_AGAIN; at += step) {
        size_t n = in->len - at < step ? in->len - at : step;
        char *copy = xmemdup0(in->data + at, n); /* for the sanitizer */

        frames_give(&f, copy, n);
        while ((e = frames_next(&f, &it, &code)) == OK) {
            buf_addf(out, "%c%u:", "tbcip"[it.kind], it.code);
            buf_add(out, it.data, it.len);
            buf_addc(out, '|');
        }
        free(copy);
    }
    if (e == ERR_BADREQ)
        buf_addf(out, "!%u", code);
    holds = f.ctx != NULL || f.message.data != NULL || f.control.data != NULL;
    frames_release(&f);
    return holds;
}

/* At every split the same items come out. */
static void
gives(const struct buf *in, size_t max, const char *want)
{
    struct buf out;

    buf_init(&out, 1024 * 1024);
    for (size_t step = 1; step <= in->len; step++) {
        bool holds = read_all_frames(in, step, max, &out);

        assert_string_equal(buf_cstr(&out), want);
        if (strchr(want, '!') == NULL)
            assert_false(holds);
    }
    buf_release(&out);
}

static void
messages_come_out_at_any_split(void **state)
{
    struct buf in;

    (void)state;
    buf_init(&in, 4096);
    add(&in, FIN | TEXT, "hello");
    add(&in, FIN | TEXT, "");
    add(&in, FIN | BINARY, "\x01\xff");
    add(&in, TEXT, "fra");
    add(&in, FIN | PING, "are you there");
    add(&in, 0, "g\xc3");
    add(&in, FIN | PONG, "");
    add(&in, FIN | 0, "\xa9");
    add(&in, FIN | CLOSE,
        "\x03\xe8"
        "bye");
    gives(&in, 100,
          "t0:hello|t0:|b0:\x01\xff|i0:are you there|p0:|t0:frag\xc3\xa9|"
          "c1000:bye|");
    buf_release(&in);
}

static void
long_messages_have_long_heads(void **state)
{
    static const size_t sizes[] = {125, 126, 4096, 65535, 65536, 200000};
    char *text = xmalloc(200000);
    struct buf in, out;

    (void)state;
    memset(text, 'x', 200000);
    buf_init(&in, 300000);
    buf_init(&out, 300000);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        buf_clear(&in);
        add_frame(&in, FIN | TEXT, true, text, sizes[i]);
        assert_false(read_all_frames(&in, 1000, 200000, &out));
        assert_int_equal(out.len, sizes[i] + 4);
        assert_false(read_all_frames(&in, in.len, 200000, &out));
        assert_int_equal(out.len, sizes[i] + 4);
    }
    buf_release(&in);
    buf_release(&out);
    free(text);
}

static void
what_breaks_the_protocol_is_refused(void **state)
{
    static const struct {
        unsigned head;
        bool masked;
        const char *text;
        const char *want;
    } rows[] = {
        {FIN | TEXT, false, "unmasked", "!1002"},
        {FIN | TEXT, false, "", "!1002"},
        {FIN | 0x40 | TEXT, true, "rsv1", "!1002"},
        {FIN | 0x20 | TEXT, true, "rsv2", "!1002"},
        {FIN | 0x10 | TEXT, true, "rsv3", "!1002"},
        {FIN | 3, true, "opcode", "!1002"},
        {FIN | 7, true, "opcode", "!1002"},
        {FIN | 11, true, "opcode", "!1002"},
        {FIN | 15, true, "", "!1002"},
        {FIN | 0, true, "nothing to continue", "!1002"},
        {PING, true, "in fragments", "!1002"},
        {FIN | TEXT, true, "\xff", "!1007"},
        {FIN | TEXT, true, "\xc3", "!1007"},
        {FIN | TEXT, true, "\xed\xa0\x80", "!1007"},
        {FIN | CLOSE, true, "\x03", "!1002"},
        {FIN | CLOSE, true, "\x03\xed", "!1002"}, /* 1005 */
        {FIN | CLOSE, true, "\x03\xee", "!1002"}, /* 1006 */
        {FIN | CLOSE, true, "\x01\x01", "!1002"}, /* 257 */
        {FIN | CLOSE, true, "\x13\x88", "!1002"}, /* 5000 */
        {FIN | CLOSE, true, "\x03\xe8\xff", "!1007"},
        {FIN | CLOSE, true, "\x0f\xa0", "c4000:|"},
        {FIN | CLOSE, true, "", "c1005:|"},
    };
    struct buf in;

    (void)state;
    buf_init(&in, 4096);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        buf_clear(&in);
        add_frame(&in, rows[i].head, rows[i].masked, rows[i].text,
                  strlen(rows[i].text));
        gives(&in, 100, rows[i].want);
    }
    buf_clear(&in);
    add(&in, TEXT, "one");
    add(&in, FIN | TEXT, "two");
    gives(&in, 100, "!1002");
    buf_clear(&in);
    add_frame(&in, FIN | PING, true, (char[126]){0}, 126);
    gives(&in, 1000, "!1002");
    buf_release(&in);
}

static void
past_the_limit_is_1009_before_it_is_read(void **state)
{
    struct buf in;

    (void)state;
    buf_init(&in, 4096);
    add(&in, FIN | TEXT, "1234567890");
    gives(&in, 10, "t0:1234567890|");
    add(&in, FIN | TEXT, "1234567890a");
    gives(&in, 10, "t0:1234567890|!1009");
    buf_clear(&in);
    add(&in, TEXT, "12345");
    add(&in, FIN | PING, "a control frame is not of it");
    add(&in, FIN | 0, "67890a");
    gives(&in, 10, "i0:a control frame is not of it|!1009");
    /* The head of an endless frame and one byte of it. */
    buf_clear(&in);
    buf_add(&in,
            "\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff"
            "mask"
            "x",
            15);
    gives(&in, 10, "!1009");
    buf_clear(&in);
    buf_add(&in,
            "\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff"
            "mask"
            "x",
            15);
    gives(&in, 10, "!1002");
    buf_release(&in);
}

/* Walk over what was written: the texts of frames, + where more follow. */
static void
walk(const struct buf *wire, struct buf *out)
{
    size_t at = 0;

    while (at < wire->len) {
        bool fin;
        uint64_t n = frames_extent(wire->data + at, wire->len - at, &fin);
        size_t head = n > 65545 ? 10 : n > 127 ? 4 : 2;

        assert_true(n >= head && n <= wire->len - at);
        assert_true(n <= FRAMES_FRAGMENT + FRAMES_HEAD_MAX);
        buf_add(out, wire->data + at + head, (size_t)n - head);
        if (!fin)
            buf_addc(out, '+');
        at += (size_t)n;
    }
}

static void
a_long_text_goes_out_in_fragments(void **state)
{
    static const struct {
        size_t n, pluses;
    } rows[] = {{0, 0},
                {1, 0},
                {125, 0},
                {126, 0},
                {FRAMES_FRAGMENT, 0},
                {FRAMES_FRAGMENT + 1, 1},
                {10 * FRAMES_FRAGMENT, 9}};
    char *text = xmalloc(10 * FRAMES_FRAGMENT);
    struct buf wire, out;

    (void)state;
    memset(text, 'y', 10 * FRAMES_FRAGMENT);
    buf_init(&wire, 11 * FRAMES_FRAGMENT);
    buf_init(&out, 11 * FRAMES_FRAGMENT);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        buf_clear(&wire);
        buf_clear(&out);
        frames_put_text(&wire, text, rows[i].n);
        assert_int_equal(wire.data[0] & 0x0f, TEXT);
        walk(&wire, &out);
        assert_int_equal(out.len, rows[i].n + rows[i].pluses);
    }
    buf_release(&wire);
    buf_release(&out);
    free(text);
}

static void
control_frames_are_short(void **state)
{
    char text[200];
    struct buf wire;

    (void)state;
    memset(text, 'z', sizeof(text));
    memcpy(text + 122, "\xc3\xa9", 2); /* the cut would be in its middle */
    buf_init(&wire, 1000);
    frames_put_control(&wire, FRAMES_CLOSE, FRAMES_TOO_BIG, text, sizeof(text));
    assert_int_equal((unsigned char)wire.data[0], FIN | CLOSE);
    assert_int_equal(wire.data[1], 124);
    assert_memory_equal(wire.data + 2, "\x03\xf1zz", 4);
    buf_clear(&wire);
    frames_put_control(&wire, FRAMES_CLOSE, FRAMES_NO_CODE, "", 0);
    assert_int_equal(wire.len, 2);
    buf_clear(&wire);
    frames_put_control(&wire, FRAMES_PONG, 0, "same", 4);
    assert_int_equal(wire.len, 6);
    assert_memory_equal(wire.data, "\x8a\x04same", 6);
    buf_clear(&wire);
    frames_put_control(&wire, FRAMES_PING, 0, NULL, 0);
    assert_memory_equal(wire.data, "\x89\x00", 2);
    buf_release(&wire);
}

static void
an_extent_needs_its_head(void **state)
{
    bool fin = true;

    (void)state;
    assert_int_equal(frames_extent("\x81", 1, &fin), 0);
    assert_int_equal(frames_extent("\x01\x05", 2, &fin), 7);
    assert_false(fin);
    assert_int_equal(frames_extent("\x81\x7e\x01", 3, &fin), 0);
    assert_int_equal(frames_extent("\x81\x7e\x01\x00", 4, &fin), 260);
    assert_true(fin);
    assert_int_equal(
        frames_extent("\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10, &fin),
        65546);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_out_at_any_split),
        cmocka_unit_test(long_messages_have_long_heads),
        cmocka_unit_test(what_breaks_the_protocol_is_refused),
        cmocka_unit_test(past_the_limit_is_1009_before_it_is_read),
        cmocka_unit_test(a_long_text_goes_out_in_fragments),
        cmocka_unit_test(control_frames_are_short),
        cmocka_unit_test(an_extent_needs_its_head),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

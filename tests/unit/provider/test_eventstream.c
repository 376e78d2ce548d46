/*
 * Tests of provider/eventstream.c. The frames are those of AWS's published
 * test vectors for event streams and one of Bedrock's own, encoded by AWS's
 * codec for JavaScript (@smithy/eventstream-codec 4).
 */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/mem.h"
#include "provider/eventstream.h"

static const uint8_t empty_message[] = {
    0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00,
    0x05, 0xc2, 0x48, 0xeb, 0x7d, 0x98, 0xc8, 0xff,
};
static const uint8_t int32_header[] = {
    0x00, 0x00, 0x00, 0x2d, 0x00, 0x00, 0x00, 0x10, 0x41, 0xc4, 0x24, 0xb8,
    0x0a, 0x65, 0x76, 0x65, 0x6e, 0x74, 0x2d, 0x74, 0x79, 0x70, 0x65, 0x04,
    0x00, 0x00, 0xa0, 0x0c, 0x7b, 0x27, 0x66, 0x6f, 0x6f, 0x27, 0x3a, 0x27,
    0x62, 0x61, 0x72, 0x27, 0x7d, 0x36, 0xf4, 0x80, 0xa0,
};
static const uint8_t payload_no_headers[] = {
    0x00, 0x00, 0x00, 0x1d, 0x00, 0x00, 0x00, 0x00, 0xfd, 0x52,
    0x8c, 0x5a, 0x7b, 0x27, 0x66, 0x6f, 0x6f, 0x27, 0x3a, 0x27,
    0x62, 0x61, 0x72, 0x27, 0x7d, 0xc3, 0x65, 0x39, 0x36,
};
static const uint8_t payload_one_str_header[] = {
    0x00, 0x00, 0x00, 0x3d, 0x00, 0x00, 0x00, 0x20, 0x07, 0xfd, 0x83,
    0x96, 0x0c, 0x63, 0x6f, 0x6e, 0x74, 0x65, 0x6e, 0x74, 0x2d, 0x74,
    0x79, 0x70, 0x65, 0x07, 0x00, 0x10, 0x61, 0x70, 0x70, 0x6c, 0x69,
    0x63, 0x61, 0x74, 0x69, 0x6f, 0x6e, 0x2f, 0x6a, 0x73, 0x6f, 0x6e,
    0x7b, 0x27, 0x66, 0x6f, 0x6f, 0x27, 0x3a, 0x27, 0x62, 0x61, 0x72,
    0x27, 0x7d, 0x8d, 0x9c, 0x08, 0xb1,
};
static const uint8_t all_headers[] = {
    0x00, 0x00, 0x00, 0xcc, 0x00, 0x00, 0x00, 0xaf, 0x0f, 0xae, 0x64, 0xca,
    0x0a, 0x65, 0x76, 0x65, 0x6e, 0x74, 0x2d, 0x74, 0x79, 0x70, 0x65, 0x04,
    0x00, 0x00, 0xa0, 0x0c, 0x0c, 0x63, 0x6f, 0x6e, 0x74, 0x65, 0x6e, 0x74,
    0x2d, 0x74, 0x79, 0x70, 0x65, 0x07, 0x00, 0x10, 0x61, 0x70, 0x70, 0x6c,
    0x69, 0x63, 0x61, 0x74, 0x69, 0x6f, 0x6e, 0x2f, 0x6a, 0x73, 0x6f, 0x6e,
    0x0a, 0x62, 0x6f, 0x6f, 0x6c, 0x20, 0x66, 0x61, 0x6c, 0x73, 0x65, 0x01,
    0x09, 0x62, 0x6f, 0x6f, 0x6c, 0x20, 0x74, 0x72, 0x75, 0x65, 0x00, 0x04,
    0x62, 0x79, 0x74, 0x65, 0x02, 0xcf, 0x08, 0x62, 0x79, 0x74, 0x65, 0x20,
    0x62, 0x75, 0x66, 0x06, 0x00, 0x14, 0x49, 0x27, 0x6d, 0x20, 0x61, 0x20,
    0x6c, 0x69, 0x74, 0x74, 0x6c, 0x65, 0x20, 0x74, 0x65, 0x61, 0x70, 0x6f,
    0x74, 0x21, 0x09, 0x74, 0x69, 0x6d, 0x65, 0x73, 0x74, 0x61, 0x6d, 0x70,
    0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x84, 0x5f, 0xed, 0x05, 0x69, 0x6e,
    0x74, 0x31, 0x36, 0x03, 0x00, 0x2a, 0x05, 0x69, 0x6e, 0x74, 0x36, 0x34,
    0x05, 0x00, 0x00, 0x00, 0x00, 0x02, 0x87, 0x57, 0xb2, 0x04, 0x75, 0x75,
    0x69, 0x64, 0x09, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09,
    0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x7b, 0x27, 0x66, 0x6f, 0x6f,
    0x27, 0x3a, 0x27, 0x62, 0x61, 0x72, 0x27, 0x7d, 0xab, 0xa5, 0xf1, 0x0c,
};
static const uint8_t event[] = {
    0x00, 0x00, 0x00, 0x7a, 0x00, 0x00, 0x00, 0x51, 0xca, 0x2c, 0x46, 0x65,
    0x0b, 0x3a, 0x65, 0x76, 0x65, 0x6e, 0x74, 0x2d, 0x74, 0x79, 0x70, 0x65,
    0x07, 0x00, 0x0b, 0x6d, 0x65, 0x73, 0x73, 0x61, 0x67, 0x65, 0x53, 0x74,
    0x6f, 0x70, 0x0d, 0x3a, 0x63, 0x6f, 0x6e, 0x74, 0x65, 0x6e, 0x74, 0x2d,
    0x74, 0x79, 0x70, 0x65, 0x07, 0x00, 0x10, 0x61, 0x70, 0x70, 0x6c, 0x69,
    0x63, 0x61, 0x74, 0x69, 0x6f, 0x6e, 0x2f, 0x6a, 0x73, 0x6f, 0x6e, 0x0d,
    0x3a, 0x6d, 0x65, 0x73, 0x73, 0x61, 0x67, 0x65, 0x2d, 0x74, 0x79, 0x70,
    0x65, 0x07, 0x00, 0x05, 0x65, 0x76, 0x65, 0x6e, 0x74, 0x7b, 0x22, 0x73,
    0x74, 0x6f, 0x70, 0x52, 0x65, 0x61, 0x73, 0x6f, 0x6e, 0x22, 0x3a, 0x22,
    0x65, 0x6e, 0x64, 0x5f, 0x74, 0x75, 0x72, 0x6e, 0x22, 0x7d, 0x5f, 0xbf,
    0x09, 0xfc,
};

static const struct frame {
    const uint8_t *bytes;
    size_t n;
    const char *message_type, *type, *payload;
} frames[] = {
    {empty_message, sizeof(empty_message), "", "", ""},
    {int32_header, sizeof(int32_header), "", "", "{'foo':'bar'}"},
    {payload_no_headers, sizeof(payload_no_headers), "", "", "{'foo':'bar'}"},
    {payload_one_str_header, sizeof(payload_one_str_header), "", "",
     "{'foo':'bar'}"},
    {all_headers, sizeof(all_headers), "", "", "{'foo':'bar'}"},
    {event, sizeof(event), "event", "messageStop",
     "{\"stopReason\":\"end_turn\"}"},
};

/* --- what the callback saw ---------------------------------------------- */

struct seen {
    struct buf out;
    size_t frames;
    enum err answer; /* what the callback returns */
};

static enum err
on_frame(void *arg, const struct eventstream_frame *f)
{
    struct seen *s = arg;

    buf_adds(&s->out, f->message_type);
    buf_addc(&s->out, '|');
    buf_adds(&s->out, f->type);
    buf_addc(&s->out, '|');
    buf_add(&s->out, f->payload, f->len);
    buf_addc(&s->out, '\n');
    s->frames++;
    return s->answer;
}

static void
seen_init(struct seen *s)
{
    buf_init(&s->out, 64 * 1024 * 1024);
    s->frames = 0;
    s->answer = OK;
}

/* Feed in pieces, each in a block of its own. */
static enum err
feed(struct seen *s, const void *p, size_t n, size_t piece)
{
    struct eventstream es;
    enum err e = OK;
    size_t at;

    eventstream_init(&es);
    for (at = 0; e == OK && at < n; at += piece) {
        size_t len = n - at < piece ? n - at : piece;
        char *copy = xmalloc(len);

        memcpy(copy, (const char *)p + at, len);
        e = eventstream_feed(&es, copy, len, on_frame, s);
        free(copy);
    }
    eventstream_release(&es);
    return e;
}

static enum err
feed_whole(const void *p, size_t n)
{
    struct seen s;
    enum err e;

    seen_init(&s);
    e = feed(&s, p, n, n);
    buf_release(&s.out);
    return e;
}

static void
put_u32(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

/* A frame of ours: both checksums right, whatever the headers are. Owned. */
static uint8_t *
make_frame(const void *headers, size_t n_headers, size_t n_payload, size_t *n)
{
    uint8_t *f;

    *n = EVENTSTREAM_OVERHEAD + n_headers + n_payload;
    f = xmalloc(*n);
    put_u32(f, *n);
    put_u32(f + 4, n_headers);
    put_u32(f + 8, eventstream_crc(0, f, 8));
    if (n_headers > 0)
        memcpy(f + 12, headers, n_headers);
    memset(f + 12 + n_headers, 'x', n_payload);
    put_u32(f + *n - 4, eventstream_crc(0, f, *n - 4));
    return f;
}

/* --- tests -------------------------------------------------------------- */

static void
the_checksum_is_the_usual_one(void **state)
{
    uint32_t part;

    (void)state;
    assert_int_equal(eventstream_crc(0, "", 0), 0);
    assert_int_equal(eventstream_crc(0, "123456789", 9), 0xcbf43926);
    part = eventstream_crc(0, "1234", 4);
    assert_int_equal(eventstream_crc(part, "56789", 5), 0xcbf43926);
}

static void
frames_are_decoded_in_any_split(void **state)
{
    struct buf all, want;
    size_t i, piece;

    (void)state;
    buf_init(&all, 65536);
    buf_init(&want, 65536);
    for (i = 0; i < COUNT_OF(frames); i++) {
        buf_add(&all, frames[i].bytes, frames[i].n);
        buf_addf(&want, "%s|%s|%s\n", frames[i].message_type, frames[i].type,
                 frames[i].payload);
    }
    for (piece = 1; piece <= all.len; piece++) {
        struct seen s;

        seen_init(&s);
        assert_int_equal(feed(&s, all.data, all.len, piece), OK);
        assert_string_equal(buf_cstr(&s.out), buf_cstr(&want));
        assert_int_equal(s.frames, COUNT_OF(frames));
        buf_release(&s.out);
    }
    buf_release(&all);
    buf_release(&want);
}

/* A changed length may ask for more bytes than there are: then nothing is
 * told either, since the prelude's checksum is looked at first. */
static void
no_bit_may_be_wrong(void **state)
{
    uint8_t copy[sizeof(event)];
    size_t bit;

    (void)state;
    for (bit = 0; bit < sizeof(event) * 8; bit++) {
        struct seen s;

        memcpy(copy, event, sizeof(event));
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        seen_init(&s);
        assert_int_equal(feed(&s, copy, sizeof(copy), sizeof(copy)),
                         ERR_BADREQ);
        assert_int_equal(s.frames, 0);
        buf_release(&s.out);
    }
}

static void
a_frame_that_is_cut_is_not_told(void **state)
{
    size_t n;

    (void)state;
    for (n = 0; n < sizeof(event); n++) {
        struct seen s;

        seen_init(&s);
        assert_int_equal(feed(&s, event, n, n > 0 ? n : 1), OK);
        assert_int_equal(s.frames, 0);
        buf_release(&s.out);
    }
}

static void
malformed_headers_are_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
    } rows[] = {
        {"\1", 1},          /* no name */
        {"\1x", 2},         /* no type */
        {"\1x\12", 3},      /* no such type */
        {"\1x\7", 3},       /* no length */
        {"\1x\7\0", 4},     /* half of one */
        {"\1x\7\0\2z", 6},  /* one byte of two */
        {"\1x\4\0\0\0", 6}, /* three bytes of four */
        {"\377x\0", 3},     /* a name past the end */
        {"\1x\0\5", 4},     /* a good one, then a bad one */
    };
    size_t i, n;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++) {
        uint8_t *f = make_frame(rows[i].bytes, rows[i].n, 0, &n);

        assert_int_equal(feed_whole(f, n), ERR_BADREQ);
        free(f);
    }
}

static void
names_of_our_headers_need_text_and_are_cut(void **state)
{
    static const char number[] = "\x0b:event-type\x04\x00\x00\x00\x01";
    char headers[11 + 2 + 2 + 200];
    struct seen s;
    uint8_t *f;
    size_t n;

    (void)state;
    f = make_frame(number, sizeof(number) - 1, 0, &n);
    seen_init(&s);
    assert_int_equal(feed(&s, f, n, n), OK);
    assert_string_equal(buf_cstr(&s.out), "||\n");
    free(f);

    memcpy(headers, "\x0b:error-code\x07\x00\xc8", 15);
    memset(headers + 15, 'e', 200);
    f = make_frame(headers, sizeof(headers), 1, &n);
    buf_clear(&s.out);
    assert_int_equal(feed(&s, f, n, n), OK);
    assert_int_equal(s.out.len, 1 + EVENTSTREAM_NAME_MAX - 1 + 1 + 1 + 1);
    free(f);
    buf_release(&s.out);
}

static enum err
feed_prelude(size_t total, size_t headers)
{
    uint8_t p[12];

    put_u32(p, total);
    put_u32(p + 4, headers);
    put_u32(p + 8, eventstream_crc(0, p, 8));
    return feed_whole(p, sizeof(p));
}

static void
lengths_past_a_limit_are_refused_at_once(void **state)
{
    const size_t most = EVENTSTREAM_PAYLOAD_MAX, least = EVENTSTREAM_OVERHEAD;

    (void)state;
    assert_int_equal(feed_prelude(least + most, 0), OK);
    assert_int_equal(feed_prelude(least + most + 1, 0), ERR_TOOBIG);
    assert_int_equal(feed_prelude(0xffffffff, 0), ERR_TOOBIG);
    assert_int_equal(
        feed_prelude(least + EVENTSTREAM_HEADERS_MAX, EVENTSTREAM_HEADERS_MAX),
        OK);
    assert_int_equal(feed_prelude(least + EVENTSTREAM_HEADERS_MAX + 1,
                                  EVENTSTREAM_HEADERS_MAX + 1),
                     ERR_TOOBIG);
    assert_int_equal(feed_prelude(least, 1), ERR_BADREQ);
    assert_int_equal(feed_prelude(least - 1, 0), ERR_BADREQ);
    assert_int_equal(feed_prelude(0, 0), ERR_BADREQ);
    assert_int_equal(feed_prelude(0, 0xffffffff), ERR_TOOBIG);
}

static void
the_largest_frame_is_taken_and_its_memory_given_back(void **state)
{
    struct eventstream es;
    struct seen s;
    uint8_t *f;
    size_t n;

    (void)state;
    f = make_frame(NULL, 0, EVENTSTREAM_PAYLOAD_MAX, &n);
    seen_init(&s);
    eventstream_init(&es);
    assert_int_equal(eventstream_feed(&es, (const char *)f, n, on_frame, &s),
                     OK);
    assert_int_equal(s.frames, 1);
    assert_int_equal(es.frame.len, 0);
    assert_true(es.frame.cap <= 4096);
    eventstream_release(&es);
    buf_release(&s.out);
    free(f);
}

static void
the_callback_can_stop_it(void **state)
{
    struct buf two;
    struct seen s;

    (void)state;
    buf_init(&two, 4096);
    buf_add(&two, event, sizeof(event));
    buf_add(&two, event, sizeof(event));
    seen_init(&s);
    s.answer = ERR_HUP;
    assert_int_equal(feed(&s, two.data, two.len, two.len), ERR_HUP);
    assert_int_equal(s.frames, 1);
    buf_release(&two);
    buf_release(&s.out);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checksum_is_the_usual_one),
        cmocka_unit_test(frames_are_decoded_in_any_split),
        cmocka_unit_test(no_bit_may_be_wrong),
        cmocka_unit_test(a_frame_that_is_cut_is_not_told),
        cmocka_unit_test(malformed_headers_are_refused),
        cmocka_unit_test(names_of_our_headers_need_text_and_are_cut),
        cmocka_unit_test(lengths_past_a_limit_are_refused_at_once),
        cmocka_unit_test(the_largest_frame_is_taken_and_its_memory_given_back),
        cmocka_unit_test(the_callback_can_stop_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

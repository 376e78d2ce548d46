/*
 * Any bytes as any record: the readers neither overrun nor accept what the
 * writers would not write. The first byte picks the kind. What is accepted
 * must come back byte for byte when it is written again: one record has one
 * form. One of an older version comes back as the newest, with the same
 * members.
 */
#include "base/base.h"

#include "store/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
same(const uint8_t *a, size_t n, const uint8_t *b, size_t m)
{
    if (n != m || memcmp(a, b, n) != 0)
        abort();
}

/* Version 1 had a title only: two strings and a time are new. */
static void
fuzz_session(const uint8_t *p, size_t n)
{
    uint8_t again[RECORD_SESSION_MAX] = {0};
    struct session s, back;
    size_t size;

    if (record_session_read(p, n, &s) != OK)
        return;
    if (s.n_messages > 0 &&
        (s.head >= s.n_messages || s.length == 0 || s.length > s.head + 1))
        abort();
    size = record_session_write(again, &s);
    if (p[0] != 1) {
        same(p, n, again, size);
        return;
    }
    if (size != n + 3 || record_session_read(again, size, &back) != OK)
        abort();
    same((const uint8_t *)s.title, strlen(s.title), (const uint8_t *)back.title,
         strlen(back.title));
}

/* Version 1 had no cost and no extra, version 2 no parent: a byte for each is
 * new, and the first one. The seq, which the key tells, comes first. */
static void
fuzz_message(const uint8_t *p, size_t n)
{
    static const size_t more[] = {0, 3, 1, 0}; /* by version */
    struct message m, back;
    uint8_t *again;
    uint32_t seq;
    size_t size;

    if (n < sizeof(seq))
        return;
    memcpy(&seq, p, sizeof(seq));
    p += sizeof(seq);
    n -= sizeof(seq);
    if (record_message_read(p, n, seq, &m) != OK)
        return;
    if (m.seq != seq || (m.parent != STORE_ROOT && m.parent >= seq))
        abort();
    size = record_message_size(&m);
    again = malloc(size);
    if (again == NULL)
        abort();
    record_message_write(again, size, &m);
    if (p[0] == 3)
        same(p, n, again, size);
    if (size != n + more[p[0]] ||
        record_message_read(again, size, seq, &back) != OK ||
        back.parent != m.parent || back.cost_micro != m.cost_micro)
        abort();
    same((const uint8_t *)m.text, m.text_len, (const uint8_t *)back.text,
         back.text_len);
    free(again);
}

static void
fuzz_context(const uint8_t *p, size_t n)
{
    const char *text;
    uint8_t *again;
    size_t len;

    if (record_context_read(p, n, &text, &len) != OK)
        return;
    again = malloc(RECORD_CONTEXT_HEAD + len);
    if (again == NULL)
        abort();
    record_context_write(again, text, len);
    same(p, n, again, RECORD_CONTEXT_HEAD + len);
    free(again);
}

static void
fuzz_turn(const uint8_t *p, size_t n)
{
    uint8_t again[RECORD_TURN_MAX];
    struct turn_info t;
    uint64_t no;

    if (record_turn_read(p, n, &t, &no) == OK)
        same(p, n, again, record_turn_write(again, &t, no));
}

static void
fuzz_idem(const uint8_t *p, size_t n)
{
    uint8_t again[RECORD_IDEM_MAX];
    struct ident turn;
    int64_t ms;

    if (record_idem_read(p, n, &turn, &ms) == OK)
        same(p, n, again, record_idem_write(again, &turn, ms));
}

static void
fuzz_summary(const uint8_t *p, size_t n)
{
    uint8_t again[RECORD_SUMMARY_MAX];
    struct session_summary s;
    const char *text;
    size_t len;

    if (record_summary_read(p, n, &s, &text, &len) == OK)
        same(p, n, again, record_summary_write(again, &s, text, len));
}

static void
fuzz_value(const uint8_t *p, size_t n)
{
    static uint8_t again[RECORD_VALUE_MAX];
    int64_t expires_ms;
    const char *value;
    size_t len;

    if (record_value_read(p, n, &expires_ms, &value, &len) == OK)
        same(p, n, again, record_value_write(again, expires_ms, value, len));
}

static void
fuzz_head(const uint8_t *p, size_t n)
{
    uint8_t again[RECORD_HEAD_MAX];
    struct stream_head h;

    if (record_head_read(p, n, &h) == OK)
        same(p, n, again, record_head_write(again, &h));
}

static void
fuzz_event(const uint8_t *p, size_t n)
{
    uint8_t again[RECORD_EVENT_HEAD];
    struct event e;

    if (record_event_read(p, n, &e) != OK)
        return;
    record_event_write(again, e.type);
    same(p, RECORD_EVENT_HEAD, again, sizeof(again));
    if ((const uint8_t *)e.data != p + RECORD_EVENT_HEAD ||
        e.len != n - RECORD_EVENT_HEAD)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const kinds[])(const uint8_t *, size_t) = {
        fuzz_session, fuzz_message, fuzz_turn,    fuzz_idem,  fuzz_head,
        fuzz_event,   fuzz_summary, fuzz_context, fuzz_value,
    };

    if (size > 0)
        kinds[data[0] % COUNT_OF(kinds)](data + 1, size - 1);
    return 0;
}

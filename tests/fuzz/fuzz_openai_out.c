/*
 * Fuzzes the way out of OpenAI's dialect: bytes as a provider's reply on that
 * wire, and what a client is sent for it. Chunks whose choices pass as they
 * came must mean the same as if they were encoded anew; each event is one line
 * of UTF-8, and of strict JSON where we made it; so is the answer in one piece.
 */
#include "../unit/provider/transcript.h"

#include "base/text.h"
#include "dialect/openai_whole.h"

#define OUT_MAX (64 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct client {
    struct openai_out passed, made;
    struct buf passed_out, made_out;
    struct openai_whole whole;
    enum finish finish;
    struct usage usage;
    bool failed;
};

static void
on_part(void *arg, const struct part *p)
{
    struct client *c = arg;
    struct part plain = *p;

    switch (p->kind) {
    case PART_FINISH: c->finish = p->finish; return;
    case PART_USAGE: c->usage = p->usage; return;
    case PART_ERROR: c->failed = true; return;
    default: break;
    }
    plain.choices = NULL;
    openai_out_part(&c->passed, p, &c->passed_out);
    openai_out_part(&c->made, &plain, &c->made_out);
    openai_whole_part(&c->whole, &c->made, p);
}

static void
check_events(const struct buf *out, bool ours)
{
    const char *s = out->data, *end = s + out->len;
    static const char done[] = "[DONE]";

    assert(utf8_valid(s, out->len));
    while (s < end) {
        const char *eol = memchr(s, '\n', (size_t)(end - s));

        assert(eol != NULL && eol + 1 < end && eol[1] == '\n');
        assert(eol - s > 6 && memcmp(s, "data: ", 6) == 0);
        assert(memchr(s, '\r', (size_t)(eol - s)) == NULL);
        s += 6;
        if ((size_t)(eol - s) == strlen(done) &&
            memcmp(s, done, strlen(done)) == 0)
            assert(eol + 2 == end);
        else if (ours)
            assert(json_check(s, (size_t)(eol - s), NULL) == OK);
        s = eol + 2;
    }
}

static void
read_again(struct transcript *t, const struct buf *out)
{
    transcript_init(t);
    IGNORE(transcript_read(t, &provider_openai, out->data, out->len, out->len,
                           out->len));
    assert(!t->broken);
}

static void
check_client(struct client *c)
{
    struct transcript passed, made;
    struct buf json;

    openai_out_end(&c->passed, c->finish, &c->usage, &c->passed_out);
    openai_out_end(&c->made, c->finish, &c->usage, &c->made_out);
    check_events(&c->passed_out, false);
    check_events(&c->made_out, true);
    read_again(&passed, &c->passed_out);
    read_again(&made, &c->made_out);
    assert(strcmp(buf_cstr(&passed.out), buf_cstr(&made.out)) == 0);
    transcript_release(&passed);
    transcript_release(&made);
    buf_init(&json, OPENAI_WHOLE_JSON_MAX);
    openai_whole_json(&c->whole, &c->made, c->finish, &c->usage, &json);
    assert(json_check(json.data, json.len, NULL) == OK);
    buf_release(&json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ident id = {{1, 2, 3}};
    struct client c = {.finish = FINISH_STOP, .usage = {-1, -1, -1}};
    struct problem why = {.err = OK};
    void *reader;

    if (size < 2)
        return 0;
    reader = provider_openai.reader_new();
    openai_out_init(&c.passed, &id, 1700000000, data[0] % 2 != 0);
    openai_out_init(&c.made, &id, 1700000000, data[0] % 2 != 0);
    openai_whole_init(&c.whole);
    buf_init(&c.passed_out, OUT_MAX);
    buf_init(&c.made_out, OUT_MAX);
    if (provider_openai.feed(reader, (const char *)data + 1, size - 1, on_part,
                             &c, &why) == OK)
        IGNORE(provider_openai.end(reader, on_part, &c, &why));
    if (!c.failed)
        check_client(&c);
    provider_openai.reader_free(reader);
    openai_out_release(&c.passed);
    openai_out_release(&c.made);
    openai_whole_release(&c.whole);
    buf_release(&c.passed_out);
    buf_release(&c.made_out);
    return 0;
}

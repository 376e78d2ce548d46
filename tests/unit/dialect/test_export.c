/*
 * Tests of dialect/export.h. What is written as JSON and as lines is read back
 * by dialect/import.h and must be the same, member by member; Markdown is
 * compared with what a reader should find.
 */
#include "import_test.h"

#include "dialect/export.h"

#define MANY 40

/* --- writing -------------------------------------------------------------- */

struct out {
    struct buf all;
    size_t flushes, largest;
    size_t fail_at; /* flushes; then ERR_HUP */
};

static enum err
keep(void *arg, const char *s, size_t n)
{
    struct out *o = arg;

    assert_true(n > 0);
    if (o->flushes++ == o->fail_at)
        return ERR_HUP;
    o->largest = n > o->largest ? n : o->largest;
    buf_add(&o->all, s, n);
    return OK;
}

static void
out_init(struct out *o)
{
    buf_init(&o->all, TOLD_MAX);
    o->flushes = o->largest = 0;
    o->fail_at = SIZE_MAX;
}

/* A session and its messages; the writer's own form. */
struct talk {
    struct export_session s;
    const struct export_message *messages;
    size_t n;
};

static enum err
write_talks(struct out *o, enum export_format f, const struct talk *talks,
            size_t n)
{
    struct export x;
    enum err e;

    export_init(&x, f, keep, o);
    e = export_begin(&x);
    for (size_t i = 0; i < n && e == OK; i++) {
        e = export_session(&x, &talks[i].s);
        for (size_t k = 0; k < talks[i].n && e == OK; k++)
            e = export_message(&x, &talks[i].messages[k]);
        if (e == OK)
            e = export_session_end(&x);
    }
    if (e == OK)
        e = export_end(&x);
    export_release(&x);
    return e;
}

static void
expect_text(enum export_format f, const struct talk *talks, size_t n,
            const char *want)
{
    struct out o;

    out_init(&o);
    assert_int_equal(write_talks(&o, f, talks, n), OK);
    assert_string_equal(buf_cstr(&o.all), want);
    buf_release(&o.all);
}

/* --- reading back --------------------------------------------------------- */

struct back {
    const struct talk *talks;
    size_t n, at;
};

static void
same(const char *is, const char *want)
{
    assert_string_equal(is, want == NULL ? "" : want);
}

/* The message that m goes on from, as an index; the writer's rules. */
static int64_t
parent_of(const struct talk *t, size_t at)
{
    const char *id = t->messages[at].parent_id;

    if (id == NULL)
        return (int64_t)at - 1;
    for (size_t i = 0; i < at; i++)
        if (t->messages[i].id != NULL && strcmp(t->messages[i].id, id) == 0)
            return (int64_t)i;
    return -1;
}

static void
same_message(const struct import_message *is, const struct export_message *want)
{
    assert_int_equal(is->role, want->role);
    assert_int_equal(is->finish, want->finish);
    same(is->id, want->id);
    same(is->provider, want->provider);
    same(is->model, want->model);
    assert_true(is->at_ms == want->at_ms);
    assert_true(is->usage.input_tokens == want->usage.input_tokens);
    assert_true(is->usage.output_tokens == want->usage.output_tokens);
    assert_true(is->usage.cached_tokens == want->usage.cached_tokens);
    assert_true(is->cost_micro == want->cost_micro);
    assert_int_equal(is->text_len, want->text_len);
    if (want->text_len > 0)
        assert_memory_equal(is->text, want->text, want->text_len);
    assert_int_equal(is->extra_len, want->extra_len);
    if (want->extra_len > 0)
        assert_memory_equal(is->extra, want->extra, want->extra_len);
}

static enum err
back_session(void *arg, const struct import_session *is)
{
    struct back *b = arg;
    const struct talk *want = &b->talks[b->at++];

    assert_true(b->at <= b->n);
    assert_int_equal(is->format, IMPORT_PARLEY);
    same(is->id, want->s.id);
    same(is->title, want->s.title);
    same(is->context, want->s.context);
    same(is->model, want->s.model);
    assert_int_equal(is->n_tags, want->s.n_tags);
    for (size_t i = 0; i < is->n_tags; i++)
        same(is->tags[i], want->s.tags[i]);
    assert_int_equal(is->pinned, want->s.pinned);
    assert_int_equal(is->archived, want->s.archived);
    assert_true(is->created_ms == want->s.created_ms);
    assert_true(is->updated_ms == want->s.updated_ms);
    assert_int_equal(is->n_messages, want->n);
    for (size_t i = 0; i < is->n_messages; i++) {
        same_message(&is->messages[i], &want->messages[i]);
        assert_int_equal(is->messages[i].parent, parent_of(want, i));
    }
    return OK;
}

static enum err
back_fault(void *arg, const struct import_fault *f)
{
    (void)arg;
    fail_msg("fault at %d: %s", (int)f->at, f->rule);
    return OK;
}

static void
comes_back(const struct talk *talks, size_t n)
{
    static const enum export_format formats[] = {EXPORT_JSON, EXPORT_JSONL};

    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        struct back b = {.talks = talks, .n = n};
        struct import_sink sink = {back_session, back_fault, &b};
        struct import im;
        struct out o;

        out_init(&o);
        assert_int_equal(write_talks(&o, formats[i], talks, n), OK);
        import_init(&im, &sink);
        assert_int_equal(import_all(&im, o.all.data, o.all.len, 1460, NULL),
                         n == 0 && formats[i] == EXPORT_JSONL ? ERR_BADREQ
                                                              : OK);
        assert_int_equal(b.at, n);
        import_release(&im);
        assert_true(o.largest <= EXPORT_BUF_MAX);
        buf_release(&o.all);
    }
}

/* --- samples -------------------------------------------------------------- */

#define UNKNOWN .usage = {-1, -1, -1}, .cost_micro = -1
#define TEXT(t) .text = (t), .text_len = sizeof(t) - 1

#define TEA_EXTRA "{\"notes\":[{\"code\":\"cached\"}],\"context\":{\"sent\":1}}"

static const char *const two_tags[] = {"küche", "a \"b\""};
static const struct export_message tea[] = {
    {.role = ROLE_USER,
     .id = "m1",
     .at_ms = 1767323045678,
     TEXT("Wie lange\nzieht *Tee*?"),
     UNKNOWN},
    {.role = ROLE_ASSISTANT,
     .finish = FINISH_STOP,
     .id = "m2",
     .parent_id = "m1",
     .provider = "anthropic",
     .model = "claude-x",
     .at_ms = 1767323047001,
     .usage = {12, 3, -1},
     .cost_micro = 1234,
     .extra = TEA_EXTRA,
     .extra_len = sizeof(TEA_EXTRA) - 1,
     TEXT("Drei Minuten.")},
    {.role = ROLE_ASSISTANT,
     .finish = FINISH_LENGTH,
     .id = "m3",
     .parent_id = "m1",
     .model = "gpt_4",
     TEXT("Vier"),
     UNKNOWN},
    {.role = ROLE_USER, .id = "m4", .parent_id = "", TEXT(""), UNKNOWN},
};
static const struct talk talks_of_tea[] = {
    {.s = {.id = "s-1",
           .title = "Tee & <Kuchen>\n☕",
           .context = "Kurz.",
           .model = "anthropic/claude",
           .tags = two_tags,
           .n_tags = 2,
           .pinned = true,
           .archived = true,
           .created_ms = 1767323045678,
           .updated_ms = 1767323100000},
     .messages = tea,
     .n = COUNT_OF(tea)},
    {.s = {.id = "s-2"}},
};

static void
the_members_are_those_of_the_format(void **state)
{
#define TEA                                                                    \
    "\"id\":\"s-1\",\"title\":\"Tee & <Kuchen>\\n☕\",\"context\":\"Kurz.\"," \
    "\"model\":\"anthropic/claude\",\"tags\":[\"küche\",\"a \\\"b\\\"\"],"    \
    "\"pinned\":true,\"archived\":true,"                                       \
    "\"created\":\"2026-01-02T03:04:05.678Z\","                                \
    "\"updated\":\"2026-01-02T03:05:00.000Z\",\"messages\":["                  \
    "{\"id\":\"m1\",\"role\":\"user\","                                        \
    "\"timestamp\":\"2026-01-02T03:04:05.678Z\","                              \
    "\"content\":\"Wie lange\\nzieht *Tee*?\"},"                               \
    "{\"id\":\"m2\",\"role\":\"assistant\","                                   \
    "\"timestamp\":\"2026-01-02T03:04:07.001Z\",\"finish_reason\":\"stop\","   \
    "\"provider\":\"anthropic\",\"model\":\"claude-x\","                       \
    "\"usage\":{\"input_tokens\":12,\"output_tokens\":3,"                      \
    "\"cached_tokens\":null,\"cost_usd\":0.001234},"                           \
    "\"notes\":[{\"code\":\"cached\"}],\"context\":{\"sent\":1},"              \
    "\"content\":\"Drei Minuten.\"},"                                          \
    "{\"id\":\"m3\",\"parent_id\":\"m1\",\"role\":\"assistant\","              \
    "\"finish_reason\":\"length\",\"model\":\"gpt_4\",\"content\":\"Vier\"},"  \
    "{\"id\":\"m4\",\"parent_id\":null,\"role\":\"user\",\"content\":\"\"}]}"
#define EMPTY                                    \
    "\"id\":\"s-2\",\"title\":\"\",\"tags\":[]," \
    "\"pinned\":false,\"messages\":[]}"
#define FORMAT "\"format\":\"parley\",\"version\":1,"

    (void)state;
    expect_text(EXPORT_JSON, talks_of_tea, 2,
                "{" FORMAT "\"sessions\":[\n{" TEA ",\n{" EMPTY "\n]}\n");
    expect_text(EXPORT_JSONL, talks_of_tea, 2,
                "{" FORMAT TEA "\n{" FORMAT EMPTY "\n");
    expect_text(EXPORT_JSON, NULL, 0, "{" FORMAT "\"sessions\":[]}\n");
    expect_text(EXPORT_JSONL, NULL, 0, "");
    comes_back(talks_of_tea, 2);
    comes_back(NULL, 0);
}

/* --- anything ------------------------------------------------------------- */

static uint64_t seed = 88172645463325252;

static uint64_t
some(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

/* A text of any characters but NUL; owned by the arena. */
static const char *
some_text(struct arena *a, size_t max, size_t *len)
{
    static const char *const parts[] = {"\"",
                                        "\\",
                                        "\n",
                                        "\r",
                                        "\t",
                                        "\x01",
                                        "\x7f",
                                        "é",
                                        "\xE2\x80\xA8",
                                        "\xF0\x9F\x98\x80",
                                        "\xEF\xBF\xBD",
                                        "a",
                                        " ",
                                        "{",
                                        "]",
                                        "```",
                                        "/"};
    size_t n = some(max + 1), at = 0;
    char *s = arena_alloc(a, n + 8);

    while (at < n) {
        const char *p = parts[some(COUNT_OF(parts))];

        memcpy(s + at, p, strlen(p));
        at += strlen(p);
    }
    if (len != NULL)
        *len = at;
    return s;
}

static int64_t
perhaps(uint64_t below, int64_t otherwise)
{
    return some(3) == 0 ? otherwise : (int64_t)some(below);
}

static void
some_message(struct arena *a, struct export_message *list, size_t i)
{
    static const char *const extras[] = {
        "",
        "{\"tool_calls\":[{\"args\":\"{\\\"n\\\":12345678901234567890}\"}]}",
        "{\"notes\":[1],\"tool_calls\":[2],\"context\":{\"a\":\"\xC3\xA4\"}}"};
    struct export_message *m = &list[i];
    char *id = arena_alloc(a, EXPORT_ID_MAX + 1);

    (void)snprintf(id, EXPORT_ID_MAX + 1, "%064zu", i);
    m->id = id;
    m->role = (enum role)some(ROLE__MAX);
    m->finish = (enum finish)some(FINISH__MAX);
    m->parent_id = NULL;
    if (some(3) == 0)
        m->parent_id = i > 0 && some(5) > 0 ? list[some(i)].id : "";
    m->provider = some_text(a, 20, NULL);
    m->model = some_text(a, 20, NULL);
    m->at_ms = perhaps(253402300799999, 0);
    m->usage.input_tokens = perhaps(UINT64_C(1) << 53, -1);
    m->usage.output_tokens = perhaps(1000, -1);
    m->usage.cached_tokens = perhaps(1000, -1);
    m->cost_micro = perhaps(4000000000000000, -1);
    m->extra = extras[some(COUNT_OF(extras))];
    m->extra_len = strlen(m->extra);
    m->text = some_text(a, some(4) == 0 ? 200000 : 200, &m->text_len);
}

static void
anything_comes_back_as_it_was(void **state)
{
    struct talk talks[MANY];
    struct arena a;

    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < MANY; i++) {
        struct export_message *list;
        size_t n = some(12);
        const char **tags = arena_alloc(&a, 3 * sizeof(*tags));

        list = arena_alloc(&a, (n + 1) * sizeof(*list));
        for (size_t k = 0; k < n; k++)
            some_message(&a, list, k);
        tags[0] = "x";
        tags[1] = tags[2] = "y\xC3\xA4";
        talks[i] = (struct talk){
            .s = {.id = some_text(&a, 20, NULL),
                  .title = some_text(&a, 100, NULL),
                  .context = some_text(&a, some(8) == 0 ? 300000 : 30, NULL),
                  .model = some_text(&a, 20, NULL),
                  .tags = tags,
                  .n_tags = some(4),
                  .pinned = some(2) == 0,
                  .archived = some(2) == 0,
                  .created_ms = perhaps(253402300799999, 0),
                  .updated_ms = perhaps(253402300799999, 0)},
            .messages = list,
            .n = n};
    }
    comes_back(talks, MANY);
    arena_release(&a);
}

/* A file of another program, taken in and written, gives the same when it is
 * taken in again. */
static enum err
write_again(void *arg, const struct import_session *s)
{
    struct export *x = arg;
    struct export_session es = {.id = s->id,
                                .title = s->title,
                                .context = s->context,
                                .model = s->model,
                                .tags = s->tags,
                                .n_tags = s->n_tags,
                                .pinned = s->pinned,
                                .archived = s->archived,
                                .created_ms = s->created_ms,
                                .updated_ms = s->updated_ms};

    assert_int_equal(export_session(x, &es), OK);
    for (size_t i = 0; i < s->n_messages; i++) {
        const struct import_message *m = &s->messages[i];
        char ids[2][24] = {"", ""};
        struct export_message em = {.role = m->role,
                                    .finish = m->finish,
                                    .provider = m->provider,
                                    .model = m->model,
                                    .at_ms = m->at_ms,
                                    .usage = m->usage,
                                    .cost_micro = m->cost_micro,
                                    .text = m->text,
                                    .text_len = m->text_len,
                                    .extra = m->extra,
                                    .extra_len = m->extra_len};

        (void)snprintf(ids[0], sizeof(ids[0]), "m%zu", i);
        if (m->parent >= 0)
            (void)snprintf(ids[1], sizeof(ids[1]), "m%d", (int)m->parent);
        em.id = ids[0];
        em.parent_id = ids[1];
        assert_int_equal(export_message(x, &em), OK);
    }
    return export_session_end(x);
}

static enum err
pass_over(void *arg, const struct import_fault *f)
{
    (void)arg;
    (void)f;
    return OK;
}

static void
import_export(const struct buf *in, struct out *o, enum export_format f)
{
    struct export x;
    struct import_sink sink = {write_again, pass_over, &x};
    struct import im;

    out_init(o);
    export_init(&x, f, keep, o);
    assert_int_equal(export_begin(&x), OK);
    import_init(&im, &sink);
    assert_int_equal(import_all(&im, in->data, in->len, 100, NULL), OK);
    assert_int_equal(export_end(&x), OK);
    import_release(&im);
    export_release(&x);
}

static void
what_others_wrote_is_the_same_after_two_rounds(void **state)
{
    static const char *const files[] = {
        "tests/import/chatgpt.json", "tests/import/openwebui.json",
        "tests/import/librechat.json", "tests/import/openai.json",
        "tests/import/parley.json"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        struct buf in;
        struct out one, two, three;

        buf_init(&in, TOLD_MAX);
        in.data = read_file(files[i], &in.len);
        import_export(&in, &one, EXPORT_JSON);
        import_export(&one.all, &two, EXPORT_JSONL);
        import_export(&two.all, &three, EXPORT_JSON);
        assert_true(one.all.len > 100);
        assert_string_equal(buf_cstr(&one.all), buf_cstr(&three.all));
        free(in.data);
        buf_release(&one.all);
        buf_release(&two.all);
        buf_release(&three.all);
    }
}

/* --- pieces --------------------------------------------------------------- */

static void
a_long_message_is_handed_on_in_pieces(void **state)
{
    enum { LEN = 8 * 1024 * 1024 };
    static const enum export_format formats[] = {EXPORT_JSON, EXPORT_JSONL,
                                                 EXPORT_MARKDOWN};
    char *text = xmalloc(LEN);
    struct export_message m = {
        .role = ROLE_USER, .id = "m", .text = text, .text_len = LEN, UNKNOWN};
    struct talk t = {.s = {.id = "s"}, .messages = &m, .n = 1};

    (void)state;
    /* Ill-formed in the middle of a slice, and of every byte the longest. */
    (void)memset(text, 0x01, LEN);
    for (size_t i = 1000; i + 4 < LEN; i += 8191)
        memcpy(text + i, "\xF0\x9F\x98\x80", 4);
    m.text_len = LEN / 8; /* a conversation's limit is that of its JSON */
    comes_back(&t, 1);
    m.text_len = LEN;
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        struct out o;

        out_init(&o);
        assert_int_equal(write_talks(&o, formats[i], &t, 1), OK);
        assert_true(o.all.len > LEN && o.flushes > 10);
        assert_true(o.largest <= EXPORT_BUF_MAX);
        buf_release(&o.all);
    }
    free(text);
}

static void
what_flush_says_is_said_on(void **state)
{
    struct export_message m = {.role = ROLE_USER, .id = "m", UNKNOWN};
    struct talk t = {.s = {.id = "s"}, .messages = &m, .n = 1};
    char *text = xcalloc(1, 4 * EXPORT_PIECE);
    struct export x;
    struct out o;

    (void)state;
    m.text = memset(text, 'x', 4 * EXPORT_PIECE);
    m.text_len = 4 * EXPORT_PIECE;
    for (size_t f = 0; f < EXPORT__MAX; f++) {
        for (size_t at = 0; at < 4; at++) {
            out_init(&o);
            o.fail_at = at;
            assert_int_equal(write_talks(&o, (enum export_format)f, &t, 1),
                             ERR_HUP);
            assert_int_equal(o.flushes, at + 1); /* and not once more */
            buf_release(&o.all);
        }
    }
    out_init(&o);
    export_init(&x, EXPORT_JSON, keep, &o);
    assert_int_equal(export_begin(&x), OK);
    assert_int_equal(export_session(&x, &t.s), OK);
    text[EXPORT_ID_MAX + 1] = '\0';
    m.id = text;
    assert_int_equal(export_message(&x, &m), ERR_TOOBIG);
    assert_int_equal(export_end(&x), ERR_TOOBIG);
    export_release(&x);
    buf_release(&o.all);
    free(text);
}

/* --- Markdown ------------------------------------------------------------- */

static void
markdown_says_who_said_what(void **state)
{
    (void)state;
    expect_text(EXPORT_MARKDOWN, talks_of_tea, 2,
                "# Tee \\& \\<Kuchen\\> ☕\n\n"
                "2026-01-02 03:04 UTC\n\n"
                "Tags: küche, a \"b\"\n\n"
                "**Context**\n\nKurz.\n\n"
                "**You**\n\nWie lange\nzieht *Tee*?\n\n"
                "**Assistant (claude-x)**\n\nDrei Minuten.\n\n"
                "**Assistant (gpt\\_4)** *(another branch)*\n\nVier\n\n"
                "*(ended early: length)*\n\n"
                "**You** *(another branch)*\n\n"
                "# Conversation\n\n");
    expect_text(EXPORT_MARKDOWN, NULL, 0, "");
}

/* How a message is written: as it stands, or as a quotation. */
static void
expect_message(const char *text, const char *want)
{
    struct export_message m = {
        .role = ROLE_USER, .text = text, .text_len = strlen(text), UNKNOWN};
    struct talk t = {.s = {.title = "T"}, .messages = &m, .n = 1};
    char all[1000];

    (void)snprintf(all, sizeof(all), "# T\n\n**You**\n\n%s\n\n", want);
    expect_text(EXPORT_MARKDOWN, &t, 1, all);
}

static void
as_it_stands(const char *text)
{
    expect_message(text, text);
}

static void
what_ends_by_itself_is_written_as_it_stands(void **state)
{
    (void)state;
    as_it_stands("# A heading\n\n- a list\n  1. in a list\n\n> quoted");
    as_it_stands("```c\nint x; /* ``` */\n  ~~~\n<html>\n\n```\nmore");
    as_it_stands("~~~\n```\n~~~~~  \nmore");
    as_it_stands("````\n```\n````");
    as_it_stands("1. Do this:\n\n   ```sh\n   ls <x>\n\n     indented\n   "
                 "```\n\n2. And `this`");
    as_it_stands("```inline``` and ``more");
    as_it_stands("a ``` b\n\n`` ` ``");
    as_it_stands("    four spaces");
    as_it_stands("a < b");
    as_it_stands("~~ struck ~~");
}

static void
what_could_reach_further_is_quoted(void **state)
{
    (void)state;
    expect_message("```c\nint x;", "> ```c\n> int x;");
    expect_message("```\n~~~\n", "> ```\n> ~~~");
    expect_message("````\n```", "> ````\n> ```");
    expect_message("```\n``` x", "> ```\n> ``` x");
    expect_message("```\n    ```", "> ```\n>     ```");
    expect_message("- a\n  ```\nb\n```\n", "> - a\n>   ```\n> b\n> ```");
    expect_message("- a\n  ```\n  b\n ```\n", "> - a\n>   ```\n>   b\n>  ```");
    expect_message("x\n2. ```\n   y\n   ```",
                   "> x\n> 2. ```\n>    y\n>    ```");
    expect_message("-\t```", "> -\t```");
    expect_message("\t```", "> \t```");
    expect_message("> ```\n> x", "> > ```\n> > x");
    expect_message("<!-- \n\nx", "> <!-- \n>\n> x");
    expect_message("- <script>", "> - <script>");
    expect_message("  <b>\r\r\nx", ">   <b>\n>\n> x");
    expect_message("> a <pre>", "> > a <pre>");
}

/* --- names ---------------------------------------------------------------- */

static void
formats_have_names_types_and_suffixes(void **state)
{
    static const char *const names[] = {"json", "jsonl", "ndjson", "md",
                                        "markdown"};
    enum export_format f;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_int_equal(export_format_parse(names[i], &f), OK);
    assert_int_equal(f, EXPORT_MARKDOWN);
    assert_string_equal(export_suffix(f), "md");
    assert_int_equal(export_format_parse("pdf", &f), ERR_BADREQ);
    assert_int_equal(export_format_parse("", &f), ERR_BADREQ);
    assert_string_equal(export_media_type(EXPORT_JSON), "application/json");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_members_are_those_of_the_format),
        cmocka_unit_test(anything_comes_back_as_it_was),
        cmocka_unit_test(what_others_wrote_is_the_same_after_two_rounds),
        cmocka_unit_test(a_long_message_is_handed_on_in_pieces),
        cmocka_unit_test(what_flush_says_is_said_on),
        cmocka_unit_test(markdown_says_who_said_what),
        cmocka_unit_test(what_ends_by_itself_is_written_as_it_stands),
        cmocka_unit_test(what_could_reach_further_is_quoted),
        cmocka_unit_test(formats_have_names_types_and_suffixes),
    };

    return cmocka_run_group_tests_name("export", tests, NULL, NULL);
}

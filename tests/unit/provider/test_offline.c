/* Tests of the offline provider, over documents of its own. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/mem.h"
#include "provider/offline.h"
#include "provider/provider.h"

#define ANSWER_MAX (1024 * 1024) /* bytes */

static const char readme[] =
    "![badge](x.svg)\n\n# Birds\n\nBirds are animals with feathers, e.g. the "
    "crow. Most of\nthem can fly! A penguin cannot.\n\n"
    "## Feeding\n\nFeed a crow nuts:\n\n    crow --feed nuts\n    crow --more\n"
    "\nSee [the guide](docs/guide.md) or [a page](https://example.org/).\n\n"
    "## Table\n\n| Bird | Colour |\n|------|--------|\n| robin | red |\n"
    "| raven |  |\n\n"
    "- An owl hunts\n  at night\n- A gull eats chips\n\n"
    "```sh\n# not a heading\nowl --hunt\n```\n";
static const char guide[] =
    "# Guide\n\nNothing here.\n\n## Nesting\n\nStorks nest on chimneys and "
    "return to them.\n";

static char root[] = "/tmp/parley-offline-XXXXXX";
static struct docs *docs;

static void
write_file(const char *name, const char *text)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", root, name);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int
make_docs(void **state)
{
    char path[128];

    (void)state;
    assert_non_null(mkdtemp(root));
    snprintf(path, sizeof(path), "%s/docs", root);
    assert_int_equal(mkdir(path, 0700), 0);
    write_file("README.md", readme);
    write_file("docs/guide.md", guide);
    write_file("docs/notes.txt", "# Secret\n\nSecret plans.\n");
    docs = docs_load(root);
    return 0;
}

static int
remove_docs(void **state)
{
    static const char *const names[] = {
        "README.md",
        "docs/guide.md",
        "docs/notes.txt",
    };
    char path[128];
    size_t i;

    (void)state;
    docs_free(docs);
    docs_free(NULL);
    for (i = 0; i < COUNT_OF(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", root, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof(path), "%s/docs", root);
    rmdir(path);
    return rmdir(root);
}

/* The answer, good until the next one. */
static const char *
ask(const struct docs *d, const char *message)
{
    static char text[ANSWER_MAX + 1];
    struct buf out;

    buf_init(&out, ANSWER_MAX);
    assert_int_equal(offline_answer(d, NULL, message, strlen(message), &out),
                     OK);
    memcpy(text, buf_cstr(&out), out.len + 1);
    buf_release(&out);
    return text;
}

static void
expect(const char *message, const char *want)
{
    const char *got = ask(docs, message);

    if (strstr(got, want) == NULL)
        fail_msg("%s\n--- %s\nlacks: %s", message, got, want);
}

static void
documents_are_cut_where_they_should_be(void **state)
{
    static const char *const units[] = {
        "Birds are animals with feathers, e.g. the crow.",
        "Most of\nthem can fly!",
        "A penguin cannot.",
        "Feed a crow nuts:\n\n    crow --feed nuts\n    crow --more",
        "See [the guide](docs/guide.md) or [a page](https://example.org/).",
        "| robin | red |",
        "| raven |  |",
        "- An owl hunts\n  at night",
        "- A gull eats chips",
        "```sh\n# not a heading\nowl --hunt\n```",
        "Nothing here.",
        "Storks nest on chimneys and return to them.",
    };
    size_t i;

    (void)state;
    assert_int_equal(docs->n_files, 2);
    assert_int_equal(docs->n_sections, 5);
    for (i = 0; i < docs->n_units && i < COUNT_OF(units); i++) {
        const struct unit *u = &docs->units[i];

        if (strlen(units[i]) != u->len ||
            memcmp(u->text, units[i], u->len) != 0)
            fail_msg("unit %zu is: %.*s", i, (int)u->len, u->text);
    }
    assert_int_equal(docs->n_units, COUNT_OF(units));
}

static void
questions_find_their_sentence(void **state)
{
    (void)state;
    expect("Can penguins swim?", "A penguin cannot.");
    expect("WHERE DO STORKS NEST?", "**Nesting**\n\nStorks nest on chimneys");
    expect("what about chimneys", "Storks nest");
    expect("when does the owl hunt", "An owl hunts");
}

static void
code_comes_with_the_sentence_before_it(void **state)
{
    (void)state;
    expect("how do I feed a crow?",
           "Feed a crow nuts:\n\n    crow --feed nuts\n    crow --more\n\n");
}

static void
rows_become_items_and_links_into_documents_lose_their_target(void **state)
{
    (void)state;
    expect("robin", "- robin: red\n");
    expect("raven", "- raven\n");
    expect("is there a guide page",
           "See the guide or [a page](https://example.org/).");
}

/* Documents of one file. */
static const char *
ask_text(const char *text, const char *message)
{
    struct docs *d;
    const char *got;

    write_file("README.md", text);
    write_file("docs/guide.md", "");
    d = docs_load(root);
    got = ask(d, message);
    docs_free(d);
    write_file("README.md", readme);
    write_file("docs/guide.md", guide);
    return got;
}

static void
expect_text(const char *text, const char *message, const char *want)
{
    const char *got = ask_text(text, message);

    if (strstr(got, want) == NULL)
        fail_msg("%s\n--- %s\nlacks: %s", message, got, want);
}

static void
a_row_is_told_with_the_heads_of_its_columns(void **state)
{
    static const char table[] =
        "# Settings\n\nWords.\n\n"
        "| Setting | Default | Range | URL | Meaning |\n|---|:-:|---|--|-|\n"
        "| `OWL_PORT` | `8080` | 1 to 9 | | Where the owl lands |\n"
        "| `OWL_BASE` | `https://owl.example.org/a/very/long/address` | | "
        "`http://b` | Nest |\n"
        "| `OWL_CALL` | `hoo` | | `https://c.example` | |\n";

    (void)state;
    expect_text(table, "where does it land",
                "- `OWL_PORT`: Where the owl lands (default `8080`, range 1 to "
                "9)\n");
    expect_text(table, "OWL_BASE",
                "- `OWL_BASE`: Nest (default `https://owl.example.org/a/very/"
                "long/address`, URL `http://b`)\n");
    expect_text(table, "OWL_CALL",
                "- `OWL_CALL`: `https://c.example` (default `hoo`)\n");
    assert_null(strstr(ask_text(table, "OWL_CALL"), "Setting | Default"));
    assert_null(strstr(ask_text(table, "OWL_CALL"), "OWL_PORT"));
}

static void
a_table_without_a_head_and_one_that_is_too_wide(void **state)
{
    (void)state;
    expect_text("# A\n\n| wren | brown | small |\n| tit | blue | |\n", "wren",
                "- wren: brown (small)\n");
    expect_text("# A\n\nHead.\n\n| heron | grey |\n", "heron",
                "- heron: grey\n");
    assert_null(strstr(ask_text("# A\n\n|a|b|c|d|e|f|\n|-|-|-|-|-|-|\n"
                                "|heron|2|3|4|5|6|\n\nA heron is grey.\n",
                                "heron"),
                       "5"));
}

static void
a_sentence_with_a_colon_brings_its_list(void **state)
{
    static const char text[] =
        "# A\n\nThese birds sing well:\n\n| Bird | Song |\n|---|---|\n"
        "| wren | loud |\n| robin | sad |\n\nCrows do not.\n\n"
        "These birds dive:\n\n- the auk\n- the loon\n";

    (void)state;
    expect_text(text, "who can sing?",
                "These birds sing well:\n\n- wren: loud\n- robin: sad\n\n");
    expect_text(text, "which ones dive",
                "These birds dive:\n\n- the auk\n- the loon\n\n");
}

static void
names_are_one_word_and_some_words_are_the_same(void **state)
{
    static const char text[] =
        "# A\n\nThe nest is a container of twigs. OWL_NEST_SIZE counts them. "
        "A nest has an owl. Its size differs. See http://twigs.example/moss "
        "there.\n";

    (void)state;
    expect_text(text, "owl_nest_size", "\n\nOWL_NEST_SIZE counts them.\n");
    expect_text(text, "is there docker?", "The nest is a container of twigs.");
    expect_text(text, "moss", "I found nothing about that");
}

static const char owls[] =
    "# Owls\n\nOwls see at night.\n\n"
    "## Hunting\n\nTo let an owl hunt at night, open the door of its house and "
    "wait until it is dark outside:\n\n    owl --open\n\n"
    "## Settings\n\n| Setting | Meaning |\n|---|---|\n"
    "| `OWL_DOOR` | Where the door is |\n| `OWL_NIGHT` | When it is dark |\n"
    "| `MOUSE_DOOR` | The same for mice |\n| `HUNT` | What owls hunt |\n"
    "| `OWL_HOUSE_SIZE` | Of the place to live in |\n";

static void
a_row_is_found_by_the_words_of_its_name(void **state)
{
    (void)state;
    expect_text(owls, "how do I set the owl's door?",
                "**Settings**\n\n- `OWL_DOOR`: Where the door is\n\n*");
    expect_text(owls, "house size", "- `OWL_HOUSE_SIZE`: Of the place");
}

static void
a_sentence_with_all_of_it_beats_rows_with_a_word_each(void **state)
{
    const char *s = ask_text(owls, "how do owls hunt at night");

    (void)state;
    assert_ptr_equal(strstr(s, "**Hunting**\n\nTo let an owl hunt"), s);
    assert_null(strstr(s, "**Settings**"));
    assert_null(strstr(s, "**Owls**"));
}

static void
a_list_is_told_alone(void **state)
{
    static const char text[] =
        "# A\n\nThese birds sing:\n\n- the wren\n- the tit\n\n"
        "Other birds do not sing.\n";

    (void)state;
    expect_text(text, "which birds sing?",
                "These birds sing:\n\n- the wren\n- the tit\n\n*");
}

static void
every_answer_says_how_to_set_a_key(void **state)
{
    static const char *const messages[] = {
        "hello",
        "thanks",
        "",
        "   ",
        "?!",
        "robin",
        "tell me everything",
        "what is the capital of France",
        "\xff\xfe\xc3",
        "привет",
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(messages); i++) {
        const char *s = ask(docs, messages[i]);

        assert_non_null(strstr(s, "No model is configured"));
        assert_non_null(strstr(s, "`OPENAI_API_KEY` in `.env` and restart"));
        assert_int_equal(s[strlen(s) - 1], '\n');
    }
}

static void
greetings_are_answered_as_such(void **state)
{
    (void)state;
    expect("hello", "Hello! I am Parley");
    expect("Hi there!", "Hello! I am Parley");
    expect("good morning, Parley", "- Feeding\n");
    expect("Thank you very much", "You are welcome.");
    assert_null(strstr(ask(docs, "hello robin"), "Hello!"));
    expect("Hi, how are you?", "Hello! I am Parley");
    expect("danke", "You are welcome.");
    expect("ok thanks", "You are welcome.");
}

static void
small_talk_is_short(void **state)
{
    static const char *const words[] = {"thanks!", "ok",    "bye",
                                        "cool",    "merci", "good night"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        const char *s = ask(docs, words[i]);

        assert_true(strstr(s, "\n\n*No model") - s < 40);
        assert_null(strstr(s, "- Feeding"));
    }
}

/* --- beside files --------------------------------------------------------- */

static const char *
ask_with(const struct excerpt *x, size_t n, bool searched, const char *message)
{
    static char text[ANSWER_MAX + 1];
    const struct ask a = {.excerpts = x, .n_excerpts = n, .searched = searched};
    struct buf out;

    buf_init(&out, ANSWER_MAX);
    assert_int_equal(offline_answer(docs, &a, message, strlen(message), &out),
                     OK);
    (void)snprintf(text, sizeof(text), "%s", buf_cstr(&out));
    buf_release(&out);
    return text;
}

#define EXCERPT(file, under, says)                                   \
    .name = (file), .title = "", .heading = (under), .text = (says), \
    .len = sizeof(says) - 1, .similarity = 0.5

/* What was found of our own documents says what can be cited; they themselves
 * are told. */
static void
own_documents_are_told_whole_and_cited(void **state)
{
    const struct excerpt x[] = {
        {EXCERPT("docs/guide.md", "Guide", "Nothing."), .sample = true},
        {EXCERPT("README.md", "Birds > Feeding", "Feed a crow nuts: crow"),
         .sample = true},
        {EXCERPT("crow.jpg", "", "Image crow.jpg\nA crow."), .sample = true,
         .image = true}};
    const char *s = ask_with(x, 3, false, "what nuts do I feed");

    (void)state;
    assert_ptr_equal(strstr(s, "**Feeding** [2]\n\nFeed a crow nuts:\n\n    "
                               "crow --feed nuts\n"),
                     s);
    assert_non_null(strstr(s, "\n[2] README.md\n"));
    assert_non_null(strstr(s, "Parley's own documents"));
    s = ask_with(x, 1, false, "what nuts do I feed"); /* not found: not cited */
    assert_ptr_equal(strstr(s, "**Feeding**\n"), s);
    s = ask_with(x, 3, false, "show me pictures of crows");
    assert_non_null(strstr(s, "- **crow.jpg** [3]: A crow."));
    assert_non_null(strstr(s, "Parley's samples"));
}

static void
ones_own_files_come_before_the_documents(void **state)
{
    const struct excerpt x[] = {
        {EXCERPT("birds.txt", "", "A robin nests in the hedge.")},
        {EXCERPT("feed.c", "", "feed(nuts);"), .code = true}};
    const char *s = ask_with(x, 2, true, "where does the robin nest");

    (void)state;
    assert_non_null(strstr(s, "A robin nests in the hedge."));
    assert_non_null(strstr(s, "[1] birds.txt"));
    assert_non_null(strstr(s, "sentences of your files"));
    /* But not where a heading of the documents is asked for, or where code has
     * a word by chance. */
    s = ask_with(x, 2, true, "feeding?");
    assert_ptr_equal(strstr(s, "**Feeding**\n"), s);
    s = ask_with(x, 2, true, "what nuts");
    assert_ptr_equal(strstr(s, "**Feeding**\n"), s);
}

static void
what_was_looked_through_is_said(void **state)
{
    struct excerpt x[] = {
        {EXCERPT("birds.txt", "", "A robin nests in the hedge.")}};

    (void)state;
    x[0].similarity = 0.1;
    assert_non_null(strstr(ask_with(NULL, 0, false, "xyzzy plugh"),
                           "nothing about that in Parley's documents"));
    assert_non_null(strstr(ask_with(x, 1, true, "xyzzy plugh"),
                           "nothing about that in your files, nor in"));
    assert_non_null(strstr(ask_with(x, 1, true, "show me photos of xyzzy"),
                           "no image of that among your files."));
    assert_null(strstr(ask(docs, "show me photos of xyzzy"), "among your"));
}

static void
who_are_you_is_answered_by_the_first_words(void **state)
{
    (void)state;
    expect("who are you?", "Birds are animals with feathers, e.g. the crow. "
                           "Most of them can fly!");
    expect("what can you do", "You can ask about:");
}

static void
what_is_not_there_is_not_made_up(void **state)
{
    const char *s;

    (void)state;
    s = ask(docs, "What is the capital of France, xyzzy?");
    assert_non_null(strstr(s, "I found nothing about that"));
    assert_null(strstr(s, "France")); /* nothing is echoed */
    assert_null(strstr(s, "xyzzy"));
    assert_null(strstr(ask(docs, "secret plans"), "plans"));
}

static void
everything_is_long_and_whole(void **state)
{
    (void)state;
    expect("Please tell me everything!", "```sh\n# not a heading\nowl --hunt"
                                         "\n```");
    expect("a long answer please", "# Guide");
}

static void
the_same_question_gets_the_same_answer(void **state)
{
    char *first = xstrdup(ask(docs, "which bird can fly at night"));

    (void)state;
    assert_string_equal(ask(docs, "which bird can fly at night"), first);
    free(first);
}

static void
without_documents_there_is_still_something_to_tell(void **state)
{
    struct docs *none = docs_load("/nonexistent");

    (void)state;
    assert_int_equal(none->n_files, 1);
    assert_non_null(
        strstr(ask(none, "how do I set a key?"), "OPENAI_API_KEY="));
    assert_non_null(strstr(ask(none, "hello"), "- Sessions\n"));
    assert_true(strlen(ask(none, "tell me everything")) > 1000);
    docs_free(none);
}

static void
odd_documents_do_no_harm(void **state)
{
    static const char *const odd[] = {
        "",
        "#",
        "# ",
        "##\n",
        "\n\n\n",
        "no heading at all",
        "# A\n\n```\nx",
        "# A\n\n|\n||\n|-|\n",
        "# A\n\n-\n- \n1.\n1. \n",
        "# A\n\n[x](",
        "# A\n\n[x](y\n\n[](z) ]( [",
        "#A\n####### B\n",
        "# A\n\n    code",
        "# A\n\ntext:\n```\n",
        "# A\r\n\r\nwords here.\r\n",
        ":\n    x\n",
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(odd); i++) {
        struct docs *d;

        write_file("README.md", odd[i]);
        write_file("docs/guide.md", odd[COUNT_OF(odd) - 1 - i]);
        d = docs_load(root);
        (void)ask(d, "code words x");
        (void)ask(d, "tell me everything");
        (void)ask(d, "who are you");
        (void)ask(d, "hello");
        docs_free(d);
    }
    write_file("README.md", readme);
    write_file("docs/guide.md", guide);
}

static void
a_full_buffer_is_an_error(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 100);
    assert_int_equal(offline_answer(docs, NULL, "hello", 5, &out), ERR_TOOBIG);
    buf_release(&out);
}

/* --- the provider itself ------------------------------------------------- */

static void *
ask_provider(void *arg)
{
    static const struct ask_message m[] = {
        {.role = ROLE_USER, .text = "robin", .len = 5},
        {.role = ROLE_USER, .text = "Where do storks nest?", .len = 21},
    };
    struct ask a = {.model = "", .messages = m, .n_messages = 2};
    struct buf *out = arg;

    buf_init(out, ANSWER_MAX);
    if (provider_offline.answer(&a, out) != OK)
        abort();
    return NULL;
}

static void
many_threads_may_ask_first(void **state)
{
    pthread_t threads[8];
    struct buf out[8];
    size_t i;

    (void)state;
    assert_int_equal(conf_load(root), 0);
    for (i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, ask_provider, &out[i]), 0);
    for (i = 0; i < COUNT_OF(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_non_null(strstr(buf_cstr(&out[i]), "Storks nest"));
        buf_release(&out[i]);
    }
    assert_null(provider_offline.build);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_are_cut_where_they_should_be),
        cmocka_unit_test(questions_find_their_sentence),
        cmocka_unit_test(code_comes_with_the_sentence_before_it),
        cmocka_unit_test(
            rows_become_items_and_links_into_documents_lose_their_target),
        cmocka_unit_test(a_row_is_told_with_the_heads_of_its_columns),
        cmocka_unit_test(a_table_without_a_head_and_one_that_is_too_wide),
        cmocka_unit_test(a_sentence_with_a_colon_brings_its_list),
        cmocka_unit_test(names_are_one_word_and_some_words_are_the_same),
        cmocka_unit_test(a_row_is_found_by_the_words_of_its_name),
        cmocka_unit_test(a_sentence_with_all_of_it_beats_rows_with_a_word_each),
        cmocka_unit_test(a_list_is_told_alone),
        cmocka_unit_test(every_answer_says_how_to_set_a_key),
        cmocka_unit_test(greetings_are_answered_as_such),
        cmocka_unit_test(small_talk_is_short),
        cmocka_unit_test(own_documents_are_told_whole_and_cited),
        cmocka_unit_test(ones_own_files_come_before_the_documents),
        cmocka_unit_test(what_was_looked_through_is_said),
        cmocka_unit_test(who_are_you_is_answered_by_the_first_words),
        cmocka_unit_test(what_is_not_there_is_not_made_up),
        cmocka_unit_test(everything_is_long_and_whole),
        cmocka_unit_test(the_same_question_gets_the_same_answer),
        cmocka_unit_test(without_documents_there_is_still_something_to_tell),
        cmocka_unit_test(odd_documents_do_no_harm),
        cmocka_unit_test(a_full_buffer_is_an_error),
        cmocka_unit_test(many_threads_may_ask_first),
    };

    return cmocka_run_group_tests(tests, make_docs, remove_docs);
}

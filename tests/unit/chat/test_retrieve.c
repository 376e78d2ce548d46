/*
 * Tests of chat/retrieve.c, prompt_files.c and the part of turn_extra.c that
 * is about files: what a model is shown of them, where it is, and what is told
 * and stored of that.
 */
#include "chat_test.h"

#include "chat/command.h"
#include "chat/retrieve.h"
#include "chat/tokens.h"
#include "files/chunk.h"

#define AWAY "tap-cloud" /* a model that says so is on another machine */
#define RED "shibboleth"

static struct files *fs;
static struct collection notes;

static int
setup(void **state)
{
    char dir[300];

    rig_folder();
    taps_start();
    (void)snprintf(dir, sizeof(dir), "%s/files", rig_dir);
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(files_open(dir, &fs), OK);
    assert_int_equal(files_collection(fs, FILES_SHARED, "notes", "", &notes),
                     OK);
    rig_start();
    retrieve_use(rig, fs);
    (void)state;
    return 0;
}

static int
teardown(void **state)
{
    int rc = rig_teardown(state);

    files_close(fs);
    fs = NULL;
    local_text = "";
    return rc;
}

static void
put(const char *name, enum label label, const char *text)
{
    struct document d = {
        .collection = notes.id, .size = 1, .mtime_ns = 1, .label = label};
    struct chunk c = {.heading = "", .text = text, .len = strlen(text)};
    struct files_put *p;

    (void)snprintf(d.name, sizeof(d.name), "%s", name);
    assert_int_equal(files_put_begin(fs, &d, &p), OK);
    assert_int_equal(files_put_chunk(p, &c), OK);
    assert_int_equal(files_put_end(p, &d, RED "\n"), OK);
}

static void
put_all(void)
{
    put("open.txt", LABEL_CLOUD_OK, "The heron nests in the old alder.");
    put("secret.txt", LABEL_LOCAL_ONLY, "The heron costs ninety ducats.");
    put("half.txt", LABEL_REDACT, "The heron is called " RED " at home.");
}

/* As api/ask.c does: looked up, then asked. */
static struct turn_ask *
ask_about(const struct provider *p, const char *model, const char *text,
          int use)
{
    struct turn_ask *a = ask_new(p, "s", text);

    a->route.model = model;
    a->files = use;
    retrieve(rig, a);
    return a;
}

static size_t
count_of(const struct record *rec, enum event_type type)
{
    size_t n = 0;

    for (size_t i = 0; i < rec->n; i++)
        n += rec->notes[i].type == type;
    return n;
}

static const struct note *
first_of(const struct record *rec, enum event_type type)
{
    for (size_t i = 0; i < rec->n; i++)
        if (rec->notes[i].type == type)
            return &rec->notes[i];
    fail();
    return NULL;
}

static void
seen(char out[sizeof(tap_seen)])
{
    (void)pthread_mutex_lock(&tap_mu);
    (void)memcpy(out, tap_seen, sizeof(tap_seen));
    (void)pthread_mutex_unlock(&tap_mu);
}

static struct record *
answered(struct turn_ask *a, const char *answer)
{
    struct record *rec;

    tap_text(0, answer);
    tap_finish(0, FINISH_STOP);
    rec = ask_it(a);
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    return rec;
}

static bool
keep_extra(void *arg, const struct message *m)
{
    buf_clear(arg);
    buf_add(arg, m->extra, m->extra_len);
    return true;
}

/* What is stored with the last message of the session. */
static void
stored_extra(struct buf *out)
{
    buf_init(out, STORE_EXTRA_MAX);
    assert_int_equal(store_messages(engine_store(rig), "", "s", UINT32_MAX, 100,
                                    0, NULL, keep_extra, out),
                     OK);
}

/* The number of the end is stored as it was told. */
static void
assert_end_is_known(const struct record *rec)
{
    struct turn_info info;

    assert_int_equal(store_turn(engine_store(rig), &rec->turn, &info), OK);
    assert_int_equal(info.end_seq, rec->notes[rec->n - 1].seq);
}

/* --- what a model is shown ------------------------------------------------ */

static void
a_model_here_is_shown_all_and_cites(void **state)
{
    char prompt[sizeof(tap_seen)];
    struct turn_ask *a;
    struct record *rec;
    struct buf extra;

    (void)state;
    put_all();
    a = ask_about(&tap_provider, "tap-1", "tap 0 heron", 1);
    assert_non_null(a->retrieved);
    assert_int_equal(a->retrieved->here.n, 3);
    rec = answered(a, "It is so [2].");
    seen(prompt);
    assert_non_null(strstr(prompt, "ninety ducats"));
    assert_non_null(strstr(prompt, "old alder"));
    assert_non_null(strstr(prompt, RED));
    assert_non_null(strstr(first_of(rec, EVENT_CONTEXT)->text, "secret.txt"));
    assert_int_equal(count_of(rec, EVENT_CITATION), 1);
    assert_non_null(strstr(first_of(rec, EVENT_CITATION)->text, "{\"n\":2,"));
    assert_end_has(rec, "\"citations\":[{\"n\":2,");
    assert_null(strstr(rec->notes[rec->n - 1].text, "\"n\":1,"));
    assert_null(strstr(rec->notes[rec->n - 1].text, "files_held_back"));
    assert_end_is_known(rec);
    stored_extra(&extra);
    assert_non_null(strstr(buf_cstr(&extra), "\"citations\":[{\"n\":2,"));
    buf_release(&extra);
}

static void
an_answer_that_cites_nothing_stands_on_all(void **state)
{
    struct record *rec;

    (void)state;
    put_all();
    rec = answered(ask_about(&tap_provider, "tap-1", "tap 0 heron", 1),
                   "It is so [9], [02], [0], [1 and [");
    assert_int_equal(count_of(rec, EVENT_CITATION), 3);
    assert_end_is_known(rec);
    /* Where nothing is found nothing is said of files. */
    rec = answered(ask_about(&tap_provider, "tap-1", "tap 0 xylophone", -1),
                   "No [1].");
    assert_int_equal(count_of(rec, EVENT_CITATION), 0);
    assert_int_equal(count_of(rec, EVENT_CONTEXT), 0);
    assert_end_has(rec, "\"citations\":[]");
    assert_end_is_known(rec);
}

static void
a_model_elsewhere_is_shown_what_may_leave(void **state)
{
    char prompt[sizeof(tap_seen)];
    struct record *rec;

    (void)state;
    put_all();
    rec = answered(ask_about(&tap_provider, AWAY, "tap 0 heron", 1), "So.");
    seen(prompt);
    assert_non_null(strstr(prompt, "old alder"));
    assert_non_null(strstr(prompt, "half.txt"));
    assert_null(strstr(prompt, "ducats"));
    assert_null(strstr(prompt, "secret.txt"));
    assert_null(strstr(prompt, RED));
    assert_end_has(rec, "\"files_held_back\"");
    assert_end_has(rec, "1 file was not shown");
    assert_end_has(rec, "secret.txt\"");
    for (size_t i = 0; i < rec->n; i++) {
        assert_null(strstr(rec->notes[i].text, "ducats"));
        assert_null(strstr(rec->notes[i].text, RED));
    }
    assert_int_equal(count_of(rec, EVENT_CITATION), 2);
    assert_end_is_known(rec);
}

/* The user's last message, as it is sent. */
static const char *
quoted(const struct turn_ask *a)
{
    return a->ask.messages[a->ask.n_messages - 1 - a->n_after].text;
}

static enum err
build(struct turn_ask *a, struct prompt_report *r)
{
    struct token_scales *scales = token_scales_new();
    struct problem why;
    enum err e;

    e = prompt_build(a, &a->route, "Be kind.", scales, false, r, &why);
    token_scales_free(scales);
    return e;
}

/* They are others each time: what is before them stays the same. */
static void
excerpts_stand_right_before_what_the_user_says(void **state)
{
    static struct ask_message said[] = {
        {.role = ROLE_USER, .text = "Hello", .len = 5},
        {.role = ROLE_ASSISTANT, .text = "Hi", .len = 2}};
    static const struct ask_message after[] = {
        {.role = ROLE_ASSISTANT, .text = "call", .len = 4}};
    const struct piece pieces[] = {
        {.kind = PIECE_TEXT, .text = "tap 0 heron", .len = 11},
        {.kind = PIECE_IMAGE, .text = "aGk=", .len = 4}};
    struct turn_ask *a;
    struct prompt_report r;
    int64_t without;
    const char *end;

    (void)state;
    put_all();
    a = ask_about(&tap_provider, "tap-1", "tap 0 heron", 0);
    a->history = said;
    a->n_history = 2;
    assert_int_equal(build(a, &r), OK);
    assert_string_equal(quoted(a), "tap 0 heron");
    assert_false(a->ask.passing);
    without = r.estimate;
    a->files = 1;
    retrieve(rig, a);
    assert_int_equal(build(a, &r), OK);
    assert_string_equal(a->ask.system, "Be kind.");
    assert_int_equal(a->ask.n_messages, 3);
    assert_string_equal(a->ask.messages[0].text, "Hello");
    assert_int_equal(a->ask.messages[2].role, ROLE_USER);
    assert_int_equal(strlen(quoted(a)), a->ask.messages[2].len);
    assert_non_null(strstr(quoted(a), "\n| The heron nests in the old alder."));
    end = strstr(quoted(a), "\nThe excerpts end here.");
    assert_non_null(end);
    assert_non_null(strstr(end, "\n\ntap 0 heron"));
    assert_true(a->ask.passing);
    assert_true(r.estimate > without + 100); /* they are counted */
    /* An image stays beside the words. */
    a->pieces = pieces;
    a->n_pieces = 2;
    assert_int_equal(build(a, &r), OK);
    assert_int_equal(a->ask.messages[2].n_pieces, 3);
    assert_non_null(strstr(a->ask.messages[2].pieces[0].text, "ducats"));
    assert_ptr_equal(a->ask.messages[2].pieces[1].text, pieces[0].text);
    assert_int_equal(a->ask.messages[2].pieces[2].kind, PIECE_IMAGE);
    /* Calls and results of tools are behind it, and will be sent again. */
    a->pieces = NULL;
    a->n_pieces = 0;
    a->after = after;
    a->n_after = 1;
    assert_int_equal(build(a, &r), OK);
    assert_non_null(strstr(quoted(a), "ducats"));
    assert_string_equal(a->ask.messages[3].text, "call");
    assert_false(a->ask.passing);
    turn_ask_free(a);
}

/* What is left of a prompt for a model here must not be in the next one. */
static void
a_model_that_stands_in_is_shown_its_own(void **state)
{
    struct token_scales *scales = token_scales_new();
    struct prompt_report r;
    struct problem why;
    struct turn_ask *a;

    (void)state;
    put_all();
    a = ask_about(&tap_provider, "tap-1", "tap 0 heron", 1);
    assert_int_equal(prompt_build(a, &a->route, "", scales, false, &r, &why),
                     OK);
    assert_true(r.stays);
    assert_int_equal(r.excerpts, 3);
    assert_non_null(strstr(quoted(a), "ducats"));
    a->route.model = AWAY;
    assert_int_equal(prompt_build(a, &a->route, "", scales, false, &r, &why),
                     OK);
    assert_false(r.stays);
    assert_int_equal(r.excerpts, 2);
    assert_null(strstr(quoted(a), "ducats"));
    assert_null(strstr(quoted(a), RED));
    /* One that answers from them has them as they are, the next one not. */
    a->route.provider = &local_provider;
    assert_int_equal(prompt_build(a, &a->route, "", scales, false, &r, &why),
                     OK);
    assert_int_equal(a->ask.n_excerpts, 3);
    assert_string_equal(quoted(a), "tap 0 heron");
    a->route.provider = &tap_provider;
    assert_int_equal(prompt_build(a, &a->route, "", scales, false, &r, &why),
                     OK);
    assert_int_equal(a->ask.n_excerpts, 0);
    assert_null(a->ask.excerpts);
    turn_ask_free(a);
    token_scales_free(scales);
}

static void
the_setting_says_where_files_are_used(void **state)
{
    struct turn_ask *a;

    (void)state;
    put_all();
    conf_override(CONF_FILES_USE, "local");
    a = ask_about(&tap_provider, "tap-1", "heron", -1);
    assert_non_null(a->retrieved);
    assert_int_equal(retrieved_for(a->retrieved, true)->n, 3);
    assert_int_equal(retrieved_for(a->retrieved, false)->n, 0);
    turn_ask_free(a);
    a = ask_about(&tap_provider, AWAY, "heron", -1);
    assert_null(a->retrieved);
    assert_int_equal(retrieved_for(NULL, true)->n, 0);
    turn_ask_free(a);
    a = ask_about(&tap_provider, "tap-1", "heron", 0);
    assert_null(a->retrieved);
    turn_ask_free(a);
    conf_override(CONF_FILES_USE, "always");
    a = ask_about(&tap_provider, AWAY, "heron", -1);
    assert_int_equal(retrieved_for(a->retrieved, false)->n, 2);
    turn_ask_free(a);
    conf_override(CONF_FILES_USE, "asked");
    a = ask_about(&tap_provider, "tap-1", "heron", -1);
    assert_null(a->retrieved);
    turn_ask_free(a);
    retrieve_use(rig, NULL);
    a = ask_about(&tap_provider, "tap-1", "heron", 1);
    retrieve(rig, a);
    assert_string_equal(a->notes,
                        "{\"code\":\"files_ignored\",\"message\":\"This server "
                        "has no index of files.\"}");
    turn_ask_free(a);
}

static void
a_file_of_somebody_else_is_not_found(void **state)
{
    struct collection hers;
    struct turn_ask *a;

    (void)state;
    put_all();
    assert_int_equal(files_collection(fs, "user:ann", "mine", "", &hers), OK);
    notes = hers;
    put("hers.txt", LABEL_CLOUD_OK, "Her heron.");
    a = ask_new(&tap_provider, "s", "heron");
    a->files = 1;
    a->owner = "user:bob";
    retrieve(rig, a);
    for (size_t i = 0; i < a->retrieved->here.n; i++)
        assert_string_not_equal(a->retrieved->here.hits[i].name, "hers.txt");
    a->owner = "user:ann";
    retrieve(rig, a);
    assert_int_equal(a->retrieved->here.n, 4);
    turn_ask_free(a);
}

/* --- the provider that answers from them ---------------------------------- */

static void
what_answers_here_cites_what_it_names(void **state)
{
    struct record *rec;

    (void)state;
    put_all();
    local_text = "Hello!";
    rec = ask_it(ask_about(&local_provider, "local", "heron", 1));
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_int_equal(count_of(rec, EVENT_CITATION), 0);
    assert_end_has(rec, "\"citations\":[]");
    assert_end_is_known(rec);
    local_text = "A sentence [1], another [3].";
    rec = ask_it(ask_about(&local_provider, "local", "heron", 1));
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    assert_int_equal(count_of(rec, EVENT_CITATION), 2);
    assert_end_is_known(rec);
}

/* --- commands ------------------------------------------------------------- */

static struct record *
command(const char *owner, const char *line, bool lists)
{
    struct turn_ask *a = ask_new(&tap_provider, "s", line);
    struct record *rec = record_new(); /* the store has no turn of it */

    a->owner = owner;
    a->lists = lists;
    command_read(a);
    assert_non_null(a->command);
    engine_ask(rig, a, &rec->r);
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    return rec;
}

static void
files_are_listed_by_a_command(void **state)
{
    struct record *rec;
    char name[16];

    (void)state;
    put_all();
    rec = command("", "/files", true);
    assert_end_has(rec, "\"status\":\"success\",\"files\":[{");
    assert_end_has(rec, "\"name\":\"half.txt\"");
    assert_end_has(rec, "\"label\":\"local-only\"");
    assert_end_has(rec, "\"total\":3}");
    for (int i = 0; i < 60; i++) {
        (void)snprintf(name, sizeof(name), "%02d.txt", i);
        put(name, LABEL_CLOUD_OK, "An alder.");
    }
    rec = command("", "/files", true);
    assert_end_has(rec, "\"total\":63}");
    assert_end_has(rec, "and 13 more.");
}

static void
a_search_looks_into_files_as_well(void **state)
{
    struct collection hers;
    struct record *rec;

    (void)state;
    put_all();
    assert_int_equal(files_collection(fs, "user:ann", "mine", "", &hers), OK);
    notes = hers;
    put("hers.txt", LABEL_CLOUD_OK, "Her heron.");
    rec = command("user:ann", "/search heron", true);
    assert_end_has(rec, "\"name\":\"hers.txt\"");
    assert_end_has(rec, "\"name\":\"secret.txt\"");
    assert_end_has(rec, "**In files**");
    rec = command("user:bob", "/search heron", true);
    assert_end_has(rec, "\"name\":\"secret.txt\"");
    assert_null(strstr(rec->notes[rec->n - 1].text, "hers.txt"));
    retrieve_use(rig, NULL);
    rec = command("user:bob", "/search heron", true);
    assert_null(strstr(rec->notes[rec->n - 1].text, "\"files\":"));
}

/* --- what was said before ------------------------------------------------- */

static void
the_newest_of_what_was_said_counts(void **state)
{
    char big[3][600];
    struct ask_message m[6];
    struct buf out;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(big); i++) {
        (void)memset(big[i], 'a' + (int)i, sizeof(big[i]));
        m[2 * i] = (struct ask_message){
            .role = ROLE_USER, .text = big[i], .len = sizeof(big[i])};
        m[2 * i + 1] = (struct ask_message){
            .role = ROLE_ASSISTANT, .text = "zzz", .len = 3};
    }
    m[5].text = big[2];
    m[5].len = sizeof(big[2]);
    buf_init(&out, RETRIEVE_RECENT_MAX + 1);
    retrieve_recent(m, COUNT_OF(m), false, &out);
    assert_int_equal(buf_status(&out), OK);
    assert_int_equal(out.len, 3 * 401); /* the oldest has no room */
    assert_true(out.data[0] == 'b' && out.data[out.len - 2] == 'c');
    assert_null(strstr(buf_cstr(&out), "zzz"));
    buf_clear(&out);
    m[0].text = "Where?";
    m[0].len = 6;
    retrieve_recent(m, 2, false, &out);
    assert_string_equal(buf_cstr(&out), "Where?\nzzz\n");
    buf_clear(&out);
    m[1].stays = true; /* it quotes what must not leave */
    retrieve_recent(m, 2, true, &out);
    assert_string_equal(buf_cstr(&out), "Where?\n");
    buf_clear(&out);
    retrieve_recent(m, 2, false, &out);
    assert_string_equal(buf_cstr(&out), "Where?\nzzz\n");
    buf_clear(&out);
    retrieve_recent(NULL, 0, false, &out);
    assert_int_equal(out.len, 0);
    buf_release(&out);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_model_here_is_shown_all_and_cites),
        TEST(an_answer_that_cites_nothing_stands_on_all),
        TEST(a_model_elsewhere_is_shown_what_may_leave),
        TEST(excerpts_stand_right_before_what_the_user_says),
        TEST(a_model_that_stands_in_is_shown_its_own),
        TEST(the_setting_says_where_files_are_used),
        TEST(a_file_of_somebody_else_is_not_found),
        TEST(what_answers_here_cites_what_it_names),
        TEST(files_are_listed_by_a_command),
        TEST(a_search_looks_into_files_as_well),
        cmocka_unit_test(the_newest_of_what_was_said_counts),
    };
#undef TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}

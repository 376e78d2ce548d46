/*
 * Tests of chat/commands/search.c, export.c and server.c: what they find, give
 * and list, each at the limits of what it takes.
 */
#include "chat_test.h"

#include "chat/command.h"
#include "store/search.h"

static struct record *
run_as(const char *owner, const char *session, const char *line, bool lists)
{
    struct record *rec = record_new(); /* the store has no turn of it */
    struct turn_ask *a = ask_new(&tap_provider, session, line);

    a->owner = arena_strdup(&a->arena, owner);
    a->lists = lists;
    command_read(a);
    assert_non_null(a->command);
    engine_ask(rig, a, &rec->r);
    record_wait_done(rec);
    assert_whole(rec, EVENT_COMPLETE, 0);
    return rec;
}

static struct record *
run(const char *session, const char *line)
{
    return run_as("", session, line, true);
}

static void
assert_end_lacks(const struct record *rec, const char *part)
{
    assert_null(strstr(rec->notes[rec->n - 1].text, part));
}

/* --- lists ---------------------------------------------------------------- */

static void
what_is_not_there_is_an_empty_list(void **state)
{
    struct record *rec = run("s", "/files");

    (void)state;
    assert_end_has(rec, "\"result\":{\"status\":\"success\",\"files\":[],"
                        "\"total\":0}");
    rec = run("s", "/tools");
    assert_end_has(rec, "\"result\":{\"status\":\"success\",\"tools\":[]}");
    rec = run("s", "/tools all");
    assert_end_has(rec, "\"code\":\"invalid_argument\"");
}

static void
help_has_them_all(void **state)
{
    struct record *rec = run("s", "/help");
    size_t n;
    const struct command *all = command_table(&n);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        char part[64];

        (void)snprintf(part, sizeof(part), "{\"name\":\"%s\"", all[i].name);
        assert_end_has(rec, part);
    }
}

/* --- /search -------------------------------------------------------------- */

/* Run it until all that was said can be found. */
static struct record *
search_whole(const char *session, const char *line, bool lists)
{
    int64_t until_ms = clock_mono_ms() + TAP_WAIT_MS;
    struct record *rec;

    rig_settle(); /* the index hears of an answer after its readers did */
    for (;;) {
        rec = run_as("", session, line, lists);
        if (strstr(rec->notes[rec->n - 1].text, "\"complete\":true") != NULL)
            return rec;
        assert_end_has(rec, "\"complete\":false");
        assert_true(clock_mono_ms() < until_ms);
        fake_sleep_ms(20);
    }
}

static void
all_sessions_are_searched_or_this_one(void **state)
{
    struct record *rec;

    (void)state;
    (void)whole_turn(0, "a", "tap 0 a red fox", "It runs.");
    (void)whole_turn(0, "b", "tap 0 hello", "The red sun.");
    rec = search_whole("a", "/search red", true);
    assert_end_has(rec, "\"query\":\"red\"");
    assert_end_has(rec, "\"session_id\":\"a\"");
    assert_end_has(rec, "\"session_id\":\"b\"");
    assert_end_has(rec, "\"snippet\":\"tap 0 a red fox\"}");
    assert_end_has(rec, "\"snippet\":\"The red sun.\"}");
    assert_end_has(rec, "\"role\":\"assistant\",\"timestamp\":\"");
    assert_end_has(rec, "\"scope\":\"all\"");
    rec = search_whole("a", "/search text=\"red\"", false);
    assert_end_has(rec, "\"session_id\":\"a\"");
    assert_end_lacks(rec, "\"snippet\":\"The red sun.\"");
    assert_end_has(rec, "\"scope\":\"session\"");
    rec = search_whole("a", "/search violet", true);
    assert_end_has(rec, "\"results\":[]");
    assert_end_has(rec, "Nothing was found.");
    rec = run_as("ann", "a", "/search red", true);
    assert_end_has(rec, "\"results\":[]");
}

static void
a_session_without_messages_has_nothing_to_find(void **state)
{
    struct record *rec = run_as("", "new", "/search red", false);

    (void)state;
    assert_end_has(rec, "\"results\":[],\"scope\":\"session\","
                        "\"complete\":true");
}

static void
a_query_has_its_limits(void **state)
{
    static char line[SEARCH_QUERY_MAX + 20] = "/search ";
    struct record *rec;

    (void)state;
    (void)whole_turn(0, "a", "tap 0 a red fox", "It runs.");
    rec = run("a", "/search");
    assert_end_has(rec, "\"code\":\"missing_argument\"");
    assert_end_has(rec, "Write /search text=\\\"…\\\".");
    rec = run("a", "/search text=\"\"");
    assert_end_has(rec, "\"code\":\"missing_argument\"");
    memset(line + 8, 'a', SEARCH_QUERY_MAX);
    rec = run("a", line);
    assert_end_has(rec, "\"status\":\"success\"");
    line[8 + SEARCH_QUERY_MAX] = 'a';
    rec = run("a", line);
    assert_end_has(rec, "\"code\":\"invalid_q\"");
}

/* --- /export -------------------------------------------------------------- */

static size_t export_bytes;

static enum err
fake_export(struct store *s, const char *owner, const char *session_id,
            struct command_file *file)
{
    struct session sess;
    enum err e = store_session(s, owner, session_id, &sess);

    if (strcmp(file->format, "md") != 0 && strcmp(file->format, "json") != 0)
        return ERR_BADREQ;
    if (e != OK)
        return e;
    (void)snprintf(file->name, sizeof(file->name), "x-%s.%s", session_id,
                   file->format);
    for (size_t i = 0; i < export_bytes; i++)
        buf_addc(file->text, 'x');
    return buf_status(file->text);
}

static void
a_session_is_given_as_a_file(void **state)
{
    struct record *rec;

    (void)state;
    command_exporter(rig, fake_export);
    export_bytes = 3;
    rec = run("a", "/export");
    assert_end_has(rec, "\"code\":\"nothing_to_export\"");
    (void)whole_turn(0, "a", "tap 0 a red fox", "It runs.");
    rec = run("a", "/export");
    assert_end_has(rec, "\"format\":\"md\",\"filename\":\"x-a.md\","
                        "\"url\":\"sessions/a/export?format=md\","
                        "\"content\":\"xxx\"}");
    assert_end_has(rec, "[x-a.md](sessions/a/export?format=md)");
    rec = run("a", "/export json");
    assert_end_has(rec, "\"format\":\"json\"");
    rec = run("a", "/export format=json");
    assert_end_has(rec, "\"filename\":\"x-a.json\"");
    rec = run("a", "/export format=pdf");
    assert_end_has(rec, "\"code\":\"invalid_argument\"");
}

static void
a_long_file_is_given_by_its_address(void **state)
{
    struct record *rec;

    (void)state;
    command_exporter(rig, fake_export);
    (void)whole_turn(0, "a", "tap 0 a red fox", "It runs.");
    export_bytes = COMMAND_EXPORT_MAX;
    assert_end_has(run("a", "/export"), "\"content\":\"xxx");
    export_bytes++;
    rec = run("a", "/export");
    assert_end_has(rec, "\"url\":\"sessions/a/export?format=md\"}");
    assert_end_lacks(rec, "\"content\":\"xxx");
}

static void
without_formats_there_is_no_file(void **state)
{
    (void)state;
    assert_end_has(run("a", "/export"), "\"status\":\"error\"");
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_is_not_there_is_an_empty_list),
        T(help_has_them_all),
        T(all_sessions_are_searched_or_this_one),
        T(a_session_without_messages_has_nothing_to_find),
        T(a_query_has_its_limits),
        T(a_session_is_given_as_a_file),
        T(a_long_file_is_given_by_its_address),
        T(without_formats_there_is_no_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

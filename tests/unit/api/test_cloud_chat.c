/*
 * Tests of api/package.c and cloud_chat.c, and of the routes of files: what a
 * message finds, what of it may leave, who answers it on this machine; files
 * uploaded, listed, labelled, searched and deleted, with nobody who reads them
 * (the test does). Where a process does, see tests/e2e.
 */
#include "../http/http_test.h"

#include "../chat/chat_test.h"
#include "auth_rig.h"
#include "api/app.h"
#include "api/cloud_chat.h"
#include "api/package.h"
#include "chat/retrieve.h"
#include "files/chunk.h"

static struct app app;
static struct files *fs;
static cJSON *ask;
static struct package pack;
static struct problem why;
static struct buf reply;

static int
setup(void **state)
{
    char dir[300];

    (void)rig_setup(state);
    (void)snprintf(dir, sizeof(dir), "%s/files", rig_dir);
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(files_open(dir, &fs), OK);
    retrieve_use(rig, fs);
    app = (struct app){.en = rig, .ping_ms = 600000};
    auth_rig_open(&app);
    return 0;
}

static int
teardown(void **state)
{
    char command[300];
    int rc;

    (void)snprintf(command, sizeof(command), "rm -rf '%s/files'", rig_dir);
    rc = system(command);
    rc |= rig_teardown(state);
    auth_rig_close(&app);
    files_close(fs);
    fs = NULL;
    package_release(&pack);
    (void)memset(&pack, 0, sizeof(pack));
    cJSON_Delete(ask);
    ask = NULL;
    buf_release(&reply);
    return rc;
}

/* --- the index ------------------------------------------------------------ */

static void
put(const char *name, bool image, enum label label, const char *text)
{
    struct document d = {
        .size = 1, .mtime_ns = 1, .label = label, .image = image};
    struct chunk c = {.heading = "", .text = text, .len = strlen(text)};
    struct collection shared;
    struct files_put *p;

    assert_int_equal(files_collection(fs, FILES_SHARED, "all", "/all", &shared),
                     OK);
    d.collection = shared.id;
    (void)snprintf(d.name, sizeof(d.name), "%s", name);
    (void)snprintf(d.facts.tags, sizeof(d.facts.tags), "bird\nwater");
    (void)snprintf(d.facts.description, sizeof(d.facts.description), "%s",
                   text);
    assert_int_equal(files_put_begin(fs, &d, &p), OK);
    assert_int_equal(files_put_chunk(p, &c), OK);
    assert_int_equal(files_put_end(p, &d, "shibboleth\n"), OK);
}

static void
put_all(void)
{
    put("open.txt", false, LABEL_CLOUD_OK, "The heron nests in the alder.");
    put("secret.txt", false, LABEL_LOCAL_ONLY, "The heron costs ten ducats.");
    put("half.txt", false, LABEL_REDACT, "The heron is called shibboleth.");
    put("a/heron.jpg", true, LABEL_CLOUD_OK, "A heron in a pond.");
    put("mine.jpg", true, LABEL_LOCAL_ONLY, "A heron in my garden.");
    put("dim.jpg", true, LABEL_REDACT, "A heron at night.");
}

/* --- packages ------------------------------------------------------------- */

static enum err
find(const char *json, bool leaves)
{
    static const struct identity nobody;

    package_release(&pack);
    cJSON_Delete(ask);
    ask = cJSON_Parse(json);
    assert_non_null(ask);
    why = (struct problem){.err = OK};
    return package_make(&pack, &app, FILES_SHARED, &nobody, ask, leaves, &why);
}

static bool
has_file(const char *name)
{
    for (size_t i = 0; i < pack.c.n_files; i++)
        if (strcmp(pack.c.files[i].name, name) == 0)
            return true;
    return false;
}

static void
a_message_has_a_context(void **state)
{
    (void)state;
    assert_int_equal(find("{\"message\":\"a\",\"history\":[]}", true), OK);
    assert_true(strlen(pack.c.system_prompt) > 0);
    assert_string_equal(pack.c.rag_context, "");
    assert_int_equal(pack.c.n_files, 0);
    assert_null(pack.c.image);
    assert_string_equal(pack.c.user_message, "a");
    assert_int_equal(cJSON_GetArraySize(pack.c.history), 0);
    assert_int_equal(find("{\"message\":\"a\",\"image_name\":\"\"}", true), OK);
    assert_null(pack.c.history);
}

static void
the_system_prompt_is_the_settings(void **state)
{
    char big[4001];

    (void)state;
    conf_override(CONF_SYSTEM_PROMPT, "Be brief.");
    assert_int_equal(find("{\"message\":\"a\"}", true), OK);
    assert_string_equal(pack.c.system_prompt, "Be brief.");
    (void)memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    conf_override(CONF_SYSTEM_PROMPT, big);
    assert_int_equal(find("{\"message\":\"a\"}", true), OK);
    assert_string_equal(pack.c.system_prompt, big);
}

static void
what_must_stay_does_not_leave(void **state)
{
    struct buf json;

    (void)state;
    put_all();
    assert_int_equal(find("{\"message\":\"heron\"}", true), OK);
    assert_true(has_file("open.txt") && has_file("half.txt"));
    assert_false(has_file("secret.txt") || has_file("mine.jpg"));
    assert_int_equal(pack.c.n_held, 2);
    buf_init(&json, 1 << 20);
    ws_context_data(&pack.c, &json);
    assert_null(strstr(buf_cstr(&json), "ducats"));
    assert_null(strstr(buf_cstr(&json), "garden"));
    assert_null(strstr(buf_cstr(&json), "shibboleth"));
    assert_non_null(strstr(buf_cstr(&json), "alder"));
    assert_non_null(strstr(buf_cstr(&json), "\"held_back\":["));
    buf_release(&json);
    assert_int_equal(find("{\"message\":\"heron\"}", false), OK);
    assert_true(has_file("secret.txt") && has_file("mine.jpg"));
    assert_int_equal(pack.c.n_held, 0);
    assert_non_null(strstr(pack.c.rag_context, "shibboleth"));
}

static void
a_follow_up_is_about_what_was_said(void **state)
{
    (void)state;
    put_all();
    assert_int_equal(
        find("{\"message\":\"and there?\",\"history\":[{\"role\":\"user\","
             "\"content\":\"Where does the heron nest?\"}]}",
             true),
        OK);
    assert_true(has_file("open.txt"));
}

static void
an_image_is_named_as_in_the_index(void **state)
{
    static const char *const wrong[] = {
        "b.jpg",    "../a/heron.jpg", "/etc/passwd",
        "open.txt", "mine.jpg",       "dim.jpg",
        "a",        "./a/heron.jpg",  "a//heron.jpg"};
    char json[128];

    (void)state;
    put_all();
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        (void)snprintf(json, sizeof(json),
                       "{\"message\":\"x\",\"image_name\":\"%s\"}", wrong[i]);
        assert_int_equal(find(json, true), ERR_NOTFOUND);
        (void)snprintf(json, sizeof(json), "File not found: %s", wrong[i]);
        assert_string_equal(why.error, json);
        assert_string_equal(why.code, "file_not_found");
        assert_null(pack.c.image);
    }
    assert_int_equal(
        find("{\"message\":\"x\",\"image_name\":\"heron.jpg\"}", true), OK);
    assert_string_equal(pack.c.image->name, "a/heron.jpg");
    assert_string_equal(pack.c.image->description, "A heron in a pond.");
    assert_int_equal(pack.c.image->n_tags, 2);
    assert_string_equal(pack.c.image->tags[1], "water");
    assert_string_equal(pack.c.image->base64, ""); /* nobody can open it */
    assert_int_equal(
        find("{\"message\":\"x\",\"image_name\":\"mine.jpg\"}", false), OK);
}

static void
without_an_index_there_is_none(void **state)
{
    (void)state;
    retrieve_use(rig, NULL);
    assert_int_equal(find("{\"message\":\"a\"}", true), ERR_IMPOSSIBLE);
    assert_string_equal(why.code, "no_index");
}

static void
the_model_of_this_machine_answers(void **state)
{
    (void)state;
    ask = cJSON_Parse("{\"message\":\"a\",\"provider\":\"openai\"}");
    cloud_local(ask);
    assert_string_equal(json_str(ask, "provider"), "offline");
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(ask, "files")));
    conf_override(CONF_OLLAMA_BASE_URL, "http://127.0.0.1:9");
    cloud_local(ask);
    assert_string_equal(json_str(ask, "provider"), "ollama");
    assert_int_equal(cJSON_GetArraySize(ask), 3);
}

/* --- routes --------------------------------------------------------------- */

/* What is answered. query and type may be "". */
static const char *
call(const char *method, const char *path, const char *query, const char *type,
     const char *body)
{
    char text[4][512];
    const char *vars[] = {text[0],
                          text[1],
                          text[2],
                          text[3],
                          "REMOTE_ADDR=127.0.0.1",
                          "HTTP_HOST=localhost",
                          NULL};
    struct request *rq;
    int fd;

    (void)snprintf(text[0], sizeof(text[0]), "REQUEST_METHOD=%s", method);
    (void)snprintf(text[1], sizeof(text[1]), "PATH_INFO=%s", path);
    (void)snprintf(text[2], sizeof(text[2]), "QUERY_STRING=%s", query);
    (void)snprintf(text[3], sizeof(text[3]), "CONTENT_TYPE=%s", type);
    rq = make_request(vars);
    if (body != NULL) {
        rq->body = arena_strdup(&rq->arena, body);
        rq->body_len = strlen(body);
    }
    fd = make_conn(rq, CONN_CGI, 1);
    app_request(&app, rq, NULL);
    buf_release(&reply);
    read_all(fd, &reply);
    (void)close(fd);
    return buf_cstr(&reply);
}

#define HAS(text, part) assert_non_null(strstr(text, part))
#define LACKS(text, part) assert_null(strstr(text, part))

static void
an_upload_waits_and_can_be_changed(void **state)
{
    const char *s;

    (void)state;
    s = call("POST", "/files", "name=old/report.txt", "text/plain", "A heron.");
    HAS(s, "Status: 201");
    HAS(s, "\"name\":\"old/report.txt\"");
    HAS(s, "\"status\":\"waiting\"");
    HAS(s, "\"label\":\"cloud-ok\"");
    s = call("POST", "/files", "name=report.txt&label=local-only", "text/plain",
             "A heron.");
    HAS(s, "\"label\":\"local-only\"");
    /* A new version keeps what was said of the old one. */
    s = call("POST", "/files", "name=report.txt", "text/plain", "Two herons.");
    HAS(s, "\"label\":\"local-only\"");
    HAS(s, "\"size\":11");
    s = call("GET", "/files", "", "", NULL);
    HAS(s, "\"name\":\"old/report.txt\"");
    HAS(s, "\"name\":\"report.txt\"");
    s = call("PATCH", "/files/report.txt", "", "application/json",
             "{\"label\":\"redact\"}");
    HAS(s, "\"label\":\"redact\"");
    HAS(call("PATCH", "/files/report.txt", "", "application/json",
             "{\"label\":\"ignore\"}"),
        "invalid_label");
    HAS(call("DELETE", "/files/report.txt", "", "", NULL), "Status: 204");
    /* Asked once more it must not mean the other one. */
    HAS(call("DELETE", "/files/report.txt", "", "", NULL), "Status: 404");
    HAS(call("GET", "/files/old/report.txt", "", "", NULL), "Status: 200");
    HAS(call("GET", "/files/old/report.txt", "raw=1", "", NULL),
        "file_not_opened");
    HAS(call("DELETE", "/files/old/report.txt", "", "", NULL), "Status: 204");
    LACKS(call("GET", "/files", "", "", NULL), "report.txt");
}

static void
a_form_may_say_its_label_last(void **state)
{
    const char *s;

    (void)state;
    s = call("POST", "/files", "", "multipart/form-data; boundary=b",
             "--b\r\nContent-Disposition: form-data; name=f; "
             "filename=\"../a.txt\"\r\n\r\nA heron.\r\n--b\r\n"
             "Content-Disposition: form-data; name=\"label\"\r\n\r\n"
             "local-only\r\n--b--\r\n");
    HAS(s, "Status: 201");
    HAS(s, "\"name\":\"a.txt\"");
    HAS(s, "\"label\":\"local-only\"");
}

static void
uploads_have_limits(void **state)
{
    char *body = xmalloc((1 << 20) + 2);

    (void)state;
    (void)memset(body, 'x', (1 << 20) + 1);
    body[(1 << 20) + 1] = '\0';
    conf_override(CONF_FILES_UPLOAD_MIB, "1");
    HAS(call("POST", "/files", "name=a", "text/plain", body), "file_too_big");
    conf_override(CONF_FILES_UPLOAD_MIB, "2");
    conf_override(CONF_FILES_OWNER_MIB, "1");
    HAS(call("POST", "/files", "name=a", "text/plain", body), "files_full");
    free(body);
    HAS(call("POST", "/files", "name=", "text/plain", "x"), "invalid_name");
    HAS(call("POST", "/files", "name=a%0Ab", "text/plain", "x"),
        "invalid_name");
    HAS(call("POST", "/files", "", "text/plain", "x"), "Status: 415");
    LACKS(call("GET", "/files", "", "", NULL), "\"name\":\"a");
}

static void
shared_files_are_seen_and_not_changed(void **state)
{
    const char *s;

    (void)state;
    put_all();
    s = call("GET", "/files/secret.txt", "text=1", "", NULL);
    HAS(s, "The heron costs ten ducats.");
    HAS(call("GET", "/files/secret.txt", "text=1&start=4&length=5", "", NULL),
        "\r\n\r\nheron");
    HAS(call("DELETE", "/files/secret.txt", "", "", NULL), "file_shared");
    HAS(call("PATCH", "/files/secret.txt", "", "application/json",
             "{\"label\":\"cloud-ok\"}"),
        "file_shared");
    HAS(call("GET", "/files/nothing.txt", "", "", NULL),
        "File not found: nothing.txt");
    s = call("GET", "/search", "q=ducats", "", NULL);
    HAS(s, "\"name\":\"secret.txt\"");
    HAS(s, "\"documents\":6");
    HAS(call("GET", "/search", "q=%20", "", NULL), "missing_query");
    HAS(call("GET", "/search", "q=%22%20OR%20NEAR(*", "", NULL), "Status: 200");
}

static void
a_configuration_is_kept(void **state)
{
    const char *s;

    (void)state;
    HAS(call("GET", "/api/config", "", "", NULL), "\"chat_rounds\":3");
    s = call("POST", "/api/config", "", "application/json",
             "{\"top_k\":5,\"recency_bias\":0.5,\"system_prompt\":\"Hm.\"}");
    HAS(s, "\"top_k\":5,\"recency_bias\":0.5,\"chat_rounds\":3");
    HAS(s, "\"system_prompt\":\"Hm.\"");
    HAS(call("POST", "/api/config", "", "application/json", "{\"top_k\":51}"),
        "Status: 400");
    HAS(call("POST", "/api/config", "", "application/json", "[]"),
        "invalid_json");
    s = call("POST", "/api/config", "", "application/json",
             "{\"system_prompt\":null}");
    HAS(s, "\"top_k\":5");
    LACKS(s, "Hm.");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_message_has_a_context),
        TEST(the_system_prompt_is_the_settings),
        TEST(what_must_stay_does_not_leave),
        TEST(a_follow_up_is_about_what_was_said),
        TEST(an_image_is_named_as_in_the_index),
        TEST(without_an_index_there_is_none),
        TEST(the_model_of_this_machine_answers),
        TEST(an_upload_waits_and_can_be_changed),
        TEST(a_form_may_say_its_label_last),
        TEST(uploads_have_limits),
        TEST(shared_files_are_seen_and_not_changed),
        TEST(a_configuration_is_kept),
    };
#undef TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Tests of api/ask.c: every field of POST /chat in its three forms, limits,
 * and the words of each error.
 */
#include "../http/http_test.h"

#include <math.h>

#include "api/ask.h"
#include "base/conf.h"
#include "chat/command.h"

enum form { JSON, FORM, QUERY };
#define FORM_TYPE "application/x-www-form-urlencoded"
static const char *const types[] = {"CONTENT_TYPE=application/json",
                                    ("CONTENT_TYPE=" FORM_TYPE),
                                    "CONTENT_TYPE="};

static struct turn_ask *ask;
static struct ask_options opt;
static struct problem why;
static const char *key_header; /* "HTTP_IDEMPOTENCY_KEY=…"; NULL: none */

static int
setup(void **state)
{
    (void)state;
    for (int k = 0; k < CONF__MAX; k++)
        conf_override((enum conf_key)k, NULL);
    ask = NULL;
    key_header = NULL;
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    turn_ask_free(ask);
    ask = NULL;
    return 0;
}

static enum err
parse_bytes(enum form form, const char *type, const char *s, size_t n)
{
    char *query = xcalloc(1, n + 32);
    const char *vars[] = {form == QUERY ? "REQUEST_METHOD=GET"
                                        : "REQUEST_METHOD=POST",
                          type, query, key_header, NULL};
    struct request *rq;
    enum err e;

    turn_ask_free(ask);
    ask = NULL;
    opt = (struct ask_options){.stream = false};
    why = (struct problem){.err = OK};
    (void)snprintf(query, n + 32, "QUERY_STRING=%s", form == QUERY ? s : "");
    rq = make_request(vars);
    if (form != QUERY && n > 0) {
        rq->body = arena_memdup0(&rq->arena, s, n);
        rq->body_len = n;
    }
    e = ask_parse(rq, form == QUERY, &ask, &opt, &why);
    request_free(rq); /* nothing of it may be needed any more */
    free(query);
    assert_int_equal(why.err, e);
    if (e != OK)
        assert_null(ask);
    return e;
}

static enum err
parse(enum form form, const char *s)
{
    return parse_bytes(form, types[form], s, strlen(s));
}

static void
good(enum form form, const char *s)
{
    if (parse(form, s) != OK)
        print_error("%s: %s\n", s, why.message);
    assert_non_null(ask);
}

/* Refused with exactly these. */
static void
bad(enum form form, const char *s, enum err e, const char *code,
    const char *error, const char *message)
{
    assert_int_equal(parse(form, s), e);
    assert_string_equal(why.code, code);
    if (error != NULL)
        assert_string_equal(why.error, error);
    if (message != NULL)
        assert_string_equal(why.message, message);
}

/* An object or form with "message":"hi" and one more field. */
static const char *
with(enum form form, const char *name, const char *json, const char *plain)
{
    static char s[4096];

    if (form == JSON)
        (void)snprintf(s, sizeof(s), "{\"message\":\"hi\",\"%s\":%s}", name,
                       json);
    else
        (void)snprintf(s, sizeof(s), "message=hi&%s=%s", name, plain);
    return s;
}

#define EACH_FORM(f) for (enum form f = JSON; f <= QUERY; f++)

/* --- the message ---------------------------------------------------------- */

static void
a_message_alone_is_enough(void **state)
{
    (void)state;
    good(JSON, "{\"message\":\"h\\u00e9 \\n\\\"you\\\"\"}");
    assert_string_equal(ask->text, "h\xC3\xA9 \n\"you\"");
    assert_int_equal(ask->text_len, 10);
    good(FORM, "message=h%C3%A9+%0A%22you%22");
    assert_string_equal(ask->text, "h\xC3\xA9 \n\"you\"");
    good(QUERY, "message=h%C3%A9%20you");
    assert_string_equal(ask->text, "h\xC3\xA9 you");
    assert_true(ask->fresh);
    assert_int_equal(strlen(ask->session_id), 36);
    assert_true(ident_session_valid(ask->session_id, 36));
    assert_string_equal(ask->owner, "");
    assert_null(ask->context);
    assert_null(ask->idem_key);
    assert_false(ask->history_given);
    assert_false(ask->loaded);
    assert_true(isnan(ask->temperature));
    assert_true(isnan(ask->top_p));
    assert_int_equal(ask->ask.max_tokens, 0);
    assert_int_equal(ask->ask.n_stop, 0);
    assert_false(opt.stream);
    assert_false(opt.detach);
    assert_string_equal(ask->route.provider->name, "offline");
}

static void
a_message_that_is_not_there_is_told_exactly(void **state)
{
    static const struct {
        enum form form;
        const char *s;
    } rows[] = {{JSON, ""},
                {JSON, "{}"},
                {JSON, "{\"message\":null}"},
                {JSON, "{\"message\":\"\"}"},
                {JSON, "{\"message\":\" \\t\\r\\n\\u00a0\\u3000\\ufeff\"}"},
                {JSON, "{\"Message\":\"hi\"}"},
                {JSON, "{\"message\":\"\",\"session_id\":\"?\"}"},
                {FORM, ""},
                {FORM, "message="},
                {FORM, "message"},
                {FORM, "message=+%20%0A"},
                {FORM, "messages=hi"},
                {QUERY, ""},
                {QUERY, "message=%E2%80%8B"}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        bad(rows[i].form, rows[i].s, ERR_BADREQ, "missing_message",
            "Missing required parameter: message",
            "Please provide a 'message' field");
}

static void
a_message_of_another_type_is_told(void **state)
{
    static const char *const values[] = {"1", "true", "{}", "[]", "[\"hi\"]"};
    char s[64];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        (void)snprintf(s, sizeof(s), "{\"message\":%s}", values[i]);
        bad(JSON, s, ERR_BADREQ, "invalid_parameter",
            "Invalid parameter: message", "message must be a string");
    }
}

static void
a_message_at_the_limit_is_taken_and_one_more_is_not(void **state)
{
    char *s = xcalloc(1, PROMPT_MESSAGE_MAX + 32);
    size_t n;

    (void)state;
    n = (size_t)snprintf(s, 32, "message=");
    memset(s + n, 'x', PROMPT_MESSAGE_MAX);
    good(FORM, s);
    assert_int_equal(ask->text_len, PROMPT_MESSAGE_MAX);
    s[n + PROMPT_MESSAGE_MAX] = 'x';
    bad(FORM, s, ERR_TOOBIG, "message_too_big", "The message is too long",
        "At most 262144 bytes; attach long texts in parts.");
    n = (size_t)snprintf(s, 32, "{\"message\":\"");
    memset(s + n, 'x', PROMPT_MESSAGE_MAX);
    memcpy(s + n + PROMPT_MESSAGE_MAX, "\"}", 3);
    good(JSON, s);
    assert_int_equal(ask->text_len, PROMPT_MESSAGE_MAX);
    memcpy(s + n + PROMPT_MESSAGE_MAX, "x\"}", 4);
    bad(JSON, s, ERR_TOOBIG, "message_too_big", NULL, NULL);
    free(s);
}

/* --- bodies --------------------------------------------------------------- */

static void
json_without_a_type_is_json(void **state)
{
    (void)state;
    assert_int_equal(
        parse_bytes(JSON, "CONTENT_TYPE=", "{\"message\":\"a\"}", 15), OK);
    assert_string_equal(ask->text, "a");
}

static void
other_types_are_refused(void **state)
{
    static const char *const others[] = {
        "CONTENT_TYPE=text/plain", "CONTENT_TYPE=multipart/form-data",
        "CONTENT_TYPE=application/xml", "CONTENT_TYPE=application/jsonp"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        assert_int_equal(
            parse_bytes(JSON, others[i], "{\"message\":\"a\"}", 15), ERR_TYPE);
        assert_string_equal(why.code, "unsupported_media_type");
    }
}

static void
json_that_is_no_object_is_refused(void **state)
{
    static const char *const values[] = {
        "null", "1", "\"hi\"", "true", "[{\"message\":\"hi\"}]", "[]"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(values); i++)
        bad(JSON, values[i], ERR_BADREQ, "invalid_json",
            "The body is not a JSON object",
            "Send an object with a 'message' field.");
}

static void
bad_json_is_refused(void **state)
{
    static const char *const texts[] = {
        "{",
        "{\"message\":\"hi\"",
        "{\"message\":\"hi\"}x",
        "{\"message\":\"hi\",}",
        "{'message':'hi'}",
        "{\"message\":\"hi\",\"message\":\"ho\"}",
        "{\"message\":\"\\u0000\"}",
        "{\"message\":\"\\ud800\"}",
        "{\"message\":\"\xFF\"}",
        "\xEF\xBB\xBF{\"message\":\"hi\"}",
        "message=hi",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        bad(JSON, texts[i], ERR_BADREQ, "invalid_json", "Invalid JSON", NULL);
    assert_int_equal(
        parse_bytes(JSON, types[JSON], "{\"message\":\"a\0b\"}", 18),
        ERR_BADREQ);
}

static void
bad_forms_are_refused(void **state)
{
    static const char *const texts[] = {"message=%", "message=%zz",
                                        "message=%00", "message=%FF",
                                        "message=hi&x=%E2%82"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        bad(FORM, texts[i], ERR_BADREQ, "invalid_form", NULL, NULL);
        bad(QUERY, texts[i], ERR_BADREQ, "invalid_form", NULL, NULL);
    }
}

static void
members_that_nobody_knows_are_ignored(void **state)
{
    (void)state;
    good(JSON, "{\"x\":[{\"y\":null}],\"message\":\"hi\",\"files\":true}");
    good(FORM, "x=1&message=hi&message=ho");
    assert_string_equal(ask->text, "hi"); /* the first counts */
}

/* --- the session ---------------------------------------------------------- */

static void
a_session_id_is_taken_as_it_is(void **state)
{
    (void)state;
    EACH_FORM(f)
    {
        good(f, with(f, "session_id", "\"My_session-1\"", "My_session-1"));
        assert_string_equal(ask->session_id, "My_session-1");
        assert_false(ask->fresh);
        good(f, with(f, "session_id", "\"\"", "")); /* as if not given */
        assert_true(ask->fresh);
    }
    good(JSON, "{\"message\":\"hi\",\"session_id\":null}");
    assert_true(ask->fresh);
}

static void
a_session_id_at_the_limit_is_taken_and_one_more_is_not(void **state)
{
    char id[67], json[80];

    (void)state;
    EACH_FORM(f)
    {
        memset(id, 'x', sizeof(id));
        id[64] = '\0';
        (void)snprintf(json, sizeof(json), "\"%s\"", id);
        good(f, with(f, "session_id", json, id));
        assert_string_equal(ask->session_id, id);
        id[64] = 'x';
        id[65] = '\0';
        (void)snprintf(json, sizeof(json), "\"%s\"", id);
        bad(f, with(f, "session_id", json, id), ERR_BADREQ,
            "invalid_session_id", "Invalid session_id",
            "1 to 64 characters of A-Z a-z 0-9 _ -");
    }
}

static void
a_session_id_of_other_characters_is_refused(void **state)
{
    (void)state;
    bad(JSON, with(JSON, "session_id", "\"a b\"", ""), ERR_BADREQ,
        "invalid_session_id", NULL, NULL);
    bad(FORM, with(FORM, "session_id", "", "..%2F"), ERR_BADREQ,
        "invalid_session_id", NULL, NULL);
    bad(QUERY, with(QUERY, "session_id", "", "%C3%A9"), ERR_BADREQ,
        "invalid_session_id", NULL, NULL);
    bad(JSON, with(JSON, "session_id", "7", ""), ERR_BADREQ,
        "invalid_parameter", "Invalid parameter: session_id",
        "session_id must be a string");
}

/* --- keys ----------------------------------------------------------------- */

static void
a_key_names_the_turn_within_its_session(void **state)
{
    (void)state;
    EACH_FORM(f)
    {
        key_header = NULL;
        good(f, f == JSON ? "{\"message\":\"hi\",\"session_id\":\"s\","
                            "\"client_message_id\":\"k\"}"
                          : "message=hi&session_id=s&client_message_id=k");
        assert_string_equal(ask->idem_key, "k");
        assert_string_equal(ask->idem_scope, "s");
        key_header = "HTTP_IDEMPOTENCY_KEY=header";
        good(f, with(f, "session_id", "\"s\"", "s"));
        assert_string_equal(ask->idem_key, "header");
        assert_string_equal(ask->idem_scope, "s");
        /* The field is nearer than the header. */
        good(f, f == JSON ? "{\"message\":\"hi\",\"session_id\":\"s\","
                            "\"client_message_id\":\"k\"}"
                          : "message=hi&session_id=s&client_message_id=k");
        assert_string_equal(ask->idem_key, "k");
    }
}

static void
without_a_session_only_a_long_key_counts(void **state)
{
    (void)state;
    key_header = "HTTP_IDEMPOTENCY_KEY=0123456789abcde"; /* 15 */
    good(JSON, "{\"message\":\"hi\"}");
    assert_null(ask->idem_key);
    key_header = "HTTP_IDEMPOTENCY_KEY=0123456789abcdef";
    good(JSON, "{\"message\":\"hi\"}");
    assert_string_equal(ask->idem_key, "0123456789abcdef");
    assert_string_equal(ask->idem_scope, "");
    assert_true(ask->fresh);
}

static void
a_key_at_the_limit_is_taken_and_one_more_is_not(void **state)
{
    static char var[PROMPT_IDEM_MAX + 32];
    size_t n = (size_t)snprintf(var, sizeof(var), "HTTP_IDEMPOTENCY_KEY=");

    (void)state;
    memset(var + n, 'k', PROMPT_IDEM_MAX);
    key_header = var;
    good(FORM, "message=hi&session_id=s");
    assert_int_equal(strlen(ask->idem_key), PROMPT_IDEM_MAX);
    var[n + PROMPT_IDEM_MAX] = 'k';
    bad(FORM, "message=hi&session_id=s", ERR_BADREQ, "invalid_idempotency_key",
        "The idempotency key is too long", "At most 255 bytes.");
    bad(FORM, "message=hi", ERR_BADREQ, "invalid_idempotency_key", NULL, NULL);
    key_header = "HTTP_IDEMPOTENCY_KEY=";
    good(FORM, "message=hi&session_id=s");
    assert_null(ask->idem_key);
}

/* --- how to answer -------------------------------------------------------- */

static void
stream_and_detach_are_switches(void **state)
{
    static const struct {
        const char *json, *plain;
        bool on;
    } rows[] = {{"true", "true", true},
                {"true", "1", true},
                {"false", "false", false},
                {"false", "0", false},
                {"null", "", false}};

    (void)state;
    EACH_FORM(f)
    {
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            good(f, with(f, "stream", rows[i].json, rows[i].plain));
            assert_int_equal(opt.stream, rows[i].on);
            assert_false(opt.detach);
            good(f, with(f, "detach", rows[i].json, rows[i].plain));
            assert_int_equal(opt.detach, rows[i].on);
            assert_false(opt.stream);
        }
        bad(f, with(f, "stream", "\"true\"", "yes"), ERR_BADREQ,
            "invalid_parameter", "Invalid parameter: stream",
            "stream must be true or false");
        bad(f, with(f, "detach", "1", "TRUE"), ERR_BADREQ, "invalid_parameter",
            "Invalid parameter: detach", "detach must be true or false");
    }
}

static void
temporary_is_a_switch_where_there_are_such_chats(void **state)
{
    (void)state;
    EACH_FORM(f)
    {
        good(f, with(f, "temporary", "true", "1"));
        assert_true(ask->temporary);
        good(f, with(f, "temporary", "false", "0"));
        assert_false(ask->temporary);
        bad(f, with(f, "temporary", "\"true\"", "yes"), ERR_BADREQ,
            "invalid_parameter", "Invalid parameter: temporary",
            "temporary must be true or false");
        conf_override(CONF_TEMPORARY_MIB, "0");
        bad(f, with(f, "temporary", "true", "1"), ERR_IMPOSSIBLE,
            "temporary_off", NULL, NULL);
        good(f, with(f, "temporary", "false", "0"));
        conf_override(CONF_TEMPORARY_MIB, NULL);
    }
}

static void
context_is_passed_on(void **state)
{
    (void)state;
    EACH_FORM(f)
    {
        good(f, with(f, "context", "\"It is \\u20ac\"", "It+is+%E2%82%AC"));
        assert_string_equal(ask->context, "It is \xE2\x82\xAC");
    }
}

static void
numbers_are_taken_within_their_bounds(void **state)
{
    static const struct {
        const char *name, *s;
        bool ok;
    } rows[] = {
        {"temperature", "0", true},     {"temperature", "2", true},
        {"temperature", "0.25", true},  {"temperature", "2.0001", false},
        {"temperature", "-0.1", false}, {"top_p", "0", true},
        {"top_p", "1", true},           {"top_p", "5e-1", true},
        {"top_p", "1.01", false},       {"top_p", "-1", false},
        {"max_tokens", "1", true},      {"max_tokens", "10000000", true},
        {"max_tokens", "0", false},     {"max_tokens", "10000001", false},
        {"max_tokens", "-5", false},    {"max_tokens", "1.5", false},
    };

    (void)state;
    EACH_FORM(f)
    {
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            const char *s = with(f, rows[i].name, rows[i].s, rows[i].s);
            enum err e = parse(f, s);

            if (e != (rows[i].ok ? OK : ERR_BADREQ))
                print_error("%s\n", s);
            assert_int_equal(e, rows[i].ok ? OK : ERR_BADREQ);
        }
        good(f, with(f, "temperature", "0.25", "0.25"));
        assert_true(ask->temperature == 0.25);
        assert_true(isnan(ask->top_p));
        good(f, with(f, "top_p", "0.5", "0.5"));
        assert_true(ask->top_p == 0.5);
        good(f, with(f, "max_tokens", "77", "77"));
        assert_int_equal(ask->ask.max_tokens, 77);
        good(f, with(f, "max_tokens", "null", ""));
        assert_int_equal(ask->ask.max_tokens, 0);
        bad(f, with(f, "temperature", "\"1\"", "x"), ERR_BADREQ,
            "invalid_parameter", "Invalid parameter: temperature",
            "temperature must be a number from 0 to 2");
        bad(f, with(f, "top_p", "[]", "1x"), ERR_BADREQ, "invalid_parameter",
            "Invalid parameter: top_p", "top_p must be a number from 0 to 1");
        bad(f, with(f, "max_tokens", "\"1\"", "1x"), ERR_BADREQ,
            "invalid_parameter", "Invalid parameter: max_tokens",
            "max_tokens must be a whole number from 1 to 10000000");
    }
}

static void
only_plain_numbers_are_numbers_in_a_form(void **state)
{
    static const char *const odd[] = {"nan",  "inf", "0x1", "+1%20",
                                      "%201", "1e",  "1,5", "--1"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(odd); i++)
        bad(FORM, with(FORM, "temperature", "", odd[i]), ERR_BADREQ,
            "invalid_parameter", NULL, NULL);
}

static void
stops_are_one_or_up_to_eight(void **state)
{
    (void)state;
    EACH_FORM(f)
    {
        good(f, with(f, "stop", "\"END\"", "END"));
        assert_int_equal(ask->ask.n_stop, 1);
        assert_string_equal(ask->ask.stop[0], "END");
    }
    good(JSON, with(JSON, "stop", "[]", ""));
    assert_int_equal(ask->ask.n_stop, 0);
    good(JSON, with(JSON, "stop", "null", ""));
    assert_int_equal(ask->ask.n_stop, 0);
    good(JSON, with(JSON, "stop",
                    "[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\"]", ""));
    assert_int_equal(ask->ask.n_stop, 8);
    assert_string_equal(ask->ask.stop[7], "8");
    bad(JSON,
        with(JSON, "stop",
             "[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]", ""),
        ERR_BADREQ, "invalid_parameter", "Invalid parameter: stop",
        "stop must be at most 8 strings");
    bad(JSON, with(JSON, "stop", "[1]", ""), ERR_BADREQ, "invalid_parameter",
        NULL, "stop must be at most 8 strings");
    bad(JSON, with(JSON, "stop", "{}", ""), ERR_BADREQ, "invalid_parameter",
        NULL, "stop must be a string or an array of strings");
}

/* --- history -------------------------------------------------------------- */

static void
a_given_history_is_copied_in_order(void **state)
{
    (void)state;
    good(JSON, "{\"message\":\"hi\",\"history\":["
               "{\"role\":\"system\",\"content\":\"rule\"},"
               "{\"role\":\"user\",\"content\":\"\\u20ac\",\"id\":7},"
               "{\"role\":\"assistant\",\"content\":\"\"}]}");
    assert_true(ask->history_given);
    assert_int_equal(ask->n_history, 3);
    assert_int_equal(ask->history[0].role, ROLE_SYSTEM);
    assert_int_equal(ask->history[1].role, ROLE_USER);
    assert_string_equal(ask->history[1].text, "\xE2\x82\xAC");
    assert_int_equal(ask->history[1].len, 3);
    assert_int_equal(ask->history[2].role, ROLE_ASSISTANT);
    assert_int_equal(ask->history[2].len, 0);
    good(JSON, with(JSON, "history", "[]", ""));
    assert_true(ask->history_given);
    assert_int_equal(ask->n_history, 0);
    good(JSON, with(JSON, "history", "null", ""));
    assert_false(ask->history_given);
    good(FORM, "message=hi&history=x"); /* a form has none */
    assert_false(ask->history_given);
}

static void
a_history_of_other_things_is_refused(void **state)
{
    static const char *const values[] = {
        "{}",
        "\"x\"",
        "1",
        "[1]",
        "[null]",
        "[[]]",
        "[{}]",
        "[{\"role\":\"user\"}]",
        "[{\"content\":\"x\"}]",
        "[{\"role\":\"boss\",\"content\":\"x\"}]",
        "[{\"role\":1,\"content\":\"x\"}]",
        "[{\"role\":\"user\",\"content\":[]}]"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(values); i++)
        bad(JSON, with(JSON, "history", values[i], ""), ERR_BADREQ,
            "invalid_parameter", "Invalid parameter: history",
            "history must be an array of {role, content}");
}

static void
a_history_at_the_limit_is_taken_and_one_more_is_not(void **state)
{
    struct buf b;

    (void)state;
    for (int n = PROMPT_GIVEN_MAX; n <= PROMPT_GIVEN_MAX + 1; n++) {
        buf_init(&b, 1 << 20);
        buf_adds(&b, "{\"message\":\"hi\",\"history\":[");
        for (int i = 0; i < n; i++)
            buf_addf(&b, "%s{\"role\":\"user\",\"content\":\"%d\"}",
                     i > 0 ? "," : "", i);
        buf_adds(&b, "]}");
        if (n == PROMPT_GIVEN_MAX) {
            good(JSON, buf_cstr(&b));
            assert_int_equal(ask->n_history, n);
            assert_string_equal(ask->history[n - 1].text, "999");
        } else {
            bad(JSON, buf_cstr(&b), ERR_TOOBIG, "too_big",
                "The history is too long", "At most 1000 messages.");
        }
        buf_release(&b);
    }
}

/* --- who answers ---------------------------------------------------------- */

static void
provider_and_model_route_the_turn(void **state)
{
    (void)state;
    conf_override(CONF_OPENAI_API_KEY, "k");
    EACH_FORM(f)
    {
        good(f, with(f, "provider", "\"offline\"", "offline"));
        assert_string_equal(ask->route.provider->name, "offline");
        good(f, with(f, "model", "\"gpt-5\"", "gpt-5"));
        assert_string_equal(ask->route.provider->name, "openai");
        assert_string_equal(ask->route.model, "gpt-5");
        good(f, with(f, "model", "\"openai/o9\"", "openai/o9"));
        assert_string_equal(ask->route.model, "o9");
        bad(f, with(f, "provider", "\"nobody\"", "nobody"), ERR_BADREQ,
            "unknown_provider", "This provider is not known",
            "GET /status lists the providers.");
    }
    conf_override(CONF_OPENAI_API_KEY, NULL);
    EACH_FORM(f)
    bad(f, with(f, "provider", "\"openai\"", "openai"), ERR_IMPOSSIBLE,
        "provider_not_configured", NULL, NULL);
}

static void
a_model_at_the_limit_is_taken_and_one_more_is_not(void **state)
{
    char name[140], json[150];

    (void)state;
    conf_override(CONF_OPENAI_API_KEY, "k");
    EACH_FORM(f)
    {
        memset(name, 'm', sizeof(name));
        name[STORE_NAME_MAX] = '\0';
        (void)snprintf(json, sizeof(json), "\"%s\"", name);
        good(f, with(f, "model", json, name));
        assert_string_equal(ask->route.model, name);
        name[STORE_NAME_MAX] = 'm';
        name[STORE_NAME_MAX + 1] = '\0';
        (void)snprintf(json, sizeof(json), "\"%s\"", name);
        bad(f, with(f, "model", json, name), ERR_BADREQ, "invalid_parameter",
            "Invalid parameter: model", "model must be at most 128 bytes");
    }
}

static void
a_message_may_follow_another(void **state)
{
    static const char id[] = "01a1ff22-94c5-7003-87bc-48d1abcaa005";
    char quoted[64];

    (void)state;
    (void)snprintf(quoted, sizeof(quoted), "\"%s\"", id);
    EACH_FORM(f)
    {
        char text[IDENT_TEXT_LEN];

        bad(f, with(f, "parent_message_id", "\"m\"", "m"), ERR_NOTFOUND,
            "message_not_found", "No such message",
            "'parent_message_id' is the id of a message of this session.");
        good(f, with(f, "parent_message_id", "\"\"", ""));
        assert_null(ask->follows);
        good(f, with(f, "parent_message_id", quoted, id));
        ident_text(text, ask->follows);
        assert_string_equal(text, id);
    }
}

static void
a_slash_makes_a_command(void **state)
{
    (void)state;
    EACH_FORM(f)
    {
        good(f, f == JSON ? "{\"message\":\"/Title a b\"}"
                          : "message=/Title%20a%20b");
        assert_non_null(ask->command);
        assert_string_equal(ask->command->name, "title");
        assert_string_equal(ask->command->args.value[0], "a b");
        good(f, f == JSON ? "{\"message\":\"/nothing\"}" : "message=/nothing");
        assert_null(ask->command->command);
        assert_string_equal(ask->command->why.code, "unknown_command");
        good(f, f == JSON ? "{\"message\":\"//title\"}" : "message=//title");
        assert_null(ask->command);
        assert_string_equal(ask->text, "/title");
        assert_int_equal(ask->text_len, 6);
    }
}

static void
a_session_may_choose_where_no_model_is_named(void **state)
{
    (void)state;
    EACH_FORM(f)
    {
        good(f, with(f, "model", "null", ""));
        assert_true(ask->any_model);
        good(f, with(f, "model", "\"x\"", "x"));
        assert_false(ask->any_model);
        good(f, with(f, "provider", "\"offline\"", "offline"));
        assert_false(ask->any_model);
    }
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_message_alone_is_enough),
        T(a_message_that_is_not_there_is_told_exactly),
        T(a_message_of_another_type_is_told),
        T(a_message_at_the_limit_is_taken_and_one_more_is_not),
        T(json_without_a_type_is_json),
        T(other_types_are_refused),
        T(json_that_is_no_object_is_refused),
        T(bad_json_is_refused),
        T(bad_forms_are_refused),
        T(members_that_nobody_knows_are_ignored),
        T(a_session_id_is_taken_as_it_is),
        T(a_session_id_at_the_limit_is_taken_and_one_more_is_not),
        T(a_session_id_of_other_characters_is_refused),
        T(a_key_names_the_turn_within_its_session),
        T(without_a_session_only_a_long_key_counts),
        T(a_key_at_the_limit_is_taken_and_one_more_is_not),
        T(stream_and_detach_are_switches),
        T(temporary_is_a_switch_where_there_are_such_chats),
        T(context_is_passed_on),
        T(numbers_are_taken_within_their_bounds),
        T(only_plain_numbers_are_numbers_in_a_form),
        T(stops_are_one_or_up_to_eight),
        T(a_given_history_is_copied_in_order),
        T(a_history_of_other_things_is_refused),
        T(a_history_at_the_limit_is_taken_and_one_more_is_not),
        T(provider_and_model_route_the_turn),
        T(a_model_at_the_limit_is_taken_and_one_more_is_not),
        T(a_message_may_follow_another),
        T(a_slash_makes_a_command),
        T(a_session_may_choose_where_no_model_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

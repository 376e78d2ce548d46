/*
 * Tests of api/message_json.c: a message as JSON, and its place where the
 * session has branches.
 */
#include "../store/store_test.h"

#include "api/message_json.h"

static struct on_store on_memory = {.be = &memstore_backend};

struct shown {
    struct message_tree tree;
    char json[4096]; /* of the last one */
    struct ident id; /* of the last one */
};

static bool
show(void *arg, const struct message *m)
{
    struct shown *s = arg;
    struct json_out j;
    struct buf b;
    cJSON *parsed;

    buf_init(&b, sizeof(s->json));
    json_out_init(&j, &b);
    message_put(&j, m, &s->tree);
    (void)snprintf(s->json, sizeof(s->json), "%s", buf_cstr(&b));
    s->id = m->id;
    buf_release(&b);
    assert_int_equal(json_parse(s->json, strlen(s->json), &parsed, NULL), OK);
    cJSON_Delete(parsed);
    return true;
}

/* The message with a seq. */
static const char *
show_one(struct on_store *f, struct shown *s, uint32_t seq)
{
    struct session sess = get_session(f->s, "", "s");

    message_tree_load(&s->tree, f->s, "", &sess);
    assert_int_equal(store_all_messages(f->s, "", "s", seq, 1, NULL, show, s),
                     OK);
    message_tree_release(&s->tree);
    return s->json;
}

static void
assert_part(const char *json, const char *part)
{
    if (strstr(json, part) == NULL)
        fail_msg("no %s in %s", part, json);
}

static void
id_text(char out[64], const char *before, const struct ident *id)
{
    char text[IDENT_TEXT_LEN];

    ident_text(text, id);
    (void)snprintf(out, 64, "%s\"%s\"", before, text);
}

static void
a_question_has_what_is_known_of_it(void **state)
{
    struct on_store *f = *state;
    struct store_op op = op_begin("", "s", "what \"is\"\nthis?");
    struct shown s = {.tree = {NULL, 0}};
    char part[64];

    assert_int_equal(store_apply(f->s, &op), OK);
    (void)show_one(f, &s, 0);
    id_text(part, "{\"id\":", &op.begin.user.id);
    assert_part(s.json, part);
    id_text(part, ",\"turn_id\":", &op.begin.turn);
    assert_part(s.json, part);
    assert_part(s.json, ",\"seq\":0,\"role\":\"user\",\"timestamp\":"
                        "\"1970-01-01T00:00:01.000Z\","
                        "\"content\":\"what \\\"is\\\"\\nthis?\"}");
}

static void
an_answer_has_its_end_and_its_costs(void **state)
{
    struct on_store *f = *state;
    struct shown s = {.tree = {NULL, 0}};

    (void)put_turn(f->s, "", "s", "q", "a");
    (void)show_one(f, &s, 1);
    assert_part(s.json, "\"role\":\"assistant\"");
    assert_part(s.json, "\"finish_reason\":\"stop\",\"provider\":\"offline\","
                        "\"model\":\"small\",\"usage\":{\"input_tokens\":7,");
    assert_part(s.json, "\"content\":\"a\"}");
    assert_null(strstr(s.json, "parent_id")); /* there are no branches */
    assert_null(strstr(s.json, "siblings"));
}

static void
what_else_is_known_is_shown(void **state)
{
    static const char extra[] =
        "{\"notes\":[{\"code\":\"cached\"}],\"feedback\":{\"rating\":1},"
        "\"context\":{\"sent\":1}}";
    struct on_store *f = *state;
    struct store_op op = op_on(STORE_MESSAGE_EXTRA, "", "s");
    struct shown s = {.tree = {NULL, 0}};

    (void)put_turn(f->s, "", "s", "q", "a");
    (void)show_one(f, &s, 1);
    op.extra.message = s.id;
    op.extra.seq = 1;
    op.extra.text = extra;
    op.extra.len = strlen(extra);
    assert_int_equal(store_apply(f->s, &op), OK);
    (void)show_one(f, &s, 1);
    assert_part(s.json, "\"notes\":[{\"code\":\"cached\"}]");
    assert_part(s.json, "\"feedback\":{\"rating\":1}");
    assert_null(strstr(s.json, "\"sent\"")); /* asked for by its turn */
}

static void
branches_show_the_place_of_each(void **state)
{
    struct on_store *f = *state;
    struct shown s = {.tree = {NULL, 0}}, question = s, again = s;
    char part[64];

    (void)put_turn(f->s, "", "s", "q0", "a0");
    (void)put_turn(f->s, "", "s", "q1", "a1");
    (void)put_turn_behind(f->s, "", "s", 1, "q2", "a2");
    (void)show_one(f, &s, 0);
    assert_part(s.json, "\"parent_id\":null");
    assert_null(strstr(s.json, "siblings"));
    (void)show_one(f, &s, 1);
    (void)show_one(f, &question, 2);
    (void)show_one(f, &again, 4);
    id_text(part, "\"parent_id\":", &s.id);
    assert_part(question.json, part);
    assert_part(again.json, part);
    id_text(part, "\"siblings\":[", &question.id);
    assert_part(question.json, part);
    assert_part(again.json, part);
    id_text(part, ",", &again.id);
    assert_part(question.json, part);
    assert_null(strstr(show_one(f, &s, 5), "siblings"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ON_STORE(a_question_has_what_is_known_of_it, on_memory),
        ON_STORE(an_answer_has_its_end_and_its_costs, on_memory),
        ON_STORE(what_else_is_known_is_shown, on_memory),
        ON_STORE(branches_show_the_place_of_each, on_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

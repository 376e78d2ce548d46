/*
 * Tests of api/intake*.c on the store in memory: what is stored, what is a
 * fault, rounds, ids that are taken, and how a reading that breaks off ends.
 */
#include "../store/store_test.h"

#include "api/intake.h"
#include "base/mem.h"

struct fixture {
    struct store *store;
    char dir[256];
    size_t told; /* sessions, by the callback */
    char last[IDENT_SESSION_MAX + 1];
};

static void
on_stored(void *arg, const char *owner, const char *id)
{
    struct fixture *f = arg;

    assert_string_equal(owner, "ann");
    (void)snprintf(f->last, sizeof(f->last), "%s", id);
    f->told++;
}

static struct intake *
begin(struct fixture *f, const struct intake_config *more)
{
    struct intake_config c = {
        .store = f->store, .owner = "ann", .stored = on_stored, .arg = f};

    if (more != NULL) {
        c.sessions_max = more->sessions_max;
        c.messages_max = more->messages_max;
        c.format = more->format;
        c.used = more->used;
    }
    f->told = 0;
    return intake_new(&c);
}

/* Read all in pieces; every full round is written. */
static enum err
read_all(struct intake *in, const char *s, size_t piece)
{
    size_t n = strlen(s);
    enum err e = OK;

    for (size_t at = 0; at < n && e == OK; at += piece) {
        e = intake_read(in, s + at, n - at < piece ? n - at : piece);
        if (intake_full(in))
            IGNORE(intake_write_all(in));
    }
    if (e == OK)
        e = intake_read_end(in);
    IGNORE(intake_write_all(in));
    assert_true(intake_empty(in));
    return e;
}

static void
expect(struct intake *in, enum err e, const char *json)
{
    struct problem p = {.err = OK};
    struct json_out j;
    struct buf b;

    assert_int_equal(intake_end(in, e, &p), OK);
    buf_init(&b, INTAKE_JSON_MAX);
    json_out_init(&j, &b);
    json_begin_obj(&j);
    intake_put(in, &j);
    json_end_obj(&j);
    assert_string_equal(buf_cstr(&b), json);
    buf_release(&b);
    intake_free(in);
}

#define LINE(text) \
    "{\"messages\":[{\"role\":\"user\",\"content\":\"" text "\"}]}\n"

static void
what_is_read_is_stored(void **state)
{
    struct fixture *f = *state;
    struct intake *in = begin(f, NULL);
    struct session s;

    assert_int_equal(read_all(in, LINE("a") LINE("b"), 3), OK);
    expect(in, OK,
           "{\"sessions\":2,\"messages\":2,\"left_out\":0,\"faults\":[]}");
    assert_int_equal(f->told, 2);
    assert_int_equal(store_session(f->store, "ann", f->last, &s), OK);
    assert_int_equal(s.n_messages, 1);
    assert_int_equal(store_session(f->store, "bob", f->last, &s), ERR_NOTFOUND);
}

static void
rounds_are_as_many_as_it_takes(void **state)
{
    struct fixture *f = *state;
    struct intake *in = begin(f, NULL);
    static const char one[] = LINE("many");
    size_t n = sizeof(one) - 1;
    char *text = xmalloc(200 * n + 1);

    for (size_t i = 0; i < 200; i++)
        memcpy(text + i * n, one, n + 1);
    assert_int_equal(read_all(in, text, 1000), OK);
    expect(in, OK,
           "{\"sessions\":200,\"messages\":200,\"left_out\":0,\"faults\":[]}");
    assert_int_equal(f->told, 200);
    free(text);
}

static void
what_is_broken_is_told_with_its_number(void **state)
{
    struct fixture *f = *state;
    struct intake *in = begin(f, NULL);

    assert_int_equal(read_all(in, LINE("a") "{\"x\":1}\n" LINE("b"), 7), OK);
    expect(in, OK,
           "{\"sessions\":2,\"messages\":2,\"left_out\":0,\"faults\":[{"
           "\"item\":2,\"rule\":\"not a conversation of a format that is "
           "known\"}]}");
}

static void
limits_are_faults(void **state)
{
    struct fixture *f = *state;
    struct intake_config c = {.messages_max = 1};
    struct intake *in = begin(f, &c);

    assert_int_equal(
        read_all(in,
                 LINE("a") "{\"messages\":[{\"role\":\"user\",\"content\":"
                           "\"q\"},{\"role\":\"assistant\",\"content\":\"a\"}"
                           "]}\n",
                 100),
        OK);
    expect(in, OK,
           "{\"sessions\":1,\"messages\":1,\"left_out\":0,\"faults\":[{"
           "\"item\":2,\"rule\":\"it has too many messages\"}]}");
    c = (struct intake_config){.sessions_max = 2};
    in = begin(f, &c);
    assert_int_equal(read_all(in, LINE("b") LINE("c"), 100), OK);
    expect(in, OK,
           "{\"sessions\":1,\"messages\":1,\"left_out\":0,\"faults\":[{"
           "\"item\":2,\"rule\":\"there are too many sessions\"}]}");
    c = (struct intake_config){.format = "chatgpt"};
    in = begin(f, &c);
    assert_int_equal(read_all(in, LINE("b"), 100), OK);
    expect(in, OK,
           "{\"sessions\":0,\"messages\":0,\"left_out\":0,\"faults\":[{"
           "\"item\":1,\"rule\":\"not of the format that was asked for\"}]}");
}

static void
faults_have_a_ceiling_and_are_counted(void **state)
{
    struct fixture *f = *state;
    struct intake *in = begin(f, NULL);
    struct intake_totals t;
    char *text = xmalloc(8 * 1500 + 1);

    for (int i = 0; i < 1500; i++)
        memcpy(text + 8 * i, "{\"x\":1}\n", 9);
    assert_int_equal(read_all(in, text, 5000), OK);
    intake_totals(in, &t);
    assert_int_equal(t.faults, 1500);
    intake_free(in);
    free(text);
}

/* Our own export keeps its ids where they are free. */
static void
ids_that_are_taken_are_made_anew(void **state)
{
    static const char ours[] =
        "{\"format\":\"parley\",\"version\":1,\"sessions\":[{\"id\":\"mine\","
        "\"messages\":[{\"id\":\"018bcfe5-6800-7000-8000-000000000001\","
        "\"role\":\"user\",\"content\":\"x\"}]}]}";
    struct fixture *f = *state;
    struct intake *in = begin(f, NULL);
    struct session s;

    assert_int_equal(read_all(in, ours, 10), OK);
    expect(in, OK,
           "{\"sessions\":1,\"messages\":1,\"left_out\":0,\"faults\":[]}");
    assert_string_equal(f->last, "mine");
    in = begin(f, NULL);
    assert_int_equal(read_all(in, ours, 10), OK);
    expect(in, OK,
           "{\"sessions\":1,\"messages\":1,\"left_out\":0,\"faults\":[]}");
    assert_string_not_equal(f->last, "mine");
    assert_int_equal(store_session(f->store, "ann", f->last, &s), OK);
}

static void
who_breaks_off_tells_what_is_stored(void **state)
{
    struct fixture *f = *state;
    struct intake *in = begin(f, NULL);
    struct problem p = {.err = OK};

    assert_int_equal(read_all(in, LINE("a") "{\"a", 5), OK);
    expect(in, ERR_STOPPING,
           "{\"sessions\":1,\"messages\":1,\"left_out\":0,\"faults\":[{"
           "\"item\":2,\"rule\":\"ends too early\"},{\"item\":3,\"rule\":"
           "\"the server stops: nothing more was read\"}]}");
    in = begin(f, NULL);
    assert_int_equal(read_all(in, "nonsense", 5), ERR_BADREQ);
    assert_int_equal(intake_end(in, ERR_BADREQ, &p), ERR_BADREQ);
    assert_string_equal(p.code, "invalid_import");
    intake_free(in);
    in = begin(f, NULL);
    assert_int_equal(intake_end(in, ERR_INTERNAL, &p), ERR_INTERNAL);
    intake_free(in);
}

static void
used_sessions_were_used_now(void **state)
{
    static const char old[] =
        "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],"
        "\"created_at\":1000000000}";
    struct fixture *f = *state;
    struct intake_config c = {.used = true};
    struct session s;

    struct intake *in = begin(f, &c);
    assert_int_equal(read_all(in, old, 10), OK);
    assert_int_equal(store_session(f->store, "ann", f->last, &s), OK);
    assert_true(s.updated_ms > INT64_C(1700000000000));
    intake_free(in);
}

static int
setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    struct store_config c = {.dir = f->dir};

    log_set_level(LOG_ERROR + 1);
    folder_make(f->dir);
    assert_int_equal(store_open_on(&f->store, &memstore_backend, &c), OK);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;

    store_close(f->store);
    folder_remove(f->dir);
    free(f);
    return 0;
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_read_is_stored),
        TEST(rounds_are_as_many_as_it_takes),
        TEST(what_is_broken_is_told_with_its_number),
        TEST(limits_are_faults),
        TEST(faults_have_a_ceiling_and_are_counted),
        TEST(ids_that_are_taken_are_made_anew),
        TEST(who_breaks_off_tells_what_is_stored),
        TEST(used_sessions_were_used_now),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

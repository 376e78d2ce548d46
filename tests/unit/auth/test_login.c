/* Logins: auth/login.h, with the store under them. */
#include "base/base.h"

#include "auth/login.h"

#include <pthread.h>

#include "accounts_test.h"
#include "auth/login_record.h"
#include "base/json.h"

#define MINUTE_MS (INT64_C(60) * 1000)
#define DAY_MS (24 * 60 * MINUTE_MS)
#define IDLE_MS (7 * DAY_MS)
#define MAX_MS (30 * DAY_MS)

static struct logins *
logins_on(struct store *s)
{
    struct logins_config c = {.store = s, .idle_ms = IDLE_MS, .max_ms = MAX_MS};

    return logins_new(&c);
}

static struct login
begin(struct logins *l, const char *owner, int64_t now_ms,
      char value[LOGIN_VALUE_LEN + 1])
{
    struct login_wish w = {.owner = owner, .way = "password", .may = MAY_USER};
    struct login in;

    assert_int_equal(login_begin(l, &w, now_ms, value, &in), OK);
    return in;
}

static enum err
find(struct logins *l, const char *value, int64_t now_ms)
{
    struct login in;

    return login_find(l, value, now_ms, &in);
}

static bool
count(void *arg, const struct login *in)
{
    size_t *n = arg;

    assert_true(*in->owner != '\0' && strlen(in->id) == LOGIN_ID_LEN);
    ++*n;
    return true;
}

static size_t
how_many(struct logins *l, const char *owner, int64_t now_ms)
{
    size_t n = 0;

    assert_int_equal(login_list(l, owner, now_ms, UINT32_MAX, count, &n), OK);
    return n;
}

static void
a_record_is_read_as_it_was_written(void **state)
{
    struct login in = {.may = MAY_USER, .begun_ms = 5, .used_ms = 7}, got;
    struct login_before b = {3, 9}, b_got;
    struct buf t;

    (void)state;
    memset(in.owner, '"', STORE_OWNER_MAX);
    memset(in.name, '\\', IDENTITY_NAME_MAX);
    memset(in.way, '"', LOGIN_WAY_MAX);
    memset(in.agent, '"', LOGIN_AGENT_MAX);
    memset(in.addr, ':', IDENTITY_ADDR_MAX);
    buf_init(&t, STORE_RECORD_MAX);
    login_record_write(&t, &in);
    assert_int_equal(buf_status(&t), OK);
    assert_int_equal(login_record_read(t.data, t.len, &got), OK);
    assert_memory_equal(&got, &in, sizeof(in));
    for (size_t n = 0; n < t.len; n++)
        assert_int_equal(login_record_read(t.data, n, &got), ERR_STORE);
    buf_clear(&t);
    login_before_write(&t, &b);
    assert_int_equal(login_before_read(t.data, t.len, &b_got), OK);
    assert_memory_equal(&b, &b_got, sizeof(b));
    assert_int_equal(login_before_read(t.data, t.len - 1, &b_got), ERR_STORE);
    buf_release(&t);
}

static void
what_is_shown_of_a_login(void **state)
{
    const struct login in = {.id = "0123456789abcdef",
                             .owner = "local/ann",
                             .name = "ann",
                             .way = "password",
                             .agent = "a \"b\"",
                             .addr = "::1",
                             .mark = "secret",
                             .may = MAY_USER,
                             .begun_ms = 1000,
                             .used_ms = 2000,
                             .ends_ms = 3000};
    struct json_out j;
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    json_out_init(&j, &b);
    json_begin_obj(&j);
    login_put(&j, &in);
    json_end_obj(&j);
    assert_string_equal(buf_cstr(&b),
                        "{\"id\":\"0123456789abcdef\",\"owner\":\"local/ann\","
                        "\"name\":\"ann\",\"way\":\"password\","
                        "\"user_agent\":\"a \\\"b\\\"\",\"address\":\"::1\","
                        "\"begun_at\":\"1970-01-01T00:00:01.000Z\","
                        "\"last_used_at\":\"1970-01-01T00:00:02.000Z\","
                        "\"ends_at\":\"1970-01-01T00:00:03.000Z\"}");
    buf_release(&b);
}

/* --- begun and found ------------------------------------------------------ */

static void
a_login_that_was_begun_is_found(void **state)
{
    struct accounts *a = *state;
    struct login_wish w = {.owner = "local/ann",
                           .name = "Ann",
                           .way = "password",
                           .agent = "Mozilla/5.0\n(X11)\xe2\x80\xae",
                           .addr = "::1",
                           .may = MAY_USER};
    struct identity who = {.addr = "::2"};
    char value[LOGIN_VALUE_LEN + 1];
    int64_t now_ms = clock_wall_ms();
    struct login made, got;
    struct logins *l;

    a->s = accounts_open(a->dir);
    l = logins_on(a->s);
    assert_int_equal(login_begin(l, &w, now_ms, value, &made), OK);
    assert_int_equal(strlen(value), LOGIN_VALUE_LEN);
    assert_int_equal(strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkl"
                                   "mnopqrstuvwxyz0123456789-_"),
                     LOGIN_VALUE_LEN);
    assert_int_equal(login_find(l, value, now_ms + 1, &got), OK);
    assert_memory_equal(&got, &made, sizeof(got));
    assert_string_equal(got.owner, "local/ann");
    assert_string_equal(got.name, "Ann");
    assert_string_equal(got.way, "password");
    assert_string_equal(got.agent, "Mozilla/5.0?(X11)?");
    assert_string_equal(got.addr, "::1");
    assert_int_equal(got.may, MAY_USER);
    assert_int_equal(got.ends_ms, now_ms + IDLE_MS);
    login_identity(&got, &who);
    assert_int_equal(who.way, IDENTITY_LOGIN);
    assert_string_equal(who.owner, "local/ann");
    assert_string_equal(who.name, "Ann");
    assert_string_equal(who.id, made.id);
    assert_string_equal(who.addr, "::2");
    assert_int_equal(who.until_ms, got.ends_ms);
    assert_false(folder_has_text(a->dir, value));
    assert_true(folder_has_text(a->dir, made.id));
    logins_free(l);
}

static void
what_is_no_login_is_refused(void **state)
{
    struct accounts *a = *state;
    struct login_wish w = {.owner = "", .may = MAY_USER};
    char value[LOGIN_VALUE_LEN + 1], other[LOGIN_VALUE_LEN + 2];
    int64_t now_ms = clock_wall_ms();
    struct login in;
    struct logins *l;

    a->s = accounts_open(a->dir);
    l = logins_on(a->s);
    assert_int_equal(login_begin(l, &w, now_ms, value, &in), ERR_BADREQ);
    w.owner = "anon/abc";
    assert_int_equal(login_begin(l, &w, now_ms, value, &in), ERR_BADREQ);
    w.owner = "local/ann";
    w.may = MAY_ALL + 1;
    assert_int_equal(login_begin(l, &w, now_ms, value, &in), ERR_BADREQ);
    (void)begin(l, "local/ann", now_ms, value);
    assert_int_equal(find(l, "", now_ms), ERR_AUTH);
    (void)snprintf(other, sizeof(other), "%s", value);
    other[0] = other[0] == 'A' ? 'B' : 'A';
    assert_int_equal(find(l, other, now_ms), ERR_AUTH);
    (void)snprintf(other, sizeof(other), "%sA", value);
    assert_int_equal(find(l, other, now_ms), ERR_AUTH);
    other[LOGIN_VALUE_LEN - 1] = '\0';
    assert_int_equal(find(l, other, now_ms), ERR_AUTH);
    assert_int_equal(find(l, value, now_ms), OK);
    logins_free(l);
}

/* --- its end -------------------------------------------------------------- */

static void
a_login_ends_when_it_is_not_used(void **state)
{
    struct accounts *a = *state;
    char value[LOGIN_VALUE_LEN + 1];
    int64_t now_ms = clock_wall_ms();
    struct logins *l;

    a->s = accounts_open(a->dir);
    l = logins_on(a->s);
    (void)begin(l, "local/ann", now_ms, value);
    assert_int_equal(find(l, value, now_ms + IDLE_MS), ERR_AUTH);
    assert_int_equal(how_many(l, "local/ann", now_ms + IDLE_MS), 0);
    assert_int_equal(how_many(l, NULL, now_ms + IDLE_MS), 0);
    assert_int_equal(how_many(l, "local/ann", now_ms + IDLE_MS - 1), 1);
    assert_int_equal(how_many(l, NULL, now_ms + IDLE_MS - 1), 1);
    assert_int_equal(find(l, value, now_ms + IDLE_MS - 1), OK);
    settle(a->s); /* its use was noted, so it goes on */
    assert_int_equal(find(l, value, now_ms + IDLE_MS), OK);
    assert_int_equal(find(l, value, now_ms + 2 * IDLE_MS - 1), ERR_AUTH);
    logins_free(l);
}

static void
a_login_ends_however_much_it_is_used(void **state)
{
    struct accounts *a = *state;
    char value[LOGIN_VALUE_LEN + 1];
    int64_t now_ms = clock_wall_ms(), at_ms;
    struct logins *l;

    a->s = accounts_open(a->dir);
    l = logins_on(a->s);
    (void)begin(l, "local/ann", now_ms, value);
    for (at_ms = now_ms; at_ms < now_ms + MAX_MS; at_ms += DAY_MS) {
        assert_int_equal(find(l, value, at_ms), OK);
        settle(a->s);
        logins_free(l); /* its memory of what it wrote lately */
        l = logins_on(a->s);
    }
    assert_int_equal(find(l, value, now_ms + MAX_MS - 1), OK);
    settle(a->s);
    assert_int_equal(find(l, value, now_ms + MAX_MS), ERR_AUTH);
    logins_free(l);
}

static void
its_use_is_noted_once_in_a_while(void **state)
{
    struct accounts *a = *state;
    char value[LOGIN_VALUE_LEN + 1];
    int64_t now_ms = clock_wall_ms();
    struct login in;
    struct logins *l;
    uint64_t ops;

    a->s = accounts_open(a->dir);
    l = logins_on(a->s);
    (void)begin(l, "local/ann", now_ms, value);
    ops = ops_of(a->s);
    for (int i = 0; i < 100; i++)
        assert_int_equal(find(l, value, now_ms + LOGIN_TOUCH_MS - 1), OK);
    for (int i = 0; i < 100; i++) /* one of these is noted */
        assert_int_equal(find(l, value, now_ms + LOGIN_TOUCH_MS + i), OK);
    settle(a->s);
    assert_int_equal(ops_of(a->s), ops + 2);
    assert_int_equal(login_find(l, value, now_ms + LOGIN_TOUCH_MS, &in), OK);
    assert_int_equal(in.used_ms, now_ms + LOGIN_TOUCH_MS);
    assert_int_equal(in.begun_ms, now_ms);
    logins_free(l);
}

static void
signing_in_anew_ends_the_old_one(void **state)
{
    struct accounts *a = *state;
    struct login_wish w = {.owner = "local/bob", .may = MAY_USER};
    char old[LOGIN_VALUE_LEN + 1], value[LOGIN_VALUE_LEN + 1];
    int64_t now_ms = clock_wall_ms();
    struct login in;
    struct logins *l;

    a->s = accounts_open(a->dir);
    l = logins_on(a->s);
    (void)begin(l, "local/ann", now_ms, old);
    w.old = old;
    assert_int_equal(login_begin(l, &w, now_ms, value, &in), OK);
    assert_string_not_equal(old, value);
    assert_int_equal(find(l, old, now_ms), ERR_AUTH);
    assert_int_equal(find(l, value, now_ms), OK);
    assert_int_equal(how_many(l, "local/ann", now_ms), 0);
    assert_int_equal(how_many(l, NULL, now_ms), 1);
    w.old = "not a value at all";
    assert_int_equal(login_begin(l, &w, now_ms, old, &in), OK);
    assert_int_equal(how_many(l, "local/bob", now_ms), 2);
    logins_free(l);
}

static void
one_is_ended_by_its_value_or_its_id(void **state)
{
    struct accounts *a = *state;
    char one[LOGIN_VALUE_LEN + 1], two[LOGIN_VALUE_LEN + 1];
    int64_t now_ms = clock_wall_ms();
    struct login in;
    struct logins *l;

    a->s = accounts_open(a->dir);
    l = logins_on(a->s);
    (void)begin(l, "local/ann", now_ms, one);
    in = begin(l, "local/ann", now_ms, two);
    assert_int_equal(login_end(l, one), OK);
    assert_int_equal(find(l, one, now_ms), ERR_AUTH);
    assert_int_equal(login_end(l, one), OK);
    assert_int_equal(login_end(l, ""), OK);
    assert_int_equal(find(l, two, now_ms), OK);
    assert_int_equal(login_end_id(l, "local/bob", in.id), ERR_NOTFOUND);
    assert_int_equal(login_end_id(l, "local/ann", ""), ERR_NOTFOUND);
    assert_int_equal(login_end_id(l, "local/ann", "0"), ERR_NOTFOUND);
    assert_int_equal(find(l, two, now_ms), OK);
    /* The note of its use is on its way, and does not bring it back. */
    assert_int_equal(find(l, two, now_ms + LOGIN_TOUCH_MS), OK);
    assert_int_equal(login_end_id(l, "local/ann", in.id), OK);
    assert_int_equal(find(l, two, now_ms), ERR_AUTH);
    settle(a->s);
    assert_int_equal(find(l, two, now_ms), ERR_AUTH);
    assert_int_equal(login_end_id(l, "local/ann", in.id), ERR_NOTFOUND);
    logins_free(l);
}

static void
all_of_an_owner_are_ended(void **state)
{
    struct accounts *a = *state;
    char one[LOGIN_VALUE_LEN + 1], two[LOGIN_VALUE_LEN + 1];
    char other[LOGIN_VALUE_LEN + 1], late[LOGIN_VALUE_LEN + 1];
    int64_t now_ms = clock_wall_ms(), before_ms;
    struct logins *l;
    size_t n;

    a->s = accounts_open(a->dir);
    l = logins_on(a->s);
    (void)begin(l, "local/ann", now_ms - 1, one);
    (void)begin(l, "local/ann", now_ms, two);
    (void)begin(l, "local/anna", now_ms - 1, other);
    assert_int_equal(login_not_before(l, "local/ann", &before_ms), OK);
    assert_int_equal(before_ms, 0);
    assert_int_equal(login_end_all(l, "local/ann", false, now_ms, &n), OK);
    assert_int_equal(n, 2);
    assert_int_equal(find(l, one, now_ms), ERR_AUTH);
    assert_int_equal(find(l, two, now_ms), ERR_AUTH);
    assert_int_equal(find(l, other, now_ms), OK);
    assert_int_equal(login_not_before(l, "local/ann", &before_ms), OK);
    assert_int_equal(before_ms, 0);

    /* A sign-in that was under way comes too late; one from now on does not. */
    (void)begin(l, "local/ann", now_ms - 1, late);
    assert_int_equal(find(l, late, now_ms), ERR_AUTH);
    assert_int_equal(how_many(l, "local/ann", now_ms), 0);
    (void)begin(l, "local/ann", now_ms, late);
    assert_int_equal(find(l, late, now_ms), OK);

    assert_int_equal(login_end_all(l, "local/ann", true, now_ms + 5, NULL), OK);
    assert_int_equal(login_not_before(l, "local/ann", &before_ms), OK);
    assert_int_equal(before_ms, now_ms + 5);
    /* An earlier time does not take the later one back. */
    assert_int_equal(login_end_all(l, "local/ann", true, now_ms, NULL), OK);
    assert_int_equal(login_not_before(l, "local/ann", &before_ms), OK);
    assert_int_equal(before_ms, now_ms + 5);
    assert_int_equal(login_not_before(l, "local/anna", &before_ms), OK);
    assert_int_equal(before_ms, 0);
    logins_free(l);
}

static void
one_too_many_ends_the_one_unused_for_the_longest(void **state)
{
    struct accounts *a = *state;
    char values[LOGINS_MAX + 1][LOGIN_VALUE_LEN + 1];
    int64_t now_ms = clock_wall_ms();
    struct logins *l;

    a->s = accounts_open(a->dir);
    l = logins_on(a->s);
    for (int i = 0; i < LOGINS_MAX; i++)
        (void)begin(l, "local/ann", now_ms + i, values[i]);
    assert_int_equal(how_many(l, "local/ann", now_ms), LOGINS_MAX);
    assert_int_equal(find(l, values[0], now_ms + LOGIN_TOUCH_MS), OK);
    settle(a->s); /* so the second is the one */
    (void)begin(l, "local/ann", now_ms + LOGIN_TOUCH_MS, values[LOGINS_MAX]);
    assert_int_equal(how_many(l, "local/ann", now_ms), LOGINS_MAX);
    for (int i = 0; i <= LOGINS_MAX; i++)
        assert_int_equal(find(l, values[i], now_ms), i == 1 ? ERR_AUTH : OK);
    logins_free(l);
}

static void
who_signs_in_again_ends_no_other(void **state)
{
    struct accounts *a = *state;
    char values[LOGINS_MAX + 1][LOGIN_VALUE_LEN + 1];
    struct login_wish w = {
        .owner = "local/ann", .may = MAY_USER, .old = values[LOGINS_MAX - 1]};
    int64_t now_ms = clock_wall_ms();
    struct logins *l;
    struct login in;

    a->s = accounts_open(a->dir);
    l = logins_on(a->s);
    for (int i = 0; i < LOGINS_MAX; i++)
        (void)begin(l, "local/ann", now_ms + i, values[i]);
    assert_int_equal(
        login_begin(l, &w, now_ms + LOGINS_MAX, values[LOGINS_MAX], &in), OK);
    assert_int_equal(how_many(l, "local/ann", now_ms), LOGINS_MAX);
    for (int i = 0; i <= LOGINS_MAX; i++)
        assert_int_equal(find(l, values[i], now_ms),
                         i == LOGINS_MAX - 1 ? ERR_AUTH : OK);
    logins_free(l);
}

/* --- at once -------------------------------------------------------------- */

struct user {
    pthread_t thread;
    struct logins *l;
    int64_t now_ms;
    int wrong;
};

static void *
use(void *arg)
{
    struct user *u = arg;
    struct login_wish w = {.owner = "local/ann", .may = MAY_USER};

    for (int i = 0; i < 10; i++) {
        char value[LOGIN_VALUE_LEN + 1];
        struct login in;

        if (login_begin(u->l, &w, u->now_ms, value, &in) != OK ||
            find(u->l, value, u->now_ms + LOGIN_TOUCH_MS) != OK ||
            login_end(u->l, value) != OK ||
            find(u->l, value, u->now_ms) != ERR_AUTH)
            u->wrong++;
    }
    return NULL;
}

static void
threads_do_not_disturb_each_other(void **state)
{
    struct accounts *a = *state;
    struct user u[4];
    struct logins *l;

    a->s = accounts_open(a->dir);
    l = logins_on(a->s);
    for (size_t i = 0; i < COUNT_OF(u); i++) {
        u[i] = (struct user){.l = l, .now_ms = clock_wall_ms()};
        assert_int_equal(pthread_create(&u[i].thread, NULL, use, &u[i]), 0);
    }
    for (size_t i = 0; i < COUNT_OF(u); i++) {
        assert_int_equal(pthread_join(u[i].thread, NULL), 0);
        assert_int_equal(u[i].wrong, 0);
    }
    assert_int_equal(how_many(l, NULL, clock_wall_ms()), 0);
    logins_free(l);
}

/* "find VALUE", "end VALUE" or "all OWNER": its err. */
static int
other_logins(struct store *s, const char *line)
{
    struct logins *l = logins_on(s);
    int e;

    if (strncmp(line, "find ", 5) == 0)
        e = (int)find(l, line + 5, clock_wall_ms());
    else if (strncmp(line, "end ", 4) == 0)
        e = (int)login_end(l, line + 4);
    else
        e = (int)login_end_all(l, line + 4, true, clock_wall_ms(), NULL);
    logins_free(l);
    return e;
}

static void
all_processes_know_at_once(void **state)
{
    struct accounts *a = *state;
    struct other o = other_start(a->dir, other_logins);
    char value[LOGIN_VALUE_LEN + 1], line[128], end[128];
    struct logins *l;
    int64_t ms;

    a->s = accounts_open(a->dir);
    l = logins_on(a->s);
    for (int i = 0; i < 4; i++) {
        (void)begin(l, "local/ann", clock_wall_ms(), value);
        (void)snprintf(line, sizeof(line), "find %s", value);
        assert_int_equal(other_ask(&o, line), OK);
        (void)snprintf(end, sizeof(end), "end %s", value);
        switch (i) {
        case 0: assert_int_equal(login_end(l, value), OK); break;
        case 1: assert_int_equal(other_ask(&o, end), OK); break;
        case 2: assert_int_equal(other_ask(&o, "all local/ann"), OK); break;
        default:
            assert_int_equal(
                login_end_all(l, "local/ann", true, clock_wall_ms(), NULL), OK);
            break;
        }
        assert_int_equal(other_ask(&o, line), ERR_AUTH);
        assert_int_equal(find(l, value, clock_wall_ms()), ERR_AUTH);
    }
    assert_int_equal(login_not_before(l, "local/ann", &ms), OK);
    assert_true(ms > 0 && ms <= clock_wall_ms());
    logins_free(l);
    other_end(&o);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_read_as_it_was_written),
        cmocka_unit_test(what_is_shown_of_a_login),
        ON_ACCOUNTS(a_login_that_was_begun_is_found),
        ON_ACCOUNTS(what_is_no_login_is_refused),
        ON_ACCOUNTS(a_login_ends_when_it_is_not_used),
        ON_ACCOUNTS(a_login_ends_however_much_it_is_used),
        ON_ACCOUNTS(its_use_is_noted_once_in_a_while),
        ON_ACCOUNTS(signing_in_anew_ends_the_old_one),
        ON_ACCOUNTS(one_is_ended_by_its_value_or_its_id),
        ON_ACCOUNTS(all_of_an_owner_are_ended),
        ON_ACCOUNTS(one_too_many_ends_the_one_unused_for_the_longest),
        ON_ACCOUNTS(who_signs_in_again_ends_no_other),
        ON_ACCOUNTS(threads_do_not_disturb_each_other),
        ON_ACCOUNTS(all_processes_know_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

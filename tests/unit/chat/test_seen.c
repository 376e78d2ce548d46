/*
 * Tests of chat/seen.c on every backend: what is new is told once, in order,
 * whoever asks and from wherever; and what is no news is not told. A client is
 * played that knows nothing but what it is told, and that always comes back
 * with the text of the last id.
 */
#include "../store/store_test.h"

#include "base/text.h"
#include "chat/seen.h"

static struct on_store on_lmdb = {.be = &lmdb_backend};
static struct on_store on_memory = {.be = &memstore_backend};

/* --- a client ------------------------------------------------------------- */

struct client {
    struct store *s;
    char id[SEEN_TEXT_MAX]; /* of the last thing it was told; "" */
    char told[4096];        /* since the last check: "session|0:q|changed|" */
    char messages[16384];   /* what it believes is there: "0:q|1:a|" */
    char title[STORE_TITLE_MAX + 1]; /* likewise */
    struct ident head;
    bool ended;
    bool begun; /* begin was called */
    int64_t expires_ms;
    struct buf out;
};

static void
say(struct client *c, const char *fmt, ...)
{
    size_t n = strlen(c->told);
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(c->told + n, sizeof(c->told) - n, fmt, ap);
    va_end(ap);
}

/* What is told goes into the buffer first, as it may be thrown away: a line
 * each, "id kind text". */
static void
on_begin(void *arg, const struct session *s)
{
    struct client *c = arg;

    (void)s;
    c->begun = true;
}

static void
on_message(void *arg, const struct seen *now, const struct message *m)
{
    struct client *c = arg;
    char id[SEEN_TEXT_MAX];

    assert_true(c->begun);
    seen_text(id, now);
    buf_addf(&c->out, "%s m %u:%.*s\n", id, m->seq, (int)m->text_len, m->text);
}

static void
on_news(void *arg, const struct seen *now, enum seen_news what,
        const struct session *s, const struct ident *head)
{
    static const char letters[] = "sncd";
    struct client *c = arg;
    char id[SEEN_TEXT_MAX], text[IDENT_TEXT_LEN];

    seen_text(id, now);
    ident_text(text, head);
    assert_int_equal(s == NULL, what == NEWS_DELETED);
    buf_addf(&c->out, "%s %c %s %s\n", id, letters[what], text,
             s != NULL ? s->title : "");
}

static void
take_line(struct client *c, char *line)
{
    char *kind = strchr(line, ' ') + 1;
    char *text = kind + 2;
    size_t n = strlen(c->messages);

    (void)snprintf(c->id, sizeof(c->id), "%.*s", (int)(kind - 1 - line), line);
    switch (*kind) {
    case 'm':
        say(c, "%.40s|", text);
        (void)snprintf(c->messages + n, sizeof(c->messages) - n, "%.40s|",
                       text);
        return;
    case 'c':
        say(c, "cleared|");
        c->messages[0] = '\0';
        return;
    case 'd':
        say(c, "deleted|");
        c->ended = true;
        return;
    default:
        say(c, *kind == 's' ? "session|" : "changed|");
        (void)snprintf(c->title, sizeof(c->title), "%s", text + IDENT_TEXT_LEN);
        assert_int_equal(ident_parse(text, IDENT_TEXT_LEN - 1, &c->head), OK);
    }
}

/* One look, from the text of the last id. */
static bool
look_as(struct client *c, const char *owner, size_t max)
{
    static const struct seen_calls calls = {on_begin, on_message, on_news};
    struct seen_look l = {.store = c->s,
                          .owner = owner,
                          .session_id = "s",
                          .calls = &calls,
                          .arg = c,
                          .out = &c->out};
    char id[SEEN_TEXT_MAX], *save = NULL;
    struct seen seen = {.kind = SEEN_NOTHING};

    if (c->id[0] != '\0')
        assert_int_equal(seen_read(c->id, &seen), OK);
    buf_init(&c->out, max);
    c->begun = false;
    assert_int_equal(seen_look(&l, &seen), OK);
    buf_addc(&c->out, '\0');
    for (char *line = strtok_r(c->out.data, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save))
        take_line(c, line);
    seen_text(id, &seen);
    assert_string_equal(id, c->id);
    c->expires_ms = l.expires_ms;
    buf_release(&c->out);
    return l.more;
}

/* Look until there is nothing more. */
static const char *
look(struct client *c)
{
    c->told[0] = '\0';
    while (look_as(c, "", SEEN_OUT_MAX))
        ;
    return c->told;
}

static struct client
new_client(struct on_store *f)
{
    struct client c = {.s = f->s};

    return c;
}

static void
apply(struct store *s, struct store_op op)
{
    assert_int_equal(store_apply(s, &op), OK);
}

#define ID "01234567-89ab-7cde-8f01-23456789abcd"

/* --- ids ------------------------------------------------------------------ */

static void
an_id_is_read_as_it_was_written(void **state)
{
    static const char *const good[] = {
        "0011223344556677.0.-.8899aabbccddeeff",
        "0011223344556677.1." ID ".8899aabbccddeeff",
        "ffffffffffffffff.4294967295." ID ".0000000000000000",
        "0011223344556677.gone",
    };
    char text[SEEN_TEXT_MAX];
    struct seen s;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_int_equal(seen_read(good[i], &s), OK);
        seen_text(text, &s);
        assert_string_equal(text, good[i]);
    }
}

static void
what_is_no_id_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        ".",
        "...",
        "gone",
        "0011223344556677",
        "0011223344556677.",
        "0011223344556677.Gone",
        "0011223344556677.gone.",
        "001122334455667.gone",
        "00112233445566778.gone",
        "0011223344556g77.gone",
        "0011223344556677.0.-",
        "0011223344556677.0.-.",
        "0011223344556677.0.-.8899aabbccddeef",
        "0011223344556677.0.-.8899aabbccddeeff.",
        "0011223344556677.0.-.8899aabbccddeeff0",
        "0011223344556677.1.-.8899aabbccddeeff",
        "0011223344556677.-1.-.8899aabbccddeeff",
        "0011223344556677..-.8899aabbccddeeff",
        "0011223344556677.0..8899aabbccddeeff",
    };
    static const char *const too_much[] = {
        "0011223344556677.4294967296." ID ".8899aabbccddeeff",
        ID ".7",
        "0011223344556677.1." ID "0.8899aabbccddeeff",
    };
    struct seen s;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (seen_read(bad[i], &s) != ERR_BADREQ)
            fail_msg("taken: %s", bad[i]);
    for (size_t i = 0; i < COUNT_OF(too_much); i++)
        assert_int_equal(seen_read(too_much[i], &s), ERR_BADREQ);
}

/* --- news ----------------------------------------------------------------- */

static void
who_saw_nothing_is_told_how_it_is(void **state)
{
    struct on_store *f = *state;
    struct client c = new_client(f);

    (void)put_turn(f->s, "", "s", "q", "a");
    assert_string_equal(look(&c), "session|");
    assert_string_equal(look(&c), "");
    assert_false(ident_is_zero(&c.head));
}

static void
messages_are_told_once_and_in_order(void **state)
{
    struct on_store *f = *state;
    struct store_op begin = op_begin("", "s", "q0"), end;
    struct client c = new_client(f);

    apply(f->s, begin);
    assert_string_equal(look(&c), "session|");
    end = op_end(&begin.begin.turn, "a0"); /* its question was there */
    apply(f->s, end);
    assert_string_equal(look(&c), "1:a0|");
    (void)put_turn(f->s, "", "s", "q1", "a1");
    (void)put_turn(f->s, "", "s", "q2", "a2");
    assert_string_equal(look(&c), "2:q1|3:a1|4:q2|5:a2|");
    assert_string_equal(look(&c), "");
}

static void
an_empty_session_can_be_watched(void **state)
{
    struct on_store *f = *state;
    struct client c = new_client(f);
    struct store_op op = op_title("", "s", "empty");

    op.patch.create = true;
    apply(f->s, op);
    assert_string_equal(look(&c), "session|");
    assert_true(ident_is_zero(&c.head));
    assert_string_equal(look(&c), "");
    (void)put_turn(f->s, "", "s", "q", "a");
    assert_string_equal(look(&c), "0:q|1:a|");
}

static void
each_thing_that_is_set_is_told_once(void **state)
{
    struct on_store *f = *state;
    struct client c = new_client(f);
    struct store_op ops[8];

    (void)put_turn(f->s, "", "s", "q", "a");
    assert_string_equal(look(&c), "session|");
    for (size_t i = 0; i < COUNT_OF(ops); i++)
        ops[i] = op_on(STORE_SESSION_PATCH, "", "s");
    ops[0].patch.title = "new";
    ops[1].patch.set_pinned = ops[1].patch.pinned = true;
    ops[2].patch.set_archived = ops[2].patch.archived = true;
    ops[3].patch.tags = "one\ntwo\n";
    ops[4].patch.model = "m";
    ops[5].patch.context = "always";
    ops[6].patch.context = "never"; /* has_context stays */
    ops[7].patch.set_expires = true;
    ops[7].patch.expires_ms = INT64_MAX / 2;
    for (size_t i = 0; i < COUNT_OF(ops); i++) {
        apply(f->s, ops[i]);
        assert_string_equal(look(&c), "changed|");
        apply(f->s, ops[i]); /* the same again */
        assert_string_equal(look(&c), "");
    }
    assert_string_equal(c.title, "new");
    assert_int_equal(c.expires_ms, INT64_MAX / 2);
}

static void
a_line_that_ends_elsewhere_is_told(void **state)
{
    struct on_store *f = *state;
    struct client c = new_client(f);
    struct ident last;

    (void)put_turn(f->s, "", "s", "q0", "a0");
    (void)put_turn(f->s, "", "s", "q1", "a1");
    assert_string_equal(look(&c), "session|");
    last = c.head;
    assert_int_equal(set_head(f->s, "", "s", 1), OK);
    assert_string_equal(look(&c), "changed|");
    assert_false(ident_eq(&c.head, &last));
    assert_int_equal(set_head(f->s, "", "s", 3), OK);
    assert_string_equal(look(&c), "changed|");
    assert_true(ident_eq(&c.head, &last));
    (void)put_turn_behind(f->s, "", "s", 1, "q2", "a2");
    assert_string_equal(look(&c), "4:q2|5:a2|"); /* the head goes with them */
}

static void
a_cleared_session_is_told_also_if_it_is_full_again(void **state)
{
    struct on_store *f = *state;
    struct client c = new_client(f), d = c;

    (void)put_turn(f->s, "", "s", "q0", "a0");
    (void)look(&c);
    (void)look(&d);
    apply(f->s, op_on(STORE_SESSION_CLEAR, "", "s"));
    assert_string_equal(look(&c), "cleared|");
    assert_string_equal(look(&c), "");
    (void)put_turn(f->s, "", "s", "q1", "a1");
    assert_string_equal(look(&c), "0:q1|1:a1|");
    assert_string_equal(look(&d), "cleared|0:q1|1:a1|");
    (void)put_turn(f->s, "", "s", "q2", "a2");
    apply(f->s, op_on(STORE_SESSION_CLEAR, "", "s"));
    (void)put_turn(f->s, "", "s", "q3", "a3");
    assert_string_equal(look(&c), "cleared|0:q3|1:a3|");
}

static void
a_deleted_session_is_the_end(void **state)
{
    struct on_store *f = *state;
    struct client c = new_client(f);

    (void)put_turn(f->s, "", "s", "q", "a");
    (void)look(&c);
    apply(f->s, op_on(STORE_SESSION_DELETE, "", "s"));
    assert_string_equal(look(&c), "deleted|");
    assert_non_null(strstr(c.id, ".gone"));
}

/* Whoever was told the end finds the new one; who was not is told it first. */
static void
another_session_of_its_name_is_another_one(void **state)
{
    struct on_store *f = *state;
    struct client c = new_client(f);

    (void)put_turn(f->s, "", "s", "q", "a");
    (void)look(&c);
    apply(f->s, op_on(STORE_SESSION_DELETE, "", "s"));
    (void)put_turn(f->s, "", "s", "new", "one");
    assert_string_equal(look(&c), "deleted|");
    assert_string_equal(look(&c), "session|");
    (void)put_turn(f->s, "", "s", "q1", "a1");
    assert_string_equal(look(&c), "2:q1|3:a1|");
}

static void
one_whose_time_is_over_is_the_end(void **state)
{
    struct on_store *f = *state;
    struct client c = new_client(f);
    struct store_op op = op_on(STORE_SESSION_PATCH, "", "s");

    (void)put_turn(f->s, "", "s", "q", "a");
    (void)look(&c);
    op.patch.set_expires = true;
    op.patch.expires_ms = 1;
    apply(f->s, op);
    assert_string_equal(look(&c), "deleted|");
}

static void
anothers_session_is_none(void **state)
{
    struct on_store *f = *state;
    struct client c = new_client(f);

    (void)put_turn(f->s, "ann", "s", "q", "a");
    assert_false(look_as(&c, "eve", SEEN_OUT_MAX));
    assert_string_equal(c.told, "deleted|");
}

static void
much_comes_in_pieces(void **state)
{
    struct on_store *f = *state;
    struct client c = new_client(f);
    size_t looks = 1;
    char text[3001], part[32];
    const char *at = c.messages;

    (void)put_turn(f->s, "", "s", "q", "a");
    (void)look(&c);
    (void)memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (int i = 0; i < 20; i++)
        (void)put_turn(f->s, "", "s", text, "a");
    apply(f->s, op_title("", "s", "new"));
    while (look_as(&c, "", SEEN_OUT_MAX))
        looks++;
    assert_true(looks >= 20 * 3000 / SEEN_BATCH);
    for (unsigned seq = 2; seq < 42; seq++) {
        (void)snprintf(part, sizeof(part), "%u:%c", seq, seq % 2 ? 'a' : 'x');
        assert_int_equal(strncmp(at, part, strlen(part)), 0);
        at = strchr(at, '|') + 1;
    }
    assert_string_equal(at, "");
    assert_string_equal(c.title, "new");
}

static void
what_does_not_fit_says_nothing(void **state)
{
    struct on_store *f = *state;
    struct client c = new_client(f);
    static const struct seen_calls calls = {on_begin, on_message, on_news};
    struct seen_look l = {.store = f->s,
                          .owner = "",
                          .session_id = "s",
                          .calls = &calls,
                          .arg = &c,
                          .out = &c.out};
    struct seen seen, before;

    (void)put_turn(f->s, "", "s", "q", "a");
    (void)look(&c);
    (void)put_turn(f->s, "", "s", "short", "much longer than what is left");
    assert_int_equal(seen_read(c.id, &seen), OK);
    before = seen;
    buf_init(&c.out, 150);
    assert_int_equal(seen_look(&l, &seen), ERR_TOOBIG);
    assert_int_equal(c.out.len, 0);
    assert_memory_equal(&seen, &before, sizeof(seen));
    buf_release(&c.out);
    assert_string_equal(look(&c), "2:short|3:much longer than what is left|");
}

/* --- anything, at any time ------------------------------------------------ */

static uint32_t seed;

static uint32_t
some(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

/* Do something; also what is refused. */
static void
do_something(struct store *s, int i)
{
    struct store_op op = op_on(STORE_SESSION_PATCH, "", "s");
    struct session sess;
    char text[32];

    (void)snprintf(text, sizeof(text), "t%d", i);
    switch (some(12)) {
    case 0: op.kind = STORE_SESSION_CLEAR; break;
    case 1: op.patch.title = text; break;
    case 2: op.patch.context = some(2) ? text : ""; break;
    case 3:
        if (store_session(s, "", "s", &sess) != OK || sess.n_messages == 0)
            return;
        op.patch.set_head = true;
        op.patch.head = some(sess.n_messages);
        break;
    case 4:
        op.patch.set_pinned = true;
        op.patch.pinned = some(2);
        break;
    default: (void)put_turn(s, "", "s", text, "a"); return;
    }
    IGNORE(store_apply(s, &op));
}

static bool
add_message(void *arg, const struct message *m)
{
    char *text = arg;
    size_t n = strlen(text);

    (void)snprintf(text + n, 16384 - n, "%u:%.*s|", m->seq, (int)m->text_len,
                   m->text);
    return true;
}

/* What a client believes that looked from the beginning is what is there. */
static void
a_client_that_comes_and_goes_knows_all(void **state)
{
    struct on_store *f = *state;
    struct store_op op = op_title("", "s", "first");
    struct client clients[4];
    static char want[16384];
    struct session sess;

    op.patch.create = true;
    apply(f->s, op);
    for (size_t k = 0; k < COUNT_OF(clients); k++) {
        clients[k] = new_client(f);
        (void)look(&clients[k]);
    }
    for (int i = 0; i < 150; i++) {
        do_something(f->s, i);
        for (size_t k = 0; k < COUNT_OF(clients); k++)
            if (some(1u << k) == 0)
                (void)look_as(&clients[k], "", SEEN_OUT_MAX);
    }
    want[0] = '\0';
    assert_int_equal(store_all_messages(f->s, "", "s", 0, UINT32_MAX, &sess,
                                        add_message, want),
                     OK);
    for (size_t k = 0; k < COUNT_OF(clients); k++) {
        (void)look(&clients[k]);
        assert_string_equal(clients[k].messages, want);
        assert_string_equal(clients[k].title, sess.title);
        assert_false(clients[k].ended);
        assert_string_equal(look(&clients[k]), "");
    }
}

#define ON_BOTH(t) ON_STORE(t, on_lmdb), ON_STORE(t, on_memory)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_is_read_as_it_was_written),
        cmocka_unit_test(what_is_no_id_is_refused),
        ON_BOTH(who_saw_nothing_is_told_how_it_is),
        ON_BOTH(messages_are_told_once_and_in_order),
        ON_BOTH(an_empty_session_can_be_watched),
        ON_BOTH(each_thing_that_is_set_is_told_once),
        ON_BOTH(a_line_that_ends_elsewhere_is_told),
        ON_BOTH(a_cleared_session_is_told_also_if_it_is_full_again),
        ON_BOTH(a_deleted_session_is_the_end),
        ON_BOTH(another_session_of_its_name_is_another_one),
        ON_BOTH(one_whose_time_is_over_is_the_end),
        ON_BOTH(anothers_session_is_none),
        ON_BOTH(much_comes_in_pieces),
        ON_BOTH(what_does_not_fit_says_nothing),
        ON_BOTH(a_client_that_comes_and_goes_knows_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * The index of words: what is found, whose it is, pages. Forgetting is
 * in test_search_forget.c, what
 * processes and disks do to it in test_search_file.c, the query language
 * in test_search_words.c.
 */
#include "search_test.h"

#include <pthread.h>

/* --- feeding ------------------------------------------------------------- */

static void
a_new_index_says_that_it_has_read_nothing(void **state)
{
    struct search_stats st;

    (void)state;
    assert_int_equal(cursor_now(), 0);
    assert_found("anything", "");
    assert_int_equal(search_stats(ix, &st), OK);
    assert_int_equal(st.messages, 0);
    assert_int_equal(st.cursor, 0);
}

static void
nothing_is_opened_before_the_first_call(void **state)
{
    char path[300];

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/messages.db", search_dir);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(cursor_now(), 0);
    assert_int_equal(access(path, F_OK), 0);
}

static void
files_are_nobody_elses_to_read(void **state)
{
    static const char *const names[] = {"messages.db", "messages.db-wal",
                                        "messages.db-shm", "lock"};
    char path[300];
    struct stat st;

    (void)state;
    (void)rmdir(search_dir);
    add(1, 0, "hello");
    assert_int_equal(stat(search_dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", search_dir, names[i]);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
}

static void
messages_and_cursor_come_together(void **state)
{
    struct search_message m[2] = {message_of("ann", 1, 0, "one red apple"),
                                  message_of("ann", 2, 0, "two red pears")};
    struct search_stats st;

    (void)state;
    assert_int_equal(search_add(ix, m, 2, UINT64_MAX - 1), OK);
    assert_int_equal(cursor_now(), UINT64_MAX - 1);
    assert_found("red", "2:0|1:0|");
    assert_found("apple", "1:0|");
    assert_int_equal(search_add(ix, NULL, 0, 7), OK);
    assert_int_equal(cursor_now(), 7);
    assert_int_equal(search_stats(ix, &st), OK);
    assert_int_equal(st.messages, 2);
    assert_int_equal(st.sessions, 2);
    assert_true(st.bytes > 0);
}

static void
the_same_again_changes_nothing_and_other_text_replaces(void **state)
{
    struct search_message m = message_of("ann", 1, 4, "yellow");
    struct search_stats st;

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(search_add(ix, &m, 1, 1), OK);
    assert_found("yellow", "1:4|");
    m.text = "purple";
    m.text_len = 6;
    assert_int_equal(search_add(ix, &m, 1, 1), OK);
    assert_found("yellow", "");
    assert_found("purple", "1:4|");
    m.id = ident_v7();
    m.at_ms -= 50 * DAY_MS;
    assert_int_equal(search_add(ix, &m, 1, 1), OK);
    assert_found("purple", "1:4|");
    assert_int_equal(search_stats(ix, &st), OK);
    assert_int_equal(st.messages, 1);
}

static void
the_last_of_a_batch_with_the_same_place_wins(void **state)
{
    struct search_message m[3] = {message_of("ann", 1, 0, "first"),
                                  message_of("ann", 1, 0, "second"),
                                  message_of("ann", 1, 0, "third")};

    (void)state;
    assert_int_equal(search_add(ix, m, 3, 1), OK);
    assert_found("first", "");
    assert_found("second", "");
    assert_found("third", "1:0|");
}

static void
a_number_that_is_another_session_now_is_that(void **state)
{
    struct search_message m = message_of("bob", 1, 7, "bob's words");

    (void)state;
    add(1, 0, "ann's words");
    add(1, 1, "more words");
    assert_int_equal(search_add(ix, &m, 1, 2), OK);
    assert_found("words", "");
    assert_found_by("bob", "words", "1:7|");
    m.session_id = "another";
    m.seq = 8;
    assert_int_equal(search_add(ix, &m, 1, 3), OK);
    assert_found_by("bob", "words", "1:8|");
}

static void
many_messages_of_one_moment_keep_their_places(void **state)
{
    struct search_message m[SEARCH_BATCH_MAX];
    struct search_stats st;
    struct text t;

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (unsigned i = 0; i < SEARCH_BATCH_MAX; i++) {
            m[i] = message_of("ann", 1 + (uint64_t)round, i, "moment");
            m[i].at_ms = -5; /* before all numbers */
            m[i].session_id = round == 0 ? "r0" : round == 1 ? "r1" : "r2";
        }
        assert_int_equal(search_add(ix, m, SEARCH_BATCH_MAX, 1), OK);
    }
    assert_int_equal(search_stats(ix, &st), OK);
    assert_int_equal(st.messages, 3 * SEARCH_BATCH_MAX);
    assert_int_equal(find_as("ann", "moment", 6, &t), OK);
    /* the newest window holds the last session only */
    assert_int_equal(strncmp(t.s, "3:", 2), 0);
    m[0].at_ms = INT64_MAX;
    m[0].seq = SEARCH_BATCH_MAX;
    m[1].at_ms = INT64_MIN;
    m[1].seq = SEARCH_BATCH_MAX + 1;
    assert_int_equal(search_add(ix, m, 2, 1), OK);
}

static void
a_batch_has_limits(void **state)
{
    struct search_message m[SEARCH_BATCH_MAX + 1];
    char owner[STORE_OWNER_MAX + 2], *big = malloc(STORE_TEXT_MAX + 1);

    (void)state;
    for (unsigned i = 0; i <= SEARCH_BATCH_MAX; i++) {
        m[i] = message_of("ann", 1, i, "limit");
        m[i].session_id = "one";
    }
    assert_int_equal(search_add(ix, m, SEARCH_BATCH_MAX + 1, 9), ERR_TOOBIG);
    assert_int_equal(cursor_now(), 0);
    assert_int_equal(search_add(ix, m, SEARCH_BATCH_MAX, 9), OK);

    memset(owner, 'o', sizeof(owner));
    owner[STORE_OWNER_MAX + 1] = '\0';
    m[0].owner = owner;
    assert_int_equal(search_add(ix, m, 1, 10), ERR_BADREQ);
    owner[STORE_OWNER_MAX] = '\0';
    m[0].session_no = 2;
    assert_int_equal(search_add(ix, m, 1, 10), OK);
    assert_found_by(owner, "limit", "2:0|");
    m[1].session_id = "no/session";
    assert_int_equal(search_add(ix, m + 1, 1, 10), ERR_BADREQ);

    assert_non_null(big);
    for (size_t i = 0; i <= STORE_TEXT_MAX; i++)
        big[i] = i % 8 == 7 ? ' ' : (char)('a' + i % 7);
    memcpy(big + STORE_TEXT_MAX - 8, " lastword", 9);
    m[2] = message_of("ann", 3, 0, "");
    m[2].text = big;
    m[2].text_len = STORE_TEXT_MAX + 1;
    assert_int_equal(search_add(ix, m + 2, 1, 10), ERR_TOOBIG);
    m[2].text_len = STORE_TEXT_MAX;
    assert_int_equal(search_add(ix, m + 2, 1, 10), OK);
    assert_found("lastwor", "3:0|");
    free(big);
}

static void
text_that_is_not_utf8_is_taken_as_it_can_be_read(void **state)
{
    struct search_message m = message_of("ann", 1, 0, "");

    (void)state;
    m.text = "bad \xff\xc3 bytes\0and a nul";
    m.text_len = 22;
    assert_int_equal(search_add(ix, &m, 1, 1), OK);
    assert_found("bytes", "1:0|");
    assert_found("nul", "1:0|");
    m.text = NULL;
    m.text_len = 0;
    m.seq = 1;
    assert_int_equal(search_add(ix, &m, 1, 1), OK);
}

/* --- what is found ------------------------------------------------------- */

static void
all_words_must_be_there(void **state)
{
    (void)state;
    add(1, 0, "The quick brown fox jumps over the lazy dog.");
    add(2, 0, "A quick answer about foxes.");
    assert_found("quick", "2:0|1:0|");
    assert_found("quick fox", "1:0|");
    assert_found("fox quick", "1:0|");
    assert_found("quick fox cat", "");
    assert_found("\"quick brown\"", "1:0|");
    assert_found("\"brown quick\"", "");
    assert_found("quick -lazy", "2:0|");
    assert_found("quick -\"lazy dog\"", "2:0|");
    assert_found("fox*", "2:0|1:0|");
    assert_found("\"quick brow\"*", "1:0|");
    assert_found("f*", ""); /* too short: a word */
    assert_found("-lazy", "");
    assert_found("", "");
    assert_found(" \t\n", "");
    assert_found("?!", "");
}

static void
case_and_accents_do_not_matter(void **state)
{
    (void)state;
    add(1, 0, "Un CAFÉ à la crème, Ångström und Fuß");
    add(2, 0,
        "e\xcc\x81"
        "cole"); /* decomposed */
    assert_found("cafe", "1:0|");
    assert_found("Café", "1:0|");
    assert_found("angstrom CREME", "1:0|");
    assert_found("école", "2:0|");
    assert_found("ecole", "2:0|");
}

static void
scripts_without_spaces_are_searched_by_their_characters(void **state)
{
    (void)state;
    add(1, 0, "我们明天去北京大学。");
    add(2, 0, "東京タワーへ行きたい");
    add(3, 0, "서울에서 만나요");
    add(4, 0, "ภาษาไทยไม่ยาก");
    add(5, 0, "हिन्दी में लिखो");
    add(6, 0, "mixed 中文abc text");
    assert_found("北京", "1:0|");
    assert_found("京", "2:0|1:0|");
    assert_found("京北", "");
    assert_found("明天 大学", "1:0|");
    assert_found("タワー", "2:0|");
    assert_found("서울", "3:0|");
    assert_found("만나", "3:0|");
    assert_found("ไทย", "4:0|");
    assert_found("हिन्दी", "5:0|");
    assert_found("हिन्दा", "");
    assert_found("abc", "6:0|");
    assert_found("文ab*", "6:0|");
    assert_found("text　文", "6:0|");
}

static void
emoji_are_words(void **state)
{
    (void)state;
    add(1, 0, "well done🎉🎉 👍🏽 ❤️");
    add(2, 0, "party 🎉 ©2020 25°C");
    assert_found("🎉", "1:0|2:0|");
    assert_found("👍", "1:0|");
    assert_found("❤", "1:0|");
    assert_found("done", "1:0|");
    assert_found("2020", "2:0|");
    assert_found("🎉 -👍", "2:0|");
    assert_found("🦊", "");
}

static void
any_input_is_a_query(void **state)
{
    static const char *const odd[] = {
        "\"",
        "\"\"",
        "\"\"\"",
        "*",
        "**",
        "-",
        "--",
        "-\"",
        "- -",
        "a AND",
        "AND",
        "OR",
        "NOT",
        "NOT a",
        "NEAR(a b)",
        "a NEAR/3 b",
        "text:a",
        "{text owner}:a",
        "owner:o1",
        "session:s1",
        "^a",
        "a^",
        "(",
        ")",
        "((a)",
        "a + b",
        "a, b",
        "'",
        "''",
        "a'b",
        ";drop table words;--",
        "%",
        "_",
        "\\",
        "\\\"",
        "\"a",
        "a\"",
        "a\"b\"c",
        "-\"a",
        "\"a\"*",
        "\"a\" *",
        "a*b*",
        "*a",
        "🎉*",
        "中*",
        "“a b”",
        "\xff\xfe",
        "\xf0\x9f",
        "a\xc3",
        "\xe2\x80",
        "\xe2\x80\x8b",
        "\xcc\x81",
        "\xef\xbf\xbd",
        "-*",
        "\"*\"",
        "rank",
        "words",
        "o1",
        "s1",
    };
    struct text t;

    (void)state;
    add(1, 0, "a b c");
    for (size_t i = 0; i < COUNT_OF(odd); i++)
        assert_int_equal(find_as("ann", odd[i], strlen(odd[i]), &t), OK);
    assert_int_equal(find_as("ann", "a\0b", 3, &t), OK);
    assert_string_equal(t.s, "1:0|");
    /* neither column is what somebody types */
    assert_found("o1", "");
    assert_found("owner:o1", "");
    assert_found("session:s1", "");
}

static void
a_query_has_a_limit(void **state)
{
    char q[SEARCH_QUERY_MAX + 1];
    struct text t;

    (void)state;
    add(1, 0, "a b c");
    memset(q, ' ', sizeof(q));
    q[0] = 'a';
    q[SEARCH_QUERY_MAX - 1] = 'b';
    assert_int_equal(find_as("ann", q, SEARCH_QUERY_MAX, &t), OK);
    assert_string_equal(t.s, "1:0|");
    assert_int_equal(find_as("ann", q, SEARCH_QUERY_MAX + 1, &t), ERR_TOOBIG);
    for (size_t i = 0; i < SEARCH_QUERY_MAX; i++)
        q[i] = i % 2 ? '"' : 'a';
    assert_int_equal(find_as("ann", q, SEARCH_QUERY_MAX, &t), OK);
    assert_string_equal(t.s, "1:0|");
    memset(q, '"', sizeof(q));
    assert_int_equal(find_as("ann", q, SEARCH_QUERY_MAX, &t), OK);
    memset(q, 'x', sizeof(q));
    assert_int_equal(find_as("ann", q, SEARCH_QUERY_MAX, &t), OK);
    assert_string_equal(t.s, "");
}

/* --- whose --------------------------------------------------------------- */

static void
only_the_owners_own_messages_are_found(void **state)
{
    struct search_message m[3] = {
        message_of("ann", 1, 0, "the secret plan of ann"),
        message_of("bob", 2, 0, "the secret plan of bob o1 s1"),
        message_of("", 3, 0, "the secret plan of nobody")};
    struct search_ask a = {"bob", "secret", 6, 10, NULL};
    char next[SEARCH_CURSOR_MAX];
    struct text t = {0};

    (void)state;
    assert_int_equal(search_add(ix, m, 3, 1), OK);
    assert_found_by("ann", "secret", "1:0|");
    assert_found_by("bob", "secret", "2:0|");
    assert_found_by("", "secret", "3:0|");
    assert_found_by("eve", "secret", "");
    assert_found_by("bob", "o1", "2:0|");
    assert_found_by("ann", "secret -plan", "");
    assert_found_by("ann", "x OR owner:\"o2\" secret", "");
    assert_int_equal(search_query_messages(ix, &a, 1, next, text_hits, &t), OK);
    assert_string_equal(t.s, ""); /* ann's session */
    assert_int_equal(search_query_messages(ix, &a, 2, next, text_hits, &t), OK);
    assert_string_equal(t.s, "2:0|");
}

struct scores {
    double score[8];
    unsigned n;
};

static bool
keep_score(void *arg, const struct search_hit *h, size_t n)
{
    struct scores *s = arg;

    (void)n;
    s->score[s->n++] = h->score;
    return true;
}

static void
others_do_not_change_a_rank(void **state)
{
    struct search_ask a = {"ann", "apple pie", 9, 10, NULL};
    char next[SEARCH_CURSOR_MAX];
    struct scores before = {0}, after = {0};
    struct search_message m[50];

    (void)state;
    /* so old that the moment of the question does not count */
    add(1, 0, "apple pie and apple tart");
    add(2, 0, "a pie of one apple, and much more text about other things");
    assert_int_equal(search_query(ix, &a, next, keep_score, &before), OK);
    for (unsigned i = 0; i < 50; i++) {
        m[i] = message_of("bob", 9, i, "apple apple apple pie");
        m[i].session_id = "nine";
    }
    assert_int_equal(search_add(ix, m, 50, 1), OK);
    assert_int_equal(search_query(ix, &a, next, keep_score, &after), OK);
    assert_int_equal(before.n, 2);
    assert_int_equal(after.n, 2);
    for (unsigned i = 0; i < 2; i++)
        assert_true(before.score[i] - after.score[i] < 1e-4 &&
                    after.score[i] - before.score[i] < 1e-4);
}

/* --- order and pages ----------------------------------------------------- */

static void
a_session_is_shown_with_its_best_messages(void **state)
{
    struct search_ask a = {"ann", "tea", 3, 10, NULL};
    char next[SEARCH_CURSOR_MAX];
    struct text t = {0};

    (void)state;
    add(1, 0,
        "tea with much else in it: milk, sugar, lemon and a long story "
        "about how it came that we drink it at five in the afternoon");
    add(1, 1, "tea tea tea");
    add(1, 2, "some tea");
    add(1, 3, "coffee");
    add(1, 4, "tea and tea");
    add(2, 0, "my tea");
    assert_found("tea", "1:1 4 2|2:0|");
    assert_int_equal(search_query_messages(ix, &a, 1, next, text_hits, &t), OK);
    assert_string_equal(t.s, "1:1|1:4|1:2|1:0|");
}

static void
the_newer_of_two_equals_comes_first(void **state)
{
    int64_t now_ms = INT64_C(1000) * time(NULL);
    struct search_message m[3];

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        m[i] = message_of("ann", 1 + i, 0, "equal words");
        m[i].at_ms = now_ms - (int64_t)(i + 1) % 3 * 10 * DAY_MS;
    }
    assert_int_equal(search_add(ix, m, 3, 1), OK);
    assert_found("equal", "3:0|1:0|2:0|");
}

struct hit {
    uint64_t no;
    struct ident id;
    char session_id[IDENT_SESSION_MAX + 1], snippet[SEARCH_SNIPPET_MAX + 1];
    struct search_hit hit;
};

static bool
keep_hit(void *arg, const struct search_hit *h, size_t n)
{
    struct hit *out = arg;

    assert_int_equal(n, 1);
    out->hit = *h;
    (void)snprintf(out->session_id, sizeof(out->session_id), "%s",
                   h->session_id);
    (void)snprintf(out->snippet, sizeof(out->snippet), "%s", h->snippet);
    return false;
}

static void
a_hit_says_where_it_is(void **state)
{
    struct search_message m = message_of("ann", 5, 7, "Where is\n Waldo now?");
    struct search_ask a = {"ann", "waldo", 5, 1, NULL};
    char next[SEARCH_CURSOR_MAX];
    struct hit h;

    (void)state;
    assert_int_equal(search_add(ix, &m, 1, 1), OK);
    assert_int_equal(search_query(ix, &a, next, keep_hit, &h), OK);
    assert_string_equal(next, "");
    assert_string_equal(h.session_id, "session-5");
    assert_int_equal(h.hit.session_no, 5);
    assert_int_equal(h.hit.seq, 7);
    assert_int_equal(h.hit.role, 2);
    assert_int_equal(h.hit.at_ms, m.at_ms);
    assert_true(ident_eq(&h.hit.id, &m.id));
    assert_true(h.hit.score > 0);
    assert_string_equal(h.snippet, "Where is Waldo now?");
    assert_int_equal(h.hit.snippet_len, 19);
    assert_int_equal(h.hit.n_marks, 1);
    assert_int_equal(h.hit.mark[0].at, 9);
    assert_int_equal(h.hit.mark[0].len, 5);
}

#define PAGED 2500 /* sessions: more than two windows */

/* Which sessions came, and how often. */
struct seen {
    uint8_t count[PAGED + 10];
    unsigned total, page;
};

static bool
count_session(void *arg, const struct search_hit *h, size_t n)
{
    struct seen *s = arg;

    (void)n;
    assert_true(h->session_no < COUNT_OF(s->count));
    s->count[h->session_no]++;
    s->total++;
    s->page++;
    return true;
}

static void
add_paged(unsigned from, unsigned to, int64_t at_ms)
{
    static struct search_message m[SEARCH_BATCH_MAX];
    static char ids[SEARCH_BATCH_MAX][24];
    unsigned n = 0;

    for (unsigned i = from; i < to; i++) {
        (void)snprintf(ids[n], sizeof(ids[n]), "session-%u", i);
        m[n] = message_of("ann", i, 0, i % 3 ? "common" : "common common");
        m[n].session_id = ids[n];
        m[n].at_ms = at_ms + (int64_t)(i * 7919 % PAGED) * 60000;
        if (++n == SEARCH_BATCH_MAX || i + 1 == to) {
            assert_int_equal(search_add(ix, m, n, i), OK);
            n = 0;
        }
    }
}

/* All pages; new messages and deleted ones come between them. */
static void
turn_pages(struct seen *s, uint32_t limit, bool busy)
{
    char cursor[SEARCH_CURSOR_MAX] = "", next[SEARCH_CURSOR_MAX];
    struct search_ask a = {"ann", "common", 6, limit, cursor};
    unsigned pages = 0;

    do {
        s->page = 0;
        assert_int_equal(search_query(ix, &a, next, count_session, s), OK);
        assert_true(s->page <= limit);
        memcpy(cursor, next, sizeof(cursor));
        if (busy && pages < 5) {
            uint64_t gone = 10 + pages;

            add_paged(PAGED + pages, PAGED + pages + 1, INT64_C(1) << 41);
            assert_int_equal(search_forget(ix, &gone, 1), OK);
        }
        assert_true(++pages < 2 * PAGED);
    } while (next[0] != '\0');
}

static void
pages_show_each_session_once(void **state)
{
    struct seen s = {.total = 0};

    (void)state;
    add_paged(0, PAGED, INT64_C(1700000000000));
    /* also with a match in another window */
    add(3, 1, "common in the newest");
    add(3, 2, "and the common one again");
    turn_pages(&s, 37, false);
    assert_int_equal(s.total, PAGED);
    for (unsigned i = 0; i < PAGED; i++)
        assert_int_equal(s.count[i], 1);
    memset(&s, 0, sizeof(s));
    turn_pages(&s, SEARCH_LIMIT_MAX, false);
    assert_int_equal(s.total, PAGED);
}

static void
pages_are_stable_while_messages_come_and_go(void **state)
{
    struct seen s = {.total = 0};

    (void)state;
    add_paged(0, PAGED, INT64_C(1700000000000));
    turn_pages(&s, 50, true);
    for (unsigned i = 0; i < PAGED; i++)
        if (i < 10 || i >= 15)
            assert_int_equal(s.count[i], 1);
        else
            assert_true(s.count[i] <= 1);
    for (unsigned i = PAGED; i < PAGED + 5; i++)
        assert_int_equal(s.count[i], 0);
}

static void
messages_of_one_session_have_pages_as_well(void **state)
{
    static struct search_message m[SEARCH_BATCH_MAX];
    char cursor[SEARCH_CURSOR_MAX] = "", next[SEARCH_CURSOR_MAX];
    struct search_ask a = {"ann", "word", 4, 90, cursor};
    static bool seen[3 * SEARCH_BATCH_MAX];
    struct text t;
    unsigned n = 0;

    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < SEARCH_BATCH_MAX; i++) {
            m[i] = message_of("ann", 1, round * SEARCH_BATCH_MAX + i, "a word");
            m[i].session_id = "one";
        }
        assert_int_equal(search_add(ix, m, SEARCH_BATCH_MAX, 1), OK);
    }
    do {
        memset(&t, 0, sizeof(t));
        assert_int_equal(search_query_messages(ix, &a, 1, next, text_hits, &t),
                         OK);
        memcpy(cursor, next, sizeof(cursor));
        for (const char *s = t.s; *s != '\0'; n++) {
            unsigned long seq = strtoul(s + 2, NULL, 10);

            assert_true(seq < COUNT_OF(seen) && !seen[seq]);
            seen[seq] = true;
            s = strchr(s, '|') + 1;
        }
    } while (next[0] != '\0');
    assert_int_equal(n, COUNT_OF(seen));
}

static void
a_page_has_limits_and_a_cursor_is_ours(void **state)
{
    static const char *const wrong[] = {
        "x",
        "1",
        "1.2.3.4",
        "1.2.3.4.",
        "1.2.3.4.5.6",
        "1.2.3.4.5x",
        ".....",
        "1.2.3.fffffffff.5",
        "1.3.4.4.5",
        "-1.2.3.4.5",
        "1.2.1.4.5 ",
        "8000000000000000.2.1.4.5",
        "00000000000000001.2.1.4.5",
        "A.2.1.4.5",
    };
    char next[SEARCH_CURSOR_MAX];
    struct search_ask a = {"ann", "common", 6, SEARCH_LIMIT_MAX + 1, NULL};
    struct seen s = {.total = 0};

    (void)state;
    add_paged(0, SEARCH_LIMIT_MAX + 1, INT64_C(1700000000000));
    assert_int_equal(search_query(ix, &a, next, count_session, &s), OK);
    assert_int_equal(s.total, SEARCH_LIMIT_MAX);
    assert_true(next[0] != '\0');
    a.cursor = next;
    assert_int_equal(search_query(ix, &a, next, count_session, &s), OK);
    assert_int_equal(s.total, SEARCH_LIMIT_MAX + 1);
    assert_string_equal(next, "");
    a.cursor = NULL;
    a.limit = 0;
    assert_int_equal(search_query(ix, &a, next, count_session, &s), OK);
    assert_int_equal(s.total, SEARCH_LIMIT_MAX + 1);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        a.cursor = wrong[i];
        assert_int_equal(search_query(ix, &a, next, count_session, &s),
                         ERR_BADREQ);
    }
}

/* --- threads ------------------------------------------------------------- */

static void *
look_often(void *arg)
{
    struct text t;

    (void)arg;
    for (int i = 0; i < 60; i++) {
        if (find_as("ann", "common", 6, &t) != OK || t.n == 0)
            return (void *)1;
        if (find_as("bob", "common", 6, &t) != OK || t.n != 0)
            return (void *)1;
    }
    return NULL;
}

static void *
add_often(void *arg)
{
    uint64_t first = *(uint64_t *)arg;

    for (uint64_t i = 0; i < 40; i++) {
        char id[40];
        struct search_message m = {.owner = "ann",
                                   .session_no = first + i,
                                   .session_id = id,
                                   .id = ident_v7(),
                                   .at_ms = INT64_C(1700000000000),
                                   .text = "a common word",
                                   .text_len = 13};
        uint64_t gone = first + i - 1;

        (void)snprintf(id, sizeof(id), "thread-%" PRIu64, first + i);
        if (search_add(ix, &m, 1, i) != OK ||
            (i % 10 == 9 && search_forget(ix, &gone, 1) != OK))
            return (void *)1;
    }
    return NULL;
}

static void
threads_look_and_write_at_the_same_time(void **state)
{
    pthread_t look[6], write[2];
    uint64_t first[2] = {1000, 2000};
    struct search_stats st;
    void *bad;

    (void)state;
    add(1, 0, "a common word");
    for (size_t i = 0; i < COUNT_OF(write); i++)
        assert_int_equal(pthread_create(&write[i], NULL, add_often, &first[i]),
                         0);
    for (size_t i = 0; i < COUNT_OF(look); i++)
        assert_int_equal(pthread_create(&look[i], NULL, look_often, NULL), 0);
    for (size_t i = 0; i < COUNT_OF(write); i++) {
        assert_int_equal(pthread_join(write[i], &bad), 0);
        assert_null(bad);
    }
    for (size_t i = 0; i < COUNT_OF(look); i++) {
        assert_int_equal(pthread_join(look[i], &bad), 0);
        assert_null(bad);
    }
    assert_int_equal(search_stats(ix, &st), OK);
    assert_int_equal(st.sessions, 1 + 2 * (40 - 4));
}

#define TEST(f) \
    cmocka_unit_test_setup_teardown(f, search_setup, search_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_index_says_that_it_has_read_nothing),
        TEST(nothing_is_opened_before_the_first_call),
        TEST(files_are_nobody_elses_to_read),
        TEST(messages_and_cursor_come_together),
        TEST(the_same_again_changes_nothing_and_other_text_replaces),
        TEST(the_last_of_a_batch_with_the_same_place_wins),
        TEST(a_number_that_is_another_session_now_is_that),
        TEST(many_messages_of_one_moment_keep_their_places),
        TEST(a_batch_has_limits),
        TEST(text_that_is_not_utf8_is_taken_as_it_can_be_read),
        TEST(all_words_must_be_there),
        TEST(case_and_accents_do_not_matter),
        TEST(scripts_without_spaces_are_searched_by_their_characters),
        TEST(emoji_are_words),
        TEST(any_input_is_a_query),
        TEST(a_query_has_a_limit),
        TEST(only_the_owners_own_messages_are_found),
        TEST(others_do_not_change_a_rank),
        TEST(a_session_is_shown_with_its_best_messages),
        TEST(the_newer_of_two_equals_comes_first),
        TEST(a_hit_says_where_it_is),
        TEST(pages_show_each_session_once),
        TEST(pages_are_stable_while_messages_come_and_go),
        TEST(messages_of_one_session_have_pages_as_well),
        TEST(a_page_has_limits_and_a_cursor_is_ours),
        TEST(threads_look_and_write_at_the_same_time),
    };

    return cmocka_run_group_tests_name("search", tests, NULL, NULL);
}

/* Vectors of other models: which there are, how many, those that a model has
 * not, and how they go. */
#include "index_test.h"

#include "files/query.h"

#define STEP 1000 /* vectors that go in one transaction */

static int64_t ids[STEP + 1];
static size_t n_ids;

static bool
note_id(void *arg, int64_t chunk, const char *name, const char *text, size_t n)
{
    (void)arg;
    assert_true(name[0] != '\0' && text[0] != '\0' && n > 0);
    ids[n_ids++] = chunk;
    return n_ids < COUNT_OF(ids);
}

static size_t
pending(const char *model)
{
    n_ids = 0;
    assert_int_equal(
        files_pending(fs, model, false, COUNT_OF(ids), note_id, NULL), OK);
    return n_ids;
}

/* Give each pending chunk the same row of two numbers. */
static void
embed_all(const char *model, float x, float y)
{
    float *rows;
    size_t n = pending(model);

    rows = xcalloc(2 * n + 1, sizeof(*rows));
    for (size_t i = 0; i < n; i++) {
        rows[2 * i] = x;
        rows[2 * i + 1] = y;
    }
    assert_int_equal(files_vectors(fs, model, ids, rows, n, 2), OK);
    free(rows);
}

static void
put_many(size_t n)
{
    struct document d = document_of(notes.id, "many");
    const char **texts = xcalloc(n + 1, sizeof(*texts));

    for (size_t i = 0; i < n; i++)
        texts[i] = "word";
    assert_int_equal(put_texts(&d, "", texts), OK);
    free(texts);
}

static bool
tell_model(void *arg, const char *model, int64_t chunks)
{
    buf_addf(arg, "%s:%d ", model, (int)chunks);
    return true;
}

static void
assert_models(const char *want)
{
    struct buf b;

    buf_init(&b, 4096);
    assert_int_equal(files_models(fs, tell_model, &b), OK);
    assert_string_equal(buf_cstr(&b), want);
    buf_release(&b);
}

static int64_t
embedded(const char *model, int64_t collection)
{
    int64_t n = -1;

    assert_int_equal(files_embedded(fs, model, collection, &n), OK);
    return n;
}

static const char *
found_with(float x, float y, const float *recent)
{
    static char out[256];
    const float row[] = {x, y};
    struct files_query q = {.owner = ANN,
                            .text = "zzz",
                            .len = 3,
                            .recent = "yyy",
                            .recent_len = 3,
                            .top_k = 10,
                            .vector = row,
                            .recent_vector = recent,
                            .dims = 2,
                            .model = "m/1",
                            .now_ms = NOW_MS};
    struct files_found found;

    out[0] = '\0';
    assert_int_equal(files_search(fs, &q, &found), OK);
    for (size_t i = 0; i < found.n; i++) {
        (void)strncat(out, found.hits[i].name, 20);
        (void)strncat(out, " ", 2);
    }
    files_found_release(&found);
    return out;
}

/* --- tests ---------------------------------------------------------------- */

static void
models_are_told_with_their_chunks(void **state)
{
    struct collection other;

    (void)state;
    assert_models("");
    assert_int_equal(embedded("m/1", 0), 0);
    (void)put_note("a", "one");
    embed_all("m/1", 1, 0);
    assert_int_equal(files_collection(fs, BOB, "his", "/his", &other), OK);
    notes = other;
    (void)put_note("b", "two");
    embed_all("m/1", 1, 0);
    embed_all("m/2", 0, 1);
    (void)put_note("c", "three");
    assert_models("m/1:2 m/2:2 ");
    assert_int_equal(embedded("m/1", 0), 2);
    assert_int_equal(embedded("m/1", other.id), 1);
    assert_int_equal(embedded("m/3", other.id), 0);
    assert_int_equal(embedded("m/1", other.id + 1), 0);
    assert_sound();
}

static void
a_row_of_zeros_is_no_vector(void **state)
{
    static const char *const texts[] = {"a walrus", "an ocelot", "a lynx",
                                        NULL};
    static const float rows[] = {1, 0, 0, 0, 1, 0};
    struct document d = document_of(notes.id, "d");
    struct files_query q = {.owner = ANN,
                            .text = "ocelots",
                            .len = 7,
                            .top_k = 10,
                            .dims = 2,
                            .model = "m/1",
                            .now_ms = NOW_MS};
    const float row[] = {0, 1};
    struct files_found found;

    (void)state;
    assert_int_equal(put_texts(&d, "", texts), OK);
    assert_int_equal(pending("m/1"), 3);
    assert_int_equal(files_vectors(fs, "m/1", ids, rows, 3, 2), OK);
    assert_int_equal(pending("m/1"), 0);
    assert_int_equal(embedded("m/1", 0), 2);
    assert_sound();
    q.vector = row;
    assert_int_equal(files_search(fs, &q, &found), OK);
    assert_int_equal(found.n, 1);
    assert_int_equal(found.hits[0].chunk, 1);
    assert_true(found.hits[0].similarity > 0.1); /* by its built-in vector */
    files_found_release(&found);
    /* One document of nothing else is done with as well. */
    (void)put_note("e", "a puma");
    assert_int_equal(pending("m/1"), 1);
    assert_int_equal(files_vectors(fs, "m/1", ids, rows + 2, 1, 2), OK);
    assert_int_equal(pending("m/1"), 0);
    assert_int_equal(files_delete(fs, d.id), OK);
    assert_sound();
}

static void
a_model_that_is_not_wanted_goes_in_steps(void **state)
{
    (void)state;
    for (size_t n = STEP; n <= STEP + 1; n++) {
        put_many(n);
        embed_all("m/1", 1, 0);
        assert_int_equal(embedded("m/1", 0), (int64_t)n);
        embed_all("m/2", 1, 0);
        assert_int_equal(files_vectors_only(fs, "m/2"), OK);
        assert_int_equal(embedded("m/2", 0), (int64_t)n);
        if (n == STEP)
            assert_models("m/2:1000 ");
        assert_int_equal(pending("m/2"), 0);
        assert_int_equal(pending("m/1"), n);
        assert_sound();
        assert_int_equal(files_vectors_only(fs, ""), OK);
        assert_models("");
    }
}

/* As if the process had died between two steps. */
static void
a_model_that_is_half_gone_begins_anew(void **state)
{
    sqlite3 *db;

    (void)state;
    (void)put_note("a", "one");
    (void)put_note("b", "two");
    embed_all("m/1", 1, 0);
    files_close(fs);
    fs = NULL;
    {
        char path[300];

        (void)snprintf(path, sizeof(path), "%s/" SHELF_FILE, index_dir);
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db,
                                      "UPDATE model SET name = '-' || no;"
                                      "UPDATE document SET embedded = 0;"
                                      "DELETE FROM sketch WHERE no > 1 << 57;",
                                      NULL, NULL, NULL),
                         SQLITE_OK);
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
    }
    index_reopen();
    assert_models("");
    assert_int_equal(pending("m/1"), 2);
    embed_all("m/1", 1, 0);
    assert_models("m/1:2 ");
    assert_int_equal(files_vectors_only(fs, "m/1"), OK);
    assert_models("m/1:2 ");
    assert_sound();
}

static void
vectors_are_as_long_as_they_may_be(void **state)
{
    float *row = xcalloc(FILES_DIMS_MAX + 1, sizeof(*row));

    (void)state;
    row[FILES_DIMS_MAX - 1] = 1;
    (void)put_note("a", "one");
    assert_int_equal(pending("m/1"), 1);
    assert_int_equal(files_vectors(fs, "m/1", ids, row, 1, FILES_DIMS_MAX + 1),
                     ERR_BADREQ);
    assert_int_equal(files_vectors(fs, "m/1", ids, row, 1, FILES_DIMS_MAX), OK);
    assert_int_equal(pending("m/1"), 0);
    /* Vectors of another length are those of another model. */
    (void)put_note("b", "two");
    assert_int_equal(pending("m/1"), 1);
    assert_int_equal(
        files_vectors(fs, "m/1", ids, row + FILES_DIMS_MAX - 2, 1, 2), OK);
    assert_models("m/1:1 ");
    assert_int_equal(pending("m/1"), 1);
    assert_sound();
    free(row);
}

static void
what_was_said_before_counts_less(void **state)
{
    static const float rows[] = {1, 0, 0, 1, 0.6F, 0.8F};
    const float a[] = {1, 0}, b[] = {0, 1};

    (void)state;
    (void)put_note("a", "one");
    (void)put_note("b", "two");
    (void)put_note("c", "three");
    assert_int_equal(pending("m/1"), 3);
    assert_int_equal(files_vectors(fs, "m/1", ids, rows, 3, 2), OK);
    assert_string_equal(found_with(1, 0, NULL), "a c ");
    assert_string_equal(found_with(1, 0, a), "a c ");
    assert_string_equal(found_with(1, 0, b), "a c b ");
    assert_string_equal(found_with(0, 1, a), "c b a ");
}

/* All have a good part of one direction, and a little of their own. */
static void
what_all_have_says_nothing(void **state)
{
    static const float other[] = {0.9F, 0.4358899F, 0};
    static const float row[] = {0.9F, 0, 0.4358899F};
    struct files_query q = query_of(ANN, "zzz");
    struct files_found all;

    (void)state;
    q.vector = row;
    q.dims = 3;
    q.model = "m/1";
    q.top_k = FILES_TOP_K_MAX;
    (void)put_note("this", "one");
    assert_int_equal(pending("m/1"), 1);
    assert_int_equal(files_vectors(fs, "m/1", ids, row, 1, 3), OK);
    for (size_t n = 2; n <= QUERY_BASE_MIN; n++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "%zu", n);
        (void)put_note(name, "two");
        assert_int_equal(pending("m/1"), 1);
        assert_int_equal(files_vectors(fs, "m/1", ids, other, 1, 3), OK);
        assert_int_equal(files_search(fs, &q, &all), OK);
        /* Of few it is not known what they have in common. */
        assert_int_equal(all.n, n < QUERY_BASE_MIN ? n : 1);
        assert_string_equal(all.hits[0].name, "this");
        assert_true(all.hits[0].similarity > 0.99);
        files_found_release(&all);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, index_setup, index_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(models_are_told_with_their_chunks),
        TEST(a_row_of_zeros_is_no_vector),
        TEST(a_model_that_is_not_wanted_goes_in_steps),
        TEST(a_model_that_is_half_gone_begins_anew),
        TEST(vectors_are_as_long_as_they_may_be),
        TEST(what_was_said_before_counts_less),
        TEST(what_all_have_says_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

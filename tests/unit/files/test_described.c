/*
 * Tests of files/described.c and sidecar_write.c: what a model said of an image
 * is found, stays as long as it may, and is written beside it.
 */
#include "index_test.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "files/described.h"
#include "files/image.h"

#define MODEL "openai/gpt-4o"

static struct described *words; /* of the calls below */

static int
setup(void **state)
{
    words = xcalloc(1, sizeof(*words));
    return index_setup(state);
}

static int
teardown(void **state)
{
    free(words);
    words = NULL;
    return index_teardown(state);
}

static void
say(char hash, const char *description, const char *tags)
{
    (void)memset(words, 0, sizeof(*words));
    (void)memset(words->hash, hash, sizeof(words->hash));
    (void)snprintf(words->model, sizeof(words->model), MODEL);
    (void)snprintf(words->description, sizeof(words->description), "%s",
                   description);
    (void)snprintf(words->tags, sizeof(words->tags), "%s", tags);
}

/* An image of these bytes, as a reading of it puts it: with what is kept for
 * it. own: its own description. */
static struct document
put_image(const char *name, char hash, const char *own, const char *tags)
{
    struct document d = document_of(notes.id, name);
    const char *texts[] = {"Image", NULL};
    struct document known;

    d.image = true;
    (void)memset(d.hash, hash, sizeof(d.hash));
    (void)snprintf(d.facts.description, sizeof(d.facts.description), "%s", own);
    (void)snprintf(d.facts.tags, sizeof(d.facts.tags), "%s", tags);
    if (files_known(fs, notes.id, name, &known) == OK)
        described_use(fs, known.id, d.hash, &d.facts);
    assert_int_equal(put_texts(&d, "zircon\n", texts), OK);
    return d;
}

static struct document
get(int64_t id)
{
    struct document d;

    assert_int_equal(files_get(fs, id, &d), OK);
    return d;
}

static size_t
count(const char *sql)
{
    struct shelf_conn *c;
    sqlite3_stmt *stmt;
    size_t n;

    assert_int_equal(shelf_take(fs, &c), OK);
    assert_int_equal(sqlite3_prepare_v2(c->db, sql, -1, &stmt, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    n = (size_t)sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    shelf_give(c);
    return n;
}

#define KEPT "SELECT count(*) FROM described"

static void
run_sql(const char *sql)
{
    struct shelf_conn *c;

    assert_int_equal(shelf_take(fs, &c), OK);
    assert_int_equal(sqlite3_exec(c->db, sql, NULL, NULL, NULL), SQLITE_OK);
    shelf_give(c);
}

/* --- the index ------------------------------------------------------------ */

static void
what_is_said_is_found_and_marked(void **state)
{
    struct document was = put_image("a.png", 1, "", "sea"), d;

    (void)state;
    assert_string_equal(get(was.id).facts.described_by, "");
    say(1, "A heron on a pier", "bird\nsea");
    assert_int_equal(files_describe(fs, was.id, words), OK);
    d = get(was.id);
    assert_string_equal(d.facts.description, "A heron on a pier");
    assert_string_equal(d.facts.tags, "sea\nbird");
    assert_string_equal(d.facts.described_by, MODEL);
    assert_int_equal(d.label, was.label);
    assert_int_equal(d.mtime_ns, was.mtime_ns); /* it is not read again */
    assert_int_equal(d.size, was.size);
    assert_string_equal(found("heron"), "a.png");
    /* Anew: what was said before goes, what is its own stays. */
    say(1, "A gull", "dawn");
    assert_int_equal(files_describe(fs, was.id, words), OK);
    d = get(was.id);
    assert_string_equal(d.facts.description, "A gull");
    assert_string_equal(d.facts.tags, "dawn");
    assert_string_equal(found("heron"), "");
    assert_int_equal(count(KEPT), 1);
    assert_sound();
}

static void
it_stays_while_the_image_is_the_same(void **state)
{
    struct document d = put_image("a.png", 1, "", "");

    (void)state;
    say(1, "A heron", "bird");
    assert_int_equal(files_describe(fs, d.id, words), OK);
    d = put_image("a.png", 1, "", "sea"); /* read again, with a tag more */
    d = get(d.id);
    assert_string_equal(d.facts.description, "A heron");
    assert_string_equal(d.facts.described_by, MODEL);
    assert_string_equal(d.facts.tags, "sea\nbird");
    index_reopen();
    assert_string_equal(get(d.id).facts.described_by, MODEL);
    d = put_image("a.png", 2, "", ""); /* another image */
    d = get(d.id);
    assert_string_equal(d.facts.description, "");
    assert_string_equal(d.facts.described_by, "");
    assert_int_equal(count(KEPT), 0);
    d = put_image("a.png", 1, "", ""); /* the first one again: it is gone */
    assert_string_equal(get(d.id).facts.description, "");
    assert_sound();
}

static void
a_person_has_the_last_word(void **state)
{
    struct document d = put_image("a.png", 1, "Mine", "");

    (void)state;
    say(1, "A heron", "bird");
    assert_int_equal(files_describe(fs, d.id, words), ERR_CONFLICT);
    assert_int_equal(count(KEPT), 0);
    d = put_image("b.png", 1, "", "");
    assert_int_equal(files_describe(fs, d.id, words), OK);
    d = put_image("b.png", 1, "Mine", "");
    d = get(d.id);
    assert_string_equal(d.facts.description, "Mine");
    assert_string_equal(d.facts.described_by, "");
    assert_int_equal(count(KEPT), 0);
    d = put_image("b.png", 1, "", ""); /* taken back: nobody says anything */
    assert_string_equal(get(d.id).facts.description, "");
}

static void
what_cannot_be_described_is_not(void **state)
{
    struct document d = put_image("a.png", 1, "", "");
    int64_t note = put_note("note.txt", "words");

    (void)state;
    say(2, "Of other bytes", "");
    assert_int_equal(files_describe(fs, d.id, words), ERR_CONFLICT);
    say(1, "Of nothing", "");
    assert_int_equal(files_describe(fs, d.id + 100, words), ERR_NOTFOUND);
    (void)memset(words->hash, 0, sizeof(words->hash));
    assert_int_equal(files_describe(fs, note, words), ERR_NOTFOUND);
    say(1, "", "tags");
    assert_int_equal(files_describe(fs, d.id, words), ERR_BADREQ);
    say(1, "Said by nobody", "");
    words->model[0] = '\0';
    assert_int_equal(files_describe(fs, d.id, words), ERR_BADREQ);
    assert_int_equal(count(KEPT), 0);
    assert_string_equal(get(d.id).facts.description, "");
    assert_sound();
}

/* Label, what is blotted out, and who sees it are as they were. */
static void
labels_outlast_it(void **state)
{
    struct document d = put_image("a.png", 1, "", "");
    struct files_query q = query_of(ANN, "heron");
    struct files_found f;

    (void)state;
    assert_int_equal(files_label(fs, d.id, LABEL_REDACT), OK);
    say(1, "A heron and a zircon", "");
    assert_int_equal(files_describe(fs, d.id, words), OK);
    assert_int_equal(get(d.id).label, LABEL_REDACT);
    assert_true(get(d.id).label_fixed);
    q.leaves = true;
    assert_int_equal(files_search(fs, &q, &f), OK);
    assert_int_equal(f.n, 1);
    assert_null(strstr(f.hits[0].text, "zircon"));
    files_found_release(&f);
    assert_int_equal(files_label(fs, d.id, LABEL_LOCAL_ONLY), OK);
    say(1, "A heron again", "");
    assert_int_equal(files_describe(fs, d.id, words), OK);
    assert_string_equal(found_by(&q), "");
}

static void
it_goes_with_the_image(void **state)
{
    struct document a = put_image("a.png", 1, "", "");
    struct document b = put_image("b.png", 1, "", "");
    struct document c = put_image("c.png", 1, "", "");
    int64_t ids[] = {a.id, b.id, c.id};

    (void)state;
    say(1, "A heron", "");
    for (size_t i = 0; i < COUNT_OF(ids); i++)
        assert_int_equal(files_describe(fs, ids[i], words), OK);
    assert_int_equal(files_claim(fs, ANN, BOB), OK);
    assert_string_equal(get(a.id).facts.described_by, MODEL);
    assert_int_equal(files_delete(fs, a.id), OK);
    assert_int_equal(count(KEPT), 2);
    assert_int_equal(files_undescribe(fs, b.id), OK);
    assert_int_equal(files_described(fs, b.id, words), ERR_NOTFOUND);
    assert_int_equal(files_described(fs, c.id, words), OK);
    assert_string_equal(words->description, "A heron");
    assert_int_equal(files_collection_drop(fs, notes.id), OK);
    assert_int_equal(count(KEPT), 0);
}

/* Of a program that knew no descriptions. */
static void
an_older_file_gets_the_table(void **state)
{
    struct document d = put_image("a.png", 1, "", "");

    (void)state;
    run_sql("DROP TABLE described");
    index_reopen();
    assert_string_equal(get(d.id).facts.described_by, "");
    say(1, "A heron", "");
    assert_int_equal(files_describe(fs, d.id, words), OK);
    assert_string_equal(found("heron"), "a.png");
}

/* --- beside the image ----------------------------------------------------- */

struct beside {
    struct ingest in;
    char written[INGEST_PATH_BYTES];
};

static void
beside_init(struct beside *b)
{
    *b = (struct beside){.in = {.files = fs}};
    b->in.root = open(index_dir, O_RDONLY | O_DIRECTORY);
    assert_true(b->in.root >= 0);
}

static void
file_put(const struct beside *b, const char *name, const char *text)
{
    int fd = openat(b->in.root, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    (void)close(fd);
}

/* What the sidecar says; false: nothing of the image with this hash. */
static bool
file_says(const struct beside *b, const char *name, char hash, struct facts *f)
{
    static char bytes[SIDECAR_MAX];
    uint8_t of[32];
    int fd = openat(b->in.root, name, O_RDONLY);
    ssize_t n;

    assert_true(fd >= 0);
    n = read(fd, bytes, sizeof(bytes));
    (void)close(fd);
    assert_true(n > 0);
    (void)memset(of, hash, sizeof(of));
    (void)memset(f, 0, sizeof(*f));
    assert_true(sidecar_read(name, bytes, (size_t)n, f));
    return !sidecar_stale(bytes, (size_t)n, of);
}

static void
a_sidecar_says_whose_it_is_and_of_what(void **state)
{
    struct beside b;
    struct facts f;

    (void)state;
    beside_init(&b);
    assert_int_equal(mkdirat(b.in.root, "in", 0700), 0);
    say(7, "A \"heron\"\nat dawn", "bird\nsea");
    assert_int_equal(sidecar_write(&b.in, "in/a.png", words, b.written), OK);
    assert_string_equal(b.written, "in/a.png.json");
    assert_true(file_says(&b, b.written, 7, &f));
    assert_string_equal(f.description, "A \"heron\"\nat dawn");
    assert_string_equal(f.tags, "bird\nsea");
    assert_string_equal(f.described_by, MODEL);
    assert_false(file_says(&b, b.written, 8, &f));
    /* Over its own. */
    say(8, "A gull", "");
    assert_int_equal(sidecar_write(&b.in, "in/a.png", words, b.written), OK);
    assert_true(file_says(&b, "in/a.png.json", 8, &f));
    assert_string_equal(f.description, "A gull");
    assert_string_equal(f.tags, "");
    assert_int_equal(unlinkat(b.in.root, "in/a.png.json", 0), 0);
    assert_int_equal(unlinkat(b.in.root, "in", AT_REMOVEDIR), 0); /* no rest */
    (void)close(b.in.root);
}

static void
what_somebody_else_wrote_is_left_alone(void **state)
{
    static const struct {
        const char *name, *text;
    } theirs[] = {
        {"a.png.json", "{\"tags\": [\"mine\"]}"},
        {"a.json", "{\"description\": \"mine\"}"},
        {"a.txt", "mine"},
        {"a.png.json", "[\"a document\"]"},
        {"a.png.json", ""},
    };
    struct beside b;
    struct stat before, after;

    (void)state;
    beside_init(&b);
    say(7, "A heron", "");
    for (size_t i = 0; i < COUNT_OF(theirs); i++) {
        file_put(&b, theirs[i].name, theirs[i].text);
        assert_int_equal(fstatat(b.in.root, theirs[i].name, &before, 0), 0);
        assert_int_equal(sidecar_write(&b.in, "a.png", words, b.written),
                         ERR_CONFLICT);
        assert_int_equal(fstatat(b.in.root, theirs[i].name, &after, 0), 0);
        assert_int_equal(before.st_ino, after.st_ino);
        assert_int_equal(before.st_size, after.st_size);
        assert_int_equal(unlinkat(b.in.root, theirs[i].name, 0), 0);
    }
    /* Nor through a link, inside or out. */
    assert_int_equal(symlinkat("elsewhere", b.in.root, "a.png.json"), 0);
    assert_int_equal(sidecar_write(&b.in, "a.png", words, b.written),
                     ERR_CONFLICT);
    assert_int_equal(faccessat(b.in.root, "elsewhere", F_OK, 0), -1);
    assert_int_equal(unlinkat(b.in.root, "a.png.json", 0), 0);
    assert_int_equal(symlinkat("/tmp", b.in.root, "out"), 0);
    assert_int_equal(sidecar_write(&b.in, "out/a.png", words, b.written),
                     ERR_STORE);
    assert_int_equal(sidecar_write(&b.in, "../a.png", words, b.written),
                     ERR_STORE);
    assert_int_equal(unlinkat(b.in.root, "out", 0), 0);
    (void)close(b.in.root);
}

static void
a_name_may_be_so_long(void **state)
{
    char name[INGEST_PATH_BYTES];
    struct beside b;

    (void)state;
    beside_init(&b);
    say(7, "A heron", "");
    (void)memset(name, 'a', sizeof(name));
    name[INGEST_PATH_BYTES - 6] = '\0'; /* and .json, and its end */
    assert_int_equal(sidecar_write(&b.in, name, words, b.written), ERR_STORE);
    assert_int_equal(errno, ENAMETOOLONG);
    name[INGEST_PATH_BYTES - 6] = 'a';
    name[INGEST_PATH_BYTES - 5] = '\0';
    assert_int_equal(sidecar_write(&b.in, name, words, b.written), ERR_TOOBIG);
    (void)close(b.in.root);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_said_is_found_and_marked),
        TEST(it_stays_while_the_image_is_the_same),
        TEST(a_person_has_the_last_word),
        TEST(what_cannot_be_described_is_not),
        TEST(labels_outlast_it),
        TEST(it_goes_with_the_image),
        TEST(an_older_file_gets_the_table),
        TEST(a_sidecar_says_whose_it_is_and_of_what),
        TEST(what_somebody_else_wrote_is_left_alone),
        TEST(a_name_may_be_so_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

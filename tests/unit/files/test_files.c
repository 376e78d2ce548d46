/*
 * Collections and documents: what is written is read back, by those who may.
 */
#include "index_test.h"

/* --- collections ---------------------------------------------------------- */

static bool
collection_name(void *arg, const struct collection *c)
{
    char *out = arg;
    size_t n = strlen(out);

    (void)snprintf(out + n, 256 - n, "%s/%s:%d ", c->owner, c->name,
                   (int)c->documents);
    return true;
}

static void
a_collection_is_made_once_and_keeps_its_root(void **state)
{
    struct collection c;

    (void)state;
    assert_int_equal(files_collection(fs, ANN, "notes", NULL, &c), OK);
    assert_int_equal(c.id, notes.id);
    assert_string_equal(c.root, "/notes");
    assert_int_equal(files_collection(fs, ANN, "notes", "/notes", &c), OK);
    assert_int_equal(files_collection(fs, ANN, "notes", "/other", &c),
                     ERR_CONFLICT);
    assert_int_equal(files_collection(fs, ANN, "none", NULL, &c), ERR_NOTFOUND);
    assert_int_equal(files_collection(fs, BOB, "notes", NULL, &c),
                     ERR_NOTFOUND);
    assert_int_equal(files_collection(fs, BOB, "notes", "", &c), OK);
    assert_int_not_equal(c.id, notes.id);
    assert_int_equal(files_collection(fs, "", "notes", "", &c), ERR_BADREQ);
    assert_int_equal(files_collection(fs, ANN, "", "", &c), ERR_BADREQ);
}

static void
an_owner_sees_their_own_collections_and_the_shared_ones(void **state)
{
    struct collection c;
    char names[256] = "";

    (void)state;
    assert_int_equal(files_collection(fs, BOB, "bobs", "", &c), OK);
    assert_int_equal(files_collection(fs, FILES_SHARED, "docs", "/d", &c), OK);
    (void)put_note("a.txt", "something");
    assert_int_equal(files_collections(fs, ANN, collection_name, names), OK);
    assert_string_equal(names, "*/docs:0 user:ann/notes:1 ");
    names[0] = '\0';
    assert_int_equal(files_collections(fs, NULL, collection_name, names), OK);
    assert_string_equal(names, "user:bob/bobs:0 */docs:0 user:ann/notes:1 ");
}

static void
a_collection_counts_what_is_in_it(void **state)
{
    static const char *const texts[] = {"one", "two", "three", NULL};
    static const char *const none[] = {NULL};
    struct document d = document_of(notes.id, "a"), s;
    struct collection c;

    (void)state;
    assert_int_equal(put_texts(&d, "", texts), OK);
    s = document_of(notes.id, "b");
    s.skip = SKIP_ENCRYPTED;
    assert_int_equal(put_texts(&s, "", none), OK);
    assert_int_equal(files_collection(fs, ANN, "notes", NULL, &c), OK);
    assert_int_equal(c.documents, 1);
    assert_int_equal(c.skipped, 1);
    assert_int_equal(c.chunks, 3);
    assert_int_equal(c.bytes, 100);
    assert_true(c.updated_ms > 0);
    assert_int_equal(files_delete(fs, d.id), OK);
    assert_int_equal(files_delete(fs, s.id), OK);
    assert_int_equal(files_collection(fs, ANN, "notes", NULL, &c), OK);
    assert_int_equal(c.documents + c.skipped + c.chunks + c.bytes, 0);
    assert_sound();
}

static void
a_collection_is_dropped_with_all_that_is_in_it(void **state)
{
    struct collection c;
    struct document d;

    (void)state;
    (void)put_note("a.txt", "a walrus");
    (void)put_note("b.txt", "another walrus");
    assert_int_equal(files_collection_drop(fs, notes.id), OK);
    assert_string_equal(found("walrus"), "");
    assert_int_equal(files_known(fs, notes.id, "a.txt", &d), ERR_NOTFOUND);
    assert_int_equal(files_collection_drop(fs, notes.id), ERR_NOTFOUND);
    d = document_of(notes.id, "late.txt");
    assert_int_equal(put_texts(&d, "", (const char *const[]){"x", NULL}),
                     ERR_NOTFOUND);
    assert_int_equal(files_collection(fs, ANN, "notes", "/notes", &c), OK);
    assert_int_not_equal(c.id, notes.id); /* never used twice */
    assert_sound();
}

static void
a_claim_takes_all_collections_and_numbers_names_that_are_taken(void **state)
{
    struct files_query q = query_of(BOB, "walrus");
    struct collection c;
    char names[256] = "";

    (void)state;
    (void)put_note("a.txt", "a walrus");
    assert_int_equal(files_collection(fs, ANN, "more", "", &c), OK);
    assert_int_equal(files_collection(fs, BOB, "notes", "", &c), OK);
    assert_int_equal(files_collection(fs, BOB, "notes 2", "", &c), OK);
    assert_string_equal(found_by(&q), "");
    assert_int_equal(files_claim(fs, ANN, BOB), OK);
    assert_string_equal(found_by(&q), "a.txt");
    assert_string_equal(found("walrus"), "");
    assert_int_equal(files_collections(fs, BOB, collection_name, names), OK);
    assert_string_equal(names, "user:bob/more:0 user:bob/notes:0 "
                               "user:bob/notes 2:0 user:bob/notes 3:1 ");
    assert_int_equal(files_claim(fs, "nobody", BOB), OK);
    assert_int_equal(files_claim(fs, BOB, BOB), OK);
    assert_int_equal(files_claim(fs, BOB, ""), ERR_BADREQ);
}

/* --- documents ------------------------------------------------------------ */

static void
assert_facts(const struct facts *is, const struct facts *was)
{
    assert_string_equal(is->type, was->type);
    assert_string_equal(is->title, was->title);
    assert_int_equal(is->width, was->width);
    assert_int_equal(is->height, was->height);
    assert_string_equal(is->taken, was->taken);
    assert_int_equal(is->has_place, was->has_place);
    assert_true(is->latitude == was->latitude);
    assert_true(is->longitude == was->longitude);
    assert_string_equal(is->camera, was->camera);
    assert_string_equal(is->description, was->description);
    assert_string_equal(is->tags, was->tags);
}

static void
a_document_is_read_back_as_it_was_put(void **state)
{
    static const char *const texts[] = {"a beach", NULL};
    struct document d = document_of(notes.id, "2024/beach.jpg"), back;

    (void)state;
    d.size = 12345;
    d.image = true;
    memset(d.hash, 0xa5, sizeof(d.hash));
    d.label = LABEL_REDACT;
    d.facts = (struct facts){.type = "image/jpeg",
                             .title = "A beach",
                             .width = 640,
                             .height = 480,
                             .taken = "2024-07-01T20:15:00",
                             .has_place = true,
                             .latitude = 48.5,
                             .longitude = -3.25,
                             .camera = "Box",
                             .description = "Sand and sea",
                             .tags = "beach\nsea"};
    assert_int_equal(put_texts(&d, "", texts), OK);
    assert_true(d.id > 0 && d.id < INT64_C(1) << 53);
    assert_int_equal(files_known(fs, notes.id, "2024/beach.jpg", &back), OK);
    assert_int_equal(back.id, d.id);
    assert_string_equal(back.owner, ANN);
    assert_int_equal(back.size, 12345);
    assert_int_equal(back.mtime_ns, d.mtime_ns);
    assert_memory_equal(back.hash, d.hash, sizeof(d.hash));
    assert_true(back.image);
    assert_int_equal(back.skip, SKIP_NOT);
    assert_int_equal(back.label, LABEL_REDACT);
    assert_false(back.label_fixed);
    assert_true(back.added_ms > 0);
    assert_int_equal(back.chunks, 1);
    assert_int_equal(back.text_len, 7);
    assert_facts(&back.facts, &d.facts);
    assert_int_equal(files_get(fs, d.id, &back), OK);
    assert_string_equal(back.name, "2024/beach.jpg");
    assert_int_equal(files_get(fs, d.id + 1, &back), ERR_NOTFOUND);
}

static void
a_document_is_replaced_and_keeps_its_number(void **state)
{
    int64_t id = put_note("a.txt", "a walrus");
    struct document d;

    (void)state;
    assert_int_equal(put_note("a.txt", "an ocelot"), id);
    assert_string_equal(found("walrus"), "");
    assert_string_equal(found("ocelot"), "a.txt");
    assert_int_equal(files_known(fs, notes.id, "a.txt", &d), OK);
    assert_int_equal(d.text_len, strlen("an ocelot"));
    assert_sound();
}

static void
a_put_that_is_abandoned_changes_nothing(void **state)
{
    struct document d = document_of(notes.id, "a.txt");
    struct chunk c = {.heading = "", .text = "an ocelot", .len = 9};
    struct files_put *put;

    (void)state;
    (void)put_note("a.txt", "a walrus");
    assert_int_equal(files_put_begin(fs, &d, &put), OK);
    assert_int_equal(files_put_chunk(put, &c), OK);
    assert_string_equal(found("walrus"), "a.txt");
    files_put_abandon(put);
    files_put_abandon(NULL);
    assert_string_equal(found("walrus"), "a.txt");
    assert_string_equal(found("ocelot"), "");
}

static void
a_label_that_somebody_gave_outlives_a_new_put(void **state)
{
    struct document d;
    int64_t id = put_note("a.txt", "a walrus");

    (void)state;
    assert_int_equal(files_label(fs, id, LABEL_LOCAL_ONLY), OK);
    assert_int_equal(files_label(fs, id, LABEL_IGNORE), ERR_BADREQ);
    assert_int_equal(files_label(fs, id + 1, LABEL_REDACT), ERR_NOTFOUND);
    (void)put_note("a.txt", "an ocelot");
    assert_int_equal(files_known(fs, notes.id, "a.txt", &d), OK);
    assert_int_equal(d.label, LABEL_LOCAL_ONLY);
    assert_true(d.label_fixed);
}

static void
rules_change_a_label_until_somebody_gives_one(void **state)
{
    struct document d;
    int64_t id = put_note("a.txt", "a walrus named shibboleth");
    struct files_query q = query_of(ANN, "walrus");
    struct files_found out;

    (void)state;
    for (enum label label = LABEL_LOCAL_ONLY;; label--) {
        assert_int_equal(files_ruled(fs, id, label, "shibboleth\n"), OK);
        assert_int_equal(files_get(fs, id, &d), OK);
        assert_int_equal(d.label, label);
        assert_false(d.label_fixed);
        if (label == LABEL_CLOUD_OK)
            break;
    }
    assert_int_equal(files_ruled(fs, id, LABEL_IGNORE, ""), ERR_BADREQ);
    assert_int_equal(files_ruled(fs, id + 1, LABEL_REDACT, ""), ERR_NOTFOUND);
    assert_int_equal(files_label(fs, id, LABEL_REDACT), OK);
    assert_int_equal(files_ruled(fs, id, LABEL_CLOUD_OK, "shibboleth\n"), OK);
    assert_int_equal(files_get(fs, id, &d), OK);
    assert_int_equal(d.label, LABEL_REDACT);
    /* What is blotted out is what the rules say now. */
    q.leaves = true;
    assert_int_equal(files_search(fs, &q, &out), OK);
    assert_int_equal(out.n, 1);
    assert_null(strstr(out.hits[0].text, "shibboleth"));
    files_found_release(&out);
    assert_int_equal(files_ruled(fs, id, LABEL_CLOUD_OK, ""), OK);
    assert_int_equal(files_search(fs, &q, &out), OK);
    assert_non_null(strstr(out.hits[0].text, "shibboleth"));
    files_found_release(&out);
    assert_sound();
}

static void
a_document_is_found_by_its_name_or_the_last_part_of_it(void **state)
{
    struct collection shared;
    struct document d;

    (void)state;
    assert_int_equal(files_collection(fs, FILES_SHARED, "docs", "/d", &shared),
                     OK);
    (void)put_note("2024/beach.jpg", "one");
    (void)put_note("2023/dune.jpg", "two");
    (void)put_note("2024/dune.jpg", "three");
    d = document_of(shared.id, "beach.jpg");
    assert_int_equal(put_texts(&d, "", (const char *const[]){"x", NULL}), OK);
    assert_int_equal(files_find(fs, ANN, "2024/dune.jpg", &d), OK);
    assert_string_equal(d.name, "2024/dune.jpg");
    assert_int_equal(files_find(fs, ANN, "dune.jpg", &d), ERR_NOTFOUND);
    assert_int_equal(files_find(fs, ANN, "beach.jpg", &d), OK);
    assert_string_equal(d.owner, FILES_SHARED); /* the whole name */
    assert_int_equal(files_delete(fs, d.id), OK);
    assert_int_equal(files_find(fs, ANN, "beach.jpg", &d), OK);
    assert_string_equal(d.name, "2024/beach.jpg");
    assert_int_equal(files_find(fs, BOB, "2024/beach.jpg", &d), ERR_NOTFOUND);
    assert_int_equal(files_find(fs, BOB, "beach.jpg", &d), ERR_NOTFOUND);
    assert_int_equal(files_find(fs, ANN, "../2024/beach.jpg", &d),
                     ERR_NOTFOUND);
    assert_int_equal(files_find(fs, ANN, "", &d), ERR_NOTFOUND);
}

static bool
document_name(void *arg, const struct document *d)
{
    char *out = arg;
    size_t n = strlen(out);

    (void)snprintf(out + n, 256 - n, "%s ", d->name);
    return strcmp(d->name, "stop") != 0;
}

static void
documents_are_listed_by_name_in_pages(void **state)
{
    struct collection c;
    char names[256] = "";

    (void)state;
    (void)put_note("c", "x");
    (void)put_note("a", "x");
    (void)put_note("b", "x");
    (void)put_note("stop", "x");
    (void)put_note("unseen", "x");
    assert_int_equal(files_list(fs, ANN, 0, NULL, 2, document_name, names), OK);
    assert_string_equal(names, "a b ");
    names[0] = '\0';
    assert_int_equal(files_list(fs, ANN, notes.id,
                                &(struct files_after){"b", INT64_MAX}, 10,
                                document_name, names),
                     OK);
    assert_string_equal(names, "c stop ");
    names[0] = '\0';
    assert_int_equal(files_list(fs, BOB, 0, NULL, 10, document_name, names),
                     OK);
    assert_int_equal(
        files_list(fs, BOB, notes.id, NULL, 10, document_name, names), OK);
    assert_string_equal(names, "");
    assert_int_equal(files_collection(fs, FILES_SHARED, "s", "", &c), OK);
    assert_int_equal(files_list(fs, NULL, 0,
                                &(struct files_after){"c", INT64_MAX}, 1,
                                document_name, names),
                     OK);
    assert_string_equal(names, "stop ");
}

struct last {
    char name[FILES_NAME_MAX + 1];
    int64_t id;
    unsigned n;
};

static bool
keep_last(void *arg, const struct document *d)
{
    struct last *l = arg;

    (void)snprintf(l->name, sizeof(l->name), "%s", d->name);
    l->id = d->id;
    l->n++;
    return true;
}

static void
equal_names_at_a_border_of_pages_are_all_listed(void **state)
{
    const char *none[] = {"x", NULL};
    struct collection c[3];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(c); i++) {
        struct document d;
        char name[8];

        (void)snprintf(name, sizeof(name), "c%zu", i);
        assert_int_equal(files_collection(fs, ANN, name, "", &c[i]), OK);
        for (const char *k = "b\0a\0"; *k != '\0'; k += 2) {
            d = document_of(c[i].id, k);
            assert_int_equal(put_texts(&d, "", none), OK);
        }
    }
    for (unsigned limit = 1; limit <= 7; limit++) {
        struct last l = {.name = ""};
        struct files_after after = {l.name, 0};
        unsigned had, pages = 0;

        do {
            had = l.n;
            assert_int_equal(
                files_list(fs, ANN, 0, &after, limit, keep_last, &l), OK);
            after.id = l.id;
        } while (l.n - had == limit && ++pages < 10);
        assert_int_equal(l.n, 6);
        assert_string_equal(l.name, "b");
        assert_int_equal(l.id >> SHELF_DOCUMENT_BITS, c[2].id);
    }
}

/* Deletes what it is shown, from another connection. */
static bool
delete_it(void *arg, const struct document *d)
{
    (void)arg;
    return files_delete(fs, d->id) == OK;
}

static void
a_list_may_be_changed_while_it_is_walked(void **state)
{
    char names[256] = "";

    (void)state;
    (void)put_note("a", "x");
    (void)put_note("b", "x");
    assert_int_equal(files_list(fs, ANN, 0, NULL, 10, delete_it, NULL), OK);
    assert_int_equal(files_list(fs, ANN, 0, NULL, 10, document_name, names),
                     OK);
    assert_string_equal(names, "");
    assert_sound();
}

static bool
keep_b(void *arg, const struct document *d)
{
    ++*(int *)arg;
    return d->name[0] == 'b';
}

static void
a_sweep_takes_out_what_was_not_seen(void **state)
{
    uint64_t gone;
    int asked = 0;

    (void)state;
    (void)put_note("a", "walrus");
    (void)put_note("b", "walrus");
    (void)put_note("c", "walrus");
    assert_int_equal(files_sweep(fs, notes.id, keep_b, &asked, &gone), OK);
    assert_int_equal(gone, 2);
    assert_int_equal(asked, 3);
    assert_string_equal(found("walrus"), "b");
    assert_int_equal(files_sweep(fs, notes.id, keep_b, &asked, &gone), OK);
    assert_int_equal(gone, 0);
    assert_sound();
}

static void
a_text_is_read_from_any_place(void **state)
{
    /* Chunks that overlap: "Überfälle im Wald" */
    static const char text[] = "\xc3\x9c"
                               "berf\xc3\xa4lle im Wald";
    struct document d = document_of(notes.id, "a");
    struct chunk c = {.heading = "", .text = text, .len = 12};
    struct files_put *put;
    struct buf out;

    (void)state;
    assert_int_equal(files_put_begin(fs, &d, &put), OK);
    assert_int_equal(files_put_chunk(put, &c), OK);
    c = (struct chunk){.seq = 1,
                       .start = 8,
                       .heading = "",
                       .text = text + 8,
                       .len = strlen(text) - 8};
    assert_int_equal(files_put_chunk(put, &c), OK);
    assert_int_equal(files_put_end(put, &d, ""), OK);
    assert_int_equal(d.text_len, strlen(text));
    buf_init(&out, 100);
    for (size_t from = 0; from <= strlen(text) + 1; from++)
        for (size_t len = 0; len <= strlen(text); len++) {
            size_t a = from, b = from + len;

            if (b > strlen(text))
                b = strlen(text);
            while (a < b && ((unsigned char)text[a] & 0xc0) == 0x80)
                a++;
            while (b > a && ((unsigned char)text[b] & 0xc0) == 0x80)
                b--;
            buf_clear(&out);
            assert_int_equal(files_text(fs, d.id, (int64_t)from, len, &out),
                             OK);
            assert_int_equal(out.len, b > a ? b - a : 0);
            assert_memory_equal(buf_cstr(&out), b > a ? text + a : "", out.len);
        }
    buf_clear(&out);
    assert_int_equal(files_text(fs, d.id + 1, 0, 5, &out), ERR_NOTFOUND);
    assert_int_equal(files_text(fs, d.id, -5, SIZE_MAX, &out), OK);
    assert_int_equal(out.len, strlen(text));
    assert_int_equal(files_text(fs, d.id, INT64_MAX, SIZE_MAX, &out), OK);
    buf_release(&out);
}

/* --- batches -------------------------------------------------------------- */

static void
a_batch_is_seen_by_its_thread_and_by_others_when_it_ends(void **state)
{
    struct files *other;
    struct document d;

    (void)state;
    assert_int_equal(files_open(index_dir, &other), OK);
    assert_int_equal(files_batch_begin(fs), OK);
    (void)put_note("a.txt", "a walrus");
    (void)put_note("b.txt", "a walrus");
    assert_int_equal(files_known(fs, notes.id, "a.txt", &d), OK);
    assert_int_equal(files_known(other, notes.id, "a.txt", &d), ERR_NOTFOUND);
    assert_int_equal(files_batch_end(fs, true), OK);
    assert_int_equal(files_known(other, notes.id, "a.txt", &d), OK);
    assert_int_equal(files_batch_begin(fs), OK);
    assert_int_equal(files_delete(fs, d.id), OK);
    (void)put_note("c.txt", "an ocelot");
    assert_int_equal(files_batch_end(fs, false), OK);
    assert_int_equal(strlen(found("walrus")), strlen("a.txt b.txt"));
    assert_string_equal(found("ocelot"), "");
    files_close(other);
    assert_sound();
}

/* The chunks of a batch's last document are written later than its row: whoever
 * looks, changes or gives up must not notice. */
static void
a_document_of_a_batch_can_be_used_at_once(void **state)
{
    static const char *texts[3 * 64 + 2];
    struct document d = document_of(notes.id, "long.txt");
    struct buf text;
    int64_t id;

    (void)state;
    for (size_t i = 0; i + 1 < COUNT_OF(texts); i++)
        texts[i] = "a narwhal";
    assert_int_equal(files_batch_begin(fs), OK);
    (void)put_note("a.txt", "a walrus");
    id = put_note("a.txt", "an ocelot"); /* in place of the one before */
    buf_init(&text, 100);
    assert_int_equal(files_text(fs, id, 0, 100, &text), OK);
    assert_string_equal(buf_cstr(&text), "an ocelot");
    buf_release(&text);
    id = put_note("b.txt", "a tapir");
    assert_int_equal(files_delete(fs, id), OK);
    assert_int_equal(put_texts(&d, "", texts), OK); /* several windows */
    assert_int_equal(d.chunks, COUNT_OF(texts) - 1);
    (void)put_note("c.txt", "an ibex");
    assert_string_equal(found("ibex"), "c.txt");
    (void)put_note("d.txt", "a stoat");
    assert_int_equal(files_batch_end(fs, true), OK);
    assert_string_equal(found("walrus tapir"), "");
    assert_string_equal(found("ocelot"), "a.txt");
    assert_string_equal(found("stoat"), "d.txt");
    assert_int_equal(strncmp(found("narwhal"), "long.txt", 8), 0);
    assert_int_equal(files_batch_begin(fs), OK);
    assert_int_equal(put_texts(&d, "", texts), OK);
    (void)put_note("e.txt", "a gecko");
    assert_int_equal(files_batch_end(fs, false), OK);
    files_rest(fs);
    assert_string_equal(found("gecko"), "");
    assert_int_equal(files_batch_begin(fs), OK);
    (void)put_note("f.txt", "a newt");
    files_close(fs); /* as if it had not begun */
    assert_int_equal(files_open(index_dir, &fs), OK);
    assert_string_equal(found("newt"), "");
    assert_sound();
}

static void
a_failure_without_a_trace_leaves_a_batch_alone(void **state)
{
    struct document d = document_of(notes.id + 100, "x");

    (void)state;
    assert_int_equal(files_batch_begin(fs), OK);
    (void)put_note("a.txt", "a walrus");
    assert_int_equal(put_texts(&d, "", (const char *const[]){"x", NULL}),
                     ERR_NOTFOUND);
    assert_int_equal(files_delete(fs, 77), ERR_NOTFOUND);
    assert_int_equal(files_find(fs, ANN, "none", &d), ERR_NOTFOUND);
    (void)put_note("b.txt", "a walrus");
    assert_int_equal(files_batch_end(fs, true), OK);
    assert_int_equal(strlen(found("walrus")), strlen("a.txt b.txt"));
    assert_sound();
}

/* --- vectors of other models ---------------------------------------------- */

struct waiting {
    int64_t chunk[16];
    char text[16][64];
    size_t n;
};

static bool
waiting_add(void *arg, int64_t chunk, const char *name, const char *text,
            size_t n)
{
    struct waiting *w = arg;

    assert_true(name[0] != '\0');

    w->chunk[w->n] = chunk;
    (void)snprintf(w->text[w->n++], 64, "%.*s", (int)n, text);
    return true;
}

static struct waiting
pending_of(const char *model, bool leaves)
{
    struct waiting w = {.n = 0};

    assert_int_equal(files_pending(fs, model, leaves, 16, waiting_add, &w), OK);
    return w;
}

static void
chunks_wait_for_vectors_of_a_model_until_they_have_them(void **state)
{
    static const char *const texts[] = {"one", "two", NULL};
    static const float rows[] = {1, 0, 0, 0, 2, 0, 0, 0, 1};
    struct document d = document_of(notes.id, "a");
    struct waiting w;
    int64_t id;

    (void)state;
    assert_int_equal(put_texts(&d, "", texts), OK);
    id = put_note("b", "three");
    w = pending_of("m/1", true);
    assert_int_equal(w.n, 3);
    assert_int_equal(files_vectors(fs, "m/1", w.chunk, rows, 2, 3), OK);
    assert_int_equal(pending_of("m/1", true).n, 1);
    assert_int_equal(files_vectors(fs, "m/1", w.chunk, rows, 3, 3), OK);
    assert_int_equal(pending_of("m/1", true).n, 0);
    assert_int_equal(pending_of("m/2", true).n, 3);
    assert_sound();
    assert_int_equal(put_note("b", "four"), id);
    w = pending_of("m/1", true);
    assert_int_equal(w.n, 1);
    assert_string_equal(w.text[0], "four");
    assert_int_equal(files_vectors_only(fs, "m/2"), OK);
    assert_int_equal(pending_of("m/1", true).n, 3);
    assert_int_equal(files_vectors(fs, "", w.chunk, rows, 1, 3), ERR_BADREQ);
    assert_int_equal(files_vectors(fs, "m", w.chunk, rows, 1, 0), ERR_BADREQ);
    assert_int_equal(files_vectors(fs, VECTOR_MODEL, w.chunk, rows, 1, 3),
                     ERR_BADREQ);
    assert_int_equal(files_delete(fs, id), OK);
    assert_int_equal(files_vectors(fs, "m/1", w.chunk, rows, 1, 3), OK);
    assert_sound(); /* of a chunk that is gone: none */
}

static void
what_must_not_leave_is_not_given_to_be_embedded(void **state)
{
    static const char *const texts[] = {"mail ann@example.org now", NULL};
    struct document d = document_of(notes.id, "r");
    struct waiting w;

    (void)state;
    assert_int_equal(
        files_label(fs, put_note("l", "a secret"), LABEL_LOCAL_ONLY), OK);
    d.label = LABEL_REDACT;
    assert_int_equal(put_texts(&d, "", texts), OK);
    w = pending_of("m", true);
    assert_int_equal(w.n, 1);
    assert_null(strstr(w.text[0], "ann@"));
    assert_non_null(strstr(w.text[0], "mail "));
    assert_int_equal(pending_of("m", false).n, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, index_setup, index_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_collection_is_made_once_and_keeps_its_root),
        TEST(an_owner_sees_their_own_collections_and_the_shared_ones),
        TEST(a_collection_counts_what_is_in_it),
        TEST(a_collection_is_dropped_with_all_that_is_in_it),
        TEST(a_claim_takes_all_collections_and_numbers_names_that_are_taken),
        TEST(a_document_is_read_back_as_it_was_put),
        TEST(a_document_is_replaced_and_keeps_its_number),
        TEST(a_put_that_is_abandoned_changes_nothing),
        TEST(a_label_that_somebody_gave_outlives_a_new_put),
        TEST(rules_change_a_label_until_somebody_gives_one),
        TEST(a_document_is_found_by_its_name_or_the_last_part_of_it),
        TEST(documents_are_listed_by_name_in_pages),
        TEST(equal_names_at_a_border_of_pages_are_all_listed),
        TEST(a_list_may_be_changed_while_it_is_walked),
        TEST(a_sweep_takes_out_what_was_not_seen),
        TEST(a_text_is_read_from_any_place),
        TEST(a_batch_is_seen_by_its_thread_and_by_others_when_it_ends),
        TEST(a_document_of_a_batch_can_be_used_at_once),
        TEST(a_failure_without_a_trace_leaves_a_batch_alone),
        TEST(chunks_wait_for_vectors_of_a_model_until_they_have_them),
        TEST(what_must_not_leave_is_not_given_to_be_embedded),
    };

    return cmocka_run_group_tests_name("files", tests, NULL, NULL);
}

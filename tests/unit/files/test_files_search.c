/*
 * Looking for something: what is found, in which order, by whom, and what must
 * not leave.
 */
#include "index_test.h"

/* --- words ---------------------------------------------------------------- */

static void
words_are_found_in_any_form(void **state)
{
    (void)state;
    (void)put_note("walk.txt",
                   "We were running along the beaches of Brittany.");
    (void)put_note("tax.txt", "The invoice of the dentist was paid in March.");
    (void)put_note("de.txt", "Die Rechnungen f\xc3\xbcr die Wohnungen liegen "
                             "bei den anderen Unterlagen.");
    (void)put_note("ja.txt", "\xe6\x9d\xb1\xe4\xba\xac\xe3\x81\xae\xe5\xa4\x8f"
                             "\xe3\x81\xaf\xe6\x9a\x91\xe3\x81\x84");
    (void)put_note("party.txt", "Saturday evening \xf0\x9f\x8e\x89 at ours");
    assert_string_equal(found("beach"), "walk.txt");
    assert_string_equal(found("BEACHES run"), "walk.txt");
    assert_string_equal(found("dentists' invoices"), "tax.txt");
    assert_string_equal(found("Rechnung Wohnung"), "de.txt");
    assert_string_equal(found("fur Unterlagen"), "de.txt");
    assert_string_equal(found("\xe6\x9d\xb1\xe4\xba\xac"), "ja.txt");
    assert_string_equal(found("\xe5\xa4\x8f"), "ja.txt");
    assert_string_equal(found("\xf0\x9f\x8e\x89"), "party.txt");
    assert_string_equal(found("invoi"), "tax.txt"); /* it may go on */
    assert_string_equal(found("elephant"), "");
    assert_string_equal(found("what is the capital of Mongolia?"), "");
}

static void
names_titles_and_headings_are_searched_too(void **state)
{
    static const char *const texts[] = {"first", "second", NULL};
    struct document d = document_of(notes.id, "trips/lisbon-2023.txt");

    (void)state;
    (void)snprintf(d.facts.title, sizeof(d.facts.title), "Azulejos");
    assert_int_equal(put_texts(&d, "", texts), OK);
    (void)put_note("other.txt", "nothing of that kind");
    assert_string_equal(found("lisbon"),
                        "trips/lisbon-2023.txt trips/lisbon-2023.txt");
    assert_true(strncmp(found("azulejos"), "trips/", 6) == 0);
    assert_string_equal(found("part"), "trips/lisbon-2023.txt");
}

static void
rarer_and_more_words_come_first(void **state)
{
    (void)state;
    (void)put_note("a.txt", "a report about something");
    (void)put_note("b.txt", "a report about walruses");
    (void)put_note("c.txt", "a report about the walrus and the ocelot");
    (void)put_note("d.txt", "no animal at all");
    assert_true(strncmp(found("ocelot walrus report"), "c.txt b.txt", 11) == 0);
    assert_true(strstr(found("walrus report"), "a.txt") >
                strstr(found("walrus report"), "b.txt"));
}

static void
any_word_for_images_finds_them(void **state)
{
    static const char *const words[] = {
        "photos",   "What photos do I have?", "image",
        "pictures", "Welche Bilder habe ich", "show me the Fotos",
    };
    const char *texts[] = {"Image d.jpg (d)\nTulips in a garden.", NULL};
    struct document image = document_of(notes.id, "d.jpg");
    struct files_query q = query_of(ANN, "the other photos");

    (void)state;
    (void)put_note("a.jpg", "Image a.jpg (a)\nA beach.\nTags: sand");
    (void)put_note("b.jpg", "Image b.jpg (b)\nA summit at sunset.");
    (void)put_note("c.txt", "A text about summits.");
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        assert_non_null(strstr(found(words[i]), "a.jpg"));
        assert_non_null(strstr(found(words[i]), "b.jpg"));
        assert_null(strstr(found(words[i]), "c.txt"));
    }
    /* What they show comes first, and images of something else not at all. */
    assert_string_equal(found("photos of the beach"), "a.jpg");
    assert_string_equal(found("a picture of a sunset"), "b.jpg");
    assert_string_equal(found("photos of a quasar"), "");
    q.recent = "hello there";
    q.recent_len = strlen(q.recent);
    assert_non_null(strstr(found_by(&q), "a.jpg"));
    /* It is like none of them, and yet asks for them; others must be alike. */
    q = query_of(ANN, "What photos do I have?");
    q.threshold = 0.9;
    assert_string_equal(found_by(&q), "");
    image.image = true;
    assert_int_equal(put_texts(&image, "", texts), OK);
    assert_string_equal(found_by(&q), "d.jpg");
    q.text = "tulips";
    q.len = strlen(q.text);
    assert_string_equal(found_by(&q), "");
    /* That they were images says nothing of what follows. */
    q = query_of(ANN, "and of the summit?");
    q.recent = "photos of the sunset";
    q.recent_len = strlen(q.recent);
    assert_null(strstr(found_by(&q), "a.jpg"));
    q.recent = "show me the photos"; /* but if it was all that was said */
    q.recent_len = strlen(q.recent);
    assert_non_null(strstr(found_by(&q), "b.jpg"));
}

static void
no_query_is_a_mistake(void **state)
{
    static const struct {
        const char *s;
        size_t n;
    } queries[] = {
        {"", 0},
        {"\0", 1},
        {"walrus\0ocelot", 13},
        {"\"", 1},
        {"\"walrus", 7},
        {"walrus\" OR \"a", 13},
        {"NEAR(walrus ocelot, 1)", 22},
        {"text : walrus", 13},
        {"- { walrus } ^ + *", 18},
        {"walrus*", 7},
        {"(((((((((((((((", 15},
        {"NOT walrus AND", 14},
        {"'; DROP TABLE chunk; --", 23},
        {"the of and or", 13},
        {"who are you", 11},
        {"\xff\xfe walrus \xc3", 11},
        {"\xf0\x9f\xa6\xad", 4},
        {"\x01"
         "1walrus",
         8},
        {"%s%n", 4},
    };
    char *large = xcalloc(1, 100000);

    (void)state;
    (void)put_note("a.txt", "a walrus");
    for (size_t i = 0; i < COUNT_OF(queries); i++) {
        struct files_query q = query_of(ANN, "");

        q.text = queries[i].s;
        q.len = queries[i].n;
        for (int k = 0; k < 2; k++) {
            assert_string_equal(
                found_by(&q),
                memmem(q.text, q.len, "walrus", 6) != NULL ? "a.txt" : "");
            q.leaves = true;
            q.recent = "\"*";
            q.recent_len = 2;
        }
    }
    for (size_t n = FILES_QUERY_MAX - 2; n < FILES_QUERY_MAX + 3; n++) {
        struct files_query q = query_of(ANN, "");

        memset(large, '"', n);
        memcpy(large, "walrus ", 7);
        q.text = large;
        q.len = n;
        assert_string_equal(found_by(&q), "a.txt");
        for (size_t i = 0; i < n; i++) /* many words, cut within one */
            large[i] = "a1b2c3d4\xc3\xa9 "[i % 11];
        q.recent = large;
        q.recent_len = n;
        (void)found_by(&q);
    }
    free(large);
    assert_string_equal(found("walrus"), "a.txt");
}

static void
numbers_out_of_bounds_are_refused(void **state)
{
    struct files_query q = query_of(ANN, "walrus"), bad;
    struct files_found out;
    const float v[2] = {1, 0};

    (void)state;
    bad = q;
    bad.top_k = 0;
    assert_int_equal(files_search(fs, &bad, &out), ERR_BADREQ);
    bad.top_k = FILES_TOP_K_MAX + 1;
    assert_int_equal(files_search(fs, &bad, &out), ERR_BADREQ);
    bad = q;
    bad.recency = 1.5;
    assert_int_equal(files_search(fs, &bad, &out), ERR_BADREQ);
    bad = q;
    bad.threshold = -1;
    assert_int_equal(files_search(fs, &bad, &out), ERR_BADREQ);
    bad = q;
    bad.vector = v;
    bad.dims = 2;
    assert_int_equal(files_search(fs, &bad, &out), ERR_BADREQ);
    files_found_release(&out);
}

/* --- what was said before ------------------------------------------------- */

static void
a_follow_up_finds_what_was_spoken_of(void **state)
{
    static const char recent[] = "What beach photos do I have?";
    struct files_query q = query_of(ANN, "show me the sunset ones");

    (void)state;
    (void)put_note("p1.jpg", "A photo: sunset over the beach, orange sky");
    (void)put_note("p2.jpg", "A photo: noon at the beach with umbrellas");
    (void)put_note("p3.jpg", "A photo: sunset behind the mountains");
    (void)put_note("p4.jpg", "A photo: a cat on a sofa");
    q.recent = recent;
    q.recent_len = strlen(recent);
    assert_true(strncmp(found_by(&q), "p1.jpg", 6) == 0);
    assert_non_null(strstr(found_by(&q), "p2.jpg"));
    assert_non_null(strstr(found_by(&q), "p3.jpg"));
    q.text = "tell me about the elephant";
    q.len = strlen(q.text);
    assert_string_equal(found_by(&q), "");
    q.text = "show me more";
    q.len = strlen(q.text);
    assert_non_null(strstr(found_by(&q), "p2.jpg"));
}

/* --- who sees what -------------------------------------------------------- */

static void
nobody_finds_what_is_anothers(void **state)
{
    struct files_query q = query_of(BOB, "walrus");
    struct collection shared;
    struct document d;
    struct files_found out;

    (void)state;
    (void)put_note("a.txt", "a walrus");
    assert_string_equal(found_by(&q), "");
    q.collection = notes.id;
    assert_string_equal(found_by(&q), "");
    q.collection = 0;
    assert_int_equal(files_collection(fs, FILES_SHARED, "docs", "/d", &shared),
                     OK);
    d = document_of(shared.id, "shared.txt");
    assert_int_equal(put_texts(&d, "", (const char *const[]){"walrus", NULL}),
                     OK);
    assert_string_equal(found_by(&q), "shared.txt");
    assert_int_equal(files_search(fs, &q, &out), OK);
    assert_int_equal(out.documents, 1);
    files_found_release(&out);
    q = query_of(ANN, "walrus");
    assert_string_equal(found_by(&q), "shared.txt a.txt");
    q.collection = notes.id;
    assert_string_equal(found_by(&q), "a.txt");
    q.collection = 4711;
    assert_string_equal(found_by(&q), "");
}

static void
what_comes_with_the_program_is_for_who_has_nothing_else(void **state)
{
    struct files_query q = query_of(BOB, "walrus");
    struct collection own;
    struct document d;

    (void)state;
    assert_int_equal(
        files_collection(fs, FILES_SHARED, FILES_OWN_DOCUMENTS, "/p", &own),
        OK);
    d = document_of(own.id, "README.md");
    assert_int_equal(put_texts(&d, "", (const char *const[]){"walrus", NULL}),
                     OK);
    assert_string_equal(found_by(&q), "README.md");
    (void)put_note("a.txt", "a walrus");
    assert_string_equal(found_by(&q), "README.md");
    assert_string_equal(found("walrus"), "a.txt");
    q.owner = ANN;
    q.collection = own.id;
    assert_string_equal(found_by(&q), "README.md");
}

static void
what_is_deleted_is_not_found_by_another_connection(void **state)
{
    struct files_query q = query_of(ANN, "walrus");
    struct files *other;
    int64_t id = put_note("a.txt", "a walrus");
    struct files *mine = fs;

    (void)state;
    assert_int_equal(files_open(index_dir, &other), OK);
    fs = other;
    assert_string_equal(found_by(&q), "a.txt");
    assert_string_equal(found("wallruss"), "a.txt"); /* by its vector */
    fs = mine;
    assert_int_equal(files_delete(fs, id), OK);
    fs = other;
    assert_string_equal(found_by(&q), "");
    assert_string_equal(found("wallruss"), "");
    fs = mine;
    assert_int_equal(files_delete(fs, id), ERR_NOTFOUND);
    files_close(other);
    assert_sound();
}

/* --- what must not leave -------------------------------------------------- */

static void
what_is_local_only_is_held_back_and_named(void **state)
{
    struct files_query q = query_of(ANN, "walrus");
    struct files_found out;

    (void)state;
    (void)put_note("open.txt", "a walrus");
    for (int i = 0; i < 300; i++) { /* more than there are candidates */
        char name[32];

        (void)snprintf(name, sizeof(name), "secret%03d.txt", i);
        assert_int_equal(files_label(fs, put_note(name, "walrus walrus walrus"),
                                     LABEL_LOCAL_ONLY),
                         OK);
    }
    q.leaves = true;
    assert_int_equal(files_search(fs, &q, &out), OK);
    assert_int_equal(out.n, 1);
    assert_string_equal(out.hits[0].name, "open.txt");
    assert_int_equal(out.n_held, FILES_TOP_K);
    for (size_t i = 0; i < out.n_held; i++)
        assert_true(strncmp(out.held[i], "secret", 6) == 0);
    files_found_release(&out);
    q.leaves = false;
    assert_int_equal(files_search(fs, &q, &out), OK);
    assert_int_equal(out.n, FILES_TOP_K);
    assert_int_equal(out.n_held, 0);
    files_found_release(&out);
    q = query_of(ANN, "something else");
    q.leaves = true;
    assert_int_equal(files_search(fs, &q, &out), OK);
    assert_int_equal(out.n + out.n_held, 0);
    files_found_release(&out);
}

static void
what_is_to_be_redacted_is_blotted_out_everywhere(void **state)
{
    static const char *const texts[] = {"Ask ann@example.org about the walrus.",
                                        NULL};
    struct document d = document_of(notes.id, "mail.txt");
    struct files_query q = query_of(ANN, "walrus");
    struct files_found out;

    (void)state;
    (void)snprintf(d.facts.title, sizeof(d.facts.title), "To ann@example.org");
    d.label = LABEL_REDACT;
    assert_int_equal(put_texts(&d, "", texts), OK);
    q.leaves = true;
    assert_int_equal(files_search(fs, &q, &out), OK);
    assert_int_equal(out.n, 1);
    assert_null(strstr(out.hits[0].text, "ann@"));
    assert_null(strstr(out.hits[0].snippet, "ann@"));
    assert_null(strstr(out.hits[0].title, "ann@"));
    assert_non_null(strstr(out.hits[0].snippet, "walrus"));
    files_found_release(&out);
    q.leaves = false;
    assert_int_equal(files_search(fs, &q, &out), OK);
    assert_non_null(strstr(out.hits[0].text, "ann@example.org"));
    files_found_release(&out);
}

/* A document of which no text that leaves may hold any of what is secret in it,
 * wherever it stands and however its chunks cut it. */
static const char *const secrets[] = {"alcon", "4111", "1111",
                                      "ann@",  "ACC-", "3704"};

static void
assert_says_nothing(const struct files_hit *h)
{
    const char *const said[] = {h->text,  h->snippet, h->heading,
                                h->title, h->shown,   h->type};

    for (size_t i = 0; i < COUNT_OF(said); i++)
        for (size_t k = 0; k < COUNT_OF(secrets); k++)
            if (strcasestr(said[i], secrets[k]) != NULL)
                fail_msg("text %zu says %s: %s", i, secrets[k], said[i]);
}

static void
every_text_of_a_hit_is_blotted_out(void **state)
{
    struct document d = document_of(notes.id, "a/Project_Falcon/ACC-77.txt");
    struct files_query q = query_of(ANN, "walrus");
    struct files_found out;
    struct files_put *put;
    struct chunk c = {.len = 21,
                      .heading = "Card 4111 1111 1111 1111 > Project Falcon",
                      .text = "A walrus of ACC-1234."};

    (void)state;
    (void)snprintf(d.facts.title, sizeof(d.facts.title), "To ann@example.org");
    d.label = LABEL_REDACT;
    assert_int_equal(files_put_begin(fs, &d, &put), OK);
    assert_int_equal(files_put_chunk(put, &c), OK);
    assert_int_equal(files_put_end(put, &d, "Project Falcon\nACC-[0-9]*"), OK);
    q.leaves = true;
    assert_int_equal(files_search(fs, &q, &out), OK);
    assert_int_equal(out.n, 1);
    assert_says_nothing(&out.hits[0]);
    assert_string_equal(out.hits[0].shown, "a/[redacted]/[redacted]");
    assert_string_equal(out.hits[0].name, d.name); /* for who asks */
    assert_string_equal(out.hits[0].heading, "Card [redacted] > [redacted]");
    assert_string_equal(out.hits[0].text, "A walrus of [redacted]");
    files_found_release(&out);
    q.leaves = false;
    assert_int_equal(files_search(fs, &q, &out), OK);
    assert_string_equal(out.hits[0].shown, d.name);
    assert_string_equal(out.hits[0].text, c.text);
    files_found_release(&out);
}

static bool
says_nothing(void *arg, int64_t chunk, const char *name, const char *text,
             size_t n)
{
    size_t *seen = arg;

    (void)chunk;
    (void)name; /* for who asks, and the audit log */
    for (size_t k = 0; k < COUNT_OF(secrets); k++)
        assert_null(memmem(text, n, secrets[k], strlen(secrets[k])));
    ++*seen;
    return true;
}

static void
no_border_of_chunks_lets_a_secret_through(void **state)
{
    static const char text[] =
        "A walrus asks Project Falcon to pay by 4111 1111 1111 1111 or from "
        "DE89 3704 0044 0532 0130 00, by ann@example.org, of ACC-1234567.";
    struct files_query q = query_of(ANN, "walrus walks");
    size_t n = strlen(text);

    (void)state;
    q.leaves = true;
    q.per_document = 0;
    for (size_t cut = 1; cut < n; cut++) {
        struct document d = document_of(notes.id, "a.txt");
        struct files_found out;
        struct files_put *put;
        size_t seen = 0;

        d.label = LABEL_REDACT;
        assert_int_equal(files_put_begin(fs, &d, &put), OK);
        for (int i = 0; i < 2; i++) {
            char part[200];
            struct chunk c = {.seq = (uint32_t)i,
                              .start = i == 0 ? 0 : (int64_t)cut,
                              .len = i == 0 ? cut : n - cut,
                              .heading = "",
                              .text = part};

            (void)snprintf(part, sizeof(part), "%.*s", (int)c.len,
                           text + c.start);
            assert_int_equal(files_put_chunk(put, &c), OK);
        }
        assert_int_equal(files_put_end(put, &d, "Project Falcon\nACC-[0-9]*"),
                         OK);
        assert_int_equal(files_search(fs, &q, &out), OK);
        for (size_t i = 0; i < out.n; i++)
            assert_says_nothing(&out.hits[i]);
        files_found_release(&out);
        assert_int_equal(
            files_pending(fs, "m/1", true, 16, says_nothing, &seen), OK);
        assert_int_equal(seen, 2);
    }
}

/* --- order and number ----------------------------------------------------- */

static void
a_document_gives_no_more_than_its_share(void **state)
{
    const char *texts[601];
    struct document d = document_of(notes.id, "book.txt");
    struct files_query q = query_of(ANN, "walrus");
    struct files_found out;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts) - 1; i++)
        texts[i] = "walrus walrus and a walrus";
    texts[COUNT_OF(texts) - 1] = NULL;
    assert_int_equal(put_texts(&d, "", texts), OK);
    (void)put_note("a.txt", "a long text in which there is also a walrus");
    q.per_document = 2;
    assert_string_equal(found_by(&q), "book.txt book.txt a.txt");
    q.per_document = 0;
    q.top_k = 50;
    assert_int_equal(files_search(fs, &q, &out), OK);
    assert_int_equal(out.n, 50);
    for (size_t i = 1; i < out.n; i++) /* ties are in the order of the text */
        assert_true(out.hits[i].document != out.hits[i - 1].document ||
                    out.hits[i].chunk > out.hits[i - 1].chunk);
    files_found_release(&out);
    assert_sound();
}

static void
newer_files_are_preferred_as_far_as_is_wanted(void **state)
{
    static const char text[] = "a walrus rests on a rock by the sea";
    const char *const texts[] = {text, NULL};
    struct document d = document_of(notes.id, "a-old.txt");
    struct files_query q = query_of(ANN, "walrus");

    (void)state;
    d.mtime_ns = 0;
    assert_int_equal(put_texts(&d, "", texts), OK);
    (void)put_note("b-new.txt", text);
    q.recency = 0.5;
    assert_string_equal(found_by(&q), "b-new.txt a-old.txt");
    q.recency = 0;
    q.threshold = 0.999;
    assert_string_equal(found_by(&q), "");
    q.threshold = 0.1;
    assert_int_equal(strlen(found_by(&q)), strlen("a-old.txt b-new.txt"));
}

static void
a_snippet_shows_the_place_in_one_line(void **state)
{
    struct buf text;
    struct files_query q = query_of(ANN, "walrus ocelot");
    struct files_found out;
    const char *s;

    (void)state;
    buf_init(&text, 4000);
    for (int i = 0; i < 60; i++)
        buf_adds(&text, "\xc3\xbc"
                        "ber die\nanderen  ");
    buf_adds(&text, "the walrus\nand the ocelot ");
    for (int i = 0; i < 30; i++)
        buf_adds(&text, "\xc3\xbc"
                        "ber die anderen ");
    (void)put_note("a.txt", buf_cstr(&text));
    assert_int_equal(files_search(fs, &q, &out), OK);
    assert_int_equal(out.n, 1);
    s = out.hits[0].snippet;
    assert_non_null(strstr(s, "the walrus and the ocelot"));
    assert_true(strlen(s) > 120 && strlen(s) < 220);
    assert_null(strchr(s, '\n'));
    assert_null(strstr(s, "  "));
    assert_true(strncmp(s, "\xe2\x80\xa6", 3) == 0);
    assert_string_equal(s + strlen(s) - 3, "\xe2\x80\xa6");
    assert_int_equal(out.hits[0].len, text.len);
    files_found_release(&out);
    buf_release(&text);
}

static bool
embed(void *arg, int64_t chunk, const char *name, const char *text, size_t n)
{
    float row[700] = {0};

    (void)arg;
    (void)name;
    row[memmem(text, n, "walrus", 6) != NULL ? 0 : 699] = 2;
    return files_vectors(fs, "m/1", &chunk, row, 1, COUNT_OF(row)) == OK;
}

static void
vectors_of_another_model_find_what_words_do_not(void **state)
{
    float v[700] = {0};
    struct files_query q = query_of(ANN, "tusked swimmer");

    (void)state;
    (void)put_note("a.txt", "a walrus");
    (void)put_note("b.txt", "an ocelot");
    assert_string_equal(found_by(&q), "");
    assert_int_equal(files_pending(fs, "m/1", false, 10, embed, NULL), OK);
    v[0] = 1;
    q.vector = v;
    q.dims = COUNT_OF(v);
    q.model = "m/1";
    assert_string_equal(found_by(&q), "a.txt");
    q.dims = 699; /* not what the index has: as if there were none */
    assert_string_equal(found_by(&q), "");
    q.dims = 700;
    (void)put_note("c.txt", "tusked swimmer"); /* has none yet */
    assert_non_null(strstr(found_by(&q), "a.txt"));
    assert_non_null(strstr(found_by(&q), "c.txt"));
    assert_sound();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, index_setup, index_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(words_are_found_in_any_form),
        TEST(names_titles_and_headings_are_searched_too),
        TEST(rarer_and_more_words_come_first),
        TEST(any_word_for_images_finds_them),
        TEST(no_query_is_a_mistake),
        TEST(numbers_out_of_bounds_are_refused),
        TEST(a_follow_up_finds_what_was_spoken_of),
        TEST(nobody_finds_what_is_anothers),
        TEST(what_comes_with_the_program_is_for_who_has_nothing_else),
        TEST(what_is_deleted_is_not_found_by_another_connection),
        TEST(what_is_local_only_is_held_back_and_named),
        TEST(what_is_to_be_redacted_is_blotted_out_everywhere),
        TEST(every_text_of_a_hit_is_blotted_out),
        TEST(no_border_of_chunks_lets_a_secret_through),
        TEST(a_document_gives_no_more_than_its_share),
        TEST(newer_files_are_preferred_as_far_as_is_wanted),
        TEST(a_snippet_shows_the_place_in_one_line),
        TEST(vectors_of_another_model_find_what_words_do_not),
    };

    return cmocka_run_group_tests_name("files_search", tests, NULL, NULL);
}

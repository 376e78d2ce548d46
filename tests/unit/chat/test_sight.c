/*
 * Tests of chat/sight.c and prompt_images.c: which images that a message names
 * are read, and which of them a route is shown.
 */
#include "chat_test.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "base/text.h"
#include "chat/retrieve.h"
#include "chat/sight.h"
#include "chat/tokens.h"
#include "files/chunk.h"
#include "provider/models.h"

#define AWAY "gpt-4o-cloud" /* a model that says so is on another machine */
#define GIF "GIF89a"
#define MIB (1024 * 1024)
#define FILES 8

static const char table[] =
    "[{\"provider\": \"openai\", \"id\": \"blind\","
    " \"abilities\": {\"images\": false}},"
    " {\"provider\": \"openai\", \"id\": \"narrow\", \"context\": 3000,"
    " \"output\": 500, \"abilities\": {\"images\": true}}]";

/* Documents, and what opens as their files: sparse ones of a size. */
static struct files *fs;
static struct collection notes;
static struct {
    int64_t id;
    const char *bytes; /* that it begins with; NULL: it cannot be opened */
    off_t size;
} file[FILES];
static size_t n_files, n_opened;
static struct token_scales *scales;

static enum err
open_file(void *arg, int64_t document, int *fd)
{
    assert_ptr_equal(arg, &n_files);
    n_opened++;
    for (size_t i = 0; i < n_files; i++) {
        if (file[i].id != document || file[i].bytes == NULL)
            continue;
        *fd = memfd_create("sight", 0);
        assert_true(*fd >= 0);
        assert_int_equal(ftruncate(*fd, file[i].size), 0);
        assert_true(pwrite(*fd, file[i].bytes, strlen(file[i].bytes), 0) > 0);
        return OK;
    }
    return ERR_NOTFOUND;
}

static int
setup(void **state)
{
    char dir[300];

    rig_folder();
    taps_start();
    (void)snprintf(dir, sizeof(dir), "%s/files", rig_dir);
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(files_open(dir, &fs), OK);
    assert_int_equal(files_collection(fs, FILES_SHARED, "notes", "", &notes),
                     OK);
    rig_start();
    retrieve_use(rig, fs);
    sight_use(rig, open_file, &n_files);
    sight_ceiling(SIGHT_HELD_MAX);
    assert_int_equal(models_parse(table, sizeof(table) - 1, NULL, NULL), 0);
    scales = token_scales_new();
    n_files = n_opened = 0;
    (void)state;
    return 0;
}

static int
teardown(void **state)
{
    int rc = rig_teardown(state);

    token_scales_free(scales);
    files_close(fs);
    fs = NULL;
    return rc;
}

static void
put(const char *name, enum label label, bool image, const char *bytes,
    off_t size)
{
    struct document d = {.collection = notes.id,
                         .size = 1,
                         .mtime_ns = 1,
                         .label = label,
                         .image = image};
    struct chunk c = {.heading = "", .text = "A red sun", .len = 9};
    struct files_put *p;

    (void)snprintf(d.name, sizeof(d.name), "%s", name);
    assert_int_equal(files_put_begin(fs, &d, &p), OK);
    assert_int_equal(files_put_chunk(p, &c), OK);
    assert_int_equal(files_put_end(p, &d, NULL), OK);
    assert_true(n_files < FILES);
    file[n_files].id = d.id;
    file[n_files].bytes = bytes;
    file[n_files++].size = size;
}

/* As api/ask.c does: names separated by blanks. */
static struct turn_ask *
asked(const char *model, const char *names)
{
    struct turn_ask *a = ask_new(&tap_provider, "s", "what is this?");

    a->route = (struct route_choice){
        .provider = &provider_openai,
        .account = {.base_url = "http://127.0.0.1:1/v1", .key = ""},
        .model = model};
    while (*names != '\0') {
        size_t n = strcspn(names, " ");

        a->named[a->n_named++] = arena_memdup0(&a->arena, names, n);
        names += n + (names[n] != '\0');
    }
    retrieve(rig, a);
    return a;
}

static struct prompt_report
built(struct turn_ask *a, const char *model)
{
    struct prompt_report r;
    struct problem why;

    a->route.model = model;
    assert_int_equal(prompt_build(a, &a->route, "", scales, false, &r, &why),
                     OK);
    return r;
}

/* Images behind the new message. */
static size_t
n_images(const struct turn_ask *a)
{
    const struct ask_message *m = &a->ask.messages[a->ask.n_messages - 1];
    size_t n = 0;

    for (size_t i = 0; m->pieces != NULL && i < m->n_pieces; i++)
        n += m->pieces[i].kind == PIECE_IMAGE;
    return n;
}

/* --- reading -------------------------------------------------------------- */

/* Base64 is made in steps: none of its seams may show. */
static void
an_image_of_any_length_is_its_base64(void **state)
{
    static const size_t sizes[] = {6,     7,     49151, 49152,
                                   49153, 98304, 98305, 100000};
    char *bytes = xmalloc(100000);
    const char *type;

    (void)state;
    for (size_t i = 0; i < 100000; i++)
        bytes[i] = (char)(i * 31 + i / 251);
    (void)memcpy(bytes, GIF, 6);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct buf want, got;
        int fd = memfd_create("sight", 0);

        assert_int_equal(write(fd, bytes, sizes[i]), sizes[i]);
        buf_init(&want, 200000);
        buf_init(&got, 200000);
        text_base64(&want, bytes, sizes[i]);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        assert_int_equal(sight_read(fd, sizes[i], &got, &type), OK);
        assert_string_equal(type, "image/gif");
        assert_int_equal(got.len, want.len);
        assert_memory_equal(got.data, want.data, got.len);
        /* One byte less may be read. */
        buf_clear(&got);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        assert_int_equal(sight_read(fd, sizes[i] - 1, &got, &type), ERR_TOOBIG);
        assert_int_equal(got.len, 0);
        buf_release(&want);
        buf_release(&got);
        (void)close(fd);
    }
    free(bytes);
}

static void
what_is_no_image_is_not_read(void **state)
{
    static const char *const other[] = {"", "%PDF-1.4 and on", "GIF",
                                        "just words"};
    const char *type;
    struct buf got;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(other); i++) {
        int fd = memfd_create("sight", 0);

        assert_int_equal(write(fd, other[i], strlen(other[i])),
                         strlen(other[i]));
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        buf_init(&got, 1000);
        assert_int_equal(sight_read(fd, 1000, &got, &type), ERR_TYPE);
        assert_int_equal(got.len, 0);
        buf_release(&got);
        (void)close(fd);
    }
}

static void
images_among_the_names_are_read_once(void **state)
{
    struct turn_ask *a;
    struct prompt_report r;

    (void)state;
    put("a.gif", LABEL_CLOUD_OK, true, GIF, 6);
    put("b.txt", LABEL_CLOUD_OK, false, GIF, 6);
    put("c.gif", LABEL_CLOUD_OK, true, NULL, 0);
    put("d.gif", LABEL_CLOUD_OK, true, "no more", 7);
    a = asked("gpt-4o", "a.gif b.txt a.gif c.gif d.gif");
    assert_int_equal(n_opened, 3);
    assert_int_equal(a->retrieved->sights->n, 3);
    r = built(a, "gpt-4o");
    assert_int_equal(r.n_sights, 3);
    assert_int_equal(r.sight[0], SIGHT_SHOWN);
    assert_int_equal(r.sight[1], SIGHT_GONE);
    assert_int_equal(r.sight[2], SIGHT_GONE);
    assert_int_equal(n_images(a), 1);
    assert_non_null(prompt_shown(a, &r, 0));
    assert_null(prompt_shown(a, &r, 1));
    assert_null(prompt_shown(a, &r, 3));
    assert_int_equal(prompt_sight_tokens(a), PROMPT_IMAGE_TOKENS);
    turn_ask_free(a);
}

static void
a_file_and_a_message_have_their_limits(void **state)
{
    struct turn_ask *a;
    struct prompt_report r;

    (void)state;
    put("most.gif", LABEL_CLOUD_OK, true, GIF, SIGHT_FILE_MAX);
    put("over.gif", LABEL_CLOUD_OK, true, GIF, SIGHT_FILE_MAX + 1);
    put("less.gif", LABEL_CLOUD_OK, true, GIF,
        SIGHT_ASK_MAX - SIGHT_FILE_MAX - 6);
    put("six.gif", LABEL_CLOUD_OK, true, GIF, 6);
    put("last.gif", LABEL_CLOUD_OK, true, GIF, 6);
    a = asked("gpt-4o", "most.gif over.gif less.gif six.gif last.gif");
    r = built(a, "gpt-4o");
    assert_int_equal(r.sight[0], SIGHT_SHOWN);
    assert_int_equal(r.sight[1], SIGHT_LARGE);
    assert_int_equal(r.sight[2], SIGHT_SHOWN);
    assert_int_equal(r.sight[3], SIGHT_SHOWN); /* all of it, to the byte */
    assert_int_equal(r.sight[4], SIGHT_LARGE);
    turn_ask_free(a);
}

/* What one gives back another may have. */
static void
all_turns_together_have_a_ceiling(void **state)
{
    struct turn_ask *first, *second;

    (void)state;
    put("a.gif", LABEL_CLOUD_OK, true, GIF, 6);
    put("b.gif", LABEL_CLOUD_OK, true, GIF, 3 * MIB);
    sight_ceiling(4 * MIB + 4);
    first = asked("gpt-4o", "b.gif");
    assert_int_equal(built(first, "gpt-4o").sight[0], SIGHT_SHOWN);
    second = asked("gpt-4o", "a.gif");
    assert_int_equal(built(second, "gpt-4o").sight[0], SIGHT_BUSY);
    assert_int_equal(n_images(second), 0);
    turn_ask_free(second);
    turn_ask_free(first);
    second = asked("gpt-4o", "a.gif");
    assert_int_equal(built(second, "gpt-4o").sight[0], SIGHT_SHOWN);
    turn_ask_free(second);
    first = asked("gpt-4o", "b.gif");
    assert_int_equal(built(first, "gpt-4o").sight[0], SIGHT_SHOWN);
    turn_ask_free(first);
    sight_ceiling(4 * MIB + 3);
    first = asked("gpt-4o", "b.gif");
    assert_int_equal(built(first, "gpt-4o").sight[0], SIGHT_BUSY);
    turn_ask_free(first);
}

/* --- showing -------------------------------------------------------------- */

static void
each_route_is_shown_what_it_may_be(void **state)
{
    struct turn_ask *a;
    struct prompt_report r;

    (void)state;
    put("open.gif", LABEL_CLOUD_OK, true, GIF, 6);
    put("local.gif", LABEL_LOCAL_ONLY, true, GIF, 6);
    put("half.gif", LABEL_REDACT, true, GIF, 6);
    a = asked("gpt-4o", "open.gif local.gif half.gif");
    r = built(a, "gpt-4o");
    assert_true(r.stays);
    assert_int_equal(n_images(a), 3);
    /* A fallback elsewhere, then one that sees none, then back. */
    r = built(a, AWAY);
    assert_int_equal(n_images(a), 1);
    assert_int_equal(r.sight[0], SIGHT_SHOWN);
    assert_int_equal(r.sight[1], SIGHT_HELD);
    assert_int_equal(r.sight[2], SIGHT_HELD);
    r = built(a, "blind");
    assert_int_equal(n_images(a), 0);
    assert_int_equal(r.sight[1], SIGHT_BLIND);
    a->words_only = true;
    r = built(a, "gpt-4o");
    assert_int_equal(n_images(a), 0);
    assert_int_equal(r.sight[0], SIGHT_REFUSED);
    a->words_only = false;
    (void)built(a, "gpt-4o");
    assert_int_equal(n_images(a), 3);
    a->route.provider = &local_provider;
    r = built(a, "local");
    assert_int_equal(n_images(a), 0);
    assert_int_equal(r.sight[0], SIGHT_BLIND);
    turn_ask_free(a);
}

/* A window of 3000, less 500 for the answer, has room for two. */
static void
the_window_says_how_many(void **state)
{
    struct turn_ask *a;
    struct prompt_report r;

    (void)state;
    put("a.gif", LABEL_CLOUD_OK, true, GIF, 6);
    put("b.gif", LABEL_CLOUD_OK, true, GIF, 6);
    put("c.gif", LABEL_CLOUD_OK, true, GIF, 6);
    a = asked("narrow", "a.gif b.gif c.gif");
    r = built(a, "narrow");
    assert_int_equal(r.sight[0], SIGHT_SHOWN);
    assert_int_equal(r.sight[1], SIGHT_SHOWN);
    assert_int_equal(r.sight[2], SIGHT_ROOM);
    assert_true(r.estimate <= r.room);
    turn_ask_free(a);
}

static void
what_came_with_the_message_goes_first(void **state)
{
    static const struct piece own[] = {
        {.kind = PIECE_TEXT, .text = "what is this?", .len = 13},
        {.kind = PIECE_IMAGE,
         .text = "R0lG",
         .len = 4,
         .media_type = "image/gif"}};
    const struct ask_message *m;
    struct turn_ask *a;

    (void)state;
    put("a.gif", LABEL_CLOUD_OK, true, GIF, 6);
    put("b\n\x7F.gif", LABEL_CLOUD_OK, true, GIF, 6);
    a = asked("gpt-4o", "a.gif b\n\x7F.gif");
    a->pieces = own;
    a->n_pieces = 2;
    (void)built(a, "gpt-4o");
    m = &a->ask.messages[a->ask.n_messages - 1];
    assert_int_equal(m->n_pieces, 7); /* what is known of them is the first */
    assert_string_equal(m->pieces[1].text, own[0].text);
    assert_ptr_equal(m->pieces[2].text, own[1].text);
    assert_string_equal(m->pieces[3].text, "Image a.gif:");
    assert_string_equal(m->pieces[4].media_type, "image/gif");
    assert_int_equal(m->pieces[4].len, 8);
    assert_memory_equal(m->pieces[4].text, "R0lGODlh", 8);
    assert_string_equal(m->pieces[5].text, "Image b  .gif:");
    turn_ask_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_of_any_length_is_its_base64),
        cmocka_unit_test(what_is_no_image_is_not_read),
        cmocka_unit_test_setup_teardown(images_among_the_names_are_read_once,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_and_a_message_have_their_limits,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(all_turns_together_have_a_ceiling,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(each_route_is_shown_what_it_may_be,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(the_window_says_how_many, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_came_with_the_message_goes_first,
                                        setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

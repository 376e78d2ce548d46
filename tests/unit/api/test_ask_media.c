/*
 * Tests of api/ask_media.c: images that come with a message, their limits,
 * and the notes of what this server does not do.
 */
#include "../http/http_test.h"

#include "api/ask_media.h"
#include "base/buf.h"

#define TEXT "Look at this"

/* The first bytes of each kind in base64, filled up to 16 characters. */
#define PNG "iVBORw0KGgoAAAAN"
#define JPEG "/9j/4AAQSkZJRgAB"
#define GIF "R0lGODlhAQABAAAA"
#define WEBP "UklGRiQAAABXRUJQ"

static struct turn_ask *ask;
static struct problem why;

static int
setup(void **state)
{
    (void)state;
    ask = NULL;
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    turn_ask_free(ask);
    ask = NULL;
    return 0;
}

/* Read the members of a JSON object into a new ask; the JSON is gone when it
 * returns. */
static enum err
take(const char *json)
{
    cJSON *o = cJSON_Parse(json);
    enum err e;

    assert_non_null(o);
    turn_ask_free(ask);
    ask = turn_ask_new();
    ask->text = arena_strdup(&ask->arena, TEXT);
    ask->text_len = strlen(TEXT);
    why = (struct problem){.err = OK};
    e = ask_media(ask, o, &why);
    cJSON_Delete(o);
    assert_int_equal(why.err, e);
    return e;
}

/* The same with attachments alone. */
static enum err
attach(const char *list)
{
    struct buf b;
    enum err e;

    buf_init(&b, 64 * 1024 * 1024);
    buf_addf(&b, "{\"attachments\":%s}", list);
    e = take(buf_cstr(&b));
    buf_release(&b);
    return e;
}

/* One image of this type and data. */
static enum err
image(const char *media_type, const char *data)
{
    struct buf b;
    enum err e;

    buf_init(&b, 64 * 1024 * 1024);
    buf_addf(&b, "[{\"media_type\":\"%s\",\"data\":\"", media_type);
    buf_adds(&b, data);
    buf_adds(&b, "\"}]");
    e = attach(buf_cstr(&b));
    buf_release(&b);
    return e;
}

static void
refused(enum err got)
{
    assert_int_equal(got, ERR_BADREQ);
    assert_string_equal(why.code, "invalid_parameter");
    assert_string_equal(why.error, "Invalid parameter: attachments");
    assert_memory_equal(why.message, "attachments must be ", 20);
    assert_null(ask->pieces);
}

/* n images of one kind, as a list. */
static char *
images(size_t n)
{
    struct buf b;
    char *list;

    buf_init(&b, 4096);
    buf_addc(&b, '[');
    for (size_t i = 0; i < n; i++)
        buf_addf(&b, "%s{\"media_type\":\"image/png\",\"data\":\"" PNG "\"}",
                 i > 0 ? "," : "");
    buf_addc(&b, ']');
    list = xstrdup(buf_cstr(&b));
    buf_release(&b);
    return list;
}

/* --- images --------------------------------------------------------------- */

static void
nothing_attached_is_a_text_alone(void **state)
{
    static const char *const all[] = {
        "{}",
        "{\"attachments\":null}",
        "{\"attachments\":[]}",
        "{\"attachments\":[],\"files\":false,\"tools\":false}",
        "{\"files\":null,\"tools\":null,\"image_name\":null}",
        "{\"tools\":[],\"image_name\":\"\"}",
        "{\"files\":\"yes\",\"tools\":1}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        assert_int_equal(take(all[i]), OK);
        assert_null(ask->pieces);
        assert_int_equal(ask->n_pieces, 0);
        assert_string_equal(ask->notes, "");
    }
}

static void
each_kind_of_image_is_taken_behind_the_text(void **state)
{
    static const struct {
        const char *type, *data;
    } kinds[] = {
        {"image/png", PNG},
        {"image/jpeg", JPEG},
        {"image/gif", GIF},
        {"image/webp", WEBP},
        {"image/png", PNG "SUhEUg=="},
        {"image/png", PNG "SUhEUgA="},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        assert_int_equal(image(kinds[i].type, kinds[i].data), OK);
        assert_int_equal(ask->n_pieces, 2);
        assert_int_equal(ask->pieces[0].kind, PIECE_TEXT);
        assert_int_equal(ask->pieces[0].len, strlen(TEXT));
        assert_string_equal(ask->pieces[0].text, TEXT);
        assert_int_equal(ask->pieces[1].kind, PIECE_IMAGE);
        assert_string_equal(ask->pieces[1].media_type, kinds[i].type);
        assert_int_equal(ask->pieces[1].len, strlen(kinds[i].data));
        assert_string_equal(ask->pieces[1].text, kinds[i].data);
        assert_string_equal(ask->notes, "");
    }
}

static void
images_keep_their_order(void **state)
{
    (void)state;
    assert_int_equal(
        attach("[{\"media_type\":\"image/gif\",\"data\":\"" GIF "\"},"
               "{\"media_type\":\"image/jpeg\",\"data\":\"" JPEG "\"}]"),
        OK);
    assert_int_equal(ask->n_pieces, 3);
    assert_string_equal(ask->pieces[1].text, GIF);
    assert_string_equal(ask->pieces[2].text, JPEG);
}

static void
eight_images_are_taken_and_nine_are_not(void **state)
{
    char *eight = images(ASK_IMAGES_MAX), *nine = images(ASK_IMAGES_MAX + 1);

    (void)state;
    assert_int_equal(attach(eight), OK);
    assert_int_equal(ask->n_pieces, ASK_IMAGES_MAX + 1);
    refused(attach(nine));
    assert_string_equal(why.message, "attachments must be at most 8");
    free(eight);
    free(nine);
}

static void
an_image_at_the_limit_is_taken_and_a_longer_one_is_not(void **state)
{
    char *data = xmalloc(ASK_IMAGE_MAX + 5);

    (void)state;
    assert_int_equal(ASK_IMAGE_MAX % 4, 0);
    memset(data, 'A', ASK_IMAGE_MAX + 4);
    memcpy(data, PNG, strlen(PNG));
    data[ASK_IMAGE_MAX] = '\0';
    assert_int_equal(image("image/png", data), OK);
    assert_int_equal(ask->pieces[1].len, ASK_IMAGE_MAX);
    for (size_t more = 1; more <= 4; more += 3) { /* also whole base64 */
        data[ASK_IMAGE_MAX + more - 1] = 'A';
        data[ASK_IMAGE_MAX + more] = '\0';
        assert_int_equal(image("image/png", data), ERR_TOOBIG);
        assert_string_equal(why.code, "image_too_big");
        assert_string_equal(why.message, "At most 6291456 bytes.");
        assert_null(ask->pieces);
        memset(data + ASK_IMAGE_MAX, 'A', 4);
    }
    free(data);
}

static void
an_image_must_be_what_it_says(void **state)
{
    static const struct {
        const char *type, *data;
    } wrong[] = {
        {"image/png", JPEG},
        {"image/jpeg", PNG},
        {"image/gif", WEBP},
        {"image/webp", GIF},
        {"image/png", "iVBORw0KGgkAAAAN"},  /* one byte of it is another */
        {"image/webp", "UklGRiQAAABXQVZF"}, /* RIFF, but a sound */
        {"image/bmp", "Qk0eAAAAAAAAABoA"},
        {"image/svg+xml", "PHN2ZyB4bWxucz0i"},
        {"application/pdf", "JVBERi0xLjQKJeLj"},
        {"IMAGE/PNG", PNG},
        {"image/png;x=1", PNG},
        {"png", PNG},
        {"", PNG},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        refused(image(wrong[i].type, wrong[i].data));
}

static void
broken_base64_is_refused(void **state)
{
    static const char *const broken[] = {
        "",
        "iVBORw0KGgo=",                /* shorter than what is looked at */
        PNG "A",                       /* not in fours */
        PNG "AA",                      /**/
        PNG "AAA",                     /**/
        PNG "A===",                    /* too much at its end */
        PNG "====",                    /**/
        "iVBORw==KGgoAAAAN",           /* an end inside */
        PNG "AA=A",                    /**/
        PNG "AAA\\n",                  /* a line's end */
        PNG "AA A",                    /* a space */
        PNG "AA-_",                    /* the digits for URLs */
        PNG "AA\\u00e9A",              /* not ASCII */
        ("data:image/png;base64," PNG) /* an URL */
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(broken); i++)
        refused(image("image/png", broken[i]));
}

static void
attachments_of_other_shapes_are_refused(void **state)
{
    static const char *const odd[] = {
        "{}",
        "\"x\"",
        "1",
        "true",
        "[1]",
        "[null]",
        "[[]]",
        "[\"cat.png\"]",
        "[{}]",
        "[{\"media_type\":\"image/png\"}]",
        "[{\"data\":\"iVBORw0KGgoAAAAN\"}]",
        "[{\"media_type\":1,\"data\":\"iVBORw0KGgoAAAAN\"}]",
        "[{\"media_type\":\"image/png\",\"data\":null}]",
        "[{\"name\":7}]",
        "[{\"media_type\":\"image/png\",\"data\":\"iVBORw0KGgoAAAAN\"},{}]",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(odd); i++)
        refused(attach(odd[i]));
    refused(attach("7"));
    assert_string_equal(why.message, "attachments must be an array");
}

/* --- notes ---------------------------------------------------------------- */

#define NO_TOOLS \
    "{\"code\":\"tools_ignored\",\"message\":\"This server has no tools.\"}"

static void
what_is_not_done_is_noted(void **state)
{
    static const struct {
        const char *json, *notes;
    } all[] = {
        {"{\"tools\":true}", NO_TOOLS},
        {"{\"tools\":[\"weather\"]}", NO_TOOLS},
        {"{\"image_name\":\"c\",\"files\":true,\"tools\":true}", NO_TOOLS},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        assert_int_equal(take(all[i].json), OK);
        assert_string_equal(ask->notes, all[i].notes);
        assert_null(ask->pieces);
    }
}

static void
assert_named(const char *json, const char *names)
{
    char all[256] = "";

    assert_int_equal(take(json), OK);
    for (size_t i = 0; i < ask->n_named; i++)
        (void)snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s;",
                       ask->named[i]);
    assert_string_equal(all, names);
    assert_string_equal(ask->notes, "");
}

static void
files_are_named(void **state)
{
    (void)state;
    assert_named("{\"attachments\":[{\"name\":\"cat.png\"}]}", "cat.png;");
    assert_named("{\"attachments\":[{\"name\":\"a\"},{\"name\":\"b\"}]}",
                 "a;b;");
    assert_named("{\"image_name\":\"cat.png\"}", "cat.png;");
    assert_named("{\"image_name\":\"\",\"files\":true}", "");
    assert_named("{\"files\":[\"a.txt\",\"b/c.md\"]}", "a.txt;b/c.md;");
    assert_named("{\"files\":[]}", "");
    assert_named(
        "{\"files\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\"]}",
        "1;2;3;4;5;6;7;8;");
    refused(take("{\"files\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\","
                 "\"9\"]}"));
    assert_int_equal(take("{\"files\":[1]}"), ERR_BADREQ);
    assert_string_equal(why.error, "Invalid parameter: files");
}

static void
a_name_beside_an_image_is_taken_too(void **state)
{
    (void)state;
    assert_int_equal(attach("[{\"name\":\"a.pdf\"},"
                            "{\"media_type\":\"image/png\",\"data\":\"" PNG
                            "\","
                            "\"name\":\"named.png\"}]"),
                     OK);
    assert_int_equal(ask->n_pieces, 2);
    assert_string_equal(ask->pieces[1].text, PNG);
    assert_int_equal(ask->n_named, 1);
    assert_string_equal(ask->named[0], "a.pdf");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(nothing_attached_is_a_text_alone),
        T(each_kind_of_image_is_taken_behind_the_text),
        T(images_keep_their_order),
        T(eight_images_are_taken_and_nine_are_not),
        T(an_image_at_the_limit_is_taken_and_a_longer_one_is_not),
        T(an_image_must_be_what_it_says),
        T(broken_base64_is_refused),
        T(attachments_of_other_shapes_are_refused),
        T(what_is_not_done_is_noted),
        T(files_are_named),
        T(a_name_beside_an_image_is_taken_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

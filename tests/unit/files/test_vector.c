/* Built-in vectors: what is near what, and that they are the same anywhere. */
#include "files_test.h"

#include <math.h>

#include "base/digest.h"
#include "base/mem.h"
#include "files/stems.h"
#include "files/vector.h"

#define PINNED 0x588b54e9u /* first bytes of the SHA-256 of some vectors */

static double
like(const char *a, const char *b)
{
    float x[VECTOR_DIMS], y[VECTOR_DIMS];

    vector_of(a, strlen(a), x);
    vector_of(b, strlen(b), y);
    return (double)vector_cosine(x, y, VECTOR_DIMS);
}

static void
assert_length_one(const float *v)
{
    assert_true(fabs((double)vector_cosine(v, v, VECTOR_DIMS) - 1) < 1e-5);
}

static void
a_text_is_like_itself(void **state)
{
    float v[VECTOR_DIMS];

    (void)state;
    vector_of("The lighthouse stands on the cliff.", 35, v);
    assert_length_one(v);
    assert_true(like("Lighthouse CLIFF", "lighthouse cliff") > 0.999);
}

static void
a_text_without_words_is_zero(void **state)
{
    static const char *const texts[] = {"", "   \n", "--- ... !!", "\xFF\xFE",
                                        "\xE2\x80\x99"};
    float v[VECTOR_DIMS];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        vector_of(texts[i], strlen(texts[i]), v);
        for (size_t k = 0; k < VECTOR_DIMS; k++)
            assert_true(fpclassify(v[k]) == FP_ZERO);
    }
    vector_normalise(v, VECTOR_DIMS);
    assert_true(fpclassify(v[0]) == FP_ZERO);
}

static void
other_words_are_far(void **state)
{
    (void)state;
    assert_true(like("sourdough bread in a hot oven",
                     "certificates expire after ninety days") < 0.2);
    assert_true(like("garden tomatoes", "garden bees") >
                like("garden tomatoes", "router password"));
}

static void
inflected_misspelt_and_compound_words_are_near(void **state)
{
    (void)state;
    assert_true(like("vaccination", "vaccinations") > 0.6);
    assert_true(like("migraine", "migrane") > 0.3);
    assert_true(like("Kündigungsfrist", "kündigung") > 0.3);
    assert_true(like("connecting streams", "stream connects") > 0.4);
}

static void
stop_words_hardly_count(void **state)
{
    (void)state;
    assert_true(like("the deposit of the flat", "deposit flat") > 0.85);
    assert_true(like("die Kaution für die Wohnung", "Kaution Wohnung") > 0.8);
    assert_true(like("what is it about", "sunset at the beach") < 0.2);
}

static void
names_of_programs_are_found_by_their_parts(void **state)
{
    (void)state;
    assert_true(like("bucket_refill", "refill the bucket") > 0.3);
    assert_true(like("readFileSync", "file read") > 0.2);
    assert_true(like("MAX_LEN", "max_len") > 0.999);
}

static void
order_of_words_counts_a_little(void **state)
{
    double same = like("dog bites man", "dog bites man");
    double turned = like("dog bites man", "man bites dog");

    (void)state;
    assert_true(turned < same && turned > 0.7);
}

static void
scripts_without_spaces_are_known_by_pairs(void **state)
{
    (void)state;
    assert_true(like("東京の天気", "東京は晴れ") >
                like("東京の天気", "京東商城"));
    assert_true(like("Москва погода", "погода в Москве") > 0.5);
}

static void
what_it_is_about_counts_beside_the_text(void **state)
{
    float with[VECTOR_DIMS], without[VECTOR_DIMS], ask[VECTOR_DIMS];

    (void)state;
    vector_of("Fill in salt.", 13, without);
    vector_of_part("dishwasher", 10, "Fill in salt.", 13, with);
    vector_of("dishwasher salt", 15, ask);
    assert_length_one(with);
    assert_true(vector_cosine(ask, with, VECTOR_DIMS) >
                vector_cosine(ask, without, VECTOR_DIMS));
    vector_of_part("", 0, "Fill in salt.", 13, with);
    assert_true(vector_cosine(with, without, VECTOR_DIMS) > 0.999F);
}

static void
mixing_and_normalising(void **state)
{
    float a[5] = {3, 0, 0, 0, 0};
    const float b[5] = {0, 8, 0, 0, 0};

    (void)state;
    vector_mix(a, b, 5, 0.5);
    vector_normalise(a, 5);
    assert_true(fabs((double)a[0] - 0.6) < 1e-6);
    assert_true(fabs((double)a[1] - 0.8) < 1e-6);
    assert_true(fabs((double)vector_cosine(a, b, 5) - 6.4) < 1e-5);
}

/* Of many texts, also long ones and such as are no UTF-8: pinned, since an
 * index may be read on another machine than it was made on. Changes with
 * VECTOR_MODEL. */
static void
the_bytes_are_the_same_everywhere(void **state)
{
    static const char *const texts[] = {
        "The quick brown fox, 3.5 km; don't l'homme naïve MAX_LEN readFile",
        "Über die Kündigung der Wohnung und das Geld", "東京の天気 ok",
        "bad \xC3 bytes \xFF here", "a b c"};
    char *longer = xmalloc(200000);
    float v[COUNT_OF(texts) + 1][VECTOR_DIMS];
    uint8_t first[32], again[32];

    (void)state;
    for (size_t i = 0; i < 200000; i++)
        longer[i] = "etaoin shrdlu_ETAOIN 42."[(i * i + i / 7) % 24];
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < COUNT_OF(texts); i++)
            vector_of(texts[i], strlen(texts[i]), v[i]);
        vector_of(longer, 200000, v[COUNT_OF(texts)]);
        assert_length_one(v[COUNT_OF(texts)]);
        digest_sha256(round == 0 ? first : again, v, sizeof(v));
    }
    free(longer);
    assert_memory_equal(first, again, 32);
    assert_int_equal((unsigned)first[0] << 24 | (unsigned)first[1] << 16 |
                         (unsigned)first[2] << 8 | first[3],
                     PINNED);
}

/* Also where words are too long to be remembered, the language changes, and one
 * word takes the place of another. */
static void
what_is_remembered_changes_no_vector(void **state)
{
    static const char *const texts[] = {
        "The lighthouse stands on the cliff, and lighthouses shine.",
        "Die Leuchttürme stehen auf den Klippen und leuchten.",
        "a_name_that_is_far_longer_than_what_is_remembered read_file2 2024",
        "東京の天気 ok",
        "bad \xC3 bytes \xFF here",
        "",
        "The lighthouse stands on the cliff, and lighthouses shine."};
    struct stems *stems = stems_new(2);
    struct vector_memory *m = vector_memory_new(stems);
    char *many = xmalloc(60000);
    size_t n = 0;

    (void)state;
    for (unsigned i = 0; i < 8500; i++)
        n += (size_t)snprintf(many + n, 60000 - n, "%c%c%cing ", 'a' + i % 26,
                              'a' + i / 26 % 26, 'a' + i / 676 % 26);
    for (size_t i = 0; i < 3 * COUNT_OF(texts); i++) {
        const char *about = i % 3 == 0 ? "notes.txt\nLights" : "notes.txt\n";
        const char *s = i == 9 ? many : texts[i % COUNT_OF(texts)];
        float with[VECTOR_DIMS], without[VECTOR_DIMS];

        vector_of_part(about, strlen(about), s, strlen(s), without);
        vector_of_part_by(m, about, strlen(about), s, strlen(s), with);
        assert_memory_equal(with, without, sizeof(with));
    }
    free(many);
    vector_memory_free(m);
    stems_free(stems);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_like_itself),
        cmocka_unit_test(a_text_without_words_is_zero),
        cmocka_unit_test(other_words_are_far),
        cmocka_unit_test(inflected_misspelt_and_compound_words_are_near),
        cmocka_unit_test(stop_words_hardly_count),
        cmocka_unit_test(names_of_programs_are_found_by_their_parts),
        cmocka_unit_test(order_of_words_counts_a_little),
        cmocka_unit_test(scripts_without_spaces_are_known_by_pairs),
        cmocka_unit_test(what_it_is_about_counts_beside_the_text),
        cmocka_unit_test(mixing_and_normalising),
        cmocka_unit_test(the_bytes_are_the_same_everywhere),
        cmocka_unit_test(what_is_remembered_changes_no_vector),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Tests of lang/entity*.c. */
#include "lang_test.h"

#include "lang/entity.h"
#include "lang/reading.h"

/* The entities of one kind as "text", or "text*count", with "|" between. */
static void
assert_found(enum entity_kind kind, const char *input, const char *want)
{
    static struct entities found;
    struct reading r;
    char out[2000];
    size_t n = 0;

    assert_int_equal(reading_read(&r, input, strlen(input)), OK);
    entities_read(&found, &r, input, strlen(input));
    out[0] = '\0';
    for (size_t i = 0; i < found.n; i++) {
        const struct entity *e = &found.at[i];

        if (e->kind != kind)
            continue;
        n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%.*s",
                              n > 0 ? "|" : "", (int)e->len, e->text);
        if (e->count > 1)
            n += (size_t)snprintf(out + n, sizeof(out) - n, "*%zu", e->count);
    }
    reading_release(&r);
    if (strcmp(out, want) != 0)
        fail_msg("\"%s\" has %s \"%s\", not \"%s\"", input, entity_name(kind),
                 out, want);
}

static void
names_have_capitals(void **state)
{
    (void)state;
    assert_found(ENTITY_NAME, "Yesterday we met Anna Smith in New York.",
                 "Anna Smith|New York");
    assert_found(ENTITY_NAME, "The painter Vincent van Gogh lived in Arles.",
                 "Vincent van Gogh|Arles");
    assert_found(ENTITY_NAME, "It was J. R. Tolkien's ring.", "J. R. Tolkien");
    assert_found(ENTITY_NAME, "I think I'm here and so is NASA.", "NASA");
    assert_found(ENTITY_NAME, "We use GitHub. GitHub is where it is.",
                 "GitHub*2");
    assert_found(ENTITY_NAME, "the MAX_LEN and README.md of this", "");
    assert_found(ENTITY_NAME, "It was on Monday in May.", "");
    assert_found(ENTITY_NAME, "", "");
}

static void
a_sentence_owes_its_first_capital(void **state)
{
    (void)state;
    assert_found(ENTITY_NAME, "Bread is good. We like bread.", "");
    assert_found(ENTITY_NAME, "Berlin is big. We live in Berlin.", "Berlin*2");
    assert_found(ENTITY_NAME, "The Rhine is long. However, it is.", "Rhine");
    assert_found(ENTITY_NAME, "Volkswagen said that it may close.",
                 "Volkswagen");
    assert_found(ENTITY_NAME, "# Big News About Our Town Hall\n\nit is so.",
                 "");
    assert_found(ENTITY_NAME, "THIS IS A VERY LOUD TEXT.", "");
}

static void
a_surname_is_its_bearer(void **state)
{
    (void)state;
    assert_found(ENTITY_NAME, "We met Anna Smith. Then Smith left us.",
                 "Anna Smith*2");
    assert_found(ENTITY_NAME,
                 "We met Anna Smith and Bob Smith. It was Smith again.",
                 "Anna Smith|Bob Smith|Smith");
}

static void
organisations_are_known_by_a_word(void **state)
{
    (void)state;
    assert_found(ENTITY_ORGANISATION,
                 "He went from Acme Inc. to the University of Oxford, then "
                 "to Deutsche Bank and Foo Bar GmbH.",
                 "Acme Inc|University of Oxford|Deutsche Bank|Foo Bar GmbH");
}

static void
german_nouns_are_no_names(void **state)
{
    (void)state;
    assert_found(ENTITY_NAME,
                 "Die Regierung hat das Gesetz und die Kosten mit Angela "
                 "Merkel besprochen.",
                 "Angela Merkel");
}

static void
dates_and_times(void **state)
{
    (void)state;
    assert_found(ENTITY_DATE,
                 "on 2024-05-01, 01.05.2024, 1/5/2024, May 5, 2024, 5 May "
                 "2024, 5th of May and 14 de mayo de 2023",
                 "2024-05-01|01.05.2024|1/5/2024|May 5, 2024|5 May 2024|5th "
                 "of May|14 de mayo de 2023");
    assert_found(ENTITY_DATE, "Das war am 3. Mai und am 4.", "3. Mai");
    assert_found(ENTITY_DATE,
                 "in March 2024, in August, on Friday, on Monday, 3 June and "
                 "in 1999 or the 1980s",
                 "March 2024|August|Friday|Monday, 3 June|1999|1980s");
    assert_found(ENTITY_DATE, "it may march to 1.4.69 and 2024x, 12345, may",
                 "");
    assert_found(ENTITY_DATE, "2024-13-01 32/5/2024 1-2-3-4", "");
    assert_found(ENTITY_TIME,
                 "at 10:30, 2:15 pm, 5 p.m., 14 Uhr, 9am, "
                 "14:00:59 UTC",
                 "10:30|2:15 pm|5 p.m.|14 Uhr|9am|14:00:59 UTC");
    assert_found(ENTITY_TIME, "10:99 127.0.0.1:8080 localhost:80 25:00 1:2",
                 "");
}

static void
money_percentages_and_quantities(void **state)
{
    (void)state;
    assert_found(ENTITY_MONEY,
                 "$5, € 3.50, £2 million, 20 euros, 12 Mrd. Euro, 5 USD, 9€",
                 "$5|€ 3.50|£2 million|20 euros|12 Mrd. Euro|5 USD|9€");
    assert_found(ENTITY_PERCENT, "5%, 3.5 %, 20 percent, 7 per cent, 8 Prozent",
                 "5%|3.5 %|20 percent|7 per cent|8 Prozent");
    assert_found(ENTITY_QUANTITY,
                 "5 km, 3.5GB, 100 MB/s, 20°C, 90 km/h, 3 hours, a 5-minute",
                 "5 km|3.5GB|100 MB/s|20°C|90 km/h|3 hours|5-minute");
    assert_found(ENTITY_QUANTITY, "5 cats, x86, 3.2.1 km2, 5 in the", "");
}

static void
addresses(void **state)
{
    (void)state;
    assert_found(ENTITY_URL,
                 "See https://a.example/b_c?d=(e)#f. Or <http://x.example/>, "
                 "[text](https://l.example/y) and (http://z.example).",
                 "https://a.example/b_c?d=(e)#f|http://x.example/|"
                 "https://l.example/y|http://z.example");
    assert_found(ENTITY_URL, "http:// https://x h", "");
    assert_found(ENTITY_URL, "a\n\n```\nhttp://in.code/x\n```\n\nb", "");
    assert_found(ENTITY_EMAIL,
                 "Write to anna.b+c@mail.example.org, bob@x.example.",
                 "anna.b+c@mail.example.org|bob@x.example");
    assert_found(ENTITY_EMAIL, "@ @a a@ a@b a@.b x@y. ..@a.b", "");
}

static void
limits_hold(void **state)
{
    static struct entities found;

    (void)state;
    for (size_t more = 0; more < 2; more++) {
        char s[600] = "See ";
        size_t n = 4;
        struct reading r;

        for (size_t i = 0; i < ENTITIES_KIND_MAX + more; i++)
            n += (size_t)snprintf(s + n, sizeof(s) - n, "%zu km, ", i + 1);
        assert_int_equal(reading_read(&r, s, n), OK);
        entities_read(&found, &r, s, n);
        assert_int_equal(found.n, ENTITIES_KIND_MAX);
        reading_release(&r);

        /* The longest address, and one that is longer. */
        n = (size_t)snprintf(s, sizeof(s), "https://a.b/");
        memset(s + n, 'x', ENTITY_LEN_MAX - n + more);
        n = ENTITY_LEN_MAX + more;
        assert_int_equal(reading_read(&r, s, n), OK);
        entities_read(&found, &r, s, n);
        assert_int_equal(found.n, more ? 0 : 1);
        reading_release(&r);
    }
    assert_found(ENTITY_NAME, "runs Aa Bb Cc Dd Ee Ff is", "Aa Bb Cc Dd Ee Ff");
    assert_found(ENTITY_NAME, "runs Aa Bb Cc Dd Ee Ff Gg is",
                 "Aa Bb Cc Dd Ee Ff|Gg");
}

static void
no_more_than_so_many_are_counted(void **state)
{
    static struct entities found;
    char *s = xmalloc(20 * ENTITIES_FOUND_MAX + 100);

    (void)state;
    for (size_t more = 0; more < 2; more++) {
        size_t n = 0;
        struct reading r;

        for (size_t i = 0; i + 1 < ENTITIES_FOUND_MAX + more; i++)
            n += (size_t)snprintf(s + n, 20, "%zu km.\n", i + 1);
        n += (size_t)snprintf(s + n, 20, "$5.");
        assert_int_equal(reading_read(&r, s, n), OK);
        entities_read(&found, &r, s, n);
        assert_int_equal(found.n, ENTITIES_KIND_MAX + 1 - more);
        reading_release(&r);
    }
    free(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_have_capitals),
        cmocka_unit_test(a_sentence_owes_its_first_capital),
        cmocka_unit_test(a_surname_is_its_bearer),
        cmocka_unit_test(organisations_are_known_by_a_word),
        cmocka_unit_test(german_nouns_are_no_names),
        cmocka_unit_test(dates_and_times),
        cmocka_unit_test(money_percentages_and_quantities),
        cmocka_unit_test(addresses),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(no_more_than_so_many_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

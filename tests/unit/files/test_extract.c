/*
 * Tests of files/extract.c and extract_child.c: a reader in its own process.
 * The program is this test itself, or a script that behaves as no reader would.
 */
#include "pdf_test.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "files/extract_record.h"

static char folder[] = "/tmp/parley-extract-XXXXXX";
static char self[PATH_MAX];

static int
count_descriptors(void)
{
    int n = 0;

    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

/* Reads fd, which is closed, and looks that nothing is left of it. */
static void
extract(struct seen *s, enum file_kind kind, int fd)
{
    const struct kind k = {.kind = kind, .type = "x/y"};
    int before = count_descriptors();

    seen_begin(s);
    s->err = extract_read(fd, &k, seen_block, s, &s->facts, &s->why);
    seen_end(s);
    assert_int_equal(count_descriptors(), before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
    assert_int_equal(errno, ECHILD);
    (void)close(fd);
}

static void
assert_text(enum file_kind kind, int fd, const char *want, const char *type)
{
    struct seen s;

    extract(&s, kind, fd);
    assert_string_equal(buf_cstr(&s.text), want);
    assert_string_equal(s.facts.type, type);
    buf_release(&s.text);
}

static void
assert_skip(enum file_kind kind, int fd, enum skip why)
{
    struct seen s;

    extract(&s, kind, fd);
    assert_int_equal(s.err, ERR_IMPOSSIBLE);
    assert_int_equal(s.why, why);
    buf_release(&s.text);
}

static int
odt(const char *body)
{
    struct pack p;

    pack_begin(&p);
    (void)pack(&p, "content.xml", body);
    return pack_file(&p);
}

/* --- readers -------------------------------------------------------------- */

static void
every_kind_is_read(void **state)
{
    static const char html[] = "<title>T</title><h1>A</h1><p>b";
    static const struct pdf_text text = {1, 11, 50, 600, "Some text"};
    struct buf b;

    (void)state;
    assert_text(KIND_HTML, file_of(html, strlen(html)), "H1:A|T:b",
                "text/html");
    assert_text(KIND_ODT, odt("<a><body><p>c</p></body></a>"), "T:c",
                "application/vnd.oasis.opendocument.text");
    if (access("/usr/bin/pdftotext", X_OK) == 0) {
        pdf_make(&b, &text, 1, "");
        assert_text(KIND_PDF, file_of(b.data, b.len), "T@1:Some text",
                    "application/pdf");
        buf_release(&b);
        pdf_make(&b, &text, 1, PDF_ENCRYPTED);
        assert_skip(KIND_PDF, file_of(b.data, b.len), SKIP_ENCRYPTED);
        buf_release(&b);
    }
    assert_skip(KIND_DOCX, file_of("PK\3\4", 4), SKIP_BROKEN);
    assert_skip(KIND_EPUB, file_of("", 0), SKIP_BROKEN);
    assert_skip(KIND_TEXT, file_of("x", 1), SKIP_TYPE);
}

/* Its tables are files, which cannot be opened any more when it is needed. */
static void
a_rare_charset_is_read(void **state)
{
    static const char html[] =
        "<meta charset=euc-kr><p>\xB0\xA1 \xC7\xD1\xB1\xDB</p>";

    (void)state;
    assert_text(KIND_HTML, file_of(html, strlen(html)),
                "T:\xEA\xB0\x80 \xED\x95\x9C\xEA\xB8\x80", "text/html");
}

static void
a_file_that_is_something_else_is_named(void **state)
{
    static const char png[] = "\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1"
                              "\x08\6\0\0\0\x1F\x15\xC4\x89";
    struct seen s;

    (void)state;
    extract(&s, KIND_HTML, file_of(png, sizeof(png)));
    assert_int_equal(s.why, SKIP_TYPE);
    assert_string_equal(s.facts.type, "image/png");
    buf_release(&s.text);
    assert_text(KIND_HTML, file_of("no tag at all", 13), "T:no tag at all",
                "text/html");
}

static void
a_large_file_is_read_whole(void **state)
{
    struct buf b;
    struct seen s;

    (void)state;
    buf_init(&b, SEEN_MAX);
    for (unsigned i = 0; i < 40000; i++)
        buf_addf(&b, "<p>This is the paragraph of number %u of them all.", i);
    extract(&s, KIND_HTML, file_of(b.data, b.len));
    assert_int_equal(s.err, OK);
    assert_int_equal(s.blocks, 40000);
    buf_release(&s.text);
    buf_release(&b);
}

/* Text for ever, of which a part is kept until its end is known. */
static void
memory_has_a_bound(void **state)
{
    size_t n = (size_t)EXTRACT_MEMORY + (8 << 20);
    char *html;

    (void)state;
    if (sandbox_is_hindrance())
        skip(); /* it needs terabytes of addresses itself */
    html = xmalloc(n);
    (void)memset(html, 'x', n);
    (void)memcpy(html, "<a title='", 10);
    assert_skip(KIND_HTML, file_of(html, n), SKIP_TIME);
    free(html);
}

static enum err
stop_at_once(void *arg, const struct block *b)
{
    (void)arg;
    (void)b;
    return ERR_STOPPING;
}

static void
who_takes_blocks_can_end_it(void **state)
{
    const struct kind k = {.kind = KIND_HTML, .type = ""};
    struct facts f = {.type = ""};
    enum skip why;
    int fd = file_of("<p>a<p>b", 8);

    (void)state;
    assert_int_equal(extract_read(fd, &k, stop_at_once, NULL, &f, &why),
                     ERR_STOPPING);
    assert_int_equal(why, SKIP_NOT);
    (void)close(fd);
}

/* --- what the child can do ------------------------------------------------ */

/* A child that tries what it must not be able to, and tells. */
static int
try_all(void)
{
    struct buf out;
    char said[256];
    int opened, extra = 0;

    for (int fd = 3; fd < 100; fd++)
        extra += fcntl(fd, F_GETFD) >= 0;
    opened = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    (void)snprintf(said, sizeof(said), "extra=%d env=%d open=%d", extra,
                   getenv("PARLEY_SECRET") != NULL, opened >= 0);
    buf_init(&out, 4096);
    record_begin(&out);
    record_block(
        &out,
        &(struct block){.kind = BLOCK_TEXT, .text = said, .len = strlen(said)});
    record_end(&out, SKIP_NOT);
    IGNORE(write(STDOUT_FILENO, out.data, out.len) < 0);
    buf_release(&out);
    return 0;
}

static void
nothing_of_ours_reaches_the_child(void **state)
{
    int leak = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */
    struct seen s;

    (void)state;
    assert_true(leak > 2);
    (void)setenv("PARLEY_SECRET", "x", 1);
    extract(&s, KIND_IMAGE, file_of("try", 3));
    assert_string_equal(buf_cstr(&s.text), "T:extra=0 env=0 open=1");
    buf_release(&s.text);
    (void)close(leak);
}

/* --- children that do as they like ---------------------------------------- */

/* A shell script as the program. */
static void
behave(const char *script)
{
    char path[PATH_MAX];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/child", folder);
    f = fopen(path, "we");
    assert_non_null(f);
    (void)fprintf(f, "#!/bin/sh\n%s\n", script);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, 0700), 0);
    extract_program(path);
}

static void
assert_behaviour(const char *script, enum skip why)
{
    behave(script);
    assert_skip(KIND_HTML, file_of("<p>x", 4), why);
    extract_program(self);
}

static void
a_child_that_dies_has_a_reason(void **state)
{
    (void)state;
    assert_behaviour("kill -SEGV $$", SKIP_BROKEN);
    assert_behaviour("kill -SYS $$", SKIP_BROKEN);
    assert_behaviour("kill -KILL $$", SKIP_TIME);
    assert_behaviour("kill -XCPU $$", SKIP_TIME);
    assert_behaviour("kill -ABRT $$", SKIP_TIME);
    assert_behaviour("exit 3", SKIP_BROKEN);
    assert_behaviour("exit 0", SKIP_BROKEN);
    assert_behaviour("printf 'PX1\\n'; kill -SEGV $$", SKIP_BROKEN);
}

static void
a_child_that_says_nonsense_is_broken(void **state)
{
    (void)state;
    assert_behaviour("cat /dev/zero", SKIP_BROKEN);
    assert_behaviour("echo garbage", SKIP_BROKEN);
    assert_behaviour("printf 'PX1\\nB\\0\\0\\0'; cat /dev/zero", SKIP_BROKEN);
    assert_behaviour("printf 'PX1\\nE\\0E\\0'; exec sleep 100", SKIP_BROKEN);
}

static void
a_child_that_never_ends_is_ended(void **state)
{
    int64_t before_ms = clock_mono_ms();

    (void)state;
    extract_patience(1);
    assert_behaviour("exec sleep 100", SKIP_TIME);
    assert_behaviour("sleep 100 & wait", SKIP_TIME);
    /* It says that it has ended, and has not. */
    behave("printf 'PX1\\nE\\4'; sleep 100 & wait");
    assert_skip(KIND_HTML, file_of("<p>x", 4), SKIP_BROKEN);
    extract_program(self);
    extract_patience(EXTRACT_SECONDS);
    assert_in_range(clock_mono_ms() - before_ms, 2000, 8000);
}

static void
a_program_that_is_not_there_is_our_fault(void **state)
{
    const struct kind k = {.kind = KIND_HTML, .type = ""};
    struct facts f = {.type = ""};
    enum skip why;
    int fd = file_of("x", 1), before = count_descriptors();

    (void)state;
    log_set_level(LOG_ERROR + 1);
    extract_program("/no/such/program");
    assert_int_equal(extract_read(fd, &k, stop_at_once, NULL, &f, &why),
                     ERR_INTERNAL);
    extract_program(self);
    log_set_level(LOG_INFO);
    assert_int_equal(count_descriptors(), before);
    (void)close(fd);
}

static int
begin_all(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    extract_program(self);
    return 0;
}

static int
end_all(void **state)
{
    char path[PATH_MAX];

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/child", folder);
    (void)unlink(path);
    extract_program(NULL);
    return rmdir(folder);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_read),
        cmocka_unit_test(a_rare_charset_is_read),
        cmocka_unit_test(a_file_that_is_something_else_is_named),
        cmocka_unit_test(a_large_file_is_read_whole),
        cmocka_unit_test(memory_has_a_bound),
        cmocka_unit_test(who_takes_blocks_can_end_it),
        cmocka_unit_test(nothing_of_ours_reaches_the_child),
        cmocka_unit_test(a_child_that_dies_has_a_reason),
        cmocka_unit_test(a_child_that_says_nonsense_is_broken),
        cmocka_unit_test(a_child_that_never_ends_is_ended),
        cmocka_unit_test(a_program_that_is_not_there_is_our_fault),
    };
    char look[4] = "";

    if (argc == 3 && strcmp(argv[1], "--extract") == 0) {
        if (pread(STDIN_FILENO, look, 3, 0) == 3 && strcmp(look, "try") == 0)
            return try_all();
        return extract_child(argv[2]);
    }
    if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
        return 1;
    return cmocka_run_group_tests(tests, begin_all, end_all);
}

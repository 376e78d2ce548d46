/*
 * Tests of files/broker.c, serve.c and place.c: uploads that are read and
 * opened by another process. That process is this program, started once more
 * with --serve as the real one is.
 */
#include "index_test.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "files/broker_inside.h"
#include "files/place.h"

#define SELF "/proc/self/exe"
#define SOCKET 3 /* descriptor */
#define WAIT_MS 30000
#define DIR_VAR "TEST_SERVE_DIR"       /* of the index; "": end at once */
#define FOLDER_VAR "TEST_SERVE_FOLDER" /* to be kept current */

static struct broker *broker;
static struct collection uploads;

static int
setup(void **state)
{
    char path[300];

    (void)index_setup(state);
    assert_int_equal(files_collection(fs, ANN, "Uploads", "", &uploads), OK);
    (void)snprintf(path, sizeof(path), "%s/uploads", index_dir);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/uploads/%" PRId64, index_dir,
                   uploads.id);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)setenv(DIR_VAR, index_dir, 1);
    (void)unsetenv(FOLDER_VAR);
    return 0;
}

static int
teardown(void **state)
{
    char command[400];

    (void)state;
    broker_stop(broker);
    broker = NULL;
    files_close(fs);
    fs = NULL;
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", index_dir);
    return system(command);
}

static void
start(void)
{
    assert_null(broker);
    broker = broker_start(SELF);
    assert_non_null(broker);
}

/* Where the upload of a name lies. */
static const char *
path_of(const char *name)
{
    static char path[PATH_MAX + FILES_NAME_MAX + 2];
    struct place p;

    assert_int_equal(place_of(index_dir, &uploads, name, &p), OK);
    assert_null(strchr(p.path, '/'));
    assert_true(p.path[0] != '.' && p.path[0] != '\0');
    (void)snprintf(path, sizeof(path), "%s/%s", p.root, p.path);
    return path;
}

static void
write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* An upload as POST /files leaves it. */
static int64_t
upload(const char *name, const char *text)
{
    struct document d = document_of(uploads.id, name);
    const char *none[] = {NULL};

    write_file(path_of(name), text);
    d.skip = SKIP_WAITING;
    assert_int_equal(put_texts(&d, "", none), OK);
    return d.id;
}

static enum err
read_it(int64_t id, enum skip want)
{
    enum skip skip = SKIP__N;
    enum err e = broker_read(broker, id, WAIT_MS, &skip);

    if (e == OK)
        assert_int_equal(skip, want);
    return e;
}

/* The file of a document; "" if it cannot be opened, with why. */
static const char *
opened(int64_t id, enum err *why)
{
    static char text[256];
    ssize_t n = 0;
    int fd = -2;

    *why = broker_open(broker, id, &fd);
    assert_int_equal(*why == OK, fd >= 0);
    if (fd >= 0) {
        n = read(fd, text, sizeof(text) - 1);
        (void)close(fd);
    }
    assert_true(n >= 0);
    text[n] = '\0';
    return text;
}

/* --- reading -------------------------------------------------------------- */

static void
an_upload_is_read_and_found(void **state)
{
    int64_t id = upload("a.txt", "The heron stands in the water.");
    struct document d;
    enum err e;

    (void)state;
    assert_string_equal(found("heron"), "");
    start();
    assert_int_equal(read_it(id, SKIP_NOT), OK);
    assert_string_equal(found("heron"), "a.txt");
    assert_string_equal(opened(id, &e), "The heron stands in the water.");
    assert_int_equal(files_get(fs, id, &d), OK);
    assert_int_equal(d.size, 30);
    assert_int_equal(read_it(upload("b.txt", ""), SKIP_EMPTY), OK);
    assert_int_equal(read_it(id + 1000, SKIP_NOT), ERR_NOTFOUND);
    assert_sound();
}

static void
what_waited_before_is_read_at_the_start(void **state)
{
    int64_t id = upload("a.txt", "A heron."), until_ms;
    struct document d = {.skip = SKIP_WAITING};

    (void)state;
    start();
    until_ms = clock_mono_ms() + WAIT_MS;
    while (d.skip == SKIP_WAITING && clock_mono_ms() < until_ms) {
        (void)usleep(5000);
        assert_int_equal(files_get(fs, id, &d), OK);
    }
    assert_int_equal(d.skip, SKIP_NOT);
    assert_string_equal(found("heron"), "a.txt");
}

static void
no_name_leads_out_of_the_folder(void **state)
{
    static const char *const names[] = {
        ".",           "..",      "../../etc/passwd",
        "/etc/passwd", "a/b.txt", ".env",
        "%2E%2E",      "a\nb",    "\xC3\xA9.txt",
        "con:",        "a.txt",   "a%2Etxt",
        "a b",         "a+b",
    };
    int64_t id[COUNT_OF(names)];
    enum err e;

    (void)state;
    start();
    for (size_t i = 0; i < COUNT_OF(names); i++)
        id[i] = upload(names[i], names[i]);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_string_equal(opened(id[i], &e), names[i]);
        assert_int_equal(e, OK);
    }
}

static void
a_long_name_keeps_its_ending(void **state)
{
    char a[256], b[256];
    const char *path;
    struct place p;

    (void)state;
    (void)memset(a, 'x', 250);
    (void)snprintf(a + 250, sizeof(a) - 250, ".md");
    (void)memcpy(b, a, sizeof(b));
    b[200] = 'y'; /* behind what a file system would keep */
    path = strrchr(path_of(a), '/') + 1;
    assert_true(strlen(path) <= PLACE_NAME_MAX);
    assert_string_equal(strrchr(path, '.'), ".md");
    assert_int_equal(place_of(index_dir, &uploads, b, &p), OK);
    assert_string_not_equal(p.path, path);
    a[250] = '\0';
    assert_null(strchr(strrchr(path_of(a), '/'), '.'));
}

static void
a_file_of_a_folder_keeps_its_name(void **state)
{
    struct place p;

    (void)state;
    assert_int_equal(place_of(index_dir, &notes, "a/b.txt", &p), OK);
    assert_string_equal(p.root, "/notes");
    assert_string_equal(p.path, "a/b.txt");
}

/* --- what was put in its place -------------------------------------------- */

static void
a_link_is_not_followed(void **state)
{
    int64_t id = upload("a.txt", "A heron.");
    char target[300];
    enum err e;

    (void)state;
    (void)snprintf(target, sizeof(target), "%s/secret", index_dir);
    write_file(target, "A secret.");
    start();
    assert_int_equal(read_it(id, SKIP_NOT), OK);
    assert_int_equal(unlink(path_of("a.txt")), 0);
    assert_string_equal(opened(id, &e), "");
    assert_int_equal(e, ERR_NOTFOUND);
    assert_int_equal(symlink(target, path_of("a.txt")), 0);
    assert_string_equal(opened(id, &e), "");
    assert_int_equal(e, ERR_NOTFOUND);
    assert_int_equal(read_it(id, SKIP_NOT), ERR_NOTFOUND);
    assert_string_equal(found("secret"), "");
}

static void
what_is_no_file_is_not_opened(void **state)
{
    int64_t id = upload("a.txt", "A heron.");
    enum err e;

    (void)state;
    start();
    assert_int_equal(unlink(path_of("a.txt")), 0);
    assert_int_equal(mkfifo(path_of("a.txt"), 0600), 0);
    assert_string_equal(opened(id, &e), "");
    assert_int_equal(e, ERR_NOTFOUND);
    assert_int_equal(unlink(path_of("a.txt")), 0);
    assert_int_equal(mkdir(path_of("a.txt"), 0700), 0);
    assert_string_equal(opened(id, &e), "");
    assert_int_equal(e, ERR_NOTFOUND);
}

/* --- time ----------------------------------------------------------------- */

static void
who_waits_no_longer_has_it_read_all_the_same(void **state)
{
    enum skip skip = SKIP__N;
    int64_t id;

    (void)state;
    start();
    assert_int_equal(read_it(upload("a.txt", "A crane."), SKIP_NOT), OK);
    id = upload("b.txt", "A heron.");
    assert_int_equal(files_batch_begin(fs), OK); /* nobody else can write */
    assert_int_equal(broker_read(broker, id, 50, &skip), ERR_AGAIN);
    assert_int_equal(broker_read(broker, id, 0, &skip), ERR_AGAIN);
    assert_int_equal(skip, SKIP__N);
    assert_int_equal(files_batch_end(fs, true), OK);
    assert_int_equal(read_it(id, SKIP_NOT), OK);
    assert_string_equal(found("heron"), "b.txt");
}

static void
what_is_deleted_while_it_is_read_does_not_come_back(void **state)
{
    struct document d;
    enum skip skip;
    int64_t id;

    (void)state;
    start();
    assert_int_equal(read_it(upload("a.txt", "A crane."), SKIP_NOT), OK);
    id = upload("b.txt", "A heron.");
    assert_int_equal(files_batch_begin(fs), OK);
    assert_int_equal(broker_read(broker, id, 50, &skip), ERR_AGAIN);
    assert_int_equal(unlink(path_of("b.txt")), 0);
    assert_int_equal(files_delete(fs, id), OK);
    assert_int_equal(files_batch_end(fs, true), OK);
    assert_int_equal(read_it(id, SKIP_NOT), ERR_NOTFOUND); /* behind it */
    assert_int_equal(files_known(fs, uploads.id, "b.txt", &d), ERR_NOTFOUND);
    assert_string_equal(found("heron"), "");
    assert_sound();
}

/* --- the process ---------------------------------------------------------- */

static void
without_a_broker_nothing_is_opened(void **state)
{
    int64_t id = upload("a.txt", "A heron.");
    enum skip skip;
    int fd = -2;

    (void)state;
    assert_null(broker_start("/nonexistent/ingest"));
    assert_int_equal(broker_read(NULL, id, 0, &skip), ERR_STOPPING);
    assert_int_equal(broker_open(NULL, id, &fd), ERR_STOPPING);
    assert_int_equal(fd, -1);
    broker_stop(NULL);
    (void)setenv(DIR_VAR, "", 1);
    start();
    assert_int_equal(broker_read(broker, id, WAIT_MS, &skip), ERR_STOPPING);
    assert_int_equal(broker_open(broker, id, &fd), ERR_STOPPING);
    assert_int_equal(fd, -1);
}

static void
a_folder_is_kept_current(void **state)
{
    char folder[300], path[320];
    int64_t until_ms = clock_mono_ms() + WAIT_MS;
    const char *names = "";

    (void)state;
    (void)snprintf(folder, sizeof(folder), "%s/folder", index_dir);
    assert_int_equal(mkdir(folder, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/a.txt", folder);
    write_file(path, "A heron.");
    (void)setenv(FOLDER_VAR, folder, 1);
    start();
    while (*names == '\0' && clock_mono_ms() < until_ms) {
        (void)usleep(5000);
        names = found("heron");
    }
    assert_string_equal(names, "a.txt");
    assert_int_equal(unlink(path), 0);
    while (*names != '\0' && clock_mono_ms() < until_ms) {
        (void)usleep(50000);
        names = found("heron");
    }
    assert_string_equal(names, "");
}

static void
nonsense_does_not_end_it(void **state)
{
    struct serve s = {.dir = index_dir};
    struct broker_request rq = {.op = 99, .document = 1};
    int64_t id = upload("a.txt", "A heron.");
    int pair[2], mine[2], fd;
    struct broker_reply reply;
    pid_t pid;

    (void)state;
    assert_int_equal(
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)close(pair[0]);
        _exit(serve_run(&s, pair[1]));
    }
    (void)close(pair[1]);
    assert_true(broker_send(pair[0], "x", 1, -1));
    assert_true(broker_send(pair[0], &rq, sizeof(rq), -1));
    rq.op = BROKER_OPEN;
    assert_true(broker_send(pair[0], &rq, sizeof(rq), -1)); /* no way back */
    rq = (struct broker_request){.op = BROKER_READ, .document = id};
    assert_true(broker_send(pair[0], &rq, sizeof(rq), -1));
    assert_int_equal(
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, mine), 0);
    assert_true(broker_send(pair[0], &rq, sizeof(rq), mine[1]));
    (void)close(mine[1]);
    assert_int_equal(broker_take(mine[0], &reply, sizeof(reply), &fd),
                     sizeof(reply));
    assert_int_equal(fd, -1);
    assert_int_equal(reply.err, OK);
    assert_int_equal(reply.skip, SKIP_NOT);
    (void)close(mine[0]);
    (void)close(pair[0]); /* its end */
    assert_int_equal(waitpid(pid, &fd, 0), pid);
    assert_true(WIFEXITED(fd) && WEXITSTATUS(fd) == 0);
}

static int
serve(void)
{
    const char *dir = getenv(DIR_VAR);
    const char *root = getenv(FOLDER_VAR);
    const struct serve_folder folder = {"Folder", root != NULL ? root : "",
                                        NULL};
    const struct serve s = {
        .dir = dir, .folder = &folder, .n_folders = 1, .every_s = 1};

    log_set_level(LOG_ERROR + 1);
    return dir == NULL || *dir == '\0' ? 1 : serve_run(&s, SOCKET);
}

int
main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_upload_is_read_and_found),
        TEST(what_waited_before_is_read_at_the_start),
        TEST(no_name_leads_out_of_the_folder),
        TEST(a_long_name_keeps_its_ending),
        TEST(a_file_of_a_folder_keeps_its_name),
        TEST(a_link_is_not_followed),
        TEST(what_is_no_file_is_not_opened),
        TEST(who_waits_no_longer_has_it_read_all_the_same),
        TEST(what_is_deleted_while_it_is_read_does_not_come_back),
        TEST(without_a_broker_nothing_is_opened),
        TEST(a_folder_is_kept_current),
        TEST(nonsense_does_not_end_it),
    };
#undef TEST

    if (argc == 2 && strcmp(argv[1], "--serve") == 0)
        return serve();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

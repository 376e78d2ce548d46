/*
 * Tests of files/crawl.c and ingest.c: folders with all that may be in one,
 * taken into an index of their own.
 */
#include "index_test.h"

#include "../sanitized.h"

#include "image_test.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "base/process.h"
#include "files/crawl.h"
#include "files/extract.h"
#include "files/image.h"

#define TAGS "{\"tags\": [\"beach\"], \"description\": \"A walrus asleep.\"}"

static char self[PROCESS_PATH_MAX];
static char folder[256];
static struct collection here;
static struct tried *tried;

/* --- the folder ----------------------------------------------------------- */

static const char *
in_folder(const char *name)
{
    static char path[4096];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void
put_bytes(const char *name, const void *bytes, size_t n)
{
    FILE *f = fopen(in_folder(name), "w");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void
put(const char *name, const char *text)
{
    put_bytes(name, text, strlen(text));
}

static void
put_image(const char *name)
{
    struct buf b;

    buf_init(&b, 1024);
    buf_add(&b, "\xFF\xD8", 2);
    put_jpeg_end(&b, 60, 40);
    put_bytes(name, b.data, b.len);
    buf_release(&b);
}

static void
make_folder(const char *name)
{
    assert_int_equal(mkdir(in_folder(name), 0700), 0);
}

static void
take_away(const char *name)
{
    assert_int_equal(unlink(in_folder(name)), 0);
}

/* When it was changed last, in seconds. */
static void
date(const char *name, time_t when)
{
    const struct timespec t[2] = {{.tv_sec = when}, {.tv_sec = when}};

    assert_int_equal(utimensat(AT_FDCWD, in_folder(name), t, 0), 0);
}

static int
begin(void **state)
{
    const char *tmp = getenv("TMPDIR");

    IGNORE(index_setup(state));
    extract_program(self);
    tried = tried_open(index_dir);
    (void)snprintf(folder, sizeof(folder), "%s/parley-crawl-XXXXXX",
                   tmp == NULL ? "/tmp" : tmp);
    assert_non_null(mkdtemp(folder));
    assert_int_equal(files_collection(fs, ANN, "here", folder, &here), OK);
    return 0;
}

static int
end(void **state)
{
    char *const argv[] = {(char[]){"rm"}, (char[]){"-rf"}, folder, NULL};
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        (void)execv("/bin/rm", argv);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    extract_program(NULL);
    tried_close(tried);
    return index_teardown(state);
}

/* --- crawling ------------------------------------------------------------- */

static struct crawl_count done, told, told_all;
static char skipped[1024]; /* "name reason" and a comma each */

static void
on_progress(void *arg, const struct crawl_count *n,
            const struct crawl_count *all, const char *name)
{
    (void)arg, (void)name;
    told = *n;
    told_all = *all;
}

static void
on_skipped(void *arg, const struct document *d)
{
    size_t n = strlen(skipped);
    int more = snprintf(skipped + n, sizeof(skipped) - n, "%s %s,", d->name,
                        skip_name(d->skip));

    (void)arg;
    assert_true(more > 0 && n + (size_t)more < sizeof(skipped));
}

static enum err
crawl_only(const char *only, bool (*stopped)(void *), void *arg,
           struct problem *why)
{
    const struct crawl c = {.files = fs,
                            .collection = here.id,
                            .root = folder,
                            .tried = tried,
                            .only = only,
                            .stopped = stopped,
                            .progress = on_progress,
                            .skipped = on_skipped,
                            .arg = arg};

    skipped[0] = '\0';
    return crawl(&c, &done, why);
}

/* A run that goes to its end, and what it says that it did. */
static const char *
run(void)
{
    static char text[128];
    struct problem why = {0};

    assert_int_equal(crawl_only(NULL, NULL, NULL, &why), OK);
    assert_int_equal(told.files, told_all.files);
    assert_int_equal(told.bytes, told_all.bytes);
    assert_int_equal(told.gone, done.gone);
    assert_sound();
    (void)snprintf(text, sizeof(text), "%d files: %d new, %d same, %d gone",
                   (int)done.files, (int)done.added, (int)done.same,
                   (int)done.gone);
    return text;
}

static bool
add_name(void *arg, const struct document *d)
{
    char *names = arg;
    size_t n = strlen(names);

    (void)snprintf(names + n, 4096 - n, "%s%s", n > 0 ? " " : "", d->name);
    return true;
}

/* Names of all documents, with a blank between. */
static const char *
names_known(void)
{
    static char names[4096];

    names[0] = '\0';
    assert_int_equal(files_list(fs, ANN, here.id, NULL, 1000, add_name, names),
                     OK);
    return names;
}

static struct document
known(const char *name)
{
    struct document d;

    assert_int_equal(files_known(fs, here.id, name, &d), OK);
    return d;
}

/* --- what changes --------------------------------------------------------- */

static void
what_is_new_changed_and_gone_is_seen(void **state)
{
    struct document first;

    (void)state;
    put("a.txt", "a walrus\n");
    put("b.md", "# A puffin\n\nIt flies.\n");
    date("a.txt", 1000000);
    assert_string_equal(run(), "2 files: 2 new, 0 same, 0 gone");
    assert_string_equal(names_known(), "a.txt b.md");
    assert_string_equal(found("walrus"), "a.txt");
    assert_int_equal(done.bytes, 9 + 22);
    first = known("a.txt");
    assert_int_equal(first.mtime_ns, INT64_C(1000000) * 1000000000);

    assert_string_equal(run(), "2 files: 0 new, 2 same, 0 gone");
    assert_int_equal(known("a.txt").added_ms, first.added_ms);

    put("a.txt", "a narwhal\n"); /* another size, of the same time */
    date("a.txt", 1000000);
    assert_string_equal(run(), "2 files: 1 new, 1 same, 0 gone");
    assert_string_equal(found("walrus"), "");
    assert_string_equal(found("narwhal"), "a.txt");

    put("a.txt", "a manatee\n"); /* of the same size, another time */
    date("a.txt", 1000001);
    assert_string_equal(run(), "2 files: 1 new, 1 same, 0 gone");
    assert_string_equal(found("manatee"), "a.txt");

    take_away("a.txt");
    put("c.txt", "an otter\n");
    assert_string_equal(run(), "2 files: 1 new, 1 same, 1 gone");
    assert_string_equal(names_known(), "b.md c.txt");
    assert_string_equal(found("manatee"), "");
}

static void
a_folder_that_is_not_there_takes_nothing_away(void **state)
{
    const struct crawl c = {
        .files = fs, .collection = here.id, .root = in_folder("nowhere")};
    struct problem why = {0};

    (void)state;
    put("a.txt", "a walrus\n");
    assert_string_equal(run(), "1 files: 1 new, 0 same, 0 gone");
    (void)in_folder("nowhere"); /* c.root again */
    assert_int_equal(crawl(&c, &done, &why), ERR_NOTFOUND);
    assert_string_equal(why.code, "folder_missing");
    assert_string_equal(names_known(), "a.txt");
}

/* --- what is not looked at ------------------------------------------------ */

static void
links_pipes_and_hidden_names_are_passed_by(void **state)
{
    (void)state;
    put("a.txt", "a walrus\n");
    put(".hidden.txt", "a puffin\n");
    make_folder(".git");
    put(".git/config.txt", "a puffin\n");
    assert_int_equal(symlink("a.txt", in_folder("link.txt")), 0);
    assert_int_equal(symlink("/", in_folder("top")), 0);
    assert_int_equal(mkfifo(in_folder("pipe.txt"), 0600), 0);
    assert_string_equal(run(), "1 files: 1 new, 0 same, 0 gone");
    assert_string_equal(names_known(), "a.txt");

    /* What was a file and is one of those is gone. */
    put("b.txt", "an otter\n");
    put("c.txt", "an owl\n");
    assert_string_equal(run(), "3 files: 2 new, 1 same, 0 gone");
    take_away("b.txt");
    take_away("c.txt");
    assert_int_equal(symlink("a.txt", in_folder("b.txt")), 0);
    assert_int_equal(mkfifo(in_folder("c.txt"), 0600), 0);
    assert_string_equal(run(), "1 files: 0 new, 1 same, 2 gone");
}

/* May root's process read what it may not by the mode? */
static void
read_by_mode(bool by_mode)
{
    struct __user_cap_header_struct head = {
        .version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct caps[2];

    assert_int_equal(syscall(SYS_capget, &head, caps), 0);
    caps[0].effective = caps[0].permitted;
    if (by_mode)
        caps[0].effective &= ~(1u << CAP_DAC_OVERRIDE |
                               1u << CAP_DAC_READ_SEARCH);
    assert_int_equal(syscall(SYS_capset, &head, caps), 0);
}

static void
what_cannot_be_read_is_told_and_kept(void **state)
{
    (void)state;
    put("a.txt", "a walrus\n");
    put("empty.txt", "");
    put("secret.txt", "an otter\n");
    make_folder("deep");
    put("deep/b.txt", "a puffin\n");
    put("photo.bin", "\x7f\x45\x4c\x46\x01\x02\x03");
    assert_int_equal(chmod(in_folder("secret.txt"), 0), 0);
    read_by_mode(true);
    assert_string_equal(run(), "5 files: 2 new, 0 same, 0 gone");
    assert_int_equal(done.skipped, 3);
    assert_string_equal(skipped, "empty.txt empty,photo.bin type,"
                                 "secret.txt unreadable,");
    assert_int_equal(known("secret.txt").skip, SKIP_READ);

    /* A folder that is closed for a while loses nothing. */
    assert_int_equal(chmod(in_folder("deep"), 0), 0);
    assert_string_equal(run(), "4 files: 0 new, 3 same, 0 gone");
    assert_string_equal(found("puffin"), "deep/b.txt");

    /* What can be read now, is. */
    assert_int_equal(chmod(in_folder("deep"), 0700), 0);
    assert_int_equal(chmod(in_folder("secret.txt"), 0600), 0);
    put("empty.txt", "no more\n");
    (void)run();
    assert_string_equal(skipped, "photo.bin type,");
    assert_string_equal(found("otter"), "secret.txt");
    read_by_mode(false);
}

static void
folders_are_followed_so_deep(void **state)
{
    char name[512] = "";

    (void)state;
    for (int i = 1; i <= CRAWL_DEPTH + 1; i++) {
        (void)strncat(name, "d", sizeof(name) - strlen(name) - 1);
        make_folder(name);
        (void)strncat(name, "/", sizeof(name) - strlen(name) - 1);
        if (i < CRAWL_DEPTH)
            continue;
        (void)strncat(name, "x.txt", sizeof(name) - strlen(name) - 1);
        put(name, i == CRAWL_DEPTH ? "a walrus\n" : "a puffin\n");
        name[strlen(name) - 5] = '\0';
    }
    assert_string_equal(run(), "1 files: 1 new, 0 same, 0 gone");
    assert_int_equal(strlen(found("walrus")), 2 * CRAWL_DEPTH + 5);
    assert_string_equal(found("puffin"), "");
}

static void
only_some_names_of_the_top_are_taken(void **state)
{
    struct problem why = {0};

    (void)state;
    make_folder("docs");
    make_folder("more");
    put("docs/a.txt", "a walrus\n");
    put("docs/more", "a crane\n");
    put("more/b.txt", "a puffin\n");
    put("README.md", "An otter.\n");
    put("docs.txt", "An owl.\n");
    assert_int_equal(crawl_only("README.md,docs", NULL, NULL, &why), OK);
    assert_string_equal(names_known(), "README.md docs/a.txt docs/more");
    assert_string_equal(run(), "5 files: 2 new, 3 same, 0 gone");
    assert_int_equal(crawl_only("more", NULL, NULL, &why), OK);
    assert_int_equal(done.gone, 4);
    assert_string_equal(names_known(), "more/b.txt");
    assert_int_equal(crawl_only("", NULL, NULL, &why), OK);
    assert_string_equal(names_known(), "");
}

/* --- rules ---------------------------------------------------------------- */

static void
rules_ignore_and_label(void **state)
{
    struct problem why = {0};
    int64_t id;

    (void)state;
    make_folder("letters");
    make_folder("drafts");
    put("letters/anna.txt", "a walrus\n");
    put("drafts/x.txt", "a puffin\n");
    put("a.tmp.txt", "an otter\n");
    put("b.txt", "an owl\n");
    assert_string_equal(run(), "4 files: 4 new, 0 same, 0 gone");
    assert_int_equal(known("letters/anna.txt").label, LABEL_CLOUD_OK);
    id = known("letters/anna.txt").id;

    /* A label changes without the file being read again. */
    put(RULES_FILE, "local-only letters/\nignore drafts/\nignore *.tmp.txt\n");
    assert_string_equal(run(), "2 files: 0 new, 2 same, 2 gone");
    assert_string_equal(names_known(), "b.txt letters/anna.txt");
    assert_int_equal(known("letters/anna.txt").label, LABEL_LOCAL_ONLY);
    assert_int_equal(known("letters/anna.txt").id, id);
    assert_int_equal(known("b.txt").label, LABEL_CLOUD_OK);

    put(RULES_FILE, "redact letters/\n");
    assert_string_equal(run(), "4 files: 2 new, 2 same, 0 gone");
    assert_int_equal(known("letters/anna.txt").label, LABEL_REDACT);

    /* Of wrong rules nothing is taken, and nothing of the folder. */
    put(RULES_FILE, "ignore *\nlokal-only letters/\n");
    put("c.txt", "a crane\n");
    assert_int_equal(crawl_only(NULL, NULL, NULL, &why), ERR_BADREQ);
    assert_non_null(strstr(why.message, "2"));
    assert_int_equal(done.files, 0);
    assert_string_equal(names_known(),
                        "a.tmp.txt b.txt drafts/x.txt letters/anna.txt");
    assert_int_equal(known("letters/anna.txt").label, LABEL_REDACT);
}

static void
rules_that_are_too_long_are_told(void **state)
{
    char *text = xmalloc(RULES_BYTES_MAX + 1);
    struct problem why = {0};

    (void)state;
    put("a.txt", "a walrus\n");
    memset(text, '\n', RULES_BYTES_MAX + 1);
    put_bytes(RULES_FILE, text, RULES_BYTES_MAX + 1);
    assert_int_equal(crawl_only(NULL, NULL, NULL, &why), ERR_BADREQ);
    assert_string_equal(why.code, "rules_unreadable");
    put_bytes(RULES_FILE, text, RULES_BYTES_MAX);
    assert_string_equal(run(), "1 files: 1 new, 0 same, 0 gone");
    free(text);
}

/* --- sidecars ------------------------------------------------------------- */

static void
a_sidecar_is_its_images(void **state)
{
    (void)state;
    make_folder("sea");
    put_image("sea/beach.jpg");
    put("sea/beach.json", TAGS);
    assert_string_equal(run(), "1 files: 1 new, 0 same, 0 gone");
    assert_string_equal(names_known(), "sea/beach.jpg");
    assert_string_equal(found("walrus"), "sea/beach.jpg");
    assert_string_equal(known("sea/beach.jpg").facts.tags, "beach");
    assert_true(known("sea/beach.jpg").image);
    assert_string_equal(run(), "1 files: 0 new, 1 same, 0 gone");

    /* The first of several names; the others are documents. */
    put("sea/beach.jpg.json", "{\"description\": \"A puffin.\"}");
    date("sea/beach.jpg.json", 1000000); /* older than all */
    assert_string_equal(run(), "2 files: 2 new, 0 same, 0 gone");
    assert_string_equal(names_known(), "sea/beach.jpg sea/beach.json");
    assert_string_equal(found("puffin"), "sea/beach.jpg");
    assert_string_equal(found("walrus"), "sea/beach.json");
    take_away("sea/beach.jpg.json");
    assert_string_equal(run(), "1 files: 1 new, 0 same, 1 gone");
    assert_string_equal(names_known(), "sea/beach.jpg");
    assert_string_equal(found("walrus"), "sea/beach.jpg");

    /* Without its image it is a document. */
    take_away("sea/beach.jpg");
    assert_string_equal(run(), "1 files: 1 new, 0 same, 1 gone");
    assert_string_equal(names_known(), "sea/beach.json");
}

static void
what_only_has_the_name_of_a_sidecar_is_a_document(void **state)
{
    char *text = xmalloc(SIDECAR_MAX + 2);

    (void)state;
    put_image("data.jpg");
    put("data.json", "[{\"bird\": \"puffin\"}, {\"bird\": \"crane\"}]");
    put_image("story.jpg");
    memset(text, 'x', SIDECAR_MAX + 1);
    for (size_t i = 0; i < SIDECAR_MAX; i += 8)
        memcpy(text + i, "walrus, ", 8);
    put_bytes("story.txt", text, 16384);
    memcpy(text, TAGS, strlen(TAGS));
    memset(text + strlen(TAGS), ' ', SIDECAR_MAX + 1 - strlen(TAGS));
    put_image("long.jpg");
    put_bytes("long.json", text, SIDECAR_MAX + 1);
    free(text);
    put("link.txt", "An owl, of no image.\n");
    assert_int_equal(symlink("data.jpg", in_folder("link.jpg")), 0);
    assert_string_equal(run(), "7 files: 7 new, 0 same, 0 gone");
    assert_string_equal(names_known(), "data.jpg data.json link.txt long.jpg "
                                       "long.json story.jpg story.txt");
    assert_string_equal(found("crane"), "data.json");
    assert_string_equal(run(), "7 files: 0 new, 7 same, 0 gone");

    /* It becomes one, and is one no more. */
    put("data.json", TAGS);
    assert_string_equal(run(), "6 files: 1 new, 5 same, 1 gone");
    assert_string_equal(known("data.jpg").facts.tags, "beach");
    assert_int_equal(
        files_known(fs, here.id, "data.json", &(struct document){0}),
        ERR_NOTFOUND);
    put("data.json", "[1, 2]");
    assert_string_equal(run(), "7 files: 2 new, 5 same, 0 gone");
    assert_string_equal(known("data.jpg").facts.tags, "");
}

static void
rules_hold_for_what_a_sidecar_says(void **state)
{
    (void)state;
    put_image("beach.jpg");
    put("beach.json", TAGS);
    put(RULES_FILE, "local-only *.json\n");
    assert_string_equal(run(), "1 files: 1 new, 0 same, 0 gone");
    assert_int_equal(known("beach.jpg").label, LABEL_LOCAL_ONLY);
    put(RULES_FILE, "ignore *.json\n");
    assert_string_equal(run(), "1 files: 1 new, 0 same, 0 gone");
    assert_int_equal(known("beach.jpg").label, LABEL_CLOUD_OK);
    assert_string_equal(found("walrus"), "");
}

/* --- stopping ------------------------------------------------------------- */

static bool
after_some(void *arg)
{
    int *left = arg;

    return (*left)-- == 0;
}

static void
a_run_that_was_stopped_goes_on(void **state)
{
    struct problem why = {0};
    uint64_t added = 0;
    int stops = 0;
    enum err e;

    (void)state;
    put("gone.txt", "a crane\n");
    assert_string_equal(run(), "1 files: 1 new, 0 same, 0 gone");
    take_away("gone.txt");
    for (int i = 0; i < 20; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "n%02d.txt", i);
        put(name, "a walrus\n");
    }
    for (;;) {
        int left = 20 + 13; /* asked for each file, and for its first chunk */

        e = crawl_only(NULL, after_some, &left, &why);
        assert_sound();
        assert_int_equal(done.same, added);
        added += done.added;
        if (e == OK)
            break;
        assert_int_equal(e, ERR_HUP);
        assert_int_equal(done.gone, 0); /* nothing is swept half way */
        assert_true(done.added > 0);
        if (++stops == 2)
            break;
    }
    assert_true(stops > 0);
    assert_true(added > 0 && added < 20);
    assert_string_equal(known("gone.txt").name, "gone.txt");
    (void)run();
    assert_int_equal(done.files, 20);
    assert_int_equal(done.added, 20 - added);
    assert_int_equal(done.same, added);
    assert_int_equal(done.gone, 1);
    assert_string_equal(run(), "20 files: 0 new, 20 same, 0 gone");
}

/* --- what a folder may hold ----------------------------------------------- */

static void
what_takes_too_long_is_tried_so_often(void **state)
{
    (void)state;
    put("a.html", "<p>A walrus.</p>");
    date("a.html", 1000);
    put("b.txt", "A heron.");
    extract_patience(0);
    for (int i = 0; i < TRIED_MAX; i++) {
        (void)run();
        assert_int_equal(known("a.html").skip, SKIP_TIME);
        assert_int_equal(done.same, i > 0);
    }
    extract_patience(EXTRACT_SECONDS); /* it would be read now */
    (void)run();
    assert_int_equal(known("a.html").skip, SKIP_DIED);
    assert_string_equal(skipped, "a.html died,");
    assert_string_equal(run(), "2 files: 0 new, 2 same, 0 gone");
    date("a.html", 2000);
    assert_string_equal(run(), "2 files: 1 new, 1 same, 0 gone");
    assert_string_equal(found("walrus"), "a.html");
}

static void
a_disk_that_is_not_mounted_takes_nothing_away(void **state)
{
    char away[300], emptied[300];
    struct problem why = {0};

    (void)state;
    put("a.txt", "A walrus.");
    (void)run();
    (void)snprintf(away, sizeof(away), "%s-away", folder);
    (void)snprintf(emptied, sizeof(emptied), "%s-emptied", folder);
    assert_int_equal(rename(folder, away), 0);
    assert_int_equal(mkdir(folder, 0700), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(crawl_only(NULL, NULL, NULL, &why), ERR_CONFLICT);
        assert_string_equal(why.code, "folder_empty");
        assert_string_equal(found("walrus"), "a.txt");
    }
    put("b.txt", "A heron."); /* it is another folder now, and not empty */
    assert_string_equal(run(), "1 files: 1 new, 0 same, 1 gone");
    assert_string_equal(names_known(), "b.txt");
    take_away("b.txt");
    assert_string_equal(run(), "0 files: 0 new, 0 same, 1 gone");
    assert_string_equal(names_known(), "");
    assert_string_equal(run(), "0 files: 0 new, 0 same, 0 gone");
    assert_int_equal(rename(folder, emptied), 0);
    assert_int_equal(rename(away, folder), 0);
    assert_string_equal(run(), "1 files: 1 new, 0 same, 0 gone");
    assert_int_equal(rmdir(emptied), 0);
}

static void
a_socket_is_passed_by_and_takes_the_place_of_a_file(void **state)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    put("a.txt", "A walrus.");
    (void)run();
    take_away("a.txt");
    assert_true(strlen(in_folder("a.txt")) < sizeof(at.sun_path));
    (void)strncpy(at.sun_path, in_folder("a.txt"), sizeof(at.sun_path) - 1);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_string_equal(run(), "0 files: 0 new, 0 same, 1 gone");
    assert_string_equal(names_known(), "");
    (void)close(fd);
}

static void
names_may_be_long_and_no_text(void **state)
{
    char longest[256], path[2048] = "";
    size_t deep = 0;

    (void)state;
    (void)memset(longest, 'x', 251);
    (void)snprintf(longest + 251, sizeof(longest) - 251, ".txt");
    assert_int_equal(strlen(longest), 255);
    put(longest, "A walrus.");
    put("b\xFF\xFE.txt", "A heron.");
    put("new\nline.txt", "A crane.");
    assert_string_equal(run(), "3 files: 3 new, 0 same, 0 gone");
    assert_string_equal(found("walrus"), longest);
    assert_string_equal(found("heron"), "b\xFF\xFE.txt");
    assert_string_equal(found("crane"), "new\nline.txt");
    assert_string_equal(run(), "3 files: 0 new, 3 same, 0 gone");
    /* A path of FILES_NAME_MAX bytes, and one more. */
    longest[251] = '\0';
    for (; deep < 4; deep++) {
        (void)snprintf(path + strlen(path), sizeof(path) - strlen(path), "%s%s",
                       deep > 0 ? "/" : "", longest);
        make_folder(path);
    }
    (void)snprintf(path + strlen(path), sizeof(path) - strlen(path), "/%s",
                   "a23456789.txt");
    path[FILES_NAME_MAX] = '\0';
    assert_int_equal(strlen(path), 1021);
    put(path, "A stork.");
    (void)run();
    assert_string_equal(found("stork"), path);
    (void)snprintf(path + 1008, sizeof(path) - 1008, "b234567890.txt");
    put(path, "An ibis.");
    assert_int_equal(strlen(path), FILES_NAME_MAX - 1);
    (void)run();
    assert_string_equal(found("ibis"), path);
    (void)snprintf(path + 1008, sizeof(path) - 1008, "c2345678901.txt");
    put(path, "A tern.");
    assert_int_equal(strlen(path), FILES_NAME_MAX);
    (void)run();
    assert_string_equal(found("tern"), path);
    (void)snprintf(path + 1008, sizeof(path) - 1008, "d23456789012.txt");
    put(path, "A rail.");
    (void)run();
    assert_string_equal(found("rail"), "");
}

/* Asked for each of the two walks, then for the first chunk, behind which the
 * file has grown, and for many more. */
static bool
grow(void *arg)
{
    int *asked = arg;
    FILE *f;

    if (++*asked != 3)
        return false;
    f = fopen(in_folder("a.txt"), "a");
    assert_non_null(f);
    assert_true(fputs("\n\nA platypus came late.\n", f) >= 0);
    assert_int_equal(fclose(f), 0);
    return false;
}

static void
a_file_that_grows_is_read_again(void **state)
{
    int asked = 0;
    const struct crawl c = {.files = fs,
                            .collection = here.id,
                            .root = folder,
                            .stopped = grow,
                            .arg = &asked};
    struct crawl_count n;
    struct problem why = {0};
    FILE *f;

    (void)state;
    f = fopen(in_folder("a.txt"), "w");
    assert_non_null(f);
    for (int i = 0; i < 4000; i++)
        assert_true(fprintf(f, "Paragraph %d is about walruses.\n\n", i) > 0);
    assert_int_equal(fclose(f), 0);
    date("a.txt", 1000);
    assert_int_equal(crawl(&c, &n, &why), OK);
    assert_int_equal(n.added, 1);
    assert_true(asked > 3);
    assert_string_equal(run(), "1 files: 1 new, 0 same, 0 gone");
    assert_true(strncmp(found("platypus"), "a.txt", 5) == 0);
    assert_string_equal(run(), "1 files: 0 new, 1 same, 0 gone");
}

static void
thousands_of_files_are_taken_and_followed(void **state)
{
    char name[32], want[64];
    int each = SANITIZED ? 10 : 100, all = 100 * each;

    (void)state;
    for (int i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof(name), "d%02d", i);
        make_folder(name);
        for (int k = 0; k < each; k++) {
            (void)snprintf(name, sizeof(name), "d%02d/f%02d.txt", i, k);
            put(name, i == 77 && k == 3 ? "A walrus." : "A heron.");
        }
    }
    (void)snprintf(want, sizeof(want), "%d files: %d new, 0 same, 0 gone", all,
                   all);
    assert_string_equal(run(), want);
    assert_string_equal(found("walrus"), "d77/f03.txt");
    take_away("d77/f03.txt");
    put("d00/f00.txt", "A platypus, too.");
    (void)snprintf(want, sizeof(want), "%d files: 1 new, %d same, 1 gone",
                   all - 1, all - 2);
    assert_string_equal(run(), want);
    assert_string_equal(found("walrus"), "");
    assert_string_equal(found("platypus"), "d00/f00.txt");
}

int
main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(what_is_new_changed_and_gone_is_seen),
        TEST(a_folder_that_is_not_there_takes_nothing_away),
        TEST(links_pipes_and_hidden_names_are_passed_by),
        TEST(what_cannot_be_read_is_told_and_kept),
        TEST(folders_are_followed_so_deep),
        TEST(only_some_names_of_the_top_are_taken),
        TEST(rules_ignore_and_label),
        TEST(rules_that_are_too_long_are_told),
        TEST(a_sidecar_is_its_images),
        TEST(what_only_has_the_name_of_a_sidecar_is_a_document),
        TEST(rules_hold_for_what_a_sidecar_says),
        TEST(a_run_that_was_stopped_goes_on),
        TEST(what_takes_too_long_is_tried_so_often),
        TEST(a_disk_that_is_not_mounted_takes_nothing_away),
        TEST(a_socket_is_passed_by_and_takes_the_place_of_a_file),
        TEST(names_may_be_long_and_no_text),
        TEST(a_file_that_grows_is_read_again),
        TEST(thousands_of_files_are_taken_and_followed),
    };

    if (argc == 3 && strcmp(argv[1], "--extract") == 0)
        return extract_child(argv[2]);
    if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the index of files costs: DOCUMENTS documents of one person, some of
 * them long, cut into chunks and indexed as a folder is, then asked.
 *
 * The texts are made by a generator that always makes the same ones: words of
 * syllables, the n-th most common one n times as rare as the first, in
 * sentences, paragraphs and sections with headings. A query is 2 to 7 words
 * that stand together in some chunk, as people remember what they read, every
 * second one after a sentence that was said before; FEW of them are a single
 * word of any commonness.
 *
 * Prints a line of JSON: megabytes of text indexed a second, and nanoseconds of
 * CPU time for each byte; median and p99 of a query in milliseconds by the
 * clock, and of CPU time, with all documents and with the first THOUSAND of
 * them; how many queries gave the document that they were taken from; bytes of
 * the index a byte of text, and the memory that an idle index keeps. It is
 * linked with the library, writes to a folder of its own below TMPDIR and
 * removes it. */
#include "base/base.h"

#include <ftw.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "words.h"

#include "base/mem.h"
#include "files/chunk.h"
#include "files/files.h"

#define CHUNKS 50000
#define THOUSAND 1000 /* documents that are asked first */
#define QUERIES 400
#define FEW 100
#define QUERY_MAX 256
#define BATCH_MS 50.0

static char dir[256];

/* A query, and where it comes from. */
struct question {
    char text[QUERY_MAX];
    char name[32];
};
static struct question questions[QUERIES];
static unsigned n_questions;

NORETURN static void
die(const char *what)
{
    (void)fprintf(stderr, "files: %s\n", what);
    exit(1);
}

/* --- texts ---------------------------------------------------------------- */

static void
sentence_make(struct buf *out)
{
    unsigned n = 5 + draw_below(20);

    for (unsigned i = 0; i < n; i++) {
        if (i > 0)
            buf_addc(out, ' ');
        buf_adds(out, word_of_text());
    }
    buf_adds(out, ". ");
}

static void
paragraph_make(struct buf *out)
{
    unsigned n = 2 + draw_below(6);

    buf_clear(out);
    while (n-- > 0)
        sentence_make(out);
    out->len--; /* the last blank */
}

/* --- the index ------------------------------------------------------------ */

struct filling {
    struct files *files;
    struct files_put *put;
    struct chunker *chunker;
    const char *name;
    uint64_t chunks, bytes;
};

/* Keep some words of a chunk for a query. */
static void
question_keep(const struct filling *f, const struct chunk *c)
{
    struct question *q = &questions[n_questions];
    unsigned n = n_questions % (QUERIES / FEW) == 0 ? 1 : 2 + draw_below(6);
    const char *at = c->text + draw_below((unsigned)c->len / 2), *end;

    at = strchr(at, ' ');
    if (at == NULL)
        return;
    end = ++at;
    while (n-- > 0 && end != NULL)
        end = strchr(end + 1, ' ');
    if (end == NULL || (size_t)(end - at) >= sizeof(q->text))
        return;
    memcpy(q->text, at, (size_t)(end - at));
    (void)snprintf(q->name, sizeof(q->name), "%s", f->name);
    n_questions++;
}

static enum err
take(void *arg, const struct chunk *c)
{
    struct filling *f = arg;

    if (n_questions < QUERIES &&
        f->chunks * QUERIES >= (uint64_t)n_questions * CHUNKS)
        question_keep(f, c);
    f->chunks++;
    return files_put_chunk(f->put, c);
}

static void
block_add(struct filling *f, enum block_kind kind, int level,
          const struct buf *text)
{
    struct block b = {
        .kind = kind, .level = level, .text = text->data, .len = text->len};

    f->bytes += text->len;
    if (chunker_add(f->chunker, &b) != OK)
        die("chunker_add");
}

static void
document_make(struct filling *f, int64_t collection, unsigned no)
{
    unsigned paragraphs = 2 + draw_below(no % 50 == 0 ? 600 : 20);
    struct document d = {.collection = collection,
                         .label = LABEL_CLOUD_OK,
                         .size = 1,
                         .mtime_ns = (int64_t)no * 1000000000};
    struct buf text;

    (void)snprintf(d.name, sizeof(d.name), "%s-%u.txt", word_of_text(), no);
    f->name = d.name;
    buf_init(&text, BLOCK_MAX);
    if (files_put_begin(f->files, &d, &f->put) != OK)
        die("files_put_begin");
    f->chunker = chunker_new(take, f);
    for (unsigned i = 0; i < paragraphs; i++) {
        if (i % 8 == 0) {
            buf_clear(&text);
            buf_addf(&text, "%s %s", word_of_text(), word_of_text());
            block_add(f, BLOCK_HEADING, 1 + (i > 0), &text);
        }
        paragraph_make(&text);
        block_add(f, BLOCK_TEXT, 0, &text);
    }
    if (chunker_end(f->chunker) != OK)
        die("chunker_end");
    chunker_free(f->chunker);
    buf_release(&text);
    if (files_put_end(f->put, &d, "") != OK)
        die("files_put_end");
}

/* Documents [from, …) until there are so many of them, or of chunks. */
static unsigned
fill(struct filling *f, int64_t collection, unsigned from, unsigned to)
{
    double begun = 0;
    unsigned i = from;

    for (; i < to && f->chunks < CHUNKS; i++) {
        if (begun > 0 && now_ms() - begun > BATCH_MS) {
            if (files_batch_end(f->files, true) != OK)
                die("files_batch_end");
            begun = 0;
        }
        if (begun <= 0) {
            if (files_batch_begin(f->files) != OK)
                die("files_batch_begin");
            begun = now_ms();
        }
        document_make(f, collection, i);
    }
    if (begun > 0 && files_batch_end(f->files, true) != OK)
        die("files_batch_end");
    return i;
}

/* Of the whole process. */
static double
cpu_ms(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* --- numbers -------------------------------------------------------------- */

static int
order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* One after the other; of the first n. Share that found where they are from. */
static double
ask(struct files *f, unsigned n, const char *name)
{
    double *ms = xcalloc(n, sizeof(*ms)), *cpu = xcalloc(n, sizeof(*cpu));
    unsigned right = 0;

    for (unsigned i = 0; i < n; i++) {
        const char *recent = i % 2 ? questions[(i + 1) % n].text : "";
        struct files_query q = {.owner = "bench",
                                .text = questions[i].text,
                                .len = strlen(questions[i].text),
                                .recent = recent,
                                .recent_len = strlen(recent),
                                .top_k = FILES_TOP_K,
                                .per_document = FILES_PER_DOCUMENT,
                                .recency = 0.2,
                                .leaves = true,
                                .now_ms = 1700000000000};
        struct files_found found;
        double begun = now_ms(), begun_cpu = cpu_ms();

        if (files_search(f, &q, &found) != OK)
            die("files_search");
        ms[i] = now_ms() - begun;
        cpu[i] = cpu_ms() - begun_cpu;
        for (size_t k = 0; k < found.n; k++)
            if (strcmp(found.hits[k].name, questions[i].name) == 0) {
                right++;
                break;
            }
        files_found_release(&found);
    }
    qsort(ms, n, sizeof(ms[0]), order);
    qsort(cpu, n, sizeof(cpu[0]), order);
    (void)printf("\"%sMs\":%.3f,\"%sP99Ms\":%.3f,", name, ms[n / 2], name,
                 ms[n * 99 / 100]);
    (void)printf("\"%sCpuMs\":%.3f,\"%sCpuP99Ms\":%.3f,", name, cpu[n / 2],
                 name, cpu[n * 99 / 100]);
    free(ms);
    free(cpu);
    return (double)right / n;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

int
main(void)
{
    const char *tmp = getenv("TMPDIR");
    struct filling f = {.chunks = 0};
    struct collection c;
    char path[300];
    double begun, filled, begun_cpu, filled_cpu, right;
    unsigned n;
    size_t idle;
    struct stat st;
    struct rusage use;

    (void)snprintf(dir, sizeof(dir), "%s/files-XXXXXX",
                   tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(dir) == NULL)
        die("mkdtemp");
    words_make();
    if (files_open(dir, &f.files) != OK ||
        files_collection(f.files, "bench", "bench", "/bench", &c) != OK)
        die("files_open");
    (void)putchar('{');
    begun = now_ms();
    begun_cpu = cpu_ms();
    n = fill(&f, c.id, 0, THOUSAND);
    filled = now_ms() - begun;
    filled_cpu = cpu_ms() - begun_cpu;
    if (n_questions < 10)
        die("too few questions");
    (void)ask(f.files, n_questions, "thousand");
    begun = now_ms();
    begun_cpu = cpu_ms();
    n = fill(&f, c.id, n, UINT32_MAX);
    filled += now_ms() - begun;
    filled_cpu += cpu_ms() - begun_cpu;
    (void)getrusage(RUSAGE_SELF, &use);
    files_close(f.files);
    if (files_open(dir, &f.files) != OK)
        die("files_open");
    right = ask(f.files, n_questions, "hybrid");
    idle = mallinfo2().uordblks;
    files_close(f.files);
    idle -= mallinfo2().uordblks;
    (void)snprintf(path, sizeof(path), "%s/files.db", dir);
    if (stat(path, &st) != 0)
        die("stat");
    (void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    (void)printf("\"documents\":%u,\"chunks\":%.0f,\"textBytes\":%.0f,"
                 "\"indexMBs\":%.1f,\"indexCpuNs\":%.0f,\"bytesAByte\":%.2f,"
                 "\"found\":%.3f,"
                 "\"idleKib\":%.0f,\"peakKib\":%ld}\n",
                 n, (double)f.chunks, (double)f.bytes,
                 (double)f.bytes / 1e3 / filled,
                 filled_cpu * 1e6 / (double)f.bytes,
                 (double)st.st_size / (double)f.bytes, right,
                 (double)idle / 1024, use.ru_maxrss);
    return 0;
}

/* What it costs to read a provider's stream: nanoseconds of CPU for each text
 * chunk, from the bytes off the wire to the part that the turn is given.
 *
 * The streams are the recorded ones of tests/replay. The first unit of such a
 * reply that holds text (an SSE event, a line, a frame) is repeated CHUNKS
 * times in its place, and the reply is read in pieces of a TCP segment. Beside
 * it cJSON parses the same units' JSON, and nothing else: what is the least
 * that a reader with a JSON library would take. Both alternate, and the medians
 * of the rounds and of their ratios are printed as a line of JSON.
 *
 * Run it in the root of the project. It is linked with the library. */
#include "base/base.h"

#include <time.h>

#include <cjson/cJSON.h>

#include "base/mem.h"
#include "provider/provider.h"

#define CHUNKS 20000
#define ROUNDS 7
#define PIECE 1460            /* bytes */
#define REPLY_MAX (64 * 1024) /* bytes */

enum framing { FRAMING_SSE, FRAMING_LINES, FRAMING_FRAMES };

static const struct wire {
    const struct provider *provider;
    const char *reply;
    enum framing framing;
} wires[] = {
    {&provider_openai, "openai/plain/reply.sse", FRAMING_SSE},
    {&provider_anthropic, "anthropic/plain/reply.sse", FRAMING_SSE},
    {&provider_gemini, "gemini/plain/reply.sse", FRAMING_SSE},
    {&provider_ollama, "ollama/plain/reply.ndjson", FRAMING_LINES},
    {&provider_bedrock, "bedrock/plain/reply.bin", FRAMING_FRAMES},
};

struct bytes {
    const char *s;
    size_t len;
};

static long chunks_seen; /* parts of text of the stream that is read */

NORETURN static void
die(const char *what)
{
    (void)fprintf(stderr, "parse: %s\n", what);
    exit(1);
}

static double
cpu_ns(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* --- the streams -------------------------------------------------------- */

static struct bytes
read_reply(const char *name)
{
    char path[256], *s = xmalloc(REPLY_MAX);
    struct bytes b = {.s = s};
    FILE *f;

    (void)snprintf(path, sizeof(path), "tests/replay/%s", name);
    f = fopen(path, "rb");
    if (f == NULL)
        die(path);
    b.len = fread(s, 1, REPLY_MAX - 1, f);
    s[b.len] = '\0';
    (void)fclose(f);
    return b;
}

/* Bytes of the unit that begins at s. */
static size_t
unit_len(enum framing framing, const char *s, size_t n)
{
    const unsigned char *u = (const unsigned char *)s;
    const char *end;

    switch (framing) {
    case FRAMING_SSE:
        end = memmem(s, n, "\n\n", 2);
        if (end == NULL)
            end = memmem(s, n, "\n\r\n", 3);
        return end != NULL ? (size_t)(end - s) + 2 + (end[1] == '\r') : n;
    case FRAMING_LINES:
        end = memchr(s, '\n', n);
        return end != NULL ? (size_t)(end - s) + 1 : n;
    case FRAMING_FRAMES: break;
    }
    return (size_t)u[0] << 24 | (size_t)u[1] << 16 | (size_t)u[2] << 8 | u[3];
}

/* The JSON within a unit of text: from its first brace to the last one. */
static struct bytes
unit_json(struct bytes unit)
{
    const char *a = memchr(unit.s, '{', unit.len);
    const char *z = memrchr(unit.s, '}', unit.len);

    if (a == NULL || z == NULL)
        die("no JSON in a unit");
    return (struct bytes){a, (size_t)(z - a) + 1};
}

static void
count_part(void *arg, const struct part *p)
{
    (void)arg;
    chunks_seen += p->kind == PART_TEXT && p->len > 0;
    if (p->kind == PART_ERROR)
        die("the stream holds an error");
}

static void
feed(const struct provider *p, void *reader, const char *s, size_t n)
{
    struct problem why;

    if (p->feed(reader, s, n, count_part, NULL, &why) != OK)
        die("a reply is not understood");
}

/* The first unit that means text. */
static struct bytes
text_unit(const struct wire *w, struct bytes reply)
{
    void *reader = w->provider->reader_new();
    struct bytes unit = {reply.s, 0};

    chunks_seen = 0;
    while (chunks_seen == 0) {
        size_t left = reply.len - (size_t)(unit.s + unit.len - reply.s);

        if (left == 0)
            die("a reply without text");
        unit.s += unit.len;
        unit.len = unit_len(w->framing, unit.s, left);
        feed(w->provider, reader, unit.s, unit.len);
    }
    w->provider->reader_free(reader);
    return unit;
}

static struct bytes
long_reply(struct bytes reply, struct bytes unit)
{
    size_t before = (size_t)(unit.s - reply.s), i;
    size_t after = reply.len - before - unit.len;
    char *s = xmalloc(reply.len + CHUNKS * unit.len), *to = s;

    memcpy(to, reply.s, before);
    to += before;
    for (i = 0; i < CHUNKS; i++, to += unit.len)
        memcpy(to, unit.s, unit.len);
    memcpy(to, unit.s + unit.len, after);
    return (struct bytes){s, (size_t)(to - s) + after};
}

/* --- the measures ------------------------------------------------------- */

/* Nanoseconds a chunk. */
static double
read_round(const struct provider *p, struct bytes stream)
{
    void *reader = p->reader_new();
    struct problem why;
    double begun = cpu_ns();
    size_t at, n;

    chunks_seen = 0;
    for (at = 0; at < stream.len; at += n) {
        n = stream.len - at < PIECE ? stream.len - at : PIECE;
        feed(p, reader, stream.s + at, n);
    }
    if (p->end(reader, count_part, NULL, &why) != OK)
        die("a reply did not end");
    begun = cpu_ns() - begun;
    p->reader_free(reader);
    return begun / (double)chunks_seen;
}

static double
json_round(struct bytes json)
{
    double begun = cpu_ns();
    int i;

    for (i = 0; i < CHUNKS; i++) {
        cJSON *j = cJSON_ParseWithLength(json.s, json.len);

        if (j == NULL)
            die("a unit that is not JSON");
        cJSON_Delete(j);
    }
    return (cpu_ns() - begun) / CHUNKS;
}

static int
order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double
median(double v[ROUNDS])
{
    qsort(v, ROUNDS, sizeof(v[0]), order);
    return v[ROUNDS / 2];
}

static void
measure(const struct wire *w)
{
    struct bytes reply = read_reply(w->reply);
    struct bytes unit = text_unit(w, reply);
    struct bytes json = unit_json(unit), stream = long_reply(reply, unit);
    double ns[ROUNDS], json_ns[ROUNDS], ratio[ROUNDS];
    int i;

    for (i = 0; i < ROUNDS; i++) {
        ns[i] = read_round(w->provider, stream);
        json_ns[i] = json_round(json);
        ratio[i] = ns[i] / json_ns[i];
    }
    (void)printf("\"%s\":{\"bytes\":%zu,\"ns\":%.0f,\"jsonNs\":%.0f,"
                 "\"ratio\":%.2f}",
                 w->provider->name, unit.len, median(ns), median(json_ns),
                 median(ratio));
    free((void *)(uintptr_t)stream.s);
    free((void *)(uintptr_t)reply.s);
}

int
main(void)
{
    size_t i;

    (void)putchar('{');
    for (i = 0; i < COUNT_OF(wires); i++) {
        if (i > 0)
            (void)putchar(',');
        measure(&wires[i]);
    }
    (void)puts("}");
    return 0;
}

/*
 * Two bytes as how much room there is, then hits: a byte of what they are, and
 * name, title, heading, text and snippet with a NUL behind each. Whatever they
 * say, all lines of the excerpts but our own begin with the mark, nothing of a
 * text stands outside of its frame, no sign of a template is left, and the
 * citations are JSON.
 */
#include "base/base.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "files/cite.h"

#define HITS_MAX 16
#define MUST(x)      \
    do {             \
        if (!(x))    \
            abort(); \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char *
field(const uint8_t **at, const uint8_t *end)
{
    const uint8_t *nul = memchr(*at, '\0', (size_t)(end - *at));
    size_t n = (size_t)((nul != NULL ? nul : end) - *at);
    char *s = xmemdup0(*at, n);

    *at = nul != NULL ? nul + 1 : end;
    return s;
}

static size_t
read_hits(const uint8_t *at, const uint8_t *end, struct files_hit *hits)
{
    size_t n = 0;

    for (; at < end && n < HITS_MAX; n++) {
        uint8_t what = *at++;
        struct files_hit *h = &hits[n];

        *h = (struct files_hit){.image = what & 1,
                                .page = what >> 2,
                                .label = what & 2 ? LABEL_REDACT
                                                  : LABEL_CLOUD_OK,
                                .score = 0.5};
        h->name = field(&at, end);
        h->title = field(&at, end);
        h->heading = field(&at, end);
        h->text = field(&at, end);
        h->snippet = field(&at, end);
        h->len = strlen(h->text);
    }
    return n;
}

/* Is it the first line of the excerpt of this number? */
static bool
is_head(const char *line, size_t n, size_t number)
{
    char head[32];
    int len = snprintf(head, sizeof(head), "[%zu] ", number);
    const char *s = line + len;

    if (n <= (size_t)len || memcmp(line, head, (size_t)len) != 0)
        return false;
    if (n - (size_t)len > 6 && memcmp(s, "image ", 6) == 0)
        s += 6;
    return *s == '"';
}

static void
check_text(struct buf *out, size_t done)
{
    const char *s = buf_cstr(out), *end = s + out->len;
    size_t number = 0;
    bool rule = true;

    MUST((done == 0) == (out->len == 0));
    MUST(utf8_valid(s, out->len));
    MUST(memchr(s, '\0', out->len) == NULL);
    MUST(memmem(s, out->len, "<|", 2) == NULL);
    MUST(memmem(s, out->len, "[INST]", 6) == NULL);
    for (const char *nl; s < end; s = nl + 1) {
        nl = memchr(s, '\n', (size_t)(end - s));
        MUST(nl != NULL);
        if (rule) { /* the first line is ours */
            rule = false;
        } else if (is_head(s, (size_t)(nl - s), number + 1)) {
            number++;
        } else if (nl > s) {
            MUST(number > 0 && nl - s >= 2 && s[0] == '|' && s[1] == ' ');
        }
    }
    MUST(number == done);
}

static void
check_json(const struct files_hit *hits, size_t n)
{
    struct json_out j;
    struct buf out;
    cJSON *tree = NULL;
    const cJSON *item;
    int number = 0;

    buf_init(&out, 1 << 24);
    json_out_init(&j, &out);
    cite_json(&j, hits, n);
    MUST(buf_status(&out) == OK);
    MUST(json_parse(out.data, out.len, &tree, NULL) == OK);
    MUST(cJSON_GetArraySize(tree) == (int)n);
    cJSON_ArrayForEach(item, tree) {
        number++;
        MUST(json_i64(item, "n", 0) == number);
        MUST(strlen(json_str(item, "snippet")) <= 3 * CITE_SNIPPET_MAX);
    }
    cJSON_Delete(tree);
    buf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct files_hit hits[HITS_MAX];
    size_t n, max, done;
    struct buf out;

    if (size < 2)
        return 0;
    max = (size_t)data[0] << 8 | data[1];
    n = read_hits(data + 2, data + size, hits);
    buf_init(&out, 1 << 24);
    done = cite_text(hits, n, max, &out);
    MUST(buf_status(&out) == OK && done <= n && out.len <= max);
    check_text(&out, done);
    buf_release(&out);
    check_json(hits, n);
    for (size_t i = 0; i < n; i++) {
        free((char *)(uintptr_t)hits[i].name);
        free((char *)(uintptr_t)hits[i].title);
        free((char *)(uintptr_t)hits[i].heading);
        free((char *)(uintptr_t)hits[i].text);
        free((char *)(uintptr_t)hits[i].snippet);
    }
    return 0;
}

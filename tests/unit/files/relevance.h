/*
 * The set of tests/relevance/: documents, queries with grades, and the measure
 * nDCG@5 of an order of documents. For tests.
 */
#ifndef TESTS_UNIT_FILES_RELEVANCE_H
#define TESTS_UNIT_FILES_RELEVANCE_H

#include "base/base.h"

#include <math.h>

#include "base/json.h"
#include "base/mem.h"

#define RELEVANCE_FOLDER "tests/relevance/"
#define RELEVANCE_QUERIES_MAX 128
#define RELEVANCE_AT 5 /* documents of an order that count */
#define RELEVANCE_RECENT_MAX 512

struct relevance_query {
    const char *text, *kind;           /* in the tree */
    char recent[RELEVANCE_RECENT_MAX]; /* what was said before; "" */
    bool held_out;                     /* counted apart, not to tune with */
    const cJSON *relevant;             /* {name: grade} */
};

struct relevance {
    cJSON *tree; /* owned */
    struct relevance_query queries[RELEVANCE_QUERIES_MAX];
    size_t n;
};

/* A whole file, NUL-terminated, to be freed; NULL: it cannot be read. */
static inline char *
relevance_file(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    char *s;
    long len;

    if (f == NULL)
        return NULL;
    (void)fseek(f, 0, SEEK_END);
    len = ftell(f);
    rewind(f);
    s = xmalloc((size_t)len + 1);
    *n = fread(s, 1, (size_t)len, f);
    s[*n] = '\0';
    (void)fclose(f);
    return s;
}

/* The queries of one file. */
static inline bool
relevance_read(struct relevance *r, const char *path)
{
    size_t n = 0;
    char *s = relevance_file(path, &n);
    const cJSON *item, *said;

    memset(r, 0, sizeof(*r));
    if (s == NULL || json_parse(s, n, &r->tree, NULL)) {
        free(s);
        return false;
    }
    free(s);
    cJSON_ArrayForEach(item, r->tree) {
        struct relevance_query *q = &r->queries[r->n++];

        assert(r->n <= RELEVANCE_QUERIES_MAX);
        q->text = json_str(item, "query");
        q->kind = json_str(item, "kind");
        q->held_out = cJSON_IsTrue(cJSON_GetObjectItem(item, "held_out"));
        q->relevant = json_obj(item, "relevant");
        cJSON_ArrayForEach(said, json_arr(item, "history")) {
            size_t len = strlen(q->recent);

            (void)snprintf(q->recent + len, sizeof(q->recent) - len, "%s%s",
                           len > 0 ? "\n" : "", said->valuestring);
        }
    }
    return r->n > 0;
}

static inline void
relevance_release(struct relevance *r)
{
    cJSON_Delete(r->tree);
}

static inline double
relevance_gain(double grade, size_t place)
{
    return (exp2(grade) - 1) / log2((double)place + 2);
}

static inline int
relevance_higher(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x > y ? -1 : x < y;
}

/* nDCG@5 of names in their order, each once: 0 to 1. */
static inline double
relevance_ndcg(const struct relevance_query *q, const char *const *names,
               size_t n)
{
    double best[16], got = 0, ideal = 0;
    size_t count = 0;
    const cJSON *grade;

    for (size_t i = 0; i < n && i < RELEVANCE_AT; i++) {
        grade = cJSON_GetObjectItemCaseSensitive(q->relevant, names[i]);
        if (grade != NULL)
            got += relevance_gain(grade->valuedouble, i);
    }
    cJSON_ArrayForEach(grade, q->relevant) {
        if (count < COUNT_OF(best))
            best[count++] = grade->valuedouble;
    }
    qsort(best, count, sizeof(best[0]), relevance_higher);
    for (size_t i = 0; i < count && i < RELEVANCE_AT; i++)
        ideal += relevance_gain(best[i], i);
    return ideal > 0 ? got / ideal : 0;
}

#endif

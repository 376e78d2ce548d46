/*
 * Gathering entities: each finder reports what it sees, this file counts it,
 * joins a lone surname with the full name it belongs to, and gives the most
 * frequent of each kind.
 *
 * Addresses are looked for here, in the input itself, where the targets of
 * links still stand; all else is looked for in plain sentences.
 */
#include "base/base.h"

#include "lang/entity.h"

#include "base/mem.h"
#include "lang/entity_find.h"
#include "lang/letter.h"
#include "lang/reading.h"

#define IMAGE_TEXT_MAX 200 /* bytes */

struct found {
    struct entity entity;
    uint64_t hash;
    size_t order; /* of its first occurrence */
};

struct entity_finder {
    struct found *at; /* owned; ENTITIES_FOUND_MAX of them */
    size_t n;
};

void
entity_add(struct entity_finder *f, enum entity_kind kind, const char *s,
           size_t n)
{
    uint64_t h = UINT64_C(14695981039346656037) ^ (uint64_t)kind;

    if (n == 0 || n > ENTITY_LEN_MAX)
        return;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)s[i]) * UINT64_C(1099511628211);
    for (size_t i = 0; i < f->n; i++) {
        const struct entity *e = &f->at[i].entity;

        if (f->at[i].hash == h && e->kind == kind && e->len == n &&
            memcmp(e->text, s, n) == 0) {
            f->at[i].entity.count++;
            return;
        }
    }
    if (f->n == ENTITIES_FOUND_MAX)
        return;
    f->at[f->n] = (struct found){
        .entity = {kind, s, n, 1}, .hash = h, .order = f->n};
    f->n++;
}

/* ---- addresses ------------------------------------------------------- */

static size_t
url_length(const char *s, size_t n)
{
    size_t i = 0, depth = 0;

    while (i < n && (unsigned char)s[i] > ' ' &&
           strchr("<>\"`{}|\\^[]", s[i]) == NULL) {
        if (s[i] == '(')
            depth++;
        if (s[i] == ')' && depth-- == 0)
            break;
        i++;
    }
    while (i > 0 && ((unsigned char)s[i - 1] >= 0x80 ||
                     strchr(".,;:!?'*_", s[i - 1]) != NULL))
        i--; /* a mark of the sentence, an ellipsis */
    return i;
}

static bool
is_local(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || (c != '\0' && strchr("._%+-", c) != NULL);
}

static bool
is_host(char c)
{
    return is_local(c) && strchr("_%+", c) == NULL;
}

/* The address around the "@" at i; 0: there is none. */
static size_t
email(const char *s, size_t n, size_t i, size_t *start)
{
    size_t from = i, to = i + 1;
    const char *dot;

    while (from > 0 && i - from < 64 && is_local(s[from - 1]))
        from--;
    while (from < i && strchr("._%+-", s[from]) != NULL)
        from++;
    while (to < n && to - i < 128 && is_host(s[to]))
        to++;
    while (to > i + 1 && (s[to - 1] == '.' || s[to - 1] == '-'))
        to--;
    dot = to > i + 1 ? memrchr(s + i + 1, '.', to - i - 1) : NULL;
    if (from == i || dot == NULL || dot == s + i + 1 || s + to - dot < 3)
        return 0;
    *start = from;
    return to - from;
}

/* Is the address at i what an image is loaded from: "![…](address"? */
static bool
is_image(const char *s, size_t i)
{
    const char *open;
    size_t from = i > IMAGE_TEXT_MAX ? i - IMAGE_TEXT_MAX : 0;

    if (i < 4 || s[i - 1] != '(' || s[i - 2] != ']')
        return false;
    open = memrchr(s + from, '[', i - from);
    return open != NULL && open > s && open[-1] == '!';
}

static void
find_addresses(struct entity_finder *f, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t len, start;

        if (s[i] == '@') {
            len = email(s, n, i, &start);
            if (len > 0) {
                entity_add(f, ENTITY_EMAIL, s + start, len);
                i = start + len - 1;
            }
            continue;
        }
        if (s[i] != 'h' || !((n - i > 10 && !memcmp(s + i, "https://", 8)) ||
                             (n - i > 9 && !memcmp(s + i, "http://", 7))))
            continue;
        len = url_length(s + i, n - i);
        if (len > 9 && !is_image(s, i))
            entity_add(f, ENTITY_URL, s + i, len);
        i += len > 0 ? len - 1 : 0;
    }
}

/* ---- the choice ------------------------------------------------------ */

/* Is a, a name of one word, the last or first word of b? */
static bool
is_short_for(const struct entity *a, const struct entity *b)
{
    if (a->len + 1 >= b->len || memchr(a->text, ' ', a->len) != NULL)
        return false;
    return (b->text[b->len - a->len - 1] == ' ' &&
            memcmp(b->text + b->len - a->len, a->text, a->len) == 0) ||
           (b->text[a->len] == ' ' && memcmp(b->text, a->text, a->len) == 0);
}

/* A lone surname is its bearer, if only one is named. */
static void
join_names(struct entity_finder *f)
{
    for (size_t i = 0; i < f->n; i++) {
        struct entity *a = &f->at[i].entity;
        size_t owner = 0, owners = 0;

        if (a->kind != ENTITY_NAME)
            continue;
        for (size_t k = 0; k < f->n && owners < 2; k++) {
            const struct entity *b = &f->at[k].entity;

            if (k == i || b->kind > ENTITY_ORGANISATION || b->count == 0 ||
                !is_short_for(a, b))
                continue;
            owner = k;
            owners++;
        }
        if (owners != 1)
            continue;
        f->at[owner].entity.count += a->count;
        a->count = 0;
    }
}

static int
by_kind(const void *a, const void *b)
{
    const struct found *x = a, *y = b;

    if (x->entity.kind != y->entity.kind)
        return x->entity.kind < y->entity.kind ? -1 : 1;
    if (x->entity.count != y->entity.count)
        return x->entity.count > y->entity.count ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

void
entities_read(struct entities *out, const struct reading *r, const char *s,
              size_t n)
{
    struct entity_finder f = {0};
    size_t of_kind[ENTITY__MAX] = {0};

    out->n = 0;
    f.at = xcalloc(ENTITIES_FOUND_MAX, sizeof(f.at[0]));
    entity_find_names(&f, r);
    for (size_t i = 0; i < r->sentences.n; i++) {
        const struct sentence *sentence = &r->sentences.at[i];

        assert(sentence->end <= n);
        entity_find_numbers(&f, sentence->text, sentence->len);
        /* A link's target may stand just past the words. */
        find_addresses(&f, s + sentence->start,
                       (i + 1 < r->sentences.n &&
                                r->sentences.at[i + 1].block == sentence->block
                            ? r->sentences.at[i + 1].start
                            : sentence->end) -
                           sentence->start);
    }
    join_names(&f);
    qsort(f.at, f.n, sizeof(f.at[0]), by_kind);
    for (size_t i = 0; i < f.n && out->n < ENTITIES_MAX; i++) {
        const struct entity *e = &f.at[i].entity;

        if (e->count > 0 && of_kind[e->kind]++ < ENTITIES_KIND_MAX)
            out->at[out->n++] = *e;
    }
    free(f.at);
}

const char *
entity_name(enum entity_kind kind)
{
    static const char *const names[ENTITY__MAX] = {
        "name",    "organisation", "date",  "time", "money",
        "percent", "quantity",     "email", "url"};

    return names[kind];
}

/*
 * The arguments of a call, told as they were written. cJSON keeps a number as
 * a double, so an id of 20 digits would come out changed if its tree were
 * written anew. Therefore the tree only says what a reply holds, and the
 * arguments are cut out of the reply's text at the same place.
 *
 * The search for that place trusts nothing: what it finds counts only if it
 * passes the strict check, and where it finds nothing (a name with an escape,
 * a text that only cJSON understands) the tree is written after all. Any
 * thread; no I/O, no globals.
 */
#include "base/base.h"

#include "provider/wire.h"

#include "base/buf.h"
#include "base/text.h"

#define PATH_NUMBER_MAX 1000000     /* items of an array that are counted */
#define ARGS_MAX (64 * 1024 * 1024) /* bytes; above any reply */

static const char *
skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
        p++;
    return p;
}

/* Behind the string at p; NULL: it has no end. */
static const char *
skip_string(const char *p, const char *end)
{
    for (p++; p < end && *p != '"'; p++) {
        if (*p == '\\' && end - p > 1)
            p++;
    }
    return p < end ? p + 1 : NULL;
}

/* Behind the value at p; NULL: there is none. */
static const char *
skip_value(const char *p, const char *end)
{
    const char *begin = p;
    size_t depth = 0;

    while (p != NULL && p < end) {
        if (*p == '"') {
            p = skip_string(p, end);
        } else if (*p == '{' || *p == '[') {
            depth++;
            p++;
        } else if (*p == '}' || *p == ']') {
            if (depth == 0)
                break;
            depth--;
            p++;
        } else if (depth == 0 && strchr(", \t\r\n", *p) != NULL) {
            break;
        } else {
            p++;
            continue; /* a number or a word goes on */
        }
        if (depth == 0)
            return p;
    }
    return p != NULL && p > begin && depth == 0 ? p : NULL;
}

/* The value of a member of the object at p; NULL: it is not there. */
static const char *
find_member(const char *p, const char *end, const char *name, size_t len)
{
    while (p < end && (*p == '{' || *p == ',')) {
        const char *found = skip_space(p + 1, end);
        bool same;

        if (found == end || *found != '"')
            return NULL;
        p = skip_string(found, end);
        if (p == NULL)
            return NULL;
        same = (size_t)(p - found) == len + 2 &&
               memcmp(found + 1, name, len) == 0;
        p = skip_space(p, end);
        if (p == end || *p != ':')
            return NULL;
        p = skip_space(p + 1, end);
        if (same)
            return p;
        p = skip_value(p, end);
        if (p == NULL)
            return NULL;
        p = skip_space(p, end);
    }
    return NULL;
}

/* An item of the array at p; NULL: it is not there. */
static const char *
find_item(const char *p, const char *end, int64_t number)
{
    for (; p < end && (*p == '[' || *p == ','); number--) {
        p = skip_space(p + 1, end);
        if (number == 0)
            return p;
        p = skip_value(p, end);
        if (p == NULL)
            return NULL;
        p = skip_space(p, end);
    }
    return NULL;
}

bool
wire_find(const char *s, size_t n, const char *path, struct wire_slice *out)
{
    const char *end = s + n, *p = skip_space(s, end), *behind;

    for (;;) {
        size_t len = strcspn(path, "/");
        int64_t number;

        if (p < end && *p == '{')
            p = find_member(p, end, path, len);
        else if (p < end && *p == '[' &&
                 text_i64(path, len, 0, PATH_NUMBER_MAX, &number) == OK)
            p = find_item(p, end, number);
        else
            p = NULL;
        if (p == NULL)
            return false;
        if (path[len] == '\0')
            break;
        path += len + 1;
    }
    behind = skip_value(p, end);
    if (behind == NULL)
        return false;
    out->p = p;
    out->n = (size_t)(behind - p);
    return true;
}

/* Strict JSON without the white space between its tokens. */
static void
compact(struct buf *out, const char *s, size_t n)
{
    const char *p = s, *end = s + n;

    while (p < end) {
        const char *run = p;

        while (p < end && skip_space(p, p + 1) == p)
            p = *p == '"' ? skip_string(p, end) : p + 1;
        buf_add(out, run, (size_t)(p - run));
        p = skip_space(p, end);
    }
}

/* The arguments as cJSON writes them. */
static void
print(struct buf *out, const cJSON *args)
{
    char *text = cJSON_PrintUnformatted(args);

    if (text != NULL)
        utf8_scrub(out, text, strlen(text));
    cJSON_free(text);
}

void
wire_tell_args(const cJSON *args, const struct wire_slice *text,
               const char *path, int index, part_fn *fn, void *arg)
{
    struct part p = {.kind = PART_ARGS, .index = index};
    struct wire_slice slice;
    struct buf out;

    if (!cJSON_IsObject(args))
        return;
    buf_init(&out, ARGS_MAX);
    if (wire_find(text->p, text->n, path, &slice) &&
        wire_is_object(slice.p, slice.n))
        compact(&out, slice.p, slice.n);
    else
        print(&out, args);
    p.text = out.data;
    p.len = out.len;
    if (p.len > 0)
        fn(arg, &p);
    buf_release(&out);
}

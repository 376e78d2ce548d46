/*
 * JSON in: checked by json_scan, built by cJSON, read by typed getters.
 *
 * Many versions of cJSON read at most 63 characters of a number and leave the
 * rest lying. A text that passed the check and holds a longer number is
 * therefore copied once, with that number rewritten to the 17 digits that
 * determine a double and padded with spaces; that is rare enough for a second
 * pass.
 *
 * The lenient parser is for replies of providers, which are what they are:
 * it hands cJSON a copy with a NUL behind it, because many versions of cJSON
 * look one byte past the end of a text that is cut off.
 */
#include "base/base.h"

#include "base/json.h"

#include "base/json_scan.h"
#include "base/mem.h"

#define LENIENT_SMALL 2048 /* bytes copied to the stack, not to the heap */
#define TWO_63 9223372036854775808.0

static enum err
refuse(enum err e, const struct json_fault *f, struct problem *why)
{
    return problem_set(why, e, "invalid_json", "Invalid JSON",
                       "The JSON text breaks a rule at byte %zu: %s.", f->at,
                       f->rule);
}

enum err
json_check(const char *s, size_t n, struct problem *why)
{
    struct json_fault f;
    enum err e = json_scan(s, n, &f);

    return e ? refuse(e, &f, why) : OK;
}

bool
json_broken(const char *s, size_t n, struct json_broken *out)
{
    struct json_fault f;

    if (json_scan(s, n, &f) == OK)
        return false;
    out->rule = f.rule;
    out->at = f.at;
    return true;
}

/* The end of the string whose opening quote is at i, in a checked text. */
static size_t
string_end(const char *s, size_t i)
{
    for (i++; s[i] != '"'; i++)
        if (s[i] == '\\')
            i++;
    return i + 1;
}

/* Rewrite one long number in place, shorter, with spaces behind. */
static void
shorten(char *s, size_t len)
{
    char text[JSON_NUMBER_SHORT + 1];
    char *copy = xmemdup0(s, len);
    int used = snprintf(text, sizeof(text), "%.17g", strtod(copy, NULL));

    free(copy);
    assert(used > 0 && (size_t)used < sizeof(text) && (size_t)used <= len);
    memcpy(s, text, (size_t)used);
    memset(s + used, ' ', len - (size_t)used);
}

static cJSON *
parse_long_numbers(const char *s, size_t n)
{
    char *copy = xmemdup0(s, n);
    size_t i = 0;
    cJSON *tree;

    while (i < n) {
        size_t len = 1;

        if (copy[i] == '"') {
            len = string_end(copy, i) - i;
        } else if (copy[i] == '-' || (copy[i] >= '0' && copy[i] <= '9')) {
            len = json_number_len(copy + i, n - i);
            if (len > JSON_NUMBER_SHORT)
                shorten(copy + i, len);
        }
        i += len;
    }
    tree = cJSON_ParseWithLengthOpts(copy, n, NULL, 0);
    free(copy);
    return tree;
}

static enum err
parse(const char *s, size_t n, size_t depth_max, cJSON **out,
      struct problem *why)
{
    struct json_fault f;
    enum err e = json_scan_deep(s, n, depth_max, &f);

    *out = NULL;
    if (e)
        return refuse(e, &f, why);
    *out = f.long_number ? parse_long_numbers(s, n)
                         : cJSON_ParseWithLengthOpts(s, n, NULL, 0);
    if (!*out)
        return problem_set(why, ERR_INTERNAL, NULL, NULL, NULL);
    return OK;
}

enum err
json_parse(const char *s, size_t n, cJSON **out, struct problem *why)
{
    return parse(s, n, JSON_DEPTH_MAX, out, why);
}

enum err
json_parse_deep(const char *s, size_t n, cJSON **out, struct problem *why)
{
    return parse(s, n, JSON_DEEP_MAX, out, why);
}

/* Is there nothing but white space from here on? (Some pad with it.) */
static bool
all_blank(const char *s, const char *end)
{
    while (s < end && (*s == ' ' || *s == '\t' || *s == '\r' || *s == '\n'))
        s++;
    return s == end;
}

/* Can it have more values than a tree may? All but the first follow a comma or
 * a bracket. Well-formed or not, the tree of a text that passes is bounded. */
static bool
too_many_values(const char *s, size_t n)
{
    size_t values = 1;

    if (n <= JSON_VALUES_MAX)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '"') {
            while (++i < n && s[i] != '"')
                i += s[i] == '\\';
        } else if (s[i] == ',' || s[i] == '[' || s[i] == '{') {
            if (++values > JSON_VALUES_MAX)
                return true;
        }
    }
    return false;
}

cJSON *
json_parse_lenient(const char *s, size_t n)
{
    char small[LENIENT_SMALL];
    char *copy = small;
    const char *end;
    cJSON *tree;

    if (too_many_values(s, n))
        return NULL;
    if (n < sizeof(small)) {
        if (n)
            memcpy(small, s, n);
        small[n] = '\0';
    } else {
        copy = xmemdup0(s, n);
    }
    tree = cJSON_ParseWithLengthOpts(copy, n + 1, &end, 0);
    if (tree && !all_blank(end, copy + n)) {
        cJSON_Delete(tree);
        tree = NULL;
    }
    if (copy != small)
        free(copy);
    return tree;
}

static void
wipe_strings(cJSON *o)
{
    for (cJSON *v = o; v != NULL; v = v->next) {
        mem_wipe_str(v->valuestring);
        mem_wipe_str(v->string);
        wipe_strings(v->child);
    }
}

void
json_wipe(cJSON *o)
{
    wipe_strings(o);
    cJSON_Delete(o);
}

/* The member, or NULL if it is missing or null. */
static const cJSON *
member(const cJSON *o, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);

    return v && !cJSON_IsNull(v) ? v : NULL;
}

static enum err
wrong(struct problem *why, const char *name, const char *must)
{
    char error[sizeof(why->error)];

    (void)snprintf(error, sizeof(error), "Invalid parameter: %s", name);
    return problem_set(why, ERR_BADREQ, "invalid_parameter", error,
                       "%s must be %s", name, must);
}

enum err
json_get_str(const cJSON *o, const char *name, const char **out,
             struct problem *why)
{
    const cJSON *v = member(o, name);

    if (!v)
        return OK;
    if (!cJSON_IsString(v) || !v->valuestring)
        return wrong(why, name, "a string");
    *out = v->valuestring;
    return OK;
}

enum err
json_get_bool(const cJSON *o, const char *name, bool *out, struct problem *why)
{
    const cJSON *v = member(o, name);

    if (!v)
        return OK;
    if (!cJSON_IsBool(v))
        return wrong(why, name, "true or false");
    *out = cJSON_IsTrue(v);
    return OK;
}

/* A double that is a whole number within [min, max]. */
static bool
whole(double d, int64_t min, int64_t max, int64_t *out)
{
    int64_t v;

    if (!(d >= -TWO_63 && d < TWO_63))
        return false;
    v = (int64_t)d;
    if ((double)v != d || v < min || v > max)
        return false;
    *out = v;
    return true;
}

enum err
json_get_i64(const cJSON *o, const char *name, int64_t min, int64_t max,
             int64_t *out, struct problem *why)
{
    const cJSON *v = member(o, name);
    char must[96];

    if (!v)
        return OK;
    if (cJSON_IsNumber(v) && whole(v->valuedouble, min, max, out))
        return OK;
    (void)snprintf(must, sizeof(must),
                   "a whole number from %" PRId64 " to %" PRId64, min, max);
    return wrong(why, name, must);
}

enum err
json_get_num(const cJSON *o, const char *name, double min, double max,
             double *out, struct problem *why)
{
    const cJSON *v = member(o, name);
    char must[96];

    if (!v)
        return OK;
    if (cJSON_IsNumber(v) && v->valuedouble >= min && v->valuedouble <= max) {
        *out = v->valuedouble;
        return OK;
    }
    (void)snprintf(must, sizeof(must), "a number from %g to %g", min, max);
    return wrong(why, name, must);
}

const char *
json_str(const cJSON *o, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);

    return cJSON_IsString(v) ? v->valuestring : NULL;
}

int64_t
json_i64(const cJSON *o, const char *name, int64_t otherwise)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);
    int64_t out;

    if (cJSON_IsNumber(v) && whole(v->valuedouble, INT64_MIN, INT64_MAX, &out))
        return out;
    return otherwise;
}

const cJSON *
json_obj(const cJSON *o, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);

    return cJSON_IsObject(v) ? v : NULL;
}

const cJSON *
json_arr(const cJSON *o, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);

    return cJSON_IsArray(v) ? v : NULL;
}

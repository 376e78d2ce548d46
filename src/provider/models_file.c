/*
 * etc/models.json, read so that its people can find their mistakes: an array
 * of objects, of which each is cut out and parsed on its own. So a comma or a
 * brace that is missing in one row costs that row and no other, and every
 * complaint has the line it is about. (cJSON keeps no places; the line of a
 * member is found again in the text.)
 *
 * A string ends at the end of its line, as JSON has it; and where a "{" cannot
 * stand in an object, the object was not closed and the next row begins.
 */
#include "base/base.h"

#include "base/buf.h"
#include "base/json.h"
#include "provider/models_table.h"

#define RULE_MAX 160 /* bytes */
#define TOKENS_MAX 1000000000

struct reader {
    const char *s;
    size_t n;
    size_t i; /* next byte */
    models_fault_fn *fault;
    void *arg;
    size_t faults;
    const char *row; /* the row in hand */
    size_t row_len;
};

enum kind { TOKENS, DOLLARS, FLAG, NOTE, DATE, GROUP };

struct field {
    const char *name;
    enum kind kind;
    size_t offset;              /* in struct model */
    const struct field *fields; /* GROUP; ends with a NULL name */
};

/* clang-format off */
#define AT(member) offsetof(struct model, member)
static const struct field price_fields[] = {
    {"in", DOLLARS, AT(price.in), NULL},
    {"cached", DOLLARS, AT(price.cached), NULL},
    {"out", DOLLARS, AT(price.out), NULL},
    {NULL, NOTE, 0, NULL},
};
static const struct field long_fields[] = {
    {"over", TOKENS, AT(long_tokens), NULL},
    {"in", DOLLARS, AT(price_long.in), NULL},
    {"cached", DOLLARS, AT(price_long.cached), NULL},
    {"out", DOLLARS, AT(price_long.out), NULL},
    {NULL, NOTE, 0, NULL},
};
static const struct field ability_fields[] = {
    {"images", FLAG, AT(images), NULL},
    {"tools", FLAG, AT(tools), NULL},
    {"reasoning", FLAG, AT(reasoning), NULL},
    {"temperature", FLAG, AT(temperature), NULL},
    {"system", FLAG, AT(system), NULL},
    {NULL, NOTE, 0, NULL},
};
static const struct field row_fields[] = {
    {"provider", NOTE, 0, NULL}, /* both were read before */
    {"id", NOTE, 0, NULL},
    {"note", NOTE, 0, NULL}, /* for people */
    {"context", TOKENS, AT(context_tokens), NULL},
    {"output", TOKENS, AT(output_tokens), NULL},
    {"as_of", DATE, AT(as_of), NULL},
    {"price", GROUP, 0, price_fields},
    {"price_long", GROUP, 0, long_fields},
    {"abilities", GROUP, 0, ability_fields},
    {NULL, NOTE, 0, NULL},
};
/* clang-format on */

/* --- complaints --------------------------------------------------------- */

static int
line_of(const struct reader *r, const char *at)
{
    int line = 1;

    for (const char *p = r->s; p < at; p++)
        line += *p == '\n';
    return line;
}

static void
complain(struct reader *r, const char *at, const char *rule)
{
    r->faults++;
    r->fault(r->arg, line_of(r, at), rule);
}

/* Where "name" is a member's name, at or behind from; from if it is written in
 * another way (with escapes). */
static const char *
member_at(const struct reader *r, const char *from, const char *name)
{
    const char *end = r->row + r->row_len;
    size_t n = strlen(name);

    for (const char *p = from; p + n + 2 < end; p++) {
        const char *q = p + n + 2;

        if (*p != '"' || memcmp(p + 1, name, n) != 0 || p[n + 1] != '"')
            continue;
        while (q < end && strchr(" \t\r\n", *q) != NULL)
            q++;
        if (q < end && *q == ':')
            return p;
    }
    return from;
}

/* About a member; in is its group's name or NULL. Names that are not plain
 * letters are not shown. */
static void
complain_of(struct reader *r, const char *at, const char *in, const char *name,
            const char *must)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    char rule[RULE_MAX];
    size_t n = strlen(name);

    if (n == 0 || n > 40 || strspn(name, plain) != n)
        name = "(a member)";
    (void)snprintf(rule, sizeof(rule), "%s%s%s %s", in != NULL ? in : "",
                   in != NULL ? "." : "", name, must);
    complain(r, at, rule);
}

/* --- one row ------------------------------------------------------------ */

static const char *
take_number(int64_t *to, const struct field *f, const cJSON *v)
{
    bool dollars = f->kind == DOLLARS;
    double d = v->valuedouble;

    if (cJSON_IsNull(v)) {
        *to = f->offset == AT(long_tokens) ? 0 : -1;
        return NULL;
    }
    if (!cJSON_IsNumber(v))
        return dollars ? "must be a number of dollars or null"
                       : "must be a number of tokens or null";
    if (d < 0)
        return "must not be negative";
    if (dollars && !(d <= MODEL_PRICE_MAX_USD))
        return "must be dollars for a million tokens, at most 1000000";
    if (!dollars && !(d >= 1 && d <= TOKENS_MAX && (double)(int64_t)d == d))
        return "must be a whole number of tokens from 1 to 1000000000";
    *to = dollars ? (int64_t)(d * 1000000 + 0.5) : (int64_t)d;
    return NULL;
}

static const char *
take_date(const char **to, const cJSON *v)
{
    const char *s = v->valuestring;

    if (!cJSON_IsString(v) || strlen(s) != 10 ||
        strspn(s, "0123456789-") != 10 || s[4] != '-' || s[7] != '-')
        return "must be a date such as 2026-01-31";
    *to = models_keep(s);
    return NULL;
}

static void take_group(struct reader *r, struct model *m, const cJSON *o,
                       const struct field *fields, const char *in);

/* The rule that the member breaks, or NULL. */
static const char *
take_member(struct reader *r, struct model *m, const struct field *f,
            const cJSON *v)
{
    char *base = (char *)m;

    switch (f->kind) {
    case NOTE: return NULL;
    case TOKENS:
    case DOLLARS: return take_number((int64_t *)(base + f->offset), f, v);
    case DATE: return take_date((const char **)(base + f->offset), v);
    case FLAG:
        if (!cJSON_IsBool(v))
            return "must be true or false";
        *(bool *)(base + f->offset) = cJSON_IsTrue(v);
        return NULL;
    case GROUP:
        if (!cJSON_IsObject(v))
            return "must be an object";
        take_group(r, m, v, f->fields, f->name);
        return NULL;
    }
    return NULL;
}

static void
take_group(struct reader *r, struct model *m, const cJSON *o,
           const struct field *fields, const char *in)
{
    const char *from = in != NULL ? member_at(r, r->row, in) : r->row;
    const cJSON *v;

    cJSON_ArrayForEach(v, o) {
        const struct field *f = fields;
        const char *rule;

        while (f->name != NULL && strcmp(f->name, v->string) != 0)
            f++;
        rule = f->name != NULL ? take_member(r, m, f, v) : "is not known";
        if (rule != NULL)
            complain_of(r, member_at(r, from, v->string), in, v->string, rule);
    }
}

/* Is it a name, or the beginning of names with a star behind it? */
static bool
id_fits(const char *id)
{
    size_t n = strlen(id);

    if (n == 0 || n > MODEL_ID_MAX)
        return false;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)id[i] <= 0x20 || id[i] == 0x7f || id[i] == '"' ||
            id[i] == '\\' || (id[i] == '*' && i + 1 < n))
            return false;
    return true;
}

static void
take_row(struct reader *r, const cJSON *o)
{
    const char *provider = json_str(o, "provider");
    const char *id = json_str(o, "id");
    struct model *m;
    bool fresh;

    if (provider == NULL || models_provider(provider) == NULL) {
        complain_of(r, member_at(r, r->row, "provider"), NULL, "provider",
                    provider == NULL ? "must name a provider"
                                     : "names no provider that there is");
        return;
    }
    if (id == NULL || !id_fits(id)) {
        complain_of(r, member_at(r, r->row, "id"), NULL, "id",
                    "must be a model's name, or the beginning of names with "
                    "a * behind it");
        return;
    }
    m = models_row(models_provider(provider), id, &fresh);
    if (m == NULL) {
        complain(r, r->row, "there are too many models");
        return;
    }
    if (!fresh)
        complain(r, r->row, "this model was listed before; this row counts");
    take_group(r, m, o, row_fields, NULL);
    if (m->long_tokens == 0 && m->price_long.in >= 0)
        complain_of(r, member_at(r, r->row, "price_long"), NULL, "price_long",
                    "needs over, a number of tokens");
}

static void
read_row(struct reader *r)
{
    struct json_broken broken;
    cJSON *o = NULL;

    if (json_broken(r->row, r->row_len, &broken)) {
        complain(r, r->row + broken.at, broken.rule);
        return;
    }
    if (json_parse(r->row, r->row_len, &o, NULL) == OK)
        take_row(r, o);
    cJSON_Delete(o);
}

/* --- the array ---------------------------------------------------------- */

static void
skip_blanks(struct reader *r)
{
    while (r->i < r->n && strchr(" \t\r\n", r->s[r->i]) != NULL &&
           r->s[r->i] != '\0')
        r->i++;
}

/* Behind the string that begins at i, or at the end of its line. */
static size_t
string_end(const struct reader *r, size_t i)
{
    for (i++; i < r->n && r->s[i] != '"' && r->s[i] != '\n'; i++)
        if (r->s[i] == '\\' && i + 1 < r->n && r->s[i + 1] != '\n')
            i++;
    return i < r->n && r->s[i] == '"' ? i + 1 : i;
}

/* Behind the object that begins at i. */
static size_t
object_end(const struct reader *r, size_t i)
{
    size_t depth = 0, arrays = 0;
    char before = ':'; /* the last byte that is not blank */

    while (i < r->n) {
        char c = r->s[i];

        if (c == '{' && before != ':')
            return i; /* it was not closed */
        if (c == '{')
            depth++;
        if (c == '}' && --depth == 0)
            return i + 1;
        if (c == ']' && arrays == 0)
            return i; /* nor was this one */
        arrays += c == '[';
        arrays -= c == ']';
        if (strchr(" \t\r\n", c) == NULL)
            before = c;
        i = c == '"' ? string_end(r, i) : i + 1;
    }
    return i;
}

/* To the next row, or the end of the array. */
static void
skip_other(struct reader *r)
{
    complain(r, r->s + r->i, "expected an object, a model");
    while (r->i < r->n && r->s[r->i] != '{' && r->s[r->i] != ']')
        r->i = r->s[r->i] == '"' ? string_end(r, r->i) : r->i + 1;
}

static void
read_array(struct reader *r)
{
    bool comma = true; /* a row may come */
    bool any = false, open = false;

    for (skip_blanks(r); r->i < r->n && r->s[r->i] != ']'; skip_blanks(r)) {
        if (r->s[r->i] == ',') {
            if (comma)
                complain(r, r->s + r->i, "a comma too many");
            comma = true;
            r->i++;
        } else if (r->s[r->i] != '{') {
            skip_other(r);
            comma = true;
        } else {
            if (!comma && !open)
                complain(r, r->s + r->i, "expected a comma before this");
            r->row = r->s + r->i;
            r->i = object_end(r, r->i);
            r->row_len = (size_t)(r->s + r->i - r->row);
            read_row(r);
            /* What was not closed took its comma along. */
            open = r->row[r->row_len - 1] != '}';
            comma = false;
            any = true;
        }
    }
    if (r->i == r->n) {
        complain(r, r->s + r->n, "the array must end in ]");
        return;
    }
    if (comma && any)
        complain(r, r->s + r->i, "a comma too many");
    r->i++;
    skip_blanks(r);
    if (r->i < r->n)
        complain(r, r->s + r->i, "something follows the array");
}

size_t
models_file_parse(const char *s, size_t n, models_fault_fn *fault, void *arg)
{
    struct reader r = {.s = s, .n = n, .fault = fault, .arg = arg};

    if (n >= 3 && memcmp(s, "\xEF\xBB\xBF", 3) == 0)
        r.i = 3;
    skip_blanks(&r);
    if (r.i == r.n || s[r.i] != '[') {
        complain(&r, s + r.i, "expected an array of models");
        return r.faults;
    }
    r.i++;
    read_array(&r);
    return r.faults;
}

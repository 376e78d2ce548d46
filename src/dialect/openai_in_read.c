/*
 * Reading a request member by member. The tree (cJSON) says what is there;
 * where a value must keep its spelling, because it is passed on (a schema,
 * a number with many digits), it is found in the text, which was checked
 * before and so is walked without looking back. Pure.
 */
#include "base/base.h"

#include "dialect/openai_in_read.h"

/* --- refusing ------------------------------------------------------------- */

static enum err
refuse(struct openai_read *r, enum err e, const char *code, const char *param,
       const char *rule)
{
    (void)snprintf(r->param, OPENAI_IN_PARAM_MAX, "%s", param);
    return problem_set(r->why, e, code, "Invalid parameter", "%s %s.", param,
                       rule);
}

enum err
openai_refuse(struct openai_read *r, const char *code, const char *param,
              const char *rule)
{
    return refuse(r, ERR_BADREQ, code, param, rule);
}

enum err
openai_wrong_type(struct openai_read *r, const char *param, const char *rule)
{
    return refuse(r, ERR_BADREQ, "invalid_type", param, rule);
}

enum err
openai_wrong_value(struct openai_read *r, const char *param, const char *rule)
{
    return refuse(r, ERR_BADREQ, "invalid_value", param, rule);
}

enum err
openai_missing(struct openai_read *r, const char *param)
{
    char error[sizeof(r->why->error)];

    (void)snprintf(r->param, OPENAI_IN_PARAM_MAX, "%s", param);
    (void)snprintf(error, sizeof(error), "Missing required parameter: %s",
                   param);
    return problem_set(r->why, ERR_BADREQ, "missing_required_parameter", error,
                       "Please provide it.");
}

enum err
openai_too_many(struct openai_read *r, const char *param, size_t max)
{
    char rule[64];

    (void)snprintf(rule, sizeof(rule), "may have at most %zu entries", max);
    return refuse(r, ERR_TOOBIG, "too_big", param, rule);
}

/* --- members -------------------------------------------------------------- */

static const cJSON *
member(const cJSON *o, const char *name)
{
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(o, name);

    return m != NULL && !cJSON_IsNull(m) ? m : NULL;
}

enum err
openai_string(struct openai_read *r, const cJSON *o, const char *name,
              const char *param, const char **out)
{
    const cJSON *m = member(o, name);

    *out = NULL;
    if (m == NULL)
        return OK;
    if (!cJSON_IsString(m))
        return openai_wrong_type(r, param, "must be a string");
    *out = m->valuestring;
    return OK;
}

enum err
openai_bool(struct openai_read *r, const cJSON *o, const char *name, bool *out)
{
    const cJSON *m = member(o, name);

    if (m == NULL)
        return OK;
    if (!cJSON_IsBool(m))
        return openai_wrong_type(r, name, "must be true or false");
    *out = cJSON_IsTrue(m);
    return OK;
}

enum err
openai_number(struct openai_read *r, const cJSON *o, const char *name,
              double min, double max, double *out)
{
    const cJSON *m = member(o, name);
    char rule[64];

    if (m == NULL)
        return OK;
    (void)snprintf(rule, sizeof(rule), "must be a number from %g to %g", min,
                   max);
    if (!cJSON_IsNumber(m))
        return openai_wrong_type(r, name, rule);
    if (!(m->valuedouble >= min && m->valuedouble <= max))
        return openai_wrong_value(r, name, rule);
    *out = m->valuedouble;
    return OK;
}

enum err
openai_whole_number(struct openai_read *r, const cJSON *o, const char *name,
                    int64_t min, int64_t max, int64_t *out)
{
    const cJSON *m = member(o, name);
    char rule[96];
    double v;

    if (m == NULL)
        return OK;
    (void)snprintf(rule, sizeof(rule),
                   "must be a whole number from %" PRId64 " to %" PRId64, min,
                   max);
    if (!cJSON_IsNumber(m))
        return openai_wrong_type(r, name, rule);
    v = m->valuedouble;
    if (!(v >= (double)min && v <= (double)max) || v != (double)(int64_t)v)
        return openai_wrong_value(r, name, rule);
    *out = (int64_t)v;
    return OK;
}

/* --- the text ------------------------------------------------------------- */

static const char *
skip_space(const char *s)
{
    return s + strspn(s, " \t\r\n");
}

static const char *
skip_string(const char *s)
{
    for (s++; *s != '"'; s++)
        s += *s == '\\';
    return s + 1;
}

/* Behind the value that begins at s. */
static const char *
skip_value(const char *s)
{
    size_t depth = 0;

    do {
        if (*s == '"') {
            s = skip_string(s);
            continue;
        }
        if (*s == '{' || *s == '[')
            depth++;
        else if (*s == '}' || *s == ']')
            depth--;
        else if (depth == 0)
            return s + strcspn(s, " \t\r\n,]}"); /* a number or a word */
        s++;
    } while (depth > 0);
    return s;
}

bool
openai_walk(const char **text, struct openai_span *name,
            struct openai_span *value)
{
    const char *s = skip_space(*text);

    if (*s == '{' || *s == '[' || *s == ',')
        s = skip_space(s + 1);
    if (*s == '}' || *s == ']' || *s == '\0')
        return false;
    if (name != NULL) {
        name->s = s;
        s = skip_string(s);
        name->len = (size_t)(s - name->s);
        s = skip_space(skip_space(s) + 1); /* the colon */
    }
    value->s = s;
    s = skip_value(s);
    value->len = (size_t)(s - value->s);
    *text = skip_space(s);
    return true;
}

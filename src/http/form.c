/*
 * application/x-www-form-urlencoded (the URL standard's rules: '&' between
 * fields, '+' is a space, %XX). Stricter than the standard in three points:
 * a bad escape, a NUL and ill-formed UTF-8 are refused instead of repaired,
 * so that what is stored is what was meant.
 */
#include "base/base.h"

#include "http/form.h"

#include "base/buf.h"
#include "base/text.h"

static enum err
decode(struct arena *a, const char *s, size_t n, const char **out, size_t *len,
       struct problem *why)
{
    struct buf b;
    enum err e = OK;

    if (!memchr(s, '%', n) && !memchr(s, '+', n) && !memchr(s, 0, n)) {
        *out = arena_memdup0(a, s, n);
        *len = n;
    } else {
        buf_init(&b, n + 1);
        e = text_unpercent(&b, s, n, true);
        if (!e) {
            *len = b.len;
            *out = arena_memdup0(a, b.data ? b.data : "", b.len);
        }
        buf_release(&b);
    }
    if (e || !utf8_valid(*out, *len))
        return problem_set(why, ERR_BADREQ, "invalid_form", "Invalid form data",
                           "Send percent-encoded UTF-8 without NUL");
    return OK;
}

enum err
form_parse(struct form *f, struct arena *a, const char *s, size_t n,
           struct problem *why)
{
    const char *end;
    size_t count = 0;

    f->fields = NULL;
    f->n = 0;
    if (n == 0)
        return OK; /* s may be NULL */
    end = s + n;
    for (const char *p = s; p < end; count++) {
        const char *amp = memchr(p, '&', (size_t)(end - p));
        p = amp ? amp + 1 : end;
    }
    if (count > FORM_FIELDS_MAX)
        return problem_set(why, ERR_TOOBIG, "too_many_fields",
                           "Too many form fields", "Send at most %d fields",
                           FORM_FIELDS_MAX);
    f->fields = arena_alloc(a, count * sizeof(*f->fields));
    while (s < end) {
        const char *amp = memchr(s, '&', (size_t)(end - s));
        const char *stop = amp ? amp : end;
        const char *eq = memchr(s, '=', (size_t)(stop - s));
        const char *name_end = eq ? eq : stop;
        const char *value = eq ? eq + 1 : stop;
        struct form_field *field = &f->fields[f->n];
        size_t len;
        enum err e;

        if (stop > s) {
            e = decode(a, s, (size_t)(name_end - s), &field->name, &len, why);
            if (!e)
                e = decode(a, value, (size_t)(stop - value), &field->value,
                           &field->value_len, why);
            if (e)
                return e;
            f->n++;
        }
        s = amp ? amp + 1 : end;
    }
    return OK;
}

const struct form_field *
form_get(const struct form *f, const char *name)
{
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->fields[i].name, name) == 0)
            return &f->fields[i];
    return NULL;
}

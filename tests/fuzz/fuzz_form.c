/*
 * Fuzzes http/form.c. What is accepted is UTF-8 without NUL and bounded, and
 * each field can be found again by its name.
 */
#include "base/base.h"

#include "base/text.h"
#include "http/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = xmemdup0(data, size); /* a read past it is seen */
    struct problem why;
    struct arena a;
    struct form f;
    enum err e;

    arena_init(&a);
    e = form_parse(&f, &a, copy, size, &why);
    assert(e == OK || e == ERR_BADREQ || e == ERR_TOOBIG);
    for (size_t i = 0; !e && i < f.n; i++) {
        const struct form_field *field = &f.fields[i];
        assert(f.n <= FORM_FIELDS_MAX);
        assert(strlen(field->value) == field->value_len);
        assert(utf8_valid(field->value, field->value_len));
        assert(utf8_valid(field->name, strlen(field->name)));
        assert(form_get(&f, field->name));
    }
    arena_release(&a);
    free(copy);
    return 0;
}

/*
 * The extra of a message: its members are cut out of the object as they stand,
 * without a tree, so that a number keeps its digits and a list of messages
 * costs one pass over each. The text is checked first; after that a bracket
 * outside of a string is a bracket, and the cutting can be simple.
 */
#include "base/base.h"

#include "chat/extra.h"

#include "base/json.h"
#include "store/store.h"

/* The members, the most important first. */
static const struct member {
    const char *name;
    size_t at;  /* of its pointer in struct extra */
    char first; /* what its text begins with */
} members[] = {
    {"feedback", offsetof(struct extra, feedback), '{'},
    {"notes", offsetof(struct extra, notes), '['},
    {"tool_calls", offsetof(struct extra, tool_calls), '['},
    {"context", offsetof(struct extra, context), '{'},
    {"citations", offsetof(struct extra, citations), '['},
};

static const char **
member_of(struct extra *x, const struct member *m)
{
    return (const char **)(void *)((char *)x + m->at);
}

static const char *
member_text(const struct extra *x, const struct member *m)
{
    return *(const char *const *)(const void *)((const char *)x + m->at);
}

/* --- reading -------------------------------------------------------------- */

static const char *
skip_space(const char *p)
{
    while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
        p++;
    return p;
}

/* Behind the string that begins at p. */
static const char *
skip_string(const char *p)
{
    for (p++; *p != '"'; p++)
        if (*p == '\\')
            p++;
    return p + 1;
}

/* Behind the value at p, which is a member's: a comma or a bracket follows. */
static const char *
skip_value(const char *p)
{
    int depth = 0;

    for (;;) {
        switch (*p) {
        case '"': p = skip_string(p); continue;
        case '{':
        case '[': depth++; break;
        case '}':
        case ']':
            if (depth-- == 0)
                return p;
            break;
        case ',':
            if (depth == 0)
                return p;
            break;
        default: break;
        }
        p++;
    }
}

static void
copy_compact(struct buf *out, const char *p, const char *end)
{
    while (p < end) {
        const char *next = skip_space(p);

        if (next == p) {
            next = *p == '"' ? skip_string(p) : p + 1;
            buf_add(out, p, (size_t)(next - p));
        }
        p = next;
    }
    buf_addc(out, '\0');
}

static const struct member *
member_named(const char *name, size_t n)
{
    for (size_t i = 0; i < COUNT_OF(members); i++)
        if (strlen(members[i].name) == n &&
            memcmp(members[i].name, name, n) == 0)
            return &members[i];
    return NULL;
}

void
extra_read(struct extra *x, const char *s, size_t n)
{
    size_t at[COUNT_OF(members)] = {0}; /* where each begins in text */
    bool there[COUNT_OF(members)] = {false};
    const char *p = s;

    (void)memset(x, 0, sizeof(*x));
    if (n == 0 || json_check(s, n, NULL) != OK)
        return;
    p = skip_space(p);
    if (*p != '{')
        return;
    buf_init(&x->text, n + COUNT_OF(members)); /* each with its NUL */
    p = skip_space(p + 1);
    while (*p != '}') {
        const char *name = p + 1, *value;
        const char *name_end = skip_string(p) - 1;
        const struct member *m = member_named(name, (size_t)(name_end - name));

        value = skip_space(skip_space(name_end + 1) + 1);
        p = skip_value(value);
        if (m != NULL && *value == m->first) {
            there[m - members] = true;
            at[m - members] = x->text.len;
            copy_compact(&x->text, value, p);
        }
        p = *p == ',' ? skip_space(p + 1) : p;
    }
    for (size_t i = 0; i < COUNT_OF(members); i++)
        if (there[i])
            *member_of(x, &members[i]) = x->text.data + at[i];
}

void
extra_release(struct extra *x)
{
    buf_release(&x->text);
    (void)memset(x, 0, sizeof(*x));
}

/* In a string of JSON a quote is escaped: so this is no one's text. */
bool
extra_stays(const char *s, size_t n)
{
    static const char mark[] = "\"stays\":true";

    return n > 0 && memmem(s, n, mark, sizeof(mark) - 1) != NULL;
}

/* --- writing -------------------------------------------------------------- */

void
extra_write(struct buf *out, const struct extra *x)
{
    size_t room = STORE_EXTRA_MAX - 2; /* of the brackets */
    struct json_out j;
    bool any = false;

    json_out_init(&j, out);
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        const char *text = member_text(x, &members[i]);
        size_t n = text == NULL ? 0 : strlen(text);
        size_t more = strlen(members[i].name) + 4 + n; /* "": and a comma */

        if (n == 0 || strcmp(text, "[]") == 0 || more > room)
            continue;
        room -= more;
        if (!any)
            json_begin_obj(&j);
        any = true;
        json_put_raw(&j, members[i].name, text, n);
    }
    if (any)
        json_end_obj(&j);
}

/*
 * The reader of AWS's shared files. They are INI files of a dialect that the
 * AWS SDK reference guide describes ("Shared config and credentials files"):
 * names of settings in any case, comments begin a line or follow a blank,
 * lines that begin with a blank belong to a nested setting (s3, for one) and
 * mean nothing here. A section may come twice; the later value counts.
 *
 * The files belong to other programs as well. So only what lies in the wanted
 * profile is looked at closely, and nothing of what a line holds is ever
 * shown: it may be a key.
 */
#include "base/base.h"

#include "provider/aws_profile.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

struct span {
    const char *s;
    size_t n;
};

static bool
blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct span
trim(const char *s, size_t n)
{
    while (n > 0 && blank(*s)) {
        s++;
        n--;
    }
    while (n > 0 && blank(s[n - 1]))
        n--;
    return (struct span){s, n};
}

static bool
is(struct span a, const char *b)
{
    return a.n == strlen(b) && memcmp(a.s, b, a.n) == 0;
}

static void
wipe(char **s)
{
    mem_free_secret(*s);
    *s = NULL;
}

void
aws_profile_init(struct aws_profile *p)
{
    memset(p, 0, sizeof(*p));
}

void
aws_profile_release(struct aws_profile *p)
{
    wipe(&p->access_key);
    wipe(&p->secret_key);
    wipe(&p->session_token);
    wipe(&p->region);
    memset(p, 0, sizeof(*p));
}

/* Does "[...]" name the profile? The line begins with the bracket. false with
 * *rule set: it is no section. */
static bool
section_is(struct span line, enum aws_profile_file kind, const char *name,
           const char **rule)
{
    const char *end = memchr(line.s, ']', line.n);
    struct span in;

    if (end == NULL) {
        *rule = "a section must end in ]";
        return false;
    }
    in = trim(line.s + 1, (size_t)(end - line.s) - 1);
    if (kind == AWS_PROFILE_CONFIG && in.n > 7 &&
        memcmp(in.s, "profile", 7) == 0 && blank(in.s[7]))
        in = trim(in.s + 7, in.n - 7);
    else if (kind == AWS_PROFILE_CONFIG && !is(in, "default"))
        return false; /* [sso-session …], [services …] */
    if (in.n >= 2 && (*in.s == '"' || *in.s == '\'') && in.s[in.n - 1] == *in.s)
        in = trim(in.s + 1, in.n - 2);
    return is(in, name);
}

/* Where the value of this setting goes; NULL: it means nothing here. */
static char **
slot(struct aws_profile *p, struct span key)
{
    static const char *const others[] = {
        "role_arn",      "credential_process",      "sso_session",
        "sso_start_url", "web_identity_token_file", "login_session",
    };

    if (text_ieqn(key.s, key.n, "aws_access_key_id"))
        return &p->access_key;
    if (text_ieqn(key.s, key.n, "aws_secret_access_key"))
        return &p->secret_key;
    if (text_ieqn(key.s, key.n, "aws_session_token") ||
        text_ieqn(key.s, key.n, "aws_security_token"))
        return &p->session_token;
    if (text_ieqn(key.s, key.n, "region"))
        return &p->region;
    for (size_t i = 0; i < COUNT_OF(others); i++)
        if (text_ieqn(key.s, key.n, others[i]))
            p->elsewhere = true;
    return NULL;
}

/* "key = value": the rule that it breaks, or NULL. */
static const char *
take_setting(struct aws_profile *p, struct span line)
{
    const char *equals = memchr(line.s, '=', line.n);
    struct span key, value;
    char **to;

    if (equals == NULL)
        return "expected key = value";
    key = trim(line.s, (size_t)(equals - line.s));
    value = trim(equals + 1, line.n - (size_t)(equals - line.s) - 1);
    for (size_t i = 0; i < value.n; i++)
        if ((value.s[i] == '#' || value.s[i] == ';') &&
            (i == 0 || blank(value.s[i - 1])))
            value = trim(value.s, i);
    to = slot(p, key);
    if (to == NULL)
        return NULL;
    if (value.n > AWS_PROFILE_VALUE_MAX)
        return "the value is too long";
    for (size_t i = 0; i < value.n; i++)
        if ((unsigned char)value.s[i] <= 0x20 ||
            (unsigned char)value.s[i] >= 0x7f)
            return "the value holds blanks or control characters";
    wipe(to);
    if (value.n > 0)
        *to = xmemdup0(value.s, value.n);
    return NULL;
}

void
aws_profile_parse(struct aws_profile *p, const char *s, size_t n,
                  enum aws_profile_file kind, const char *name,
                  aws_profile_bad_fn *bad, void *arg)
{
    const char *end = s + n;
    bool ours = false;
    int line = 1;

    if (n >= 3 && memcmp(s, "\xEF\xBB\xBF", 3) == 0)
        s += 3;
    for (; s < end; line++) {
        const char *stop = memchr(s, '\n', (size_t)(end - s));
        const char *next = stop != NULL ? stop + 1 : end;
        struct span text = trim(s, (size_t)((stop ? stop : end) - s));
        const char *rule = NULL;
        bool nested = blank(*s);

        s = next;
        if (text.n == 0 || *text.s == '#' || *text.s == ';')
            continue;
        if (!nested && *text.s == '[') {
            ours = section_is(text, kind, name, &rule);
            p->found |= ours;
        } else if (ours && !nested) {
            rule = take_setting(p, text);
        }
        if (rule != NULL)
            bad(arg, line, rule);
    }
}

enum err
aws_profile_read(struct aws_profile *p, const char *path,
                 enum aws_profile_file kind, const char *name,
                 aws_profile_bad_fn *bad, void *arg)
{
    FILE *f = fopen(path, "re");
    enum err e = OK;
    char *text;
    size_t n;

    if (f == NULL && (errno == ENOENT || errno == ENOTDIR))
        return ERR_NOTFOUND;
    if (f == NULL) {
        bad(arg, 0, "cannot be read");
        return ERR_STORE;
    }
    text = xmalloc(AWS_PROFILE_FILE_MAX + 1);
    n = fread(text, 1, AWS_PROFILE_FILE_MAX + 1, f);
    if (ferror(f)) {
        bad(arg, 0, "cannot be read");
        e = ERR_STORE;
    } else if (n > AWS_PROFILE_FILE_MAX) {
        bad(arg, 0, "longer than 1 MiB");
        e = ERR_TOOBIG;
    } else {
        aws_profile_parse(p, text, n, kind, name, bad, arg);
    }
    explicit_bzero(text, n);
    free(text);
    (void)fclose(f);
    return e;
}

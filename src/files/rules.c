/*
 * The rules of a folder: lines of a word and a pattern, read once and held
 * against paths. The header has the language.
 *
 * A path is held against a pattern together with all folders above it, in one
 * pass (glob_parts), and the last line that matched any of these is the path's.
 * So the answer for a file is right even if nobody asked for its folders. A
 * line that takes back ("!") must know what it takes back where: for each part
 * of the path the last line of each label that gave it and the last that took
 * it back are written down, and then read from the top folder to the file.
 *
 * Where something is doubtful the stricter answer is given: a path that is too
 * long is ignored, a file of rules with one wrong line is refused as a whole,
 * since a label that silently is none would let a file leave.
 */
#include "base/base.h"

#include "files/rules.h"

#include "base/mem.h"
#include "base/text.h"
#include "files/glob.h"

#define LABELS (LABEL_IGNORE + 1)
#define PATH_BYTES_MAX 4096
#define BLANKS " \t"

struct rule {
    enum label label;
    bool takes_back;
    bool dirs_only;
    struct glob *glob; /* owned */
};

struct rules {
    struct rule *at; /* owned; in the order of the lines */
    size_t n, cap, hidden;
    struct buf redactions; /* a line each, and a NUL */
};

static const char *const names[LABELS] = {
    [LABEL_CLOUD_OK] = "cloud-ok",
    [LABEL_REDACT] = "redact",
    [LABEL_LOCAL_ONLY] = "local-only",
    [LABEL_IGNORE] = "ignore",
};

const char *
label_name(enum label l)
{
    assert((unsigned)l < LABELS);
    return names[l];
}

bool
label_parse(const char *name, enum label *out)
{
    for (int i = 0; i < LABELS; i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (enum label)i;
            return true;
        }
    return false;
}

/* --- reading -------------------------------------------------------------- */

struct line {
    const char *s;
    size_t n, number;
};

static enum err
wrong(struct problem *why, const struct line *l, const char *what)
{
    return problem_set(why, ERR_BADREQ, "invalid_rules",
                       "The rules of this folder are wrong.",
                       RULES_FILE ", line %zu: %s.", l->number, what);
}

static void
skip_blanks(struct line *l)
{
    while (l->n && strchr(BLANKS, l->s[0])) {
        l->s++;
        l->n--;
    }
}

/* Blanks at the end, but for one behind a backslash. */
static void
cut_end(struct line *l)
{
    while (l->n && strchr(BLANKS, l->s[l->n - 1])) {
        size_t slashes = 0;

        while (slashes + 1 < l->n && l->s[l->n - 2 - slashes] == '\\')
            slashes++;
        if (slashes % 2)
            return;
        l->n--;
    }
}

/* The first word, which is then gone from the line with the blanks around. */
static void
take_word(struct line *l, char *out, size_t size)
{
    size_t n = 0;

    skip_blanks(l);
    while (n < l->n && !strchr(BLANKS, l->s[n]))
        n++;
    snprintf(out, size, "%.*s", (int)(n < size ? n : size - 1), l->s);
    l->s += n;
    l->n -= n;
    skip_blanks(l);
    cut_end(l);
}

static enum err
take_hidden(struct rules *r, const struct line *l, struct problem *why)
{
    const char *what = NULL;
    struct glob *g;

    if (glob_new(GLOB_WORDS, l->s, l->n, &g, &what))
        return wrong(why, l, what);
    glob_free(g);
    if (r->hidden == RULES_MAX)
        return wrong(why, l, "there are too many patterns");
    r->hidden++;
    if (r->redactions.len)
        buf_addc(&r->redactions, '\n');
    buf_add(&r->redactions, l->s, l->n);
    return OK;
}

static enum err
take_pattern(struct rules *r, enum label label, struct line *l,
             struct problem *why)
{
    struct rule rule = {.label = label};
    const char *what = NULL;

    if (r->n == RULES_MAX)
        return wrong(why, l, "there are too many patterns");
    if (l->n && l->s[0] == '!') {
        rule.takes_back = true;
        l->s++;
        l->n--;
        skip_blanks(l);
    }
    if (l->n && l->s[l->n - 1] == '/') {
        rule.dirs_only = true;
        l->n--;
    }
    if (glob_new(GLOB_PATH, l->s, l->n, &rule.glob, &what))
        return wrong(why, l, what);
    if (r->n == r->cap) {
        r->cap = r->cap ? r->cap * 2 : 16;
        r->at = xrealloc(r->at, r->cap * sizeof(*r->at));
    }
    r->at[r->n++] = rule;
    return OK;
}

static enum err
take_line(struct rules *r, struct line *l, struct problem *why)
{
    enum label label;
    char word[16];

    if (memchr(l->s, '\0', l->n) || !utf8_valid(l->s, l->n))
        return wrong(why, l, "it is not text in UTF-8");
    skip_blanks(l);
    if (l->n == 0 || l->s[0] == '#')
        return OK;
    take_word(l, word, sizeof(word));
    if (strcmp(word, "redact-text") == 0)
        return take_hidden(r, l, why);
    if (!label_parse(word, &label))
        return wrong(why, l,
                     "it must begin with cloud-ok, redact, local-only, ignore "
                     "or redact-text");
    return take_pattern(r, label, l, why);
}

enum err
rules_read(const char *text, size_t n, struct rules **out, struct problem *why)
{
    struct rules *r = xcalloc(1, sizeof(*r));
    struct line l = {.number = 0};
    enum err e = OK;
    size_t i = n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;

    buf_init(&r->redactions, RULES_BYTES_MAX + 1);
    if (n > RULES_BYTES_MAX)
        e = problem_set(why, ERR_BADREQ, "invalid_rules",
                        "The rules of this folder are too long.",
                        RULES_FILE " may have %d bytes.", RULES_BYTES_MAX);
    while (!e && i < n) {
        const char *end = memchr(text + i, '\n', n - i);

        l = (struct line){.s = text + i, .number = l.number + 1};
        l.n = (end ? (size_t)(end - text) : n) - i;
        i += l.n + 1;
        l.n -= l.n && l.s[l.n - 1] == '\r';
        e = take_line(r, &l, why);
    }
    if (e) {
        rules_free(r);
        return e;
    }
    buf_addc(&r->redactions, '\0');
    *out = r;
    return OK;
}

void
rules_free(struct rules *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->n; i++)
        glob_free(r->at[i].glob);
    free(r->at);
    buf_release(&r->redactions);
    free(r);
}

/* --- asking --------------------------------------------------------------- */

/* Of one part of a path: the last line, from 1, that gave each label, and the
 * last that took it back; 0: none. */
struct part {
    size_t given[LABELS];
    size_t taken[LABELS];
};

struct look {
    struct part *parts;
    size_t n;
    bool is_dir; /* the last part is a folder, as are all others */
    const struct rule *rule;
    size_t number; /* of the rule, from 1 */
};

static void
write_down(void *arg, size_t part)
{
    struct look *k = arg;
    const struct rule *r = k->rule;

    assert(part < k->n);
    if (r->dirs_only && part + 1 == k->n && !k->is_dir)
        return;
    if (r->takes_back)
        k->parts[part].taken[r->label] = k->number;
    else
        k->parts[part].given[r->label] = k->number;
}

/* The label of the last part, with what holds from the folders above it. */
static enum label
read_down(const struct look *k)
{
    size_t given[LABELS] = {0};
    enum label best = LABEL_CLOUD_OK;

    for (size_t i = 0; i < k->n && best != LABEL_IGNORE; i++) {
        best = LABEL_CLOUD_OK;
        for (int l = 0; l < LABELS; l++) {
            size_t here = k->parts[i].given[l], taken = k->parts[i].taken[l];

            if (given[l] < taken)
                given[l] = 0;
            if (here > taken && here > given[l])
                given[l] = here;
            if (given[l] > given[best])
                best = (enum label)l;
        }
    }
    return best;
}

enum label
rules_label(const struct rules *r, const char *path, bool is_dir)
{
    struct look k = {.n = 1, .is_dir = is_dir};
    size_t n = strlen(path);
    enum label label;

    if (r == NULL || n == 0)
        return LABEL_CLOUD_OK;
    if (n > PATH_BYTES_MAX)
        return LABEL_IGNORE;
    for (size_t i = 0; i < n; i++)
        k.n += path[i] == '/';
    k.parts = xcalloc(k.n, sizeof(*k.parts));
    for (size_t i = 0; i < r->n; i++) {
        k.rule = &r->at[i];
        k.number = i + 1;
        glob_parts(k.rule->glob, path, n, write_down, &k);
    }
    label = read_down(&k);
    free(k.parts);
    return label;
}

const char *
rules_redactions(const struct rules *r)
{
    return r ? r->redactions.data : "";
}

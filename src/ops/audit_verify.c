/*
 * Checking the audit log: every line's hash, every line's number and what it
 * follows, the macs if there is a key, and audit.head, all in one pass over the
 * files. What is found is told with file, line and a sentence; nothing is
 * changed. How many lines are checked has no bearing on memory.
 *
 * Which macs must be right: those of all lines after the first right one. What
 * stands before it was written without this key, and is held by the chain: the
 * first line with a right mac vouches for it.
 */
#include "base/base.h"

#include "ops/audit_file.h"

#include <stdarg.h>

struct check {
    struct audit_seal seal;
    struct audit_link last; /* the line before; n: the highest so far */
    bool any;               /* there was a line */
    int64_t first_n;        /* that the first line must have */
    struct audit_link head;
    bool has_head;
    int64_t foreign; /* lines before the first right mac */
    bool mac_seen, last_mac;
    bool macs; /* some line has one */
    bool last_part;
    audit_finding_fn *fn;
    void *arg;
    struct audit_verdict *out;
};

static void tell(struct check *c, bool note, const char *file, int64_t line,
                 const char *fmt, ...) PRINTF(5, 6);

static void
tell(struct check *c, bool note, const char *file, int64_t line,
     const char *fmt, ...)
{
    char text[400];
    struct audit_finding f = {
        .file = file, .line = line, .note = note, .text = text};
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (!note)
        c->out->faults++;
    c->fn(c->arg, &f);
}

/* "line 7 is", "lines 7 to 9 are" missing. */
static void
tell_missing(struct check *c, const char *file, int64_t line, int64_t from,
             int64_t to, const char *how)
{
    if (from == to)
        tell(c, false, file, line, "line %" PRId64 " is missing%s", from, how);
    else
        tell(c, false, file, line,
             "lines %" PRId64 " to %" PRId64 " are missing%s", from, to, how);
}

/* --- a line ----------------------------------------------------------- */

/* Does it stand where its number and prev say? */
static void
check_place(struct check *c, const char *file, int64_t line,
            const struct audit_parts *p)
{
    int64_t due = c->any ? c->last.n + 1 : c->first_n;

    if (p->n > due) {
        tell_missing(c, file, line, due, p->n - 1, " before this one");
    } else if (p->n < due) {
        tell(c, false, file, line,
             "line %" PRId64 " stands after line %" PRId64
             ": it was moved, repeated or put in",
             p->n, due - 1);
    } else if ((c->any || p->n == 1) && strcmp(p->prev, c->last.hash) != 0) {
        tell(c, false, file, line,
             "line %" PRId64 " does not follow from the line before it: one "
             "of the two was replaced",
             p->n);
    }
}

static void
check_mac(struct check *c, const char *file, int64_t line,
          const struct audit_parts *p)
{
    bool right = audit_mac_right(&c->seal, p);

    c->macs = c->macs || p->mac[0] != '\0';
    c->last_mac = right;
    if (right) {
        c->out->with_mac++;
        c->mac_seen = true;
    } else if (!c->seal.keyed) {
        return;
    } else if (c->mac_seen) {
        tell(c, false, file, line, "line %" PRId64 " has %s", p->n,
             p->mac[0] == '\0' ? "no mac, as if there were no key"
                               : "a mac of another key, or a forged one");
    } else {
        c->foreign++;
    }
}

/* Is it the line in which a writer says that the end was not as left? */
static bool
is_gap(const char *s, size_t len)
{
    static const char event[] = "\",\"event\":\"audit_gap\",";
    const char *at = memmem(s, len, "\"at\":\"", 6);
    size_t from = at == NULL ? len : (size_t)(at - s) + 6 + 24;

    return from + sizeof(event) - 1 <= len &&
           memcmp(s + from, event, sizeof(event) - 1) == 0;
}

static bool
on_line(void *arg, const char *file, int64_t line, const char *s, size_t len,
        bool torn)
{
    struct check *c = arg;
    struct audit_parts p;

    if (torn) {
        tell(c, c->last_part, file, line, "half a line at the end: %s",
             c->last_part ? "a process ended while it wrote it; the next one "
                            "that writes will cut it off"
                          : "no process leaves one in an older file");
        return true;
    }
    c->out->lines++;
    if (audit_line_read(s, len, &p) != OK) {
        tell(c, false, file, line, "this is no line of an audit log");
        return true;
    }
    if (!audit_hash_right(s, &p))
        tell(c, false, file, line,
             "line %" PRId64 " was changed: its hash is not what it says", p.n);
    check_place(c, file, line, &p);
    check_mac(c, file, line, &p);
    if (is_gap(s, len))
        tell(c, false, file, line,
             "line %" PRId64 " tells that the log did not end where it had "
             "been left",
             p.n);
    if (c->has_head && p.n == c->head.n) {
        if (strcmp(p.hash, c->head.hash) != 0)
            tell(c, false, file, line,
                 "line %" PRId64 " is not the one that " AUDIT_HEAD " knows",
                 p.n);
    }
    if (!c->any)
        c->out->first_n = p.n;
    if (!c->any || p.n > c->last.n) {
        c->last.n = p.n;
        (void)memcpy(c->last.hash, p.hash, sizeof(p.hash));
    }
    c->any = true;
    return true;
}

/* --- the whole -------------------------------------------------------- */

static void
load_head(struct check *c, const struct audit_parts_list *l)
{
    bool right = false;

    if (l->head_len == 0) {
        tell(c, false, AUDIT_HEAD, 0,
             "it is missing: whether the end was cut off cannot be told");
        return;
    }
    c->has_head = audit_head_read(l->head, l->head_len, &c->seal, &c->head,
                                  &right) == OK;
    if (!c->has_head)
        tell(c, false, AUDIT_HEAD, 0, "it is damaged");
    else if (c->seal.keyed && !right)
        tell(c, false, AUDIT_HEAD, 0, "it was not written with this key");
}

static void
check_end(struct check *c)
{
    int64_t last_n = c->any ? c->last.n : 0;

    if (!c->has_head)
        return;
    if (c->head.n > last_n)
        tell_missing(c, AUDIT_LOG, 0, last_n + 1, c->head.n,
                     ": the end was cut off");
    else if (c->head.n < last_n)
        tell(c, true, AUDIT_HEAD, 0,
             "it knows of %" PRId64 " lines fewer: a process was killed",
             last_n - c->head.n);
}

static void
check_keys(struct check *c)
{
    if (!c->seal.keyed) {
        if (c->macs)
            tell(c, true, AUDIT_LOG, 0,
                 "the macs were not checked: no key is set");
        return;
    }
    if (c->any && !c->last_mac)
        tell(c, false, AUDIT_LOG, 0,
             "the last line has no mac of this key: nothing vouches for the "
             "lines before it");
    else if (c->foreign > 0)
        tell(c, true, AUDIT_LOG, 0,
             "the first %" PRId64 " lines have no mac of this key. The lines "
             "after them vouch for them; if no key was set or changed then, "
             "they had been replaced",
             c->foreign);
}

enum err
audit_verify(const struct audit_config *conf, int64_t first_n,
             audit_finding_fn *fn, void *arg, struct audit_verdict *out)
{
    struct check c = {.fn = fn, .arg = arg, .out = out};
    struct audit_parts_list l;
    enum err e;

    (void)memset(out, 0, sizeof(*out));
    audit_seal_init(&c.seal, conf->key);
    audit_link_init(&c.last);
    c.first_n = first_n > 0 ? first_n : 1;
    e = audit_parts_list(&l, conf->dir);
    if (e != OK)
        return e;
    load_head(&c, &l);
    for (size_t i = 0; i < l.n && e == OK; i++) {
        bool more = true;

        c.last_part = i + 1 == l.n;
        e = audit_part_walk(&l, i, on_line, &c, &more);
    }
    if (e == OK) {
        check_end(&c);
        check_keys(&c);
    }
    out->files = (int64_t)l.n;
    out->last_n = c.any ? c.last.n : 0;
    (void)memcpy(out->last_hash, c.last.hash, sizeof(out->last_hash));
    audit_parts_free(&l);
    return e;
}

/*
 * What `parley doctor` found, as lines or as an array of JSON. A finding is
 * held until the next one, as what to change is said after it. What a server
 * said may be in a sentence: control characters are taken out of all.
 */
#include "base/base.h"

#include "doctor.h"

#include <ctype.h>
#include <stdarg.h>

#include "base/json.h"

#define OBJECT_MAX (64 * 1024) /* bytes */

static const struct {
    const char *line, *json;
} states[] = {
    [DOCTOR_OK] = {"ok  ", "ok"},
    [DOCTOR_NOTE] = {"note", "note"},
    [DOCTOR_WARN] = {"warn", "warn"},
    [DOCTOR_FAIL] = {"FAIL", "fail"},
};

static void
make_plain(char *s)
{
    for (; *s != '\0'; s++) {
        bool c1 = s[0] == '\xc2' && (s[1] & 0xe0) == 0x80; /* U+0080 … */

        if (c1)
            s[1] = ' ';
        if (c1 || iscntrl((unsigned char)*s))
            *s = ' ';
    }
}

static void
show_line(const struct doctor_finding *f)
{
    (void)printf("%s %s: %s\n", states[f->state].line, f->name, f->text);
    for (size_t i = 0; i < f->n_changes; i++)
        (void)printf("       %s: %s\n", f->changes[i].where,
                     f->changes[i].line);
}

static void
show_object(const struct doctor *d, const struct doctor_finding *f)
{
    struct json_out j;
    struct buf b;

    buf_init(&b, OBJECT_MAX);
    json_out_init(&j, &b);
    json_begin_obj(&j);
    json_put_str(&j, "status", states[f->state].json);
    json_put_str(&j, "name", f->name);
    json_put_str(&j, "message", f->text);
    json_name(&j, "change");
    json_begin_arr(&j);
    for (size_t i = 0; i < f->n_changes; i++) {
        json_begin_obj(&j);
        json_put_str(&j, "where", f->changes[i].where);
        json_put_str(&j, "line", f->changes[i].line);
        json_end_obj(&j);
    }
    json_end_arr(&j);
    json_end_obj(&j);
    (void)printf("%s\n%s", d->shown ? "," : "", buf_cstr(&b));
    buf_release(&b);
}

static void
show(struct doctor *d)
{
    if (!d->has_now)
        return;
    if (d->json)
        show_object(d, &d->now);
    else
        show_line(&d->now);
    (void)fflush(stdout); /* the next check may take its time */
    d->shown = true;
    d->has_now = false;
}

void
doctor_say(struct doctor *d, enum doctor_state state, const char *name,
           const char *fmt, ...)
{
    va_list ap;

    show(d);
    d->has_now = true;
    d->ill |= state == DOCTOR_FAIL;
    d->now.state = state;
    d->now.name = name;
    d->now.n_changes = 0;
    va_start(ap, fmt);
    (void)vsnprintf(d->now.text, sizeof(d->now.text), fmt, ap);
    va_end(ap);
    make_plain(d->now.text);
}

void
doctor_change(struct doctor *d, const char *where, const char *fmt, ...)
{
    struct doctor_finding *f = &d->now;
    va_list ap;

    assert(d->has_now);
    if (f->n_changes == DOCTOR_CHANGES_MAX)
        return;
    f->changes[f->n_changes].where = where;
    va_start(ap, fmt);
    (void)vsnprintf(f->changes[f->n_changes].line,
                    sizeof(f->changes[f->n_changes].line), fmt, ap);
    va_end(ap);
    make_plain(f->changes[f->n_changes++].line);
}

void
doctor_begin(struct doctor *d)
{
    if (d->json)
        (void)fputs("[", stdout);
}

void
doctor_end(struct doctor *d)
{
    show(d);
    if (d->json)
        (void)fputs("\n]\n", stdout);
}

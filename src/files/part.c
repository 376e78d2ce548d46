/*
 * XML in archives. What the archive says about a failure (too much of it, a
 * wrong checksum) counts before what the XML parser makes of it.
 */
#include "base/base.h"

#include "files/part.h"

enum err
part_read(struct archive *a, const char *name, const struct xml_events *events,
          void *arg)
{
    struct archive_part p;
    enum skip why = SKIP_NOT;
    enum err e = archive_part(a, name, &p);

    if (e != OK)
        return e;
    e = xml_read(archive_source(&p), events, arg, &why);
    archive_part_end(&p);
    if (e != OK && a->why == SKIP_NOT)
        a->why = why;
    return e;
}

struct title {
    char *out;
    size_t n;
    bool inside, done;
};

static bool
on_start(void *arg, const char *name, const char *space,
         const struct xml_atts *atts)
{
    struct title *t = arg;

    (void)atts;
    t->inside = !t->done && strcmp(name, "title") == 0 &&
                xml_space_ends(space, "/dc/elements/1.1/");
    return true;
}

static bool
on_end(void *arg, const char *name, const char *space)
{
    struct title *t = arg;

    (void)name;
    (void)space;
    t->done = t->done || (t->inside && t->n > 0);
    t->inside = false;
    return !t->done;
}

static bool
on_text(void *arg, const char *s, size_t n)
{
    struct title *t = arg;

    if (t->inside && n < PART_TITLE_MAX - t->n) {
        (void)memcpy(t->out + t->n, s, n);
        t->n += n;
        t->out[t->n] = '\0';
    }
    return true;
}

void
part_title(struct archive *a, const char *name, char out[PART_TITLE_MAX])
{
    static const struct xml_events events = {on_start, on_end, on_text};
    struct title t = {.out = out};
    enum skip why = a->why;

    out[0] = '\0';
    IGNORE(part_read(a, name, &events, &t));
    a->why = why;
}

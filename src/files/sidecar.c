/*
 * A file beside an image that says what is to be seen on it, written by a
 * person or a program. What it says stands above what the image says; tags are
 * those of both. It is read in the process that indexes, so it must not need
 * the libraries of image_read: JSON is base/json.h's, the rest is lines.
 *
 * A file is no sidecar just for its name: "data.json" beside "data.png" may be
 * a document. It is one if it says something of what a sidecar says; as a text,
 * if it is no longer than a description may be.
 */
#include "base/base.h"

#include "files/image.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "files/image_fact.h"

#define TEXT_MAX (2 * FACTS_DESCRIPTION_MAX)
#define TAGS_MAX 256 /* in one list */

static bool
ends_in(const char *name, const char *end)
{
    size_t n = strlen(name), len = strlen(end);

    return n > len && text_ieq(name + n - len, end);
}

/* --- names ---------------------------------------------------------------- */

bool
sidecar_is_of(const char *name, const char *image)
{
    const char *slash = strrchr(image, '/');
    const char *base = slash ? slash + 1 : image;
    const char *dot = strrchr(base, '.');
    size_t whole = strlen(image);
    size_t stem = dot && dot > base ? (size_t)(dot - image) : whole;
    size_t n = strlen(name);

    if ((!ends_in(name, ".json") && !ends_in(name, ".txt")) || !*base)
        return false;
    n -= ends_in(name, ".json") ? 5 : 4;
    return (n == whole || n == stem) && memcmp(name, image, n) == 0 &&
           strcmp(name, image) != 0;
}

/* --- places --------------------------------------------------------------- */

/* "38.7", "-9.14": how many bytes; 0: no number. */
static size_t
read_degrees(const char *s, double *out)
{
    size_t n = strspn(s, "+-.0123456789");
    char copy[32], *end;

    if (n == 0 || n >= sizeof(copy))
        return 0;
    snprintf(copy, sizeof(copy), "%.*s", (int)n, s);
    *out = strtod(copy, &end);
    return *end == '\0' ? n : 0;
}

/* "38.7, -9.14", else the name of a place. */
static bool
place_text(struct facts *f, const char *s)
{
    double latitude, longitude;
    size_t n = read_degrees(s, &latitude), more;

    if (n) {
        n += strspn(s + n, ", ");
        more = read_degrees(s + n, &longitude);
        if (more && s[n + more] == '\0')
            return fact_place(f, latitude, longitude);
    }
    fact_tag(f, s, strlen(s));
    return true;
}

static const cJSON *
member(const cJSON *o, const char *const names[])
{
    for (; *names; names++) {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, *names);

        if (v && !cJSON_IsNull(v))
            return v;
    }
    return NULL;
}

static void
take_place(struct facts *f, const cJSON *v)
{
    static const char *const latitudes[] = {"latitude", "lat", NULL};
    static const char *const longitudes[] = {"longitude", "lon", "lng", NULL};
    const cJSON *latitude = NULL, *longitude = NULL;

    if (cJSON_IsString(v))
        place_text(f, v->valuestring);
    if (cJSON_IsObject(v)) {
        const char *name = json_str(v, "name");

        if (name)
            fact_tag(f, name, strlen(name));
        latitude = member(v, latitudes);
        longitude = member(v, longitudes);
    } else if (cJSON_IsArray(v) && cJSON_GetArraySize(v) == 2) {
        latitude = v->child;
        longitude = v->child->next;
    }
    if (latitude && longitude && cJSON_IsNumber(latitude) &&
        cJSON_IsNumber(longitude))
        fact_place(f, latitude->valuedouble, longitude->valuedouble);
}

/* --- JSON ----------------------------------------------------------------- */

static void
take_tags(struct facts *f, const cJSON *v)
{
    const cJSON *tag;
    int count = 0;

    if (cJSON_IsString(v))
        fact_tags(f, v->valuestring, strlen(v->valuestring), ",;\n");
    if (!cJSON_IsArray(v))
        return;
    cJSON_ArrayForEach(tag, v) {
        if (++count > TAGS_MAX)
            return;
        if (cJSON_IsString(tag))
            fact_tag(f, tag->valuestring, strlen(tag->valuestring));
    }
}

static void
take_text(const cJSON *v, char *out, size_t size, bool lines)
{
    if (cJSON_IsString(v))
        fact_text(out, size, v->valuestring, strlen(v->valuestring), lines);
}

static bool
read_json(const char *bytes, size_t n, struct facts *f)
{
    static const char *const tags[] = {"tags", "keywords", NULL};
    static const char *const words[] = {"description", "caption", NULL};
    static const char *const titles[] = {"title", NULL};
    static const char *const dates[] = {"date", "taken", NULL};
    static const char *const places[] = {"place", "location", NULL};
    static const char *const by[] = {"described_by", NULL};
    const cJSON *v;
    cJSON *o = NULL;

    if (n >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) {
        bytes += 3;
        n -= 3;
    }
    if (json_parse(bytes, n, &o, NULL))
        return false;
    if (cJSON_IsObject(o)) {
        take_tags(f, member(o, tags));
        take_text(member(o, words), f->description, sizeof(f->description),
                  true);
        take_text(member(o, titles), f->title, sizeof(f->title), false);
        v = member(o, dates);
        if (cJSON_IsString(v))
            fact_date(f->taken, v->valuestring, strlen(v->valuestring));
        take_place(f, member(o, places));
        if (f->description[0])
            take_text(member(o, by), f->described_by, sizeof(f->described_by),
                      false);
    }
    cJSON_Delete(o);
    return true;
}

bool
sidecar_stale(const char *bytes, size_t n, const uint8_t hash[32])
{
    char hex[2 * 32 + 1];
    cJSON *o = NULL;
    const char *of;
    bool stale = false;

    if (json_parse(bytes, n, &o, NULL))
        return false;
    text_hex(hex, hash, 32);
    of = json_str(o, "sha256");
    if (json_str(o, "described_by") != NULL && of != NULL)
        stale = !text_ieq(of, hex);
    cJSON_Delete(o);
    return stale;
}

/* --- lines ---------------------------------------------------------------- */

/* "tags: a, b" and the like. False: it belongs to the description. */
static bool
take_line(struct facts *f, const char *line, size_t n)
{
    static const char *const words[] = {"tags:", "title:", "date:", "place:"};
    char value[FACTS_DESCRIPTION_MAX + 1];
    size_t i, len;

    for (i = 0; i < COUNT_OF(words); i++) {
        len = strlen(words[i]);
        if (n > len && text_ieqn(line, len, words[i]))
            break;
    }
    if (i == COUNT_OF(words) ||
        !fact_text(value, sizeof(value), line + len, n - len, false))
        return false;
    len = strlen(value);
    switch (i) {
    case 0: fact_tags(f, value, len, ",;"); return true;
    case 1: return fact_text(f->title, sizeof(f->title), value, len, false);
    case 2: return fact_date(f->taken, value, len);
    default: return place_text(f, value);
    }
}

static bool
read_lines(const char *bytes, size_t n, struct facts *f)
{
    struct buf rest;

    if (n > TEXT_MAX || memchr(bytes, '\0', n))
        return false;
    buf_init(&rest, TEXT_MAX + 1);
    for (size_t i = 0; i < n;) {
        const char *end = memchr(bytes + i, '\n', n - i);
        size_t len = (end ? (size_t)(end - bytes) : n) - i;

        if (!take_line(f, bytes + i, len)) {
            buf_add(&rest, bytes + i, len);
            buf_addc(&rest, '\n');
        }
        i += len + 1;
    }
    if (rest.len)
        fact_text(f->description, sizeof(f->description), rest.data, rest.len,
                  true);
    buf_release(&rest);
    return true;
}

bool
sidecar_read(const char *name, const char *bytes, size_t n, struct facts *f)
{
    struct facts *said = xcalloc(1, sizeof(*said));
    bool is = false;

    if (n <= SIDECAR_MAX && ends_in(name, ".json"))
        is = read_json(bytes, n, said);
    else if (n <= SIDECAR_MAX && ends_in(name, ".txt"))
        is = read_lines(bytes, n, said);
    is = is && (said->title[0] || said->description[0] || said->tags[0] ||
                said->taken[0] || said->has_place);
    if (is) {
        memcpy(said->type, f->type, sizeof(said->type));
        said->width = f->width;
        said->height = f->height;
        if (text_starts(f->taken, said->taken))
            said->taken[0] = '\0'; /* the image knows it better */
        fact_join(said, f);
        *f = *said;
    }
    free(said);
    return is;
}

/*
 * Records. Numbers have the low byte first; a text has its length in front.
 *
 *   begin   "PX1\n"
 *   block   'B' kind level more, page in 4 bytes, length in 4 bytes, text
 *   facts   'F', length in 4 bytes, then the fields in their order: a text has
 *           its length in 2 bytes; a place is two doubles
 *   end     'E' reason
 *
 * A block is refused if its text holds what no reader would give, if it says
 * that it goes on where nothing follows, if pages go backwards; facts, if a
 * number is none that an image can have. Whoever is refused has lost control of
 * itself, so nothing more is read from it.
 */
#include "base/base.h"

#include "files/extract_record.h"

#include <math.h>

#include "base/text.h"
#include "files/extract.h"
#include "lang/letter.h"

#define FACTS_HEAD 5
#define FACTS_MAX 8192 /* bytes of the record of facts */
_Static_assert(sizeof(struct facts) < FACTS_MAX - 64, "facts fit into one");

/* --- writing -------------------------------------------------------------- */

static void
put_number(struct buf *out, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        buf_addc(out, (char)(v >> (8 * i)));
}

static void
put_text(struct buf *out, const char *s)
{
    size_t n = strlen(s);

    put_number(out, n, 2);
    buf_add(out, s, n);
}

static void
put_double(struct buf *out, double v)
{
    uint64_t bits;

    (void)memcpy(&bits, &v, sizeof(bits));
    put_number(out, bits, 8);
}

void
record_begin(struct buf *out)
{
    buf_adds(out, RECORD_MAGIC);
}

void
record_block(struct buf *out, const struct block *b)
{
    buf_addc(out, 'B');
    buf_addc(out, (char)b->kind);
    buf_addc(out, (char)b->level);
    buf_addc(out, b->more ? 1 : 0);
    put_number(out, (uint64_t)b->page, 4);
    put_number(out, b->len, 4);
    buf_add(out, b->text, b->len);
}

void
record_facts(struct buf *out, const struct facts *f)
{
    struct buf b;

    buf_init(&b, FACTS_MAX);
    put_text(&b, f->type);
    put_text(&b, f->title);
    put_number(&b, f->width, 4);
    put_number(&b, f->height, 4);
    put_text(&b, f->taken);
    put_number(&b, f->has_place, 1);
    put_double(&b, f->has_place ? f->latitude : 0);
    put_double(&b, f->has_place ? f->longitude : 0);
    put_text(&b, f->camera);
    put_text(&b, f->description);
    put_text(&b, f->tags);
    buf_addc(out, 'F');
    put_number(out, b.len, 4);
    buf_add(out, b.data, b.len);
    buf_release(&b);
}

void
record_end(struct buf *out, enum skip why)
{
    buf_addc(out, 'E');
    buf_addc(out, (char)why);
}

static void
clean(char *s)
{
    size_t n = strlen(s), to = 0;

    for (size_t i = 0; i < n;) {
        uint32_t c;
        size_t len = letter_read(s + i, n - i, &c);

        if ((c >= ' ' && c < 0x7F) || c == '\n' || c == '\t' ||
            (c >= 0xA0 && c != LETTER_BAD)) {
            (void)memmove(s + to, s + i, len);
            to += len;
        }
        i += len;
    }
    s[to] = '\0';
}

void
record_clean(struct facts *f)
{
    clean(f->type);
    clean(f->title);
    clean(f->taken);
    clean(f->camera);
    clean(f->description);
    clean(f->tags);
}

/* --- reading -------------------------------------------------------------- */

void
record_reader_init(struct record_reader *r, block_fn *fn, void *arg,
                   struct facts *facts)
{
    (void)memset(r, 0, sizeof(*r));
    r->fn = fn;
    r->arg = arg;
    r->facts = facts;
    buf_init(&r->held, 2 * RECORD_MAX + FACTS_MAX);
}

void
record_reader_release(struct record_reader *r)
{
    buf_release(&r->held);
}

static enum err
refuse(struct record_reader *r, enum skip why)
{
    r->why = why;
    return ERR_IMPOSSIBLE;
}

static uint64_t
number(const unsigned char *p, int bytes)
{
    uint64_t v = 0;

    for (int i = bytes; i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

/* UTF-8 without control characters but line feed and tab? */
static bool
is_text(const char *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        unsigned char c = (unsigned char)s[i];
        int len;

        if (c >= ' ' && c < 0x7F) {
            i++;
            continue;
        }
        len = utf8_seq(s + i, n - i);
        if (len <= 0 || (len == 1 && c != '\n' && c != '\t') ||
            (c == 0xC2 && (unsigned char)s[i + 1] < 0xA0))
            return false;
        i += (size_t)len;
    }
    return true;
}

static bool
goes_on(const struct block *last, const struct block *b)
{
    return last->kind == b->kind && last->level == b->level &&
           last->page == b->page;
}

/* Returns how long the record is; 0: not all of it is there; *e says the rest.
 */
static size_t
take_block(struct record_reader *r, const char *s, size_t n, enum err *e)
{
    const unsigned char *p = (const unsigned char *)s;
    struct block b = {.text = s + RECORD_HEAD};
    uint64_t page;

    if (n < RECORD_HEAD)
        return 0;
    page = number(p + 4, 4);
    b.len = (size_t)number(p + 8, 4);
    b.more = p[3] == 1;
    if (p[1] > BLOCK_ROW || p[2] > 6 || p[3] > 1 ||
        (p[2] > 0) != (p[1] == BLOCK_HEADING) || page > RECORD_PAGE_MAX ||
        b.len == 0 || b.len > BLOCK_MAX || r->has_facts) {
        *e = refuse(r, SKIP_BROKEN);
        return 0;
    }
    if (n - RECORD_HEAD < b.len)
        return 0;
    b.kind = p[1];
    b.level = p[2];
    b.page = (int)page;
    r->total += (int64_t)b.len;
    if (!is_text(b.text, b.len) || (r->any && b.page < r->last.page) ||
        (r->any && r->last.more && !goes_on(&r->last, &b)))
        *e = refuse(r, SKIP_BROKEN);
    else if (r->total > EXTRACT_TEXT_MAX)
        *e = refuse(r, SKIP_BOMB);
    else
        *e = r->fn(r->arg, &b);
    r->last = b;
    r->any = true;
    return RECORD_HEAD + b.len;
}

/* --- facts ---------------------------------------------------------------- */

struct fields {
    const unsigned char *at;
    size_t left;
    bool bad;
};

static uint64_t
get_number(struct fields *f, int bytes)
{
    uint64_t v;

    if (f->left < (size_t)bytes) {
        f->bad = true;
        return 0;
    }
    v = number(f->at, bytes);
    f->at += bytes;
    f->left -= (size_t)bytes;
    return v;
}

static void
get_text(struct fields *f, char *out, size_t size)
{
    size_t n = (size_t)get_number(f, 2);

    if (f->bad || n >= size || n > f->left ||
        !is_text((const char *)f->at, n)) {
        f->bad = true;
        return;
    }
    (void)memcpy(out, f->at, n);
    out[n] = '\0';
    f->at += n;
    f->left -= n;
}

static double
get_double(struct fields *f)
{
    uint64_t bits = get_number(f, 8);
    double v;

    (void)memcpy(&v, &bits, sizeof(v));
    return v;
}

/* "2024-05-01T16:35:11"? The calendar is not asked. */
static bool
is_time(const char *s)
{
    static const char shape[] = "0000-00-00T00:00:00";

    if (strlen(s) != sizeof(shape) - 1)
        return false;
    for (size_t i = 0; shape[i] != '\0'; i++)
        if (shape[i] == '0' ? s[i] < '0' || s[i] > '9' : s[i] != shape[i])
            return false;
    return true;
}

static bool
is_sound(const struct facts *f)
{
    return f->width <= RECORD_PIXELS_MAX && f->height <= RECORD_PIXELS_MAX &&
           (f->taken[0] == '\0' || is_time(f->taken)) &&
           isfinite(f->latitude) && isfinite(f->longitude) &&
           fabs(f->latitude) <= 90 && fabs(f->longitude) <= 180 &&
           strpbrk(f->type, "\n\t") == NULL && strchr(f->title, '\n') == NULL;
}

static size_t
take_facts(struct record_reader *r, const char *s, size_t n, enum err *e)
{
    struct fields f = {.at = (const unsigned char *)s + FACTS_HEAD};
    struct facts got;

    if (n < FACTS_HEAD)
        return 0;
    f.left = (size_t)number((const unsigned char *)s + 1, 4);
    if (f.left > FACTS_MAX || r->has_facts) {
        *e = refuse(r, SKIP_BROKEN);
        return 0;
    }
    if (n - FACTS_HEAD < f.left)
        return 0;
    n = FACTS_HEAD + f.left;
    (void)memset(&got, 0, sizeof(got));
    get_text(&f, got.type, sizeof(got.type));
    get_text(&f, got.title, sizeof(got.title));
    got.width = (uint32_t)get_number(&f, 4);
    got.height = (uint32_t)get_number(&f, 4);
    get_text(&f, got.taken, sizeof(got.taken));
    got.has_place = get_number(&f, 1) == 1;
    got.latitude = get_double(&f);
    got.longitude = get_double(&f);
    get_text(&f, got.camera, sizeof(got.camera));
    get_text(&f, got.description, sizeof(got.description));
    get_text(&f, got.tags, sizeof(got.tags));
    if (f.bad || f.left > 0 || !is_sound(&got)) {
        *e = refuse(r, SKIP_BROKEN);
        return 0;
    }
    *r->facts = got;
    r->has_facts = true;
    return n;
}

/* --- the stream ----------------------------------------------------------- */

static size_t
take_end(struct record_reader *r, const char *s, size_t n, enum err *e)
{
    if (n < 2)
        return 0;
    if ((unsigned char)s[1] >= SKIP__N ||
        (s[1] == SKIP_NOT && r->any && r->last.more)) {
        *e = refuse(r, SKIP_BROKEN);
        return 0;
    }
    r->ended = true;
    r->why = (enum skip)s[1];
    return 2;
}

static size_t
take(struct record_reader *r, const char *s, size_t n, enum err *e)
{
    const size_t magic = sizeof(RECORD_MAGIC) - 1;

    if (!r->begun) {
        if (n < magic)
            return 0;
        r->begun = memcmp(s, RECORD_MAGIC, magic) == 0;
        *e = r->begun ? OK : refuse(r, SKIP_BROKEN);
        return magic;
    }
    if (!r->ended && s[0] == 'B')
        return take_block(r, s, n, e);
    if (!r->ended && s[0] == 'F')
        return take_facts(r, s, n, e);
    if (!r->ended && s[0] == 'E')
        return take_end(r, s, n, e);
    *e = refuse(r, SKIP_BROKEN);
    return 0;
}

enum err
record_feed(struct record_reader *r, const char *bytes, size_t n)
{
    enum err e = OK;

    while (n > 0 && e == OK) {
        /* Never more than fits: whole records are taken out each time. */
        size_t part = n < RECORD_MAX ? n : RECORD_MAX, at = 0, len = 1;

        buf_add(&r->held, bytes, part);
        bytes += part;
        n -= part;
        while (e == OK && len > 0 && at < r->held.len) {
            len = take(r, r->held.data + at, r->held.len - at, &e);
            at += len;
        }
        buf_drop(&r->held, at);
    }
    return e;
}

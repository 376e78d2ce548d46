/*
 * The bytes of images that a message names. They are read where the index is
 * asked, on a thread that may wait for the disk, and kept until the turn is
 * over: a fallback may see what the first model could not. That costs memory
 * which a short request can ask for, so it has three ceilings: of a file, of a
 * message, and of all turns at once. What is beyond one of them is not lost: a
 * model is told in words what the image shows, and a note says so.
 *
 * What a file is, is looked up in its bytes, not in the index: it may have
 * changed since it was read.
 */
#include "base/base.h"

#include "chat/sight.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/budget.h"
#include "base/mem.h"
#include "base/text.h"
#include "chat/core.h"
#include "chat/retrieve.h"
#include "files/kind.h"

#define STEP_BYTES (48 * 1024)                /* a multiple of 3, for base64 */
#define BASE64_LEN(n) (((n) + 2) / 3 * 4 + 4) /* and a bit */

/* Of all turns of this process; used is atomic. */
static struct budget room = {.max = SIGHT_HELD_MAX};

const char *
sight_reason(enum sight_end end)
{
    static const char *const reasons[SIGHT__N] = {
        [SIGHT_SHOWN] = "",
        [SIGHT_HELD] = "",
        [SIGHT_BLIND] = "this model does not see images",
        [SIGHT_REFUSED] = "its provider did not take the image",
        [SIGHT_ROOM] = "the model's window has no room for the image",
        [SIGHT_LARGE] = "the image is too large",
        [SIGHT_BUSY] = "too many images are being looked at",
        [SIGHT_GONE] = "its file cannot be opened as an image",
    };

    return reasons[end];
}

void
sight_use(struct engine *en, sight_open_fn *open, void *arg)
{
    en->open_file = open;
    en->open_arg = arg;
}

void
sight_ceiling(size_t bytes)
{
    room.max = bytes;
}

/* --- reading -------------------------------------------------------------- */

/* As many bytes as there are, at most n; -1: it failed. */
static ssize_t
read_some(int fd, char *to, size_t n)
{
    size_t got = 0;

    while (got < n) {
        ssize_t one = read(fd, to + got, n - got);

        if (one < 0 && errno == EINTR)
            continue;
        if (one < 0)
            return -1;
        if (one == 0)
            break;
        got += (size_t)one;
    }
    return (ssize_t)got;
}

enum err
sight_read(int fd, size_t max, struct buf *data, const char **media_type)
{
    char *step = xmalloc(STEP_BYTES);
    size_t all = 0;
    ssize_t n = 0;
    enum err e = OK;

    *media_type = "";
    do {
        n = read_some(fd, step, STEP_BYTES);
        if (n >= 0 && all == 0) {
            struct kind k = kind_of("", (const uint8_t *)step,
                                    n < KIND_LOOK ? (size_t)n : KIND_LOOK);

            *media_type = k.type;
            e = k.kind == KIND_IMAGE ? OK : ERR_TYPE;
        }
        if (n < 0)
            e = ERR_STORE;
        else if (e == OK && (all += (size_t)n) > max)
            e = ERR_TOOBIG;
        else if (e == OK)
            text_base64(data, step, (size_t)n);
    } while (e == OK && n == STEP_BYTES);
    free(step);
    if (e == OK && buf_status(data) != OK)
        e = ERR_TOOBIG;
    if (e != OK)
        buf_clear(data);
    return e;
}

/* Into s, at most max bytes of a file; how many they were. */
static size_t
fill(struct engine *en, struct sight *s, size_t max)
{
    struct stat st;
    size_t n = 0;
    enum err e;
    int fd;

    s->end = SIGHT_GONE;
    if (en->open_file == NULL ||
        en->open_file(en->open_arg, s->document, &fd) != OK)
        return 0;
    if (fstat(fd, &st) != 0 || st.st_size <= 0) {
        s->end = SIGHT_GONE;
    } else if ((uint64_t)st.st_size > max) {
        s->end = SIGHT_LARGE;
    } else if (!budget_take(&room, BASE64_LEN((size_t)st.st_size))) {
        s->end = SIGHT_BUSY;
    } else {
        n = (size_t)st.st_size;
        buf_init(&s->data, BASE64_LEN(n));
        e = sight_read(fd, n, &s->data, &s->media_type);
        s->end = e == OK           ? SIGHT_SHOWN
                 : e == ERR_TOOBIG ? SIGHT_LARGE /* it grows */
                                   : SIGHT_GONE;
        if (e != OK) {
            budget_give(&room, s->data.max);
            buf_release(&s->data);
            n = 0;
        }
    }
    (void)close(fd);
    return n;
}

/* --- of a message --------------------------------------------------------- */

static bool
has(const struct sights *s, int64_t document)
{
    for (size_t i = 0; s != NULL && i < s->n; i++)
        if (s->list[i].document == document)
            return true;
    return false;
}

void
sight_take(struct engine *en, const struct turn_ask *a, struct retrieved *r)
{
    size_t left = SIGHT_ASK_MAX;

    for (size_t i = 0; i < a->n_named; i++) {
        struct document *d = xmalloc(sizeof(*d));

        if (files_find(en->files, retrieve_viewer(a), a->named[i], d) == OK &&
            d->image && d->skip == SKIP_NOT && !has(r->sights, d->id)) {
            struct sight *s;

            if (r->sights == NULL)
                r->sights = xcalloc(1, sizeof(*r->sights));
            s = &r->sights->list[r->sights->n++];
            s->document = d->id;
            s->name = xstrdup(d->name);
            s->label = d->label;
            left -= fill(en, s, left < SIGHT_FILE_MAX ? left : SIGHT_FILE_MAX);
        }
        free(d);
    }
}

void
sights_free(struct sights *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->n; i++) {
        if (s->list[i].end == SIGHT_SHOWN) {
            budget_give(&room, s->list[i].data.max);
            buf_release(&s->list[i].data);
        }
        free(s->list[i].name);
    }
    free(s);
}

/*
 * What an image says of itself. Runs in the child that reads files, since EXIF
 * and XMP are formats in which bytes point at bytes, and the libraries that
 * follow them are written in C, too.
 *
 * Where several say something, the order is: what a person wrote with a program
 * (XMP, then IPTC), what the camera wrote (EXIF), the format's own texts (PNG).
 * The date, the place and the camera are the camera's to say: EXIF first. Tags
 * are those of all. A sidecar (sidecar.c) stands above them all.
 *
 * A file without a size is broken. With one, whatever else is broken or missing
 * is left out.
 */
#include "base/base.h"

#include "files/image.h"

#include <unistd.h>

#include "base/mem.h"
#include "files/image_fact.h"
#include "files/image_inside.h"

/* --- reading here and there ----------------------------------------------- */

/* As many bytes as there are, up to n. */
static size_t
read_at(struct image_in *in, uint64_t at, void *to, size_t n)
{
    size_t done = 0;

    while (done < n && at + done <= INT64_MAX) {
        ssize_t got = pread(in->fd, (char *)to + done, n - done,
                            (off_t)(at + done));

        if (got < 0 && errno == EINTR)
            continue;
        in->failed |= got < 0;
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    return done;
}

const uint8_t *
image_look(struct image_in *in, uint64_t at, size_t n)
{
    assert(n <= IMAGE_LOOK);
    if (at < in->at || at - in->at > in->len || in->len - (at - in->at) < n) {
        in->len = read_at(in, at, in->window, sizeof(in->window));
        in->at = at;
        if (in->len < n)
            return NULL;
    }
    return in->window + (at - in->at);
}

bool
image_copy(struct image_in *in, uint64_t at, size_t n, struct buf *out)
{
    size_t before = out->len;
    char *to = buf_room(out, n);

    if (to == NULL || read_at(in, at, to, n) < n)
        return false;
    out->len = before + n;
    return true;
}

/* --- what is said where --------------------------------------------------- */

/* Facts by who says them. */
struct said {
    struct facts exif, xmp, iptc;
};

static void
join(struct facts *f, const struct image_meta *m, const struct said *said)
{
    static const struct facts none;
    struct facts *camera = xmalloc(sizeof(*camera));

    *camera = none; /* of EXIF what it says first */
    memcpy(camera->taken, said->exif.taken, sizeof(camera->taken));
    memcpy(camera->camera, said->exif.camera, sizeof(camera->camera));
    camera->has_place = said->exif.has_place;
    camera->latitude = said->exif.latitude;
    camera->longitude = said->exif.longitude;
    fact_join(f, camera);
    fact_join(f, &said->xmp);
    fact_join(f, &said->iptc);
    fact_join(f, &said->exif);
    fact_join(f, &m->text);
    free(camera);
}

static void
read_meta(const struct image_meta *m, struct facts *f)
{
    struct said *said = xcalloc(1, sizeof(*said));
    int turned = image_exif(&m->exif, &said->exif);
    int turned_xmp = image_xmp(&m->xmp, &said->xmp);

    image_iptc(&m->iptc, &said->iptc);
    if (turned == 0)
        turned = turned_xmp;
    f->width = turned >= 5 ? m->height : m->width;
    f->height = turned >= 5 ? m->width : m->height;
    join(f, m, said);
    free(said);
}

static enum err
skipped(enum skip *why, enum skip is)
{
    *why = is;
    return ERR_IMPOSSIBLE;
}

enum err
image_read(int fd, struct facts *f, enum skip *why)
{
    struct image_in *in = xcalloc(1, sizeof(*in));
    struct image_meta *m = xcalloc(1, sizeof(*m));
    enum err e = OK;

    in->fd = fd;
    m->left = IMAGE_META_MAX;
    buf_init(&m->exif, IMAGE_META_MAX);
    buf_init(&m->xmp, IMAGE_META_MAX);
    buf_init(&m->iptc, IMAGE_META_MAX);
    *why = SKIP_NOT;
    image_scan(in, m);
    if (m->type && m->width && m->height) {
        snprintf(f->type, sizeof(f->type), "%s", m->type);
        read_meta(m, f);
    } else if (in->failed) {
        e = skipped(why, SKIP_READ);
    } else if (image_look(in, 0, 1) == NULL) {
        e = skipped(why, SKIP_EMPTY);
    } else {
        e = skipped(why, m->type ? SKIP_BROKEN : SKIP_TYPE);
    }
    buf_release(&m->exif);
    buf_release(&m->xmp);
    buf_release(&m->iptc);
    free(m);
    free(in);
    return e;
}

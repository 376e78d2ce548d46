/*
 * Any bytes as an image: read without a crash; what is taken has a type and a
 * size, what is not has a reason, and all that is said of it is UTF-8 with its
 * NUL in place. Then the facts as a text.
 */
#include "base/base.h"

#include <sys/mman.h>

#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "files/image.h"

#define MUST(x)      \
    do {             \
        if (!(x))    \
            abort(); \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
is_text(const char *s, size_t size)
{
    size_t n = strnlen(s, size);

    MUST(n < size && utf8_valid(s, n));
    for (size_t i = 0; i < n; i++)
        MUST((unsigned char)s[i] >= ' ' || s[i] == '\n');
}

static void
are_facts(const struct facts *f)
{
    is_text(f->type, sizeof(f->type));
    is_text(f->title, sizeof(f->title));
    is_text(f->taken, sizeof(f->taken));
    is_text(f->camera, sizeof(f->camera));
    is_text(f->description, sizeof(f->description));
    is_text(f->tags, sizeof(f->tags));
    MUST(!f->has_place || (f->latitude >= -90 && f->latitude <= 90 &&
                           f->longitude >= -180 && f->longitude <= 180));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct facts f;
    static int fd = -1;
    enum skip why = SKIP__N;
    struct buf out;
    enum err e;

    if (fd < 0)
        fd = memfd_create("image", MFD_CLOEXEC);
    MUST(fd >= 0 && ftruncate(fd, 0) == 0);
    MUST(pwrite(fd, data, n, 0) == (ssize_t)n);
    memset(&f, 0, sizeof(f));
    e = image_read(fd, &f, &why);
    are_facts(&f);
    if (e) {
        MUST(e == ERR_IMPOSSIBLE && why != SKIP_NOT && why < SKIP__N);
        return 0;
    }
    MUST(why == SKIP_NOT && f.width && f.height && f.type[0]);
    buf_init(&out, 65536);
    image_text("a/B1.png", &f, &out);
    MUST(buf_status(&out) == OK && utf8_valid(out.data, out.len));
    buf_release(&out);
    return 0;
}

/*
 * --file and /file. The server takes images beside a message; a file that is
 * text becomes part of it, between fences that the file does not have.
 */
#include "base/base.h"

#include "chat.h"

#include "base/mem.h"
#include "base/text.h"

#define IMAGE_MAX (6 * 1024 * 1024) /* bytes, as the server takes them */
#define TEXT_MAX (192 * 1024)       /* bytes of all texts together */
#define FENCE_MAX 32

static const struct {
    const char *media_type, *magic;
    size_t at, n;
} images[] = {
    {"image/png", "\x89PNG\r\n\x1A\n", 0, 8},
    {"image/jpeg", "\xFF\xD8\xFF", 0, 3},
    {"image/gif", "GIF8", 0, 4},
    {"image/webp", "WEBP", 8, 4},
};

void
chat_files_init(struct chat_files *f)
{
    memset(f, 0, sizeof(*f));
    buf_init(&f->text, TEXT_MAX);
}

void
chat_files_clear(struct chat_files *f)
{
    for (size_t i = 0; i < f->n_images; i++)
        free((void *)(uintptr_t)f->images[i].data);
    f->n_images = f->n_texts = 0;
    buf_clear(&f->text);
}

void
chat_files_release(struct chat_files *f)
{
    chat_files_clear(f);
    buf_release(&f->text);
}

static bool
refuse(const char *path, const char *why)
{
    chat_say("%s: %s", path, why);
    return false;
}

static bool
read_file(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "rbe");
    char piece[16384];
    bool fine;
    size_t n;

    if (file == NULL)
        return refuse(path, strerror(errno));
    while ((n = fread(piece, 1, sizeof(piece), file)) > 0 && !out->over)
        buf_add(out, piece, n);
    fine = ferror(file) == 0;
    if (!fine)
        (void)refuse(path, strerror(errno));
    (void)fclose(file);
    return fine;
}

static const char *
image_type(const struct buf *b)
{
    for (size_t i = 0; i < COUNT_OF(images); i++)
        if (b->len >= images[i].at + images[i].n &&
            memcmp(b->data + images[i].at, images[i].magic, images[i].n) == 0)
            return images[i].media_type;
    return NULL;
}

/* The longest run of backquotes in a text. */
static size_t
longest_run(const struct buf *b)
{
    size_t longest = 0, run = 0;

    for (size_t i = 0; i < b->len; i++) {
        run = b->data[i] == '`' ? run + 1 : 0;
        if (run > longest)
            longest = run;
    }
    return longest;
}

static bool
add_text(struct chat_files *f, const char *path, const struct buf *b)
{
    const char *name = strrchr(path, '/');
    size_t n = longest_run(b) + 1;
    char fence[FENCE_MAX + 1];

    if (n < 3)
        n = 3;
    if (n > FENCE_MAX)
        return refuse(path, "it has too many backquotes in a row");
    memset(fence, '`', n);
    fence[n] = '\0';
    buf_addf(&f->text, "\n\n%s:\n%s\n", name != NULL ? name + 1 : path, fence);
    buf_add(&f->text, b->data, b->len);
    buf_addf(&f->text, "%s%s\n",
             b->len > 0 && b->data[b->len - 1] == '\n' ? "" : "\n", fence);
    if (buf_status(&f->text) != OK)
        return refuse(path, "the texts are more than 192 KiB");
    f->n_texts++;
    return true;
}

bool
chat_files_add(struct chat_files *f, const char *path)
{
    const char *type;
    bool fine = false;
    struct buf b;

    buf_init(&b, IMAGE_MAX);
    if (!read_file(path, &b)) {
        /* told */
    } else if (buf_status(&b) != OK) {
        (void)refuse(path, "it has more than 6 MiB");
    } else if ((type = image_type(&b)) != NULL) {
        fine = f->n_images < CHAT_FILES_MAX;
        if (fine)
            f->images[f->n_images++] = (struct parley_attachment){
                type, xmemdup0(b.data, b.len), b.len};
        else
            (void)refuse(path, "at most 8 images go with a message");
    } else if (b.len > 0 && utf8_valid(b.data, b.len) &&
               memchr(b.data, '\0', b.len) == NULL) {
        fine = add_text(f, path, &b);
    } else {
        (void)refuse(path, "it is neither a PNG, JPEG, GIF or WebP image nor "
                           "UTF-8 text");
    }
    buf_release(&b);
    return fine;
}

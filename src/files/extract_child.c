/*
 * The process that reads one file of a kind that needs a library. It gives up
 * everything first, then reads, and says what it finds in records
 * (files/extract_record.h). It is started anew for each file: what one file
 * makes of it, no other file meets.
 *
 * Order matters: what is needed from the disk (a charset's tables, pdftotext,
 * libmagic's database) is loaded before the limits are in force, and nothing of
 * the file is interpreted before they are.
 *
 * A file that does not begin as its kind does is shown to libmagic. Its name
 * may be wrong, as that of an image called page.html: then nobody reads it here
 * and its true type is told. libmagic costs some milliseconds, so it is not
 * asked about files that look right.
 */
#include "base/base.h"

#include "files/extract.h"

#include <magic.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "files/charset.h"
#include "files/extract_confine.h"
#include "files/extract_record.h"
#include "files/image.h"
#include "files/pdf.h"

#define OUT_BYTES ((size_t)64 * 1024)
#define LOOK 4096
#define ZIP "PK\3\4"
#define OLE "\xD0\xCF\x11\xE0" /* Word's, of old or with a password */

struct output {
    struct buf pending;
    bool broken; /* nobody reads it any more */
};

struct reader {
    const char *name;
    enum err (*read)(int fd, block_fn *fn, void *arg, struct facts *f,
                     enum skip *why);
    const char *type;  /* media type of such a file; NULL: the reader says it */
    const char *magic; /* what it begins with; NULL: anything */
};

static enum err
read_image(int fd, block_fn *fn, void *arg, struct facts *f, enum skip *why)
{
    (void)fn;
    (void)arg;
    return image_read(fd, f, why);
}

static const struct reader readers[] = {
    {"html", html_read, "text/html", NULL},
    {"pdf", pdf_read, "application/pdf", "%PDF-"},
    {"docx", docx_read,
     "application/"
     "vnd.openxmlformats-officedocument.wordprocessingml.document",
     ZIP},
    {"odt", odt_read, "application/vnd.oasis.opendocument.text", ZIP},
    {"epub", epub_read, "application/epub+zip", ZIP},
    {"image", read_image, NULL, NULL},
};

/* --- output --------------------------------------------------------------- */

static enum err
flush(struct output *o)
{
    size_t at = 0;

    while (at < o->pending.len && !o->broken) {
        ssize_t n = write(STDOUT_FILENO, o->pending.data + at,
                          o->pending.len - at);

        if (n > 0)
            at += (size_t)n;
        else if (n == 0 || errno != EINTR)
            o->broken = true;
    }
    buf_clear(&o->pending);
    return o->broken ? ERR_HUP : OK;
}

static enum err
on_block(void *arg, const struct block *b)
{
    struct output *o = arg;

    record_block(&o->pending, b);
    return o->pending.len > OUT_BYTES ? flush(o) : OK;
}

/* --- what it is ----------------------------------------------------------- */

/* Is there a tag in it, as in a page? */
static bool
has_tag(const char *s, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++)
        if (s[i] == '<' && (s[i + 1] == '!' || s[i + 1] == '/' ||
                            s[i + 1] == '?' || s[i + 1] >= 'A'))
            return true;
    return false;
}

static bool
looks_right(const struct reader *r, const char *s, size_t n)
{
    if (r->read == html_read)
        return (memchr(s, '\0', n) == NULL && has_tag(s, n)) ||
               (n > 1 && (memcmp(s, "\xFF\xFE", 2) == 0 ||
                          memcmp(s, "\xFE\xFF", 2) == 0));
    if (r->read == pdf_read) /* some write a few lines in front of it */
        return memmem(s, n < 1024 ? n : 1024, r->magic, 5) != NULL;
    return r->magic == NULL ||
           (n >= 4 && (memcmp(s, r->magic, 4) == 0 || memcmp(s, OLE, 4) == 0));
}

/* For a file that does not look right; NULL: it does. */
static magic_t
open_magic(const struct reader *r)
{
    char look[LOOK];
    ssize_t n = pread(STDIN_FILENO, look, sizeof(look), 0);
    magic_t m;

    if (n <= 0 || looks_right(r, look, (size_t)n))
        return NULL;
    m = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS |
                   MAGIC_NO_CHECK_TAR | MAGIC_NO_CHECK_ELF |
                   MAGIC_NO_CHECK_CDF);
    if (m != NULL && magic_load(m, NULL) == 0)
        return m;
    magic_close(m);
    return NULL;
}

/* True: it is something else, and not to be read. */
static bool
is_other(magic_t m, const struct reader *r, struct facts *f)
{
    char look[LOOK];
    ssize_t n = pread(STDIN_FILENO, look, sizeof(look), 0);
    const char *type = n > 0 ? magic_buffer(m, look, (size_t)n) : NULL;

    if (type == NULL || strcmp(type, "application/octet-stream") == 0 ||
        (r->type != NULL && strcmp(type, r->type) == 0) ||
        (r->read == html_read && text_starts(type, "text/")))
        return false;
    (void)snprintf(f->type, sizeof(f->type), "%s", type);
    return true;
}

/* --- the whole ------------------------------------------------------------ */

static enum skip
read_file(const struct reader *r, magic_t m, struct output *o, struct facts *f)
{
    enum skip why = SKIP_NOT;
    enum err e;

    if (m != NULL && is_other(m, r, f))
        return SKIP_TYPE;
    e = r->read(STDIN_FILENO, on_block, o, f, &why);
    if (f->type[0] == '\0' && r->type != NULL)
        (void)snprintf(f->type, sizeof(f->type), "%s", r->type);
    if (e == OK)
        return SKIP_NOT;
    return why != SKIP_NOT ? why : SKIP_BROKEN;
}

static int
run(const struct reader *r)
{
    struct facts facts;
    struct output o = {.broken = false};
    enum skip why;
    magic_t m;

    (void)signal(SIGPIPE, SIG_IGN);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)memset(&facts, 0, sizeof(facts));
    buf_init(&o.pending, OUT_BYTES + RECORD_MAX + sizeof(facts) + 64);
    if (r->read == html_read)
        charset_prepare(STDIN_FILENO);
    if (r->read == pdf_read)
        pdf_prepare();
    m = open_magic(r);
    confine_limits();
    confine_reader(r->read == pdf_read);
    record_begin(&o.pending);
    why = read_file(r, m, &o, &facts);
    IGNORE(flush(&o));
    record_clean(&facts);
    record_facts(&o.pending, &facts);
    record_end(&o.pending, why);
    IGNORE(flush(&o));
    buf_release(&o.pending);
    if (m != NULL)
        magic_close(m);
    return o.broken ? 1 : 0;
}

int
extract_child(const char *kind_name)
{
    for (size_t i = 0; i < COUNT_OF(readers); i++)
        if (strcmp(readers[i].name, kind_name) == 0)
            return run(&readers[i]);
    return 2;
}

/*
 * EPUB: its chapters, one after the other, each a page of HTML. A chapter that
 * is named and not there is passed over; one that is broken ends the book,
 * since its rest would be lost without a word.
 */
#include "base/base.h"

#include "files/epub.h"

#include "files/extract.h"
#include "files/html.h"

static void
read_chapters(struct archive *a, const struct epub *book, struct compose *c)
{
    size_t found = 0;

    for (size_t i = 0; i < book->n_chapters && c->err == OK; i++) {
        struct archive_part p;
        enum err e = archive_part(a, book->chapters[i], &p);

        if (e == ERR_NOTFOUND)
            continue;
        found++;
        if (e == OK) {
            IGNORE(html_compose(archive_source(&p), c, NULL)); /* in c->err */
            archive_part_end(&p);
            compose_block(c, BLOCK_TEXT, 0);
        }
        if (a->why != SKIP_NOT) {
            c->why = c->err == ERR_IMPOSSIBLE ? a->why : c->why;
            (void)compose_fail(c, a->why);
        }
    }
    if (found == 0)
        (void)compose_fail(c, SKIP_BROKEN);
}

enum err
epub_read(int fd, block_fn *fn, void *arg, struct facts *f, enum skip *why)
{
    struct archive a;
    struct compose c;
    struct epub book;
    enum err e = archive_open(&a, fd, why);

    if (e != OK)
        return e;
    compose_init(&c, fn, arg);
    if (epub_open(&a, &book) == OK)
        read_chapters(&a, &book, &c);
    else
        (void)compose_fail(&c, a.why);
    compose_title(f, book.title, strlen(book.title));
    e = compose_end(&c, why);
    epub_release(&book);
    compose_release(&c);
    archive_close(&a);
    return e;
}

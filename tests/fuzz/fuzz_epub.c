/*
 * Fuzzes the reader of EPUB. The first byte says what the rest is: a whole
 * archive, or one part of a book that is otherwise sound. Links are resolved,
 * too: none may lead out of the archive.
 */
#include "readers.h"

#include "files/epub.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXT(s) (s), sizeof(s) - 1

static void
check_link(const uint8_t *data, size_t size)
{
    char link[512], out[PART_NAME_MAX];
    size_t n = size < sizeof(link) - 1 ? size : sizeof(link) - 1;

    (void)memcpy(link, data, n);
    link[n] = '\0';
    if (!epub_resolve("OPS/", link, out))
        return;
    assert(out[0] != '\0' && out[0] != '/' && strcmp(out, "..") != 0);
    assert(strncmp(out, "../", 3) != 0 && strstr(out, "/../") == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct part book[] = {
        {"META-INF/container.xml",
         TEXT("<c><rootfile full-path='a.opf'/></c>")},
        {"a.opf", TEXT("<p><item id='a' href='a.html' media-type='text/html'/>"
                       "<itemref idref='a'/></p>")},
        {"a.html", TEXT("<p>text")},
        {"META-INF/encryption.xml", TEXT("<e/>")},
    };
    size_t which;

    if (size == 0)
        return 0;
    which = data[0] % (COUNT_OF(book) + 2);
    if (which < COUNT_OF(book)) {
        book[which].bytes = data + 1;
        book[which].n = size - 1;
        check_archive(epub_read, book, COUNT_OF(book));
    } else if (which == COUNT_OF(book)) {
        check_reader(epub_read, data + 1, size - 1);
    } else {
        check_link(data + 1, size - 1);
    }
    return 0;
}

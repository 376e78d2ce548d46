/*
 * Fuzzes what is made of the words of pdftotext (files/pdf_words.c,
 * pdf_page.c). The first byte is the size of the pieces in which they come.
 */
#include "readers.h"

#include "files/pdf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct checked k = {.any = false};
    struct pdf_words w;
    struct compose c;
    struct facts f;
    enum skip why;
    enum err e;
    size_t piece;

    if (size == 0)
        return 0;
    piece = (size_t)data[0] + 1;
    (void)memset(&f, 0, sizeof(f));
    compose_init(&c, check_block, &k);
    pdf_words_init(&w, &c, &f);
    for (size_t i = 1; i < size; i += piece)
        pdf_words_feed(&w, (const char *)data + i,
                       size - i < piece ? size - i : piece);
    pdf_words_end(&w);
    e = compose_end(&c, &why);
    assert(e == OK ? k.any && !k.last.more : why == SKIP_EMPTY);
    pdf_words_release(&w);
    compose_release(&c);
    return 0;
}

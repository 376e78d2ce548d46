/*
 * PDFs made for a test: lines of text in Helvetica, at places and in sizes that
 * the test names.
 */
#ifndef PDF_TEST_H
#define PDF_TEST_H

#include "readers_test.h"

struct pdf_text {
    int page;              /* from 1; in order */
    double size, left, up; /* points, from the lower left corner */
    const char *text;      /* without parentheses and backslashes */
};

static inline void
pdf_object(struct buf *b, size_t at[], size_t i, const char *dictionary)
{
    at[i] = b->len;
    buf_addf(b, "%zu 0 obj\n%s\nendobj\n", i, dictionary);
}

/* A document of the texts; more: what its trailer has beside the usual. */
static inline void
pdf_make(struct buf *b, const struct pdf_text *texts, size_t n,
         const char *more)
{
    int pages = n > 0 ? texts[n - 1].page : 1;
    size_t at[64] = {0}, count = 5 + 2 * (size_t)pages, start;
    struct buf content, line;
    size_t k = 0;

    assert_true(count <= COUNT_OF(at));
    buf_init(b, 1024 * 1024);
    buf_init(&content, 512 * 1024);
    buf_init(&line, 512 * 1024);
    buf_adds(b, "%PDF-1.4\n");
    pdf_object(b, at, 1, "<</Type/Catalog/Pages 2 0 R>>");
    buf_addf(&line, "<</Type/Pages/Count %d/Kids[", pages);
    for (int i = 0; i < pages; i++)
        buf_addf(&line, "%d 0 R ", 5 + 2 * i);
    buf_adds(&line, "]>>");
    pdf_object(b, at, 2, buf_cstr(&line));
    pdf_object(b, at, 3, "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>");
    pdf_object(b, at, 4, "<</Title(The title)>>");
    for (int i = 0; i < pages; i++) {
        buf_clear(&content);
        for (; k < n && texts[k].page == i + 1; k++)
            buf_addf(&content, "BT /F %.1f Tf %.1f %.1f Td (%s) Tj ET\n",
                     texts[k].size, texts[k].left, texts[k].up, texts[k].text);
        buf_clear(&line);
        buf_addf(&line,
                 "<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]"
                 "/Resources<</Font<</F 3 0 R>>>>/Contents %d 0 R>>",
                 6 + 2 * i);
        pdf_object(b, at, 5 + 2 * (size_t)i, buf_cstr(&line));
        buf_clear(&line);
        buf_addf(&line, "<</Length %zu>>stream\n%s\nendstream", content.len,
                 buf_cstr(&content));
        pdf_object(b, at, 6 + 2 * (size_t)i, buf_cstr(&line));
    }
    start = b->len;
    buf_addf(b, "xref\n0 %zu\n0000000000 65535 f \n", count);
    for (size_t i = 1; i < count; i++)
        buf_addf(b, "%010zu 00000 n \n", at[i]);
    buf_addf(b,
             "trailer<</Size %zu/Root 1 0 R/Info 4 0 R%s>>\nstartxref\n%zu\n"
             "%%%%EOF\n",
             count, more, start);
    buf_release(&line);
    buf_release(&content);
}

/* What a document that wants a password has in its trailer. */
#define PDF_ENCRYPTED                                                          \
    "/ID[<00112233445566778899aabbccddeeff><00112233445566778899aabbccddeeff>" \
    "]/Encrypt<</Filter/Standard/V 1/R 2/P -4/O"                               \
    "<000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f>/U"     \
    "<000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f>>>"

#endif

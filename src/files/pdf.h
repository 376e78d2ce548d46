/*
 * PDF, by the program pdftotext, which is started with limits of its own; what
 * it says about each page (words and where they stand) is made paragraphs here.
 * In the child (files/extract.h).
 */
#ifndef FILES_PDF_H
#define FILES_PDF_H

#include "files/compose.h"

/* Start it for the file on descriptor 0, while programs can still be started;
 * pdf_read takes what it says. */
void pdf_prepare(void);

/* --- files/pdf_page.c: a page --------------------------------------------- */

#define PDF_PAGE_MAX ((size_t)4 * 1024 * 1024) /* bytes of its words */
#define PDF_LINES_MAX 20000
#define PDF_SIZES 256 /* heights of lines that are told apart */
#define PDF_EDGE_MAX 8

struct pdf_line {
    double left, top, right, bottom; /* points; the page's top is 0 */
    size_t at, len;                  /* its words in the text of the page */
    bool first;                      /* of a block */
};

struct pdf_page {
    int number;
    double height;          /* points; 0: unknown */
    struct pdf_line *lines; /* owned */
    size_t n, cap;
    struct buf text;
    uint64_t sizes[PDF_SIZES];   /* characters of each height, all pages */
    uint64_t edge[PDF_EDGE_MAX]; /* what stands in the margins of this page */
    uint64_t edge_before[PDF_EDGE_MAX]; /* and stood in those of the last */
    size_t n_edge, n_edge_before;
    bool item; /* a bullet stands alone; its text comes next */
};

void pdf_page_init(struct pdf_page *p);
void pdf_page_release(struct pdf_page *p);
void pdf_page_begin(struct pdf_page *p, double height);
/* A line begins; first: a block with it. False: the page is full. */
bool pdf_page_line(struct pdf_page *p, const struct pdf_line *l);
/* Words of it, and where they end. */
void pdf_page_word(struct pdf_page *p, const char *s, size_t n);
/* Give what stands on it as blocks. */
void pdf_page_end(struct pdf_page *p, struct compose *c);

/* --- files/pdf_words.c: what pdftotext says ------------------------------- */

#define PDF_LINE_MAX ((size_t)64 * 1024) /* bytes of a line it writes */

struct pdf_words {
    struct compose *c;
    struct facts *facts;
    struct pdf_page page;
    struct buf line; /* that is not whole yet */
    bool in_page, block;
};

void pdf_words_init(struct pdf_words *w, struct compose *c, struct facts *f);
void pdf_words_release(struct pdf_words *w);
/* Takes what `pdftotext -bbox-layout` writes, any split of it. */
void pdf_words_feed(struct pdf_words *w, const char *bytes, size_t n);
void pdf_words_end(struct pdf_words *w);

#endif

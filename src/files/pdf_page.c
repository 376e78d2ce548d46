/*
 * A page of a PDF as paragraphs.
 *
 * A PDF knows no paragraphs, only where words stand; pdftotext joins them to
 * lines, and lines that are near each other to blocks. Within a block, a new
 * paragraph begins where there is more room than between other lines, where a
 * line is indented, where the one before ended early with the end of a
 * sentence, where the letters have another size, and at bullets and numbers. A
 * word that was cut at the end of a line is joined again.
 *
 * A heading is set larger than most of what was read so far, or has a number
 * with a point in it ("2.2 Naming") and is short. What stands in the margin at
 * the top or bottom and stood there on the page before (but for its numbers) is
 * left out, and so are numbers of pages and lines of a table of contents.
 */
#include "base/base.h"

#include "files/pdf.h"

#include <math.h>

#include "base/mem.h"
#include "lang/letter.h"

#define MARGIN 0.09     /* of the page's height, at the top and the bottom */
#define PITCH_MORE 1.35 /* times the distance of lines: a paragraph */
#define INDENT 0.7      /* times the height of the line */
#define EARLY 0.78      /* of the width: a line that ends early */
#define SIZE_OTHER 1.16 /* times the height: letters of another size */
#define HEADING_MAX 200 /* bytes */
#define HEADING_LINES 3
#define NUMBERED_MAX 90 /* bytes of a heading that is one by its number */

static double
height(const struct pdf_line *l)
{
    double h = l->bottom - l->top;

    return h > 0.1 ? h : 0.1;
}

/* --- gathering ------------------------------------------------------------ */

void
pdf_page_init(struct pdf_page *p)
{
    (void)memset(p, 0, sizeof(*p));
    buf_init(&p->text, PDF_PAGE_MAX);
}

void
pdf_page_release(struct pdf_page *p)
{
    buf_release(&p->text);
    free(p->lines);
}

void
pdf_page_begin(struct pdf_page *p, double page_height)
{
    p->number++;
    p->height = page_height;
    p->n = 0;
    p->item = false;
    buf_clear(&p->text);
    (void)memcpy(p->edge_before, p->edge, sizeof(p->edge));
    p->n_edge_before = p->n_edge;
    p->n_edge = 0;
}

bool
pdf_page_line(struct pdf_page *p, const struct pdf_line *l)
{
    if (p->n >= PDF_LINES_MAX || p->text.len > PDF_PAGE_MAX / 2)
        return false;
    if (p->n == p->cap) {
        p->cap = p->cap > 0 ? 2 * p->cap : 128;
        p->lines = xrealloc(p->lines, p->cap * sizeof(*p->lines));
    }
    p->lines[p->n] = *l;
    p->lines[p->n].at = p->text.len;
    p->lines[p->n].len = 0;
    p->n++;
    return true;
}

void
pdf_page_word(struct pdf_page *p, const char *s, size_t n)
{
    struct pdf_line *l = p->n > 0 ? &p->lines[p->n - 1] : NULL;

    if (l == NULL || n == 0 || p->text.len + n + 1 > PDF_PAGE_MAX)
        return;
    if (l->len > 0)
        buf_addc(&p->text, ' ');
    buf_add(&p->text, s, n);
    l->len = p->text.len - l->at;
}

static const char *
words(const struct pdf_page *p, const struct pdf_line *l)
{
    return p->text.data != NULL ? p->text.data + l->at : "";
}

/* --- margins -------------------------------------------------------------- */

static bool
in_margin(const struct pdf_page *p, const struct pdf_line *l)
{
    return p->height > 0 && (l->bottom < p->height * MARGIN ||
                             l->top > p->height * (1 - MARGIN));
}

/* What a line says, whatever its numbers are. Never 0. */
static uint64_t
print_of(const char *s, size_t n)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    bool digit = false;

    for (size_t i = 0; i < n; i++) {
        bool now = s[i] >= '0' && s[i] <= '9';

        if (now && digit)
            continue;
        digit = now;
        h = (h ^ (unsigned char)(now ? '#' : s[i])) * 1099511628211u;
    }
    return h | 1;
}

static bool
is_page_number(const char *s, size_t n)
{
    size_t digits = 0;

    for (size_t i = 0; i < n; i++)
        if (s[i] >= '0' && s[i] <= '9')
            digits++;
        else if (strchr(" -/|.", s[i]) == NULL &&
                 (n > 6 || strchr("ivxlc", s[i]) == NULL))
            return false;
    return n <= 12 && (digits > 0 || n <= 6);
}

/* "Naming . . . . . . 3" */
static bool
is_of_contents(const char *s, size_t n)
{
    return n > 8 && (memmem(s, n, ". . . . ", 8) != NULL ||
                     memmem(s, n, "........", 8) != NULL);
}

/* Lines that are left out get the length 0. */
static void
drop_lines(struct pdf_page *p)
{
    for (size_t i = 0; i < p->n; i++) {
        struct pdf_line *l = &p->lines[i];
        uint64_t print;

        if (is_of_contents(words(p, l), l->len))
            l->len = 0;
        if (!in_margin(p, l) || l->len == 0)
            continue;
        print = print_of(words(p, l), l->len);
        if (p->n_edge < PDF_EDGE_MAX)
            p->edge[p->n_edge++] = print;
        for (size_t k = 0; k < p->n_edge_before; k++)
            if (p->edge_before[k] == print)
                l->len = 0;
        if (is_page_number(words(p, l), l->len))
            l->len = 0;
    }
}

/* --- sizes ---------------------------------------------------------------- */

/* Heights are told apart by a third of a point. */
static size_t
size_class(double h)
{
    double c = h * 3;

    return c < PDF_SIZES - 1 ? (size_t)c : PDF_SIZES - 1;
}

/* The height that most characters have until now. */
static double
usual_size(struct pdf_page *p)
{
    size_t best = 0;

    for (size_t i = 0; i < p->n; i++)
        p->sizes[size_class(height(&p->lines[i]))] += p->lines[i].len;
    for (size_t i = 1; i < PDF_SIZES; i++)
        if (p->sizes[i] > p->sizes[best])
            best = i;
    return ((double)best + 0.5) / 3;
}

/* --- paragraphs ----------------------------------------------------------- */

/* "• ", "- ", "* ": how many bytes; 0: none. */
static size_t
bullet(const char *s, size_t n)
{
    uint32_t c;
    size_t len = n > 0 ? letter_read(s, n, &c) : 0;

    if (len == 0 || (len < n && s[len] != ' '))
        return 0;
    switch (c) {
    case '-':
    case '*':
    case 0xB7:
    case 0x2013:
    case 0x2022:
    case 0x2023:
    case 0x2043:
    case 0x2219:
    case 0x25A0:
    case 0x25AA:
    case 0x25CB:
    case 0x25CF:
    case 0x25E6:
    case 0x2713:
    case 0xF0A7:
    case 0xF0B7: return len < n ? len + 1 : len;
    default: return 0;
    }
}

/* "3." or "3)" or "a)" and a blank? */
static bool
is_enumerated(const char *s, size_t n)
{
    size_t i = 0;

    while (i < n && i < 3 && s[i] >= '0' && s[i] <= '9')
        i++;
    if (i == 0 && n > 2 && s[0] >= 'a' && s[0] <= 'z' && s[1] == ')')
        i = 1;
    return i > 0 && i + 1 < n && (s[i] == '.' || s[i] == ')') &&
           s[i + 1] == ' ';
}

/* "2.2 Naming": how many numbers (2); 0: none, or only one. */
static int
numbers(const char *s, size_t n)
{
    size_t i = 0;
    int count = 0;

    while (i < n && s[i] >= '0' && s[i] <= '9') {
        size_t from = i;

        while (i < n && i - from < 4 && s[i] >= '0' && s[i] <= '9')
            i++;
        count++;
        if (i < n && s[i] == '.')
            i++;
        else
            break;
    }
    return count > 1 && count <= 6 && i + 1 < n && s[i] == ' ' &&
                   ((unsigned char)s[i + 1] >= 0x80 ||
                    (s[i + 1] >= 'A' && s[i + 1] <= 'Z'))
               ? count
               : 0;
}

static bool
ends_sentence(const char *s, size_t n)
{
    while (n > 0 && strchr("\"')]", s[n - 1]) != NULL)
        n--;
    return n > 0 && strchr(".!?:;", s[n - 1]) != NULL;
}

/* What the lines of a block have in common. */
struct frame {
    double left, right, pitch; /* pitch: the least distance of two lines */
};

static struct frame
frame_of(const struct pdf_line *l, size_t n)
{
    struct frame f = {l->left, l->right, 0};

    for (size_t i = 1; i < n; i++) {
        double pitch = l[i].top - l[i - 1].top;

        f.left = fmin(f.left, l[i].left);
        f.right = fmax(f.right, l[i].right);
        if (pitch > 1 && (f.pitch == 0 || pitch < f.pitch))
            f.pitch = pitch;
    }
    return f;
}

/* Does a paragraph begin with line b, behind line a? */
static bool
is_begin(const struct pdf_page *p, const struct frame *f,
         const struct pdf_line *a, const struct pdf_line *b)
{
    const char *s = words(p, b);
    double ratio = height(b) / height(a), pitch = b->top - a->top;

    if (ratio > SIZE_OTHER || ratio < 1 / SIZE_OTHER)
        return true;
    if (bullet(s, b->len) > 0 || is_enumerated(s, b->len) ||
        numbers(s, b->len) > 0)
        return true;
    if (f->pitch > 0 && pitch > f->pitch * PITCH_MORE)
        return true;
    if (b->left - a->left > INDENT * height(b) && pitch > height(b) / 2)
        return true;
    return a->right < f->left + (f->right - f->left) * EARLY &&
           ends_sentence(words(p, a), a->len);
}

/* Was a word cut at the end of s, of which `next` is the rest? */
static bool
is_cut(const char *s, size_t n, const char *next, size_t next_len)
{
    return n >= 2 && next_len > 0 && s[n - 1] == '-' &&
           letter_is_alpha(letter_before(s, n - 1)) && next[0] >= 'a' &&
           next[0] <= 'z';
}

static int
heading_level(const struct pdf_page *p, const struct pdf_line *l, size_t n,
              double usual)
{
    double ratio = height(l) / usual;
    size_t len = l[n - 1].at + l[n - 1].len - l->at;
    int count;

    if (n > HEADING_LINES || len > HEADING_MAX || len < 2)
        return 0;
    count = n == 1 && len <= NUMBERED_MAX && !ends_sentence(words(p, l), l->len)
                ? numbers(words(p, l), l->len)
                : 0;
    if (count > 0)
        return count;
    return ratio < SIZE_OTHER ? 0 : ratio > 1.7 ? 1 : ratio > 1.35 ? 2 : 3;
}

/* n lines that are one paragraph. */
static void
give(struct pdf_page *p, const struct pdf_line *l, size_t n, double usual,
     struct compose *c)
{
    const char *s = words(p, l);
    size_t mark = bullet(s, l->len);
    int level = mark > 0 ? 0 : heading_level(p, l, n, usual);

    if (n == 1 && mark == l->len) { /* a bullet alone: its text is next */
        p->item = true;
        return;
    }
    if (level > 0)
        compose_block(c, BLOCK_HEADING, level);
    else
        compose_block(c,
                      mark > 0 || p->item || is_enumerated(s, l->len)
                          ? BLOCK_ROW
                          : BLOCK_TEXT,
                      0);
    p->item = false;
    for (size_t i = 0; i < n; i++) {
        size_t skip = i == 0 ? mark : 0, len = l[i].len;
        bool cut = i + 1 < n && is_cut(words(p, &l[i]), len,
                                       words(p, &l[i + 1]), l[i + 1].len);

        compose_text(c, words(p, &l[i]) + skip, len - skip - cut);
        if (!cut)
            compose_text(c, " ", 1);
    }
}

void
pdf_page_end(struct pdf_page *p, struct compose *c)
{
    double usual;
    size_t kept = 0;

    drop_lines(p);
    for (size_t i = 0; i < p->n; i++) { /* lines with nothing in them */
        if (p->lines[i].len > 0)
            p->lines[kept++] = p->lines[i];
        else if (i + 1 < p->n)
            p->lines[i + 1].first |= p->lines[i].first;
    }
    p->n = kept;
    usual = usual_size(p);
    compose_page(c, p->number);
    for (size_t i = 0; i < p->n;) {
        const struct pdf_line *l = &p->lines[i];
        size_t n = 1, from = 0;
        struct frame f;

        while (i + n < p->n && !l[n].first)
            n++;
        f = frame_of(l, n);
        for (size_t k = 1; k <= n; k++)
            if (k == n || is_begin(p, &f, &l[k - 1], &l[k])) {
                give(p, l + from, k - from, usual, c);
                from = k;
            }
        i += n;
    }
    compose_again(c);
}

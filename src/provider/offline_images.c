/*
 * Questions that want images: all that fit are listed, as somebody who asks for
 * pictures of the beach wants to see them all, each with what is known of it.
 * What fits is what has nearly as much of the question as the image that has
 * most of it; a question that names nothing but images ("which photos do I
 * have?") gets those that were found.
 *
 * A question may be about images and want none ("does it support images?"). So
 * where nothing but the word for them is left of it, it must also ask to be
 * shown something.
 */
#include "base/base.h"

#include <pthread.h>

#include "base/mem.h"
#include "base/text.h"
#include "provider/offline.h"
#include "provider/provider.h"

#define IMAGES_MAX 50      /* in an answer */
#define KEEP_MIN 0.6       /* of the best one's words */
#define COVER_MIN 0.5      /* of the question, where no image was asked for */
#define ABOUT_MAX 600      /* bytes that are told of one */
#define LIST_WORDS_MAX 80  /* of each list of words */
#define SIZE_LINE "Size: " /* says nothing of what is to be seen */

/* Words that ask to be shown something, and those that ask otherwise. */
static const char showing[] =
    "show see view display list find have got which what any my all are "
    "zeig zeige zeigen welche habe gibt alle meine montre quelles ai toutes";
static const char not_showing[] =
    "how support supports supported supporting upload send attach add accept "
    "accepts handle understand it parley format formats type types wie";
/* Words that say nothing of what an image shows. */
static const char empty[] =
    "ones only those just now also nur see view display list got yes png "
    "jpeg jpg gif webp file files format formats size type zeig zeige "
    "zeigen mir welche habe ich gibt es alle meine von vom am im der die "
    "das den mit und oder montre moi les des du de la le un une avec "
    "quelles ai je toutes mes other others";

struct wanted {
    struct query q; /* its words but those for images */
    bool asks;      /* a word for images is among them */
    bool shows;     /* it asks to be shown something */
    double *weight; /* of what each excerpt has; 0: no image */
};

/* The hash of one word. */
static uint32_t
hash_of(const char *word, size_t n)
{
    bool stop;

    return words_next(&word, word + n, &stop);
}

/* The lists, as hashes. */
struct hashes {
    uint32_t of[LIST_WORDS_MAX];
    size_t n;
};
static struct hashes h_showing, h_not_showing, h_empty;
static uint32_t h_image;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* A list has blanks between its words. */
static void
hash_list(struct hashes *h, const char *list)
{
    for (size_t n; *list != '\0'; list += n + (list[n] == ' ')) {
        n = strcspn(list, " ");
        assert(h->n < LIST_WORDS_MAX);
        h->of[h->n++] = hash_of(list, n);
    }
}

static void
hash_lists(void)
{
    hash_list(&h_showing, showing);
    hash_list(&h_not_showing, not_showing);
    hash_list(&h_empty, empty);
    h_image = hash_of("image", 5);
}

static bool
is_among(const struct hashes *h, uint32_t w)
{
    for (size_t i = 0; i < h->n; i++)
        if (h->of[i] == w)
            return true;
    return false;
}

static void
read_wanted(struct wanted *w, const char *s, size_t n)
{
    const char *end =
        s + (n <= OFFLINE_IMAGES_READ ? n : utf8_whole(s, OFFLINE_IMAGES_READ));
    uint32_t word;
    bool stop, other = false;

    (void)pthread_once(&once, hash_lists);
    (void)memset(w, 0, sizeof(*w));
    while ((word = words_next(&s, end, &stop)) != 0) {
        w->shows |= is_among(&h_showing, word);
        other |= is_among(&h_not_showing, word);
        if (word == h_image)
            w->asks = true;
        else if (!stop && !is_among(&h_empty, word) && w->q.n < QUERY_WORDS_MAX)
            w->q.words[w->q.n++] = word;
    }
    w->shows = w->shows && !other;
}

/* The next line of an image's text that tells something; 0: there is none. */
static size_t
next_line(const char **at, const char *end, const char **line)
{
    while (*at < end) {
        const char *nl = memchr(*at, '\n', (size_t)(end - *at));

        *line = *at;
        *at = nl != NULL ? nl + 1 : end;
        nl = nl != NULL ? nl : end;
        if (nl > *line && strncmp(*line, SIZE_LINE, sizeof(SIZE_LINE) - 1) != 0)
            return (size_t)(nl - *line);
    }
    return 0;
}

static bool
image_has(const struct excerpt *x, uint32_t word)
{
    const char *at = x->text, *end = x->text + x->len, *line;
    uint32_t w;
    size_t n;
    bool stop;

    while ((n = next_line(&at, end, &line)) > 0)
        for (const char *s = line; (w = words_next(&s, line + n, &stop)) != 0;)
            if (w == word)
                return true;
    return false;
}

/* How rare a word is among all images, and which of them have it. Returns what
 * the best one has. */
static double
weigh(struct wanted *w, const struct ask *ask, size_t n_images)
{
    double best = 0;

    for (size_t k = 0; k < w->q.n; k++) {
        size_t having = 0;

        for (size_t i = 0; i < ask->n_excerpts; i++)
            having += ask->excerpts[i].image &&
                      image_has(&ask->excerpts[i], w->q.words[k]);
        w->q.weight[k] =
            having > 0 ? 1 + (double)(n_images - having) / (double)n_images : 1;
        w->q.total += w->q.weight[k];
    }
    for (size_t i = 0; i < ask->n_excerpts; i++) {
        for (size_t k = 0; ask->excerpts[i].image && k < w->q.n; k++)
            if (image_has(&ask->excerpts[i], w->q.words[k]))
                w->weight[i] += w->q.weight[k];
        best = w->weight[i] > best ? w->weight[i] : best;
    }
    return best;
}

/* --- telling -------------------------------------------------------------- */

static bool
begins(const char *s, size_t n, const char *with)
{
    size_t len = strlen(with);

    return n >= len && memcmp(s, with, len) == 0;
}

/* What is known of it: the first line is its name, which is told already. */
static void
tell_about(struct buf *out, const struct excerpt *x)
{
    const char *at = x->text, *end = x->text + x->len, *line;
    const char *sep = ": ";
    size_t n, told = 0;
    bool first = true, any = false;

    while ((n = next_line(&at, end, &line)) > 0) {
        bool name = first && begins(line, n, "Image ");

        first = false;
        if (name || told + n > ABOUT_MAX)
            continue;
        if (begins(line, n, "Place: ") || begins(line, n, "Camera: ") ||
            (any && begins(line, n, "Tags: ")))
            continue;
        if (begins(line, n, "Taken "))
            sep = any ? " *" : ": *";
        else if (any && strchr(".!?", out->data[out->len - 1]) == NULL)
            sep = ". "; /* behind a title */
        buf_adds(out, sep);
        buf_add(out, line, n);
        if (sep[1] == '*' || sep[2] == '*')
            buf_addc(out, '*');
        told += n;
        any = true;
        sep = " ";
    }
}

static bool
is_listed(const struct ask *ask, const struct wanted *w, size_t i, double least)
{
    if (!ask->excerpts[i].image || w->weight[i] < least)
        return false;
    for (size_t k = 0; k < i; k++)
        if (ask->excerpts[k].image && w->weight[k] >= least &&
            strcmp(ask->excerpts[k].name, ask->excerpts[i].name) == 0)
            return false;
    return true;
}

static void
tell(struct buf *out, const struct ask *ask, const struct wanted *w,
     double least)
{
    size_t n = 0, told = 0;

    for (size_t i = 0; i < ask->n_excerpts; i++)
        n += is_listed(ask, w, i, least);
    buf_adds(out, n == 1 ? "This image fits:\n\n" : "These images fit:\n\n");
    for (size_t i = 0; i < ask->n_excerpts && told < IMAGES_MAX; i++) {
        if (!is_listed(ask, w, i, least))
            continue;
        buf_addf(out, "- **%s** [%zu]", ask->excerpts[i].name, i + 1);
        tell_about(out, &ask->excerpts[i]);
        buf_addc(out, '\n');
        told++;
    }
    buf_addc(out, '\n');
}

enum offline_images
offline_images(const struct ask *ask, const char *message, size_t n,
               struct buf *out)
{
    struct wanted w;
    size_t n_images = 0;
    bool found = false;
    double best;

    for (size_t i = 0; i < ask->n_excerpts; i++)
        n_images += ask->excerpts[i].image;
    read_wanted(&w, message, n);
    w.weight = xcalloc(ask->n_excerpts + 1, sizeof(*w.weight));
    best = weigh(&w, ask, n_images);
    if (w.q.n == 0)
        found = n_images > 0 && w.asks && w.shows;
    else if (w.asks)
        found = best > 0;
    else if (n_images > 0 && (ask->excerpts[0].image || /* it fits best */
                              2 * n_images >= ask->n_excerpts))
        found = best >= COVER_MIN * w.q.total;
    if (found)
        tell(out, ask, &w, KEEP_MIN * best);
    free(w.weight);
    return found               ? IMAGES_TOLD
           : w.asks && w.shows ? IMAGES_NONE
                               : IMAGES_NOT_ASKED;
}

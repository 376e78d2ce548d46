/*
 * The helper. It has two windows: one is worked on or ready, while the other is
 * filled or written. Its thread lives from the first window that is worth it to
 * the end of the batch or put; where none can be started, its work is done by
 * the one who waits for it.
 *
 * What it knows of words (stems, what they add to a vector) is what makes it
 * fast, and is kept from one batch to the next.
 */
#include "base/base.h"

#include "files/put_window.h"

#include <pthread.h>

#include "base/mem.h"

#define STEMS (1u << 14)
#define WORDS_MAX (4 * (PUT_TEXT_MAX + CHUNK_HEADING_MAX + 4096))

struct put_helper {
    struct put_window window[2];
    struct stems *stems; /* owned, these; the helper's */
    struct shelf_token *token;
    struct vector_memory *memory;
    struct buf text, about; /* of a chunk; the helper's */
    struct buf list;
    pthread_t thread;
    bool threaded;      /* there is one */
    unsigned given;     /* windows, ever */
    unsigned taken;     /* of these, by helper_wait */
    pthread_mutex_t mu; /* guards asked, done, quit */
    pthread_cond_t changed;
    unsigned asked, done; /* of the given ones, of the thread */
    bool quit;
};

struct put_helper *
helper_new(struct shelf_conn *c)
{
    struct stems *stems = stems_new(STEMS);
    struct shelf_token *token = shelf_token_new(shelf_token_api(c->db), stems);
    struct put_helper *h;

    if (token == NULL) {
        stems_free(stems);
        return NULL;
    }
    h = xcalloc(1, sizeof(*h));
    h->stems = stems;
    h->token = token;
    h->memory = vector_memory_new(stems);
    for (size_t i = 0; i < COUNT_OF(h->window); i++) {
        buf_init(&h->window[i].bytes,
                 WINDOW * (CHUNK_HEADING_MAX + (size_t)PUT_TEXT_MAX));
        buf_init(&h->window[i].words, WINDOW * (size_t)WORDS_MAX);
    }
    buf_init(&h->text, PUT_TEXT_MAX + FILES_NAME_MAX + FACTS_TITLE_MAX +
                           CHUNK_HEADING_MAX + 16);
    buf_init(&h->about, FILES_NAME_MAX + CHUNK_HEADING_MAX + 2);
    buf_init(&h->list, WORDS_MAX);
    (void)pthread_mutex_init(&h->mu, NULL);
    (void)pthread_cond_init(&h->changed, NULL);
    return h;
}

void
helper_free(struct put_helper *h)
{
    if (h == NULL)
        return;
    helper_rest(h);
    for (size_t i = 0; i < COUNT_OF(h->window); i++) {
        buf_release(&h->window[i].bytes);
        buf_release(&h->window[i].words);
    }
    buf_release(&h->text);
    buf_release(&h->about);
    buf_release(&h->list);
    shelf_token_free(h->token);
    vector_memory_free(h->memory);
    stems_free(h->stems);
    (void)pthread_cond_destroy(&h->changed);
    (void)pthread_mutex_destroy(&h->mu);
    free(h);
}

/* --- its work ------------------------------------------------------------- */

static void
work_chunk(struct put_helper *h, struct put_window *w, uint32_t i)
{
    const struct put_head *head = &w->head[i];
    char heading[CHUNK_HEADING_MAX + 1];

    memcpy(heading, w->bytes.data + w->at[i], head->heading_len);
    heading[head->heading_len] = '\0';
    shelf_words_text(&h->text, w->lang, w->name, w->title, heading,
                     window_text(w, i), head->text_len);
    shelf_token_list(h->token, h->text.data, h->text.len, &h->list);
    buf_add(&w->words, h->list.data, h->list.len);
    w->words_at[i + 1] = w->words.len;
    buf_clear(&h->about);
    buf_adds(&h->about, w->name);
    buf_addc(&h->about, '\n');
    buf_add(&h->about, heading, head->heading_len);
    vector_of_part_by(h->memory, h->about.data, h->about.len, window_text(w, i),
                      head->text_len, w->vector[i]);
}

static void
work(struct put_helper *h, struct put_window *w)
{
    buf_clear(&w->words);
    w->words_at[0] = 0;
    for (uint32_t i = 0; i < w->n; i++)
        work_chunk(h, w, i);
    assert(!w->words.over && !h->list.over && !h->text.over);
}

static void *
run(void *arg)
{
    struct put_helper *h = arg;

    (void)pthread_mutex_lock(&h->mu);
    for (;;) {
        while (h->asked == h->done && !h->quit)
            (void)pthread_cond_wait(&h->changed, &h->mu);
        if (h->quit)
            break;
        (void)pthread_mutex_unlock(&h->mu);
        work(h, &h->window[h->done % 2]); /* only we change it */
        (void)pthread_mutex_lock(&h->mu);
        h->done++;
        (void)pthread_cond_broadcast(&h->changed);
    }
    (void)pthread_mutex_unlock(&h->mu);
    return NULL;
}

/* --- who writes ----------------------------------------------------------- */

void
helper_rest(struct put_helper *h)
{
    if (h->threaded) {
        (void)pthread_mutex_lock(&h->mu);
        h->quit = true;
        (void)pthread_cond_broadcast(&h->changed);
        (void)pthread_mutex_unlock(&h->mu);
        (void)pthread_join(h->thread, NULL);
    }
    h->threaded = h->quit = false;
    h->given = h->taken = h->asked = h->done = 0;
}

bool
helper_full(const struct put_helper *h)
{
    return h->given - h->taken == 2;
}

struct put_window *
helper_window(struct put_helper *h)
{
    assert(!helper_full(h));
    return &h->window[h->given % 2];
}

void
helper_give(struct put_helper *h, struct put_window *w, bool thread)
{
    assert(w == helper_window(h));
    h->given++;
    if (thread && !h->threaded) {
        h->asked = h->done = h->taken; /* also what was given before */
        h->threaded = pthread_create(&h->thread, NULL, run, h) == 0;
    }
    if (!h->threaded)
        return;
    (void)pthread_mutex_lock(&h->mu);
    h->asked = h->given;
    (void)pthread_cond_broadcast(&h->changed);
    (void)pthread_mutex_unlock(&h->mu);
}

struct put_window *
helper_wait(struct put_helper *h)
{
    struct put_window *w = &h->window[h->taken % 2];

    if (h->given == h->taken)
        return NULL;
    h->taken++;
    if (!h->threaded) {
        work(h, w);
        return w;
    }
    (void)pthread_mutex_lock(&h->mu);
    while (h->done < h->taken)
        (void)pthread_cond_wait(&h->changed, &h->mu);
    (void)pthread_mutex_unlock(&h->mu);
    return w;
}

/*
 * Images of the index in a prompt. Each goes behind the new message, where it
 * may be shown to this route: a label holds its pixels back from other machines
 * as it does its words (what is to be blotted out of words cannot be blotted
 * out of pixels), and a model that sees no images has the words alone. So a
 * message that names an image can be answered by any model. Loop thread.
 */
#include "base/base.h"

#include "chat/prompt.h"

#include "base/text.h"
#include "chat/retrieve.h"
#include "chat/sight.h"
#include "chat/tokens.h"
#include "provider/models.h"

/* What must be sent in any case: what no exchange left out makes less. */
static int64_t
fixed_tokens(const struct turn_ask *a, const struct ask_message *m, size_t n)
{
    size_t last = 1 + a->n_after;
    int64_t sum = TOKENS_PER_MESSAGE +
                  tokens_estimate(a->ask.system, strlen(a->ask.system)) +
                  prompt_tokens(m + n - last, last);

    for (size_t i = 0; i + last < n; i++)
        if (m[i].role == ROLE_SYSTEM)
            sum += prompt_tokens(&m[i], 1);
    return sum;
}

static enum sight_end
end_of(const struct turn_ask *a, const struct sight *s,
       const struct route_choice *route, int64_t room)
{
    const struct model *model = model_find(route->provider->name, route->model);

    if (s->label != LABEL_CLOUD_OK && !route_stays(route))
        return SIGHT_HELD;
    if (route->provider->answer != NULL || (model != NULL && !model->images))
        return SIGHT_BLIND;
    if (s->end != SIGHT_SHOWN)
        return s->end;
    if (a->words_only)
        return SIGHT_REFUSED;
    return room < PROMPT_IMAGE_TOKENS ? SIGHT_ROOM : SIGHT_SHOWN;
}

/* "Image NAME:", so that one can be told from another. */
static struct piece
name_piece(struct turn_ask *a, const struct sight *s)
{
    struct buf b;
    struct piece p = {.kind = PIECE_TEXT};

    buf_init(&b, FILES_NAME_MAX + 16);
    buf_addf(&b, "Image %s:", s->name);
    for (size_t i = 0; i < b.len; i++)
        if ((unsigned char)b.data[i] < ' ' || b.data[i] == 0x7F)
            b.data[i] = ' ';
    p.text = arena_memdup0(&a->arena, b.data, b.len);
    p.len = b.len;
    buf_release(&b);
    return p;
}

/* Put those that are shown behind what the message has. */
static void
add_pieces(struct turn_ask *a, struct ask_message *m,
           const struct prompt_report *r, size_t n_shown)
{
    const struct sights *s = a->retrieved->sights;
    size_t n = m->pieces != NULL ? m->n_pieces : 1;
    struct piece *pieces = arena_alloc(&a->arena,
                                       (n + 2 * n_shown) * sizeof(*pieces));

    if (m->pieces != NULL)
        (void)memcpy(pieces, m->pieces, n * sizeof(*pieces));
    else
        pieces[0] = (struct piece){
            .kind = PIECE_TEXT, .text = m->text, .len = m->len};
    for (size_t i = 0; i < s->n; i++) {
        if (r->sight[i] != SIGHT_SHOWN)
            continue;
        if (n_shown > 1)
            pieces[n++] = name_piece(a, &s->list[i]);
        pieces[n++] = (struct piece){
            .kind = PIECE_IMAGE,
            .text = s->list[i].data.data,
            .len = s->list[i].data.len,
            .media_type = s->list[i].media_type,
        };
    }
    m->pieces = pieces;
    m->n_pieces = n;
}

void
prompt_images(struct turn_ask *a, const struct route_choice *route,
              struct ask_message *m, size_t n, int64_t room,
              struct prompt_report *r)
{
    const struct sights *s = a->retrieved != NULL ? a->retrieved->sights : NULL;
    size_t shown = 0;

    if (s == NULL)
        return;
    if (room != INT64_MAX)
        room -= fixed_tokens(a, m, n);
    for (size_t i = 0; i < s->n; i++) {
        enum sight_end end = end_of(a, &s->list[i], route, room);

        r->sight[i] = (uint8_t)end;
        shown += end == SIGHT_SHOWN;
        if (end == SIGHT_SHOWN && room != INT64_MAX)
            room -= PROMPT_IMAGE_TOKENS;
    }
    r->n_sights = (uint8_t)s->n;
    if (shown > 0)
        add_pieces(a, &m[n - 1 - a->n_after], r, shown);
}

int64_t
prompt_sight_tokens(const struct turn_ask *a)
{
    const struct sights *s = a->retrieved != NULL ? a->retrieved->sights : NULL;
    int64_t sum = 0;

    for (size_t i = 0; s != NULL && i < s->n; i++)
        sum += s->list[i].end == SIGHT_SHOWN ? PROMPT_IMAGE_TOKENS : 0;
    return sum;
}

const struct sight *
prompt_shown(const struct turn_ask *a, const struct prompt_report *r, size_t i)
{
    return i < r->n_sights && r->sight[i] == SIGHT_SHOWN
               ? &a->retrieved->sights->list[i]
               : NULL;
}

/*
 * Excerpts of files in a prompt: framed as data (files/cite.h), in at most a
 * share of the model's window, right before what the user says. They are others
 * each time, so they stand behind all that is the same as the last time: a
 * provider's cache knows a prompt by its beginning. They are part of the user's
 * message since not every provider takes two messages of a user in a row, or
 * system text in between; and what a file says weighs no more there than what
 * the user says, not as much as system text. A provider that answers from files
 * alone gets them as they are. Loop thread.
 */
#include "base/base.h"

#include "chat/prompt.h"

#include "base/buf.h"
#include "chat/retrieve.h"
#include "chat/tokens.h"
#include "files/cite.h"

#define EXCERPTS_MAX (48 * 1024) /* bytes */
#define EXCERPTS_SHARE 3         /* of the room */
#define TOKEN_BYTES 3            /* of text in a token, at least */
#define RULE_TOKENS 150          /* of the words around the excerpts */

static const char end_mark[] =
    "\nThe excerpts end here. What the user says:\n\n";

const char *
prompt_excerpts(struct turn_ask *a, const struct route_choice *route,
                int64_t room, struct prompt_report *r)
{
    const struct files_found *found;
    const char *text = "";
    size_t max = EXCERPTS_MAX;
    struct buf b;

    r->stays = route_stays(route);
    r->excerpts = 0;
    a->ask.excerpts = NULL;
    a->ask.n_excerpts = 0;
    found = retrieved_for(a->retrieved, r->stays);
    a->ask.searched = found->documents > 0 && !found->samples;
    if (found->n == 0)
        return "";
    if (route->provider->answer != NULL) {
        a->ask.excerpts = a->retrieved->excerpts;
        a->ask.n_excerpts = found->n;
        r->excerpts = (uint32_t)found->n;
        return "";
    }
    if (room / EXCERPTS_SHARE < EXCERPTS_MAX / TOKEN_BYTES)
        max = room <= 0 ? 0 : (size_t)(room / EXCERPTS_SHARE) * TOKEN_BYTES;
    buf_init(&b, max + sizeof(end_mark));
    r->excerpts = (uint32_t)cite_text(found->hits, found->n, max, &b);
    if (r->excerpts > 0) {
        buf_adds(&b, end_mark);
        text = arena_memdup0(&a->arena, b.data, b.len);
    }
    buf_release(&b);
    return text;
}

void
prompt_quote(struct turn_ask *a, struct ask_message *m, const char *excerpts)
{
    size_t n = strlen(excerpts);
    struct piece *pieces;
    char *text;

    if (n == 0)
        return;
    if (m->pieces == NULL) {
        text = arena_alloc(&a->arena, n + m->len + 1);
        (void)memcpy(text, excerpts, n);
        (void)memcpy(text + n, m->text, m->len);
        text[n + m->len] = '\0';
        m->text = text;
        m->len += n;
        return;
    }
    pieces = arena_alloc(&a->arena, (m->n_pieces + 1) * sizeof(*pieces));
    pieces[0] = (struct piece){.kind = PIECE_TEXT, .text = excerpts, .len = n};
    (void)memcpy(pieces + 1, m->pieces, m->n_pieces * sizeof(*pieces));
    m->pieces = pieces;
    m->n_pieces++;
}

static int64_t
found_tokens(const struct files_found *found)
{
    int64_t sum = 0;

    for (size_t i = 0; i < found->n; i++)
        sum += TOKENS_PER_MESSAGE +
               tokens_estimate(found->hits[i].text,
                               strlen(found->hits[i].text));
    return sum > EXCERPTS_MAX ? EXCERPTS_MAX : sum;
}

int64_t
prompt_excerpt_tokens(const struct turn_ask *a)
{
    int64_t here = found_tokens(retrieved_for(a->retrieved, true));
    int64_t away = found_tokens(retrieved_for(a->retrieved, false));
    int64_t most = here > away ? here : away;

    return (most > 0 ? most + RULE_TOKENS : 0) + prompt_sight_tokens(a);
}

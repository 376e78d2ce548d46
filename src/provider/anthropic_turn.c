/*
 * The messages of a Messages request (docs/WIRE.md).
 *
 * The wire knows two sides, the user's and the assistant's, and wants them to
 * alternate: neighbours of one side become one turn. Results of tools are the
 * user's, and must come first in the turn behind the calls; thoughts must come
 * first in the assistant's turn, though a turn that begins with one keeps its
 * order, since text and thoughts may alternate. System messages belong to the
 * system text (anthropic_body.c).
 *
 * What the wire refuses is mended rather than sent: blank texts are left out,
 * and an answer at the very beginning gets a question before it. The pieces
 * themselves are written in anthropic_piece.c.
 * Source: MessageParam in resources/messages of @anthropic-ai/sdk. Any
 * thread; pure.
 */
#include "base/base.h"

#include "provider/anthropic.h"

#include "base/json.h"
#include "provider/wire.h"

/* Before an answer that answers nothing. */
static const char opening[] = "(The conversation begins with your words.)";

/* Messages [from, to) of one side; others between them are left out. */
struct turn {
    size_t from, to;
    bool user;
    size_t blocks;      /* that will be sent */
    bool thought;       /* one of them is a thought */
    bool thought_first; /* the first is */
};

/* What is being written. */
struct writer {
    struct json_out *j;
    const struct ask *ask;
    bool bedrock;
    size_t left; /* blocks until the one that is marked; 0: none is */
    struct problem *why;
};

static bool
is_sent(const struct piece *p, bool user, bool bedrock)
{
    return wire_sent(p, user, bedrock ? "bedrock" : "anthropic");
}

/* --- turns -------------------------------------------------------------- */

static void
turn_count(struct turn *t, const struct ask_message *m, bool bedrock)
{
    size_t i, n = wire_pieces(m);

    for (i = 0; i < n; i++) {
        struct piece p = wire_piece(m, i);

        if (!is_sent(&p, t->user, bedrock))
            continue;
        t->thought |= p.kind == PIECE_THOUGHT;
        if (t->blocks++ == 0)
            t->thought_first = t->thought;
    }
}

/* The next turn from message at on; false: there is none. Messages of which
 * nothing is sent do not part their neighbours. */
static bool
turn_next(const struct ask *ask, bool bedrock, size_t at, struct turn *t)
{
    struct turn all = {.from = at, .to = at};
    size_t i;

    for (i = at; i < ask->n_messages; i++) {
        const struct ask_message *m = &ask->messages[i];
        struct turn one = {.user = m->role != ROLE_ASSISTANT};

        if (m->role == ROLE_SYSTEM)
            continue;
        turn_count(&one, m, bedrock);
        if (one.blocks == 0)
            continue;
        if (all.blocks > 0 && one.user != all.user)
            break;
        if (all.blocks == 0) {
            all.user = one.user;
            all.thought_first = one.thought_first;
        }
        all.thought |= one.thought;
        all.blocks += one.blocks;
        all.to = i + 1;
    }
    *t = all;
    return all.blocks > 0;
}

/* Does the user say anything there beside results? */
static bool
turn_speaks(const struct ask *ask, const struct turn *t)
{
    size_t i, k;

    for (i = t->from; i < t->to; i++) {
        const struct ask_message *m = &ask->messages[i];

        for (k = 0; wire_on_side(m, true) && k < wire_pieces(m); k++) {
            struct piece p = wire_piece(m, k);

            if (p.kind != PIECE_RESULT && is_sent(&p, true, false))
                return true;
        }
    }
    return false;
}

bool
anthropic_may_think(const struct ask *ask, bool bedrock)
{
    struct turn t;
    bool may = true;
    size_t at = 0;

    for (; turn_next(ask, bedrock, at, &t); at = t.to) {
        if (!t.user)
            may = may && t.thought;
        else if (turn_speaks(ask, &t))
            may = true;
    }
    return may;
}

/* --- the messages ------------------------------------------------------- */

static enum err
put_piece(struct writer *w, const struct piece *p)
{
    bool mark = w->left > 0 && --w->left == 0;

    return anthropic_put_piece(w->j, p, w->bedrock, mark, w->why);
}

/* The blocks of a turn whose kind is first, or those of all other kinds. */
static enum err
put_some(struct writer *w, const struct turn *t, int first, bool others)
{
    enum err e = OK;
    size_t i, k;

    for (i = t->from; e == OK && i < t->to; i++) {
        const struct ask_message *m = &w->ask->messages[i];

        for (k = 0; wire_on_side(m, t->user) && k < wire_pieces(m); k++) {
            struct piece p = wire_piece(m, k);

            if (((int)p.kind != first) == others &&
                is_sent(&p, t->user, w->bedrock))
                e = put_piece(w, &p);
            if (e != OK)
                break;
        }
    }
    return e;
}

static enum err
put_turn(struct writer *w, const struct turn *t)
{
    enum err e = OK;
    int first = t->user ? (int)PIECE_RESULT : (int)PIECE_THOUGHT;

    if (t->thought_first)
        first = -1; /* it is in order */
    json_begin_obj(w->j);
    json_put_str(w->j, "role", t->user ? "user" : "assistant");
    json_name(w->j, "content");
    json_begin_arr(w->j);
    if (first >= 0)
        e = put_some(w, t, first, false);
    if (e == OK)
        e = put_some(w, t, first, true);
    json_end_arr(w->j);
    json_end_obj(w->j);
    return e;
}

static void
put_opening(struct json_out *j)
{
    json_begin_obj(j);
    json_put_str(j, "role", "user");
    json_put_str(j, "content", opening);
    json_end_obj(j);
}

/* Where the user's turn begins that is marked: the last one, or the one before
 * it if that will not be sent again as it is; none: n_messages. */
static size_t
marked_user(const struct ask *ask, bool bedrock)
{
    size_t at, last = ask->n_messages, before = last;
    struct turn t;

    for (at = 0; turn_next(ask, bedrock, at, &t); at = t.to) {
        if (!t.user)
            continue;
        before = last;
        last = at;
    }
    return ask->passing ? before : last;
}

enum err
anthropic_put_messages(struct json_out *j, const struct ask *ask, bool bedrock,
                       struct problem *why)
{
    struct writer w = {.j = j, .ask = ask, .bedrock = bedrock, .why = why};
    size_t at = 0, last = ask->cache ? marked_user(ask, bedrock) : SIZE_MAX;
    enum err e = OK;
    struct turn t;

    if (!turn_next(ask, bedrock, 0, &t))
        return problem_set(why, ERR_BADREQ, NULL, "There is nothing to ask",
                           NULL);
    json_name(j, "messages");
    json_begin_arr(j);
    if (!t.user)
        put_opening(j);
    for (; e == OK && turn_next(ask, bedrock, at, &t); at = t.to) {
        w.left = at == last ? t.blocks : 0;
        e = put_turn(&w, &t);
    }
    json_end_arr(j);
    return e;
}

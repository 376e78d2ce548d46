/*
 * The messages of a Converse request.
 *
 * The wire knows two sides, user and assistant, and wants them to alternate,
 * beginning with the user: neighbours of one side become one turn, and an
 * answer at the very beginning gets a question before it. In a turn, results
 * of tools come before the user's other words, thoughts before the answer's.
 * System messages belong to the system text (bedrock_body.c). Any thread;
 * pure.
 */
#include "base/base.h"

#include "provider/bedrock.h"

#include "base/json.h"
#include "provider/wire.h"

static const char own_name[] = "bedrock";
/* Before an answer that answers nothing. */
static const char opening[] = "(The conversation begins with your words.)";

/* Is anything of this message sent, and on whose side? */
static bool
speaks(const struct ask_message *m, bool *user)
{
    size_t i;

    *user = wire_on_side(m, true);
    for (i = 0; m->role != ROLE_SYSTEM && i < wire_pieces(m); i++) {
        struct piece p = wire_piece(m, i);

        if (wire_sent(&p, *user, own_name))
            return true;
    }
    return false;
}

/* The turn that begins at or behind message *from, up to *to; false: none. */
static bool
next_turn(const struct ask *ask, size_t *from, size_t *to, bool *user)
{
    bool any = false, side;
    size_t i;

    for (i = *from; i < ask->n_messages; i++) {
        if (!speaks(&ask->messages[i], &side))
            continue;
        if (any && side != *user)
            break;
        if (!any)
            *from = i;
        any = true;
        *user = side;
        *to = i + 1;
    }
    return any;
}

/* The blocks of a turn whose kind is first, or those of all other kinds. */
static enum err
put_some(struct json_out *j, const struct ask *ask, size_t from, size_t to,
         bool user, bool first, struct problem *why)
{
    enum piece_kind kind = user ? PIECE_RESULT : PIECE_THOUGHT;
    enum err e = OK;
    size_t i, k;

    for (i = from; i < to; i++) {
        const struct ask_message *m = &ask->messages[i];

        for (k = 0; wire_on_side(m, user) && k < wire_pieces(m); k++) {
            struct piece p = wire_piece(m, k);

            if ((p.kind == kind) != first || !wire_sent(&p, user, own_name))
                continue;
            e = bedrock_put_piece(j, &p, why);
            if (e != OK)
                return e;
        }
    }
    return e;
}

/* Does the turn begin with a thought? Then it is in order: thoughts and texts
 * may alternate. */
static bool
begins_with_thought(const struct ask_message *m)
{
    size_t i;

    for (i = 0; i < wire_pieces(m); i++) {
        struct piece p = wire_piece(m, i);

        if (wire_sent(&p, false, own_name))
            return p.kind == PIECE_THOUGHT;
    }
    return false;
}

static enum err
put_in_order(struct json_out *j, const struct ask *ask, size_t from, size_t to,
             struct problem *why)
{
    enum err e = OK;
    size_t i, k;

    for (i = from; i < to; i++) {
        const struct ask_message *m = &ask->messages[i];

        for (k = 0; wire_on_side(m, false) && k < wire_pieces(m); k++) {
            struct piece p = wire_piece(m, k);

            if (wire_sent(&p, false, own_name))
                e = bedrock_put_piece(j, &p, why);
            if (e != OK)
                return e;
        }
    }
    return e;
}

static enum err
put_turn(struct json_out *j, const struct ask *ask, size_t from, size_t to,
         bool user, bool mark, struct problem *why)
{
    enum err e;

    json_begin_obj(j);
    json_put_str(j, "role", user ? "user" : "assistant");
    json_name(j, "content");
    json_begin_arr(j);
    if (!user && begins_with_thought(&ask->messages[from])) {
        e = put_in_order(j, ask, from, to, why);
    } else {
        e = put_some(j, ask, from, to, user, true, why);
        if (e == OK)
            e = put_some(j, ask, from, to, user, false, why);
    }
    if (mark)
        bedrock_put_mark(j);
    json_end_arr(j);
    json_end_obj(j);
    return e;
}

static void
put_opening(struct json_out *j)
{
    json_begin_obj(j);
    json_put_str(j, "role", "user");
    json_name(j, "content");
    json_begin_arr(j);
    json_begin_obj(j);
    json_put_str(j, "text", opening);
    json_end_obj(j);
    json_end_arr(j);
    json_end_obj(j);
}

void
bedrock_put_mark(struct json_out *j)
{
    json_begin_obj(j);
    json_put_raw(j, "cachePoint", "{\"type\":\"default\"}", 18);
    json_end_obj(j);
}

/* Where the user's turn begins that is marked: the last one, or the one before
 * it if that will not be sent again as it is; SIZE_MAX: nowhere. */
static size_t
marked_user(const struct ask *ask)
{
    size_t from = 0, to = 0, last = SIZE_MAX, before = SIZE_MAX;
    bool user;

    for (; next_turn(ask, &from, &to, &user); from = to) {
        if (!user)
            continue;
        before = last;
        last = from;
    }
    return ask->passing ? before : last;
}

enum err
bedrock_put_messages(struct json_out *j, const struct ask *ask, bool mark,
                     struct problem *why)
{
    size_t from = 0, to = 0, marked = mark ? marked_user(ask) : SIZE_MAX;
    enum err e = OK;
    bool user;

    if (!next_turn(ask, &from, &to, &user))
        return problem_set(why, ERR_BADREQ, NULL, "There is nothing to ask",
                           NULL);
    json_name(j, "messages");
    json_begin_arr(j);
    if (!user)
        put_opening(j);
    for (; e == OK && next_turn(ask, &from, &to, &user); from = to)
        e = put_turn(j, ask, from, to, user, from == marked, why);
    json_end_arr(j);
    return e;
}

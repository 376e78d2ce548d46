/*
 * Which messages are summarised, and how they are put to the summariser.
 *
 * A conversation that fills its window keeps the newest half of it as it is;
 * what is older is summarised, so that the next messages have room before all
 * of this is needed again. The border is in front of a user's message, and the
 * last exchange is always kept. How much is kept is counted as the prompt
 * counts it: a long message is cut to a quarter there, and so it is here.
 *
 * A run is one request, so a conversation that was long when summaries were
 * switched on is caught up with in several of them, the oldest messages first.
 * The messages are one text, not a conversation: a model that is shown a
 * conversation goes on with it.
 */
#include "base/base.h"

#include "chat/summary_block.h"

#include "base/buf.h"
#include "base/text.h"
#include "chat/extra.h"
#include "chat/prompt_file.h"
#include "chat/tokens.h"

#define KEEP_SHARE 2                                /* of the room */
#define KEEP_MESSAGES (PROMPT_HISTORY_MESSAGES / 2) /* and so many */
#define MESSAGE_SHARE 4 /* a long message has a quarter of the room */
#define LEAST_SHARE 8   /* less than that of the room is not worth a run */
#define ROOM_MAX (PROMPT_HISTORY_BYTES / 4) /* tokens: what is loaded at all */
#define WORDS_PERCENT 75                    /* words in tokens, about */
#define TOKENS_MIN 100                      /* of a summary */
#define TOKENS_MAX 1200

static int64_t
text_tokens(const char *s, size_t n)
{
    return TOKENS_PER_MESSAGE + tokens_estimate(s, n);
}

static int64_t
least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* --- how far it goes ----------------------------------------------------- */

struct heads {
    size_t n;
    uint32_t before; /* seq of the message before the first; STORE_ROOT: none */
    struct {
        uint32_t seq;
        bool user;
        int64_t tokens;
    } at[PROMPT_HISTORY_MESSAGES];
};

static bool
take_head(void *arg, const struct message *m)
{
    struct heads *h = arg;

    if (h->n == COUNT_OF(h->at))
        return false;
    if (h->n == 0)
        h->before = m->parent;
    h->at[h->n].seq = m->seq;
    h->at[h->n].user = m->role == ROLE_USER;
    h->at[h->n++].tokens = text_tokens(m->text, m->text_len);
    return true;
}

/* The first message to be kept as it is; h->n: there is none. */
static size_t
first_kept(const struct heads *h, int64_t room)
{
    int64_t kept = 0;
    size_t i = h->n, last;

    while (i > 0 && h->n - i < KEEP_MESSAGES) {
        kept += least(h->at[i - 1].tokens, room / MESSAGE_SHARE);
        if (kept > room / KEEP_SHARE)
            break;
        i--;
    }
    while (i < h->n && !h->at[i].user)
        i++;
    for (last = h->n; i == h->n && last > 0; last--)
        if (h->at[last - 1].user)
            return last - 1;
    return i;
}

/* Is there enough before number `end` that no summary stands for? */
static bool
is_worth_it(const struct summary_block *b, const struct heads *h, size_t end,
            uint32_t from, int64_t room)
{
    int64_t tokens = 0;

    if (end == h->n || h->at[end].seq <= from)
        return false;
    if (b->pressed || (h->before != STORE_ROOT && h->before >= from))
        return true;
    for (size_t i = 0; i < end; i++)
        if (h->at[i].seq >= from)
            tokens += least(h->at[i].tokens, room / MESSAGE_SHARE);
    return tokens >= room / LEAST_SHARE;
}

/* Sets upto_seq to where the border belongs. */
static enum err
find_border(struct store *s, struct summary_block *b, uint32_t from)
{
    struct heads *h = arena_alloc(&b->ask->arena, sizeof(*h));
    int64_t room = b->room < 0 ? ROOM_MAX : least(b->room, ROOM_MAX);
    struct session sess;
    size_t end;
    enum err e = store_messages(s, b->ask->owner, b->ask->session_id,
                                UINT32_MAX, PROMPT_HISTORY_MESSAGES,
                                PROMPT_HISTORY_BYTES, &sess, take_head, h);

    if (e != OK)
        return e;
    b->session_no = sess.no;
    end = first_kept(h, room);
    if (!is_worth_it(b, h, end, from, room))
        return ERR_NOTFOUND;
    b->upto_seq = h->at[end].seq;
    return OK;
}

/* --- the messages -------------------------------------------------------- */

struct taking {
    struct summary_block *b;
    uint32_t from;     /* seq; the old summary stands for those before */
    int64_t left;      /* tokens */
    int64_t each;      /* tokens of one message */
    bool full;         /* there were more of them: */
    struct message at; /* this is the first; of it only seq and role */
};

/* As in a prompt: a question whose answer never came is left out. */
static bool
take_said(void *arg, const struct message *m)
{
    struct taking *t = arg;
    struct summary_block *b = t->b;
    struct ask_message said = {
        .role = (enum role)m->role, .text = m->text, .len = m->text_len};

    if (extra_stays(m->extra, m->extra_len)) {
        said.text = EXTRA_HELD;
        said.len = sizeof(EXTRA_HELD) - 1;
    }
    if (m->seq < t->from)
        return true; /* the line has gaps, and so fewer messages than numbers */
    if (said.role == ROLE_ASSISTANT && said.len == 0) {
        if (b->n_said > 0 && b->said[b->n_said - 1].m.role == ROLE_USER)
            b->n_said--;
        return true;
    }
    if (!prompt_cut(b->ask, &said, t->each))
        said.text = arena_memdup0(&b->ask->arena, said.text, said.len);
    t->left -= text_tokens(said.text, said.len);
    if (t->left < 0 || b->n_said == SUMMARY_BLOCK_MESSAGES) {
        t->full = true;
        t->at = *m;
        return false;
    }
    b->said[b->n_said++] = (struct summary_said){m->seq, said};
    return true;
}

/* Move the border to the user's message at or before the n-th; false: that
 * leaves nothing. */
static bool
end_at(struct summary_block *b, size_t n)
{
    while (n > 0 && b->said[n].m.role != ROLE_USER)
        n--;
    if (n == 0)
        return false;
    b->n_said = n;
    b->upto_seq = b->said[n].seq;
    return true;
}

static enum err
take_messages(struct store *s, struct summary_block *b, uint32_t from)
{
    struct taking t = {.b = b, .from = from, .left = b->read_max};
    enum err e;

    t.left -= text_tokens(b->old.text, b->old.len);
    t.each = t.left / MESSAGE_SHARE;
    b->said = arena_alloc(&b->ask->arena,
                          SUMMARY_BLOCK_MESSAGES * sizeof(*b->said));
    e = store_messages(s, b->ask->owner, b->ask->session_id, b->upto_seq,
                       b->upto_seq - from, 0, NULL, take_said, &t);
    if (e != OK)
        return e;
    if (t.full && t.at.role == ROLE_USER)
        b->upto_seq = t.at.seq;
    else if (t.full && (b->n_said == 0 || !end_at(b, b->n_said - 1)))
        return ERR_NOTFOUND;
    return b->n_said > 0 ? OK : ERR_NOTFOUND;
}

/* Returns where it ends. One that cannot be read, or that is of another line,
 * is made anew. */
static uint32_t
load_old(struct store *s, struct summary_block *b)
{
    struct session_summary sum = {.upto_seq = 0};
    struct buf text;

    b->old = (struct ask_message){.text = ""};
    buf_init(&text, STORE_SUMMARY_MAX + 1);
    if (store_summary(s, b->ask->owner, b->ask->session_id, &sum, &text) ==
            OK &&
        sum.upto_seq > 0 &&
        store_line_holds(s, b->ask->owner, b->ask->session_id, STORE_HEAD,
                         sum.upto_seq - 1)) {
        b->old.len = text.len;
        b->old.text = arena_memdup0(&b->ask->arena, text.data, text.len);
        (void)prompt_cut(b->ask, &b->old, b->read_max / 2);
    } else {
        sum.upto_seq = 0;
    }
    buf_release(&text);
    return sum.upto_seq;
}

enum err
summary_block_load(struct store *s, struct summary_block *b)
{
    uint32_t from = load_old(s, b);
    enum err e = find_border(s, b, from);

    return e != OK ? e : take_messages(s, b, from);
}

bool
summary_block_halve(struct summary_block *b)
{
    return b->n_said > 0 && end_at(b, b->n_said / 2);
}

/* --- the request --------------------------------------------------------- */

void
summary_block_text(const struct summary_block *b, struct buf *out)
{
    if (b->old.len > 0) {
        buf_adds(out, "<summary>\n");
        buf_add(out, b->old.text, b->old.len);
        buf_adds(out, "\n</summary>\n\n");
    }
    buf_adds(out, "<messages>\n");
    for (size_t i = 0; i < b->n_said; i++) {
        const struct ask_message *m = &b->said[i].m;

        buf_adds(out, m->role == ROLE_USER ? "User: " : "Assistant: ");
        buf_add(out, m->text, m->len);
        buf_adds(out, "\n\n");
    }
    buf_adds(out, "</messages>\n\nWrite the new summary.");
}

const char *
summary_prompt_fill(struct turn_ask *a, const char *prompt, int64_t room)
{
    int64_t tokens = room < 0 ? TOKENS_MAX : least(room / 8, TOKENS_MAX);
    char words[24];

    if (tokens < TOKENS_MIN)
        tokens = TOKENS_MIN;
    (void)snprintf(words, sizeof(words), "%" PRId64,
                   tokens * WORDS_PERCENT / 100);
    return prompt_file_fill(&a->arena, prompt, "{words}", words);
}

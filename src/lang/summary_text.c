/*
 * Shortening a conversation, exchange by exchange.
 *
 * Sentences that are good on their own make a bad summary of a talk: it is the
 * pairs that matter. So the talk is cut into exchanges, a message of the user
 * and what answers it, and of each is told the question, as it was put, and
 * the best one or two sentences of the answer. An answer is ranked together
 * with its question, so what takes up the question's words rises.
 */
#include "base/base.h"

#include "lang/summary_text.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "lang/analysis.h"
#include "lang/letter.h"
#include "lang/phrase.h"
#include "lang/reading.h"
#include "lang/textrank.h"
#include "lang/title.h"

#define TOPICS 3
#define TOPIC_MAX 32           /* bytes */
#define TOPIC_BYTES (8 * 1024) /* of a message, to find topics in */
#define COURTESY_MAX 60        /* bytes */
#define LONG_TALK 4 /* exchanges from which an answer is one sentence */

/* Messages first..end: one of the user (or none, first == answer), then the
 * answers to it. */
struct exchange {
    size_t first, answer, end;
    size_t weight; /* bytes, cut */
};

struct talk {
    const struct summary_message *messages;
    struct exchange *at; /* owned */
    size_t n;
};

static bool
is_role(const struct summary_message *m, const char *role)
{
    return m->role != NULL && strcmp(m->role, role) == 0;
}

static bool
is_command(const struct summary_message *m)
{
    return m->len > 1 && m->text[0] == '/' && m->text[1] != '/' &&
           letter_is_alpha((unsigned char)m->text[1]);
}

static size_t
read_len(const struct summary_message *m, size_t max)
{
    return m->len <= max ? m->len : utf8_whole(m->text, max);
}

/* "ok perfect", "Thanks!": nothing that needs telling? */
static bool
is_courtesy(const struct summary_message *m)
{
    static const char words[] =
        " ok okay k kk thanks thank thx ty perfect great cool nice good fine "
        "awesome super wow yes no yeah yep hi hello hey bye goodbye you very "
        "much so that this it is was works worked got for your help a lot all "
        "now the morning evening danke dir ja gut prima merci bien gracias ";
    size_t pos = 0;
    struct word w;

    if (m->len > COURTESY_MAX)
        return false;
    while (word_next(m->text, m->len, &pos, &w)) {
        char folded[WORD_FOLD_MAX + 3] = " ";
        size_t n = word_fold(m->text + w.start, w.len, folded + 1);

        folded[n + 1] = ' ';
        folded[n + 2] = '\0';
        if (strstr(words, folded) == NULL)
            return false;
    }
    return true;
}

static void
cut_talk(struct talk *talk, size_t n)
{
    const struct summary_message *m = talk->messages;
    bool quiet = false; /* after a command */

    talk->at = xcalloc(n + 1, sizeof(talk->at[0]));
    for (size_t i = 0; i < n; i++) {
        bool user = is_role(&m[i], "user");
        struct exchange *x;

        if ((!user && !is_role(&m[i], "assistant")) ||
            text_blank(m[i].text, m[i].len))
            continue;
        if (user)
            quiet = is_command(&m[i]);
        if (quiet)
            continue;
        if (user || talk->n == 0)
            talk->at[talk->n++] = (struct exchange){i, user ? i + 1 : i, i + 1,
                                                    0};
        x = &talk->at[talk->n - 1];
        x->end = i + 1;
        x->weight += m[i].len < 2000 ? m[i].len : 2000;
    }
}

/* Leave out what is only polite, unless all of it is. */
static void
leave_polite(struct talk *talk)
{
    size_t n = 0;

    for (size_t i = 0; i < talk->n; i++) {
        const struct exchange *x = &talk->at[i];

        if (x->first == x->answer || !is_courtesy(&talk->messages[x->first]))
            talk->at[n++] = *x;
    }
    talk->n = n > 0 ? n : talk->n;
}

/* Leave the first, the last two, and the heaviest between. */
static void
thin(struct talk *talk)
{
    while (talk->n > SUMMARY_EXCHANGES_MAX) {
        size_t lightest = 1;
        size_t from = talk->n > 64 ? talk->n - 64 : 1;

        /* Of very long talks the recent part is enough to choose from. */
        if (from > 1) {
            memmove(&talk->at[1], &talk->at[from],
                    (talk->n - from) * sizeof(talk->at[0]));
            talk->n = talk->n - from + 1;
            continue;
        }
        for (size_t i = 2; i + 2 < talk->n; i++) {
            if (talk->at[i].weight < talk->at[lightest].weight)
                lightest = i;
        }
        memmove(&talk->at[lightest], &talk->at[lightest + 1],
                (talk->n - lightest - 1) * sizeof(talk->at[0]));
        talk->n--;
    }
}

static void
tell_question(struct buf *out, const struct summary_message *m)
{
    size_t n = read_len(m, SUMMARY_MESSAGE_MAX), best;
    struct reading r;

    if (reading_read(&r, m->text, n) != OK)
        return;
    best = title_sentence(&r);
    if (best < r.sentences.n) {
        buf_adds(out, "**");
        analysis_add_plain(out, r.sentences.at[best].text,
                           r.sentences.at[best].len, SUMMARY_QUESTION_MAX);
        buf_adds(out, "**");
    } else {
        buf_adds(out, "**(code)**");
    }
    reading_release(&r);
}

/* The answers of the exchange, then its question, as one text; where the
 * answers end. */
static size_t
join(struct buf *all, const struct talk *talk, const struct exchange *x)
{
    size_t end;

    for (size_t i = x->answer; i < x->end; i++) {
        const struct summary_message *m = &talk->messages[i];

        if (!is_role(m, "assistant") ||
            all->len + m->len > 4 * SUMMARY_MESSAGE_MAX)
            continue;
        buf_add(all, m->text, read_len(m, SUMMARY_MESSAGE_MAX));
        buf_adds(all, "\n\n");
    }
    end = all->len;
    if (x->first < x->answer)
        buf_add(all, talk->messages[x->first].text,
                read_len(&talk->messages[x->first], SUMMARY_MESSAGE_MAX));
    return end;
}

static void
tell_answer(struct buf *out, const struct talk *talk, const struct exchange *x)
{
    struct textrank_want want = {
        .sentences = talk->n >= LONG_TALK ? 1 : 2,
        .bytes = SUMMARY_ANSWER_MAX,
    };
    uint32_t picked[2];
    struct textrank ranks;
    struct reading r;
    struct buf all;
    size_t end, n, to = 0;

    buf_init(&all, 8 * SUMMARY_MESSAGE_MAX);
    end = join(&all, talk, x);
    if (end == 0 || reading_read(&r, all.data, all.len) != OK) {
        buf_release(&all);
        return;
    }
    while (to < r.sentences.n && r.sentences.at[to].start < end)
        to++;
    textrank_read(&ranks, &r);
    for (size_t i = 0; i < to; i++) /* answers come to the point at once */
        ranks.rank[i] *= 1 + 1 / (double)(i + 1);
    n = textrank_pick(&ranks, &r, 0, to, &want, picked);
    if (n == 0 && to > 0) {
        picked[0] = 0;
        n = 1;
    }
    for (size_t i = 0; i < n; i++) {
        const struct sentence *s = &r.sentences.at[picked[i]];

        buf_adds(out, i > 0 ? " " : x->first < x->answer ? "\n   " : "");
        analysis_add_plain(out, s->text, s->len, SUMMARY_ANSWER_MAX);
    }
    textrank_release(&ranks);
    reading_release(&r);
    buf_release(&all);
}

/* What is said again and again; in a short talk, what is said best. */
static void
tell_phrases(struct buf *out, struct phrases *p)
{
    size_t told = 0;

    for (size_t least = 2; least > 0 && told == 0; least--) {
        while (told < TOPICS) {
            struct phrase *best = NULL;

            for (size_t i = 0; i < p->n; i++) {
                if (p->at[i].len <= TOPIC_MAX && p->at[i].count >= least &&
                    (best == NULL || p->at[i].count > best->count))
                    best = &p->at[i];
            }
            if (best == NULL)
                break;
            buf_adds(out, told++ > 0 ? ", " : " about ");
            analysis_add_plain(out, best->text, best->len, 0);
            best->count = 0;
        }
    }
}

static void
tell_topics(struct buf *out, const struct talk *talk, size_t n)
{
    struct phrases phrases;
    struct reading r;
    struct buf all;

    buf_init(&all, SENTENCES_INPUT_MAX);
    for (size_t i = 0; i < talk->n; i++) {
        for (size_t k = talk->at[i].first; k < talk->at[i].end; k++) {
            const struct summary_message *m = &talk->messages[k];

            if (!is_role(m, "user") && !is_role(m, "assistant"))
                continue;
            buf_add(&all, m->text, read_len(m, TOPIC_BYTES));
            buf_adds(&all, "\n\n");
        }
    }
    buf_addf(out, "%zu message%s", n, n == 1 ? "" : "s");
    if (reading_read(&r, all.data, all.len) == OK) {
        phrases_read(&phrases, &r, PHRASES_MAX);
        tell_phrases(out, &phrases);
        reading_release(&r);
    }
    buf_adds(out, ".\n\n");
    buf_release(&all);
}

size_t
summary_text(struct buf *out, const struct summary_message *messages, size_t n)
{
    struct talk talk = {.messages = messages};
    size_t count = 0, told;

    cut_talk(&talk, n);
    for (size_t i = 0; i < n; i++)
        count += is_role(&messages[i], "user") ||
                 is_role(&messages[i], "assistant");
    leave_polite(&talk);
    thin(&talk);
    if (talk.n > 0)
        tell_topics(out, &talk, count);
    for (size_t i = 0; i < talk.n; i++) {
        const struct exchange *x = &talk.at[i];

        buf_addf(out, "%zu. ", i + 1);
        if (x->first < x->answer)
            tell_question(out, &messages[x->first]);
        tell_answer(out, &talk, x);
        buf_addc(out, '\n');
    }
    told = talk.n;
    free(talk.at);
    return told;
}

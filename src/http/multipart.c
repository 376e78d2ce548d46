/*
 * Splits a form's body at its boundary (RFC 2046, section 5.1).
 *
 * A delimiter is CR LF, two dashes and the boundary, in which no CR can be: so
 * when what looked like one turns out to be none, the next attempt can only
 * begin at the byte that was wrong, and no byte is looked at twice. Bytes that
 * may belong to a delimiter are held back by counting them, never copied: they
 * are the beginning of the delimiter, which is known.
 *
 * Two delimiters need no CR LF of their own: the first, at the very beginning,
 * and that of a part that ends with the blank line behind its head. There the
 * two bytes count as seen, and are not given if it was none.
 *
 * What follows the boundary is blanks and an end of line, or two dashes;
 * anything else would leave open whether it was a delimiter, and is refused.
 */
#include "base/base.h"

#include "http/multipart.h"

#include "base/mem.h"
#include "http/multipart_head.h"

enum multipart_state {
    M_PREAMBLE, /* before the first delimiter */
    M_AFTER,    /* behind a delimiter */
    M_DASH,     /* one dash */
    M_PAD,      /* blanks */
    M_CR,
    M_HEAD,
    M_BODY,
    M_DONE, /* the last delimiter was there; what follows is no matter */
};

struct multipart {
    const struct multipart_calls *calls;
    void *arg;
    enum err e;
    struct problem why; /* of e; err OK: a call said it */
    enum multipart_state state;
    unsigned parts;
    bool lent;    /* the first two bytes that match were not in the part */
    size_t match; /* bytes of delim that were seen */
    size_t delim_len;
    char delim[4 + MULTIPART_BOUNDARY_MAX + 1];
    size_t head_len;
    char head_bytes[MULTIPART_HEAD_MAX];
    struct multipart_head head;
};

enum err
multipart_new(const char *content_type, const struct multipart_calls *calls,
              void *arg, struct multipart **out, struct problem *why)
{
    char boundary[MULTIPART_BOUNDARY_MAX + 1];
    enum err e = multipart_boundary(content_type, boundary, why);
    struct multipart *m;

    *out = NULL;
    if (e)
        return e;
    m = xcalloc(1, sizeof(*m));
    m->calls = calls;
    m->arg = arg;
    m->state = M_PREAMBLE;
    m->match = 2;
    m->delim_len = (size_t)snprintf(m->delim, sizeof(m->delim), "\r\n--%s",
                                    boundary);
    *out = m;
    return OK;
}

void
multipart_free(struct multipart *m)
{
    free(m);
}

/* --- the bytes of a part -------------------------------------------------- */

static void
give(struct multipart *m, const char *s, size_t n)
{
    if (m->state == M_BODY && n > 0 && !m->e)
        m->e = m->calls->bytes(m->arg, s, n);
}

/* What was held back from earlier pieces is no delimiter. */
static void
give_held(struct multipart *m, size_t held)
{
    size_t from = m->lent ? 2 : 0;

    m->lent = false;
    if (held > from)
        give(m, m->delim + from, held - from);
}

static void
delimiter(struct multipart *m)
{
    if (m->state == M_BODY && !m->e)
        m->e = m->calls->end(m->arg);
    m->state = M_AFTER;
    m->match = 0;
    m->lent = false;
}

/* Up to a delimiter, or all. Returns how many bytes were taken. */
static size_t
take_bytes(struct multipart *m, const char *s, size_t n)
{
    size_t held = m->match; /* of delim, that are not in s */
    size_t i = 0;

    while (i < n && !m->e) {
        if (m->match == 0) {
            const char *cr = memchr(s + i, '\r', n - i);

            i = cr ? (size_t)(cr - s) : n;
            if (!cr)
                break;
        }
        if (s[i] != m->delim[m->match]) {
            give_held(m, held);
            held = 0;
            m->match = 0;
            continue;
        }
        i++;
        if (++m->match < m->delim_len)
            continue;
        give(m, s, i - (m->delim_len - held));
        delimiter(m);
        return i;
    }
    give(m, s, n - (m->match - held));
    return n;
}

/* --- heads ---------------------------------------------------------------- */

static enum err
begin_part(struct multipart *m)
{
    struct multipart_part part = {.name = m->head.name,
                                  .filename = m->head.filename,
                                  .type = m->head.type};
    enum err e;

    if (++m->parts > MULTIPART_PARTS_MAX)
        return problem_set(&m->why, ERR_TOOBIG, "too_many_parts",
                           "Too many parts", "Send at most %d",
                           MULTIPART_PARTS_MAX);
    /* Without the blank line, which ends in the last two bytes. */
    e = multipart_head_read(&m->head, m->head_bytes, m->head_len - 2, &m->why);
    if (e)
        return e;
    if (!m->head.file)
        part.filename = NULL;
    m->state = M_BODY;
    m->match = 2;
    m->lent = true;
    return m->calls->begin(m->arg, &part);
}

static enum err
take_head(struct multipart *m, char c)
{
    if (m->head_len == MULTIPART_HEAD_MAX)
        return problem_set(&m->why, ERR_TOOBIG, "multipart_head_too_big",
                           "The head of a part is too big",
                           "It may have %d bytes", MULTIPART_HEAD_MAX);
    m->head_bytes[m->head_len++] = c;
    if (c != '\n')
        return OK;
    if ((m->head_len == 2 && m->head_bytes[0] == '\r') ||
        (m->head_len >= 4 &&
         memcmp(m->head_bytes + m->head_len - 4, "\r\n\r\n", 4) == 0))
        return begin_part(m);
    return OK;
}

/* --- between -------------------------------------------------------------- */

static enum err
take_between(struct multipart *m, char c)
{
    switch (m->state) {
    case M_AFTER:
        if (c == '-') {
            m->state = M_DASH;
            return OK;
        }
        break;
    case M_DASH:
        if (c != '-')
            return multipart_invalid(&m->why, "A boundary goes on with a dash");
        m->state = M_DONE;
        return OK;
    case M_CR:
        if (c != '\n')
            return multipart_invalid(&m->why, "A boundary's line has no end");
        m->state = M_HEAD;
        m->head_len = 0;
        return OK;
    default: break;
    }
    if (c == '\r')
        m->state = M_CR;
    else if (c == ' ' || c == '\t')
        m->state = M_PAD;
    else
        return multipart_invalid(&m->why, "Something follows a boundary");
    return OK;
}

enum err
multipart_feed(struct multipart *m, const void *bytes, size_t n,
               struct problem *why)
{
    const char *s = bytes;
    size_t i = 0;

    while (i < n && !m->e) {
        switch (m->state) {
        case M_PREAMBLE:
        case M_BODY: i += take_bytes(m, s + i, n - i); break;
        case M_HEAD: m->e = take_head(m, s[i++]); break;
        case M_DONE: i = n; break;
        default: m->e = take_between(m, s[i++]); break;
        }
    }
    if (m->e && m->why.err)
        *why = m->why;
    return m->e;
}

enum err
multipart_end(const struct multipart *m, struct problem *why)
{
    if (m->e) {
        if (m->why.err)
            *why = m->why;
        return m->e;
    }
    if (m->state != M_DONE)
        return multipart_invalid(why, "It ends before its last boundary");
    return OK;
}

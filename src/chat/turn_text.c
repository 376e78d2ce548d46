/*
 * The text of an answer: bytes in any split become well-formed UTF-8, whole
 * characters at a time. The beginning of a character is carried until its end
 * comes; what can never become one is replaced. Loop thread.
 */
#include "base/base.h"

#include "chat/turn_text.h"

#include "base/text.h"

/* Append bytes that end with a whole character; what is ill-formed among them
 * is replaced. What does not fit is cut between characters. */
static void
add_whole(struct turn *t, const char *s, size_t n)
{
    size_t room = TURN_TEXT_MAX - t->text.len;
    struct buf scrubbed;

    buf_init(&scrubbed, 3 * n);
    if (!utf8_valid(s, n)) {
        utf8_scrub(&scrubbed, s, n);
        s = scrubbed.data;
        n = scrubbed.len;
    }
    if (n > room) {
        n = utf8_whole(s, room);
        t->too_long = true;
    }
    buf_add(&t->text, s, n);
    buf_release(&scrubbed);
}

void
turn_text_add(struct turn *t, const char *s, size_t n)
{
    size_t whole;

    if (t->too_long)
        return;
    while (t->carry_len > 0 && n > 0) {
        t->carry[t->carry_len++] = *s++;
        n--;
        whole = utf8_whole(t->carry, t->carry_len);
        add_whole(t, t->carry, whole);
        t->carry_len -= whole; /* a lead byte may follow a broken one */
        (void)memmove(t->carry, t->carry + whole, t->carry_len);
    }
    if (n == 0)
        return;
    whole = utf8_whole(s, n);
    add_whole(t, s, whole);
    assert(n - whole < sizeof(t->carry));
    (void)memcpy(t->carry, s + whole, n - whole);
    t->carry_len = n - whole;
}

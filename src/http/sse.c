/*
 * Writing server-sent events. An event is four short lines; it is made with
 * one reservation and plain copies because every chunk of every answer passes
 * here. Names and data come from us (data is JSON whose line ends are
 * escaped), so nothing is escaped again; an assertion guards the name.
 */
#include "base/base.h"

#include "http/sse.h"

#include "base/text.h"

#define SEQ_DIGITS 10 /* of 4294967295 */

static char *
put(char *at, const char *s, size_t n)
{
    memcpy(at, s, n);
    return at + n;
}

static char *
put_u32(char *at, uint32_t v)
{
    char digits[SEQ_DIGITS];
    size_t n = 0;

    do {
        digits[SEQ_DIGITS - ++n] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    return put(at, digits + SEQ_DIGITS - n, n);
}

void
sse_event(struct buf *out, const char *id, uint32_t seq, const char *name,
          const char *data, size_t n)
{
    size_t id_len = strlen(id), name_len = strlen(name);
    size_t room = sizeof("id: .\nevent: \ndata: \n\n") + SEQ_DIGITS + id_len +
                  name_len;
    char *start, *at;

    assert(!strpbrk(name, "\r\n"));
    start = n <= SIZE_MAX - room ? buf_room(out, room + n) : NULL;
    if (!start) {
        out->over = true;
        return;
    }
    at = put(start, "id: ", 4);
    at = put(at, id, id_len);
    *at++ = '.';
    at = put_u32(at, seq);
    at = put(at, "\nevent: ", 8);
    at = put(at, name, name_len);
    at = put(at, "\ndata: ", 7);
    at = put(at, data, n);
    at = put(at, "\n\n", 2);
    out->len += (size_t)(at - start);
}

enum err
sse_parse_id(const char *s, char turn_id[37], uint32_t *seq)
{
    const char *dot = strchr(s, '.');
    int64_t v;

    if (!dot || dot - s != 36)
        return ERR_BADREQ;
    for (int i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool hex = (s[i] >= '0' && s[i] <= '9') ||
                   (s[i] >= 'a' && s[i] <= 'f') || (s[i] >= 'A' && s[i] <= 'F');
        if (dash ? s[i] != '-' : !hex)
            return ERR_BADREQ;
    }
    if (dot[1] < '0' || dot[1] > '9' || strlen(dot + 1) > SEQ_DIGITS ||
        text_i64(dot + 1, strlen(dot + 1), 0, UINT32_MAX, &v))
        return ERR_BADREQ;
    memcpy(turn_id, s, 36);
    turn_id[36] = '\0';
    for (int i = 0; i < 36; i++)
        if (turn_id[i] >= 'A' && turn_id[i] <= 'F')
            turn_id[i] = (char)(turn_id[i] | 0x20);
    *seq = (uint32_t)v;
    return OK;
}

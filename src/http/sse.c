/*
 * The ids of server-sent events, as clients send them back.
 */
#include "base/base.h"

#include "http/sse.h"

#include "base/text.h"

#define SEQ_DIGITS 10 /* of 4294967295 */

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

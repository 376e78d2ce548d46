/* The texts that the model stand-in sends: events as OpenAI's servers write
 * them, and pieces of an answer, all as long, so that a block of events has a
 * known length and answers can be checked by counting bytes. */
#ifndef BENCH_TEXTS_H
#define BENCH_TEXTS_H

#include "bench.h"

#define BLOCK_PIECES 256 /* pieces in one HTTP chunk of a burst */
static const char head_sse[] = "HTTP/1.1 200 OK\r\n"
                               "Content-Type: text/event-stream\r\n"
                               "Cache-Control: no-cache\r\n";
#define EVENT_START                                                \
    "data: {\"id\":\"chatcmpl-BeNcH0123456789abcdefghijklm\","     \
    "\"object\":\"chat.completion.chunk\",\"created\":1741569952," \
    "\"model\":\"bench\",\"choices\":["
#define CHOICE_START "{\"index\":0,\"delta\":{"
#define CHOICE_END "},\"logprobs\":null,\"finish_reason\":"
static const char event_role[] = EVENT_START CHOICE_START
    "\"role\":\"assistant\",\"content\":\"\"" CHOICE_END "null}]}\n\n";
static const char event_stop[] = EVENT_START CHOICE_START CHOICE_END
    "\"stop\"}]}\n\n";
static const char event_usage[] = EVENT_START
    "],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":8,"
    "\"total_tokens\":17}}\n\n";
static const char event_done[] = "data: [DONE]\n\n";
static const char *const pieces[] = {" the", " and", " one", " sea",
                                     " sun", " day", " out", " far"};
#define PIECE_LEN 4 /* bytes; all pieces are as long */

static char block[BLOCK_PIECES * 512];  /* the events of BLOCK_PIECES pieces */
static size_t event_len;                /* bytes of each of them */
static char framed[sizeof(block) + 32]; /* the whole block as an HTTP chunk */
static size_t framed_len;

/* Once, at start. */
static inline void
block_init(void)
{
    size_t i, len = 0;

    for (i = 0; i < BLOCK_PIECES; i++)
        len += (size_t)snprintf(
            block + len, sizeof(block) - len,
            EVENT_START CHOICE_START "\"content\":\"%s\"" CHOICE_END
                                     "null}]}\n\n",
            pieces[i % (sizeof(pieces) / sizeof(pieces[0]))]);
    event_len = len / BLOCK_PIECES;
    framed_len = (size_t)snprintf(framed, sizeof(framed), "%zx\r\n", len);
    memcpy(framed + framed_len, block, len);
    memcpy(framed + framed_len + len, "\r\n", 2);
    framed_len += len + 2;
}

#endif

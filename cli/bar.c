/*
 * How far a long command is, on stderr: who looks at a terminal sees a bar that
 * is drawn over, and a log gets a line for every tenth.
 */
#include "base/base.h"

#include "cli.h"

#include <unistd.h>

#include "base/clock.h"

#define DRAW_MS 100 /* between two bars */
#define BAR 30      /* characters */

void
cli_bar_init(struct cli_bar *b, const char *what)
{
    *b = (struct cli_bar){.what = what, .terminal = isatty(STDERR_FILENO) == 1};
}

static void
draw(const struct cli_bar *b, uint64_t done, uint64_t all, const char *text)
{
    unsigned tenths = all > 0 && done < all ? (unsigned)(done * 1000 / all)
                                            : 1000;
    unsigned full = tenths * BAR / 1000;

    if (all == 0) {
        (void)fprintf(stderr, "\r\033[K%s: %s", b->what, text);
        return;
    }
    (void)fprintf(stderr, "\r\033[K%s: [", b->what);
    for (unsigned i = 0; i < BAR; i++)
        (void)fputc(i < full ? '#' : '.', stderr);
    (void)fprintf(stderr, "] %u %%, %s", tenths / 10, text);
}

void
cli_bar_show(struct cli_bar *b, uint64_t done, uint64_t all, const char *text)
{
    unsigned tenth = all > 0 ? (unsigned)(done * 10 / all) : 0;
    int64_t now_ms = clock_mono_ms();

    if (b->terminal && now_ms - b->drawn_ms >= DRAW_MS) {
        b->drawn_ms = now_ms;
        b->drawn = true;
        draw(b, done, all, text);
        (void)fflush(stderr);
    }
    if (!b->terminal && tenth > b->tenth && tenth < 10) {
        b->tenth = tenth;
        (void)fprintf(stderr, "%s: %u %%, %s\n", b->what, 10 * tenth, text);
    }
}

void
cli_bar_end(struct cli_bar *b)
{
    if (b->drawn)
        (void)fputs("\r\033[K", stderr);
    b->drawn = false;
}

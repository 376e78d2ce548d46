/*
 * A line of a web server's configuration that is known to do harm to streams.
 * It is no reader of these languages: what is spread over lines, or undone by
 * another line, is not seen. Pure.
 */
#ifndef OPS_WEB_LINE_H
#define OPS_WEB_LINE_H

#include "base/base.h"

enum web_kind { WEB_LIGHTTPD, WEB_APACHE, WEB_NGINX };

enum web_harm {
    WEB_HARMLESS,
    WEB_BUFFERS,    /* holds answers back */
    WEB_COMPRESSES, /* compresses streams of events */
    WEB_DROPS,      /* takes away a header on which resuming depends */
    WEB_SHORT       /* refuses requests that the program would take */
};

/* body_max: bytes of the longest request that the program takes. */
enum web_harm web_line(enum web_kind kind, const char *line, int64_t body_max);

#endif

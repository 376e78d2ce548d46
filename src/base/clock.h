/* Time: monotonic for intervals, wall for what people read. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/base.h"

#define CLOCK_ISO_LEN 25 /* "YYYY-MM-DDThh:mm:ss.mmmZ" and NUL */

int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);
int64_t clock_wall_ms(void); /* since 1970, UTC */
void clock_iso(char out[CLOCK_ISO_LEN], int64_t wall_ms);
/* ISO 8601 as in "2024-05-01T16:35:11.530+02:00": the fraction and the seconds
 * may be missing, so may the zone (UTC), and a space may stand for the T. Whole
 * string, years 0 to 9999; ERR_BADREQ, *out_ms unset. */
MUST_USE enum err clock_iso_read(const char *s, int64_t *out_ms);
/* RFC 9110 HTTP-date (IMF-fixdate) to seconds since 1970; ERR_BADREQ. */
MUST_USE enum err clock_http_date(const char *s, int64_t *out_s);

#endif

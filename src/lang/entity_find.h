/* What the finders of entities share: the inside of entity*.c. */
#ifndef LANG_ENTITY_FIND_H
#define LANG_ENTITY_FIND_H

#include "base/base.h"
#include "lang/entity.h"

struct entity_finder;
struct reading;

/* One more of a kind; copies nothing. */
void entity_add(struct entity_finder *f, enum entity_kind kind, const char *s,
                size_t n);
/* Dates, times, money, percentages and quantities in a sentence. */
void entity_find_numbers(struct entity_finder *f, const char *s, size_t n);
/* Names and organisations of the whole text. */
void entity_find_names(struct entity_finder *f, const struct reading *r);
/* A month or a day of the week, in small letters, in any of four languages? */
bool entity_is_month(const char *folded);
bool entity_is_weekday(const char *folded);

#endif

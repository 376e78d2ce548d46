/*
 * Characters: what a code point is, as far as reading prose needs it. Pure;
 * any thread.
 */
#ifndef LANG_LETTER_H
#define LANG_LETTER_H

#include "base/base.h"

#define LETTER_BAD 0xFFFDu /* what stands for ill-formed bytes */

/* The character at s (n > 0) and how many bytes it has: at least 1, at most n.
 * Ill-formed bytes are LETTER_BAD. */
size_t letter_read(const char *s, size_t n, uint32_t *c);
/* The character that ends at s + i (i > 0); LETTER_BAD if it is ill-formed. */
uint32_t letter_before(const char *s, size_t i);
/* Write c as UTF-8; how many bytes (at most 4). */
size_t letter_write(uint32_t c, char out[4]);

/* Letters of any script, and the marks that belong to them. */
bool letter_is_alpha(uint32_t c);
bool letter_is_digit(uint32_t c); /* 0-9, also full-width */
/* A letter, a digit or "_". */
bool letter_is_word(uint32_t c);
/* Scripts that write no space between words: Chinese, Japanese, Thai. */
bool letter_is_cjk(uint32_t c);
bool letter_is_kana(uint32_t c); /* Hiragana: endings and particles */
bool letter_is_space(uint32_t c);
bool letter_is_emoji(uint32_t c);
/* Shows nothing: soft hyphen, zero-width space, BOM, control characters. */
bool letter_is_hidden(uint32_t c);
/* In scripts with two cases (Latin, Greek, Cyrillic, Armenian). */
bool letter_is_upper(uint32_t c);
bool letter_is_lower(uint32_t c);
/* Its small letter, or c itself. Never longer in UTF-8. */
uint32_t letter_lower(uint32_t c);
/* The capital of a small letter of Latin-1, Greek or Cyrillic that has one of
 * the same length in UTF-8; else c itself. */
uint32_t letter_upper(uint32_t c);

#endif

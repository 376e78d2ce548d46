/*
 * Character classes by ranges of code points.
 *
 * The C library's iswalpha and towlower answer by the process's locale, which
 * is nobody's business here, and differ between systems; so the ranges are
 * written out. They are coarser than Unicode's tables: above ASCII everything
 * is a letter unless a range below says otherwise, and small letters are known
 * for the scripts that people write prose in. A letter that is missed is
 * compared as it is written, which costs little.
 */
#include "base/base.h"

#include "lang/letter.h"

#include "base/text.h"

struct range {
    uint32_t first, last;
};

/* From U+0080 on: punctuation, symbols, spaces. Sorted. */
static const struct range no_letters[] = {
    {0x0080, 0x00A9},   {0x00AB, 0x00B4},   {0x00B6, 0x00B9},
    {0x00BB, 0x00BF},   {0x00D7, 0x00D7},   {0x00F7, 0x00F7},
    {0x02C2, 0x02DF},   {0x0374, 0x0375},   {0x037E, 0x037E},
    {0x0387, 0x0387},   {0x0482, 0x0482},   {0x055A, 0x055F},
    {0x0589, 0x058F},   {0x05BE, 0x05BE},   {0x05C0, 0x05C0},
    {0x05C3, 0x05C6},   {0x05F3, 0x060F},   {0x061B, 0x061F},
    {0x066A, 0x066D},   {0x06D4, 0x06D4},   {0x0700, 0x070D},
    {0x0964, 0x0965},   {0x0970, 0x0970},   {0x0E3F, 0x0E3F},
    {0x0E4F, 0x0E4F},   {0x0E5A, 0x0E5B},   {0x104A, 0x104F},
    {0x1361, 0x1368},   {0x1680, 0x1680},   {0x17D4, 0x17DB},
    {0x1800, 0x180E},   {0x2000, 0x200B},   {0x200E, 0x2BFF},
    {0x2E00, 0x2E7F},   {0x3000, 0x3004},   {0x3008, 0x3020},
    {0x3030, 0x3030},   {0x3036, 0x3037},   {0x303D, 0x303F},
    {0x30A0, 0x30A0},   {0x30FB, 0x30FB},   {0x3200, 0x33FF},
    {0x4DC0, 0x4DFF},   {0xD800, 0xF8FF},   {0xFD3E, 0xFD3F},
    {0xFE00, 0xFE1F},   {0xFE30, 0xFE6F},   {0xFEFF, 0xFF0F},
    {0xFF1A, 0xFF20},   {0xFF3B, 0xFF40},   {0xFF5B, 0xFF65},
    {0xFFE0, 0xFFFF},   {0x1D000, 0x1D3FF}, {0x1F000, 0x1FBFF},
    {0xE0000, 0x10FFFF}};

static const struct range unspaced[] = {
    {0x0E01, 0x0EFF}, {0x1000, 0x109F}, {0x1780, 0x17D3}, {0x2E80, 0x2FDF},
    {0x3005, 0x3007}, {0x3021, 0x302F}, {0x3031, 0x30FF}, {0x31F0, 0x31FF},
    {0x3400, 0x9FFF}, {0xF900, 0xFAFF}, {0xFF66, 0xFF9F}, {0x20000, 0x3FFFF}};

/* Capitals whose small letter is so much further on. */
static const struct {
    uint32_t first, last;
    int add;
} cases[] = {
    {0x00C0, 0x00D6, 32},   {0x00D8, 0x00DE, 32}, {0x0130, 0x0130, -199},
    {0x0178, 0x0178, -121}, {0x0386, 0x0386, 38}, {0x0388, 0x038A, 37},
    {0x038C, 0x038C, 64},   {0x038E, 0x038F, 63}, {0x0391, 0x03A1, 32},
    {0x03A3, 0x03AB, 32},   {0x0400, 0x040F, 80}, {0x0410, 0x042F, 32},
    {0x04C0, 0x04C0, 15},   {0x0531, 0x0556, 48}, {0x1E9E, 0x1E9E, -0x1DBF},
    {0xFF21, 0xFF3A, 32}};

/* Pairs of a capital and its small letter; the capital is first % 2. */
static const struct range pairs[] = {
    {0x0100, 0x012F}, {0x0132, 0x0137}, {0x0139, 0x0148}, {0x014A, 0x0177},
    {0x0179, 0x017E}, {0x01CD, 0x01DC}, {0x01DE, 0x01EF}, {0x01F8, 0x021F},
    {0x0222, 0x0233}, {0x0246, 0x024F}, {0x0370, 0x0373}, {0x03D8, 0x03EF},
    {0x0460, 0x0481}, {0x048A, 0x04BF}, {0x04C1, 0x04CE}, {0x04D0, 0x052F},
    {0x1E00, 0x1E95}, {0x1EA0, 0x1EFF}};

static bool
within(uint32_t c, const struct range *list, size_t n)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (c > list[mid].last)
            low = mid + 1;
        else
            high = mid;
    }
    return low < n && c >= list[low].first;
}

size_t
letter_read(const char *s, size_t n, uint32_t *c)
{
    const unsigned char *p = (const unsigned char *)s;
    int len;

    assert(n > 0);
    if (p[0] < 0x80) {
        *c = p[0];
        return 1;
    }
    len = utf8_seq(s, n);
    if (len <= 0) {
        *c = LETTER_BAD;
        return len == 0 ? n : (size_t)-len;
    }
    *c = len == 2 ? p[0] & 0x1Fu : len == 3 ? p[0] & 0x0Fu : p[0] & 0x07u;
    for (int i = 1; i < len; i++)
        *c = *c << 6 | (p[i] & 0x3Fu);
    return (size_t)len;
}

uint32_t
letter_before(const char *s, size_t i)
{
    size_t back = 1;
    uint32_t c;

    while (back < 4 && back < i && ((unsigned char)s[i - back] & 0xC0) == 0x80)
        back++;
    return letter_read(s + i - back, back, &c) == back ? c : LETTER_BAD;
}

size_t
letter_write(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

bool
letter_is_digit(uint32_t c)
{
    return (c >= '0' && c <= '9') || (c >= 0xFF10 && c <= 0xFF19);
}

bool
letter_is_alpha(uint32_t c)
{
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return !within(c, no_letters, COUNT_OF(no_letters)) && !letter_is_digit(c);
}

bool
letter_is_word(uint32_t c)
{
    return letter_is_alpha(c) || letter_is_digit(c) || c == '_';
}

bool
letter_is_cjk(uint32_t c)
{
    return c >= 0x0E01 && within(c, unspaced, COUNT_OF(unspaced)) &&
           letter_is_alpha(c);
}

bool
letter_is_kana(uint32_t c)
{
    return c >= 0x3041 && c <= 0x309F;
}

bool
letter_is_space(uint32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xA0 ||
           c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
           c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool
letter_is_emoji(uint32_t c)
{
    return (c >= 0x1F000 && c <= 0x1FBFF) || (c >= 0x2600 && c <= 0x27BF) ||
           c == 0x2B50 || c == 0x2B55 || c == 0x2639 || c == 0x203C;
}

bool
letter_is_hidden(uint32_t c)
{
    return (c < 0x20 && !letter_is_space(c)) || c == 0x7F || c == 0xAD ||
           c == 0x200B || c == 0x200E || c == 0x200F || c == 0x2060 ||
           c == 0xFEFF || c == LETTER_BAD ||
           (c >= 0x80 && c < 0xA0 && c != 0x85);
}

uint32_t
letter_lower(uint32_t c)
{
    size_t i;

    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
    if (c > 0x24F && (c < 0x370 || (c > 0x556 && c < 0x1E00) ||
                      (c > 0x1EFF && (c < 0xFF21 || c > 0xFF3A))))
        return c;
    if (within(c, pairs, COUNT_OF(pairs))) {
        for (i = 0; c > pairs[i].last; i++) {}
        return (c ^ pairs[i].first) & 1 ? c : c + 1;
    }
    for (i = 0; i < COUNT_OF(cases); i++) {
        if (c >= cases[i].first && c <= cases[i].last)
            return (uint32_t)((int64_t)c + cases[i].add);
    }
    return c == 0x3C2 ? 0x3C3 : c; /* the final sigma */
}

uint32_t
letter_upper(uint32_t c)
{
    uint32_t capital = c >= 0x430 && c <= 0x44F   ? c - 32
                       : c >= 0x450 && c <= 0x45F ? c - 80
                       : c >= 0x3B1 && c <= 0x3C9 ? c - 32
                       : c >= 0xE0 && c <= 0xFE   ? c - 32
                       : c >= 'a' && c <= 'z'     ? c - 32
                                                  : c;

    return letter_lower(capital) == c ? capital : c;
}

bool
letter_is_upper(uint32_t c)
{
    return letter_lower(c) != c && c != 0x3C2;
}

bool
letter_is_lower(uint32_t c)
{
    if (c < 0x80)
        return c >= 'a' && c <= 'z';
    return ((c >= 0xDF && c <= 0x24F) || (c >= 0x370 && c <= 0x3FF) ||
            (c >= 0x430 && c <= 0x52F) || (c >= 0x561 && c <= 0x587) ||
            (c >= 0x1E00 && c <= 0x1EFF) || (c >= 0xFF41 && c <= 0xFF5A)) &&
           letter_is_alpha(c) && !letter_is_upper(c);
}

/*
 * Faces made of signs, and the emoji that say how somebody feels. Scores are on
 * the lexicon's scale. A face of signs stands between spaces, or the slash in
 * an address would frown.
 */
#include "base/base.h"

#include "lang/sentiment.h"

#include "lang/letter.h"

static const struct {
    const char *face;
    int score;
} faces[] = {
    /* longer ones before those they begin with */
    {":'-(", -3}, {":'(", -3}, {":-)", 2}, {":-D", 3},  {":-(", -2},
    {":-/", -1},  {":-|", -1}, {":-P", 1}, {":-p", 1},  {":-*", 2},
    {":))", 3},   {":)", 2},   {":D", 3},  {":((", -3}, {":(", -2},
    {":/", -1},   {":|", -1},  {":P", 1},  {":p", 1},   {":*", 2},
    {":3", 1},    {";-)", 1},  {";)", 1},  {"=)", 2},   {"=(", -2},
    {"=D", 3},    {"8-)", 2},  {"xD", 2},  {"XD", 2},   {"<3", 3},
    {"</3", -3},  {"^_^", 2},  {"^^", 2},  {"-_-", -1}, {">:(", -3},
    {"D:", -2},   {"T_T", -2}, {":o)", 2}, {"(:", 2},   {"):", -2},
};

static const struct {
    uint32_t c;
    int score;
} emoji[] = {
    {0x2639, -2},  {0x263A, 2},   {0x2665, 3},   {0x2705, 1},   {0x274C, -1},
    {0x2728, 1},   {0x2764, 3},   {0x2B50, 2},   {0x1F31F, 2},  {0x1F389, 3},
    {0x1F38A, 3},  {0x1F44C, 2},  {0x1F44D, 2},  {0x1F44E, -2}, {0x1F44F, 2},
    {0x1F480, -1}, {0x1F494, -3}, {0x1F495, 3},  {0x1F496, 3},  {0x1F497, 3},
    {0x1F499, 3},  {0x1F49A, 3},  {0x1F49B, 3},  {0x1F49C, 3},  {0x1F4A9, -2},
    {0x1F4AA, 2},  {0x1F4AF, 2},  {0x1F525, 2},  {0x1F600, 3},  {0x1F601, 3},
    {0x1F602, 2},  {0x1F603, 3},  {0x1F604, 3},  {0x1F605, 1},  {0x1F606, 2},
    {0x1F607, 2},  {0x1F609, 1},  {0x1F60A, 3},  {0x1F60B, 2},  {0x1F60C, 2},
    {0x1F60D, 4},  {0x1F60E, 2},  {0x1F610, -1}, {0x1F612, -2}, {0x1F613, -1},
    {0x1F614, -2}, {0x1F615, -1}, {0x1F616, -2}, {0x1F618, 3},  {0x1F61E, -2},
    {0x1F61F, -2}, {0x1F620, -3}, {0x1F621, -3}, {0x1F622, -2}, {0x1F623, -2},
    {0x1F624, -2}, {0x1F625, -2}, {0x1F629, -2}, {0x1F62B, -2}, {0x1F62D, -2},
    {0x1F631, -2}, {0x1F641, -2}, {0x1F642, 1},  {0x1F643, 1},  {0x1F644, -1},
    {0x1F64C, 2},  {0x1F64F, 1},  {0x1F680, 2},  {0x1F923, 2},  {0x1F929, 3},
    {0x1F92C, -4}, {0x1F92E, -3}, {0x1F970, 4},  {0x1F973, 3},  {0x1F974, -1},
    {0x1F97A, -1}, {0x1F91D, 1},  {0x1FAF6, 3},  {0x1F922, -3},
};

/* May a face end before this character? */
static bool
is_free(const char *s, size_t n)
{
    uint32_t c;

    if (n == 0)
        return true;
    (void)letter_read(s, n, &c);
    return letter_is_space(c) || letter_is_emoji(c) ||
           (c < 0x80 && strchr(".,!?)", (int)c) != NULL);
}

size_t
sentiment_face(const char *s, size_t n, uint32_t before, int *score)
{
    uint32_t c;
    size_t len = letter_read(s, n, &c);

    if (c >= 0x80) {
        for (size_t i = 0; i < COUNT_OF(emoji); i++) {
            if (emoji[i].c != c)
                continue;
            *score = emoji[i].score;
            return len;
        }
        return 0;
    }
    if (letter_is_word(before) || before == '/' || before == ':')
        return 0;
    for (size_t i = 0; i < COUNT_OF(faces); i++) {
        len = strlen(faces[i].face);
        if (len > n || memcmp(s, faces[i].face, len) != 0 ||
            !is_free(s + len, n - len))
            continue;
        *score = faces[i].score;
        return len;
    }
    return 0;
}

/*
 * Token counts. Tokenisers differ and are large; what is needed here is only
 * whether a conversation fits. English text has about four characters a token
 * with all of them, other scripts up to one. A wrong first guess costs one
 * refused request (the generator shortens and asks again); after that the
 * model's own counts are known.
 */
#include "base/base.h"

#include "chat/tokens.h"

#include "base/mem.h"

#define SCALES 64      /* models remembered; the oldest makes room */
#define SCALE_ONE 1000 /* a scale of 1 */
#define SCALE_MIN 400
#define SCALE_MAX 4000
#define LEARN_MIN 50  /* tokens; less says nothing */
#define LEARN_SHARE 4 /* a new count moves the scale by a quarter */
#define NAME_MAX_BYTES 128

int64_t
tokens_estimate(const char *s, size_t n)
{
    int64_t ascii = 0, others = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];

        if (c < 0x80)
            ascii++;
        else if (c >= 0xC0)
            others++;
    }
    return (ascii + 3) / 4 + others;
}

struct scale {
    char model[NAME_MAX_BYTES + 1]; /* "": unused */
    int64_t scale;
};

struct token_scales {
    struct scale all[SCALES];
    size_t next; /* the place of the next new one */
};

struct token_scales *
token_scales_new(void)
{
    return xcalloc(1, sizeof(struct token_scales));
}

void
token_scales_free(struct token_scales *s)
{
    free(s);
}

static const struct scale *
find(const struct token_scales *s, const char *model)
{
    for (size_t i = 0; i < SCALES; i++)
        if (s->all[i].model[0] != '\0' && strcmp(s->all[i].model, model) == 0)
            return &s->all[i];
    return NULL;
}

int64_t
token_scale(const struct token_scales *s, const char *model, int64_t estimate)
{
    const struct scale *k = find(s, model);

    return k != NULL ? estimate * k->scale / SCALE_ONE : estimate;
}

void
token_scale_learn(struct token_scales *s, const char *model, int64_t estimate,
                  int64_t real)
{
    size_t len = strlen(model);
    const struct scale *known;
    struct scale *k;
    int64_t scale;

    if (estimate < LEARN_MIN || real < 1 || len == 0 || len > NAME_MAX_BYTES)
        return;
    scale = real * SCALE_ONE / estimate;
    if (scale < SCALE_MIN)
        scale = SCALE_MIN;
    if (scale > SCALE_MAX)
        scale = SCALE_MAX;
    known = find(s, model);
    if (known != NULL) {
        k = &s->all[known - s->all];
        k->scale += (scale - k->scale) / LEARN_SHARE;
        return;
    }
    k = &s->all[s->next++ % SCALES];
    memcpy(k->model, model, len + 1);
    k->scale = scale;
}

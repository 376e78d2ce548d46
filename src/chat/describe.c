/*
 * The question is one message: the instruction, and the image behind it. No
 * name goes along, and nothing else that is known of the image: what is asked
 * for is what can be seen.
 *
 * Models are asked for JSON and wrap it as they like, so the object is looked
 * for between the first brace and the last. What it says is data: one clean
 * line or some, cut to what the index takes (files/image_fact.h).
 */
#include "base/base.h"

#include "chat/describe.h"

#include <math.h>

#include "base/json.h"
#include "base/mem.h"
#include "chat/tokens.h"
#include "files/image_fact.h"

/* Providers scale an image down to about this, and count its area. */
#define SIDE_MAX 1568
#define PIXELS_PER_TOKEN 750
#define IMAGE_TOKENS_MIN 85
#define IMAGE_TOKENS_MAX 1600

void
describe_ask(struct describe_ask *a, const char *model, const char *prompt,
             const char *media_type, const char *data, size_t n)
{
    *a = (struct describe_ask){
        .pieces = {{.kind = PIECE_TEXT, .text = prompt, .len = strlen(prompt)},
                   {.kind = PIECE_IMAGE,
                    .text = data,
                    .len = n,
                    .media_type = media_type}},
    };
    a->message = (struct ask_message){.role = ROLE_USER,
                                      .text = prompt,
                                      .len = strlen(prompt),
                                      .pieces = a->pieces,
                                      .n_pieces = COUNT_OF(a->pieces)};
    a->ask = (struct ask){.model = model,
                          .system = "",
                          .messages = &a->message,
                          .n_messages = 1,
                          .temperature = (double)NAN,
                          .top_p = (double)NAN,
                          .max_tokens = DESCRIBE_ANSWER_MAX,
                          .parallel_calls = -1};
}

int64_t
describe_tokens(const char *prompt, uint32_t width, uint32_t height)
{
    double w = width, h = height, most = w > h ? w : h;
    int64_t n = IMAGE_TOKENS_MAX;

    if (w > 0 && h > 0) {
        if (most > SIDE_MAX) {
            w *= SIDE_MAX / most;
            h *= SIDE_MAX / most;
        }
        n = (int64_t)(w * h / PIXELS_PER_TOKEN);
    }
    n = n < IMAGE_TOKENS_MIN ? IMAGE_TOKENS_MIN : n;
    n = n > IMAGE_TOKENS_MAX ? IMAGE_TOKENS_MAX : n;
    return n + TOKENS_PER_MESSAGE + tokens_estimate(prompt, strlen(prompt));
}

static void
take_tags(const cJSON *v, struct facts *f)
{
    const cJSON *tag;
    int n = 0;

    if (cJSON_IsString(v))
        fact_tags(f, v->valuestring, strlen(v->valuestring), ",;\n");
    if (!cJSON_IsArray(v))
        return;
    cJSON_ArrayForEach(tag, v) {
        if (cJSON_IsString(tag) && n++ < DESCRIBE_TAGS_MAX)
            fact_tag(f, tag->valuestring, strlen(tag->valuestring));
    }
}

static bool
read_object(const char *s, size_t n, struct facts *f)
{
    cJSON *o = NULL;
    const char *text;

    if (json_parse(s, n, &o, NULL) != OK)
        return false;
    text = json_str(o, "description");
    if (text != NULL)
        (void)fact_text(f->description, sizeof(f->description), text,
                        strlen(text), true);
    take_tags(cJSON_GetObjectItemCaseSensitive(o, "tags"), f);
    cJSON_Delete(o);
    return true;
}

bool
describe_read(const char *text, size_t n, struct described *out)
{
    struct facts *f = xcalloc(1, sizeof(*f));
    const char *from, *to;

    if (n > DESCRIBE_TEXT_MAX)
        n = DESCRIBE_TEXT_MAX;
    from = memchr(text, '{', n);
    to = memrchr(text, '}', n);
    if (from != NULL && to != NULL && to > from)
        IGNORE(read_object(from, (size_t)(to - from) + 1, f));
    else if (from == NULL && to == NULL)
        (void)fact_text(f->description, sizeof(f->description), text, n, true);
    (void)snprintf(out->description, sizeof(out->description), "%s",
                   f->description);
    (void)snprintf(out->tags, sizeof(out->tags), "%s", f->tags);
    free(f);
    return out->description[0] != '\0';
}

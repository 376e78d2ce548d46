/*
 * What the readers of several formats have in common: strings, times, reasons
 * for an end, and contents in parts. They are lenient where nothing is lost: a
 * member of another type reads as missing. Pure.
 */
#include "base/base.h"

#include "dialect/import_draft.h"

#include <math.h>

#include "base/clock.h"

#define TAGS_MAX 64
#define NOTE_MAX 32       /* bytes of a kind of part that we do not know */
#define YEAR_9999 2.5e11  /* seconds, and a little less */
#define UNIT_APART 1000.0 /* between seconds, milliseconds, … */

/* A string of the tree as the draft may keep it. */
static const char *
keep(struct import_draft *d, const char *s)
{
    return d->item == NULL ? arena_strdup(&d->arena, s) : s;
}

const char *
import_str(struct import_draft *d, const cJSON *o, const char *name)
{
    const char *s = json_str(o, name);

    return s == NULL ? "" : keep(d, s);
}

/* Seconds reach 1e11 in the year 5138, milliseconds in 1973. */
static int64_t
time_number(double v)
{
    if (!(v > 0))
        return 0;
    for (int i = 0; i < 3 && v >= 1e11; i++)
        v /= UNIT_APART;
    return v < YEAR_9999 ? llround(v * 1000) : 0;
}

int64_t
import_time(const cJSON *o, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);
    int64_t ms;

    if (cJSON_IsNumber(v))
        return time_number(v->valuedouble);
    if (cJSON_IsString(v) && clock_iso_read(v->valuestring, &ms) == OK)
        return ms > 0 ? ms : 0;
    return 0;
}

bool
import_true(const cJSON *o, const char *name)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, name));
}

void
import_tags(struct import_draft *d, const cJSON *array)
{
    const char **tags;
    const cJSON *v;

    if (!cJSON_IsArray(array))
        return;
    tags = arena_alloc(&d->arena, TAGS_MAX * sizeof(*tags));
    cJSON_ArrayForEach(v, array) {
        if (cJSON_IsString(v) && v->valuestring[0] != '\0' &&
            d->s.n_tags < TAGS_MAX)
            tags[d->s.n_tags++] = keep(d, v->valuestring);
    }
    d->s.tags = tags;
}

enum finish
import_finish(const char *name)
{
    static const struct {
        const char *name;
        enum finish finish;
    } others[] = {
        {"max_tokens", FINISH_LENGTH},
        {"end_turn", FINISH_STOP},
        {"eos", FINISH_STOP},
        {"stop_sequence", FINISH_STOP},
        {"function_call", FINISH_TOOL_CALLS},
    };

    for (int f = FINISH_NONE + 1; f < FINISH__MAX; f++)
        if (strcmp(name, finish_name((enum finish)f)) == 0)
            return (enum finish)f;
    for (size_t i = 0; i < COUNT_OF(others); i++)
        if (strcmp(name, others[i].name) == 0)
            return others[i].finish;
    return FINISH_NONE;
}

/* --- contents ------------------------------------------------------------- */

/* What a part of that kind is to us: the member that holds its text, or a
 * note; neither: it is passed over. */
static const struct part_kind_row {
    const char *kind;
    const char *text; /* member */
    const char *note;
} part_kinds[] = {
    {"text", "text", NULL},
    {"input_text", "text", NULL},
    {"output_text", "text", NULL},
    {"refusal", "refusal", NULL},
    {"audio_transcription", "text", NULL},
    {"error", "error", NULL},
    {"think", NULL, NULL},
    {"thinking", NULL, NULL},
    {"reasoning", NULL, NULL},
    {"tool_call", NULL, NULL},
    {"tool_use", NULL, NULL},
    {"tool_result", NULL, NULL},
    {"image", NULL, "image"},
    {"image_url", NULL, "image"},
    {"image_file", NULL, "image"},
    {"input_image", NULL, "image"},
    {"image_asset_pointer", NULL, "image"},
    {"audio", NULL, "audio"},
    {"input_audio", NULL, "audio"},
    {"audio_asset_pointer", NULL, "audio"},
    {"real_time_user_audio_video_asset_pointer", NULL, "audio"},
    {"video", NULL, "video"},
    {"video_container_asset_pointer", NULL, "video"},
    {"file", NULL, "file"},
    {"input_file", NULL, "file"},
};

static void
add_line(struct buf *out, const char *s, size_t n)
{
    if (n == 0)
        return;
    if (out->len > 0)
        buf_addc(out, '\n');
    buf_add(out, s, n);
}

/* "[image]"; of a kind that we do not know, its name if that is one. */
static void
add_note(struct buf *out, const char *kind)
{
    char note[NOTE_MAX + 3];
    size_t n = strspn(kind, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVW"
                            "XYZ0123456789_-");

    if (n == 0 || n > NOTE_MAX || kind[n] != '\0')
        kind = "attachment";
    n = (size_t)snprintf(note, sizeof(note), "[%s]", kind);
    add_line(out, note, n);
}

/* The text of a part: a string, or {"value": a string}. */
static void
add_member_text(struct buf *out, const cJSON *part, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(part, name);

    if (cJSON_IsObject(v))
        v = cJSON_GetObjectItemCaseSensitive(v, "value");
    if (cJSON_IsString(v))
        add_line(out, v->valuestring, strlen(v->valuestring));
}

static void
add_part(struct buf *out, const cJSON *part)
{
    const char *kind;

    if (cJSON_IsString(part)) {
        add_line(out, part->valuestring, strlen(part->valuestring));
        return;
    }
    if (!cJSON_IsObject(part))
        return;
    kind = json_str(part, "type");
    if (kind == NULL)
        kind = json_str(part, "content_type");
    if (kind == NULL)
        kind = json_str(part, "text") != NULL ? "text" : "";
    for (size_t i = 0; i < COUNT_OF(part_kinds); i++) {
        if (strcmp(part_kinds[i].kind, kind) != 0)
            continue;
        if (part_kinds[i].text != NULL)
            add_member_text(out, part, part_kinds[i].text);
        else if (part_kinds[i].note != NULL)
            add_note(out, part_kinds[i].note);
        return;
    }
    add_note(out, kind);
}

const char *
import_content(struct import_draft *d, const cJSON *content)
{
    const cJSON *part = content == NULL ? NULL : content->child;
    const char *text;
    struct buf out;

    if (content == NULL || cJSON_IsNull(content))
        return "";
    if (cJSON_IsString(content))
        return keep(d, content->valuestring);
    if (!cJSON_IsArray(content))
        return NULL;
    if (cJSON_IsString(part) && part->next == NULL)
        return keep(d, part->valuestring);
    /* A note may be longer than its part, but JSON_VALUES_MAX bounds them. */
    buf_init(&out, 2 * IMPORT_CONVERSATION_MAX);
    cJSON_ArrayForEach(part, content)
        add_part(&out, part);
    assert(buf_status(&out) == OK);
    text = arena_memdup0(&d->arena, out.data, out.len);
    buf_release(&out);
    return text;
}

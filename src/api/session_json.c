/*
 * Sessions as JSON. A member of a change that is null takes back what was set.
 */
#include "base/base.h"

#include "api/session_json.h"

#include "base/clock.h"
#include "base/text.h"

_Static_assert(STORE_TITLE_MAX == 256 && STORE_CONTEXT_MAX == 65536 &&
                   SESSION_TAGS_MAX == 10 && SESSION_TAG_MAX == 50,
               "as the messages below say");
_Static_assert(SESSION_TAGS_MAX *(SESSION_TAG_MAX + 1) <= STORE_TAGS_MAX,
               "they all fit");

/* --- out ----------------------------------------------------------------- */

static void
put_tags(struct json_out *j, const char *tags)
{
    json_name(j, "tags");
    json_begin_arr(j);
    while (*tags != '\0') {
        size_t n = strcspn(tags, "\n");

        json_add_strn(j, tags, n);
        tags += n + (tags[n] == '\n');
    }
    json_end_arr(j);
}

void
session_put(struct json_out *j, const struct session *s)
{
    json_put_str(j, "session_id", s->id);
    json_put_str(j, "title", s->title);
    json_put_time(j, "created_at", s->created_ms);
    json_put_time(j, "updated_at", s->updated_ms);
    json_put_i64(j, "conversation_length", s->length);
    json_put_bool(j, "pinned", s->pinned);
    json_put_bool(j, "archived", s->archived);
    json_put_bool(j, "temporary", s->temporary);
    put_tags(j, s->tags);
    json_put_str(j, "model", s->model[0] != '\0' ? s->model : NULL);
    json_put_when(j, "expires_at", s->expires_ms);
    if (s->open)
        json_put_ident(j, "open_turn_id", &s->open_turn);
    else
        json_put_str(j, "open_turn_id", NULL);
}

/* --- in ------------------------------------------------------------------ */

static enum err
invalid(struct problem *why, const char *name, const char *rule)
{
    char error[64], code[40];

    (void)snprintf(error, sizeof(error), "Invalid %s", name);
    (void)snprintf(code, sizeof(code), "invalid_%s", name);
    return problem_set(why, ERR_BADREQ, code, error, "'%s' is %s.", name, rule);
}

/* A string of at most max bytes without a NUL; null is "". */
static enum err
read_text(const cJSON *json, const char *name, size_t max, const char *rule,
          const char **out, struct problem *why)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(json, name);

    if (v == NULL)
        return OK;
    if (cJSON_IsNull(v)) {
        *out = "";
        return OK;
    }
    if (!cJSON_IsString(v) || strlen(v->valuestring) > max)
        return invalid(why, name, rule);
    *out = v->valuestring;
    return OK;
}

static enum err
read_flag(const cJSON *json, const char *name, bool *said, bool *out,
          struct problem *why)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(json, name);

    if (v == NULL)
        return OK;
    if (!cJSON_IsBool(v) && !cJSON_IsNull(v))
        return invalid(why, name, "true or false");
    *said = true;
    *out = cJSON_IsTrue(v);
    return OK;
}

bool
session_has_tag(const char *tags, const char *tag)
{
    size_t len = strlen(tag);

    for (; *tags != '\0'; tags += strcspn(tags, "\n") + 1)
        if (strcspn(tags, "\n") == len && memcmp(tags, tag, len) == 0)
            return true;
    return false;
}

static enum err
read_tags(const cJSON *json, struct session_change *c, struct problem *why)
{
    static const char rule[] =
        "an array of at most 10 strings of 1 to 50 bytes "
        "each";
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(json, "tags"), *item;
    size_t n = 0, len = 0;

    if (v == NULL)
        return OK;
    if (!cJSON_IsArray(v) && !cJSON_IsNull(v))
        return invalid(why, "tags", rule);
    cJSON_ArrayForEach(item, v) {
        const char *tag = item->valuestring;

        if (!cJSON_IsString(item) || text_blank(tag, strlen(tag)) ||
            strlen(tag) > SESSION_TAG_MAX || strpbrk(tag, "\r\n") != NULL)
            return invalid(why, "tags", rule);
        if (session_has_tag(c->tags, tag))
            continue;
        if (++n > SESSION_TAGS_MAX)
            return invalid(why, "tags", rule);
        len += (size_t)snprintf(c->tags + len, sizeof(c->tags) - len, "%s\n",
                                tag);
    }
    c->op.patch.tags = c->tags;
    return OK;
}

static enum err
read_expiry(const cJSON *json, struct session_change *c, struct problem *why)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(json, "expires_at");

    if (v == NULL)
        return OK;
    c->op.patch.set_expires = true;
    if (cJSON_IsNull(v))
        return OK;
    if (!cJSON_IsString(v) ||
        clock_iso_read(v->valuestring, &c->op.patch.expires_ms) != OK ||
        c->op.patch.expires_ms <= clock_wall_ms())
        return invalid(why, "expires_at",
                       "a time to come like 2099-01-31T12:00:00Z, or null");
    return OK;
}

enum err
session_change_read(const cJSON *json, struct session_change *c,
                    struct problem *why)
{
    enum err e;

    (void)memset(c, 0, sizeof(*c));
    if (!cJSON_IsObject(json))
        return problem_set(why, ERR_BADREQ, "invalid_json",
                           "The body is not a JSON object",
                           "Send an object with what is to be changed.");
    e = read_text(json, "title", STORE_TITLE_MAX,
                  "a string of at most 256 bytes", &c->op.patch.title, why);
    c->op.patch.titled = c->op.patch.title != NULL &&
                         c->op.patch.title[0] != '\0';
    if (e == OK)
        e = read_text(json, "context", STORE_CONTEXT_MAX,
                      "a string of at most 65536 bytes", &c->op.patch.context,
                      why);
    if (e == OK)
        e = read_text(json, "model", STORE_NAME_MAX,
                      "a string of at most 128 bytes", &c->op.patch.model, why);
    if (e == OK)
        e = read_text(json, "leaf", IDENT_TEXT_LEN, "a message's id", &c->leaf,
                      why);
    if (e == OK)
        e = read_flag(json, "pinned", &c->op.patch.set_pinned,
                      &c->op.patch.pinned, why);
    if (e == OK)
        e = read_flag(json, "archived", &c->op.patch.set_archived,
                      &c->op.patch.archived, why);
    if (e == OK)
        e = read_flag(json, "temporary", &c->temporary_said, &c->op.temporary,
                      why);
    if (e == OK)
        e = read_tags(json, c, why);
    return e == OK ? read_expiry(json, c, why) : e;
}

/*
 * Tools as a request defines them. A schema is passed on as it is written:
 * providers differ in what they take of JSON Schema, and that is theirs to
 * say. Pure.
 */
#include "base/base.h"

#include "dialect/openai_in_read.h"

#define PARAM(room, i, name) \
    (void)snprintf((room), sizeof(room), "tools[%zu]%s", (i), (name))

static const char no_schema[] = "{\"type\":\"object\",\"properties\":{}}";

static bool
name_ok(const char *s)
{
    size_t n = strlen(s);

    return n > 0 && n <= OPENAI_IN_NAME_MAX &&
           strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                     "0123456789_-.:") == n;
}

/* The text of the member name of the object at text. */
static struct openai_span
member_text(const char *text, const cJSON *o, const char *name)
{
    struct openai_span span = {"", 0}, ignored;
    const cJSON *m;

    cJSON_ArrayForEach(m, o) {
        if (!openai_walk(&text, &ignored, &span) ||
            strcmp(m->string, name) == 0)
            break;
    }
    return span;
}

static enum err
take_schema(struct openai_read *r, const cJSON *f, const char *text, size_t i,
            struct tool *t)
{
    const cJSON *parameters = cJSON_GetObjectItemCaseSensitive(f, "parameters");
    struct openai_span span;
    char param[OPENAI_IN_PARAM_MAX];

    t->schema = no_schema;
    if (parameters == NULL || cJSON_IsNull(parameters))
        return OK;
    PARAM(param, i, ".function.parameters");
    if (!cJSON_IsObject(parameters))
        return openai_wrong_type(r, param, "must be an object");
    span = member_text(text, f, "parameters");
    t->schema = arena_memdup0(r->arena, span.s, span.len);
    return OK;
}

static enum err
take_function(struct openai_read *r, const cJSON *f, const char *text, size_t i,
              struct tool *t)
{
    const cJSON *strict = cJSON_GetObjectItemCaseSensitive(f, "strict");
    char param[OPENAI_IN_PARAM_MAX];
    const char *name, *description;

    PARAM(param, i, ".function.name");
    if (openai_string(r, f, "name", param, &name) != OK)
        return ERR_BADREQ;
    if (name == NULL)
        return openai_missing(r, param);
    if (!name_ok(name))
        return openai_wrong_value(
            r, param, "must be 1 to 128 letters, digits, '_', '-', '.', ':'");
    PARAM(param, i, ".function.description");
    if (openai_string(r, f, "description", param, &description) != OK)
        return ERR_BADREQ;
    PARAM(param, i, ".function.strict");
    if (strict != NULL && !cJSON_IsNull(strict) && !cJSON_IsBool(strict))
        return openai_wrong_type(r, param, "must be true or false");
    t->name = arena_strdup(r->arena, name);
    t->description = description != NULL ? arena_strdup(r->arena, description)
                                         : "";
    t->strict = cJSON_IsTrue(strict);
    return take_schema(r, f, text, i, t);
}

static enum err
take_tool(struct openai_read *r, const cJSON *o, const char *text, size_t i,
          struct tool *t)
{
    const cJSON *f = cJSON_GetObjectItemCaseSensitive(o, "function");
    char param[OPENAI_IN_PARAM_MAX];
    const char *type;

    PARAM(param, i, "");
    if (!cJSON_IsObject(o))
        return openai_wrong_type(r, param, "must be an object");
    PARAM(param, i, ".type");
    if (openai_string(r, o, "type", param, &type) != OK)
        return ERR_BADREQ;
    if (type == NULL)
        return openai_missing(r, param);
    if (strcmp(type, "function") != 0)
        return openai_refuse(r, "unsupported_value", param,
                             "must be \"function\"");
    PARAM(param, i, ".function");
    if (f == NULL)
        return openai_missing(r, param);
    if (!cJSON_IsObject(f))
        return openai_wrong_type(r, param, "must be an object");
    return take_function(r, f, member_text(text, o, "function").s, i, t);
}

enum err
openai_in_tools(struct openai_read *r, const cJSON *tools,
                const struct openai_span *text)
{
    const char *at = text->s;
    struct ask *ask = &r->a->ask;
    struct openai_span item;
    const cJSON *o;
    struct tool *list;
    size_t n;
    enum err e;

    if (!cJSON_IsArray(tools))
        return openai_wrong_type(r, "tools", "must be an array");
    n = (size_t)cJSON_GetArraySize(tools);
    if (n > OPENAI_IN_TOOLS_MAX)
        return openai_too_many(r, "tools", OPENAI_IN_TOOLS_MAX);
    if (n == 0)
        return OK;
    list = arena_alloc(r->arena, n * sizeof(*list));
    ask->tools = list;
    cJSON_ArrayForEach(o, tools) {
        if (!openai_walk(&at, NULL, &item))
            break;
        e = take_tool(r, o, item.s, ask->n_tools, &list[ask->n_tools]);
        if (e != OK)
            return e;
        ask->n_tools++;
    }
    return OK;
}

static bool
has_tool(const struct ask *ask, const char *name)
{
    for (size_t i = 0; i < ask->n_tools; i++)
        if (strcmp(ask->tools[i].name, name) == 0)
            return true;
    return false;
}

static enum err
choice_named(struct openai_read *r, const cJSON *o)
{
    static const char param[] = "tool_choice.function.name";
    struct ask *ask = &r->a->ask;
    const char *type, *name;

    if (openai_string(r, o, "type", "tool_choice.type", &type) != OK)
        return ERR_BADREQ;
    if (type == NULL || strcmp(type, "function") != 0)
        return openai_refuse(r, "unsupported_value", "tool_choice.type",
                             "must be \"function\"");
    if (openai_string(r, json_obj(o, "function"), "name", param, &name) != OK)
        return ERR_BADREQ;
    if (name == NULL)
        return openai_missing(r, param);
    if (!has_tool(ask, name))
        return openai_wrong_value(r, param, "must be one of the tools");
    ask->tool_named = arena_strdup(r->arena, name);
    ask->tool_choice = TOOL_CHOICE_NAMED;
    return OK;
}

enum err
openai_in_choice(struct openai_read *r, const cJSON *choice)
{
    static const char *const words[] = {
        [TOOL_CHOICE_AUTO] = "auto",
        [TOOL_CHOICE_NONE] = "none",
        [TOOL_CHOICE_REQUIRED] = "required",
    };
    struct ask *ask = &r->a->ask;

    if (choice == NULL || cJSON_IsNull(choice))
        return OK;
    if (ask->n_tools == 0 && !(cJSON_IsString(choice) &&
                               strcmp(choice->valuestring, "required") != 0))
        return openai_wrong_value(r, "tool_choice",
                                  "is of no use without "
                                  "tools");
    if (cJSON_IsObject(choice))
        return choice_named(r, choice);
    if (!cJSON_IsString(choice))
        return openai_wrong_type(r, "tool_choice",
                                 "must be a string or an object");
    for (size_t i = TOOL_CHOICE_AUTO; i < COUNT_OF(words); i++) {
        if (strcmp(words[i], choice->valuestring) == 0) {
            ask->tool_choice = (enum tool_choice)i;
            return OK;
        }
    }
    return openai_wrong_value(r, "tool_choice",
                              "must be \"none\", \"auto\" or \"required\", or "
                              "name a function");
}

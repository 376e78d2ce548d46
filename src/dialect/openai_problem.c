/*
 * Problems as errors of OpenAI's API. Its clients choose an exception by the
 * status, and programs look at type and code, so what a provider refused is
 * shown as if the client had asked it directly: its 401 is a 401 here. Pure.
 */
#include "base/base.h"

#include "dialect/openai_out.h"

#include "base/json.h"

#define BAD "invalid_request_error"

/* Problems that have another status, type or code on this API. */
static const struct row {
    const char *ours;
    int status;
    const char *type, *code;
    bool final;
} rows[] = {
    {"provider_auth", 401, "authentication_error", "invalid_api_key", true},
    {"provider_forbidden", 403, "permission_error", "provider_forbidden", true},
    {"model_not_found", 404, BAD, "model_not_found", true},
    {"unknown_provider", 404, BAD, "model_not_found", true},
    {"provider_not_configured", 404, BAD, "model_not_found", true},
    {"provider_rate_limited", 429, "rate_limit_error", "rate_limit_exceeded",
     false},
    {"provider_quota", 429, "insufficient_quota", "insufficient_quota", true},
    {"budget_exceeded", 429, "insufficient_quota", "insufficient_quota", true},
    {"too_many_turns", 429, "rate_limit_error", "rate_limit_exceeded", false},
    {"context_too_long", 400, BAD, "context_length_exceeded", true},
    {"provider_rejected", 400, BAD, "provider_rejected", true},
};

static const struct row *
row_of(const struct problem *p)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (strcmp(rows[i].ours, p->code) == 0)
            return &rows[i];
    return NULL;
}

static const char *
type_of(enum err e)
{
    switch (e) {
    case ERR_BADREQ:
    case ERR_NOTFOUND:
    case ERR_METHOD:
    case ERR_CONFLICT:
    case ERR_TOOBIG:
    case ERR_TYPE:
    case ERR_IMPOSSIBLE: return BAD;
    case ERR_AUTH: return "authentication_error";
    case ERR_FORBIDDEN: return "permission_error";
    case ERR_LIMIT: return "rate_limit_error";
    default: return "api_error";
    }
}

int
openai_out_status(const struct problem *p)
{
    const struct row *r = row_of(p);

    return r != NULL ? r->status : 0;
}

bool
openai_out_final(const struct problem *p)
{
    const struct row *r = row_of(p);

    return r != NULL && r->final;
}

/* Both sentences of the problem as one text. */
static void
put_message(struct json_out *j, const struct problem *p)
{
    const char *error = p->error[0] != '\0' ? p->error : err_text(p->err);
    size_t n = strlen(error);
    struct buf text;

    buf_init(&text, sizeof(p->error) + sizeof(p->message) + 256);
    buf_add(&text, error, n);
    if (p->message[0] != '\0') {
        buf_adds(&text, n > 0 && strchr(".!?", error[n - 1]) ? " " : ". ");
        buf_adds(&text, p->message);
    }
    json_put_strn(j, "message", text.data, text.len);
    buf_release(&text);
}

void
openai_out_problem(struct buf *out, const struct problem *p, const char *param)
{
    const struct row *r = row_of(p);
    const char *code = p->code[0] != '\0' ? p->code : err_code(p->err);
    struct json_out j;

    json_out_init(&j, out);
    json_begin_obj(&j);
    json_name(&j, "error");
    json_begin_obj(&j);
    put_message(&j, p);
    json_put_str(&j, "type", r != NULL ? r->type : type_of(p->err));
    json_put_str(&j, "param", param != NULL && param[0] != '\0' ? param : NULL);
    json_put_str(&j, "code", r != NULL ? r->code : code);
    json_end_obj(&j);
    json_end_obj(&j);
}

/*
 * Fuzzes api/ask.c: bytes as the body of POST /chat in JSON and as a form, and
 * as a query. What is accepted keeps every bound that the rest relies on; what
 * is not says why.
 */
#include "base/base.h"

#include "api/ask.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const types[] = {
    "CONTENT_TYPE=application/json",
    "CONTENT_TYPE=application/x-www-form-urlencoded", "CONTENT_TYPE="};

static void
check_ask(const struct turn_ask *a)
{
    const struct ask *q = &a->ask;

    assert(a->text_len > 0 && a->text_len <= PROMPT_MESSAGE_MAX);
    assert(strlen(a->text) == a->text_len);
    assert(utf8_valid(a->text, a->text_len));
    assert(!text_blank(a->text, a->text_len));
    assert(ident_session_valid(a->session_id, strlen(a->session_id)));
    assert(a->idem_key == NULL ||
           (strlen(a->idem_key) <= PROMPT_IDEM_MAX && a->idem_key[0] != '\0'));
    assert((a->idem_key == NULL) == (a->idem_scope == NULL));
    assert(a->context == NULL || utf8_valid(a->context, strlen(a->context)));
    assert(a->history_given || a->n_history == 0);
    assert(a->n_history <= PROMPT_GIVEN_MAX);
    for (size_t i = 0; i < a->n_history; i++) {
        assert(a->history[i].role < ROLE__MAX);
        assert(utf8_valid(a->history[i].text, a->history[i].len));
    }
    assert(!(q->temperature < 0) && !(q->temperature > 2));
    assert(!(q->top_p < 0) && !(q->top_p > 1));
    assert(q->max_tokens >= 0);
    assert(q->n_stop <= ASK_STOPS_MAX);
    for (size_t i = 0; i < q->n_stop; i++)
        assert(utf8_valid(q->stop[i], strlen(q->stop[i])));
    assert(a->route.provider != NULL && a->route.model[0] != '\0');
    assert(strlen(a->route.model) <= STORE_NAME_MAX);
}

static void
try_bytes(const char *type, bool query, const uint8_t *data, size_t size)
{
    char *text = xmalloc(size + 16);
    const char *vars[] = {"REQUEST_METHOD=POST", type, text, NULL};
    struct ask_options opt = {.stream = false};
    struct problem why = {.err = OK};
    struct turn_ask *a = NULL;
    struct request *rq;
    enum err e;

    (void)snprintf(text, size + 16, "QUERY_STRING=%.*s", query ? (int)size : 0,
                   (const char *)data);
    e = request_new(&rq, vars, "", &why);
    if (e == OK && !query && size > 0) {
        rq->body = arena_memdup0(&rq->arena, data, size);
        rq->body_len = size;
    }
    if (e == OK)
        e = ask_parse(rq, query, &a, &opt, &why);
    request_free(rq); /* the ask must not need it */
    assert(e == why.err);
    assert(e == OK || e == ERR_BADREQ || e == ERR_TOOBIG || e == ERR_NOTFOUND ||
           e == ERR_IMPOSSIBLE);
    assert((e == OK) == (a != NULL));
    if (e != OK)
        assert(why.code[0] != '\0' && why.error[0] != '\0');
    else
        check_ask(a);
    turn_ask_free(a);
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_bytes(types[0], false, data, size);
    try_bytes(types[1], false, data, size);
    try_bytes(types[2], true, data, size);
    return 0;
}

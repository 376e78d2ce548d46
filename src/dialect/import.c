/*
 * The import: items are cut out of the file as it arrives (base/json_items),
 * each is recognised and read into a draft, and the draft becomes a session.
 *
 * What cannot be understood is told with its place and costs that item alone.
 * A message that is an item of its own, as in an array of messages, belongs to
 * one conversation with those beside it: they are gathered until the array, or
 * the file, is over.
 */
#include "base/base.h"

#include "dialect/import.h"

#include "dialect/import_draft.h"

#define TEXT_OF(n) #n
#define LIMIT_TEXT(n) "a conversation may have " TEXT_OF(n) " MiB"

static const char too_long[] = LIMIT_TEXT(IMPORT_CONVERSATION_MAX_MIB);

/* --- recognising ---------------------------------------------------------- */

static bool
is_ours(const cJSON *item)
{
    const char *format = json_str(item, "format");

    return format != NULL && strcmp(format, "parley") == 0;
}

static bool
is_chatgpt(const cJSON *item)
{
    return json_obj(item, "mapping") != NULL;
}

static bool
is_openwebui(const cJSON *item)
{
    const cJSON *chat = json_obj(item, "chat");

    return json_obj(json_obj(chat != NULL ? chat : item, "history"),
                    "messages") != NULL ||
           json_arr(chat, "messages") != NULL;
}

static bool
is_librechat(const cJSON *item)
{
    return json_str(item, "conversationId") != NULL &&
           (json_arr(item, "messages") != NULL ||
            json_arr(item, "messagesTree") != NULL);
}

static bool
is_messages(const cJSON *item)
{
    return cJSON_IsArray(item) || json_arr(item, "messages") != NULL;
}

/* In this order: the first that knows an item reads it. */
static const struct reader {
    enum import_format format;
    const char *name;
    bool (*knows)(const cJSON *item);
    const char *(*read)(struct import_draft *d, const cJSON *item);
} readers[] = {
    {IMPORT_PARLEY, "parley", is_ours, import_read_messages},
    {IMPORT_CHATGPT, "chatgpt", is_chatgpt, import_read_chatgpt},
    {IMPORT_OPENWEBUI, "openwebui", is_openwebui, import_read_openwebui},
    {IMPORT_LIBRECHAT, "librechat", is_librechat, import_read_librechat},
    {IMPORT_OPENAI, "openai", is_messages, import_read_messages},
};
_Static_assert(COUNT_OF(readers) == IMPORT__MAX, "a row for each format");

const char *
import_format_name(enum import_format f)
{
    assert((unsigned)f < COUNT_OF(readers) && readers[f].format == f);
    return readers[f].name;
}

static const struct reader *
reader_of(const struct import *im, const struct json_item *it,
          const cJSON *item)
{
    if (im->ours_list == it->list && it->list > 0 &&
        json_arr(item, "messages") != NULL)
        return &readers[IMPORT_PARLEY];
    for (size_t i = 0; i < COUNT_OF(readers); i++)
        if (readers[i].knows(item))
            return &readers[i];
    return NULL;
}

/* --- telling -------------------------------------------------------------- */

static enum err
tell_fault(struct import *im, size_t item, uint64_t at, const char *rule)
{
    struct import_fault f = {.item = item, .at = at, .rule = rule};

    im->report.faults++;
    return im->sink.fault(im->sink.arg, &f);
}

/* A draft is full. */
static enum err
tell_session(struct import *im, struct import_draft *d, const char *rule)
{
    if (rule == NULL)
        rule = import_draft_settle(d);
    if (rule != NULL)
        return tell_fault(im, d->s.item, d->s.at, rule);
    im->report.sessions++;
    im->report.messages += d->s.n_messages;
    im->report.left_out += d->left_out;
    return im->sink.session(im->sink.arg, &d->s);
}

static enum err
take_conversation(struct import *im, const struct json_item *it,
                  const struct reader *r, const cJSON *item)
{
    struct import_draft *d = import_draft_new(r->format, item);
    const char *rule;
    enum err e;

    d->s.item = im->report.items;
    d->s.at = it->at;
    if (it->list > 0 && im->ours_list == it->list && im->newer)
        rule = "written by a newer version";
    else
        rule = r->read(d, item);
    e = tell_session(im, d, rule);
    import_draft_free(d);
    return e;
}

/* --- messages that are items ---------------------------------------------- */

static enum err
flush_loose(struct import *im)
{
    enum err e = OK;

    if (im->loose != NULL)
        e = tell_session(im, im->loose, NULL);
    import_draft_free(im->loose);
    im->loose = NULL;
    im->loose_broken = false;
    im->loose_bytes = 0;
    return e;
}

static enum err
take_loose(struct import *im, const struct json_item *it, const cJSON *item)
{
    const char *rule;

    im->loose_list = it->list;
    if (im->loose_broken)
        return OK;
    if (im->loose == NULL) {
        im->loose = import_draft_new(IMPORT_OPENAI, NULL);
        im->loose->s.item = im->report.items;
        im->loose->s.at = it->at;
    }
    im->loose_bytes += it->n;
    if (im->loose_bytes <= IMPORT_CONVERSATION_MAX &&
        im->loose->n < IMPORT_MESSAGES_MAX) {
        rule = import_read_message(im->loose, item);
        return rule == NULL ? OK
                            : tell_fault(im, im->report.items, it->at, rule);
    }
    /* The conversation is lost, and so are the messages that follow. */
    import_draft_free(im->loose);
    im->loose = NULL;
    im->loose_broken = true;
    return tell_fault(im, im->report.items, it->at, too_long);
}

/* --- items ---------------------------------------------------------------- */

/* What stands before a list says whose it is. */
static void
take_head(struct import *im, uint32_t list, const cJSON *head)
{
    im->ours_list = is_ours(head) ? list : 0;
    im->newer = json_i64(head, "version", 1) != 1;
}

static enum err
take_tree(struct import *im, const struct json_item *it, const cJSON *item)
{
    const struct reader *r;

    if (it->head) {
        take_head(im, it->list, item);
        return OK;
    }
    r = reader_of(im, it, item);
    if (r != NULL)
        return take_conversation(im, it, r, item);
    if (json_str(item, "role") != NULL)
        return take_loose(im, it, item);
    return tell_fault(im, im->report.items, it->at,
                      "not a conversation of a format that is known");
}

static enum err
take_item(void *arg, const struct json_item *it)
{
    struct import *im = arg;
    cJSON *tree = NULL;
    enum err e = OK;

    if (im->loose_list != it->list)
        e = flush_loose(im);
    if (e != OK)
        return e;
    im->report.items += !it->head;
    if (it->rule != NULL)
        return tell_fault(im, im->report.items, it->broken_at,
                          it->rule == json_items_too_long ? too_long
                                                          : it->rule);
    if (json_parse_deep(it->s, it->n, &tree, NULL) != OK)
        return tell_fault(im, im->report.items, it->at, "cannot be read");
    e = take_tree(im, it, tree);
    cJSON_Delete(tree);
    return e;
}

/* --- the file ------------------------------------------------------------- */

void
import_init(struct import *im, const struct import_sink *sink)
{
    (void)memset(im, 0, sizeof(*im));
    json_items_init(&im->items, "sessions", IMPORT_CONVERSATION_MAX);
    im->sink = *sink;
}

void
import_release(struct import *im)
{
    json_items_release(&im->items);
    import_draft_free(im->loose);
    im->loose = NULL;
}

/* What was gathered is told even if the file ends badly. */
static enum err
stopped(struct import *im, enum err e, struct problem *why)
{
    enum err told;

    if (e != ERR_BADREQ || im->items.rule == NULL)
        return e;
    told = flush_loose(im);
    if (told != OK)
        return told;
    return problem_set(why, e, "invalid_import", "Invalid file",
                       "The file cannot be read from byte %" PRIu64 " on: %s.",
                       im->items.broken_at, im->items.rule);
}

enum err
import_feed(struct import *im, const char *s, size_t n, struct problem *why)
{
    enum err e = json_items_feed(&im->items, s, n, take_item, im);

    return stopped(im, e, why);
}

enum err
import_end(struct import *im, struct problem *why)
{
    enum err e = json_items_end(&im->items, take_item, im);

    if (e == OK)
        return flush_loose(im);
    return stopped(im, e, why);
}

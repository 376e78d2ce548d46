/*
 * Descriptions that models made. A table of their own has them, by the number
 * of the document, with the hash of the image: the document's row says what is
 * in use, and is made anew whenever the file is read.
 *
 * A description is put into the index without the file being read: all that is
 * known of it is in the index. That is one transaction, in which the document
 * is looked at once more: who indexes at the same time comes before or after.
 */
#include "base/base.h"

#include "files/described.h"

#include "base/mem.h"
#include "base/text.h"
#include "files/chunk.h"
#include "files/image.h"
#include "files/image_fact.h"
#include "files/shelf.h"

/* --- the table ------------------------------------------------------------ */

static enum err
row_read(struct shelf_conn *c, int64_t document, struct described *out)
{
    enum err e;
    sqlite3_stmt *stmt = shelf_stmt(c, &e, SHELF_DESCRIBED, "i", document);

    if (e == OK)
        e = shelf_step(c, stmt);
    if (e != OK)
        return e;
    (void)memset(out, 0, sizeof(*out));
    if (sqlite3_column_bytes(stmt, 0) == sizeof(out->hash))
        (void)memcpy(out->hash, sqlite3_column_blob(stmt, 0),
                     sizeof(out->hash));
    shelf_text(stmt, 1, out->model, sizeof(out->model));
    shelf_text(stmt, 2, out->description, sizeof(out->description));
    shelf_text(stmt, 3, out->tags, sizeof(out->tags));
    (void)sqlite3_reset(stmt);
    return OK;
}

enum err
files_described(struct files *f, int64_t document, struct described *out)
{
    struct shelf_conn *c;
    enum err e = shelf_take(f, &c);

    if (e != OK)
        return e;
    e = row_read(c, document, out);
    shelf_give(c);
    return e;
}

enum err
files_undescribe(struct files *f, int64_t document)
{
    struct shelf_conn *c;
    enum err e = shelf_take(f, &c);

    if (e != OK)
        return e;
    e = shelf_write(c);
    if (e == OK)
        e = shelf_end(c, shelf_do(c, SHELF_DESCRIBED_DROP, "i", document));
    shelf_give(c);
    return e;
}

/* --- the facts ------------------------------------------------------------ */

static void
use(const struct described *d, struct facts *f)
{
    (void)snprintf(f->description, sizeof(f->description), "%s",
                   d->description);
    (void)snprintf(f->described_by, sizeof(f->described_by), "%s", d->model);
    fact_tags(f, d->tags, strlen(d->tags), "\n");
}

void
described_use(struct files *f, int64_t document, const uint8_t hash[32],
              struct facts *facts)
{
    struct described *d = xmalloc(sizeof(*d));

    if (document > 0 && facts->description[0] == '\0' &&
        files_described(f, document, d) == OK &&
        memcmp(d->hash, hash, sizeof(d->hash)) == 0 &&
        d->description[0] != '\0')
        use(d, facts);
    free(d);
}

static bool
has_tag(const char *tags, const char *s, size_t n)
{
    while (*tags != '\0') {
        size_t len = strcspn(tags, "\n");

        if (len == n && text_ieqn(tags, n, s))
            return true;
        tags += len + (tags[len] != '\0');
    }
    return false;
}

/* What a model said before goes out of the facts. */
static void
unuse(const struct described *d, struct facts *f)
{
    char tags[FACTS_TAGS_MAX + 1];

    (void)snprintf(tags, sizeof(tags), "%s", f->tags);
    f->tags[0] = f->description[0] = f->described_by[0] = '\0';
    for (const char *s = tags; *s != '\0';) {
        size_t n = strcspn(s, "\n");
        char one[FACTS_TAGS_MAX + 1];

        (void)snprintf(one, sizeof(one), "%.*s", (int)n, s);
        if (!has_tag(d->tags, one, n))
            fact_tag(f, s, n);
        s += n + (s[n] != '\0');
    }
}

/* --- the index ------------------------------------------------------------ */

/* The document's words in place of those it has. */
static enum err
put_words(struct files *f, struct document *d, const char *redactions)
{
    struct block b = {.kind = BLOCK_TEXT};
    struct chunker *chunker;
    struct files_put *put;
    struct buf text;
    enum err e = files_put_begin(f, d, &put);

    if (e != OK)
        return e;
    buf_init(&text, 2 * BLOCK_MAX);
    image_text(d->name, &d->facts, &text);
    b.text = buf_cstr(&text);
    b.len = text.len < BLOCK_MAX ? text.len : utf8_whole(b.text, BLOCK_MAX);
    chunker = chunker_new(files_put_chunk, put);
    e = chunker_add(chunker, &b);
    if (e == OK)
        e = chunker_end(chunker);
    chunker_free(chunker);
    buf_release(&text);
    if (e == OK)
        return files_put_end(put, d, redactions);
    files_put_abandon(put);
    return e;
}

/* What is blotted out of it, as its row says; owned by the caller. */
static enum err
redactions_of(struct shelf_conn *c, int64_t document, char **out)
{
    enum err e;
    sqlite3_stmt *stmt = shelf_stmt(c, &e, SHELF_DOCUMENT, "i", document);
    const char *s;

    if (e == OK)
        e = shelf_step(c, stmt);
    if (e != OK)
        return e;
    s = (const char *)sqlite3_column_text(stmt, 26);
    *out = xstrdup(s != NULL ? s : "");
    (void)sqlite3_reset(stmt);
    return OK;
}

/* Within a batch. */
static enum err
describe(struct files *f, struct document *d, const struct described *new)
{
    struct described *old = xcalloc(1, sizeof(*old));
    char *redactions = NULL;
    struct shelf_conn *c;
    enum err e = files_get(f, d->id, d);

    if (e == OK && (!d->image || d->skip != SKIP_NOT))
        e = ERR_NOTFOUND;
    if (e == OK && memcmp(d->hash, new->hash, sizeof(d->hash)) != 0)
        e = ERR_CONFLICT;
    if (e == OK && d->facts.described_by[0] != '\0') {
        e = files_described(f, d->id, old);
        if (e == OK)
            unuse(old, &d->facts);
    }
    if (e == OK && d->facts.description[0] != '\0')
        e = ERR_CONFLICT;
    if (e == OK)
        e = shelf_take(f, &c);
    free(old);
    if (e != OK)
        return e;
    e = redactions_of(c, d->id, &redactions);
    if (e == OK)
        e = shelf_do(c, SHELF_DESCRIBED_PUT, "ibttt", d->id, new->hash,
                     sizeof(new->hash), new->model, new->description,
                     new->tags);
    shelf_give(c);
    if (e == OK) {
        use(new, &d->facts);
        e = put_words(f, d, redactions);
    }
    free(redactions);
    return e;
}

enum err
files_describe(struct files *f, int64_t document, const struct described *new)
{
    struct document *d;
    enum err e, ended;

    if (new->description[0] == '\0' || new->model[0] == '\0')
        return ERR_BADREQ;
    e = files_batch_begin(f);
    if (e != OK)
        return e;
    d = xcalloc(1, sizeof(*d));
    d->id = document;
    e = describe(f, d, new);
    ended = files_batch_end(f, e == OK);
    free(d);
    return e != OK ? e : ended;
}

/*
 * Logins in the store: begun and found.
 *
 * A login is two records that are written and taken away together: one is
 * found by the digest of the cookie's value and has all of it, the other tells
 * that it is its owner's. The store lets both go when their time is over.
 *
 * Nothing is kept in memory, so there is nothing that an end has to reach. What
 * is not here: cookies and their attributes, passwords, and the log.
 */
#include "base/base.h"

#include "auth/login.h"

#include "auth/login_inside.h"
#include "auth/touch.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

struct logins *
logins_new(const struct logins_config *c)
{
    struct logins *l = xcalloc(1, sizeof(*l));

    l->config = *c;
    l->touch_ms = LOGIN_TOUCH_MS;
    if (c->idle_ms > 0 && c->idle_ms / 10 < l->touch_ms)
        l->touch_ms = c->idle_ms / 10;
    l->touch = touch_new(c->store);
    return l;
}

void
logins_free(struct logins *l)
{
    if (l == NULL)
        return;
    touch_free(l->touch);
    free(l);
}

/* --- beginning ------------------------------------------------------------ */

static void
value_make(char value[LOGIN_VALUE_LEN + 1])
{
    uint8_t b[32];

    _Static_assert(LOGIN_VALUE_LEN == TEXT_BASE64URL_LEN(sizeof(b)),
                   "256 bits");
    ident_random(b, sizeof(b));
    text_base64url(value, b, sizeof(b));
    mem_wipe(b, sizeof(b));
}

static void
batch_put(struct logins *l, struct login_batch *b, const char *hex,
          const struct login *in, const struct buf *value)
{
    struct login_rname m = login_rname(hex);
    struct record_change *c = login_batch_add(b, &m);

    c->value = value->data;
    c->len = value->len;
    c->expires_ms = in->ends_ms;
    c->expect = RECORD_ABSENT;
    m = login_owned_rname(in->owner, hex);
    c = login_batch_add(b, &m);
    c->value = "";
    c->len = 0;
    c->expires_ms = in->begun_ms + l->config.max_ms;
}

/* Make room for one more: the rows of logins that are over go, and so do those
 * that were not used for the longest. One that ends anyhow ("": none does) is
 * not counted. */
static enum err
batch_make_room(struct logins *l, struct login_batch *b, const char *owner,
                const char *ends)
{
    struct login_found *f = xmalloc(sizeof(*f));
    struct login in;
    int64_t used_ms[LOGIN_BATCH];
    enum err e = login_find_owned(l, owner, "", f);
    size_t n = 0;

    for (size_t i = 0; e == OK && i < f->n; i++) {
        bool known = strcmp(f->hex[i], ends) == 0;
        bool there = !known && login_load(l, f->hex[i], &in, NULL) == OK;

        used_ms[i] = there ? in.used_ms : -1;
        n += there;
        if (!there && !known)
            login_batch_end(b, owner, f->hex[i]);
    }
    for (; e == OK && n >= LOGINS_MAX; n--) {
        size_t oldest = f->n;

        for (size_t i = 0; i < f->n; i++)
            if (used_ms[i] >= 0 &&
                (oldest == f->n || used_ms[i] < used_ms[oldest]))
                oldest = i;
        login_batch_end(b, owner, f->hex[oldest]);
        used_ms[oldest] = -1;
    }
    free(f);
    return e;
}

/* What a client says of itself is shown to people later. */
static void
fill_from_wish(struct login *out, const struct login_wish *w, int64_t now_ms)
{
    memset(out, 0, sizeof(*out));
    (void)snprintf(out->owner, sizeof(out->owner), "%s", w->owner);
    text_show(out->name, sizeof(out->name), w->name);
    text_show(out->way, sizeof(out->way), w->way);
    text_show(out->agent, sizeof(out->agent), w->agent);
    text_show(out->addr, sizeof(out->addr), w->addr);
    text_show(out->mark, sizeof(out->mark), w->mark);
    out->may = w->may | MAY_READ;
    out->begun_ms = out->used_ms = now_ms;
}

enum err
login_begin(struct logins *l, const struct login_wish *w, int64_t now_ms,
            char value[LOGIN_VALUE_LEN + 1], struct login *out)
{
    char hex[LOGIN_HEX_LEN + 1], old_hex[LOGIN_HEX_LEN + 1] = "";
    struct login_batch *b;
    struct login old;
    struct buf text;
    enum err e;

    if (identity_owner_anonymous(w->owner) ||
        strlen(w->owner) > STORE_OWNER_MAX || (w->may & ~MAY_ALL) != 0)
        return ERR_BADREQ;
    b = xmalloc(sizeof(*b));
    b->n = 0;
    if (w->old != NULL && login_value_hex(w->old, old_hex) &&
        login_load(l, old_hex, &old, NULL) == OK)
        login_batch_end(b, old.owner, old_hex);
    else
        old_hex[0] = '\0';
    value_make(value);
    (void)login_value_hex(value, hex);
    fill_from_wish(out, w, now_ms);
    login_fill_in(l, hex, out);
    buf_init(&text, STORE_RECORD_MAX);
    login_record_write(&text, out);
    e = batch_make_room(l, b, w->owner, old_hex);
    if (e == OK)
        e = buf_status(&text);
    if (e == OK) {
        batch_put(l, b, hex, out, &text);
        e = login_batch_apply(l, b);
    }
    buf_release(&text);
    free(b);
    if (e != OK)
        mem_wipe(value, LOGIN_VALUE_LEN + 1);
    return e == OK || e == ERR_FULL || e == ERR_STOPPING ? e : ERR_STORE;
}

/* --- finding -------------------------------------------------------------- */

static void
note_use(struct logins *l, const char *hex, struct login *in,
         const struct buf *raw, int64_t now_ms)
{
    struct login_rname name = login_rname(hex);
    struct buf text;

    if (now_ms - in->used_ms < l->touch_ms ||
        !touch_due(l->touch, name.s, name.n, clock_mono_ms()))
        return;
    in->used_ms = now_ms;
    in->ends_ms = login_ends(l, in);
    buf_init(&text, STORE_RECORD_MAX);
    login_record_write(&text, in);
    if (buf_status(&text) == OK)
        touch_write(l->touch, &(struct record_change){.name = name.s,
                                                      .n = name.n,
                                                      .value = text.data,
                                                      .len = text.len,
                                                      .expires_ms = in->ends_ms,
                                                      .was = raw->data,
                                                      .was_len = raw->len});
    buf_release(&text);
}

enum err
login_find(struct logins *l, const char *value, int64_t now_ms,
           struct login *out)
{
    char hex[LOGIN_HEX_LEN + 1];
    struct login_before before;
    struct buf raw, raw_before;
    enum err e;

    if (!login_value_hex(value, hex))
        return ERR_AUTH;
    buf_init(&raw, STORE_RECORD_MAX);
    buf_init(&raw_before, STORE_RECORD_MAX);
    e = login_load(l, hex, out, &raw);
    if (e == OK)
        e = login_load_before(l, out->owner, &before, &raw_before);
    if (e == ERR_NOTFOUND || (e == OK && (out->ends_ms <= now_ms ||
                                          out->begun_ms < before.logins_ms)))
        e = ERR_AUTH;
    if (e == OK)
        note_use(l, hex, out, &raw, now_ms);
    buf_release(&raw);
    buf_release(&raw_before);
    return e;
}

void
login_identity(const struct login *in, struct identity *out)
{
    out->way = IDENTITY_LOGIN;
    out->may = in->may;
    (void)snprintf(out->owner, sizeof(out->owner), "%s", in->owner);
    (void)snprintf(out->name, sizeof(out->name), "%s", in->name);
    (void)snprintf(out->id, sizeof(out->id), "%s", in->id);
    out->until_ms = in->ends_ms;
}

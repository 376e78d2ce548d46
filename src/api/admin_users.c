/*
 * Who uses this installation: everybody of whom there is a session, a key or a
 * login. There is no list of users anywhere, since most ways in bring their
 * own; so this one is made anew each time, by a walk over what is stored.
 *
 * Owners who never signed in are only counted.
 */
#include "base/base.h"

#include "api/admin.h"

#include "auth/apikey.h"
#include "auth/login.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/process.h"
#include "base/text.h"

#define USERS_MAX 100000 /* in one walk; the rest is left out, and said so */
#define STEP 1000        /* sessions looked at in one snapshot */
#define LIST_MAX 1000    /* users of one answer */
#define ROW_MAX 2048     /* bytes of one */
#define TURNS_MAX 100    /* open turns that are listed */

struct user {
    char owner[STORE_OWNER_MAX + 1];
    char name[IDENTITY_NAME_MAX + 1]; /* of a login; "" */
    uint64_t sessions;
    uint32_t keys, logins;
    int64_t last_ms; /* of any use that is known; 0: none is */
};

/* Owners by name, in a table that is at most half full. */
struct users {
    struct user **slots; /* owned, as are they */
    size_t n, size;      /* size: a power of two */
    bool cut;            /* there are more than USERS_MAX */
    uint64_t anonymous_sessions;
};

/* --- gathering ------------------------------------------------------------ */

static size_t
place_of(const struct users *u, const char *owner)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (const char *s = owner; *s != '\0'; s++)
        h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
    for (size_t i = (size_t)h & (u->size - 1);; i = (i + 1) & (u->size - 1))
        if (u->slots[i] == NULL || strcmp(u->slots[i]->owner, owner) == 0)
            return i;
}

static void
grow(struct users *u)
{
    struct users bigger = *u;

    bigger.size = u->size == 0 ? 64 : 2 * u->size;
    bigger.slots = xcalloc(bigger.size, sizeof(*bigger.slots));
    for (size_t i = 0; i < u->size; i++)
        if (u->slots[i] != NULL)
            bigger.slots[place_of(&bigger, u->slots[i]->owner)] = u->slots[i];
    free(u->slots);
    *u = bigger;
}

/* NULL: there are too many already. */
static struct user *
user_of(struct users *u, const char *owner)
{
    size_t i;

    if (2 * u->n >= u->size)
        grow(u);
    i = place_of(u, owner);
    if (u->slots[i] == NULL) {
        u->cut = u->cut || u->n == USERS_MAX;
        if (u->n == USERS_MAX)
            return NULL;
        u->slots[i] = xcalloc(1, sizeof(*u->slots[i]));
        (void)snprintf(u->slots[i]->owner, sizeof(u->slots[i]->owner), "%s",
                       owner);
        u->n++;
    }
    return u->slots[i];
}

static void
used_at(struct user *one, int64_t ms)
{
    if (ms > one->last_ms)
        one->last_ms = ms;
}

static bool
add_session(void *arg, const struct session *sess)
{
    struct users *u = arg;
    struct user *one;

    if (identity_owner_anonymous(sess->owner)) {
        u->anonymous_sessions++;
        return true;
    }
    one = user_of(u, sess->owner);
    if (one != NULL) {
        one->sessions++;
        used_at(one, sess->updated_ms);
    }
    return true;
}

static bool
add_key(void *arg, const struct apikey *key)
{
    struct user *one = user_of(arg, key->owner);

    if (one != NULL) {
        one->keys++;
        used_at(one, key->used_ms);
    }
    return true;
}

static bool
add_login(void *arg, const struct login *in)
{
    struct user *one = user_of(arg, in->owner);

    if (one != NULL) {
        one->logins++;
        used_at(one, in->used_ms);
        if (*in->name != '\0')
            (void)snprintf(one->name, sizeof(one->name), "%s", in->name);
    }
    return true;
}

static enum err
gather(struct admin *a, struct users *u)
{
    uint64_t from = 0;
    enum err e;

    do
        e = store_walk(a->store, from, STEP, &from, add_session, u);
    while (e == OK && from != 0);
    if (e == OK)
        e = apikey_list(auth_keys(a->auth), NULL, NULL, UINT32_MAX, add_key, u);
    if (e == OK)
        e = login_list(auth_logins(a->auth), NULL, clock_wall_ms(), UINT32_MAX,
                       add_login, u);
    return e;
}

static void
users_release(struct users *u)
{
    for (size_t i = 0; i < u->size; i++)
        free(u->slots[i]);
    free(u->slots);
}

/* --- answering ------------------------------------------------------------ */

static int
by_owner(const void *a, const void *b)
{
    const struct user *const *x = a, *const *y = b;

    return strcmp((*x)->owner, (*y)->owner);
}

static void
put_user(struct json_out *j, const struct user *one)
{
    struct identity as = {.may = auth_may(one->owner, MAY_USER)};

    json_begin_obj(j);
    json_put_str(j, "owner", one->owner);
    json_put_str(j, "name", *one->name != '\0' ? one->name : NULL);
    json_put_str(j, "role", identity_role(&as));
    json_put_i64(j, "sessions", (int64_t)one->sessions);
    json_put_i64(j, "keys", one->keys);
    json_put_i64(j, "logins", one->logins);
    json_put_when(j, "last_used_at", one->last_ms);
    json_end_obj(j);
}

/* Those behind `after`, in the order of their owners. */
static void
put_users(struct json_out *j, const struct users *u, const char *after,
          size_t limit)
{
    struct user **all = xcalloc(u->n + 1, sizeof(*all));
    const char *last = NULL;
    size_t n = 0, put = 0, i = 0;

    for (size_t k = 0; k < u->size; k++)
        if (u->slots[k] != NULL)
            all[n++] = u->slots[k];
    qsort(all, n, sizeof(struct user *), by_owner);
    while (after != NULL && i < n && strcmp(all[i]->owner, after) <= 0)
        i++;
    json_name(j, "users");
    json_begin_arr(j);
    for (; i < n && put < limit; i++, put++) {
        put_user(j, all[i]);
        last = all[i]->owner;
    }
    json_end_arr(j);
    json_put_str(j, "next", i < n ? last : NULL);
    json_put_i64(j, "total", (int64_t)n);
    json_put_bool(j, "cut", u->cut);
    json_put_i64(j, "anonymous_sessions", (int64_t)u->anonymous_sessions);
    free(all);
}

void
admin_users(void *app, struct request *rq)
{
    struct problem p = {.err = OK};
    struct users u = {.slots = NULL};
    const char *after = NULL;
    int64_t limit = 100;
    struct json_out j;
    struct buf body;
    enum err e = request_arg(rq, "after", &after, &p);

    if (e == OK)
        e = request_arg_i64(rq, "limit", 1, LIST_MAX, &limit, &p);
    if (e == OK) {
        e = gather(app, &u);
        if (e != OK)
            (void)problem_set(&p, e, NULL, NULL, NULL);
    }
    if (e == OK) {
        buf_init(&body, 256 + LIST_MAX * ROW_MAX);
        json_out_init(&j, &body);
        json_begin_obj(&j);
        put_users(&j, &u, after, (size_t)limit);
        json_end_obj(&j);
        admin_json(rq, 200, &body);
    } else {
        admin_fail(rq, &p);
    }
    users_release(&u);
}

/* --- what the store holds ------------------------------------------------- */

struct turns {
    struct json_out *j;
    int n;
};

static bool
put_turn(void *arg, const struct turn_info *t)
{
    struct turns *l = arg;

    if (l->n++ >= TURNS_MAX)
        return false;
    json_begin_obj(l->j);
    json_put_ident(l->j, "turn_id", &t->id);
    json_put_str(l->j, "owner", t->owner);
    json_put_time(l->j, "begun_at", t->begun_ms);
    json_put_i64(l->j, "pid", t->process.pid);
    json_put_bool(l->j, "running", process_alive(&t->process));
    json_end_obj(l->j);
    return true;
}

void
admin_home(void *app, struct request *rq)
{
    struct admin *a = app;
    struct problem p = {.err = OK};
    struct store_stats st;
    struct json_out j;
    struct buf body;
    struct turns turns = {.j = &j};

    store_stats(a->store, &st);
    buf_init(&body, 4096 + TURNS_MAX * 512);
    json_out_init(&j, &body);
    json_begin_obj(&j);
    json_put_i64(&j, "sessions", (int64_t)st.sessions);
    json_put_i64(&j, "messages", (int64_t)st.messages);
    json_put_i64(&j, "bytes_used", (int64_t)st.used_bytes);
    json_put_i64(&j, "bytes_max", (int64_t)st.map_bytes);
    json_name(&j, "open_turns");
    json_begin_arr(&j);
    if (store_open_turns(a->store, put_turn, &turns) != OK) {
        buf_release(&body);
        (void)problem_set(&p, ERR_STORE, NULL, NULL, NULL);
        admin_fail(rq, &p);
        return;
    }
    json_end_arr(&j);
    json_end_obj(&j);
    admin_json(rq, 200, &body);
}

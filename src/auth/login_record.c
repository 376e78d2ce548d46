/*
 * Logins as JSON, for the store and for people.
 */
#include "base/base.h"

#include "auth/login_record.h"

#include "base/json.h"

#define TIME_MAX INT64_C(1000000000000000)

void
login_record_write(struct buf *out, const struct login *in)
{
    struct json_out j;

    json_out_init(&j, out);
    json_begin_obj(&j);
    json_put_str(&j, "owner", in->owner);
    json_put_str(&j, "name", in->name);
    json_put_str(&j, "way", in->way);
    json_put_str(&j, "agent", in->agent);
    json_put_str(&j, "addr", in->addr);
    if (in->mark[0] != '\0')
        json_put_str(&j, "mark", in->mark);
    json_put_i64(&j, "may", in->may);
    json_put_i64(&j, "begun_ms", in->begun_ms);
    json_put_i64(&j, "used_ms", in->used_ms);
    json_end_obj(&j);
}

static enum err
read_login(const cJSON *o, struct login *out)
{
    int64_t may = MAY_READ;
    const struct {
        const char *name;
        char *to;
        size_t size;
    } rows[] = {
        {"owner", out->owner, sizeof(out->owner)},
        {"name", out->name, sizeof(out->name)},
        {"way", out->way, sizeof(out->way)},
        {"agent", out->agent, sizeof(out->agent)},
        {"addr", out->addr, sizeof(out->addr)},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *s = json_str(o, rows[i].name);

        if (s == NULL ||
            (size_t)snprintf(rows[i].to, rows[i].size, "%s", s) >= rows[i].size)
            return ERR_STORE;
    }
    if (json_str(o, "mark") != NULL &&
        (size_t)snprintf(out->mark, sizeof(out->mark), "%s",
                         json_str(o, "mark")) >= sizeof(out->mark))
        return ERR_STORE;
    if (json_get_i64(o, "may", MAY_READ, MAY_ALL, &may, NULL) != OK ||
        json_get_i64(o, "begun_ms", 0, TIME_MAX, &out->begun_ms, NULL) != OK ||
        json_get_i64(o, "used_ms", 0, TIME_MAX, &out->used_ms, NULL) != OK)
        return ERR_STORE;
    out->may = (unsigned)may;
    return OK;
}

enum err
login_record_read(const char *p, size_t n, struct login *out)
{
    cJSON *o = NULL;
    enum err e;

    memset(out, 0, sizeof(*out));
    if (json_parse(p, n, &o, NULL) != OK)
        return ERR_STORE;
    e = read_login(o, out);
    cJSON_Delete(o);
    return e;
}

void
login_before_write(struct buf *out, const struct login_before *b)
{
    struct json_out j;

    json_out_init(&j, out);
    json_begin_obj(&j);
    json_put_i64(&j, "logins_ms", b->logins_ms);
    json_put_i64(&j, "tokens_ms", b->tokens_ms);
    json_end_obj(&j);
}

enum err
login_before_read(const char *p, size_t n, struct login_before *out)
{
    cJSON *o = NULL;
    enum err e = OK;

    *out = (struct login_before){0};
    if (json_parse(p, n, &o, NULL) != OK)
        return ERR_STORE;
    if (json_get_i64(o, "logins_ms", 0, TIME_MAX, &out->logins_ms, NULL) ||
        json_get_i64(o, "tokens_ms", 0, TIME_MAX, &out->tokens_ms, NULL))
        e = ERR_STORE;
    cJSON_Delete(o);
    return e;
}

/* --- shown ---------------------------------------------------------------- */

void
login_put(struct json_out *j, const struct login *in)
{
    json_put_str(j, "id", in->id);
    json_put_str(j, "owner", in->owner);
    json_put_str(j, "name", in->name);
    json_put_str(j, "way", in->way);
    json_put_str(j, "user_agent", in->agent);
    json_put_str(j, "address", in->addr);
    json_put_time(j, "begun_at", in->begun_ms);
    json_put_time(j, "last_used_at", in->used_ms);
    json_put_time(j, "ends_at", in->ends_ms);
}

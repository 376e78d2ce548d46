/*
 * Secrets and records of keys, as characters.
 *
 * A secret has its id in it, so that it is found by a name that is no secret,
 * and compared in constant time. The checksum is of a digest: who has the
 * secret can make it, and it tells nothing to who has not.
 */
#include "base/base.h"

#include "auth/apikey_record.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#define ID_AT (sizeof(APIKEY_PREFIX) - 1)
#define RANDOM_AT (ID_AT + APIKEY_ID_LEN)
#define CHECK_LEN 5
#define CHECK_AT (APIKEY_SECRET_LEN - CHECK_LEN)
#define LIMIT_MAX INT64_C(1000000000000000)

static const char letters[] =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
#define LETTERS (sizeof(letters) - 1)

/* n letters, each as likely as any other. */
static void
random_letters(char *out, size_t n)
{
    uint8_t bytes[64];
    size_t at = sizeof(bytes);

    while (n > 0) {
        if (at == sizeof(bytes)) {
            ident_random(bytes, sizeof(bytes));
            at = 0;
        }
        if (bytes[at] < 256 / LETTERS * LETTERS) {
            *out++ = letters[bytes[at] % LETTERS];
            n--;
        }
        at++;
    }
    mem_wipe(bytes, sizeof(bytes));
}

static void
checksum(char out[CHECK_LEN], const char *secret)
{
    uint8_t sum[DIGEST_LEN];
    uint32_t v;

    digest_sha256(sum, secret, CHECK_AT);
    v = (uint32_t)sum[0] << 24 | (uint32_t)sum[1] << 16 |
        (uint32_t)sum[2] << 8 | sum[3];
    for (size_t i = 0; i < CHECK_LEN; i++, v /= LETTERS)
        out[i] = letters[v % LETTERS];
}

void
apikey_secret_make(char secret[APIKEY_SECRET_LEN + 1],
                   char id[APIKEY_ID_LEN + 1])
{
    memcpy(secret, APIKEY_PREFIX, ID_AT);
    random_letters(secret + ID_AT, CHECK_AT - ID_AT);
    checksum(secret + CHECK_AT, secret);
    secret[APIKEY_SECRET_LEN] = '\0';
    memcpy(id, secret + ID_AT, APIKEY_ID_LEN);
    id[APIKEY_ID_LEN] = '\0';
}

bool
apikey_id_valid(const char *id)
{
    return strspn(id, letters) == APIKEY_ID_LEN && id[APIKEY_ID_LEN] == '\0';
}

bool
apikey_secret_check(const char *secret, char id[APIKEY_ID_LEN + 1])
{
    char sum[CHECK_LEN];

    if (!apikey_looks(secret) ||
        strspn(secret + ID_AT, letters) != APIKEY_SECRET_LEN - ID_AT ||
        secret[APIKEY_SECRET_LEN] != '\0')
        return false;
    checksum(sum, secret);
    memcpy(id, secret + ID_AT, APIKEY_ID_LEN);
    id[APIKEY_ID_LEN] = '\0';
    return digest_equal(sum, secret + CHECK_AT, CHECK_LEN);
}

bool
apikey_looks(const char *secret)
{
    return text_starts(secret, APIKEY_PREFIX);
}

void
apikey_limits_init(struct apikey_limits *l)
{
    l->day_tokens = l->month_tokens = l->day_micro = l->month_micro = -1;
}

unsigned
apikey_scope(const char *word)
{
    if (strcmp(word, "read") == 0)
        return MAY_READ;
    if (strcmp(word, "chat") == 0 || strcmp(word, "write") == 0)
        return MAY_USER;
    return strcmp(word, "admin") == 0 ? MAY_ALL : 0;
}

const char *
apikey_scope_name(unsigned may)
{
    if ((may & MAY_ADMIN) != 0)
        return "admin";
    return (may & MAY_WRITE) != 0 ? "chat" : "read";
}

void
apikey_record_write(struct buf *out, const struct apikey_record *r)
{
    char hex[2 * DIGEST_LEN + 1];
    const struct apikey *k = &r->key;
    struct json_out j;

    text_hex(hex, r->digest, DIGEST_LEN);
    json_out_init(&j, out);
    json_begin_obj(&j);
    json_put_str(&j, "sha256", hex);
    json_put_i64(&j, "slot", r->slot);
    json_put_str(&j, "owner", k->owner);
    json_put_str(&j, "name", k->name);
    json_put_i64(&j, "may", k->may);
    json_put_i64(&j, "made_ms", k->made_ms);
    json_put_i64(&j, "used_ms", k->used_ms);
    json_put_i64(&j, "expires_ms", k->expires_ms);
    json_put_i64(&j, "day_tokens", k->limits.day_tokens);
    json_put_i64(&j, "month_tokens", k->limits.month_tokens);
    json_put_i64(&j, "day_micro", k->limits.day_micro);
    json_put_i64(&j, "month_micro", k->limits.month_micro);
    json_end_obj(&j);
}

static bool
put_text(char *out, size_t size, const char *s)
{
    return s != NULL && (size_t)snprintf(out, size, "%s", s) < size;
}

static enum err
read_numbers(const cJSON *o, struct apikey_record *r)
{
    struct apikey *k = &r->key;
    int64_t may = MAY_READ;
    struct {
        const char *name;
        int64_t min, max, *to;
    } rows[] = {
        {"slot", 0, APIKEYS_MAX - 1, &r->slot},
        {"may", MAY_READ, MAY_ALL, &may},
        {"made_ms", 0, LIMIT_MAX, &k->made_ms},
        {"used_ms", 0, LIMIT_MAX, &k->used_ms},
        {"expires_ms", 0, LIMIT_MAX, &k->expires_ms},
        {"day_tokens", -1, LIMIT_MAX, &k->limits.day_tokens},
        {"month_tokens", -1, LIMIT_MAX, &k->limits.month_tokens},
        {"day_micro", -1, LIMIT_MAX, &k->limits.day_micro},
        {"month_micro", -1, LIMIT_MAX, &k->limits.month_micro},
    };

    apikey_limits_init(&k->limits);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (json_get_i64(o, rows[i].name, rows[i].min, rows[i].max, rows[i].to,
                         NULL) != OK)
            return ERR_STORE;
    k->may = (unsigned)may;
    return OK;
}

enum err
apikey_record_read(const char *id, const char *p, size_t n,
                   struct apikey_record *out)
{
    const char *hex;
    cJSON *o = NULL;
    enum err e = ERR_STORE;

    memset(out, 0, sizeof(*out));
    if (json_parse(p, n, &o, NULL) != OK)
        return ERR_STORE;
    hex = json_str(o, "sha256");
    if (hex != NULL && strlen(hex) == 2 * DIGEST_LEN &&
        text_unhex(out->digest, DIGEST_LEN, hex) == OK &&
        put_text(out->key.id, sizeof(out->key.id), id) &&
        put_text(out->key.owner, sizeof(out->key.owner),
                 json_str(o, "owner")) &&
        put_text(out->key.name, sizeof(out->key.name), json_str(o, "name")))
        e = read_numbers(o, out);
    cJSON_Delete(o);
    return e;
}

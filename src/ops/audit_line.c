/*
 * A line is written by hand rather than by a library, since its bytes are what
 * is hashed: there is one way to write it, and what reads it asks for exactly
 * that. prev, hash and mac come last and have a fixed length, so a line is
 * taken apart from its end, whatever its members hold.
 *
 * Texts come from outside. Besides what JSON escapes, all that moves a
 * terminal or turns text around (C1 controls, bidirectional marks) is written
 * as \u escapes, so that reading the log with cat is safe.
 *
 * The hash needs no key, so anybody can check the order of the lines; the mac
 * is made of the hash. A mac of the present key on the last line vouches for
 * all lines before it, also for those written before there was a key.
 */
#include "base/base.h"

#include "ops/audit_line.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

#define TEXT_JSON_MAX (6 * AUDIT_TEXT_MAX + 16)
#define LIST_MAX (TEXT_JSON_MAX + 2 * AUDIT_TEXT_MAX)
#define HEAD_WORD "parley-audit 1 "
#define HEAD_DIGITS 20
#define NO_MAC \
    "----------------------------------------------------------------"

#define PREV ",\"prev\":\""
#define HASH ",\"hash\":\""
#define MAC ",\"mac\":\""

_Static_assert(sizeof(NO_MAC) == AUDIT_HEX_LEN, "as long as a mac");
_Static_assert(sizeof(HEAD_WORD) - 1 + HEAD_DIGITS + 2 * (1 + AUDIT_HEX) + 1 ==
                   AUDIT_HEAD_LEN,
               "WIRE.md");

static const struct {
    const char *name, *help;
} rows[AUDIT__MAX] = {
    [AUDIT_LOGIN] = {"login", "somebody signed in"},
    [AUDIT_LOGIN_FAILED] = {"login_failed", "somebody tried to sign in"},
    [AUDIT_LOGOUT] = {"logout", "somebody signed out"},
    [AUDIT_LOCKED_OUT] = {"locked_out", "too many wrong passwords"},
    [AUDIT_KEY_MADE] = {"key_made", "an API key was made"},
    [AUDIT_KEY_REVOKED] = {"key_revoked", "an API key was revoked"},
    [AUDIT_TOKENS_ENDED] = {"tokens_ended",
                            "all tokens of an owner were ended"},
    [AUDIT_PROVIDER_CALL] = {"provider_call", "a provider was asked"},
    [AUDIT_FILES_SENT] = {"files_sent",
                          "excerpts of files were given for a model elsewhere"},
    [AUDIT_TOOL_CALL] = {"tool_call", "a tool was run"},
    [AUDIT_SESSION_DELETED] = {"session_deleted", "a session was deleted"},
    [AUDIT_SESSIONS_DELETED] = {"sessions_deleted",
                                "all sessions of an owner were deleted"},
    [AUDIT_SESSIONS_CLAIMED] = {"sessions_claimed",
                                "sessions went over to who signed in"},
    [AUDIT_EXPORT] = {"export", "sessions were written out"},
    [AUDIT_IMPORT] = {"import", "sessions were taken in"},
    [AUDIT_CONFIG_CHANGED] = {"config_changed", "settings changed"},
    [AUDIT_ADMIN] = {"admin", "an administrator did something"},
    [AUDIT_REPAIRED] = {"audit_repaired", "half a line was cut off the log"},
    [AUDIT_GAP] = {"audit_gap", "the log did not end where it was left"},
    [AUDIT_NEW_KEY] = {"audit_new_key", "lines are signed with another key"},
    [AUDIT_LOST] = {"audit_lost", "events for which there was no room"},
};

const char *
audit_what_name(enum audit_what what)
{
    return rows[what].name;
}

const char *
audit_what_help(enum audit_what what)
{
    return rows[what].help;
}

/* --- writing ---------------------------------------------------------- */

/* The code point of a well-formed character that a terminal would obey, and
 * its length; 0 if it is harmless. */
static unsigned
harmful(const char *s, size_t n, size_t *len)
{
    const unsigned char *u = (const unsigned char *)s;
    unsigned c;

    if (n >= 2 && u[0] == 0xC2 && u[1] < 0xA0) {
        *len = 2;
        return u[1]; /* C1 */
    }
    if (n < 3 || u[0] != 0xE2 || (u[1] != 0x80 && u[1] != 0x81))
        return 0;
    *len = 3;
    c = 0x2000u + ((u[1] & 0x3Fu) << 6) + (u[2] & 0x3Fu);
    return c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
                   (c >= 0x2066 && c <= 0x2069)
               ? c
               : 0;
}

/* A text from outside as a JSON string. */
static void
add_text(struct buf *out, const char *s, size_t n)
{
    struct buf json;
    size_t run = 0, i = 0, len = 1;
    unsigned c;

    if (n > AUDIT_TEXT_MAX)
        n = utf8_whole(s, AUDIT_TEXT_MAX);
    buf_init(&json, TEXT_JSON_MAX);
    json_escape(&json, s, n);
    while (i < json.len) {
        c = (unsigned char)json.data[i] < 0x80
                ? 0
                : harmful(json.data + i, json.len - i, &len);
        if (c == 0) {
            i++;
            continue;
        }
        buf_add(out, json.data + run, i - run);
        buf_addf(out, "\\u%04x", c);
        i += len;
        run = i;
    }
    buf_add(out, json.data + run, json.len - run);
    buf_release(&json);
}

void
audit_text(struct buf *out, const char *s)
{
    add_text(out, s, strlen(s));
}

static void
add_named(struct buf *out, const char *name, const char *s)
{
    buf_addf(out, ",\"%s\":", name);
    add_text(out, s, strlen(s));
}

/* What does not fit is left out, whole texts of it. */
static void
add_list(struct buf *out, const char *name, const char *lines)
{
    struct buf list;

    buf_init(&list, LIST_MAX);
    for (const char *s = lines; *s != '\0';) {
        size_t n = strcspn(s, "\n");

        if ((size_t)(s - lines) + n > AUDIT_TEXT_MAX)
            break;
        if (n > 0) {
            if (list.len > 0)
                buf_addc(&list, ',');
            add_text(&list, s, n);
        }
        s += n + (s[n] == '\n');
    }
    buf_addf(out, ",\"%s\":[", name);
    buf_add(out, list.data, list.len);
    buf_addc(out, ']');
    buf_release(&list);
}

static void
add_member(struct buf *out, const struct audit_member *m)
{
    if (m->kind == AUDIT_IS_NUMBER)
        buf_addf(out, ",\"%s\":%" PRId64, m->name, m->number);
    else if (m->kind == AUDIT_IS_BOOL)
        buf_addf(out, ",\"%s\":%s", m->name, m->number != 0 ? "true" : "false");
    else if (m->text != NULL && m->kind == AUDIT_IS_LIST)
        add_list(out, m->name, m->text);
    else if (m->text != NULL)
        add_named(out, m->name, m->text);
}

void
audit_body(struct buf *out, const struct audit_fact *f, int64_t wall_ms)
{
    char iso[CLOCK_ISO_LEN];

    clock_iso(iso, wall_ms);
    buf_addf(out, "\"at\":\"%s\",\"event\":\"%s\"", iso, rows[f->what].name);
    add_named(out, "who", f->who != NULL ? f->who : "");
    if (f->addr != NULL && f->addr[0] != '\0')
        add_named(out, "addr", f->addr);
    for (size_t i = 0; i < AUDIT_MEMBERS_MAX && f->with[i].name != NULL; i++)
        add_member(out, &f->with[i]);
}

void
audit_seal_init(struct audit_seal *s, const char *secret)
{
    static const char purpose[] = "parley audit 1";

    (void)memset(s, 0, sizeof(*s));
    s->keyed = secret != NULL && secret[0] != '\0';
    if (s->keyed)
        digest_hmac(s->key, secret, strlen(secret), purpose,
                    sizeof(purpose) - 1);
}

void
audit_link_init(struct audit_link *l)
{
    l->n = 0;
    (void)memset(l->hash, '0', AUDIT_HEX);
    l->hash[AUDIT_HEX] = '\0';
}

/* Of a line: its hash in hexadecimal. Of audit.head: what stands in it. */
static void
make_mac(char out[AUDIT_HEX_LEN], const struct audit_seal *s, const char *of,
         size_t n)
{
    uint8_t sum[DIGEST_LEN];

    digest_hmac(sum, s->key, sizeof(s->key), of, n);
    text_hex(out, sum, sizeof(sum));
}

void
audit_line(struct buf *out, struct audit_link *l, const struct audit_seal *s,
           const char *body, size_t len)
{
    size_t start = out->len;
    uint8_t sum[DIGEST_LEN];
    char mac[AUDIT_HEX_LEN];

    buf_addf(out, "{\"n\":%" PRId64 ",", l->n + 1);
    buf_add(out, body, len);
    buf_addf(out, PREV "%s\"", l->hash);
    if (out->over)
        return;
    digest_sha256(sum, out->data + start, out->len - start);
    text_hex(l->hash, sum, sizeof(sum));
    l->n++;
    buf_addf(out, HASH "%s\"", l->hash);
    if (s->keyed) {
        make_mac(mac, s, l->hash, AUDIT_HEX);
        buf_addf(out, MAC "%s\"", mac);
    }
    buf_add(out, "}\n", 2);
}

/* --- reading ---------------------------------------------------------- */

static bool
is_hex(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f')))
            return false;
    return true;
}

/* Does s[0..*n) end with LABEL, a digest and a quote? Then copy it and take
 * them off. */
static bool
take_last(const char *s, size_t *n, const char *label, char out[AUDIT_HEX_LEN])
{
    size_t name = strlen(label);
    size_t all = name + AUDIT_HEX + 1;
    const char *at;

    if (*n < all)
        return false;
    at = s + *n - all;
    if (memcmp(at, label, name) != 0 || !is_hex(at + name, AUDIT_HEX) ||
        at[all - 1] != '"')
        return false;
    (void)memcpy(out, at + name, AUDIT_HEX);
    out[AUDIT_HEX] = '\0';
    *n -= all;
    return true;
}

enum err
audit_line_read(const char *s, size_t n, struct audit_parts *out)
{
    static const char begin[] = "{\"n\":";
    const size_t lead = sizeof(begin) - 1;
    size_t digits = 0;

    (void)memset(out, 0, sizeof(*out));
    if (n < lead + 1 || n >= AUDIT_LINE_MAX || s[n - 1] != '}' ||
        memcmp(s, begin, lead) != 0)
        return ERR_BADREQ;
    n--;
    if (!take_last(s, &n, MAC, out->mac))
        out->mac[0] = '\0';
    if (!take_last(s, &n, HASH, out->hash))
        return ERR_BADREQ;
    out->hashed = n;
    if (!take_last(s, &n, PREV, out->prev))
        return ERR_BADREQ;
    while (lead + digits < n && s[lead + digits] != ',')
        digits++;
    if (lead + digits == n || s[lead] == '0')
        return ERR_BADREQ;
    return text_i64(s + lead, digits, 1, INT64_MAX - 1, &out->n);
}

bool
audit_hash_right(const char *line, const struct audit_parts *p)
{
    uint8_t sum[DIGEST_LEN];
    char hex[AUDIT_HEX_LEN];

    digest_sha256(sum, line, p->hashed);
    text_hex(hex, sum, sizeof(sum));
    return strcmp(hex, p->hash) == 0;
}

bool
audit_mac_right(const struct audit_seal *s, const struct audit_parts *p)
{
    char mac[AUDIT_HEX_LEN];

    if (!s->keyed || p->mac[0] == '\0')
        return false;
    make_mac(mac, s, p->hash, AUDIT_HEX);
    return digest_equal(mac, p->mac, AUDIT_HEX);
}

/* --- audit.head ------------------------------------------------------- */

#define HEAD_MACED (sizeof(HEAD_WORD) - 1 + HEAD_DIGITS + 1 + AUDIT_HEX)

void
audit_head_write(char out[AUDIT_HEAD_LEN + 1], const struct audit_link *l,
                 const struct audit_seal *s)
{
    char mac[AUDIT_HEX_LEN] = NO_MAC;

    (void)snprintf(out, AUDIT_HEAD_LEN + 1, HEAD_WORD "%020" PRId64 " %s", l->n,
                   l->hash);
    if (s->keyed)
        make_mac(mac, s, out, HEAD_MACED);
    (void)snprintf(out + HEAD_MACED, AUDIT_HEAD_LEN + 1 - HEAD_MACED, " %s\n",
                   mac);
}

enum err
audit_head_read(const char *s, size_t n, const struct audit_seal *seal,
                struct audit_link *out, bool *mac_right)
{
    const char *digits = s + sizeof(HEAD_WORD) - 1;
    const char *hash = digits + HEAD_DIGITS + 1;
    const char *mac = hash + AUDIT_HEX + 1;
    char own[AUDIT_HEX_LEN];

    *mac_right = false;
    if (n != AUDIT_HEAD_LEN || memcmp(s, HEAD_WORD, sizeof(HEAD_WORD) - 1) != 0)
        return ERR_BADREQ;
    if (hash[-1] != ' ' || mac[-1] != ' ' || s[n - 1] != '\n' ||
        !is_hex(hash, AUDIT_HEX) || !is_hex(digits, HEAD_DIGITS) ||
        text_i64(digits, HEAD_DIGITS, 0, INT64_MAX - 1, &out->n) != OK)
        return ERR_BADREQ;
    (void)memcpy(out->hash, hash, AUDIT_HEX);
    out->hash[AUDIT_HEX] = '\0';
    if (seal->keyed) {
        make_mac(own, seal, s, HEAD_MACED);
        *mac_right = digest_equal(own, mac, AUDIT_HEX);
    }
    return OK;
}

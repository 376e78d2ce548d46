/*
 * Which settings are not what they were when a process last started. What is
 * compared are digests, kept in audit.settings:
 *
 *   parley-settings 1 SALT CHECK
 *   NAME DIGEST        one line for each setting that is set
 *
 * A digest is keyed with the salt and with the key of the macs, if there is
 * one, so that the file tells nothing of a value to who has it alone. CHECK is
 * a digest of nothing: if it is another, the key itself was changed, and that
 * is all that can be said. All processes of a server start with the same
 * settings; the first one that finds a change notes it.
 */
#include "base/base.h"

#include "ops/audit_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/ident.h"
#include "base/log.h"
#include "base/text.h"

#define FILE_NAME "audit.settings"
#define FILE_WORD "parley-settings 1 "
#define FILE_MAX (64 * 1024) /* bytes */
#define SALT_HEX 32
#define SUM_HEX 32

struct settings {
    uint8_t key[DIGEST_LEN];
    char salt[SALT_HEX + 1];
};

/* The digest of a setting, or (name NULL) of nothing. */
static void
sum_of(char out[SUM_HEX + 1], const struct settings *s, const char *name,
       const char *value)
{
    uint8_t sum[DIGEST_LEN];
    struct buf b;

    buf_init(&b, 1024 * 1024);
    if (name != NULL) {
        buf_addf(&b, "%s=", name);
        buf_adds(&b, value);
    }
    digest_hmac(sum, s->key, sizeof(s->key), b.data, b.len);
    text_hex(out, sum, SUM_HEX / 2);
    if (b.data != NULL)
        explicit_bzero(b.data, b.len);
    buf_release(&b);
}

static void
key_init(struct settings *s, const struct audit_seal *seal)
{
    digest_hmac(s->key, seal->key, sizeof(seal->key), s->salt, SALT_HEX);
}

/* What audit.settings should hold now. */
static void
write_all(struct buf *out, const struct settings *s)
{
    char sum[SUM_HEX + 1];

    sum_of(sum, s, NULL, NULL);
    buf_addf(out, FILE_WORD "%s %s\n", s->salt, sum);
    for (int k = 0; k < CONF__MAX; k++) {
        if (!conf_is_set((enum conf_key)k))
            continue;
        sum_of(sum, s, conf_name((enum conf_key)k), conf_str((enum conf_key)k));
        buf_addf(out, "%s %s\n", conf_name((enum conf_key)k), sum);
    }
}

/* Is this line (with its end) in text? */
static bool
has_line(const char *text, const char *line, size_t n)
{
    const char *at = text;

    while ((at = strstr(at, "\n")) != NULL) {
        at++;
        if (strncmp(at, line, n) == 0)
            return true;
    }
    return false;
}

/* The names of the lines of text that `other` does not have, unless they are
 * in names already. Returns how many. */
static int64_t
add_names(struct buf *names, const char *text, const char *other)
{
    const char *line = strchr(text, '\n');
    int64_t n = 0;

    while (line != NULL && line[1] != '\0') {
        const char *end = strchr(++line, '\n');
        size_t name = strcspn(line, " \n");
        bool known = false;

        if (end == NULL)
            break;
        if (!has_line(other, line, (size_t)(end - line) + 1)) {
            const char *have = buf_cstr(names);

            while (!known && *have != '\0') {
                size_t len = strcspn(have, "\n");

                known = len == name && memcmp(have, line, len) == 0;
                have += len + (have[len] == '\n');
            }
            if (!known) {
                buf_add(names, line, name);
                buf_addc(names, '\n');
                n++;
            }
        }
        line = end;
    }
    return n;
}

static void
tell_changed(const char *names, int64_t count, bool first)
{
    struct audit_fact f = {.what = AUDIT_CONFIG_CHANGED,
                           .with = {AUDIT_NUMBER("count", count),
                                    AUDIT_BOOL("first", first),
                                    AUDIT_LIST("names", names)}};

    audit_event(&f);
}

/* Compare, and tell. old is what the file holds, "" if there is none. */
static void
compare(const char *old, const char *now)
{
    const size_t lead = sizeof(FILE_WORD) - 1 + SALT_HEX + 1 + SUM_HEX + 1;
    struct buf names;
    int64_t n;

    buf_init(&names, FILE_MAX);
    if (old[0] == '\0') {
        n = add_names(&names, now, "");
        tell_changed(buf_cstr(&names), n, true);
    } else if (strncmp(old, now, lead) != 0) {
        tell_changed(conf_name(CONF_AUDIT_KEY), 1, false);
    } else {
        n = add_names(&names, now, old);
        n += add_names(&names, old, now);
        if (n > 0)
            tell_changed(buf_cstr(&names), n, false);
    }
    buf_release(&names);
}

static bool
valid(const char *text)
{
    const size_t lead = sizeof(FILE_WORD) - 1;

    return strncmp(text, FILE_WORD, lead) == 0 &&
           strcspn(text + lead, " \n") == SALT_HEX &&
           text[lead + SALT_HEX] == ' ';
}

static void
new_salt(char out[SALT_HEX + 1])
{
    uint8_t bytes[SALT_HEX / 2];

    ident_random(bytes, sizeof(bytes));
    text_hex(out, bytes, sizeof(bytes));
}

static void
settings_check(int fd, const struct audit_seal *seal)
{
    struct settings s;
    struct buf old, now;
    char *room;
    ssize_t n;

    buf_init(&old, FILE_MAX);
    buf_init(&now, FILE_MAX);
    room = buf_room(&old, FILE_MAX - 1);
    n = pread(fd, room, FILE_MAX - 1, 0);
    old.len = n > 0 ? (size_t)n : 0;
    if (valid(buf_cstr(&old))) {
        (void)memcpy(s.salt, old.data + sizeof(FILE_WORD) - 1, SALT_HEX);
        s.salt[SALT_HEX] = '\0';
    } else {
        buf_clear(&old);
        new_salt(s.salt);
    }
    key_init(&s, seal);
    write_all(&now, &s);
    if (buf_status(&now) == OK && strcmp(buf_cstr(&old), buf_cstr(&now)) != 0) {
        compare(buf_cstr(&old), buf_cstr(&now));
        if (ftruncate(fd, 0) != 0 ||
            pwrite(fd, now.data, now.len, 0) != (ssize_t)now.len)
            log_warn("audit.settings", "error=\"%s\"", strerror(errno));
    }
    explicit_bzero(&s, sizeof(s));
    buf_release(&old);
    buf_release(&now);
}

void
audit_settings(const struct audit_config *c)
{
    int dir = open(c->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = dir < 0 ? -1
                     : openat(dir, FILE_NAME,
                              O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct audit_seal seal;

    if (fd >= 0 && audit_flock(fd, LOCK_EX) == 0) {
        audit_seal_init(&seal, c->key);
        settings_check(fd, &seal);
        explicit_bzero(&seal, sizeof(seal));
    } else {
        log_warn("audit.settings", "error=\"%s\"", strerror(errno));
    }
    if (fd >= 0)
        (void)close(fd);
    if (dir >= 0)
        (void)close(dir);
}

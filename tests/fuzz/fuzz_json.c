/*
 * Fuzz driver of base/json.c. For any bytes:
 *   - json_check and json_parse say the same;
 *   - what is accepted cJSON reads too, and wholly (except where a number is
 *     longer than cJSON's buffer: then json_parse must have helped it);
 *   - a tree that is written by our writer is accepted and reads the same;
 *   - any bytes, escaped, are a string that comes back as they were, scrubbed;
 *   - the lenient parser does not fall over.
 * Input is copied to memory of its exact size, so that a read past the end is
 * seen.
 */
#include "base/base.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/json_scan.h"
#include "base/mem.h"
#include "base/text.h"

#define OUT_MAX (64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Always on, whatever NDEBUG says. */
#define MUST(x)      \
    do {             \
        if (!(x))    \
            abort(); \
    } while (0)

static void
write_tree(struct json_out *j, const cJSON *v)
{
    const cJSON *kid;

    if (cJSON_IsObject(v) || cJSON_IsArray(v)) {
        bool object = cJSON_IsObject(v);

        if (object)
            json_begin_obj(j);
        else
            json_begin_arr(j);
        cJSON_ArrayForEach(kid, v) {
            if (object) {
                json_add_str(j, kid->string);
                buf_addc(j->buf, ':');
                j->comma = false;
            }
            write_tree(j, kid);
        }
        if (object)
            json_end_obj(j);
        else
            json_end_arr(j);
    } else if (cJSON_IsString(v)) {
        json_add_str(j, v->valuestring);
    } else if (cJSON_IsNumber(v)) {
        json_add_num(j, v->valuedouble);
    } else if (cJSON_IsBool(v)) {
        json_add_bool(j, cJSON_IsTrue(v));
    } else {
        json_add_null(j);
    }
}

static void
same_after_writing(const cJSON *tree)
{
    struct json_out j;
    struct buf b;
    cJSON *again = NULL;

    buf_init(&b, OUT_MAX);
    json_out_init(&j, &b);
    write_tree(&j, tree);
    MUST(buf_status(&b) == OK);
    MUST(json_parse(b.data, b.len, &again, NULL) == OK);
    MUST(cJSON_Compare(tree, again, true));
    cJSON_Delete(again);
    buf_release(&b);
}

static void
accepted(const char *s, size_t n, const cJSON *tree)
{
    struct json_fault f;
    const char *end = NULL;
    cJSON *raw;

    MUST(json_scan(s, n, &f) == OK);
    MUST(tree != NULL);
    if (!f.long_number) {
        raw = cJSON_ParseWithLengthOpts(s, n, &end, 0);
        MUST(raw != NULL);
        while (end < s + n && strchr(" \t\r\n", *end))
            end++;
        MUST(end == s + n);
        cJSON_Delete(raw);
    }
    same_after_writing(tree);
}

static void
escape_comes_back(const char *s, size_t n)
{
    struct problem why;
    struct buf out;
    struct buf plain;
    cJSON *tree = NULL;

    buf_init(&out, OUT_MAX);
    buf_init(&plain, OUT_MAX);
    utf8_scrub(&plain, s, n);
    MUST(utf8_valid(plain.data ? plain.data : "", plain.len));
    json_escape(&out, s, n);
    MUST(!memchr(out.data, '\n', out.len) && !memchr(out.data, '\r', out.len));
    if (n && memchr(s, '\0', n)) {
        MUST(json_check(out.data, out.len, &why) == ERR_BADREQ);
    } else {
        MUST(json_parse(out.data, out.len, &tree, NULL) == OK);
        MUST(strlen(tree->valuestring) == plain.len);
        MUST(memcmp(tree->valuestring, buf_cstr(&plain), plain.len) == 0);
    }
    cJSON_Delete(tree);
    buf_release(&out);
    buf_release(&plain);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *s = xmalloc(n);
    struct problem why;
    cJSON *tree = NULL;
    enum err e;

    if (n)
        memcpy(s, data, n);
    memset(&why, 0, sizeof(why));
    e = json_check(s, n, &why);
    MUST(json_parse(s, n, &tree, NULL) == e);
    if (e == OK)
        accepted(s, n, tree);
    else
        MUST(tree == NULL && why.err == e && why.code[0] != '\0');
    cJSON_Delete(tree);
    cJSON_Delete(json_parse_lenient(s, n));
    escape_comes_back(s, n);
    free(s);
    return 0;
}

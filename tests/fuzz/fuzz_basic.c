/*
 * Any bytes as an Authorization header: what is read as Basic is a sound name
 * and password, and written as a header again it is read as the same; what is
 * refused leaves nothing behind.
 */
#include "base/base.h"

#include "auth/basic.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
again(const struct basic *b)
{
    struct problem why = {0};
    struct buf pair, header;
    struct basic same;

    buf_init(&pair, 4096);
    buf_init(&header, 4096);
    buf_addf(&pair, "%s:%s", b->user, b->password);
    buf_adds(&header, "basic ");
    text_base64(&header, pair.data, pair.len);
    if (basic_read(buf_cstr(&header), &same, &why) != OK ||
        memcmp(&same, b, sizeof(same)) != 0)
        abort();
    buf_release(&pair);
    buf_release(&header);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct basic none;
    struct problem why = {0};
    struct basic b;
    char *header = xmemdup0(data, size);
    enum err e = basic_read(header, &b, &why);

    if (e == OK) {
        if (!basic_user_valid(b.user, strlen(b.user)) ||
            !basic_password_valid(b.password, strlen(b.password)))
            abort();
        again(&b);
    } else if (memcmp(&b, &none, sizeof(b)) != 0 ||
               (e == ERR_BADREQ) != (why.err == ERR_BADREQ))
        abort();
    free(header);
    return 0;
}

/*
 * Fuzzes http/request_host.c: a line with ALLOWED_HOSTS, one with Host. What is
 * said does not depend on whether a list is sound but for what it allows, and a
 * host that is let in by a list is one.
 */
#include "base/base.h"

#include "base/mem.h"
#include "http/request_host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err
check(const char *host, const char *allowed, bool open)
{
    struct param params[] = {{"HTTP_HOST", host, false}};
    struct request rq = {.params = params, .n_params = 1};
    struct request_hosts h = {allowed, "https://own.example/x", open};
    struct problem why = {.err = OK};
    enum err e = request_host_check(&rq, &h, &why);

    assert(e == OK || e == ERR_BADREQ || e == ERR_FORBIDDEN);
    assert(e == why.err && (e != ERR_FORBIDDEN || why.status == 421));
    return e;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = xmemdup0(data, size);
    char *eol = memchr(text, '\n', size);
    char *host = xmemdup0(eol != NULL ? eol + 1 : "",
                          eol != NULL ? strlen(eol + 1) : 0);
    struct problem why = {.err = OK};
    enum err any = check(host, "*", true), listed;

    if (eol != NULL)
        *eol = '\0';
    assert(any != ERR_FORBIDDEN);
    listed = check(host, text, true);
    assert((listed == ERR_BADREQ) == (any == ERR_BADREQ));
    assert(check(host, text, false) == listed ||
           text[strspn(text, " \t,")] == '\0');
    assert(check(host, "", false) == any);
    if (any == ERR_BADREQ)
        assert(*host != '\0' && check(host, "", true) == ERR_BADREQ);
    else
        assert(strpbrk(host, " /\\@?#,%\"'<>\r\n") == NULL);
    if (request_hosts_read(text, &why) != OK)
        assert(why.err == ERR_BADREQ && why.message[0] != '\0');
    free(host);
    free(text);
    return 0;
}

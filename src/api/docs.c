/*
 * The documentation of this API, from the server that it is about: GET
 * /api/openapi.yaml and /api/openapi.json give the OpenAPI document, GET
 * /api/docs a page that shows it.
 *
 * All three are files, the first one written by hand, the second made of it at
 * build. The page comes from here and not from the web server because its
 * address is one of the API, and so needs no rule in any web server's
 * configuration; what it loads are files below static/ like those of the
 * client. Files are read when they are asked for: that is seldom, and an
 * upgrade shows at once. Acceptor threads.
 */
#include "base/base.h"

#include "api/docs.h"

#include "base/conf.h"
#include "base/log.h"

#define PATH_BYTES 4096

/* As the web servers send it with the client. */
#define PAGE_POLICY                                                        \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src "    \
    "'self' data: blob:; connect-src 'self'; font-src 'self'; object-src " \
    "'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
#define PAGE_PERMISSIONS                                                      \
    "camera=(), microphone=(), geolocation=(), payment=(), usb=(), midi=(), " \
    "display-capture=()"

static const struct doc {
    const char *file; /* below the project's folder */
    const char *type;
    bool page;
} docs[] = {
    [DOC_PAGE] = {"static/docs.html", "text/html; charset=utf-8", true},
    [DOC_YAML] = {"docs/openapi.yaml", "application/yaml; charset=utf-8",
                  false},
    [DOC_JSON] = {"static/vendor/openapi.json", "application/json", false},
};

enum err
docs_read(const char *root, enum doc_name name, struct buf *out)
{
    char path[PATH_BYTES], piece[8192];
    enum err e = OK;
    size_t n;
    FILE *f;

    if (snprintf(path, sizeof(path), "%s/%s", root, docs[name].file) >=
        (int)sizeof(path))
        return ERR_NOTFOUND;
    f = fopen(path, "re");
    if (f == NULL) {
        log_warn("docs.missing", "file=\"%s\" errno=%d", path, errno);
        return ERR_NOTFOUND;
    }
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        buf_add(out, piece, n);
    if (ferror(f) || buf_status(out) != OK)
        e = ERR_INTERNAL;
    (void)fclose(f);
    return e;
}

static void
reply_doc(struct app *app, struct request *rq, enum doc_name name)
{
    struct problem p = {.err = OK};
    struct reply rp;
    struct buf text;
    enum err e;

    buf_init(&text, DOCS_MAX);
    e = docs_read(conf_root(), name, &text);
    if (e != OK) {
        if (e == ERR_NOTFOUND)
            (void)problem_set(&p, e, "docs_not_installed",
                              "The documentation is not installed",
                              "%s is not in the server's folder.",
                              docs[name].file);
        else
            (void)problem_set(&p, e, NULL, NULL, NULL);
        app_fail(app, rq, &p);
    } else {
        reply_begin(&rp, rq, 200, text.len);
        if (docs[name].page) {
            reply_header(&rp, "Content-Security-Policy", PAGE_POLICY);
            reply_header(&rp, "Cross-Origin-Opener-Policy", "same-origin");
            reply_header(&rp, "Permissions-Policy", PAGE_PERMISSIONS);
        }
        buf_add(reply_body(&rp, docs[name].type), text.data, text.len);
        app_end(app, rq, reply_end(&rp));
    }
    buf_release(&text);
}

void
api_docs(void *arg, struct request *rq)
{
    reply_doc(arg, rq, DOC_PAGE);
}

void
api_openapi_yaml(void *arg, struct request *rq)
{
    reply_doc(arg, rq, DOC_YAML);
}

void
api_openapi_json(void *arg, struct request *rq)
{
    reply_doc(arg, rq, DOC_JSON);
}

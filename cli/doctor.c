/*
 * parley doctor: is this installation all right, and is the path to it? Without
 * an address the machine is looked at: settings, folders, limits, sockets. With
 * one the path to a server is asked, too, as a browser would: does somebody on
 * it hold events back, compress or cut them, drop upgrades or headers, refuse
 * long bodies. Each finding is a line, and says what to change. On the server
 * nothing stays: what is made there is a temporary session, and is deleted.
 */
#include "base/base.h"

#include "doctor.h"

#include <getopt.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli.h"

#define LOOK_S 20 /* a server pings every 15 s */
#define LONG_S 60

static void
print_help(void)
{
    (void)puts(
        "usage: parley doctor [OPTION…] [URL]\n\n"
        "Checks this installation and, with the URL of a server, the path\n"
        "to it. Each finding is a line (ok, note, warn or FAIL), and what to\n"
        "change stands below it.\n\n"
        "  --providers    ask each configured provider for its models, once\n"
        "  --long         watch a silent stream for a minute, not 20 seconds\n"
        "  --look SECONDS watch it for so long\n"
        "  --ca-file FILE authorities to check the server's certificate with\n"
        "  --json         an array of findings\n"
        "  --help         this\n\n"
        "PARLEY_TOKEN, or PARLEY_USERNAME and PARLEY_PASSWORD, in the\n"
        "environment are sent to the server if it wants to know who asks.\n\n"
        "Exit status: 0 nothing failed, 1 something did, 2 wrong arguments,\n"
        "3 no connection.");
}

/* What the user said: https://host/path without what follows it. */
static bool
take_url(struct doctor *d)
{
    const char *s = d->url, *scheme = strstr(s, "://");
    const char *host = scheme != NULL ? scheme + 3 : s;
    bool tls = text_istarts(s, "https://") || text_istarts(s, "wss://");
    size_t n = strcspn(host, "?#");
    int len;

    if (scheme != NULL && !tls && !text_istarts(s, "http://") &&
        !text_istarts(s, "ws://"))
        return false;
    for (const char *p = host; *p != '\0'; p++)
        if ((unsigned char)*p <= ' ' || *p == '@' || *p == 0x7f)
            return false;
    while (n > 0 && host[n - 1] == '/')
        n--;
    len = snprintf(d->base, sizeof(d->base), "%s://%.*s",
                   tls ? "https" : "http", (int)n, host);
    return n > 0 && *host != '/' && *host != ':' && len > 0 &&
           (size_t)len < sizeof(d->base) - 256; /* room for our paths */
}

static void
take_credentials(struct doctor *d)
{
    const char *token = getenv("PARLEY_TOKEN");
    const char *name = getenv("PARLEY_USERNAME");
    const char *password = getenv("PARLEY_PASSWORD");
    struct buf plain, line;

    buf_init(&plain, sizeof(d->authorization) / 2);
    buf_init(&line, sizeof(d->authorization) - 1);
    if (token != NULL && *token != '\0') {
        buf_addf(&line, "Authorization: Bearer %s", token);
    } else if (name != NULL && password != NULL) {
        buf_addf(&plain, "%s:%s", name, password);
        buf_adds(&line, "Authorization: Basic ");
        text_base64(&line, plain.data, plain.len);
    }
    if (buf_status(&plain) == OK)
        (void)snprintf(d->authorization, sizeof(d->authorization), "%s",
                       buf_cstr(&line));
    for (char *s = d->authorization; *s != '\0'; s++)
        if ((unsigned char)*s < ' ')
            d->authorization[0] = '\0'; /* no header line has such */
    if (plain.cap > 0)
        explicit_bzero(plain.data, plain.cap);
    if (line.cap > 0)
        explicit_bzero(line.data, line.cap);
    buf_release(&plain);
    buf_release(&line);
}

static int
wrong(const char *what)
{
    (void)fprintf(stderr,
                  "parley: %s\nparley doctor --help lists the options\n", what);
    return DOCTOR_USAGE;
}

/* -1: go on; else the exit status. */
static int
read_options(struct doctor *d, int argc, char **argv)
{
    static const struct option options[] = {
        {"providers", no_argument, NULL, 'p'},
        {"long", no_argument, NULL, 'l'},
        {"look", required_argument, NULL, 's'},
        {"ca-file", required_argument, NULL, 'c'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int64_t look_s = LOOK_S;
    int c;

    opterr = 0;
    optind = 0; /* argv is not the one of before */
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'p': d->providers = true; break;
        case 'l': look_s = LONG_S; break;
        case 's':
            if (text_i64(optarg, strlen(optarg), 1, 86400, &look_s) != OK)
                return wrong("--look takes seconds, from 1 to 86400");
            break;
        case 'c': d->ca_file = optarg; break;
        case 'j': d->json = true; break;
        case 'h': print_help(); return DOCTOR_HEALTHY;
        default: return wrong("there is no such option, or it lacks a value");
        }
    }
    d->look_s = (int)look_s;
    if (optind < argc)
        d->url = argv[optind++];
    if (optind < argc)
        return wrong("one address is enough");
    if (d->url != NULL && !take_url(d))
        return wrong("the address must look like https://host/path");
    return -1;
}

static void
look_here(struct doctor *d)
{
    doctor_settings(d);
    doctor_folder(d);
    doctor_server(d);
    doctor_libraries(d);
    doctor_web_servers(d);
    if (d->providers)
        doctor_providers(d);
}

static void
look_there(struct doctor *d)
{
    struct doctor_hush *hush;

    if (!doctor_connect(d))
        return;
    hush = doctor_hush_begin(d);
    doctor_page(d);
    doctor_files(d);
    doctor_stream(d);
    doctor_headers(d);
    doctor_body(d);
    doctor_websocket(d);
    doctor_hush_end(d, hush);
}

int
cli_doctor(int argc, char **argv)
{
    struct doctor *d = xcalloc(1, sizeof(*d));
    int status;

    status = read_options(d, argc + 1, argv - 1); /* getopt skips a name */
    if (status < 0) {
        take_credentials(d);
        doctor_begin(d);
        look_here(d);
        if (d->url != NULL)
            look_there(d);
        doctor_end(d);
        status = d->unreachable ? DOCTOR_UNREACHABLE
                 : d->ill       ? DOCTOR_ILL
                                : DOCTOR_HEALTHY;
    }
    explicit_bzero(d->authorization, sizeof(d->authorization));
    free(d);
    return status;
}

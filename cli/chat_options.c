/*
 * The options of `parley chat`. A row is the option, its place, its variables
 * of the environment (the second is the name that other clients of such
 * servers use) and its help. A secret on the command line is copied and wiped
 * there, since other users of the machine can see it in the list of processes.
 */
#include "base/base.h"

#include "chat.h"

#include "base/mem.h"
#include "cli.h"

#define DEFAULT_URL "http://127.0.0.1:8080"
#define ROW(member) offsetof(struct chat_options, member)

static const struct option_row {
    const char *name;     /* "--url" */
    const char *argument; /* NULL: a switch */
    size_t at;
    const char *env, *env_else; /* NULL: none */
    bool secret;
    const char *help;
} rows[] = {
    {"--url", "URL", ROW(url), "PARLEY_URL", "BEDROCK_WS_ENDPOINT", false,
     "the server; http:// and https:// stream, ws:// and wss:// are WebSocket"},
    {"--auth", "HOW", ROW(auth), "PARLEY_AUTH", "BEDROCK_AUTH_TYPE", false,
     "none, bearer, api_key, basic or oauth2"},
    {"--token", "TOKEN", ROW(token), "PARLEY_TOKEN", "BEDROCK_AUTH_TOKEN", true,
     "for bearer"},
    {"--api-key", "KEY", ROW(api_key), "PARLEY_API_KEY", "BEDROCK_API_KEY",
     true, "for api_key"},
    {"--api-key-header", "NAME", ROW(api_key_header), "PARLEY_API_KEY_HEADER",
     NULL, false, "the header that takes it (X-API-Key)"},
    {"--username", "NAME", ROW(username), "PARLEY_USERNAME", NULL, false,
     "for basic"},
    {"--password", "TEXT", ROW(password), "PARLEY_PASSWORD", NULL, true,
     "for basic"},
    {"--client-id", "ID", ROW(client_id), "PARLEY_CLIENT_ID", NULL, false,
     "for oauth2 (client credentials)"},
    {"--client-secret", "TEXT", ROW(client_secret), "PARLEY_CLIENT_SECRET",
     NULL, true, "for oauth2"},
    {"--token-url", "URL", ROW(token_url), "PARLEY_TOKEN_URL", NULL, false,
     "for oauth2"},
    {"--scope", "WORDS", ROW(scope), "PARLEY_SCOPE", NULL, false, "for oauth2"},
    {"--ca-file", "FILE", ROW(ca_file), "PARLEY_CA_FILE", NULL, false,
     "authorities (PEM) in place of the system's"},
    {"--session", "ID", ROW(session), NULL, NULL, false,
     "go on with this conversation, or begin it under this name"},
    {"--model", "NAME", ROW(model), NULL, NULL, false,
     "the model that answers"},
    {"--provider", "NAME", ROW(provider), NULL, NULL, false,
     "the provider that answers"},
    {"--system", "TEXT", ROW(context), NULL, NULL, false,
     "what the model is told before each message"},
    {"--context", "TEXT", ROW(context), NULL, NULL, false, "the same"},
    {"--file", "FILE", ROW(files), NULL, NULL, false,
     "an image or a text for the first message; may be repeated"},
    {"--demo", NULL, ROW(demo), NULL, NULL, false, "say some things, and end"},
    {"--once", NULL, ROW(once), NULL, NULL, false,
     "ask one thing (the arguments, else all of the input), and end"},
    {"--no-color", NULL, ROW(no_color), NULL, NULL, false,
     "show answers as they come, without styles (also: NO_COLOR)"},
    {"--help", NULL, ROW(help), NULL, NULL, false, "this list"},
};

void
chat_options_help(void)
{
    (void)puts("usage: parley chat [OPTION…] [MESSAGE…]\n\n"
               "Talk with a server; with --once, ask it one thing.\n");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char left[64];

        (void)snprintf(left, sizeof(left), "%s%s%s", rows[i].name,
                       rows[i].argument != NULL ? " " : "",
                       rows[i].argument != NULL ? rows[i].argument : "");
        (void)printf("  %-22s  %s", left, rows[i].help);
        if (rows[i].env != NULL)
            (void)printf(" [%s]", rows[i].env);
        (void)putchar('\n');
    }
    (void)puts("\nThe server is " DEFAULT_URL " unless --url says otherwise.\n"
               "In the conversation: /history /clear /ping /logout /file "
               "/quit, and what\nthe server's /help lists. Ctrl-C stops an "
               "answer.");
}

static bool
wrong(const char *fmt, const char *what)
{
    (void)fputs("parley chat: ", stderr);
    (void)fprintf(stderr, fmt, what); /* NOLINT: fmt is ours */
    (void)fputs("; parley chat --help lists the options\n", stderr);
    return false;
}

static const struct option_row *
find(const char *s, size_t n)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (strlen(rows[i].name) == n && memcmp(rows[i].name, s, n) == 0)
            return &rows[i];
    return NULL;
}

static bool
keep(struct chat_options *o, const struct option_row *row, char *value)
{
    const char **to = (const char **)(void *)((char *)o + row->at);
    size_t n = strlen(value);

    if (row->at == ROW(files)) {
        if (o->n_files == CHAT_FILES_MAX)
            return wrong("at most %s files", "8");
        o->files[o->n_files++] = value;
        return true;
    }
    *to = value;
    if (row->secret) {
        if (o->n_secrets == COUNT_OF(o->secrets))
            return wrong("%s is said too often", row->name);
        *to = o->secrets[o->n_secrets++] = xmemdup0(value, n);
        explicit_bzero(value, n);
    }
    return true;
}

/* An option at argv[*i]; its value may be the next argument. */
static bool
take(struct chat_options *o, int argc, char **argv, int *i)
{
    char *equals = strchr(argv[*i], '=');
    const struct option_row *row = find(
        argv[*i],
        equals != NULL ? (size_t)(equals - argv[*i]) : strlen(argv[*i]));

    if (row == NULL)
        return wrong("there is no option %s", argv[*i]);
    if (row->argument == NULL) {
        if (equals != NULL)
            return wrong("%s takes no value", row->name);
        *(bool *)((char *)o + row->at) = true;
        return true;
    }
    if (equals != NULL)
        return keep(o, row, equals + 1);
    if (*i + 1 == argc)
        return wrong("%s needs a value", row->name);
    ++*i;
    return keep(o, row, argv[*i]);
}

static void
from_environment(struct chat_options *o)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char **to = (const char **)(void *)((char *)o + rows[i].at);
        const char *value;

        if (rows[i].env == NULL || *to != NULL)
            continue;
        value = getenv(rows[i].env);
        if ((value == NULL || *value == '\0') && rows[i].env_else != NULL)
            value = getenv(rows[i].env_else);
        if (value != NULL && *value != '\0')
            *to = value;
    }
}

/* Which way to sign in, where the command line has credentials and does not
 * say what they are. */
static const char *
auth_meant(const struct chat_options *o)
{
    if (o->token != NULL)
        return "bearer";
    if (o->api_key != NULL)
        return "api_key";
    if (o->username != NULL)
        return "basic";
    return o->client_id != NULL ? "oauth2" : NULL;
}

bool
chat_options_read(struct chat_options *o, int argc, char **argv)
{
    const char *no_color = getenv("NO_COLOR");
    bool words = false;

    memset(o, 0, sizeof(*o));
    for (int i = 0; i < argc; i++) {
        if (!words && strcmp(argv[i], "--") == 0) {
            words = true;
        } else if (!words && strcmp(argv[i], "-h") == 0) {
            o->help = true;
        } else if (!words && argv[i][0] == '-' && argv[i][1] != '\0') {
            if (!take(o, argc, argv, &i))
                return false;
        } else if (o->n_words == COUNT_OF(o->words)) {
            return wrong("the message has too many %s; put it in quotes",
                         "words");
        } else {
            o->words[o->n_words++] = argv[i];
        }
    }
    if (o->n_words > 0 && !o->once && !o->help)
        return wrong("a message on the command line goes with %s", "--once");
    if (o->auth == NULL)
        o->auth = auth_meant(o);
    from_environment(o);
    if (no_color != NULL && *no_color != '\0')
        o->no_color = true;
    return true;
}

void
chat_options_forget(struct chat_options *o)
{
    for (size_t i = 0; i < o->n_secrets; i++) {
        explicit_bzero(o->secrets[i], strlen(o->secrets[i]));
        free(o->secrets[i]);
    }
    o->n_secrets = 0;
    o->token = o->api_key = o->password = o->client_secret = NULL;
}

static const struct {
    const char *name;
    enum parley_auth auth;
} ways[] = {
    {"none", PARLEY_AUTH_NONE},
    {"bearer", PARLEY_AUTH_BEARER},
    {"bearer_token", PARLEY_AUTH_BEARER},
    {"api_key", PARLEY_AUTH_API_KEY},
    {"basic", PARLEY_AUTH_BASIC},
    {"basic_auth", PARLEY_AUTH_BASIC},
    {"oauth2", PARLEY_AUTH_OAUTH2},
    {"oauth2_client_credentials", PARLEY_AUTH_OAUTH2},
};

bool
chat_options_config(const struct chat_options *o, struct parley_config *config)
{
    const char *auth = o->auth != NULL ? o->auth : "none";
    bool known = false;

    *config = (struct parley_config){
        .url = o->url != NULL ? o->url : DEFAULT_URL,
        .token = o->token,
        .api_key = o->api_key,
        .api_key_header = o->api_key_header,
        .username = o->username,
        .password = o->password,
        .client_id = o->client_id,
        .client_secret = o->client_secret,
        .token_url = o->token_url,
        .scope = o->scope,
        .session_id = o->session,
        .ca_file = o->ca_file,
    };
    for (size_t i = 0; i < COUNT_OF(ways); i++)
        if (strcmp(auth, ways[i].name) == 0) {
            config->auth = ways[i].auth;
            known = true;
        }
    return known || wrong("%s is no way to sign in", auth);
}

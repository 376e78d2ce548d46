/*
 * Settings. One row each (conf_rows.c): name, type, unit, default, bounds,
 * secret, help; .env.example and the reference in the README are printed from
 * the rows. Order: default, then .env (KEY=value, quotes, # comments, no
 * expansion), then the environment. For a secret, NAME_FILE may name a file
 * that holds it; where both are given in one place, NAME counts. All mistakes
 * are reported together. Read once at start; afterwards constant, any thread.
 */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include "base/base.h"

enum conf_key {
    CONF_HOST,
    CONF_PORT,
    CONF_DATA_DIR,
    CONF_BASE_PATH,
    CONF_LOG_LEVEL,
    CONF_AI_PROVIDER,
    CONF_AI_MODEL,
    CONF_AI_FALLBACK,
    CONF_MODELS_FILE,
    CONF_OPENAI_API_KEY,
    CONF_OPENAI_BASE_URL,
    CONF_OPENAI_ORGANIZATION,
    CONF_OPENAI_ORG_ID,
    CONF_OPENAI_PROJECT,
    CONF_ANTHROPIC_API_KEY,
    CONF_ANTHROPIC_BASE_URL,
    CONF_ANTHROPIC_VERSION,
    CONF_ANTHROPIC_MODEL,
    CONF_GEMINI_API_KEY,
    CONF_GOOGLE_API_KEY,
    CONF_GEMINI_BASE_URL,
    CONF_GEMINI_MODEL,
    CONF_HF_API_KEY,
    CONF_HF_TOKEN,
    CONF_HF_BASE_URL,
    CONF_HF_BILL_TO,
    CONF_HF_MODEL,
    CONF_AWS_REGION,
    CONF_AWS_DEFAULT_REGION,
    CONF_AWS_ACCESS_KEY_ID,
    CONF_AWS_SECRET_ACCESS_KEY,
    CONF_AWS_SESSION_TOKEN,
    CONF_AWS_BEARER_TOKEN_BEDROCK,
    CONF_AWS_PROFILE,
    CONF_AWS_SHARED_CREDENTIALS_FILE,
    CONF_AWS_CONFIG_FILE,
    CONF_BEDROCK_BASE_URL,
    CONF_AWS_ENDPOINT_URL_BEDROCK_RUNTIME,
    CONF_BEDROCK_API,
    CONF_BEDROCK_MODEL,
    CONF_OLLAMA_BASE_URL,
    CONF_OLLAMA_HOST,
    CONF_OLLAMA_MODEL,
    CONF_SYSTEM_PROMPT,
    CONF_SUMMARY,
    CONF_SUMMARY_MODEL,
    CONF_TITLE_MODEL,
    CONF_FILES,
    CONF_FILES_USE,
    CONF_FILES_DIR,
    CONF_FILES_EVERY_S,
    CONF_FILES_SAMPLES,
    CONF_FILES_TOP_K,
    CONF_FILES_UPLOAD_MIB,
    CONF_FILES_OWNER_MIB,
    CONF_VISION_MODEL,
    CONF_EMBED_MODEL,
    CONF_EMBED_WAIT_MS,
    CONF_ALLOWED_ORIGINS,
    CONF_ALLOWED_HOSTS,
    CONF_LIST_ANONYMOUS,
    CONF_TRUSTED_PROXIES,
    CONF_SANDBOX,
    CONF_AUTH_REQUIRED,
    CONF_API_KEY_HEADER,
    CONF_PROXY_USER_HEADER,
    CONF_READ_ONLY,
    CONF_ADMINS,
    CONF_LOGIN_IDLE_S,
    CONF_LOGIN_MAX_S,
    CONF_OIDC_ISSUER,
    CONF_OIDC_CLIENT_ID,
    CONF_OIDC_CLIENT_SECRET,
    CONF_OIDC_SCOPES,
    CONF_OIDC_NAME,
    CONF_OIDC_REDIRECT_URL,
    CONF_OIDC_ADMIN_CLAIM,
    CONF_JWT_SECRET,
    CONF_SECRET_KEY,
    CONF_JWKS_URL,
    CONF_JWKS_FILE,
    CONF_JWT_ISSUER,
    CONF_JWT_AUDIENCE,
    CONF_OAUTH_TOKEN_HOSTS,
    CONF_HTPASSWD_FILE,
    CONF_RATE_USER,
    CONF_RATE_KEY,
    CONF_RATE_IP,
    CONF_BUDGET_DAY_TOKENS,
    CONF_BUDGET_MONTH_TOKENS,
    CONF_BUDGET_DAY_USD,
    CONF_BUDGET_MONTH_USD,
    CONF_BUDGET_ANSWER_TOKENS,
    CONF_TURNS_AT_ONCE,
    CONF_LIMITS_FILE,
    CONF_LEDGER_KEEP_DAYS,
    CONF_SESSION_TTL,
    CONF_TEMPORARY_TTL,
    CONF_TEMPORARY_MIB,
    CONF_MAX_SESSIONS,
    CONF_MAX_MESSAGES,
    CONF_THREADS,
    CONF_WORKERS,
    CONF_MAX_STREAMS,
    CONF_STREAM_GRACE_MS,
    CONF_ORPHAN_MS,
    CONF_STREAM_LOG_MIB,
    CONF_STORE_MAP_MIB,
    CONF_SHUTDOWN_MS,
    CONF_ENGINE_IDLE_MS,
    CONF_SESSION_QUEUE_MAX,
    CONF_BODY_MAX_KIB,
    CONF_IMPORT_MAX_MIB,
    CONF_UPSTREAM_CONNECT_MS,
    CONF_UPSTREAM_FIRST_BYTE_MS,
    CONF_UPSTREAM_IDLE_MS,
    CONF_UPSTREAM_TOTAL_MS,
    CONF_UPSTREAM_RETRIES,
    CONF_CIRCUIT_OPEN_MS,
    CONF_UPSTREAM_CA,
    CONF_CACHE_TTL_S,
    CONF_CACHE_MIB,
    CONF_CACHE_SHARED,
    CONF_OFFLINE_DELAY_MS,
    CONF_PING_MS,
    CONF_WS_LISTEN,
    CONF_WS_MAX,
    CONF_WS_PER_CLIENT,
    CONF_WS_MESSAGE_MAX_KIB,
    CONF_WS_PING_S,
    CONF_WS_IDLE_S,
    CONF_WS_SIGN_IN_S,
    CONF_AUDIT,
    CONF_AUDIT_KEY,
    CONF_AUDIT_MAX_MIB,
    CONF__MAX
};

/* Load. root is the folder of .env (the parent of cgi-bin). Mistakes go to
 * the log, one line each, and leave the default in force; returns how many. */
MUST_USE int conf_load(const char *root);
const char *conf_str(enum conf_key k); /* never NULL; "" if unset. Where a
                                          setting has another name (HF_TOKEN
                                          for HF_API_KEY) that counts, too */
int64_t conf_int(enum conf_key k);
bool conf_is_set(enum conf_key k); /* by .env or environment, not blank */
const char *conf_root(void);       /* as given to conf_load */
int conf_mistakes(void);           /* what conf_load returned */
/* Why a program must not start with these settings: a file that holds a secret
 * (.env, or the one that NAME_FILE names) can be read by others than its owner.
 * The text names the file and what to do; NULL: there is no reason. */
const char *conf_refusal(void);
/* Something wrong with the settings. It never holds what a secret holds. */
struct conf_fault {
    const char *name; /* of the setting; NULL: the file .env */
    int line;         /* of the file; 0: not known, or all of it */
    const char *rule; /* "must be a whole number from 1 to 64" */
    bool unknown;     /* a name in .env that is none of ours: no mistake */
};
typedef void conf_fault_fn(void *arg, const struct conf_fault *f);
/* Load once more and tell what is wrong, instead of writing it into the log;
 * valid during the call. Strings that conf_str gave before are gone. */
void conf_check(conf_fault_fn *fn, void *arg);
/* Print .env.example / a Markdown table of all rows. */
void conf_print_env(FILE *f);
void conf_print_table(FILE *f);
/* The name as it is in the environment. */
const char *conf_name(enum conf_key k);
/* Tests: override one value. */
void conf_override(enum conf_key k, const char *value);

#endif

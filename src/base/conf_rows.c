/*
 * The rows of all settings, in the order in which they are printed.
 *
 * Some settings of providers have two names that the world uses; the second
 * one is a row of its own, so that it is listed like all others, and counts
 * only where the first one is not set.
 */
#include "base/base.h"

#include "base/conf_rows.h"

/* clang-format off */
const struct row conf_rows[CONF__MAX] = {
    [CONF_HOST] = {"HOST", LINE, "", "127.0.0.1", 0, 0, false,
        "Address the web server listens on"},
    [CONF_PORT] = {"PORT", INT, "", "8080", 1, 65535, false,
        "Port the web server listens on"},
    [CONF_DATA_DIR] = {"DATA_DIR", PATH, "", "./data", 0, 0, false,
        "Folder of all state; relative to the project folder"},
    [CONF_BASE_PATH] = {"BASE_PATH", PREFIX, "", "", 0, 0, false,
        "Path below which everything is served, such as /chat; empty: found "
        "from the request"},
    [CONF_LOG_LEVEL] = {"LOG_LEVEL", LEVEL, "", "info", 0, 0, false,
        "Least important lines in the log: debug, info, warn or error"},
    [CONF_AI_PROVIDER] = {"AI_PROVIDER", LINE, "", "", 0, 0, false,
        "Who answers: openai, anthropic (or claude), gemini (google), "
        "huggingface (hf), bedrock (aws), ollama (local) or offline; empty: "
        "the first of these that has a key or a base URL"},
    [CONF_AI_MODEL] = {"AI_MODEL", LINE, "", "", 0, 0, false,
        "Model asked for; empty: the provider's usual one"},
    [CONF_AI_FALLBACK] = {"AI_FALLBACK", LINE, "", "", 0, 0, false,
        "Who answers when the provider fails, in order, separated by commas: "
        "provider or provider/model; none: nobody; empty: openai after "
        "huggingface"},
    [CONF_MODELS_FILE] = {"MODELS_FILE", PATH, "", "./etc/models.json", 0, 0,
        false, "What is known of models, over what is built in; relative to "
        "the project folder"},
    [CONF_OPENAI_API_KEY] = {"OPENAI_API_KEY", LINE, "", "", 0, 0, true,
        "Key of the OpenAI-compatible provider"},
    [CONF_OPENAI_BASE_URL] = {"OPENAI_BASE_URL", URL, "",
        "https://api.openai.com/v1", 0, 0, false,
        "Base URL of the OpenAI-compatible provider"},
    [CONF_OPENAI_ORGANIZATION] = {"OPENAI_ORGANIZATION", LINE, "", "", 0, 0,
        false, "Organization that OpenAI bills"},
    [CONF_OPENAI_ORG_ID] = {"OPENAI_ORG_ID", LINE, "", "", 0, 0, false,
        "The same as OPENAI_ORGANIZATION"},
    [CONF_OPENAI_PROJECT] = {"OPENAI_PROJECT", LINE, "", "", 0, 0, false,
        "Project that OpenAI bills"},
    [CONF_ANTHROPIC_API_KEY] = {"ANTHROPIC_API_KEY", LINE, "", "", 0, 0, true,
        "Key of Anthropic"},
    [CONF_ANTHROPIC_BASE_URL] = {"ANTHROPIC_BASE_URL", URL, "",
        "https://api.anthropic.com", 0, 0, false, "Base URL of Anthropic"},
    [CONF_ANTHROPIC_VERSION] = {"ANTHROPIC_VERSION", LINE, "", "2023-06-01",
        0, 0, false, "The anthropic-version that is asked for"},
    [CONF_ANTHROPIC_MODEL] = {"ANTHROPIC_MODEL", LINE, "", "", 0, 0, false,
        "Anthropic's model; empty: AI_MODEL or claude-sonnet-5-5"},
    [CONF_GEMINI_API_KEY] = {"GEMINI_API_KEY", LINE, "", "", 0, 0, true,
        "Key of Google Gemini"},
    [CONF_GOOGLE_API_KEY] = {"GOOGLE_API_KEY", LINE, "", "", 0, 0, true,
        "The same as GEMINI_API_KEY"},
    [CONF_GEMINI_BASE_URL] = {"GEMINI_BASE_URL", URL, "",
        "https://generativelanguage.googleapis.com/v1beta", 0, 0, false,
        "Base URL of Google Gemini"},
    [CONF_GEMINI_MODEL] = {"GEMINI_MODEL", LINE, "", "", 0, 0, false,
        "Gemini's model; empty: AI_MODEL or gemini-3.5-flash"},
    [CONF_HF_API_KEY] = {"HF_API_KEY", LINE, "", "", 0, 0, true,
        "Key of Hugging Face"},
    [CONF_HF_TOKEN] = {"HF_TOKEN", LINE, "", "", 0, 0, true,
        "The same as HF_API_KEY"},
    [CONF_HF_BASE_URL] = {"HF_BASE_URL", URL, "",
        "https://router.huggingface.co/v1", 0, 0, false,
        "Base URL of Hugging Face"},
    [CONF_HF_BILL_TO] = {"HF_BILL_TO", LINE, "", "", 0, 0, false,
        "Organization that Hugging Face bills"},
    [CONF_HF_MODEL] = {"HF_MODEL", LINE, "", "", 0, 0, false,
        "Hugging Face's model; empty: AI_MODEL or "
        "TinyLlama/TinyLlama-1.1B-Chat-v1.0"},
    [CONF_AWS_REGION] = {"AWS_REGION", LINE, "", "", 0, 0, false,
        "Region of AWS Bedrock"},
    [CONF_AWS_DEFAULT_REGION] = {"AWS_DEFAULT_REGION", LINE, "", "", 0, 0,
        false, "The same as AWS_REGION"},
    [CONF_AWS_ACCESS_KEY_ID] = {"AWS_ACCESS_KEY_ID", LINE, "", "", 0, 0, true,
        "Access key of AWS"},
    [CONF_AWS_SECRET_ACCESS_KEY] = {"AWS_SECRET_ACCESS_KEY", LINE, "", "", 0,
        0, true, "Secret access key of AWS"},
    [CONF_AWS_SESSION_TOKEN] = {"AWS_SESSION_TOKEN", LINE, "", "", 0, 0, true,
        "Session token of AWS, with temporary keys"},
    [CONF_AWS_BEARER_TOKEN_BEDROCK] = {"AWS_BEARER_TOKEN_BEDROCK", LINE, "",
        "", 0, 0, true, "Key of AWS Bedrock, instead of access keys"},
    [CONF_AWS_PROFILE] = {"AWS_PROFILE", LINE, "", "", 0, 0, false,
        "Profile in the files of AWS that has the access keys; empty: default"},
    [CONF_AWS_SHARED_CREDENTIALS_FILE] = {"AWS_SHARED_CREDENTIALS_FILE", LINE,
        "", "~/.aws/credentials", 0, 0, false,
        "Credentials file of AWS; read if Bedrock is wanted and no keys are "
        "set"},
    [CONF_AWS_CONFIG_FILE] = {"AWS_CONFIG_FILE", LINE, "", "~/.aws/config",
        0, 0, false, "Configuration file of AWS; read likewise"},
    [CONF_BEDROCK_BASE_URL] = {"BEDROCK_BASE_URL", URL, "", "", 0, 0, false,
        "Base URL of AWS Bedrock; empty: that of the region"},
    [CONF_AWS_ENDPOINT_URL_BEDROCK_RUNTIME] = {
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME", URL, "", "", 0, 0, false,
        "The same as BEDROCK_BASE_URL"},
    [CONF_BEDROCK_API] = {"BEDROCK_API", LINE, "", "converse", 0, 0, false,
        "How Bedrock is asked: converse, or invoke (Claude only)"},
    [CONF_BEDROCK_MODEL] = {"BEDROCK_MODEL", LINE, "", "", 0, 0, false,
        "Bedrock's model; empty: AI_MODEL or "
        "global.anthropic.claude-haiku-4-5-20251001-v1:0"},
    [CONF_OLLAMA_BASE_URL] = {"OLLAMA_BASE_URL", PLACE, "",
        "http://127.0.0.1:11434", 11434, 0, false,
        "Base URL of Ollama; set it to have local answers without a key"},
    [CONF_OLLAMA_HOST] = {"OLLAMA_HOST", PLACE, "", "", 11434, 0, false,
        "The same as OLLAMA_BASE_URL; host or host:port will do"},
    [CONF_OLLAMA_MODEL] = {"OLLAMA_MODEL", LINE, "", "", 0, 0, false,
        "Ollama's model; empty: AI_MODEL or llama3.2"},
    [CONF_SYSTEM_PROMPT] = {"SYSTEM_PROMPT", TEXT, "", "", 0, 0, false,
        "Text put before every conversation"},
    [CONF_SUMMARY] = {"SUMMARY", INT, "", "0", 0, 1, false,
        "1: when a conversation outgrows its model, its oldest messages are "
        "replaced by a summary that a model writes"},
    [CONF_SUMMARY_MODEL] = {"SUMMARY_MODEL", LINE, "", "", 0, 0, false,
        "Who writes it: a model's name or provider/model; empty: who answered"},
    [CONF_TITLE_MODEL] = {"TITLE_MODEL", LINE, "", "auto", 0, 0, false,
        "Who names a session after its first answer: auto (a cheap model of "
        "the provider that answered, or the one that answered), a model's name "
        "or provider/model; off: it keeps the first words"},
    [CONF_FILES] = {"FILES", SWITCH, "", "on", 0, 0, false,
        "Can files be uploaded, indexed and searched?"},
    [CONF_FILES_USE] = {"FILES_USE", LINE, "", "local", 0, 0, false,
        "When an answer looks into the files unless its request says: local "
        "(where the model runs on this machine), always or asked"},
    [CONF_FILES_DIR] = {"FILES_DIR", PATH, "", "", 0, 0, false,
        "Folder that is indexed and kept current, for everybody who may chat; "
        "relative to the project folder"},
    [CONF_FILES_EVERY_S] = {"FILES_EVERY_S", INT, "s", "300", 0, 86400, false,
        "How often FILES_DIR is looked through; 0: at the start only"},
    [CONF_FILES_SAMPLES] = {"FILES_SAMPLES", SWITCH, "", "on", 0, 0, false,
        "Index Parley's own documents and a few sample images, which are "
        "searched as long as there are no other files"},
    [CONF_FILES_TOP_K] = {"FILES_TOP_K", INT, "", "8", 1, 50, false,
        "Excerpts of files that a question brings along"},
    [CONF_FILES_UPLOAD_MIB] = {"FILES_UPLOAD_MIB", INT, "MiB", "64", 1, 512,
        false, "Largest upload"},
    [CONF_FILES_OWNER_MIB] = {"FILES_OWNER_MIB", INT, "MiB", "1024", 0,
        1048576, false, "What the uploads of one owner may have together; 0: "
        "any amount"},
    [CONF_VISION_MODEL] = {"VISION_MODEL", LINE, "", "", 0, 0, false,
        "Model that parley index --describe asks, as provider/model or a "
        "model's name; empty: the default model, if it sees images"},
    [CONF_EMBED_MODEL] = {"EMBED_MODEL", LINE, "", "", 0, 0, false,
        "Whose vectors files are found by, beside their words: provider/model, "
        "such as openai/text-embedding-3-small; empty: built-in ones, which "
        "need nobody"},
    [CONF_EMBED_WAIT_MS] = {"EMBED_WAIT_MS", INT, "ms", "2000", 1, 60000,
        false, "How long a search waits for the vector of its question; after "
        "that it goes by the built-in ones"},
    [CONF_ALLOWED_ORIGINS] = {"ALLOWED_ORIGINS", LINE, "", "", 0, 0, false,
        "Other origins whose pages may use the API, separated by commas"},
    [CONF_ALLOWED_HOSTS] = {"ALLOWED_HOSTS", LINE, "", "", 0, 0, false,
        "Names by which this server may be asked, separated by commas: "
        "chat.example.org, chat.example.org:8443, *.example.org or * (any); "
        "its address and localhost always may. Empty: any, but where nobody "
        "has to sign in, and client and server are on one machine or private "
        "network without TLS, only names that nobody can buy (nas, nas.local)"},
    [CONF_LIST_ANONYMOUS] = {"LIST_ANONYMOUS", LINE, "", "local", 0, 0, false,
        "Who sees the list of the sessions that were made without a cookie "
        "and without signing in: local (who is on this machine, and no proxy "
        "between), all (and nobody gets a cookie: they share one list) or "
        "none. By its id everybody finds such a session"},
    [CONF_TRUSTED_PROXIES] = {"TRUSTED_PROXIES", LINE, "", "", 0, 0, false,
        "Addresses and networks of reverse proxies in front of the web server, "
        "separated by commas (10.0.0.5, fd00::/8): what they say in "
        "X-Forwarded-For and X-Forwarded-Proto is believed, and of nobody "
        "else"},
    [CONF_SANDBOX] = {"SANDBOX", SWITCH, "", "on", 0, 0, false,
        "on: the program gives up what it does not need, where the kernel "
        "can take it away (Landlock, seccomp): other files, other programs; "
        "off: it does not"},
    [CONF_AUTH_REQUIRED] = {"AUTH_REQUIRED", INT, "", "0", 0, 1, false,
        "1: nobody uses anything without signing in, and a session's id alone "
        "opens nothing"},
    [CONF_API_KEY_HEADER] = {"API_KEY_HEADER", LINE, "", "X-API-Key", 0, 0,
        false, "Header in which API keys are taken, beside Authorization: "
        "Bearer"},
    [CONF_PROXY_USER_HEADER] = {"PROXY_USER_HEADER", LINE, "", "", 0, 0, false,
        "Header in which a web server of TRUSTED_PROXIES names who is signed "
        "in there, such as X-Forwarded-User; empty: none"},
    [CONF_ADMINS] = {"ADMINS", LINE, "", "", 0, 0, false,
        "Who administers, separated by commas: a name of HTPASSWD_FILE, or a "
        "whole owner such as oidc/login.example.com/42; empty: nobody, and "
        "there is no /admin"},
    [CONF_LOGIN_IDLE_S] = {"LOGIN_IDLE_S", INT, "s", "604800", 0, 31536000,
        false, "Who did not use their login for so long has to sign in again "
        "(0: only LOGIN_MAX_S counts)"},
    [CONF_LOGIN_MAX_S] = {"LOGIN_MAX_S", INT, "s", "2592000", 60, 31536000,
        false, "How long a login lasts at most"},
    [CONF_OIDC_ISSUER] = {"OIDC_ISSUER", LINE, "", "", 0, 0, false,
        "Issuer of an OpenID provider at which people sign in, exactly as it "
        "writes itself, such as https://login.example.com/realms/home; empty: "
        "none"},
    [CONF_OIDC_CLIENT_ID] = {"OIDC_CLIENT_ID", LINE, "", "", 0, 0, false,
        "What the provider calls this server"},
    [CONF_OIDC_CLIENT_SECRET] = {"OIDC_CLIENT_SECRET", LINE, "", "", 0, 0, true,
        "Its secret there; empty: it is a public client"},
    [CONF_OIDC_SCOPES] = {"OIDC_SCOPES", LINE, "", "openid profile email", 0,
        0, false, "What the provider is asked for; openid is needed"},
    [CONF_OIDC_NAME] = {"OIDC_NAME", LINE, "", "", 0, 0, false,
        "The provider's name on the button; empty: its host"},
    [CONF_OIDC_REDIRECT_URL] = {"OIDC_REDIRECT_URL", LINE, "", "", 0, 0, false,
        "Where the provider sends people back to, as it is registered there: "
        "the address of this server and /auth/oauth2/callback; empty: made "
        "from the request"},
    [CONF_OIDC_ADMIN_CLAIM] = {"OIDC_ADMIN_CLAIM", LINE, "", "", 0, 0, false,
        "Claim of the ID token that makes an administrator: name=value (a "
        "text, or a list that has it), or the name of one that is true"},
    [CONF_READ_ONLY] = {"READ_ONLY", LINE, "", "", 0, 0, false,
        "Who may only read, as in ADMINS"},
    [CONF_JWT_SECRET] = {"JWT_SECRET", LINE, "", "", 0, 0, true,
        "Secret that JSON Web Tokens are signed with (HS256): at least 32 "
        "bytes, as made by openssl rand -hex 32"},
    [CONF_SECRET_KEY] = {"SECRET_KEY", LINE, "", "", 0, 0, true,
        "Secret of this server, for what has none of its own: JWT_SECRET and "
        "AUDIT_KEY"},
    [CONF_JWKS_URL] = {"JWKS_URL", URL, "", "", 0, 0, false,
        "Where the public keys (JWKS) are of an issuer whose JSON Web Tokens "
        "are accepted (RS256, ES256 and their kin); https, or http on this "
        "machine"},
    [CONF_JWKS_FILE] = {"JWKS_FILE", PATH, "", "", 0, 0, false,
        "The same as a file, read again when it changes; relative to the "
        "project folder"},
    [CONF_JWT_ISSUER] = {"JWT_ISSUER", LINE, "", "", 0, 0, false,
        "The iss that a JSON Web Token must have; empty: any"},
    [CONF_JWT_AUDIENCE] = {"JWT_AUDIENCE", LINE, "", "", 0, 0, false,
        "What the aud of a JSON Web Token must be or contain; empty: anything, "
        "so set it where an issuer makes tokens for others as well"},
    [CONF_OAUTH_TOKEN_HOSTS] = {"OAUTH_TOKEN_HOSTS", LINE, "", "", 0, 0, false,
        "Hosts that a client of /ws/chat may name as the token_url of OAuth2 "
        "credentials, separated by commas: auth.example.com, "
        "auth.example.com:8443 or *.example.com; empty: none. What is not of "
        "the internet at large only by its very address (10.0.0.5:8443) or as "
        "localhost"},
    [CONF_HTPASSWD_FILE] = {"HTPASSWD_FILE", PATH, "", "", 0, 0, false,
        "File of local accounts, lines user:hash with bcrypt, sha512-crypt or "
        "yescrypt; parley passwd writes it; relative to the project folder; "
        "empty: no local accounts"},
    [CONF_RATE_USER] = {"RATE_USER", INT, "per minute", "0", 0, 100000, false,
        "Questions that one user may ask in a minute, all at once if they like "
        "(0: any number)"},
    [CONF_RATE_KEY] = {"RATE_KEY", INT, "per minute", "0", 0, 100000, false,
        "The same for one API key"},
    [CONF_RATE_IP] = {"RATE_IP", INT, "per minute", "0", 0, 100000, false,
        "The same for one IPv4 address or the /64 of an IPv6 address"},
    [CONF_BUDGET_DAY_TOKENS] = {"BUDGET_DAY_TOKENS", INT, "", "0", 0,
        1000000000000000, false,
        "Tokens that one user may use in a day, UTC (0: any number)"},
    [CONF_BUDGET_MONTH_TOKENS] = {"BUDGET_MONTH_TOKENS", INT, "", "0", 0,
        1000000000000000, false,
        "Tokens that one user may use in a month, UTC (0: any number)"},
    [CONF_BUDGET_DAY_USD] = {"BUDGET_DAY_USD", LINE, "USD", "", 0, 0, false,
        "Dollars that one user may spend in a day, such as 2.50 (empty or 0: "
        "any amount); a model without a known price costs none"},
    [CONF_BUDGET_MONTH_USD] = {"BUDGET_MONTH_USD", LINE, "USD", "", 0, 0,
        false, "Dollars that one user may spend in a month (empty or 0: any "
        "amount)"},
    [CONF_BUDGET_ANSWER_TOKENS] = {"BUDGET_ANSWER_TOKENS", INT, "", "4096", 1,
        10000000, false, "Where a budget applies, how long an answer may be "
        "for which nobody says it: so much of the budget is reserved for it"},
    [CONF_TURNS_AT_ONCE] = {"TURNS_AT_ONCE", INT, "", "0", 0, 1000000, false,
        "Answers that one user may have made at once (0: any number)"},
    [CONF_LIMITS_FILE] = {"LIMITS_FILE", PATH, "", "./etc/limits.json", 0, 0,
        false, "Budgets of single users and models, over those above; "
        "relative to the project folder"},
    [CONF_LEDGER_KEEP_DAYS] = {"LEDGER_KEEP_DAYS", INT, "days", "400", 0,
        36500, false, "How long it is kept who used what of which model on a "
        "day, for GET /usage; this month always is (0: for ever)"},
    [CONF_SESSION_TTL] = {"SESSION_TTL", INT, "s", "0", 0, 3153600000, false,
        "A session that was not used for so long is deleted (0: never)"},
    [CONF_TEMPORARY_TTL] = {"TEMPORARY_TTL", INT, "s", "14400", 0, 3153600000,
        false, "A temporary chat that was not used for so long is gone (0: "
        "not before the program ends)"},
    [CONF_TEMPORARY_MIB] = {"TEMPORARY_MIB", INT, "MiB", "64", 0, 1048576,
        false, "Memory that all temporary chats may take together; 0: there "
        "are none"},
    [CONF_MAX_SESSIONS] = {"MAX_SESSIONS", INT, "", "0", 0, 1000000000, false,
        "Sessions that one user may have (0: any number)"},
    [CONF_MAX_MESSAGES] = {"MAX_MESSAGES", INT, "", "0", 0, 1000000000, false,
        "Messages that one session may have (0: any number)"},
    [CONF_THREADS] = {"THREADS", INT, "", "4", 1, 64, false,
        "Threads that accept requests"},
    [CONF_WORKERS] = {"WORKERS", INT, "", "2", 1, 32, false,
        "Threads for short jobs on files"},
    [CONF_MAX_STREAMS] = {"MAX_STREAMS", INT, "", "0", 0, 1000000, false,
        "Streams open at once; 0: as the descriptor limit allows"},
    [CONF_STREAM_GRACE_MS] = {"STREAM_GRACE_MS", INT, "ms", "600000", 0,
        86400000, false, "How long the stream of a finished turn is kept"},
    [CONF_ORPHAN_MS] = {"ORPHAN_MS", INT, "ms", "0", 0, 86400000, false,
        "How long an answer goes on that nobody reads any more; 0: to its end"},
    [CONF_STREAM_LOG_MIB] = {"STREAM_LOG_MIB", INT, "MiB", "256", 1,
        1048576, false, "Ceiling of the stream log"},
    [CONF_STORE_MAP_MIB] = {"STORE_MAP_MIB", INT, "MiB", "65536", 1,
        16777216, false,
        "Ceiling of the store; address space only, the file grows as needed"},
    [CONF_SHUTDOWN_MS] = {"SHUTDOWN_MS", INT, "ms", "10000", 0, 600000,
        false, "How long running answers may go on after SIGTERM"},
    [CONF_ENGINE_IDLE_MS] = {"ENGINE_IDLE_MS", INT, "ms", "300000", 100,
        86400000, false,
        "After how long without work an engine started by plain CGI leaves"},
    [CONF_SESSION_QUEUE_MAX] = {"SESSION_QUEUE_MAX", INT, "", "64", 1, 65536,
        false, "Turns that may wait in one session"},
    [CONF_BODY_MAX_KIB] = {"BODY_MAX_KIB", INT, "KiB", "16384", 1, 1048576,
        false, "Largest request body"},
    [CONF_IMPORT_MAX_MIB] = {"IMPORT_MAX_MIB", INT, "MiB", "256", 1, 1048576,
        false, "Largest file that POST /import takes"},
    [CONF_UPSTREAM_CONNECT_MS] = {"UPSTREAM_CONNECT_MS", INT, "ms", "5000",
        10, 600000, false, "How long connecting to a provider may take"},
    [CONF_UPSTREAM_FIRST_BYTE_MS] = {"UPSTREAM_FIRST_BYTE_MS", INT, "ms",
        "60000", 10, 86400000, false,
        "How long a provider may take to begin its answer"},
    [CONF_UPSTREAM_IDLE_MS] = {"UPSTREAM_IDLE_MS", INT, "ms", "60000", 10,
        86400000, false, "How long a provider may fall silent"},
    [CONF_UPSTREAM_TOTAL_MS] = {"UPSTREAM_TOTAL_MS", INT, "ms", "600000", 10,
        86400000, false, "How long one answer of a provider may take"},
    [CONF_UPSTREAM_RETRIES] = {"UPSTREAM_RETRIES", INT, "", "2", 0, 10, false,
        "How often a provider is asked again before its first byte"},
    [CONF_CIRCUIT_OPEN_MS] = {"CIRCUIT_OPEN_MS", INT, "ms", "30000", 0,
        3600000, false, "How long a provider that failed five times in a row "
        "is not asked any more (0: it always is)"},
    [CONF_UPSTREAM_CA] = {"UPSTREAM_CA", PATH, "", "", 0, 0, false,
        "PEM file of the certificate authorities that providers are checked "
        "against, instead of the system's; relative to the project folder"},
    [CONF_CACHE_TTL_S] = {"CACHE_TTL_S", INT, "s", "0", 0, 2592000, false,
        "How long an answer is given again to an equal question of the same "
        "user, without asking the provider (0: never)"},
    [CONF_CACHE_MIB] = {"CACHE_MIB", INT, "MiB", "8", 1, 4096, false,
        "Memory for answers that are kept for equal questions"},
    [CONF_CACHE_SHARED] = {"CACHE_SHARED", INT, "", "0", 0, 1, false,
        "1: equal questions of different users share an answer"},
    [CONF_OFFLINE_DELAY_MS] = {"OFFLINE_DELAY_MS", INT, "ms", "15", 0, 10000,
        false, "Pause between the pieces of the offline provider"},
    [CONF_PING_MS] = {"PING_MS", INT, "ms", "15000", 10, 600000, false,
        "How often a silent stream sends a comment to stay open"},
    [CONF_WS_LISTEN] = {"WS_LISTEN", LINE, "", "", 0, 0, false,
        "A TCP address of this machine for WebSockets, such as "
        "127.0.0.1:9001, beside the socket ws.sock in DATA_DIR"},
    [CONF_WS_MAX] = {"WS_MAX", INT, "", "0", 0, 1000000, false,
        "WebSockets open at once; 0: as the descriptor limit allows"},
    [CONF_WS_PER_CLIENT] = {"WS_PER_CLIENT", INT, "", "5", 0, 1000000, false,
        "WebSockets that one client may have open at /ws/{client_id} (0: any "
        "number)"},
    [CONF_WS_MESSAGE_MAX_KIB] = {"WS_MESSAGE_MAX_KIB", INT, "KiB", "1024", 1,
        1048576, false, "Largest message over WebSocket from a client"},
    [CONF_WS_PING_S] = {"WS_PING_S", INT, "s", "30", 1, 3600, false,
        "How often a WebSocket is pinged; one that is silent for three times "
        "as long is closed"},
    [CONF_WS_IDLE_S] = {"WS_IDLE_S", INT, "s", "3600", 0, 2592000, false,
        "How long a WebSocket may be open without a message (0: any time)"},
    [CONF_WS_SIGN_IN_S] = {"WS_SIGN_IN_S", INT, "s", "60", 1, 3600, false,
        "With AUTH_REQUIRED, how long a WebSocket may be open before its "
        "client signs in"},
    [CONF_AUDIT] = {"AUDIT", INT, "", "1", 0, 1, false,
        "Who did what is noted in DATA_DIR/audit.log (0: nowhere)"},
    [CONF_AUDIT_KEY] = {"AUDIT_KEY", LINE, "", "", 0, 0, true,
        "Secret with which lines of the audit log are signed; empty: "
        "SECRET_KEY"},
    [CONF_AUDIT_MAX_MIB] = {"AUDIT_MAX_MIB", INT, "MiB", "16", 1, 1048576,
        false, "Size at which another file of the audit log is begun; old "
        "ones are kept"},
};
/* clang-format on */

const struct conf_alias conf_aliases[] = {
    {CONF_OPENAI_ORGANIZATION, CONF_OPENAI_ORG_ID},
    {CONF_GEMINI_API_KEY, CONF_GOOGLE_API_KEY},
    {CONF_HF_API_KEY, CONF_HF_TOKEN},
    {CONF_AWS_REGION, CONF_AWS_DEFAULT_REGION},
    {CONF_BEDROCK_BASE_URL, CONF_AWS_ENDPOINT_URL_BEDROCK_RUNTIME},
    {CONF_OLLAMA_BASE_URL, CONF_OLLAMA_HOST},
    {CONF_JWT_SECRET, CONF_SECRET_KEY},
};
const size_t conf_n_aliases = COUNT_OF(conf_aliases);

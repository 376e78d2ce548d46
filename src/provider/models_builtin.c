/*
 * What is known of models without a file: facts from the providers' published
 * price lists and model pages, as they were on AS_OF. They will be out of date
 * when you read this; etc/models.json, which is printed from here (`chat
 * --print-models`), is where to correct them. Where sources disagree, or a
 * price is an introductory one, it is left unknown: no cost is better than a
 * wrong one.
 *
 * Newer models of Anthropic and OpenAI's reasoning models refuse temperature.
 * The star rows are for names with a date behind them and families that share
 * all of it; they are written so that no other model (audio, realtime, …) falls
 * under them. An output of -1 is one that the lists do not tell.
 */
#include "base/base.h"

#include "provider/models_table.h"

#define AS_OF "2026-09-23"
#define UNKNOWN (-1)

/* Dollars to micro-dollars. */
#define USD(d) ((d) < 0 ? -1 : (int64_t)((d)*1000000 + 0.5))
#define PRICE(in, cached, out)         \
    {                                  \
        USD(in), USD(cached), USD(out) \
    }
#define NO_PRICE   \
    {              \
        -1, -1, -1 \
    }

/* Abilities: images, tools, reasoning, temperature, system. */
#define WRITES false, true, false, true, true /* text only */
#define SEES true, true, false, true, true    /* and images */
#define THINKS true, true, true, true, true   /* and reasons */
#define COOL true, true, true, false, true    /* without temperature */
#define BLIND false, true, true, false, true  /* and without images */
#define EMBEDS false, false, false, false, false

#define ROW(provider, id, context, output, in, cached, out, abilities)      \
    {                                                                       \
        provider, id, context, output, PRICE(in, cached, out), 0, NO_PRICE, \
            AS_OF, abilities                                                \
    }
#define LONG(provider, id, context, output, in, cached, out, over, lin, \
             lcached, lout, abilities)                                  \
    {                                                                   \
        provider, id, context, output, PRICE(in, cached, out), over,    \
            PRICE(lin, lcached, lout), AS_OF, abilities                 \
    }
#define UNPRICED(provider, id, context, output, abilities)                  \
    {                                                                       \
        provider, id, context, output, NO_PRICE, 0, NO_PRICE, "", abilities \
    }

/* clang-format off */
const struct model models_builtin[] = {
    /* OpenAI: in, cached, out */
    ROW("openai", "gpt-3.5-turbo", 16385, 4096, 0.5, -1, 1.5, WRITES),
    ROW("openai", "gpt-3.5-turbo-0125", 16385, 4096, 0.5, -1, 1.5, WRITES),
    ROW("openai", "gpt-4", 8192, 8192, 30, -1, 60, WRITES),
    ROW("openai", "gpt-4-0613", 8192, 8192, 30, -1, 60, WRITES),
    ROW("openai", "gpt-4-turbo", 128000, 4096, 10, -1, 30, SEES),
    ROW("openai", "gpt-4-turbo-20*", 128000, 4096, 10, -1, 30, SEES),
    ROW("openai", "gpt-4-turbo-preview", 128000, 4096, 10, -1, 30, WRITES),
    ROW("openai", "gpt-4o", 128000, 16384, 2.5, 1.25, 10, SEES),
    ROW("openai", "gpt-4o-20*", 128000, 16384, 2.5, 1.25, 10, SEES),
    ROW("openai", "gpt-4o-2024-05-13", 128000, 4096, 5, -1, 15, SEES),
    ROW("openai", "gpt-4o-mini", 128000, 16384, 0.15, 0.075, 0.6, SEES),
    ROW("openai", "gpt-4o-mini-20*", 128000, 16384, 0.15, 0.075, 0.6, SEES),
    ROW("openai", "gpt-4.1", 1047576, 32768, 2, 0.5, 8, SEES),
    ROW("openai", "gpt-4.1-20*", 1047576, 32768, 2, 0.5, 8, SEES),
    ROW("openai", "gpt-4.1-mini*", 1047576, 32768, 0.4, 0.1, 1.6, SEES),
    ROW("openai", "gpt-4.1-nano*", 1047576, 32768, 0.1, 0.025, 0.4, SEES),
    ROW("openai", "gpt-5", 400000, 128000, 1.25, 0.125, 10, COOL),
    ROW("openai", "gpt-5-20*", 400000, 128000, 1.25, 0.125, 10, COOL),
    ROW("openai", "gpt-5-mini*", 400000, 128000, 0.25, 0.025, 2, COOL),
    ROW("openai", "gpt-5-nano*", 400000, 128000, 0.05, 0.005, 0.4, COOL),
    ROW("openai", "gpt-5.1", 400000, 128000, 1.25, 0.125, 10, COOL),
    ROW("openai", "gpt-5.1-20*", 400000, 128000, 1.25, 0.125, 10, COOL),
    ROW("openai", "gpt-5.2", 400000, 128000, 1.75, 0.175, 14, COOL),
    ROW("openai", "gpt-5.2-20*", 400000, 128000, 1.75, 0.175, 14, COOL),
    LONG("openai", "gpt-5.4", 1050000, 128000, 2.5, 0.25, 15,
        272000, 5, 0.5, 22.5, COOL),
    ROW("openai", "gpt-5.4-mini*", 400000, -1, 0.75, 0.075, 4.5, COOL),
    ROW("openai", "gpt-5.4-nano*", 400000, -1, 0.2, 0.02, 1.25, COOL),
    LONG("openai", "gpt-5.5", 1050000, 128000, 5, 0.5, 30,
        272000, 10, 1, 45, COOL),
    LONG("openai", "gpt-5.5-20*", 1050000, 128000, 5, 0.5, 30,
        272000, 10, 1, 45, COOL),
    UNPRICED("openai", "gpt-5.6-sol", 1050000, -1, COOL),
    UNPRICED("openai", "gpt-5.6-terra", 1050000, -1, COOL),
    UNPRICED("openai", "gpt-5.6-luna", 1050000, -1, COOL),
    LONG("openai", "gpt-6-astra", 1050000, -1, 10, 1, 50,
        272000, 20, 2, 75, COOL),
    LONG("openai", "gpt-6-sol", 1050000, -1, 2, 0.2, 10,
        272000, 4, 0.4, 15, COOL),
    LONG("openai", "gpt-6-luna", 1050000, -1, 0.1, 0.01, 0.5,
        272000, 0.2, 0.02, 0.75, COOL),
    ROW("openai", "o1", 200000, 100000, 15, 7.5, 60, COOL),
    ROW("openai", "o1-20*", 200000, 100000, 15, 7.5, 60, COOL),
    ROW("openai", "o3", 200000, 100000, 2, 0.5, 8, COOL),
    ROW("openai", "o3-20*", 200000, 100000, 2, 0.5, 8, COOL),
    ROW("openai", "o3-mini", 200000, 100000, 1.1, 0.55, 4.4, BLIND),
    ROW("openai", "o3-mini-20*", 200000, 100000, 1.1, 0.55, 4.4, BLIND),
    ROW("openai", "o4-mini", 200000, 100000, 1.1, 0.275, 4.4, COOL),
    ROW("openai", "o4-mini-20*", 200000, 100000, 1.1, 0.275, 4.4, COOL),
    ROW("openai", "text-embedding-3-small", 8192, -1, 0.02, -1, 0, EMBEDS),
    ROW("openai", "text-embedding-3-large", 8192, -1, 0.13, -1, 0, EMBEDS),
    ROW("openai", "text-embedding-ada-002", 8192, -1, 0.1, -1, 0, EMBEDS),

    /* Anthropic */
    ROW("anthropic", "claude-3-haiku*", 200000, 4096, 0.25, 0.03, 1.25, SEES),
    ROW("anthropic", "claude-3-sonnet*", 200000, 4096, 3, 0.3, 15, SEES),
    ROW("anthropic", "claude-3-opus*", 200000, 4096, 15, 1.5, 75, SEES),
    ROW("anthropic", "claude-3-5-haiku*", 200000, 8192, 0.8, 0.08, 4, SEES),
    ROW("anthropic", "claude-3-5-sonnet*", 200000, 8192, 3, 0.3, 15, SEES),
    ROW("anthropic", "claude-3-7-sonnet*", 200000, 64000, 3, 0.3, 15, THINKS),
    ROW("anthropic", "claude-sonnet-4-0", 200000, 64000, 3, 0.3, 15, THINKS),
    ROW("anthropic", "claude-sonnet-4-20*", 200000, 64000, 3, 0.3, 15,
        THINKS),
    ROW("anthropic", "claude-opus-4-0", 200000, 32000, 15, 1.5, 75, THINKS),
    ROW("anthropic", "claude-opus-4-20*", 200000, 32000, 15, 1.5, 75, THINKS),
    ROW("anthropic", "claude-opus-4-1*", 200000, 32000, 15, 1.5, 75, THINKS),
    LONG("anthropic", "claude-sonnet-4-5*", 200000, 64000, 3, 0.3, 15,
        200000, 6, 0.6, 22.5, THINKS),
    ROW("anthropic", "claude-haiku-4-5*", 200000, 64000, 1, 0.1, 5, THINKS),
    ROW("anthropic", "claude-opus-4-5*", 200000, 64000, 5, 0.5, 25, THINKS),
    ROW("anthropic", "claude-opus-4-6", 1000000, 128000, 5, 0.5, 25, THINKS),
    ROW("anthropic", "claude-sonnet-4-6", 1000000, 64000, 3, 0.3, 15, THINKS),
    ROW("anthropic", "claude-opus-4-7", 1000000, 128000, 5, 0.5, 25, COOL),
    ROW("anthropic", "claude-opus-4-8", 1000000, 128000, 5, 0.5, 25, COOL),
    ROW("anthropic", "claude-opus-5", 1000000, 128000, 5, 0.5, 25, COOL),
    ROW("anthropic", "claude-opus-5-5", 1000000, 128000, 4, 0.2, 20, COOL),
    ROW("anthropic", "claude-sonnet-5", 1000000, 128000, 2, 0.2, 10, COOL),
    ROW("anthropic", "claude-sonnet-5-5", 1000000, 128000, 2, 0.1, 10, COOL),
    UNPRICED("anthropic", "claude-haiku-5-5", 1000000, 128000, COOL),
    ROW("anthropic", "claude-fable-5", 1000000, 128000, 10, 1, 50, COOL),
    ROW("anthropic", "claude-fable-5-1", 1000000, 128000, 10, 0.25, 50, COOL),

    /* Google Gemini */
    ROW("gemini", "gemini-2.0-flash", 1048576, 8192, 0.1, 0.025, 0.4, SEES),
    ROW("gemini", "gemini-2.0-flash-lite", 1048576, 8192, 0.075, -1, 0.3,
        SEES),
    ROW("gemini", "gemini-2.5-flash", 1048576, 65536, 0.3, 0.03, 2.5, THINKS),
    ROW("gemini", "gemini-2.5-flash-lite", 1048576, 65536, 0.1, 0.01, 0.4,
        THINKS),
    LONG("gemini", "gemini-2.5-pro", 1048576, 65536, 1.25, 0.125, 10,
        200000, 2.5, 0.25, 15, THINKS),
    ROW("gemini", "gemini-3-flash-preview", 1048576, 65536, 0.5, 0.05, 3,
        THINKS),
    LONG("gemini", "gemini-3-pro-preview", 1048576, 65536, 2, 0.2, 12,
        200000, 4, 0.4, 18, THINKS),
    LONG("gemini", "gemini-3.1-pro-preview", 1048576, 65536, 2, 0.2, 12,
        200000, 4, 0.4, 18, THINKS),
    ROW("gemini", "gemini-3.1-flash-lite", 1048576, -1, 0.25, 0.025, 1.5,
        THINKS),
    ROW("gemini", "gemini-3.5-flash", 1048576, 65536, 1.5, 0.15, 9, THINKS),
    ROW("gemini", "gemini-3.5-flash-lite", 1048576, -1, 0.3, 0.03, 2.5,
        THINKS),
    UNPRICED("gemini", "gemini-3.6-flash", 1048576, -1, THINKS),
    UNPRICED("gemini", "gemini-3.7-flash", 1048576, -1, THINKS),
    UNPRICED("gemini", "gemini-3.8-flash", 1048576, -1, THINKS),
    ROW("gemini", "gemini-embedding-001", 2048, -1, 0.15, -1, 0, EMBEDS),

    /* Hugging Face: who serves a model sets its price */
    UNPRICED("huggingface", "TinyLlama/TinyLlama-1.1B-Chat-v1.0", 2048, -1,
        WRITES),
    UNPRICED("huggingface", "openai/gpt-oss-120b", 131072, -1, BLIND),
    UNPRICED("huggingface", "openai/gpt-oss-120b:*", 131072, -1, BLIND),
    UNPRICED("huggingface", "openai/gpt-oss-20b", 131072, -1, BLIND),
    UNPRICED("huggingface", "openai/gpt-oss-20b:*", 131072, -1, BLIND),

    /* AWS Bedrock: what a region's own endpoint costs, then "global." */
    ROW("bedrock", "anthropic.claude-3-haiku-20240307-v1:0*", 200000, 4096,
        0.25, -1, 1.25, SEES),
    ROW("bedrock", "anthropic.claude-3-sonnet-20240229-v1:0*", 200000, 4096,
        3, 0.3, 15, SEES),
    ROW("bedrock", "anthropic.claude-3-opus-20240229-v1:0*", 200000, 4096,
        15, -1, 75, SEES),
    ROW("bedrock", "anthropic.claude-3-5-haiku-20241022-v1:0", 200000, 8192,
        0.8, 0.08, 4, SEES),
    ROW("bedrock", "anthropic.claude-3-5-sonnet-2024*", 200000, 8192,
        3, 0.3, 15, SEES),
    ROW("bedrock", "anthropic.claude-3-7-sonnet-20250219-v1:0", 200000, 64000,
        3, 0.3, 15, THINKS),
    ROW("bedrock", "anthropic.claude-sonnet-4-20250514-v1:0", 200000, 64000,
        3, 0.3, 15, THINKS),
    ROW("bedrock", "anthropic.claude-opus-4-20250514-v1:0", 200000, 32000,
        15, 1.5, 75, THINKS),
    ROW("bedrock", "anthropic.claude-opus-4-1-20250805-v1:0", 200000, 32000,
        15, 1.5, 75, THINKS),
    ROW("bedrock", "anthropic.claude-sonnet-4-5*", 200000, 64000,
        3.3, 0.33, 16.5, THINKS),
    ROW("bedrock", "global.anthropic.claude-sonnet-4-5*", 200000, 64000,
        3, 0.3, 15, THINKS),
    ROW("bedrock", "anthropic.claude-haiku-4-5*", 200000, 64000,
        1.1, 0.11, 5.5, THINKS),
    ROW("bedrock", "global.anthropic.claude-haiku-4-5*", 200000, 64000,
        1, 0.1, 5, THINKS),
    ROW("bedrock", "anthropic.claude-opus-4-5*", 200000, 64000,
        5.5, 0.55, 27.5, THINKS),
    ROW("bedrock", "global.anthropic.claude-opus-4-5*", 200000, 64000,
        5, 0.5, 25, THINKS),
    ROW("bedrock", "anthropic.claude-opus-4-6*", 1000000, 128000,
        5.5, 0.55, 27.5, THINKS),
    ROW("bedrock", "global.anthropic.claude-opus-4-6*", 1000000, 128000,
        5, 0.5, 25, THINKS),
    ROW("bedrock", "anthropic.claude-sonnet-4-6*", 1000000, 64000,
        3.3, 0.33, 16.5, THINKS),
    ROW("bedrock", "global.anthropic.claude-sonnet-4-6*", 1000000, 64000,
        3, 0.3, 15, THINKS),
    ROW("bedrock", "anthropic.claude-opus-4-7*", 1000000, 128000,
        5.5, 0.55, 27.5, COOL),
    ROW("bedrock", "global.anthropic.claude-opus-4-7*", 1000000, 128000,
        5, 0.5, 25, COOL),
    ROW("bedrock", "anthropic.claude-opus-4-8*", 1000000, 128000,
        5.5, 0.55, 27.5, COOL),
    ROW("bedrock", "global.anthropic.claude-opus-4-8*", 1000000, 128000,
        5, 0.5, 25, COOL),
    ROW("bedrock", "anthropic.claude-sonnet-5-v1*", 1000000, 128000,
        2.2, 0.22, 11, COOL),
    ROW("bedrock", "global.anthropic.claude-sonnet-5-v1*", 1000000, 128000,
        2, 0.2, 10, COOL),
    ROW("bedrock", "anthropic.claude-opus-5", 1000000, 128000,
        5.5, 0.55, 27.5, COOL),
    ROW("bedrock", "global.anthropic.claude-opus-5", 1000000, 128000,
        5, 0.5, 25, COOL),
    ROW("bedrock", "anthropic.claude-opus-5-5", 1000000, 128000,
        4.4, 0.22, 22, COOL),
    ROW("bedrock", "global.anthropic.claude-opus-5-5", 1000000, 128000,
        4, 0.2, 20, COOL),
    ROW("bedrock", "amazon.nova-micro-v1:0", 128000, 8192,
        0.035, 0.00875, 0.14, WRITES),
    ROW("bedrock", "amazon.nova-lite-v1:0", 300000, 8192,
        0.06, 0.015, 0.24, SEES),
    ROW("bedrock", "amazon.nova-pro-v1:0", 300000, 8192,
        0.8, 0.2, 3.2, SEES),
    ROW("bedrock", "amazon.nova-premier-v1:0", 1000000, 16384,
        2.5, 0.625, 12.5, THINKS),
    ROW("bedrock", "meta.llama3-1-8b-instruct-v1:0", 128000, 4096,
        0.22, -1, 0.22, WRITES),
    ROW("bedrock", "meta.llama3-1-70b-instruct-v1:0", 128000, 4096,
        0.72, -1, 0.72, WRITES),
    ROW("bedrock", "meta.llama3-3-70b-instruct-v1:0", 128000, 4096,
        0.72, -1, 0.72, WRITES),
    ROW("bedrock", "deepseek.r1-v1:0", 128000, 32768, 1.35, -1, 5.4, BLIND),
    ROW("bedrock", "openai.gpt-oss-120b-1:0", 128000, -1, 0.15, -1, 0.6,
        BLIND),
    ROW("bedrock", "openai.gpt-oss-20b-1:0", 128000, -1, 0.07, -1, 0.3,
        BLIND),

    /* On a machine of one's own */
    {"ollama", "*", UNKNOWN, UNKNOWN, PRICE(0, 0, 0), 0, NO_PRICE, "", SEES},
    {"offline", "*", UNKNOWN, UNKNOWN, PRICE(0, 0, 0), 0, NO_PRICE, "",
        false, false, false, false, true},
};
/* clang-format on */

const size_t models_n_builtin = COUNT_OF(models_builtin);

/*
 * What the offline provider says about Parley to whoever has just started it:
 * over the documents of this repository. An answer here must begin with what
 * was asked for. Where a change of the documents fails this test, the answers
 * have become worse: see the new ones, and reword.
 */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "provider/offline.h"

#define ANSWER_MAX (1024 * 1024) /* bytes */

static const struct {
    const char *question, *begins, *holds;
} rows[] = {
    {"What is Parley?", "Parley is a private AI chat", "You can ask about:"},
    {"what can you do", "Parley is a private AI chat", "- Start\n"},
    {"hello", "Hello!", "- Start\n"},
    {"How do I install it?", "**Start**", "make run"},
    {"how do I get started", "**Start**", "make run"},
    {"How do I set a key?", "**Start**", "OPENAI_API_KEY="},
    {"How do I use Apache?", "**On a server**", "`.htaccess`"},
    {"can I use it on shared hosting?", "**On a server**", "`.htaccess`"},
    {"which providers are supported?", "**Providers**", "- `anthropic`: "},
    {"how do I use Claude?", "**Providers**", "`ANTHROPIC_API_KEY`"},
    {"how do I change the port", "**Settings**\n\n- `PORT`", "`8080`"},
    {"how do I set a system prompt", "**Settings**", "- `SYSTEM_PROMPT`: "},
    {"how do I resume a stream", "**Use it with curl**", "`Last-Event-ID`"},
    {"how do I continue a session", "**Use it with curl**", "session_id=ID"},
    {"how do I delete a conversation", "**The interface**", "`DELETE /sess"},
    {"does it support images", "**The interface**", "`attachments`"},
    {"is my data private", "**Your data**", "private"},
    {"where are conversations stored", "**Your data**", "`DATA_DIR`"},
    {"who can see my messages?", "**Your data**", "accounts"},
    {"what license is it", "**Licence**", "MIT"},
    {"how do I upload a file?", "**Files**", "curl -F file=@"},
    {"which file types can be indexed?", "**Files**", "PDF, DOCX"},
    {"was ist Parley?", "Parley is a private AI chat", "- Start\n"},
    {"wie setze ich einen Schl\xc3\xbcssel?", "**Start**", "OPENAI_API_KEY="},
    {"can several people use it?", "**Accounts**", "user"},
    {"who invented the telephone", "I found nothing", "- Start\n"},
    {"what is the capital of France?", "I found nothing", "- Start\n"},
};

static void
what_a_new_user_asks_is_answered(void **state)
{
    struct docs *docs = docs_load(".");
    int wrong = 0;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++) {
        const char *question = rows[i].question, *got;
        struct buf out;

        buf_init(&out, ANSWER_MAX);
        assert_int_equal(
            offline_answer(docs, NULL, question, strlen(question), &out), OK);
        got = buf_cstr(&out);
        if (strstr(got, rows[i].begins) != got ||
            strstr(got, rows[i].holds) == NULL) {
            print_error("--- %s\n%s", question, got);
            wrong++;
        }
        buf_release(&out);
    }
    docs_free(docs);
    assert_int_equal(wrong, 0);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_new_user_asks_is_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

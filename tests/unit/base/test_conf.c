/* Tests of base/conf.c and base/conf_env.c. */
#include "base_test.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/conf_env.h"
#include "base/log.h"

static char root[PATH_MAX];
static char env_path[PATH_MAX + 8];

static const char *const names[] = {
    "HOST",
    "PORT",
    "DATA_DIR",
    "BASE_PATH",
    "LOG_LEVEL",
    "OPENAI_API_KEY",
    "SYSTEM_PROMPT",
    "THREADS",
    "OPENAI_BASE_URL",
    "AI_MODEL",
    "ALLOWED_ORIGINS",
    "AI_PROVIDER",
    "HF_API_KEY",
    "HF_TOKEN",
    "OLLAMA_BASE_URL",
    "OLLAMA_HOST",
    "MODELS_FILE",
};

static int
setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        (void)unsetenv(names[i]);
    (void)snprintf(root, sizeof(root), "/tmp/parley-conf-XXXXXX");
    if (!mkdtemp(root))
        return -1;
    (void)snprintf(env_path, sizeof(env_path), "%s/.env", root);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    (void)unlink(env_path);
    return rmdir(root);
}

static void
write_env(const char *s)
{
    FILE *f = fopen(env_path, "w");

    assert_non_null(f);
    assert_true(fputs(s, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* Load with standard error in a file; what was logged lies in said. */
static char said[8192];

static int
load(void)
{
    FILE *f = tmpfile();
    int keep = dup(STDERR_FILENO);
    int mistakes;
    size_t n;

    assert_non_null(f);
    assert_true(keep >= 0);
    assert_true(dup2(fileno(f), STDERR_FILENO) >= 0);
    mistakes = conf_load(root);
    assert_true(dup2(keep, STDERR_FILENO) >= 0);
    (void)close(keep);
    rewind(f);
    n = fread(said, 1, sizeof(said) - 1, f);
    said[n] = '\0';
    (void)fclose(f);
    assert_int_equal(conf_mistakes(), mistakes);
    return mistakes;
}

static void
without_anything_the_defaults_are_in_force(void **state)
{
    char want[PATH_MAX + 8];

    (void)state;
    assert_int_equal(load(), 0);
    assert_string_equal(conf_str(CONF_HOST), "127.0.0.1");
    assert_int_equal(conf_int(CONF_PORT), 8080);
    assert_string_equal(conf_str(CONF_BASE_PATH), "");
    assert_string_equal(conf_str(CONF_OPENAI_BASE_URL),
                        "https://api.openai.com/v1");
    assert_string_equal(conf_str(CONF_OPENAI_API_KEY), "");
    assert_false(conf_is_set(CONF_OPENAI_BASE_URL));
    assert_false(conf_is_set(CONF_DATA_DIR));
    assert_string_equal(conf_root(), root);
    (void)snprintf(want, sizeof(want), "%s/data", root);
    assert_string_equal(conf_str(CONF_DATA_DIR), want);
    for (int k = 0; k < CONF__MAX; k++)
        assert_non_null(conf_str((enum conf_key)k));
}

static void
the_file_comes_before_the_default_and_the_environment_before_both(void **state)
{
    (void)state;
    write_env("PORT=9001\nTHREADS=7\nAI_MODEL=from-file\nUNKNOWN=x\n");
    assert_int_equal(setenv("PORT", "9002", 1), 0);
    assert_int_equal(load(), 0);
    assert_int_equal(conf_int(CONF_PORT), 9002);
    assert_int_equal(conf_int(CONF_THREADS), 7);
    assert_string_equal(conf_str(CONF_AI_MODEL), "from-file");
    assert_true(conf_is_set(CONF_AI_MODEL));
}

static void
a_blank_variable_hides_the_file_and_means_the_default(void **state)
{
    (void)state;
    write_env("OPENAI_API_KEY=sk-file\nPORT=9001\n");
    assert_int_equal(setenv("OPENAI_API_KEY", "", 1), 0);
    assert_int_equal(setenv("PORT", "  ", 1), 0);
    assert_int_equal(load(), 0);
    assert_false(conf_is_set(CONF_OPENAI_API_KEY));
    assert_string_equal(conf_str(CONF_OPENAI_API_KEY), "");
    assert_int_equal(conf_int(CONF_PORT), 8080);
}

static void
all_mistakes_are_reported_by_name_and_rule(void **state)
{
    (void)state;
    write_env("PORT=70000\nTHREADS=many\nBASE_PATH=chat\n"
              "OPENAI_BASE_URL=ftp://x\nthis is no setting\n");
    assert_int_equal(setenv("LOG_LEVEL", "loud", 1), 0);
    assert_int_equal(load(), 6);
    assert_non_null(strstr(said, "name=PORT rule=\"must be a whole number "
                                 "from 1 to 65535\" value=\"70000\""));
    assert_non_null(strstr(said, "name=THREADS"));
    assert_non_null(strstr(said, "name=BASE_PATH"));
    assert_non_null(strstr(said, "name=OPENAI_BASE_URL"));
    assert_non_null(strstr(said, "name=LOG_LEVEL"));
    assert_non_null(strstr(said, "line=5"));
    assert_int_equal(conf_int(CONF_PORT), 8080);
    assert_int_equal(conf_int(CONF_THREADS), 4);
    assert_string_equal(conf_str(CONF_LOG_LEVEL), "info");
    assert_false(conf_is_set(CONF_PORT));
}

static void
what_the_environment_hides_in_the_file_does_not_count(void **state)
{
    (void)state;
    write_env("PORT=9001\nTHREADS=many\n");
    assert_int_equal(setenv("PORT", "high", 1), 0);
    assert_int_equal(setenv("THREADS", "3", 1), 0);
    assert_int_equal(load(), 1);
    assert_int_equal(conf_int(CONF_PORT), 8080);
    assert_int_equal(conf_int(CONF_THREADS), 3);
}

static void
a_secret_is_never_printed(void **state)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f;

    (void)state;
    assert_int_equal(setenv("OPENAI_API_KEY", "sk-\x01hunter2", 1), 0);
    assert_int_equal(load(), 1);
    assert_non_null(strstr(said, "name=OPENAI_API_KEY rule="));
    assert_null(strstr(said, "hunter2"));
    assert_int_equal(setenv("OPENAI_API_KEY", "sk-hunter2", 1), 0);
    write_env("OPENAI_API_KEY=\"sk-hunter2\nHOST=0.0.0.0\n");
    assert_int_equal(load(), 1);
    assert_null(strstr(said, "hunter2"));
    assert_string_equal(conf_str(CONF_OPENAI_API_KEY), "sk-hunter2");
    assert_string_equal(conf_str(CONF_HOST), "0.0.0.0");
    f = open_memstream(&text, &n);
    assert_non_null(f);
    conf_print_env(f);
    conf_print_table(f);
    assert_int_equal(fclose(f), 0);
    assert_null(strstr(text, "hunter2"));
    free(text);
}

static void
every_row_is_documented_twice(void **state)
{
    static const char *const some[] = {
        "HOST",    "PORT",          "DATA_DIR",          "OPENAI_API_KEY",
        "PING_MS", "STORE_MAP_MIB", "SESSION_QUEUE_MAX",
    };
    char *env = NULL;
    char *table = NULL;
    size_t n = 0;
    size_t lines = 0;
    FILE *f;

    (void)state;
    assert_int_equal(load(), 0);
    f = open_memstream(&env, &n);
    conf_print_env(f);
    assert_int_equal(fclose(f), 0);
    f = open_memstream(&table, &n);
    conf_print_table(f);
    assert_int_equal(fclose(f), 0);
    for (size_t i = 0; i < COUNT_OF(some); i++) {
        assert_non_null(strstr(env, some[i]));
        assert_non_null(strstr(table, some[i]));
    }
    for (const char *c = table; *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, CONF__MAX + 2);
    assert_non_null(strstr(env, "\n#PORT=8080\n"));
    assert_non_null(strstr(table, "1 to 65535"));
    /* What is printed, with the comments off, is what is in force. */
    for (char *c = env; (c = strstr(c, "\n#")); c++)
        if (c[2] != ' ')
            c[1] = ' ';
    write_env(env);
    assert_int_equal(load(), 0);
    assert_int_equal(conf_int(CONF_PORT), 8080);
    assert_true(conf_is_set(CONF_PORT));
    free(env);
    free(table);
}

static void
folders_are_below_the_root_unless_absolute(void **state)
{
    static const char *const pairs[][2] = {
        {"x", "/x"},
        {"./x/", "/x"},
        {".//x/y", "/x/y"},
        {"../x", "/../x"},
    };
    char want[PATH_MAX + 16];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        assert_int_equal(setenv("DATA_DIR", pairs[i][0], 1), 0);
        assert_int_equal(load(), 0);
        (void)snprintf(want, sizeof(want), "%s%s", root, pairs[i][1]);
        assert_string_equal(conf_str(CONF_DATA_DIR), want);
    }
    assert_int_equal(setenv("DATA_DIR", "/var/lib/x/", 1), 0);
    assert_int_equal(load(), 0);
    assert_string_equal(conf_str(CONF_DATA_DIR), "/var/lib/x");
    assert_int_equal(setenv("DATA_DIR", "/", 1), 0);
    assert_int_equal(load(), 0);
    assert_string_equal(conf_str(CONF_DATA_DIR), "/");
}

static void
blanks_and_last_slashes_are_taken_off(void **state)
{
    (void)state;
    assert_int_equal(setenv("BASE_PATH", " /~me/chat/ ", 1), 0);
    assert_int_equal(setenv("OPENAI_BASE_URL", "HTTP://x/v1//", 1), 0);
    assert_int_equal(setenv("PORT", " 81 \n", 1), 0);
    assert_int_equal(load(), 0);
    assert_string_equal(conf_str(CONF_BASE_PATH), "/~me/chat");
    assert_string_equal(conf_str(CONF_OPENAI_BASE_URL), "HTTP://x/v1");
    assert_int_equal(conf_int(CONF_PORT), 81);
    assert_int_equal(setenv("BASE_PATH", "/", 1), 0);
    assert_int_equal(load(), 0);
    assert_string_equal(conf_str(CONF_BASE_PATH), "");
}

static void
a_setting_may_have_another_name(void **state)
{
    (void)state;
    write_env("HF_TOKEN=second\n");
    assert_int_equal(load(), 0);
    assert_string_equal(conf_str(CONF_HF_API_KEY), "second");
    assert_true(conf_is_set(CONF_HF_API_KEY));
    assert_int_equal(setenv("HF_TOKEN", "from-environment", 1), 0);
    assert_int_equal(load(), 0);
    assert_string_equal(conf_str(CONF_HF_API_KEY), "from-environment");
    write_env("HF_TOKEN=second\nHF_API_KEY=first\n");
    assert_int_equal(load(), 0);
    assert_string_equal(conf_str(CONF_HF_API_KEY), "first");
    assert_string_equal(conf_str(CONF_HF_TOKEN), "from-environment");
    assert_string_equal(conf_name(CONF_HF_TOKEN), "HF_TOKEN");
}

static void
a_place_becomes_a_url(void **state)
{
    static const char *const pairs[][2] = {
        {"localhost", "http://localhost:11434"},
        {"10.0.0.1:80", "http://10.0.0.1:80"},
        {"[::1]", "http://[::1]:11434"},
        {"[::1]:80/", "http://[::1]:80"},
        {"box/api/", "http://box:11434/api"},
        {"https://box", "https://box"},
        {"http://box:1/x/", "http://box:1/x"},
    };
    static const char *const wrong[] = {"ftp://x", "http://", ":80", "a b"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        assert_int_equal(setenv("OLLAMA_HOST", pairs[i][0], 1), 0);
        assert_int_equal(load(), 0);
        assert_string_equal(conf_str(CONF_OLLAMA_BASE_URL), pairs[i][1]);
    }
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_int_equal(setenv("OLLAMA_HOST", wrong[i], 1), 0);
        assert_int_equal(load(), 1);
        assert_false(conf_is_set(CONF_OLLAMA_BASE_URL));
        assert_string_equal(conf_str(CONF_OLLAMA_BASE_URL),
                            "http://127.0.0.1:11434");
    }
}

static void
files_have_a_default_below_the_root(void **state)
{
    char want[PATH_MAX + 32];

    (void)state;
    assert_int_equal(load(), 0);
    (void)snprintf(want, sizeof(want), "%s/etc/models.json", root);
    assert_string_equal(conf_str(CONF_MODELS_FILE), want);
    assert_false(conf_is_set(CONF_MODELS_FILE));
}

static void
a_test_may_override(void **state)
{
    (void)state;
    assert_int_equal(load(), 0);
    conf_override(CONF_PORT, "99");
    assert_int_equal(conf_int(CONF_PORT), 99);
    assert_true(conf_is_set(CONF_PORT));
    conf_override(CONF_PORT, NULL);
    assert_int_equal(conf_int(CONF_PORT), 8080);
    assert_false(conf_is_set(CONF_PORT));
    conf_override(CONF_DATA_DIR, "/elsewhere");
    assert_string_equal(conf_str(CONF_DATA_DIR), "/elsewhere");
    assert_int_equal(load(), 0);
}

/* ---- .env ---- */

static char seen[4096];

static void
on_line(void *arg, const char *name, const char *value)
{
    size_t n = strlen(seen);

    (void)arg;
    (void)snprintf(seen + n, sizeof(seen) - n, "%s=[%s]", name, value);
}

static void
on_bad(void *arg, int line, const char *rule)
{
    size_t n = strlen(seen);

    (void)arg;
    assert_non_null(rule);
    (void)snprintf(seen + n, sizeof(seen) - n, "!%d", line);
}

static void
env_n(const char *s, size_t n, const char *want)
{
    char *copy = malloc(n ? n : 1);

    assert_non_null(copy);
    memcpy(copy, s, n);
    seen[0] = '\0';
    conf_env_parse(copy, n, on_line, on_bad, NULL);
    assert_string_equal(seen, want);
    free(copy);
}

static void
env(const char *s, const char *want)
{
    env_n(s, strlen(s), want);
}

static void
lines_are_names_and_values(void **state)
{
    (void)state;
    env("", "");
    env("A=1", "A=[1]");
    env("A=1\nB=2\n", "A=[1]B=[2]");
    env("A=1\r\nB=2\r\n", "A=[1]B=[2]");
    env("\n\n  # note\n\t\nA = 1 \n", "A=[1]");
    env("export A=1\nexport\tB=2\nexporting=3", "A=[1]B=[2]exporting=[3]");
    env("A=\nB=", "A=[]B=[]");
    env("\xEF\xBB\xBF"
        "A=1",
        "A=[1]");
    env("a_1=x=y", "a_1=[x=y]");
}

static void
comments_follow_a_blank(void **state)
{
    (void)state;
    env("A=1 # one", "A=[1]");
    env("A=1#one", "A=[1#one]");
    env("A=#one", "A=[]");
    env("A= # one", "A=[]");
    env("A='1' # one\nB=\"2\"#two", "A=[1]B=[2]");
}

static void
quotes_keep_what_is_in_them(void **state)
{
    (void)state;
    env("A=' 1 # x '", "A=[ 1 # x ]");
    env("A='a\\n\"b$HOME'", "A=[a\\n\"b$HOME]");
    env("A=\"a\\n\\t\\\"\\\\\\$b\\q\"", "A=[a\n\t\"\\$b\\q]");
    env("A=\"one\ntwo\"\nB=3", "A=[one\ntwo]B=[3]");
    env("A=it's\nB=say \"x\"", "A=[it's]B=[say \"x\"]");
    env("A=$B`x`", "A=[$B`x`]");
}

static void
mistakes_are_told_by_line_and_the_rest_is_read(void **state)
{
    (void)state;
    env("A=1\nnonsense\nB=2", "A=[1]!2B=[2]");
    env("=x\n1A=2\nA B=3\nC-D=4\nE=5", "!1!2!3!4E=[5]");
    env("A='open\nB=2", "!1B=[2]");
    env("A=\"x\ny\" z\nB=2", "!1!2B=[2]");
    env("A='1'2\nB=2", "!1B=[2]");
    env("A=\"x\ny\"\nbad", "A=[x\ny]!3");
    env_n("A=x\0y\nB=2", 9, "!1B=[2]");
}

static void
a_file_that_is_not_there_has_no_lines(void **state)
{
    char path[PATH_MAX + 16];

    (void)state;
    seen[0] = '\0';
    conf_env_read(env_path, on_line, on_bad, NULL);
    assert_string_equal(seen, "");
    (void)snprintf(path, sizeof(path), "%s/.", root);
    conf_env_read(path, on_line, on_bad, NULL);
    assert_string_equal(seen, "!0");
}

static void
a_file_that_is_too_long_is_a_mistake(void **state)
{
    (void)state;
    seen[0] = '\0';
    write_env("A=1\n");
    conf_env_read(env_path, on_line, on_bad, NULL);
    assert_string_equal(seen, "A=[1]");
    assert_int_equal(truncate(env_path, CONF_ENV_MAX + 1), 0);
    seen[0] = '\0';
    conf_env_read(env_path, on_line, on_bad, NULL);
    assert_string_equal(seen, "!0");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* The faults that conf_check tells, as lines. */
static void
note_fault(void *arg, const struct conf_fault *f)
{
    size_t n = strlen(said);

    ++*(int *)arg;
    (void)snprintf(said + n, sizeof(said) - n, "%s:%d:%s:%d\n",
                   f->name != NULL ? f->name : "-", f->line, f->rule,
                   f->unknown);
}

static void
a_check_tells_what_is_wrong_and_what_is_unknown(void **state)
{
    int faults = 0;

    (void)state;
    write_env("THREADS=many\nTHREDS=4\nno line\nOPENAI_API_KEY=\"a\001\"\n");
    assert_int_equal(load(), 3);
    said[0] = '\0';
    conf_check(note_fault, &faults);
    assert_int_equal(faults, 4);
    assert_int_equal(conf_mistakes(), 3); /* an unknown name is none */
    assert_non_null(
        strstr(said, "THREADS:0:must be a whole number from 1 to 64:0\n"));
    assert_non_null(strstr(said, "THREDS:0:is no setting:1\n"));
    assert_non_null(strstr(said, "-:3:"));
    assert_non_null(strstr(said, "OPENAI_API_KEY:0:must not hold control"));
    assert_true(setenv("THREADS", "5", 1) == 0);
    write_env("THREDS=4\n");
    faults = 0;
    conf_check(note_fault, &faults);
    assert_int_equal(faults, 1);
    assert_int_equal(conf_int(CONF_THREADS), 5);
    assert_int_equal(load(), 0);
    assert_string_equal(said, ""); /* into the log again, and it has nothing */
}

/* --- secrets in files ----------------------------------------------------- */

static char key_path[PATH_MAX + 16];

static void
write_key(const char *text, mode_t mode)
{
    FILE *f;

    (void)snprintf(key_path, sizeof(key_path), "%s/key", root);
    (void)unlink(key_path);
    f = fopen(key_path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(key_path, mode), 0);
}

static void
forget_key(void)
{
    (void)unlink(key_path);
    (void)unsetenv("OPENAI_API_KEY_FILE");
}

static void
a_secret_in_a_file_that_others_can_read_is_a_reason_not_to_start(void **state)
{
    static const mode_t open_to[] = {0640, 0604, 0620, 0602, 0644, 0610};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(open_to); i++) {
        write_env("PORT=9001\nOPENAI_API_KEY=sk-very-secret\n");
        assert_int_equal(chmod(env_path, open_to[i]), 0);
        assert_int_equal(load(), 0);
        assert_non_null(conf_refusal());
        assert_non_null(strstr(conf_refusal(), env_path));
        assert_non_null(strstr(conf_refusal(), "OPENAI_API_KEY"));
        assert_non_null(strstr(conf_refusal(), "chmod 600"));
        assert_null(strstr(conf_refusal(), "sk-very"));
    }
    assert_int_equal(chmod(env_path, 0600), 0);
    assert_int_equal(load(), 0);
    assert_null(conf_refusal());
    assert_int_equal(chmod(env_path, 0400), 0);
    assert_int_equal(load(), 0);
    assert_null(conf_refusal());
    assert_string_equal(conf_str(CONF_OPENAI_API_KEY), "sk-very-secret");
}

static void
without_a_secret_anybody_may_read_the_file(void **state)
{
    (void)state;
    write_env("PORT=9001\nOPENAI_API_KEY=\n#HF_TOKEN=hf_x\nOTHER_KEY=x\n");
    assert_int_equal(chmod(env_path, 0644), 0);
    assert_int_equal(load(), 0);
    assert_null(conf_refusal());
}

static void
a_secret_that_the_environment_hides_is_exposed_all_the_same(void **state)
{
    (void)state;
    write_env("OPENAI_API_KEY=sk-file\n");
    assert_int_equal(chmod(env_path, 0644), 0);
    assert_int_equal(setenv("OPENAI_API_KEY", "sk-env", 1), 0);
    assert_int_equal(load(), 0);
    assert_non_null(conf_refusal());
}

static void
a_secret_can_be_a_file_of_its_own(void **state)
{
    (void)state;
    write_key("sk-of-a-file\r\n\n", 0600);
    assert_int_equal(setenv("OPENAI_API_KEY_FILE", key_path, 1), 0);
    assert_int_equal(load(), 0);
    assert_null(conf_refusal());
    assert_true(conf_is_set(CONF_OPENAI_API_KEY));
    assert_string_equal(conf_str(CONF_OPENAI_API_KEY), "sk-of-a-file");
    assert_int_equal(setenv("OPENAI_API_KEY", "sk-env", 1), 0);
    assert_int_equal(load(), 0);
    assert_string_equal(conf_str(CONF_OPENAI_API_KEY), "sk-env");
    forget_key();
}

static void
the_line_of_env_may_name_the_file_below_the_root(void **state)
{
    (void)state;
    write_key("sk-of-a-file", 0400);
    write_env("OPENAI_API_KEY_FILE=./key\n");
    assert_int_equal(chmod(env_path, 0644), 0);
    assert_int_equal(load(), 0);
    assert_null(conf_refusal());
    assert_string_equal(conf_str(CONF_OPENAI_API_KEY), "sk-of-a-file");
    write_env("OPENAI_API_KEY=sk-line\nOPENAI_API_KEY_FILE=key\n");
    assert_int_equal(chmod(env_path, 0600), 0);
    assert_int_equal(load(), 0);
    assert_string_equal(conf_str(CONF_OPENAI_API_KEY), "sk-line");
    write_env("OPENAI_API_KEY_FILE=key\nOPENAI_API_KEY=sk-line\n");
    assert_int_equal(load(), 0);
    assert_string_equal(conf_str(CONF_OPENAI_API_KEY), "sk-line");
    forget_key();
}

static void
the_file_of_a_secret_has_the_same_rule_about_who_may_read_it(void **state)
{
    (void)state;
    write_key("sk-of-a-file", 0644);
    assert_int_equal(setenv("OPENAI_API_KEY_FILE", key_path, 1), 0);
    assert_int_equal(load(), 1);
    assert_non_null(conf_refusal());
    assert_non_null(strstr(conf_refusal(), key_path));
    assert_non_null(strstr(said, "OPENAI_API_KEY_FILE"));
    assert_null(strstr(said, "sk-of"));
    assert_string_equal(conf_str(CONF_OPENAI_API_KEY), "");
    forget_key();
}

static void
a_file_of_a_secret_that_is_none_is_told(void **state)
{
    (void)state;
    assert_int_equal(setenv("OPENAI_API_KEY_FILE", "/nowhere/at/all", 1), 0);
    assert_int_equal(load(), 1);
    assert_non_null(strstr(said, "OPENAI_API_KEY_FILE"));
    assert_null(conf_refusal());
    assert_int_equal(setenv("OPENAI_API_KEY_FILE", root, 1), 0);
    assert_int_equal(load(), 1);
    assert_int_equal(setenv("OPENAI_API_KEY_FILE", "  ", 1), 0);
    assert_int_equal(load(), 0);
    write_env("AI_MODEL_FILE=x\n_FILE=y\n"); /* no secrets: not ours */
    assert_int_equal(load(), 0);
    assert_false(conf_is_set(CONF_AI_MODEL));
    forget_key();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(without_anything_the_defaults_are_in_force),
        T(the_file_comes_before_the_default_and_the_environment_before_both),
        T(a_blank_variable_hides_the_file_and_means_the_default),
        T(all_mistakes_are_reported_by_name_and_rule),
        T(what_the_environment_hides_in_the_file_does_not_count),
        T(a_secret_is_never_printed),
        T(every_row_is_documented_twice),
        T(folders_are_below_the_root_unless_absolute),
        T(blanks_and_last_slashes_are_taken_off),
        T(a_check_tells_what_is_wrong_and_what_is_unknown),
        T(a_setting_may_have_another_name),
        T(a_place_becomes_a_url),
        T(files_have_a_default_below_the_root),
        T(a_test_may_override),
        T(lines_are_names_and_values),
        T(comments_follow_a_blank),
        T(quotes_keep_what_is_in_them),
        T(mistakes_are_told_by_line_and_the_rest_is_read),
        T(a_file_that_is_not_there_has_no_lines),
        T(a_file_that_is_too_long_is_a_mistake),
        T(a_secret_in_a_file_that_others_can_read_is_a_reason_not_to_start),
        T(without_a_secret_anybody_may_read_the_file),
        T(a_secret_that_the_environment_hides_is_exposed_all_the_same),
        T(a_secret_can_be_a_file_of_its_own),
        T(the_line_of_env_may_name_the_file_below_the_root),
        T(the_file_of_a_secret_has_the_same_rule_about_who_may_read_it),
        T(a_file_of_a_secret_that_is_none_is_told),
    };

    return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}

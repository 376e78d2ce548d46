/*
 * parley passwd: the accounts of the password file (HTPASSWD_FILE). A password
 * is asked for twice on the terminal, without showing it, or is the first line
 * of the standard input; never an argument, which others could see. A server
 * that runs takes the new file within a second or two of the next sign-in. An
 * account that goes takes its API keys and logins along (gone.c).
 */
#include "base/base.h"

#include "cli.h"

#include <fcntl.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include "auth/basic.h"
#include "auth/htpasswd_file.h"
#include "auth/password.h"
#include "base/conf.h"

/* One more than is allowed, so that what is too long is seen to be. */
#define LINE_BYTES (HTPASSWD_PASSWORD_MAX + 2)

enum what { SET, DELETE, CHECK };

/* --- reading a password -------------------------------------------------- */

/* A line without its newline; false: there is none. Not through stdio, whose
 * buffers would keep it. */
static bool
read_line(int fd, char line[LINE_BYTES])
{
    size_t n = 0;
    bool any = false;

    for (;;) {
        char c;
        ssize_t got = read(fd, &c, 1);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        any = true;
        if (c == '\n')
            break;
        if (c == '\0')
            c = '\x01'; /* is refused, as it should be */
        if (n < LINE_BYTES - 1)
            line[n++] = c;
    }
    if (n > 0 && line[n - 1] == '\r')
        n--;
    line[n] = '\0';
    return any;
}

static void
say(int tty, const char *text)
{
    IGNORE(write(tty, text, strlen(text)) < 0);
}

/* Ask on the terminal. Signals wait until it shows again what is typed. */
static bool
ask(int tty, const char *prompt, char line[LINE_BYTES])
{
    struct termios before, hidden;
    sigset_t block, old;
    bool ok;

    if (tcgetattr(tty, &before) != 0)
        return false;
    hidden = before;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    hidden.c_lflag |= ICANON | ECHONL | ISIG;
    (void)sigemptyset(&block);
    (void)sigaddset(&block, SIGTSTP);
    (void)sigprocmask(SIG_BLOCK, &block, &old);
    ok = tcsetattr(tty, TCSAFLUSH, &hidden) == 0;
    say(tty, prompt); /* after it, as what was typed before is thrown away */
    ok = ok && read_line(tty, line);
    IGNORE(tcsetattr(tty, TCSAFLUSH, &before) != 0);
    (void)sigprocmask(SIG_SETMASK, &old, NULL);
    return ok;
}

static struct termios at_start;
static int at_start_fd = -1;

static void
on_interrupt(int sig)
{
    IGNORE(tcsetattr(at_start_fd, TCSANOW, &at_start) != 0);
    IGNORE(write(at_start_fd, "\n", 1) < 0);
    _exit(128 + sig);
}

/* Twice, and the same. */
static int
ask_twice(char line[LINE_BYTES])
{
    char again[LINE_BYTES] = "";
    int status = CLI_OK;
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

    if (tty < 0 || tcgetattr(tty, &at_start) != 0) {
        if (tty >= 0)
            (void)close(tty);
        return cli_fail("there is no terminal to ask on; --stdin reads the "
                        "password from standard input");
    }
    at_start_fd = tty;
    (void)signal(SIGINT, on_interrupt);
    (void)signal(SIGTERM, on_interrupt);
    if (!ask(tty, "New password: ", line) ||
        !ask(tty, "The same again: ", again))
        status = cli_fail("no password was given");
    else if (strcmp(line, again) != 0)
        status = cli_fail("these were two different ones; nothing is changed");
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    explicit_bzero(again, sizeof(again));
    (void)close(tty);
    return status;
}

/* --- what is done -------------------------------------------------------- */

static int
set(const char *path, const char *user, bool from_stdin)
{
    char line[LINE_BYTES] = "", hash[HTPASSWD_HASH_MAX + 1];
    struct problem why = {0};
    const char *easy;
    int status = CLI_OK;

    if (!basic_user_valid(user, strlen(user)))
        return cli_fail("a user name has 1 to %d bytes of UTF-8, no colon and "
                        "no control characters",
                        HTPASSWD_USER_MAX);
    if (!from_stdin)
        status = ask_twice(line);
    else if (!read_line(STDIN_FILENO, line))
        status = cli_fail("there is no password on standard input");
    easy = status == CLI_OK ? password_fault(conf_root(), user, line) : NULL;
    if (easy != NULL)
        status = cli_fail("this password is too easy: %s", easy);
    if (status == CLI_OK && htpasswd_hash(hash, line, &why) != OK)
        status = cli_fail("%s", why.message);
    explicit_bzero(line, sizeof(line));
    if (status != CLI_OK)
        return status;
    if (htpasswd_put(path, user, hash, &why) != OK)
        return cli_fail("%s", why.message);
    (void)printf("%s: %s has a new password\n", path, user);
    return CLI_OK;
}

static int
delete_user(const char *path, const char *user)
{
    struct problem why = {0};

    if (htpasswd_put(path, user, NULL, &why) != OK)
        return cli_fail("%s", why.message);
    (void)printf("%s: %s is gone\n", path, user);
    return cli_account_gone(path, user);
}

static void
on_fault(void *arg, const struct htpasswd_fault *f)
{
    (void)printf("%s:%d: %s%s%s\n", (const char *)arg, f->line, f->user,
                 *f->user != '\0' ? " " : "", f->what);
    if (f->advice[0] != '\0')
        (void)printf("    %s\n", f->advice);
}

static int
check(const char *path)
{
    char name[256];
    struct htpasswd_table *t;
    struct problem why = {0};
    int status;

    (void)snprintf(name, sizeof(name), "%s", path);
    if (htpasswd_table_read(&t, path, NULL, on_fault, name, &why) != OK)
        return cli_fail("%s", why.message);
    if (t->open_to_all)
        (void)printf("%s: everybody may read it; chmod o-r\n", path);
    (void)printf("%s: %zu users can sign in, %zu lines cannot be used\n", path,
                 t->n, t->faults);
    status = t->faults > 0 || t->open_to_all ? CLI_FAULTS : CLI_OK;
    htpasswd_table_free(t);
    return status;
}

int
cli_passwd(int argc, char **argv)
{
    const char *names[2] = {NULL, NULL};
    enum what what = SET;
    bool from_stdin = false;
    size_t n = 0;

    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--delete") == 0 && what == SET)
            what = DELETE;
        else if (strcmp(argv[i], "--check") == 0 && what == SET)
            what = CHECK;
        else if (strcmp(argv[i], "--stdin") == 0)
            from_stdin = true;
        else if (strncmp(argv[i], "--", 2) != 0 && argv[i][0] != '\0' &&
                 n < COUNT_OF(names))
            names[n++] = argv[i];
        else
            return cli_wrong("passwd");
    }
    if (n != (what == CHECK ? 1 : 2) || (from_stdin && what != SET))
        return cli_wrong("passwd");
    if (what == CHECK)
        return check(names[0]);
    if (what == DELETE)
        return delete_user(names[0], names[1]);
    return set(names[0], names[1], from_stdin);
}

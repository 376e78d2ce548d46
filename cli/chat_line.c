/*
 * Lines of the user: with libedit's editor and a history on a terminal, else as
 * they come. The history is a file of the user's own (mode 0600) below
 * XDG_STATE_HOME, a line each, to which lines are added as they are said, so
 * that several conversations at a time lose none; a line that begins with a
 * space is kept nowhere.
 *
 * Characters are read and decoded here, not by libedit: so Ctrl-C ends the line
 * and not the program, and UTF-8 works whatever the locale says.
 */
#include "base/base.h"

#include "chat.h"

#include <fcntl.h>
#include <histedit.h>
#include <locale.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#include "base/mem.h"
#include "base/text.h"

#define HISTORY_LINES 1000
#define HISTORY_FILE_MAX (1024 * 1024) /* bytes; then the older half goes */
#define PATH_LEN 4096

struct chat_line {
    EditLine *el;     /* owned; NULL: no editing */
    History *history; /* owned */
    int file;         /* to add to; -1: none */
    char *line;       /* owned; what was read last */
    size_t size;
    const char *prompt;
    bool broken; /* by Ctrl-C */
};

/* --- the file ------------------------------------------------------------- */

/* Make the folders of a path; its own name is none. */
static void
make_folders(char *path)
{
    for (char *s = path + 1; *s != '\0'; s++)
        if (*s == '/') {
            *s = '\0';
            IGNORE(mkdir(path, 0700) != 0); /* opening the file tells */
            *s = '/';
        }
}

static bool
history_path(char out[PATH_LEN])
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    int n = 0;

    if (state != NULL && state[0] == '/')
        n = snprintf(out, PATH_LEN, "%s/parley/chat_history", state);
    else if (home != NULL && home[0] == '/')
        n = snprintf(out, PATH_LEN, "%s/.local/state/parley/chat_history",
                     home);
    return n > 0 && n < PATH_LEN;
}

/* All of the file, or its newer half if it has grown too long. */
static void
read_history(int fd, struct buf *out)
{
    char piece[16384];
    size_t half;
    ssize_t n;

    while ((n = read(fd, piece, sizeof(piece))) > 0)
        buf_add(out, piece, (size_t)n);
    if (out->len <= HISTORY_FILE_MAX)
        return;
    half = out->len / 2;
    while (half < out->len && out->data[half] != '\n')
        half++;
    buf_drop(out, half + 1 < out->len ? half + 1 : out->len);
    if (ftruncate(fd, 0) == 0) /* it is opened to append */
        IGNORE(write(fd, out->data, out->len) < 0);
}

static void
load_history(struct chat_line *l)
{
    char path[PATH_LEN], *save = NULL, *text;
    struct buf all;
    HistEvent ev;

    if (!history_path(path))
        return;
    make_folders(path);
    l->file = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                   0600);
    if (l->file < 0)
        return;
    IGNORE(fchmod(l->file, 0600) != 0);
    buf_init(&all, 2 * HISTORY_FILE_MAX);
    read_history(l->file, &all);
    text = xmemdup0(all.data != NULL ? all.data : "", all.len);
    for (char *s = strtok_r(text, "\n", &save); s != NULL;
         s = strtok_r(NULL, "\n", &save))
        (void)history(l->history, &ev, H_ENTER, s);
    free(text);
    buf_release(&all);
}

static void
remember(struct chat_line *l, const char *line)
{
    size_t n = strlen(line);
    struct buf out;
    HistEvent ev;

    if (n == 0 || line[0] == ' ' || line[0] == '\t')
        return;
    (void)history(l->history, &ev, H_ENTER, line);
    if (l->file < 0)
        return;
    buf_init(&out, HISTORY_FILE_MAX);
    buf_add(&out, line, n);
    buf_addc(&out, '\n');
    if (buf_status(&out) == OK)
        IGNORE(write(l->file, out.data, out.len) < 0);
    buf_release(&out);
}

/* --- the editor ----------------------------------------------------------- */

static const char *
prompt_of(EditLine *el)
{
    struct chat_line *l = NULL;

    (void)el_get(el, EL_CLIENTDATA, &l);
    return l->prompt;
}

/* One byte; -1: Ctrl-C or a failure, 0: the end. */
static int
read_byte(struct chat_line *l, unsigned char *c)
{
    ssize_t n;

    for (;;) {
        if (chat_interrupts > 0) {
            l->broken = true;
            return -1;
        }
        n = read(STDIN_FILENO, c, 1);
        if (n >= 0)
            return (int)n;
        if (errno != EINTR)
            return -1;
    }
}

/* As libedit wants it. */
static int
read_character(EditLine *el, wchar_t *out)
{
    struct chat_line *l = NULL;
    unsigned char s[4];
    size_t n = 0;
    int got;

    (void)el_get(el, EL_CLIENTDATA, &l);
    do {
        got = read_byte(l, &s[n]);
        if (got <= 0)
            return got;
        n++;
    } while (n < sizeof(s) && utf8_seq((char *)s, n) == 0);
    if (n == 1)
        *out = s[0] < 0x80 ? s[0] : 0xfffd;
    else if (utf8_seq((char *)s, n) != (int)n)
        *out = 0xfffd;
    else if (n == 2)
        *out = (wchar_t)((s[0] & 0x1f) << 6 | (s[1] & 0x3f));
    else if (n == 3)
        *out = (wchar_t)((s[0] & 0x0f) << 12 | (s[1] & 0x3f) << 6 |
                         (s[2] & 0x3f));
    else
        *out = (wchar_t)((s[0] & 0x07) << 18 | (s[1] & 0x3f) << 12 |
                         (s[2] & 0x3f) << 6 | (s[3] & 0x3f));
    return 1;
}

static void
open_editor(struct chat_line *l)
{
    HistEvent ev;

    if (setlocale(LC_CTYPE, "") == NULL || MB_CUR_MAX < 4)
        (void)setlocale(LC_CTYPE, "C.UTF-8");
    l->el = el_init("parley", stdin, stdout, stderr);
    l->history = history_init();
    if (l->el == NULL || l->history == NULL)
        abort(); /* for want of memory */
    (void)history(l->history, &ev, H_SETSIZE, HISTORY_LINES);
    (void)history(l->history, &ev, H_SETUNIQUE, 1);
    (void)el_set(l->el, EL_CLIENTDATA, l);
    (void)el_set(l->el, EL_PROMPT, prompt_of);
    (void)el_set(l->el, EL_EDITOR, "emacs");
    (void)el_set(l->el, EL_SIGNAL, 0);
    (void)el_set(l->el, EL_HIST, history, l->history);
    (void)el_set(l->el, EL_GETCFN, read_character);
    (void)el_set(l->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
    (void)el_source(l->el, NULL); /* ~/.editrc */
    load_history(l);
}

struct chat_line *
chat_line_open(bool edit)
{
    struct chat_line *l = xcalloc(1, sizeof(*l));

    l->file = -1;
    if (edit)
        open_editor(l);
    return l;
}

void
chat_line_close(struct chat_line *l)
{
    if (l->history != NULL)
        history_end(l->history);
    if (l->el != NULL)
        el_end(l->el);
    if (l->file >= 0)
        (void)close(l->file);
    free(l->line);
    free(l);
}

static enum chat_line_end
read_edited(struct chat_line *l, const char **out)
{
    const char *s;
    int n = 0;

    l->broken = false;
    el_resize(l->el);
    s = el_gets(l->el, &n);
    if (s == NULL || n <= 0) {
        el_reset(l->el);
        return l->broken ? CHAT_LINE_BROKEN : CHAT_LINE_EOF;
    }
    free(l->line);
    l->line = xmemdup0(s, strcspn(s, "\r\n"));
    remember(l, l->line);
    *out = l->line;
    return CHAT_LINE;
}

enum chat_line_end
chat_line_read(struct chat_line *l, const char *prompt, const char **out)
{
    ssize_t n;

    chat_interrupts = 0;
    l->prompt = prompt;
    if (l->el != NULL)
        return read_edited(l, out);
    n = getline(&l->line, &l->size, stdin);
    if (n < 0)
        return chat_interrupts > 0 ? CHAT_LINE_BROKEN : CHAT_LINE_EOF;
    l->line[strcspn(l->line, "\r\n")] = '\0';
    *out = l->line;
    return CHAT_LINE;
}

/*
 * The server that runs on this machine, if one does: do its sockets answer, and
 * may it open as many files as the settings promise? Its own limit is read of
 * it, as that of a shell says nothing about a service.
 */
#include "base/base.h"

#include "doctor.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/conf.h"
#include "client/shake.h"

#define PER_STREAM 2    /* descriptors: the reader's and the provider's */
#define RESERVED 256    /* store, sockets, threads */
#define FEW_STREAMS 256 /* that a site may well need */
#define ANSWER_S 5

/* A connection, or -1 with errno. */
static int
reach(const char *name)
{
    struct timeval patience = {.tv_sec = ANSWER_S};
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int n = snprintf(a.sun_path, sizeof(a.sun_path), "%s/%s",
                     conf_str(CONF_DATA_DIR), name);
    int fd;

    if (n < 0 || (size_t)n >= sizeof(a.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
        int saved = errno;

        (void)close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

/* Who listens at the other end; 0: not known. */
static pid_t
listener(int fd)
{
    struct ucred who;
    socklen_t n = sizeof(who);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 ? who.pid : 0;
}

static void
say_unreached(struct doctor *d, const char *name)
{
    switch (errno) {
    case ENOENT:
        doctor_say(d, DOCTOR_NOTE, name,
                   "no server has opened it; one does when it starts");
        break;
    case ECONNREFUSED:
        doctor_say(d, DOCTOR_NOTE, name,
                   "nobody listens; the server that made it has ended");
        break;
    case EACCES:
        doctor_say(d, DOCTOR_NOTE, name,
                   "you may not open it; it is the server's user's");
        break;
    case ENAMETOOLONG: break; /* said of the folder */
    default:
        doctor_say(d, DOCTOR_WARN, name, "cannot be reached: %s",
                   strerror(errno));
    }
}

/* --- the limit of files --------------------------------------------------- */

/* Of a process, the hard one, as it raises the other to that; 0: unknown. */
static uint64_t
files_of(pid_t pid)
{
    char path[64], line[256];
    unsigned long long hard = 0;
    FILE *f;

    (void)snprintf(path, sizeof(path), "/proc/%d/limits", (int)pid);
    f = fopen(path, "re");
    while (f != NULL && hard == 0 && fgets(line, sizeof(line), f) != NULL)
        if (sscanf(line, "Max open files %*s %llu", &hard) != 1)
            hard = 0;
    if (f != NULL)
        (void)fclose(f);
    return hard;
}

static void
look_at_files(struct doctor *d, pid_t pid)
{
    const char *whose = "of the server";
    uint64_t files = pid > 0 ? files_of(pid) : 0, streams;
    uint64_t wanted = (uint64_t)conf_int(CONF_MAX_STREAMS);
    struct rlimit lim;

    if (files == 0) {
        if (getrlimit(RLIMIT_NOFILE, &lim) != 0)
            return;
        files = lim.rlim_max;
        whose = "here";
    }
    streams = files > 2 * RESERVED ? (files - RESERVED) / PER_STREAM
                                   : RESERVED / PER_STREAM;
    if (wanted <= streams && (wanted > 0 || streams >= FEW_STREAMS)) {
        doctor_say(d, DOCTOR_OK, "descriptors",
                   "the limit %s is %" PRIu64 ", enough for %" PRIu64
                   " streams at once",
                   whose, files, wanted > 0 ? wanted : streams);
        return;
    }
    doctor_say(d, DOCTOR_WARN, "descriptors",
               "the limit %s is %" PRIu64 ", enough for %" PRIu64
               " streams at once%s",
               whose, files, streams,
               wanted > streams ? ", less than MAX_STREAMS" : "");
    files = (wanted > FEW_STREAMS ? wanted : 4096) * PER_STREAM + RESERVED;
    doctor_change(d, "systemd", "LimitNOFILE=%" PRIu64, files);
    doctor_change(d, "lighttpd", "server.max-fds := 65535");
    doctor_change(d, "shell", "ulimit -Hn %" PRIu64, files);
}

/* --- the socket of WebSockets --------------------------------------------- */

/* Shake hands as a web server would pass it on. OK: it was accepted. */
static enum err
shake_hands(int fd)
{
    struct shake_url u = {.host = "localhost", .path = "/ws/chat"};
    struct shake_reply r = {.status = 0};
    char key[SHAKE_KEY_LEN], head[SHAKE_HEAD_MAX];
    size_t n = 0;
    ssize_t k;
    struct buf ask;
    enum err e = ERR_AGAIN;

    shake_key(key);
    buf_init(&ask, SHAKE_HEAD_MAX);
    shake_request(&ask, &u, key, "");
    if (send(fd, ask.data, ask.len, MSG_NOSIGNAL) != (ssize_t)ask.len)
        e = ERR_HUP;
    while (e == ERR_AGAIN && n < sizeof(head) &&
           (k = read(fd, head + n, sizeof(head) - n)) > 0) {
        n += (size_t)k;
        e = shake_reply(&r, head, n, key);
    }
    buf_release(&ask);
    return e == OK && r.status != 101 ? ERR_BADREQ : e;
}

static void
look_at_websockets(struct doctor *d)
{
    int fd = reach("ws.sock");
    enum err e;

    if (fd < 0) {
        say_unreached(d, "ws.sock");
        return;
    }
    e = shake_hands(fd);
    if (e == OK)
        doctor_say(d, DOCTOR_OK, "ws.sock", "takes WebSockets");
    else
        doctor_say(d, DOCTOR_FAIL, "ws.sock",
                   "does not answer a handshake: %s; the server hangs, or "
                   "another program listens",
                   err_text(e));
    (void)close(fd);
}

void
doctor_server(struct doctor *d)
{
    int fd = reach("engine.sock");
    pid_t pid = 0;

    if (fd >= 0) {
        pid = listener(fd);
        doctor_say(d, DOCTOR_OK, "engine.sock", "process %d listens", (int)pid);
        (void)close(fd);
    } else {
        say_unreached(d, "engine.sock");
    }
    look_at_websockets(d);
    look_at_files(d, pid);
}

/* signals.c — signals become bytes in a pipe, so that one poll waits for everything; a crash restores the terminal. */
#include "internal.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Never closed once made: a worker may post after the screen has gone. */
static int pipe_ends[2] = {-1, -1};

static const int watched[] = {SIGWINCH, SIGCONT, SIGTSTP, SIGINT, SIGTERM, SIGHUP};
/* SIGQUIT among them: who sends it wants the end and a core now, of a program that may hear nothing else any more. */
static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGQUIT};
enum { watched_count = sizeof watched / sizeof *watched, fatal_count = sizeof fatal / sizeof *fatal };
static struct sigaction watched_before[watched_count], fatal_before[fatal_count], pipe_before;

static void post_byte(unsigned char byte) {
    int kept = errno;
    if (pipe_ends[1] >= 0 && write(pipe_ends[1], &byte, 1) < 0) errno = kept; /* a full pipe already wakes the reader */
    errno = kept;
}

static void on_signal(int number) { post_byte((unsigned char)number); }

void ct_post(void) { post_byte(0); }

/* The length is none while the bytes change. */
static char crash_bytes[64];
static volatile sig_atomic_t crash_count = 0;

void ct_write_at_crash(const void *bytes, size_t count) {
    crash_count = 0;
    if (count == 0 || count > sizeof crash_bytes) return;
    memcpy(crash_bytes, bytes, count);
    crash_count = (sig_atomic_t)count;
}

/* Only calls that are safe in a signal handler. Swift has by now printed its reason to the held standard error. */
static void on_crash(int number) {
    /* The first of it ends a picture that is only half sent: else the rest would be part of the picture. */
    static const char end_string[] = "\033\\";
    static const char restore[] = "\033[r\033[?2004l\033[8h\033[?1006l\033[?1002l\033[?1000l\033[0m\033[?25h\033[?1049l"
                                  "\033[?1l\033>";
    if (write(STDOUT_FILENO, end_string, sizeof end_string - 1) > 0 && crash_count > 0 &&
        write(STDOUT_FILENO, crash_bytes, (size_t)crash_count) < 0)
        crash_count = 0;
    if (write(STDOUT_FILENO, restore, sizeof restore - 1) > 0) tcsetattr(STDIN_FILENO, TCSANOW, &ct_saved.modes);
    ct_release_error();
    raise(number); /* SA_RESETHAND: the default action follows when this handler returns */
}

static void install(int number, void (*handler)(int), int flags, struct sigaction *before) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, before);
}

int ct_signals_begin(void) {
    if (pipe_ends[0] < 0 && pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) != 0) return 0;
    static char stack[64 * 1024];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&alternate, NULL); /* else a stack overflow could not run its handler */
    sigset_t ours;
    sigemptyset(&ours);
    for (int i = 0; i < fatal_count; i++) {
        install(fatal[i], on_crash, SA_ONSTACK | SA_RESETHAND, &fatal_before[i]);
        sigaddset(&ours, fatal[i]);
    }
    for (int i = 0; i < watched_count; i++) {
        install(watched[i], on_signal, SA_RESTART, &watched_before[i]);
        sigaddset(&ours, watched[i]);
    }
    install(SIGPIPE, SIG_IGN, 0, &pipe_before);
    /* Some parents start us with every signal blocked; then neither a resize nor a kill would arrive. */
    sigprocmask(SIG_UNBLOCK, &ours, NULL);
    return 1;
}

void ct_signals_end(void) {
    for (int i = 0; i < fatal_count; i++) sigaction(fatal[i], &fatal_before[i], NULL);
    for (int i = 0; i < watched_count; i++) sigaction(watched[i], &watched_before[i], NULL);
    sigaction(SIGPIPE, &pipe_before, NULL);
}

void ct_handle_suspend_signal(int ours) { install(SIGTSTP, ours ? on_signal : SIG_DFL, SA_RESTART, NULL); }

void ct_handle_child_signals(int runs) {
    ct_handle_suspend_signal(!runs);
    install(SIGINT, runs ? SIG_IGN : on_signal, SA_RESTART, NULL);
    install(SIGQUIT, runs ? SIG_IGN : on_crash, SA_ONSTACK | SA_RESETHAND, NULL);
}

static unsigned meaning(unsigned char byte) {
    switch (byte) {
    case SIGWINCH: return CT_WAKE_RESIZE;
    case SIGCONT: return CT_WAKE_CONTINUED;
    case SIGTSTP: return CT_WAKE_SUSPEND;
    case SIGINT: return CT_WAKE_INTERRUPT;
    case SIGTERM: return CT_WAKE_TERMINATE;
    case SIGHUP: return CT_WAKE_HANGUP;
    default: return CT_WAKE_POSTED;
    }
}

static unsigned read_pipe(void) {
    unsigned wake = 0;
    unsigned char bytes[256];
    ssize_t count;
    while ((count = read(pipe_ends[0], bytes, sizeof bytes)) > 0)
        for (ssize_t i = 0; i < count; i++) wake |= meaning(bytes[i]);
    return wake;
}

/* A terminal that hung up is ready to be read for ever: each read is at its end. So is one of which a background group
   without a shell may read nothing, as when `make` was killed over the program that it ran. The read takes nothing. */
static int is_gone(short events) {
    if (events & (POLLHUP | POLLERR | POLLNVAL)) return 1;
    char none;
    return (events & POLLIN) && read(STDIN_FILENO, &none, 0) < 0 && errno == EIO;
}

unsigned ct_wait(int limit_ms) {
    struct pollfd sources[2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = pipe_ends[0], .events = POLLIN}};
    /* An interrupted poll is no wake-up: the byte in the pipe is, and the next poll sees it. */
    if (poll(sources, 2, limit_ms) < 0) return errno == EINTR ? 0 : CT_WAKE_HANGUP;
    unsigned wake = read_pipe();
    if (is_gone(sources[0].revents)) return wake | CT_WAKE_HANGUP;
    return sources[0].revents & POLLIN ? wake | CT_WAKE_INPUT : wake;
}

unsigned ct_wait_signals(int limit_ms) {
    /* Without an event that is asked for, the terminal still says when it is gone. */
    struct pollfd sources[2] = {{.fd = STDIN_FILENO, .events = 0}, {.fd = pipe_ends[0], .events = POLLIN}};
    if (poll(sources, 2, limit_ms) < 0) return 0;
    unsigned wake = read_pipe();
    return is_gone(sources[0].revents) ? wake | CT_WAKE_HANGUP : wake;
}

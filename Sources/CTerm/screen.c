/* screen.c — takes the terminal over and gives it back, whatever happens in between. */
#include "internal.h"
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <time.h>
#include <unistd.h>

#undef columns /* term.h makes a macro of it */

struct ct_saved ct_saved = {.error_log = -1, .real_error = -1};

static SCREEN *screen;
/* Pastes come in brackets; at the end all rows scroll again; and text stays in the order of its cells (ECMA-48 BDSM): a terminal that turned words written
   from right to left around would move the borders and lanes between them. */
static const char modes_on[] = "\033[?2004h\033[8l";
static const char modes_off[] = "\033[r\033[?2004l\033[8h";

void ct_use_locale(void) { setlocale(LC_ALL, ""); }

int ct_codeset_is_utf8(void) { return strcmp(nl_langinfo(CODESET), "UTF-8") == 0; }

int ct_check(void) {
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) return CT_NOT_A_TERMINAL;
    const char *name = getenv("TERM");
    int found = 0;
    if (name == NULL || *name == '\0' || setupterm(NULL, STDOUT_FILENO, &found) != OK) return CT_UNKNOWN_TERMINAL;
    /* newterm accepts TERM=dumb and then draws nothing useful, so its description is read first. */
    const char *move = tigetstr("cup"), *wipe = tigetstr("clear");
    int able = move != NULL && move != (char *)-1 && wipe != NULL && wipe != (char *)-1;
    del_curterm(cur_term);
    return able ? CT_OK : CT_DUMB_TERMINAL;
}

static long elapsed_ms(const struct timespec *since) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000;
}

/* Whether bytes end in ESC [ ? … c, the answer that every terminal gives and that is asked for last. */
static int is_answered(const char *bytes, size_t count) {
    if (count < 4 || bytes[count - 1] != 'c') return 0;
    size_t at = count - 1;
    while (at > 0 && (strchr("0123456789;", bytes[at - 1]) != NULL)) at--;
    return at >= 3 && bytes[at - 1] == '?' && bytes[at - 2] == '[' && bytes[at - 3] == '\033';
}

size_t ct_probe(const char *query, char *answer, size_t capacity, int limit_ms) {
    struct termios before, raw;
    if (tcgetattr(STDIN_FILENO, &before) != 0) return 0;
    raw = before;
    cfmakeraw(&raw);
    if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) != 0) return 0;
    ct_write(query, strlen(query));
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    size_t count = 0;
    while (count < capacity && !is_answered(answer, count)) {
        long left = limit_ms - elapsed_ms(&start);
        struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
        if (left <= 0 || poll(&input, 1, (int)left) <= 0) break;
        if (read(STDIN_FILENO, answer + count, 1) != 1) break;
        count++;
    }
    /* No flush: what was typed ahead belongs to the composer, and a late answer is recognised by the key reader. */
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
    return count;
}

/* While the screen is up, standard error must not write into it; a file without a name keeps what is written. */
static void hold_error(void) {
    if (!isatty(STDERR_FILENO)) return;
    char path[] = "/tmp/specchat-XXXXXX";
    int log = mkostemp(path, O_CLOEXEC);
    if (log < 0) return;
    unlink(path);
    int real = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (real < 0 || dup2(log, STDERR_FILENO) < 0) {
        close(log);
        if (real >= 0) close(real);
        return;
    }
    ct_saved.error_log = log;
    ct_saved.real_error = real;
}

void ct_release_error(void) {
    if (ct_saved.real_error < 0) return;
    dup2(ct_saved.real_error, STDERR_FILENO);
    enum { tail = 4096 };
    char bytes[tail];
    off_t end = lseek(ct_saved.error_log, 0, SEEK_END);
    ssize_t count = pread(ct_saved.error_log, bytes, tail, end > tail ? end - tail : 0);
    if (count > 0 && write(STDERR_FILENO, bytes, (size_t)count) < 0) count = 0;
    close(ct_saved.error_log);
    close(ct_saved.real_error);
    ct_saved.error_log = ct_saved.real_error = -1;
}

int ct_start(void) {
    int status = ct_check();
    if (status != CT_OK) return status;
    if (tcgetattr(STDIN_FILENO, &ct_saved.modes) != 0) return CT_NOT_A_TERMINAL;
    /* Our SIGWINCH handler must stand before newterm, which takes the signal only when nobody has. */
    if (!ct_signals_begin()) return CT_SYSTEM_FAILURE;
    use_env(FALSE);
    use_tioctl(TRUE);
    if (!ct_output_begin()) {
        ct_signals_end();
        return CT_SYSTEM_FAILURE;
    }
    screen = newterm(NULL, ct_output(), stdin);
    if (screen == NULL) {
        ct_output_end();
        ct_signals_end();
        return CT_UNKNOWN_TERMINAL;
    }
    hold_error();
    raw(); /* not cbreak: there the terminal keeps Ctrl-Q and Ctrl-S for itself */
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    typeahead(-1); /* else drawing polls for keys every few rows and leaves the rest for later when there is one */
    set_escdelay(25);
    idlok(stdscr, FALSE);
    leaveok(stdscr, FALSE);
    if (has_colors()) {
        start_color();
        use_default_colors();
    }
    ct_keys_begin();
    ct_cursor_is_unknown();
    erase();
    ct_write(modes_on, sizeof modes_on - 1);
    return CT_OK;
}

void ct_stop(void) {
    if (screen == NULL) return;
    ct_write(modes_off, sizeof modes_off - 1);
    curs_set(1);
    endwin();
    delscreen(screen);
    screen = NULL;
    ct_output_end();
    /* An answer that the terminal still owes us must not be typed into the shell. */
    tcflush(STDIN_FILENO, TCIFLUSH);
    ct_signals_end();
    ct_release_error();
}

void ct_suspend(void) {
    ct_write(modes_off, sizeof modes_off - 1);
    curs_set(1);
    endwin();
    ct_handle_suspend_signal(0);
    kill(0, SIGTSTP); /* the whole group, as the terminal's own Ctrl-Z would: `make` must stop with us */
    ct_handle_suspend_signal(1);
    ct_resume();
}

void ct_lend(void) {
    ct_write(modes_off, sizeof modes_off - 1);
    curs_set(1);
    endwin();
    ct_release_error();
    ct_handle_child_signals(1);
}

void ct_take_back(void) {
    ct_handle_child_signals(0);
    hold_error();
    ct_resume();
}

void ct_resume(void) {
    if (!isendwin()) endwin();
    clearok(curscr, TRUE);
    ct_cursor_is_unknown();
    refresh();
    ct_write(modes_on, sizeof modes_on - 1);
}

struct ct_size ct_size(void) {
    struct winsize window;
    struct ct_size size = {.rows = LINES, .columns = COLS};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0) {
        size.window_rows = window.ws_row;
        size.window_columns = window.ws_col;
        size.pixel_width = window.ws_xpixel;
        size.pixel_height = window.ws_ypixel;
    }
    return size;
}

void ct_resize(void) {
    struct winsize window;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_row > 0 && window.ws_col > 0)
        resizeterm(window.ws_row, window.ws_col);
    ct_forget();
}

int ct_described_colors(void) {
    /* While the screen is up its own description is the present one. */
    if (screen != NULL) return has_colors() ? COLORS : 0;
    int found = 0;
    if (setupterm(NULL, STDOUT_FILENO, &found) != OK) return 0;
    int colors = tigetnum("colors");
    del_curterm(cur_term);
    return colors < 0 ? 0 : colors;
}

void ct_write(const void *bytes, size_t count) {
    const char *next = bytes;
    fflush(stdout);
    while (count > 0) {
        ssize_t written = write(STDOUT_FILENO, next, count);
        if (written > 0) {
            next += written;
            count -= (size_t)written;
        } else if (written < 0 && errno == EAGAIN) {
            struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};
            if (poll(&output, 1, 1000) <= 0) return;
        } else if (written < 0 && errno != EINTR) {
            return;
        }
    }
}

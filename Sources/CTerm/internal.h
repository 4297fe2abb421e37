/* internal.h — what the files of the shim share; Swift does not see it. */
#ifndef CTERM_INTERNAL_H
#define CTERM_INTERNAL_H

#define NCURSES_WIDECHAR 1
#include "CTerm.h"
#include <ncurses.h>
#include <termios.h>

/* The terminal's modes before us, and where standard error went: what a crash must put back. */
struct ct_saved {
    struct termios modes;
    int error_log;  /* the file that stands in for standard error, or -1 */
    int real_error; /* a duplicate of the real one, or -1 */
};
extern struct ct_saved ct_saved;

int ct_signals_begin(void);
void ct_signals_end(void);
void ct_handle_suspend_signal(int ours);
/* While another program has the terminal: its Ctrl-Z stops both, and its Ctrl-C is not ours. */
void ct_handle_child_signals(int runs);
void ct_keys_begin(void);
/* Where ncurses writes: the terminal, or between hold and release the memory that collects a frame. */
int ct_output_begin(void);
void ct_output_end(void);
FILE *ct_output(void);
/* The next ct_flush shows or hides the cursor whatever it did last. */
void ct_cursor_is_unknown(void);
/* Puts standard error back and copies the end of the log to it. Safe in a signal handler. */
void ct_release_error(void);

#endif

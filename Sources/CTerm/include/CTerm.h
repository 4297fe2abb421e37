/* CTerm.h — the whole of ncurses that Swift sees: no global, macro or variadic crosses this line. */
#ifndef CTERM_H
#define CTERM_H

#include <stddef.h>

/* --- Life of the screen (screen.c) ------------------------------------------------------------------------------ */

enum ct_status {
    CT_OK = 0,
    CT_NOT_A_TERMINAL,   /* standard input or output is not a terminal */
    CT_UNKNOWN_TERMINAL, /* TERM is unset, or no description of it is installed */
    CT_DUMB_TERMINAL,    /* the description lacks cursor movement or clearing */
    CT_SYSTEM_FAILURE    /* a pipe, a descriptor or memory could not be had */
};

/* Chooses the locale of the environment, so that character sets and widths are the terminal's. */
void ct_use_locale(void);
int ct_codeset_is_utf8(void);

/* What would stand in the way of ct_start: an enum ct_status. Writes nothing. */
int ct_check(void);

/* Writes `query` to the terminal in raw mode and reads until a primary device attributes answer (ESC [ ? … c) or the
   time limit. Returns the number of bytes of the answer. Call before ct_start, after ct_check. */
size_t ct_probe(const char *query, char *answer, size_t capacity, int limit_ms);

/* Takes the terminal over; undone by ct_stop, by a crash, and by ct_suspend for a while. */
int ct_start(void);
/* Gives the terminal back and then prints the end of what was written to standard error meanwhile. */
void ct_stop(void);
/* Stops the process group like Ctrl-Z in a shell, and returns when it has been continued. */
void ct_suspend(void);
/* Takes the terminal's modes back after someone else continued us. */
void ct_resume(void);
/* Gives the terminal to another program for a while, its keys for stopping and interrupting included. */
void ct_lend(void);
/* Takes it back from a program that has ended, whatever that left on the screen. */
void ct_take_back(void);
/* Adopts the terminal's present size and forgets what is on it. */
void ct_resize(void);

struct ct_size {
    int rows, columns;               /* of the screen, once it is up */
    int window_rows, window_columns; /* of the terminal now; 0 when it does not say */
    int pixel_width, pixel_height; /* of the whole text area; 0 when the terminal does not say */
};
struct ct_size ct_size(void);
/* Colours that the description of TERM promises; 0 without one. Works without a screen. */
int ct_described_colors(void);

/* --- Signals and waiting (signals.c) ----------------------------------------------------------------------------- */

enum ct_wake {
    CT_WAKE_INPUT = 1,   /* keys may be read */
    CT_WAKE_POSTED = 2,  /* ct_post was called */
    CT_WAKE_RESIZE = 4,
    CT_WAKE_CONTINUED = 8,
    CT_WAKE_SUSPEND = 16,
    CT_WAKE_INTERRUPT = 32,
    CT_WAKE_TERMINATE = 64,
    CT_WAKE_HANGUP = 128 /* SIGHUP, or the terminal is gone */
};

/* Waits for input, a signal or ct_post; returns the set of enum ct_wake. A negative limit waits for ever. */
unsigned ct_wait(int limit_ms);
/* The same without looking at what is typed, which is another program's meanwhile. */
unsigned ct_wait_signals(int limit_ms);
/* Ends a ct_wait; safe from any thread and at any time. */
void ct_post(void);

/* --- Keys (keys.c) ----------------------------------------------------------------------------------------------- */

enum ct_key {
    CT_KEY_UNKNOWN = 0,
    CT_KEY_UP, CT_KEY_DOWN, CT_KEY_LEFT, CT_KEY_RIGHT, CT_KEY_HOME, CT_KEY_END, CT_KEY_PAGE_UP, CT_KEY_PAGE_DOWN,
    CT_KEY_BACKSPACE, CT_KEY_DELETE, CT_KEY_INSERT, CT_KEY_ENTER, CT_KEY_BACK_TAB, CT_KEY_WORD_LEFT, CT_KEY_WORD_RIGHT,
    CT_KEY_PASTE_BEGIN, CT_KEY_PASTE_END,
    CT_KEY_F1 /* F1...F12 follow */
};

enum ct_read { CT_READ_NOTHING, CT_READ_CHARACTER, CT_READ_KEY };

/* Reads what was typed next without waiting: `code` becomes a code point or an enum ct_key. */
int ct_read(int *code);

/* --- Drawing (drawing.c) ------------------------------------------------------------------------------------------ */

enum ct_attribute { CT_BOLD = 1, CT_DIM = 2, CT_UNDERLINE = 4, CT_REVERSE = 8, CT_ITALIC = 16 };

struct ct_style {
    int attributes;             /* set of enum ct_attribute */
    int foreground, background; /* palette indices; -1 is the terminal's own colour */
};

/* Draws `text` (UTF-8, printable, `width` columns by our count) from a cell on. What the terminal would count
   otherwise is replaced, so that columns never shift. Clips at the screen's edge. */
void ct_draw(int row, int column, const char *text, int width, struct ct_style style);
/* Columns that the C library gives a cluster, which is how far ncurses moves; -1 for what it does not know. */
int ct_width(const char *text);
/* Where the cursor stands after ct_flush; row -1 hides it. */
void ct_cursor(int row, int column);
void ct_clear(void);
/* Sends the changes. */
void ct_flush(void);
/* Until ct_release, what ct_flush sends is collected; then it goes out in one piece. */
void ct_hold(void);
void ct_release(void);
/* Sends every cell with the next ct_flush, on a screen of which all rows scroll. */
void ct_forget(void);
/* Writes bytes past ncurses, for pictures; the caller leaves cursor and modes as it found them. */
void ct_write(const void *bytes, size_t count);

/* What a crash writes besides the terminal's modes: the bytes that take a picture away. At most 64; none undoes it. */
void ct_write_at_crash(const void *bytes, size_t count);

#endif

/* drawing.c — styled text into ncurses' picture of the screen, which sends only what differs. */
#include "internal.h"
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

static int cursor_row = -1, cursor_column = 0, cursor_shown = -1;

static attr_t ncurses_attributes(int set) {
    attr_t attributes = A_NORMAL;
    if (set & CT_BOLD) attributes |= A_BOLD;
    if (set & CT_DIM) attributes |= A_DIM;
    if (set & CT_UNDERLINE) attributes |= A_UNDERLINE;
    if (set & CT_REVERSE) attributes |= A_REVERSE;
    if (set & CT_ITALIC) attributes |= A_ITALIC;
    return attributes;
}

/* alloc_pair keeps the pairs in use itself and recycles the oldest, so a picture needs no table of its own. */
static int pair_of(struct ct_style style) {
    if (!has_colors() || (style.foreground < 0 && style.background < 0)) return 0;
    int pair = alloc_pair(style.foreground, style.background);
    return pair < 0 ? 0 : pair;
}

static int is_ascii(const char *text) {
    for (; *text != '\0'; text++)
        if (*text < ' ' || *text > '~') return 0;
    return 1;
}

/* A base character and what combines with it; returns its columns, or -1. */
static int cluster_width(const char *text, wchar_t wide[CCHARW_MAX + 1]) {
    size_t count = mbstowcs(wide, text, CCHARW_MAX + 1);
    if (count == (size_t)-1 || count == 0 || count > CCHARW_MAX) return -1;
    int columns = 0;
    for (size_t i = 0; i < count; i++) {
        int one = wcwidth(wide[i]);
        if (one < 0 || (i > 0 && one > 0)) return -1;
        columns += one;
    }
    return columns;
}

int ct_width(const char *text) {
    wchar_t wide[CCHARW_MAX + 1];
    return cluster_width(text, wide);
}

/* Returns whether ncurses' width of the cluster agrees with ours. */
static int draw_cluster(int row, int column, const char *text, int width, attr_t attributes, int pair) {
    wchar_t wide[CCHARW_MAX + 1];
    if (cluster_width(text, wide) != width) return 0;
    cchar_t cell;
    if (setcchar(&cell, wide, attributes, 0, &pair) != OK) return 0;
    mvadd_wch(row, column, &cell);
    return 1;
}

void ct_draw(int row, int column, const char *text, int width, struct ct_style style) {
    if (row < 0 || row >= LINES || column < 0 || width <= 0 || column + width > COLS) return;
    attr_t attributes = ncurses_attributes(style.attributes);
    int pair = pair_of(style);
    attr_set(attributes, 0, &pair);
    if (is_ascii(text)) {
        mvaddnstr(row, column, text, width);
    } else if (!draw_cluster(row, column, text, width, attributes, pair)) {
        for (int i = 0; i < width; i++) mvaddch(row, column + i, '?');
    }
    attr_set(A_NORMAL, 0, NULL);
}

void ct_cursor(int row, int column) {
    cursor_row = row;
    cursor_column = column;
}

void ct_cursor_is_unknown(void) { cursor_shown = -1; }

void ct_clear(void) { erase(); }

/* All rows scroll again, too. ncurses restores those that it knows of: while the window grew they may have been too few,
   and the terminal would keep to them, beyond our end as well. Clearing puts the cursor where ncurses expects it. */
void ct_forget(void) {
    ct_write("\033[r", 3);
    clearok(curscr, TRUE);
}

void ct_flush(void) {
    int shown = cursor_row >= 0;
    if (shown) move(cursor_row, cursor_column);
    if (shown != cursor_shown) curs_set(shown);
    cursor_shown = shown;
    wnoutrefresh(stdscr);
    doupdate();
}

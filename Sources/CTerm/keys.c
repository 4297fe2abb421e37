/* keys.c — what was typed, as code points and as keys with names of our own. */
#include "internal.h"
#include <wchar.h>

/* Codes for what terminfo does not describe; above every code that ncurses uses itself. */
enum { own_keys = 3000, paste_begin = own_keys, paste_end, word_left, word_right };

void ct_keys_begin(void) {
    define_key("\033[200~", paste_begin);
    define_key("\033[201~", paste_end);
    static const char *left[] = {"\033[1;5D", "\033[1;3D", "\033[5D", "\033Od"};
    static const char *right[] = {"\033[1;5C", "\033[1;3C", "\033[5C", "\033Oc"};
    for (unsigned i = 0; i < sizeof left / sizeof *left; i++) {
        define_key(left[i], word_left);
        define_key(right[i], word_right);
    }
    /* Terminals send either form of these, whatever their description says. */
    define_key("\033[A", KEY_UP);
    define_key("\033[B", KEY_DOWN);
    define_key("\033[C", KEY_RIGHT);
    define_key("\033[D", KEY_LEFT);
    define_key("\033[H", KEY_HOME);
    define_key("\033OH", KEY_HOME);
    define_key("\033[1~", KEY_HOME);
    define_key("\033[F", KEY_END);
    define_key("\033OF", KEY_END);
    define_key("\033[4~", KEY_END);
    static const char *arrows[] = {"\033[A", "\033OA", "\033[B", "\033OB", "\033[C", "\033OC", "\033[D", "\033OD"};
    static const int moves[] = {KEY_UP, KEY_DOWN, KEY_RIGHT, KEY_LEFT};
    for (int i = 0; i < 8; i++) define_key(arrows[i], moves[i / 2]);
    static const char *functions[] = {"\033OP", "\033[11~", "\033OQ", "\033[12~", "\033OR", "\033[13~",
                                      "\033OS", "\033[14~", "\033[15~", "\033[[E"};
    for (int i = 0; i < 10; i++) define_key(functions[i], KEY_F(1 + i / 2));
}

static int named(int key) {
    if (key >= KEY_F(1) && key <= KEY_F(12)) return CT_KEY_F1 + (key - KEY_F(1));
    switch (key) {
    case KEY_UP: return CT_KEY_UP;
    case KEY_DOWN: return CT_KEY_DOWN;
    case KEY_LEFT: return CT_KEY_LEFT;
    case KEY_RIGHT: return CT_KEY_RIGHT;
    case KEY_HOME: return CT_KEY_HOME;
    case KEY_END: return CT_KEY_END;
    case KEY_PPAGE: return CT_KEY_PAGE_UP;
    case KEY_NPAGE: return CT_KEY_PAGE_DOWN;
    case KEY_BACKSPACE: return CT_KEY_BACKSPACE;
    case KEY_DC: return CT_KEY_DELETE;
    case KEY_IC: return CT_KEY_INSERT;
    case KEY_ENTER: return CT_KEY_ENTER;
    case KEY_BTAB: return CT_KEY_BACK_TAB;
    case word_left: return CT_KEY_WORD_LEFT;
    case word_right: return CT_KEY_WORD_RIGHT;
    case paste_begin: return CT_KEY_PASTE_BEGIN;
    case paste_end: return CT_KEY_PASTE_END;
    default: return CT_KEY_UNKNOWN; /* among them KEY_RESIZE, which resizeterm queues */
    }
}

int ct_read(int *code) {
    wint_t value;
    switch (get_wch(&value)) {
    case OK: *code = (int)value; return CT_READ_CHARACTER;
    case KEY_CODE_YES: *code = named((int)value); return CT_READ_KEY;
    default: return CT_READ_NOTHING;
    }
}

/* CTerm.h — the whole of ncurses that Swift sees: no global, macro or variadic crosses this line. */
#ifndef CTERM_H
#define CTERM_H
int ct_codeset_is_utf8(void);
#endif

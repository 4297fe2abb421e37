/* terminal.c — the shim's implementation over ncursesw. */
#include "CTerm.h"
#include <langinfo.h>
#include <string.h>

int ct_codeset_is_utf8(void) { return strcmp(nl_langinfo(CODESET), "UTF-8") == 0; }

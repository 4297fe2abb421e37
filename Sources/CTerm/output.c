/* output.c — collects what ncurses writes for a frame, which otherwise is a write for each movement of the cursor. */
#include "internal.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/* The stream that ncurses has, on a descriptor of its own that is turned from terminal to memory and back. */
static FILE *stream;
static int memory = -1;

int ct_output_begin(void) {
    int own = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    stream = own < 0 ? NULL : fdopen(own, "w");
    if (stream == NULL) {
        if (own >= 0) close(own);
        return 0;
    }
    memory = memfd_create("frame", MFD_CLOEXEC); /* without it every write goes straight out */
    return 1;
}

void ct_output_end(void) {
    ct_release();
    fclose(stream);
    stream = NULL;
    if (memory >= 0) close(memory);
    memory = -1;
}

FILE *ct_output(void) { return stream; }

void ct_hold(void) {
    if (memory < 0) return;
    lseek(memory, 0, SEEK_SET);
    dup3(memory, fileno(stream), O_CLOEXEC);
}

void ct_release(void) {
    if (memory < 0 || dup3(STDOUT_FILENO, fileno(stream), O_CLOEXEC) < 0) return;
    static char piece[32 * 1024];
    off_t count = lseek(memory, 0, SEEK_CUR);
    for (off_t at = 0; at < count;) {
        size_t wanted = count - at < (off_t)sizeof piece ? (size_t)(count - at) : sizeof piece;
        ssize_t got = pread(memory, piece, wanted, at);
        if (got <= 0) break;
        ct_write(piece, (size_t)got);
        at += got;
    }
    lseek(memory, 0, SEEK_SET);
}

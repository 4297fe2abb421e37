/* machine.h — the pool of threads, as machine.c (pieces drawn from one ticket) and steps.c (pieces of one's own) see it. */
#ifndef CK_MACHINE_H
#define CK_MACHINE_H
#include <pthread.h>
#include <stdatomic.h>

#include "kernels.h"

/* What a thread waits for without letting go of its core; after that others may have it. */
enum { SPINS_BEFORE_YIELD = 2000 };

/* Of one piece of a step: the highest step that somebody has taken it in, and finished it in. Steps are numbered through
 * from the machine's first one on, so neither ever falls. */
typedef struct {
    _Alignas(64) _Atomic uint64_t taken;
    _Alignas(64) _Atomic uint64_t finished;
} own_piece;

typedef struct {
    ck_machine *machine;
    int index;
} worker_place;

struct ck_machine {
    const ck_kernels *kernels;
    int threads;
    int started;
    /* Number of the next step; the caller's own. */
    uint64_t next_step;
    pthread_t *handles;
    worker_place *places;
    own_piece *own_pieces;

    /* Written by the caller while no work is open. */
    _Alignas(64) _Atomic(ck_piece) work;
    _Atomic(void *) context;
    _Atomic int pieces;
    /* A work in steps; NULL for one of pieces alone. */
    _Atomic(ck_step) step_work;
    _Atomic uint64_t first_step;
    _Atomic int steps;
    /* Upper half: even while no work is open, odd while one is, higher every time. Lower half: the next piece. */
    _Alignas(64) _Atomic uint64_t ticket;
    _Alignas(64) _Atomic int finished;
    _Alignas(64) _Atomic int sleepers;
    _Atomic bool closing;
    pthread_mutex_t lock;
    pthread_cond_t opened;
};

static inline void relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("isb");
#endif
}

static inline uint32_t number_of(uint64_t ticket) { return (uint32_t)(ticket >> 32); }

/* No work has so many pieces: a closed ticket has none to give, whatever a late thread believes about the work. */
#define NO_PIECE 0x7FFFFFFF
#define CLOSED_AT(number) (((uint64_t)(number) << 32) | NO_PIECE)

/* Makes what was described known to all; `next_piece` is the first one that the ticket gives. Returns the work's number. */
uint32_t ck_open_work(ck_machine *machine, uint32_t next_piece);

/* Takes the thread's part in a work in steps. False if the work of that number is not one. */
bool ck_help_with_steps(ck_machine *machine, int thread, uint32_t number);

#endif

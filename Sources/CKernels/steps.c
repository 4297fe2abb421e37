/* steps.c — a work in steps: each thread has a piece of each step for its own.
 *
 *     for (step = 0; step < steps; step++)
 *         for (piece = 0; piece < pieces; piece++) work(context, step, piece);
 *
 * Nobody writes what another is about to write, and from step to step a word goes from core to core once instead of there
 * and back: on a processor whose cores are far apart that is a quarter of a microsecond instead of one. A piece whose
 * thread is away is done by another.
 */
#include <sched.h>

#include "machine.h"

/* About a microsecond: a thread that has not begun its piece by then is not running. */
enum { PATIENCE = 40 };

/* A work in steps, as its threads read it. */
typedef struct {
    own_piece *own;
    ck_step work;
    void *context;
    uint64_t first;
    int steps, pieces;
} stepped_work;

/* Does a piece of a step unless somebody else has taken it. */
static bool take(const stepped_work *work, int step, int piece, int thread) {
    own_piece *own = &work->own[piece];
    const uint64_t number = work->first + (uint64_t)step;
    uint64_t taken = atomic_load_explicit(&own->taken, memory_order_acquire);
    /* A thread that is late, even by whole works, finds every step of its own taken. */
    if (taken >= number || !atomic_compare_exchange_strong_explicit(
                               &own->taken, &taken, number, memory_order_acq_rel, memory_order_relaxed))
        return false;
    work->work(work->context, step, piece, thread);
    atomic_store_explicit(&own->finished, number, memory_order_release);
    return true;
}

/* Returns when every piece of a step is finished, the thread's own too, which another may have begun. Does itself what
 * nobody has begun. */
static void finish_step(const stepped_work *work, int step, int thread, bool *away) {
    const uint64_t number = work->first + (uint64_t)step;
    for (int piece = 0; piece < work->pieces; piece++) {
        const own_piece *own = &work->own[piece];
        for (int spin = 0; atomic_load_explicit(&own->finished, memory_order_acquire) < number; spin++) {
            if (spin >= (*away ? 0 : PATIENCE) &&
                atomic_load_explicit(&own->taken, memory_order_relaxed) < number) {
                *away = take(work, step, piece, thread);
            } else if (spin < SPINS_BEFORE_YIELD) {
                relax();
            } else {
                /* A thread that began a piece may have lost its core to another program. */
                sched_yield();
            }
        }
    }
}

static void run_steps(const stepped_work *work, int thread) {
    /* Who had to do another's piece does not wait for that thread again until it is back. */
    bool away = false;
    for (int step = 0; step < work->steps; step++) {
        take(work, step, thread, thread);
        if (thread == 0 || step + 1 < work->steps) finish_step(work, step, thread, &away);
    }
}

bool ck_help_with_steps(ck_machine *machine, int thread, uint32_t number) {
    stepped_work work = {
        .own = machine->own_pieces,
        .work = atomic_load_explicit(&machine->step_work, memory_order_acquire),
        .context = atomic_load_explicit(&machine->context, memory_order_acquire),
        .first = atomic_load_explicit(&machine->first_step, memory_order_acquire),
        .steps = atomic_load_explicit(&machine->steps, memory_order_acquire),
        .pieces = atomic_load_explicit(&machine->pieces, memory_order_acquire),
    };
    if (!work.work) return false;
    /* The same number after as before proves that all of it describes one work: it is closed before the next one is
     * described, which the acquiring loads would have made known here. */
    if (number_of(atomic_load_explicit(&machine->ticket, memory_order_acquire)) == number && number % 2 == 1 &&
        thread < work.pieces)
        run_steps(&work, thread);
    return true;
}

void ck_machine_run_steps(ck_machine *machine, int steps, int pieces, ck_step work, void *context) {
    if (pieces == 1) {
        for (int step = 0; step < steps; step++) work(context, step, 0, 0);
        return;
    }
    const uint64_t first = machine->next_step;
    machine->next_step += (uint64_t)steps;
    atomic_store_explicit(&machine->context, context, memory_order_release);
    atomic_store_explicit(&machine->first_step, first, memory_order_release);
    atomic_store_explicit(&machine->steps, steps, memory_order_release);
    atomic_store_explicit(&machine->pieces, pieces, memory_order_release);
    atomic_store_explicit(&machine->step_work, work, memory_order_release);
    const uint32_t number = ck_open_work(machine, NO_PIECE);
    run_steps(&(stepped_work){machine->own_pieces, work, context, first, steps, pieces}, 0);
    atomic_store_explicit(&machine->ticket, CLOSED_AT(number + 1), memory_order_release);
}

/* machine.c — a fixed pool of threads that share out the pieces of one work at a time.
 *
 *     for (piece = 0; piece < pieces; piece++) work(context, piece);
 *
 * The caller takes pieces too and never waits for a thread to wake up, only for pieces that a thread has begun: on a
 * busy machine a work is done by whoever is there. Pieces divide outputs, so who does which cannot change a bit.
 *
 * Many pieces are taken one by one from a shared ticket. Where there is one for each thread, it is a work of one step
 * (steps.c).
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

/* About 50 microseconds: longer than the caller is away between two operations of a pass, so that the pool sleeps only
 * between passes. */
enum { SPINS_BEFORE_SLEEP = 3000 };

/* Takes pieces of the open work until none is left. */
static void help(ck_machine *machine, int thread) {
    uint64_t ticket = atomic_load_explicit(&machine->ticket, memory_order_acquire);
    uint32_t number = number_of(ticket);
    if (ck_help_with_steps(machine, thread, number)) return;
    ck_piece work = atomic_load_explicit(&machine->work, memory_order_acquire);
    void *context = atomic_load_explicit(&machine->context, memory_order_acquire);
    int pieces = atomic_load_explicit(&machine->pieces, memory_order_acquire);
    while (number_of(ticket) == number && (int)(uint32_t)ticket < pieces) {
        /* Success proves that the description was read while the work was open. Had it been of the next work, the
         * ticket would have been closed before, which the acquiring loads would have made known here. */
        if (atomic_compare_exchange_weak_explicit(
                &machine->ticket, &ticket, ticket + 1, memory_order_acq_rel, memory_order_acquire)) {
            work(context, (int)(uint32_t)ticket, thread);
            atomic_fetch_add_explicit(&machine->finished, 1, memory_order_release);
            ticket = atomic_load_explicit(&machine->ticket, memory_order_acquire);
        }
    }
}

/* Returns when the ticket bears another number, or the machine closes. */
static void wait_for_work(ck_machine *machine, uint32_t number) {
    for (int spin = 0; spin < SPINS_BEFORE_SLEEP; spin++) {
        if (number_of(atomic_load_explicit(&machine->ticket, memory_order_relaxed)) != number) return;
        relax();
    }
    pthread_mutex_lock(&machine->lock);
    /* Sequentially consistent on both sides: either the caller sees a sleeper, or the sleeper sees the new work. */
    atomic_fetch_add(&machine->sleepers, 1);
    while (number_of(atomic_load(&machine->ticket)) == number && !atomic_load(&machine->closing))
        pthread_cond_wait(&machine->opened, &machine->lock);
    atomic_fetch_sub(&machine->sleepers, 1);
    pthread_mutex_unlock(&machine->lock);
}

static void *worker(void *argument) {
    worker_place *place = argument;
    ck_machine *machine = place->machine;
    uint32_t number = 0;
    while (!atomic_load(&machine->closing)) {
        wait_for_work(machine, number);
        number = number_of(atomic_load_explicit(&machine->ticket, memory_order_acquire));
        help(machine, place->index);
    }
    return NULL;
}

uint32_t ck_open_work(ck_machine *machine, uint32_t next_piece) {
    uint32_t number = number_of(atomic_load_explicit(&machine->ticket, memory_order_relaxed)) + 1;
    atomic_store(&machine->ticket, (uint64_t)number << 32 | next_piece);
    if (atomic_load(&machine->sleepers) > 0) {
        pthread_mutex_lock(&machine->lock);
        pthread_cond_broadcast(&machine->opened);
        pthread_mutex_unlock(&machine->lock);
    }
    return number;
}

typedef struct {
    ck_piece work;
    void *context;
} single_step;

static void run_single_step(void *context, int step, int piece, int thread) {
    (void)step;
    const single_step *single = context;
    single->work(single->context, piece, thread);
}

void ck_machine_run(ck_machine *machine, int pieces, ck_piece work, void *context) {
    if (machine->threads == 1 || pieces == 1) {
        for (int piece = 0; piece < pieces; piece++) work(context, piece, 0);
        return;
    }
    if (pieces <= machine->threads) {
        single_step single = {work, context};
        return ck_machine_run_steps(machine, 1, pieces, run_single_step, &single);
    }
    atomic_store_explicit(&machine->step_work, NULL, memory_order_release);
    atomic_store_explicit(&machine->work, work, memory_order_release);
    atomic_store_explicit(&machine->context, context, memory_order_release);
    atomic_store_explicit(&machine->pieces, pieces, memory_order_release);
    atomic_store_explicit(&machine->finished, 0, memory_order_relaxed);
    const uint32_t number = ck_open_work(machine, 0);
    help(machine, 0);
    for (int spin = 0; atomic_load_explicit(&machine->finished, memory_order_acquire) != pieces; spin++) {
        /* A thread that began a piece may have lost its core to another program. */
        if (spin < SPINS_BEFORE_YIELD) relax();
        else sched_yield();
    }
    /* Closed before the next work is described: a thread that still holds the last ticket of this one must not take it
     * for a piece of the next. */
    atomic_store_explicit(&machine->ticket, CLOSED_AT(number + 1), memory_order_release);
}

ck_machine *ck_machine_create(ck_isa isa, int threads) {
    if (threads < 1 || !ck_isa_available(isa)) return NULL;
    ck_machine *machine = aligned_alloc(_Alignof(ck_machine), sizeof(ck_machine));
    if (!machine) return NULL;
    *machine = (ck_machine){.kernels = ck_kernels_of(isa), .threads = threads, .next_step = 1, .ticket = CLOSED_AT(0)};
    pthread_mutex_init(&machine->lock, NULL);
    pthread_cond_init(&machine->opened, NULL);
    machine->handles = calloc((size_t)threads, sizeof *machine->handles);
    machine->places = calloc((size_t)threads, sizeof *machine->places);
    machine->own_pieces = aligned_alloc(_Alignof(own_piece), (size_t)threads * sizeof *machine->own_pieces);
    if (machine->own_pieces) memset(machine->own_pieces, 0, (size_t)threads * sizeof *machine->own_pieces);
    bool good = machine->handles && machine->places && machine->own_pieces;
    for (int index = 1; good && index < threads; index++) {
        machine->places[index] = (worker_place){machine, index};
        good = pthread_create(&machine->handles[index], NULL, worker, &machine->places[index]) == 0;
        if (good) machine->started++;
    }
    if (good) return machine;
    ck_machine_destroy(machine);
    return NULL;
}

void ck_machine_destroy(ck_machine *machine) {
    if (!machine) return;
    pthread_mutex_lock(&machine->lock);
    atomic_store(&machine->closing, true);
    pthread_cond_broadcast(&machine->opened);
    pthread_mutex_unlock(&machine->lock);
    for (int index = 1; index <= machine->started; index++) pthread_join(machine->handles[index], NULL);
    pthread_cond_destroy(&machine->opened);
    pthread_mutex_destroy(&machine->lock);
    free(machine->handles);
    free(machine->places);
    free(machine->own_pieces);
    free(machine);
}

const ck_kernels *ck_machine_kernels(const ck_machine *machine) { return machine->kernels; }
int ck_machine_threads(const ck_machine *machine) { return machine->threads; }

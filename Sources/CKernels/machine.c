/* machine.c — a fixed pool of threads that share out the pieces of one work at a time.
 *
 *     for (piece = 0; piece < pieces; piece++) work(context, piece);
 *     for (step = 0; step < steps; step++)
 *         for (piece = 0; piece < pieces; piece++) work(context, step, piece);
 *
 * The caller takes pieces too and never waits for a thread to wake up, only for pieces that a thread has begun: on a
 * busy machine a work is done by whoever is there. Pieces divide outputs, so who does which cannot change a bit.
 *
 * Many pieces are taken one by one from a shared ticket. Where there is one for each thread, each thread has its own,
 * which others do only while it is away: nobody writes what another is about to write, and from step to step a word
 * goes from core to core once instead of there and back. On a processor whose cores are far apart that is a quarter of a
 * microsecond instead of one.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

#include "kernels.h"

/* About 50 microseconds: longer than the caller is away between two operations of a pass, so that the pool sleeps only
 * between passes. */
enum { SPINS_BEFORE_SLEEP = 3000, SPINS_BEFORE_YIELD = 2000 };

/* About a microsecond: a thread that has not begun its piece by then is not running. */
enum { PATIENCE = 40 };

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

/* Takes its part in a work in steps, if the open work is one. */
static bool help_with_steps(ck_machine *machine, int thread, uint32_t number) {
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

/* Takes pieces of the open work until none is left. */
static void help(ck_machine *machine, int thread) {
    uint64_t ticket = atomic_load_explicit(&machine->ticket, memory_order_acquire);
    uint32_t number = number_of(ticket);
    if (help_with_steps(machine, thread, number)) return;
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

/* Makes what was described known to all. Returns its number. */
static uint32_t open_work(ck_machine *machine, uint32_t next_piece) {
    uint32_t number = number_of(atomic_load_explicit(&machine->ticket, memory_order_relaxed)) + 1;
    atomic_store(&machine->ticket, (uint64_t)number << 32 | next_piece);
    if (atomic_load(&machine->sleepers) > 0) {
        pthread_mutex_lock(&machine->lock);
        pthread_cond_broadcast(&machine->opened);
        pthread_mutex_unlock(&machine->lock);
    }
    return number;
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
    const uint32_t number = open_work(machine, NO_PIECE);
    run_steps(&(stepped_work){machine->own_pieces, work, context, first, steps, pieces}, 0);
    atomic_store_explicit(&machine->ticket, CLOSED_AT(number + 1), memory_order_release);
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
    const uint32_t number = open_work(machine, 0);
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

static const ck_kernels *kernels_of(ck_isa isa) {
#if defined(__x86_64__)
    if (isa == CK_AVX512) return &ck_avx512_kernels;
    if (isa == CK_AVX2) return &ck_avx2_kernels;
#elif defined(__aarch64__)
    if (isa == CK_NEON) return &ck_neon_kernels;
#endif
    return &ck_portable_kernels;
}

ck_machine *ck_machine_create(ck_isa isa, int threads) {
    if (threads < 1 || !ck_isa_available(isa)) return NULL;
    ck_machine *machine = aligned_alloc(_Alignof(ck_machine), sizeof(ck_machine));
    if (!machine) return NULL;
    *machine = (ck_machine){.kernels = kernels_of(isa), .threads = threads, .next_step = 1, .ticket = CLOSED_AT(0)};
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

bool ck_isa_available(ck_isa isa) {
    if (isa == CK_PORTABLE) return true;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (isa == CK_AVX2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    if (isa == CK_AVX512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni") &&
               ck_isa_available(CK_AVX2);
#elif defined(__aarch64__) && defined(__linux__)
    if (isa == CK_NEON) return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#elif defined(__aarch64__)
    if (isa == CK_NEON) return true; /* every Mac of this kind has the dot products */
#endif
    return false;
}

ck_isa ck_isa_best(void) {
    ck_isa best = CK_PORTABLE;
    for (ck_isa isa = CK_PORTABLE; isa < CK_ISAS; isa++)
        if (ck_isa_available(isa)) best = isa;
    return best;
}

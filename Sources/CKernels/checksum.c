/* checksum.c — sums of stretches (checksum.h), taken by all threads and put together in order. */
#include "checksum.h"

enum { STRETCH = 1 << 20, AT_ONCE = 256 };

typedef struct {
    const ck_kernels *kernels;
    const uint8_t *bytes;
    size_t count;
    uint64_t *sums;
} sum_work;

static void sum_piece(void *context, int piece, int thread) {
    (void)thread;
    const sum_work *work = context;
    const size_t first = (size_t)piece * STRETCH, left = work->count - first;
    work->sums[piece] = work->kernels->sum_of_stretch(work->bytes + first, left < STRETCH ? left : STRETCH);
}

uint64_t ck_checksum(ck_machine *machine, const void *bytes, size_t count) {
    uint64_t sum = add_to_sum(sum_odd, count), sums[AT_ONCE];
    for (size_t first = 0; first < count; first += (size_t)AT_ONCE * STRETCH) {
        const size_t left = count - first, most = (size_t)AT_ONCE * STRETCH;
        sum_work work = {ck_machine_kernels(machine), (const uint8_t *)bytes + first, left < most ? left : most, sums};
        const int pieces = (int)((work.count + STRETCH - 1) / STRETCH);
        ck_machine_run(machine, pieces, sum_piece, &work);
        for (int piece = 0; piece < pieces; piece++) sum = add_to_sum(sum, sums[piece]);
    }
    return sum;
}

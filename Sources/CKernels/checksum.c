/* checksum.c — one number for many bytes, as fast as memory gives them.
 *
 *     for each stretch:  state[i] = rotate(state[i] ^ word[i], 13) * odd     64 words of 4 bytes side by side
 *     sum = (sum ^ state) * odd, for each state of each stretch
 *
 * Every step can be undone, so that two texts that differ in one word never have the same sum. Stretches are cut by place,
 * so the sum does not depend on threads.
 */
#include <string.h>

#include "kernels.h"

#if defined(__x86_64__)
#define EVERY_WIDTH __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define EVERY_WIDTH
#endif

enum { STRETCH = 1 << 20, WORDS = 64, AT_ONCE = 256 };

static const uint64_t odd = 0x9E3779B97F4A7C15ull;

static inline uint64_t add(uint64_t sum, uint64_t part) {
    sum = (sum ^ part) * odd;
    return sum ^ sum >> 32;
}

EVERY_WIDTH static uint64_t sum_of_stretch(const uint8_t *bytes, size_t count) {
    uint32_t state[WORDS];
    for (uint32_t i = 0; i < WORDS; i++) state[i] = (i + 1) * 0x9E3779B1u;
    for (size_t place = 0; place < count; place += sizeof state) {
        uint32_t words[WORDS] = {0};
        memcpy(words, bytes + place, count - place < sizeof words ? count - place : sizeof words);
        for (int i = 0; i < WORDS; i++) {
            const uint32_t mixed = state[i] ^ words[i];
            state[i] = (mixed << 13 | mixed >> 19) * 0x85EBCA77u;
        }
    }
    uint64_t sum = add(odd, count);
    for (int i = 0; i < WORDS; i++) sum = add(sum, state[i]);
    return sum;
}

typedef struct {
    const uint8_t *bytes;
    size_t count;
    uint64_t *sums;
} sum_work;

static void sum_piece(void *context, int piece, int thread) {
    (void)thread;
    const sum_work *work = context;
    const size_t first = (size_t)piece * STRETCH, left = work->count - first;
    work->sums[piece] = sum_of_stretch(work->bytes + first, left < STRETCH ? left : STRETCH);
}

uint64_t ck_checksum(ck_machine *machine, const void *bytes, size_t count) {
    uint64_t sum = add(odd, count), sums[AT_ONCE];
    for (size_t first = 0; first < count; first += (size_t)AT_ONCE * STRETCH) {
        const size_t left = count - first, most = (size_t)AT_ONCE * STRETCH;
        sum_work work = {(const uint8_t *)bytes + first, left < most ? left : most, sums};
        const int pieces = (int)((work.count + STRETCH - 1) / STRETCH);
        ck_machine_run(machine, pieces, sum_piece, &work);
        for (int piece = 0; piece < pieces; piece++) sum = add(sum, sums[piece]);
    }
    return sum;
}

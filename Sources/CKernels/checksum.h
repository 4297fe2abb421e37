/* checksum.h — one number for many bytes, as fast as memory gives them. Used by checksum.c.
 *
 *     for each stretch:  state[i] = rotate(state[i] ^ word[i], 13) * odd     64 words of 4 bytes side by side
 *     sum = (sum ^ state) * odd, for each state of each stretch
 *
 * Every step can be undone, so that two texts that differ in one word never have the same sum. Stretches are cut by place,
 * so the sum does not depend on threads.
 */
#ifndef CK_CHECKSUM_H
#define CK_CHECKSUM_H
#include <string.h>

#include "kernels.h"

enum { CK_SUM_WORDS = 64 };

static const uint64_t sum_odd = 0x9E3779B97F4A7C15ull;

CK_FUNCTION uint64_t add_to_sum(uint64_t sum, uint64_t part) {
    sum = (sum ^ part) * sum_odd;
    return sum ^ sum >> 32;
}

static inline uint64_t sum_of_stretch(const uint8_t *bytes, size_t count) {
    uint32_t state[CK_SUM_WORDS];
    for (uint32_t i = 0; i < CK_SUM_WORDS; i++) state[i] = (i + 1) * 0x9E3779B1u;
    for (size_t place = 0; place < count; place += sizeof state) {
        uint32_t words[CK_SUM_WORDS] = {0};
        memcpy(words, bytes + place, count - place < sizeof words ? count - place : sizeof words);
        for (int i = 0; i < CK_SUM_WORDS; i++) {
            const uint32_t mixed = state[i] ^ words[i];
            state[i] = (mixed << 13 | mixed >> 19) * 0x85EBCA77u;
        }
    }
    uint64_t sum = add_to_sum(sum_odd, count);
    for (int i = 0; i < CK_SUM_WORDS; i++) sum = add_to_sum(sum, state[i]);
    return sum;
}

#endif

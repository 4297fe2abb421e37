/* formats.h — what the kernels know of each weight format: its blocks in a file and its codes and scales in a panel.
 *
 *     number = scale * (code - centre) + least            (a format with a curve: scale * curve[code])
 *
 * A panel keeps for each 32 numbers of its 16 outputs 64 * bits bytes of codes, and scales of one of six kinds:
 *
 *     SCALE                  per 32: scale (half precision)
 *     SCALE_AND_LEAST        per 32: scale, least (half precision)
 *     STEPS                  per 256: d (half); per 32: step.             scale = d * step
 *     STEPS_AND_LEAST        per 256: d, m (half); per 32: step, fall.    scale = d * step, least = -m * fall
 *     FINE_STEPS             per 256: d (half); per 16: step.             scale = d * step
 *     FINE_STEPS_AND_LEAST   per 256: d, m (half); per 16: step and fall in one byte, low half first
 *
 * Each entry stands for sixteen outputs side by side. Steps and falls are whole numbers of one byte.
 */
#ifndef CK_FORMATS_H
#define CK_FORMATS_H
#include "CKernels.h"

typedef enum {
    CK_SCALE,
    CK_SCALE_AND_LEAST,
    CK_STEPS,
    CK_STEPS_AND_LEAST,
    CK_FINE_STEPS,
    CK_FINE_STEPS_AND_LEAST,
} ck_scaling;

typedef struct {
    int16_t length; /* numbers that share a block of the file */
    int16_t bytes;  /* of such a block */
    int16_t bits;   /* of a code in a panel; 0 for floats */
    int16_t centre;
    bool curve;
    ck_scaling scaling;
    bool unpacked; /* each code stands in a byte of its own already: never in the table, only within a product */
} ck_facts;

static const ck_facts ck_all_facts[CK_FORMATS] = {
    [CK_F32] = {1, 4, 0, 0, false, CK_SCALE},
    [CK_F16] = {1, 2, 0, 0, false, CK_SCALE},
    [CK_BF16] = {1, 2, 0, 0, false, CK_SCALE},
    [CK_Q8_0] = {32, 34, 8, 128, false, CK_SCALE},
    [CK_Q4_0] = {32, 18, 4, 8, false, CK_SCALE},
    [CK_Q4_1] = {32, 20, 4, 0, false, CK_SCALE_AND_LEAST},
    [CK_Q5_0] = {32, 22, 5, 16, false, CK_SCALE},
    [CK_Q5_1] = {32, 24, 5, 0, false, CK_SCALE_AND_LEAST},
    [CK_Q2_K] = {256, 84, 2, 0, false, CK_FINE_STEPS_AND_LEAST},
    [CK_Q3_K] = {256, 110, 3, 4, false, CK_FINE_STEPS},
    [CK_Q4_K] = {256, 144, 4, 0, false, CK_STEPS_AND_LEAST},
    [CK_Q5_K] = {256, 176, 5, 0, false, CK_STEPS_AND_LEAST},
    [CK_Q6_K] = {256, 210, 6, 32, false, CK_FINE_STEPS},
    [CK_IQ4_NL] = {32, 18, 4, 0, true, CK_SCALE},
    [CK_IQ4_XS] = {256, 136, 4, 0, true, CK_STEPS},
};

/* What the codes of the IQ4 formats stand for. */
#define CK_CURVE -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113

/* Bytes of a panel's scales, for each 32 or, where steps share a scale, for each 256 numbers of its outputs. */
static inline size_t ck_scale_record(ck_scaling scaling) {
    static const int16_t bytes[] = {
        [CK_SCALE] = 32,
        [CK_SCALE_AND_LEAST] = 64,
        [CK_STEPS] = 32 + 8 * 16,
        [CK_STEPS_AND_LEAST] = 64 + 8 * 32,
        [CK_FINE_STEPS] = 32 + 16 * 16,
        [CK_FINE_STEPS_AND_LEAST] = 64 + 16 * 16,
    };
    return (size_t)bytes[scaling];
}

/* Where the lines of a panel begin behind its scales. */
static inline size_t ck_scale_bytes(ck_format format, int32_t inputs) {
    const ck_facts *facts = &ck_all_facts[format];
    const size_t records = (size_t)inputs / (facts->length == 256 ? 256 : 32);
    return (records * ck_scale_record(facts->scaling) + 63) / 64 * 64;
}

/* Thirty-two numbers of a row, taken apart. Sixteen numbers share steps[i] and falls[i]. */
typedef struct {
    uint8_t codes[32];
    uint16_t scale, least; /* half precision; `least` is m where there are falls */
    int8_t steps[2];
    uint8_t falls[2];
} ck_block;

/* The float32 of the same value as a half-precision pattern. */
float ck_from_half(uint16_t half);

/* Numbers 32 * block and on of a row in the bytes of a file. */
void ck_read_block(ck_format format, const uint8_t *row, int32_t block, ck_block *out);

#endif

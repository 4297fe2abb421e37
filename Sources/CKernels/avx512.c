/* avx512.c — kernels for AVX-512 with VNNI: one register holds sixteen outputs.
 *
 * Quantised products, per block of 32 k and output o:
 *     sum = sum over k of q[k] * w[o][k] (whole numbers);  out[o] = out[o] + sum * (scale of w * scale of x)
 *
 * A line of 64 bytes holds four k of the sixteen outputs. VPDPBUSD multiplies it, taken as unsigned, with four bytes of
 * activations spread over the register. Weights are stored plus 8 (Q4_0) or plus 128 (Q8_0), so the sums begin at minus
 * that times the sum of the block's activations.
 */
#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512vnni"))), apply_to = function)

#define CK_FUSED 1
#define CK_ROW_TILE 8
#define CK_PANELS(rows) ((rows) == 1 ? 8 : (rows) <= 4 ? 4 : 2)
#define CK_PANEL_TILE 8
#define CK_SCORE_VECTORS 8
#define CK_VALUE_QUERIES 4
#define CK_LOAD_HALF(p) _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(p)))
#include "lanes.h"

/* Four bytes of activations in every lane. */
CK_FUNCTION __m512i spread(const int8_t *q) {
    int32_t four;
    memcpy(&four, q, sizeof four);
    return _mm512_set1_epi32(four);
}

/* Weights come from memory once: asking for a line 4 KB ahead keeps the stream going across pages. */
#define CK_AHEAD 4096

#define CK_QUANTISED_TILE(NAME, BLOCK_BYTES, LINES, OFFSET_SHIFT, ADD_LINE)                                            \
    CK_FUNCTION void NAME##_rows(                                                                                      \
        const uint8_t *lines, const uint16_t *scales, int blocks, const ck_activations *x, int row, const int rows,    \
        float (*sums)[16]) {                                                                                           \
        const int8_t *q = x->q + (size_t)row * (size_t)blocks * 32;                                                    \
        const float *x_scales = x->scales + (size_t)row * (size_t)blocks;                                              \
        const int32_t *offsets = x->offsets + (size_t)row * (size_t)blocks;                                            \
        __m512 sum[CK_ROW_TILE];                                                                                       \
        _Pragma("unroll") for (int r = 0; r < rows; r++) sum[r] = _mm512_setzero_ps();                                 \
        for (int block = 0; block < blocks; block++) {                                                                 \
            const uint8_t *line = lines + (size_t)block * BLOCK_BYTES;                                                 \
            const int8_t *four = q + (size_t)block * 32;                                                               \
            const __m512 scale = CK_LOAD_HALF(scales + (size_t)block * 16);                                            \
            /* Two whole-number sums a row while registers last: one would be a chain of dependent products. */        \
            __m512i even[CK_ROW_TILE], odd[CK_ROW_TILE];                                                               \
            const bool two = rows <= 4;                                                                                \
            _Pragma("unroll") for (int r = 0; r < rows; r++) {                                                         \
                even[r] = _mm512_slli_epi32(_mm512_set1_epi32(offsets[(size_t)r * blocks + block]), OFFSET_SHIFT);     \
                odd[r] = _mm512_setzero_si512();                                                                       \
            }                                                                                                          \
            _Pragma("unroll") for (int l = 0; l < LINES; l++) {                                                        \
                if (rows <= 2) _mm_prefetch((const char *)line + l * 64 + CK_AHEAD, _MM_HINT_T0);                      \
                const __m512i w = _mm512_loadu_si512(line + l * 64);                                                   \
                _Pragma("unroll") for (int r = 0; r < rows; r++) {                                                     \
                    const int8_t *at = four + (size_t)r * blocks * 32 + l * 4;                                         \
                    __m512i *first = &even[r], *second = two ? &odd[r] : &even[r];                                     \
                    ADD_LINE                                                                                           \
                }                                                                                                      \
            }                                                                                                          \
            _Pragma("unroll") for (int r = 0; r < rows; r++) {                                                         \
                const __m512 whole = _mm512_cvtepi32_ps(two ? _mm512_add_epi32(even[r], odd[r]) : even[r]);            \
                const __m512 factor = _mm512_mul_ps(scale, _mm512_set1_ps(x_scales[(size_t)r * blocks + block]));      \
                sum[r] = _mm512_fmadd_ps(whole, factor, sum[r]);                                                       \
            }                                                                                                          \
        }                                                                                                              \
        _Pragma("unroll") for (int r = 0; r < rows; r++) _mm512_storeu_ps(sums[r], sum[r]);                            \
    }                                                                                                                  \
    static void NAME(                                                                                                  \
        const uint8_t *lines, const uint16_t *scales, int blocks, const ck_activations *x, int row, int rows,          \
        float (*sums)[16]) {                                                                                           \
        switch (rows) {                                                                                                \
        case 1: NAME##_rows(lines, scales, blocks, x, row, 1, sums); break;                                            \
        case 2: NAME##_rows(lines, scales, blocks, x, row, 2, sums); break;                                            \
        case 3: NAME##_rows(lines, scales, blocks, x, row, 3, sums); break;                                            \
        case 4: NAME##_rows(lines, scales, blocks, x, row, 4, sums); break;                                            \
        case 5: NAME##_rows(lines, scales, blocks, x, row, 5, sums); break;                                            \
        case 6: NAME##_rows(lines, scales, blocks, x, row, 6, sums); break;                                            \
        case 7: NAME##_rows(lines, scales, blocks, x, row, 7, sums); break;                                            \
        default: NAME##_rows(lines, scales, blocks, x, row, 8, sums); break;                                           \
        }                                                                                                              \
    }

/* One line is four consecutive k; odd lines go to the second sum. */
CK_QUANTISED_TILE(products_q8, 512, 8, 4, {
    __m512i *sum_of_line = l & 1 ? second : first;
    *sum_of_line = _mm512_dpbusd_epi32(*sum_of_line, w, spread(at));
})

/* The low halves of a line's bytes are four consecutive k, the high ones the four k sixteen further. */
CK_QUANTISED_TILE(products_q4, 256, 4, 0, {
    const __m512i nibble = _mm512_set1_epi8(15);
    *first = _mm512_dpbusd_epi32(*first, _mm512_and_si512(w, nibble), spread(at));
    *second = _mm512_dpbusd_epi32(
        *second, _mm512_and_si512(_mm512_srli_epi16(w, 4), nibble), spread(at + 16));
})

#include "rows.h"
#include "linear.h"
#include "attention.h"

#pragma clang attribute pop

const ck_kernels ck_avx512_kernels = {
    linear_piece,   gated_piece, finish_rows,    quantize_row, rms_norm_row,
    layer_norm_row, rotate_row,  largest_of_row, attend_piece,
};
#endif

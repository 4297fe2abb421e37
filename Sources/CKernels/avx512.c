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
#define CK_QUANTISED_PANELS 2
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

/* Sums of `rows` rows with `panels` panels, both constants where this is used, so that the sums stay in registers. */
#define CK_QUANTISED_TILE(NAME, BLOCK_BYTES, LINES, OFFSET_SHIFT, ...)                                                 \
    CK_FUNCTION void NAME##_tile(                                                                                      \
        const ck_panels *weight, const ck_activations *x, int row, const int rows, const int panels,                   \
        tile_sums *sums) {                                                                              \
        const int blocks = weight->blocks;                                                                             \
        const size_t panel_bytes = weight->panel_bytes;                                                                \
        const int8_t *q = x->q + (size_t)row * (size_t)blocks * 32;                                                    \
        const float *x_scales = x->scales + (size_t)row * (size_t)blocks;                                              \
        const int32_t *offsets = x->offsets + (size_t)row * (size_t)blocks;                                            \
        const uint8_t *lines = weight->lines;                                                                          \
        const char *scales = (const char *)weight->scales;                                                             \
        __m512 sum[6][2];                                                                                              \
        _Pragma("unroll") for (int r = 0; r < rows; r++)                                                               \
            _Pragma("unroll") for (int p = 0; p < panels; p++) sum[r][p] = _mm512_setzero_ps();                        \
        for (int block = 0; block < blocks; block++) {                                                                 \
            const uint8_t *line = lines + (size_t)block * BLOCK_BYTES;                                                 \
            const int8_t *four = q + (size_t)block * 32;                                                               \
            /* Two whole-number sums while registers last: one would be a chain of dependent products. */              \
            __m512i even[6][2], odd[6][2];                                                                             \
            const bool two = rows * panels <= 8;                                                                       \
            _Pragma("unroll") for (int r = 0; r < rows; r++) {                                                         \
                const __m512i offset =                                                                                 \
                    _mm512_slli_epi32(_mm512_set1_epi32(offsets[(size_t)r * blocks + block]), OFFSET_SHIFT);           \
                _Pragma("unroll") for (int p = 0; p < panels; p++)                                                     \
                    even[r][p] = offset, odd[r][p] = _mm512_setzero_si512();                                           \
            }                                                                                                          \
            _Pragma("unroll") for (int l = 0; l < LINES; l++) {                                                        \
                __m512i w[2];                                                                                          \
                _Pragma("unroll") for (int p = 0; p < panels; p++) {                                                   \
                    const uint8_t *place = line + p * panel_bytes + l * 64;                                            \
                    _mm_prefetch((const char *)place + CK_AHEAD, _MM_HINT_T0);                                         \
                    w[p] = _mm512_loadu_si512(place);                                                                  \
                }                                                                                                      \
                __VA_ARGS__                                                                                            \
            }                                                                                                          \
            _Pragma("unroll") for (int p = 0; p < panels; p++) {                                                       \
                const __m512 scale = CK_LOAD_HALF(scales + p * panel_bytes + (size_t)block * 32);                      \
                _Pragma("unroll") for (int r = 0; r < rows; r++) {                                                     \
                    const __m512i whole = two ? _mm512_add_epi32(even[r][p], odd[r][p]) : even[r][p];                  \
                    const __m512 factor = _mm512_mul_ps(scale, _mm512_set1_ps(x_scales[(size_t)r * blocks + block]));  \
                    sum[r][p] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(whole), factor, sum[r][p]);                         \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
        _Pragma("unroll") for (int r = 0; r < rows; r++)                                                               \
            _Pragma("unroll") for (int p = 0; p < panels; p++) _mm512_storeu_ps(sums[p][r], sum[r][p]);                \
    }                                                                                                                  \
    CK_FUNCTION void NAME##_rows(                                                                                      \
        const ck_panels *weight, const ck_activations *x, int row, const int rows, int panels,                         \
        tile_sums *sums) {                                                                              \
        if (panels == 2) NAME##_tile(weight, x, row, rows, 2, sums);                                                \
        else NAME##_tile(weight, x, row, rows, 1, sums);                                                            \
    }                                                                                                                  \
    /* Four rows by two panels load least for their products; seven and eight rows are two such tiles. */              \
    static void NAME(                                                                                                  \
        const ck_panels *weight, const ck_activations *x, int row, int rows, int panels, tile_sums *sums) {            \
        if (rows > 6) {                                                                                                \
            NAME##_rows(weight, x, row, 4, panels, sums);                                                              \
            /* The sums of the other rows stand four further in every panel. */                                        \
            sums = (tile_sums *)sums[0][4];                                                                            \
            row += 4;                                                                                                  \
            rows -= 4;                                                                                                 \
        }                                                                                                              \
        switch (rows) {                                                                                                \
        case 1: NAME##_rows(weight, x, row, 1, panels, sums); break;                                                   \
        case 2: NAME##_rows(weight, x, row, 2, panels, sums); break;                                                   \
        case 3: NAME##_rows(weight, x, row, 3, panels, sums); break;                                                   \
        case 4: NAME##_rows(weight, x, row, 4, panels, sums); break;                                                   \
        case 5: NAME##_rows(weight, x, row, 5, panels, sums); break;                                                   \
        default: NAME##_rows(weight, x, row, 6, panels, sums); break;                                                  \
        }                                                                                                              \
    }

/* One line is four consecutive k; odd lines go to the second sum. */
CK_QUANTISED_TILE(products_q8, 512, 8, 4, {
    _Pragma("unroll") for (int r = 0; r < rows; r++) {
        const __m512i factor = spread(four + (size_t)r * blocks * 32 + l * 4);
        _Pragma("unroll") for (int p = 0; p < panels; p++) {
            __m512i *into = two && (l & 1) ? &odd[r][p] : &even[r][p];
            *into = _mm512_dpbusd_epi32(*into, w[p], factor);
        }
    }
})

/* The low halves of a line's bytes are four consecutive k, the high ones the four k sixteen further. */
CK_QUANTISED_TILE(products_q4, 256, 4, 0, {
    const __m512i nibble = _mm512_set1_epi8(15);
    __m512i low[2], high[2];
    _Pragma("unroll") for (int p = 0; p < panels; p++) {
        low[p] = _mm512_and_si512(w[p], nibble);
        high[p] = _mm512_and_si512(_mm512_srli_epi16(w[p], 4), nibble);
    }
    _Pragma("unroll") for (int r = 0; r < rows; r++) {
        const int8_t *at = four + (size_t)r * blocks * 32 + l * 4;
        const __m512i first = spread(at), second = spread(at + 16);
        _Pragma("unroll") for (int p = 0; p < panels; p++) {
            __m512i *into = two ? &odd[r][p] : &even[r][p];
            even[r][p] = _mm512_dpbusd_epi32(even[r][p], low[p], first);
            *into = _mm512_dpbusd_epi32(*into, high[p], second);
        }
    }
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

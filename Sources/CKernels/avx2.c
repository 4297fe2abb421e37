/* avx2.c — kernels for AVX2 with fused multiply-add: two registers hold sixteen outputs.
 *
 * Quantised products, per block of 32 k and output o:
 *     sum = sum over k of q[k] * w[o][k] (whole numbers);  out[o] = out[o] + sum * (scale of w * scale of x)
 *
 * VPMADDUBSW multiplies unsigned by signed bytes and adds neighbours in sixteen bits. Nibbles (0...15) times activations
 * (-127...127) leave room to add a whole block there: 8 * 2 * 15 * 127 = 30480. Signed weights have their sign moved to
 * the activations, |w| * sign(q, w), and are widened line by line: 2 * 128 * 127 = 32512.
 */
#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#define CK_FUSED 1
#define CK_ROW_TILE 4
#define CK_PANELS(rows) ((rows) == 1 ? 4 : (rows) == 2 ? 2 : 1)
#define CK_PANEL_TILE 4
#define CK_QUANTISED_PANELS 1
#define CK_SCORE_VECTORS 4
#define CK_VALUE_QUERIES 2

CK_FUNCTION void widen_halves(const uint16_t *p, __m256 *low, __m256 *high) {
    *low = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
    *high = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(p + 8)));
}

#define CK_LOAD_HALF(p)                                                                                                \
    ({                                                                                                                 \
        __m256 parts[2];                                                                                               \
        widen_halves(p, &parts[0], &parts[1]);                                                                         \
        lanes both;                                                                                                    \
        memcpy(&both, parts, sizeof both);                                                                             \
        both;                                                                                                          \
    })
#include "lanes.h"

/* Four bytes of activations in every lane. */
CK_FUNCTION __m256i spread(const int8_t *q) {
    int32_t four;
    memcpy(&four, q, sizeof four);
    return _mm256_set1_epi32(four);
}

CK_FUNCTION __m256i load_line(const uint8_t *p) { return _mm256_loadu_si256((const __m256i *)p); }

/* Eight outputs of a block of Q8_0: whole-number sums. */
CK_FUNCTION __m256i block_q8(const uint8_t *lines, const int8_t *q) {
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i sum = _mm256_setzero_si256();
    _Pragma("unroll") for (int l = 0; l < 8; l++) {
        /* Stored plus 128 for processors that have VNNI. */
        const __m256i w = _mm256_xor_si256(load_line(lines + l * 64), _mm256_set1_epi8((char)0x80));
        const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(spread(q + l * 4), w));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, ones));
    }
    return sum;
}

/* Eight outputs of a block of Q4_0, without the offset. */
CK_FUNCTION __m256i block_q4(const uint8_t *lines, const int8_t *q) {
    const __m256i nibble = _mm256_set1_epi8(15);
    __m256i pairs = _mm256_setzero_si256();
    _Pragma("unroll") for (int l = 0; l < 4; l++) {
        const __m256i w = load_line(lines + l * 64);
        const __m256i high = _mm256_and_si256(_mm256_srli_epi16(w, 4), nibble);
        pairs = _mm256_add_epi16(pairs, _mm256_maddubs_epi16(_mm256_and_si256(w, nibble), spread(q + l * 4)));
        pairs = _mm256_add_epi16(pairs, _mm256_maddubs_epi16(high, spread(q + 16 + l * 4)));
    }
    return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

#define CK_QUANTISED_TILE(NAME, BLOCK, BLOCK_BYTES, HAS_OFFSET)                                                        \
    CK_FUNCTION void NAME##_tile(                                                                                      \
        const ck_panels *weight, const ck_activations *x, int row, const int rows, tile_sums *sums) {                  \
        const int blocks = weight->blocks;                                                                             \
        const int8_t *q = x->q + (size_t)row * (size_t)blocks * 32;                                                    \
        const float *x_scales = x->scales + (size_t)row * (size_t)blocks;                                              \
        const int32_t *offsets = x->offsets + (size_t)row * (size_t)blocks;                                            \
        __m256 sum[CK_ROW_TILE][2];                                                                                    \
        _Pragma("unroll") for (int r = 0; r < rows; r++) sum[r][0] = sum[r][1] = _mm256_setzero_ps();                  \
        for (int block = 0; block < blocks; block++) {                                                                 \
            const uint8_t *lines = weight->lines + (size_t)block * BLOCK_BYTES;                                        \
            __m256 scale[2];                                                                                           \
            widen_halves(weight->scales + (size_t)block * 16, &scale[0], &scale[1]);                                   \
            /* Weights come from memory once: asking 4 KB ahead keeps the stream going across pages. */                \
            _Pragma("unroll") for (int line = 0; line < BLOCK_BYTES; line += 64)                                       \
                _mm_prefetch((const char *)lines + line + 4096, _MM_HINT_T0);                                          \
            _Pragma("unroll") for (int r = 0; r < rows; r++)                                                           \
                _Pragma("unroll") for (int half = 0; half < 2; half++) {                                               \
                    const size_t place = (size_t)r * blocks + block;                                                   \
                    __m256i whole = BLOCK(lines + half * 32, q + place * 32);                                          \
                    if (HAS_OFFSET) whole = _mm256_add_epi32(whole, _mm256_set1_epi32(offsets[place]));                \
                    const __m256 factor = _mm256_mul_ps(scale[half], _mm256_set1_ps(x_scales[place]));                 \
                    sum[r][half] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(whole), factor, sum[r][half]);                   \
                }                                                                                                      \
        }                                                                                                              \
        _Pragma("unroll") for (int r = 0; r < rows; r++)                                                               \
            _Pragma("unroll") for (int half = 0; half < 2; half++)                                                     \
                _mm256_storeu_ps(sums[0][r] + 8 * half, sum[r][half]);                                                 \
    }                                                                                                                  \
    static void NAME(                                                                                                  \
        const ck_panels *weight, const ck_activations *x, int row, int rows, int panels, tile_sums *sums) {            \
        (void)panels; /* one: CK_QUANTISED_PANELS */                                                                   \
        switch (rows) {                                                                                                \
        case 1: NAME##_tile(weight, x, row, 1, sums); break;                                                           \
        case 2: NAME##_tile(weight, x, row, 2, sums); break;                                                           \
        case 3: NAME##_tile(weight, x, row, 3, sums); break;                                                           \
        default: NAME##_tile(weight, x, row, 4, sums); break;                                                          \
        }                                                                                                              \
    }

CK_QUANTISED_TILE(products_q8, block_q8, 512, false)
CK_QUANTISED_TILE(products_q4, block_q4, 256, true)

#include "rows.h"
#include "linear.h"
#include "attention.h"

#pragma clang attribute pop

const ck_kernels ck_avx2_kernels = {
    linear_piece,   gated_piece, finish_rows,    quantize_row, rms_norm_row,
    layer_norm_row, rotate_row,  largest_of_row, attend_piece,
};
#endif

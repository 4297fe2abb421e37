/* avx512.c — kernels for AVX-512 with VNNI: one register holds sixteen outputs.
 *
 * VPDPBUSD multiplies four codes of each of the sixteen outputs, taken as unsigned, with four bytes of activations spread
 * over the register. Codes of eight bits are stored plus 128, so the sums begin at minus that times the sum of the
 * activations.
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
#define CK_SIGNED_BYTES 0
#define CK_UNPACKED_FROM 28
#define CK_SCORE_VECTORS 8
#define CK_VALUE_QUERIES 4
#define CK_VALUE_VECTORS 8
#define CK_LOAD_HALF(p) _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(p)))
#define CK_STORE_HALF(p, v)                                                                                            \
    _mm256_storeu_si256((__m256i *)(p), _mm512_cvtps_ph((__m512)(v), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC))
#include "lanes.h"

CK_FUNCTION code_bytes curve_of(code_bytes codes) {
    const __m512i curve = _mm512_add_epi8(
        _mm512_broadcast_i32x4(_mm_setr_epi8(CK_CURVE)), _mm512_set1_epi8((char)128));
    return (code_bytes)_mm512_shuffle_epi8(curve, (__m512i)codes);
}

#include "codes.h"

/* Four k of a row with the codes of a group, for one half of the block. */
CK_FUNCTION void add_four(
    const code_bytes (*codes)[2], const int8_t *q, const int half, const int panels, whole_lanes (*whole)[2]) {
    int32_t four;
    memcpy(&four, q, sizeof four);
    const __m512i spread = _mm512_set1_epi32(four);
    _Pragma("unroll") for (int p = 0; p < panels; p++)
        whole[p][half] =
            (whole_lanes)_mm512_dpbusd_epi32((__m512i)whole[p][half], (__m512i)codes[p][half], spread);
}

/* Two whole-number sums for each row and panel: one would be a chain of dependent products. What is unpacked here is
 * unpacked for both halves, which share their lines; what was unpacked before is taken half by half. */
CK_FUNCTION void block_products(
    const ck_facts facts, const uint8_t *lines, size_t panel_bytes, const int8_t *q, const int rows, const int panels,
    whole_lanes (*whole)[CK_QUANTISED_PANELS][2]) {
    _Pragma("unroll") for (int part = 0; part < (facts.unpacked ? 2 : 1); part++)
        _Pragma("unroll") for (int l = 0; l < 4; l++) {
            code_bytes codes[CK_QUANTISED_PANELS][2];
            _Pragma("unroll") for (int p = 0; p < panels; p++)
                codes_of(facts, lines + (size_t)p * panel_bytes, l, codes[p]);
            _Pragma("unroll") for (int r = 0; r < rows; r++)
                _Pragma("unroll") for (int half = 0; half < 2; half++)
                    if (!facts.unpacked || half == part)
                        add_four(codes, q + r * 32 + half * 16 + l * 4, half, panels, whole[r]);
        }
}

#define CK_WIDE_PANELS CK_WIDE_TILE
#define CK_WIDE_ROWS_AT_ONCE CK_WIDE_ROWS

CK_FUNCTION whole_lanes add_pairs(whole_lanes sums, word_pairs pairs, int32_t pair) {
    return (whole_lanes)_mm512_dpwssd_epi32((__m512i)sums, (__m512i)pairs, _mm512_set1_epi32(pair));
}

#include "quantised.h"
#include "rows.h"
#include "linear.h"
#include "attention.h"
#include "wide.h"
#include "checksum.h"
#include "convert.h"

#pragma clang attribute pop

const ck_kernels ck_avx512_kernels = {
    linear_piece,   gated_piece, finish_rows,    quantize_row, rms_norm_row,
    layer_norm_row, rotate_row,  largest_of_row, narrow_numbers, make_row,     sum_of_stretch, attend_piece,
    wide_piece,     wide_group,
};
#endif

/* neon.c — kernels for 64-bit ARM with dot products (ARMv8.2's SDOT): four registers hold sixteen outputs.
 *
 * SDOT multiplies four signed codes of each of four outputs with four signed bytes of activations; one register of
 * activations serves the four groups of sixteen k, each by its place in the register. Codes of eight bits are taken minus
 * 128, the others are below 64 as they are. Sums of whole numbers are exact and floats are added as portable.c adds them
 * on this processor, so the two agree in every bit.
 */
#if defined(__aarch64__)
#include <arm_neon.h>

#include "kernels.h"

#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)

#define CK_FUSED 1
#define CK_ROW_TILE 4
#define CK_PANELS(rows) ((rows) <= 2 ? 2 : 1)
#define CK_PANEL_TILE 2
#define CK_QUANTISED_PANELS 1
#define CK_SIGNED_BYTES 1
#define CK_UNPACKED_FROM 16
#define CK_SCORE_VECTORS 4
#define CK_VALUE_QUERIES 2
#define CK_VALUE_VECTORS 2
#define CK_LOAD_HALF(p)                                                                                                \
    ({                                                                                                                 \
        lanes all;                                                                                                     \
        float32x4_t parts[4];                                                                                          \
        for (int i = 0; i < 4; i++) parts[i] = vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16((p) + 4 * i)));              \
        memcpy(&all, parts, sizeof all);                                                                               \
        all;                                                                                                           \
    })
#define CK_STORE_HALF(p, v)                                                                                            \
    ({                                                                                                                 \
        const lanes all = v;                                                                                           \
        float32x4_t parts[4];                                                                                          \
        memcpy(parts, &all, sizeof parts);                                                                             \
        for (int i = 0; i < 4; i++) vst1_u16((p) + 4 * i, vreinterpret_u16_f16(vcvt_f16_f32(parts[i])));               \
    })
#include "lanes.h"

typedef struct {
    int8x16_t part[4];
} four_quarters;

CK_FUNCTION four_quarters quarters_of(code_bytes codes) {
    four_quarters quarters;
    memcpy(&quarters, &codes, sizeof quarters);
    return quarters;
}

CK_FUNCTION code_bytes curve_of(code_bytes codes) {
    static const int8_t points[16] = {CK_CURVE};
    const int8x16_t curve = vld1q_s8(points);
    four_quarters quarters = quarters_of(codes);
    _Pragma("unroll") for (int i = 0; i < 4; i++)
        quarters.part[i] = vqtbl1q_s8(curve, vreinterpretq_u8_s8(quarters.part[i]));
    memcpy(&codes, &quarters, sizeof codes);
    return codes;
}

#include "codes.h"

typedef struct {
    int32x4_t part[4];
} four_sums;

/* The lane is a constant of the instruction. */
#define ADD_GROUP(LANE)                                                                                                \
    case LANE:                                                                                                         \
        _Pragma("unroll") for (int i = 0; i < 4; i++)                                                                  \
            sums->part[i] = vdotq_laneq_s32(sums->part[i], codes.part[i], x, LANE);                                    \
        break;

CK_FUNCTION void add_group(four_sums *sums, const four_quarters codes, const int8x16_t x, const int lane) {
    switch (lane) {
        ADD_GROUP(0)
        ADD_GROUP(1)
        ADD_GROUP(2)
        ADD_GROUP(3)
    }
}

/* One half of the block after the other: the sums of four rows take half of the registers. */
CK_FUNCTION void block_products(
    const ck_facts facts, const uint8_t *lines, size_t panel_bytes, const int8_t *q, const int rows, const int panels,
    whole_lanes (*whole)[CK_QUANTISED_PANELS][2]) {
    (void)panel_bytes, (void)panels; /* one: CK_QUANTISED_PANELS */
    _Pragma("unroll") for (int half = 0; half < 2; half++) {
        four_sums sums[CK_ROW_GROUP];
        int8x16_t x[CK_ROW_GROUP];
        _Pragma("unroll") for (int r = 0; r < rows; r++) {
            memcpy(&sums[r], &whole[r][0][half], sizeof sums[r]);
            x[r] = vld1q_s8(q + r * 32 + half * 16);
        }
        _Pragma("unroll") for (int l = 0; l < 4; l++) {
            code_bytes codes[2];
            codes_of(facts, lines, l, codes);
            const four_quarters quarters = quarters_of(codes[half]);
            _Pragma("unroll") for (int r = 0; r < rows; r++) add_group(&sums[r], quarters, x[r], l);
        }
        _Pragma("unroll") for (int r = 0; r < rows; r++) memcpy(&whole[r][0][half], &sums[r], sizeof sums[r]);
    }
}

#include "quantised.h"
#include "rows.h"
#include "linear.h"
#include "attention.h"
#include "checksum.h"
#include "convert.h"

#pragma clang attribute pop

const ck_kernels ck_neon_kernels = {
    linear_piece,   gated_piece, finish_rows,    quantize_row, rms_norm_row,
    layer_norm_row, rotate_row,  largest_of_row, narrow_numbers, make_row,     sum_of_stretch, attend_piece,
};
#endif

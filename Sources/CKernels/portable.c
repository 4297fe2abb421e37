/* portable.c — kernels in plain C for any processor; the compiler turns the sixteen lanes into what it has (SSE2, NEON). */
#if defined(__aarch64__)
#define CK_FUSED 1
#else
/* Without the instruction a fused multiply-add is a call of the C library for every lane. */
#define CK_FUSED 0
#endif
#define CK_ROW_TILE 4
#define CK_PANELS(rows) ((rows) == 1 ? 2 : 1)
#define CK_PANEL_TILE 2
#define CK_QUANTISED_ROWS 4
#define CK_QUANTISED_PANELS 1
#define CK_SIGNED_BYTES 1
#define CK_SCORE_VECTORS 4
#define CK_VALUE_QUERIES 2
#include "lanes.h"

CK_FUNCTION code_bytes curve_of(code_bytes codes) {
    static const int8_t curve[16] = {CK_CURVE};
    uint8_t bytes[64];
    memcpy(bytes, &codes, sizeof bytes);
    for (int i = 0; i < 64; i++) bytes[i] = (uint8_t)curve[bytes[i]];
    memcpy(&codes, bytes, sizeof codes);
    return codes;
}

#include "codes.h"

/* Adds sixteen k of sixteen outputs: codes[l][half][o * 4 + j] times q[4 l + j]. Not inlined: a hundred copies of it would take
 * the compiler a minute and the processor no less time. */
static __attribute__((noinline)) void add_groups(int32_t *restrict sum, const int8_t *restrict codes, const int8_t *q) {
    for (int l = 0; l < 4; l++, codes += 128, q += 4) {
        const int32_t q0 = q[0], q1 = q[1], q2 = q[2], q3 = q[3];
        for (int o = 0; o < 16; o++)
            sum[o] += q0 * codes[o * 4] + q1 * codes[o * 4 + 1] + q2 * codes[o * 4 + 2] + q3 * codes[o * 4 + 3];
    }
}

CK_FUNCTION void block_products(
    const ck_facts facts, const ck_panels *weight, const ck_activations *x, int row, const int rows,
    const int panels, int block, whole_lanes (*whole)[CK_QUANTISED_PANELS][2]) {
    (void)panels; /* one: CK_QUANTISED_PANELS */
    code_bytes codes[4][2];
    _Pragma("unroll") for (int l = 0; l < 4; l++)
        codes_of(facts, weight->lines + (size_t)block * 64 * (size_t)facts.bits, l, codes[l]);
    for (int r = 0; r < rows; r++) {
        const size_t place = (size_t)(row + r) * (size_t)weight->blocks + (size_t)block;
        for (int half = 0; half < 2; half++) {
            int32_t sums[16];
            for (int o = 0; o < 16; o++) sums[o] = start_of(facts, x->offsets[place * 2 + (size_t)half])[o];
            add_groups(sums, (const int8_t *)&codes[0][half], x->q + place * 32 + half * 16);
            memcpy(&whole[r][0][half], sums, sizeof sums);
        }
    }
}

#include "quantised.h"
#include "rows.h"
#include "linear.h"
#include "attention.h"

const ck_kernels ck_portable_kernels = {
    linear_piece,   gated_piece, finish_rows,    quantize_row, rms_norm_row,
    layer_norm_row, rotate_row,  largest_of_row, attend_piece,
};

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
#define CK_QUANTISED_PANELS 1
#define CK_SIGNED_BYTES 1
#define CK_UNPACKED_FROM 16
#define CK_SCORE_VECTORS 4
#define CK_VALUE_QUERIES 2
#define CK_VALUE_VECTORS 2
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

/* Adds sixteen k of sixteen outputs: codes[l][o * 4 + j] times q[4 l + j]. Not inlined: a hundred copies of it would take
 * the compiler a minute and the processor no less time. */
static __attribute__((noinline)) void add_groups(int32_t *restrict sum, const int8_t *restrict codes, const int8_t *q) {
    for (int l = 0; l < 4; l++, codes += 64, q += 4) {
        const int32_t q0 = q[0], q1 = q[1], q2 = q[2], q3 = q[3];
        for (int o = 0; o < 16; o++)
            sum[o] += q0 * codes[o * 4] + q1 * codes[o * 4 + 1] + q2 * codes[o * 4 + 2] + q3 * codes[o * 4 + 3];
    }
}

CK_FUNCTION void block_products(
    const ck_facts facts, const uint8_t *lines, size_t panel_bytes, const int8_t *q, const int rows, const int panels,
    whole_lanes (*whole)[CK_QUANTISED_PANELS][2]) {
    (void)panel_bytes, (void)panels; /* one: CK_QUANTISED_PANELS */
    code_bytes unpacked[2][4];
    _Pragma("unroll") for (int l = 0; l < 4 && !facts.unpacked; l++) {
        code_bytes both[2];
        codes_of(facts, lines, l, both);
        unpacked[0][l] = both[0];
        unpacked[1][l] = both[1];
    }
    const int8_t *codes = facts.unpacked ? (const int8_t *)lines : (const int8_t *)unpacked;
    for (int r = 0; r < rows; r++)
        for (int half = 0; half < 2; half++)
            add_groups((int32_t *)&whole[r][0][half], codes + half * 256, q + r * 32 + half * 16);
}

#include "quantised.h"
#include "rows.h"
#include "linear.h"
#include "attention.h"
#include "checksum.h"
#include "convert.h"

const ck_kernels ck_portable_kernels = {
    linear_piece,   gated_piece, finish_rows,    quantize_row, rms_norm_row,
    layer_norm_row, rotate_row,  largest_of_row, narrow_numbers, make_row,     sum_of_stretch, attend_piece,
};

/* portable.c — kernels in plain C for any processor; the compiler turns the sixteen lanes into what it has (SSE2, NEON).
 *
 * Quantised products, per block of 32 k and output o:
 *     sum = sum over k of q[k] * w[o][k] (whole numbers);  out[o] = out[o] + sum * (scale of w * scale of x)
 */
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
#define CK_SCORE_VECTORS 4
#define CK_VALUE_QUERIES 2
#include "lanes.h"

/* Adds four k of sixteen outputs: line[o * 4 + j] times q[j]. */
CK_FUNCTION void add_line(int32_t *restrict sum, const int8_t *restrict line, const int8_t *q) {
    const int32_t q0 = q[0], q1 = q[1], q2 = q[2], q3 = q[3];
    for (int o = 0; o < 16; o++)
        sum[o] += q0 * line[o * 4] + q1 * line[o * 4 + 1] + q2 * line[o * 4 + 2] + q3 * line[o * 4 + 3];
}

CK_FUNCTION lanes block_sum(lanes sum, const int32_t *whole, const uint16_t *scales, float x_scale) {
    whole_lanes w;
    memcpy(&w, whole, sizeof w);
    return lanes_fma(__builtin_convertvector(w, lanes), lanes_from_half(scales) * x_scale, sum);
}

static void products_q8(
    const ck_panels *weight, const ck_activations *x, int row, int rows, int panels, tile_sums *sums) {
    (void)panels; /* one: CK_QUANTISED_PANELS */
    const int blocks = weight->blocks;
    for (int r = 0; r < rows; r++) {
        const size_t place = (size_t)(row + r) * (size_t)blocks;
        const int8_t *q = x->q + place * 32;
        lanes sum = lanes_fill(0);
        for (int block = 0; block < blocks; block++) {
            int32_t whole[16] = {0};
            for (int line = 0; line < 8; line++) {
                int8_t w[64];
                /* Stored plus 128 for processors that multiply unsigned by signed bytes. */
                for (int i = 0; i < 64; i++) w[i] = (int8_t)(weight->lines[(size_t)block * 512 + line * 64 + i] ^ 0x80);
                add_line(whole, w, q + block * 32 + line * 4);
            }
            sum = block_sum(sum, whole, weight->scales + (size_t)block * 16, x->scales[place + block]);
        }
        lanes_store(sums[0][r], sum);
    }
}

static void products_q4(
    const ck_panels *weight, const ck_activations *x, int row, int rows, int panels, tile_sums *sums) {
    (void)panels; /* one: CK_QUANTISED_PANELS */
    const int blocks = weight->blocks;
    for (int r = 0; r < rows; r++) {
        const size_t place = (size_t)(row + r) * (size_t)blocks;
        const int8_t *q = x->q + place * 32;
        lanes sum = lanes_fill(0);
        for (int block = 0; block < blocks; block++) {
            int32_t whole[16];
            for (int o = 0; o < 16; o++) whole[o] = x->offsets[place + block];
            for (int line = 0; line < 4; line++) {
                int8_t low[64], high[64];
                const uint8_t *packed = weight->lines + (size_t)block * 256 + line * 64;
                for (int i = 0; i < 64; i++) low[i] = (int8_t)(packed[i] & 15), high[i] = (int8_t)(packed[i] >> 4);
                add_line(whole, low, q + block * 32 + line * 4);
                add_line(whole, high, q + block * 32 + 16 + line * 4);
            }
            sum = block_sum(sum, whole, weight->scales + (size_t)block * 16, x->scales[place + block]);
        }
        lanes_store(sums[0][r], sum);
    }
}

#include "rows.h"
#include "linear.h"
#include "attention.h"

const ck_kernels ck_portable_kernels = {
    linear_piece,   gated_piece, finish_rows,    quantize_row, rms_norm_row,
    layer_norm_row, rotate_row,  largest_of_row, attend_piece,
};

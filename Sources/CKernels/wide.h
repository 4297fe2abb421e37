/* wide.h — products of fixed shape, on whole numbers of two bytes: what the vision tower runs on.
 *
 *     out[r][o] = activation(sum over blocks of 64 k, ascending, of
 *                     (sum of x[r][k] * w[o][k]: whole numbers, exact) * (scale of x[r] * scale of w[o]) + bias[o])
 *                 + residual[r][o]
 *
 * A block's numbers reach from -5792 to 5792, so that 64 products stay below 2^31; its scale is its largest magnitude /
 * 5792. That is 12.5 bits where bytes have 7, at twice the speed of float32. Blocks are added by one fused multiply-add
 * each, in order, so a row's bits do not depend on its company here either.
 *
 * Weights: panels of sixteen outputs: a scale for each [block][output], then numbers [k / 2][output][2].
 * Rows: groups of eight: numbers [k / 2][row][2], and by themselves scales [block][row]. A group's missing rows are zero.
 *
 * An instruction set's file defines before the include:
 *     CK_WIDE_PANELS                   panels whose sums fit in its registers at once: 1 or CK_WIDE_TILE
 *     CK_WIDE_ROWS_AT_ONCE             rows of a group whose sums fit there with them
 *     add_pairs(sums, pairs, pair)     adds w[o][0] * x[0] + w[o][1] * x[1] to sixteen sums
 */

/* Whole-number sums of a block for some rows of a group. */
CK_FUNCTION void wide_block_sums(
    const uint8_t *numbers, size_t panel_bytes, const int16_t *x, const int panels,
    whole_lanes (*whole)[CK_WIDE_ROWS_AT_ONCE]) {
    _Pragma("unroll") for (int p = 0; p < panels; p++)
        _Pragma("unroll") for (int r = 0; r < CK_WIDE_ROWS_AT_ONCE; r++) whole[p][r] = (whole_lanes)(0);
    for (int k = 0; k < CK_WIDE_BLOCK / 2; k++, numbers += 64, x += 2 * CK_WIDE_ROWS) {
        word_pairs pairs[CK_WIDE_PANELS];
        _Pragma("unroll") for (int p = 0; p < panels; p++)
            memcpy(&pairs[p], numbers + (size_t)p * panel_bytes, sizeof pairs[p]);
        _Pragma("unroll") for (int r = 0; r < CK_WIDE_ROWS_AT_ONCE; r++) {
            int32_t pair;
            memcpy(&pair, x + 2 * r, sizeof pair);
            _Pragma("unroll") for (int p = 0; p < panels; p++) whole[p][r] = add_pairs(whole[p][r], pairs[p], pair);
        }
    }
}

/* Eight rows by `panels` panels; a constant where this is used, so that the sums stay in registers. */
CK_FUNCTION void wide_sums(
    const ck_wide_product *product, const uint8_t *weight, const int16_t *x, const float *x_scales, const int panels,
    float (*sums)[CK_WIDE_ROWS][16]) {
    const int blocks = product->inputs / CK_WIDE_BLOCK;
    const size_t panel_bytes = ck_wide_panel_bytes(product->inputs);
    const uint8_t *numbers = weight + (size_t)blocks * 64;
    for (int p = 0; p < panels; p++)
        for (int r = 0; r < CK_WIDE_ROWS; r++) lanes_store(sums[p][r], lanes_fill(0));
    for (int block = 0; block < blocks; block++, numbers += CK_WIDE_BLOCK * 32, x += CK_WIDE_BLOCK * CK_WIDE_ROWS)
        for (int row = 0; row < CK_WIDE_ROWS; row += CK_WIDE_ROWS_AT_ONCE) {
            whole_lanes whole[CK_WIDE_PANELS][CK_WIDE_ROWS_AT_ONCE];
            wide_block_sums(numbers, panel_bytes, x + 2 * row, panels, whole);
            _Pragma("unroll") for (int p = 0; p < panels; p++) {
                const lanes scale = lanes_load((const float *)(weight + (size_t)p * panel_bytes) + block * 16);
                _Pragma("unroll") for (int r = 0; r < CK_WIDE_ROWS_AT_ONCE; r++) {
                    const lanes sum = __builtin_convertvector(whole[p][r], lanes);
                    float *place = sums[p][row + r];
                    lanes_store(
                        place, lanes_fma(sum, scale * x_scales[block * CK_WIDE_ROWS + row + r], lanes_load(place)));
                }
            }
        }
}

/* Panels first..<first + panels for the rows of groups group..<group_end. Meanwhile it asks for the next panels, which
 * other tiles, here or on another thread, will want from memory: each group of rows for its share of their lines. */
static void wide_piece(const ck_wide_product *product, int first, int panels, int group, int group_end) {
    const size_t panel_bytes = ck_wide_panel_bytes(product->inputs);
    const int blocks = product->inputs / CK_WIDE_BLOCK, groups = (product->rows + CK_WIDE_ROWS - 1) / CK_WIDE_ROWS;
    const uint8_t *weight = product->packed + (size_t)first * panel_bytes;
    const size_t lines = panel_bytes * (size_t)panels / 64;
    const bool is_last = (first + 2 * panels) * 16 > product->outputs;
    for (int g = group; g < group_end; g++) {
        if (!is_last)
            for (size_t line = lines * (size_t)g / (size_t)groups; line < lines * (size_t)(g + 1) / (size_t)groups; line++)
                __builtin_prefetch(weight + (lines + line) * 64, 0, 2);
        const int16_t *x = product->numbers + (size_t)g * CK_WIDE_ROWS * (size_t)product->inputs;
        const float *scales = product->scales + (size_t)g * CK_WIDE_ROWS * (size_t)blocks;
        _Alignas(64) float sums[CK_WIDE_TILE][CK_WIDE_ROWS][16];
#if CK_WIDE_PANELS == 1
        for (int p = 0; p < panels; p++)
            wide_sums(product, weight + (size_t)p * panel_bytes, x, scales, 1, sums + p);
#else
        switch (panels) {
        case 1: wide_sums(product, weight, x, scales, 1, sums); break;
        case 2: wide_sums(product, weight, x, scales, 2, sums); break;
        case 3: wide_sums(product, weight, x, scales, 3, sums); break;
        }
#endif
        const int row = g * CK_WIDE_ROWS, left = product->rows - row;
        for (int r = 0; r < (left < CK_WIDE_ROWS ? left : CK_WIDE_ROWS); r++)
            for (int p = 0; p < panels; p++) {
                const size_t column = (size_t)(first + p) * 16;
                const size_t place = (size_t)(row + r) * product->out_stride + column;
                lanes v = lanes_load(sums[p][r]);
                if (product->bias) v = v + lanes_load(product->bias + column);
                v = lanes_activate(v, product->activation);
                if (product->residual) v = v + lanes_load(product->residual + place);
                lanes_store(product->out + place, v);
            }
    }
}

/* A block of 64 numbers as whole ones; the scale is not-a-number where one of them is, or is infinite. */
CK_FUNCTION float wide_block(const float *x, whole_lanes *whole) {
    lanes v[CK_WIDE_BLOCK / 16], largest = lanes_fill(0), strange = lanes_fill(0);
    _Pragma("unroll") for (int i = 0; i < CK_WIDE_BLOCK / 16; i++) {
        v[i] = lanes_load(x + 16 * i);
        largest = lanes_max(largest, lanes_magnitude(v[i]));
        strange = strange + (v[i] - v[i]);
    }
    const float reach = lanes_largest(largest);
    /* Below this the inverse would be infinite; such numbers are nothing beside the others of a row. */
    const float inverse = reach > 1e-30f ? CK_WIDE_REACH / reach : 0;
    _Pragma("unroll") for (int i = 0; i < CK_WIDE_BLOCK / 16; i++)
        whole[i] = (whole_lanes)lanes_bits(v[i] * inverse + CK_ROUNDER) - 0x4B400000;
    return reach / CK_WIDE_REACH + lanes_sum(strange);
}

typedef int16_t word_lanes __attribute__((ext_vector_type(16)));

/* Up to eight rows as one group. */
static void wide_group(const float *x, size_t stride, int rows, int columns, int16_t *numbers, float *scales) {
    for (int block = 0; block < columns / CK_WIDE_BLOCK; block++, x += CK_WIDE_BLOCK, scales += CK_WIDE_ROWS) {
        int32_t pairs[CK_WIDE_ROWS][CK_WIDE_BLOCK / 2];
        for (int r = 0; r < CK_WIDE_ROWS; r++) {
            whole_lanes whole[CK_WIDE_BLOCK / 16] = {0};
            scales[r] = r < rows ? wide_block(x + (size_t)r * stride, whole) : 0;
            for (int i = 0; i < CK_WIDE_BLOCK / 16; i++) {
                const word_lanes words = __builtin_convertvector(whole[i], word_lanes);
                memcpy(&pairs[r][i * 8], &words, sizeof words);
            }
        }
        for (int k = 0; k < CK_WIDE_BLOCK / 2; k++)
            for (int r = 0; r < CK_WIDE_ROWS; r++, numbers += 2) memcpy(numbers, &pairs[r][k], 4);
    }
}

/* linear.h — the pieces of a product: tiles of rows and panels, then bias, activation and residual.
 *
 *     out[r][o] = activation(sum over k of x[r][k] * w[o][k] + bias[o]) + residual[r][o]
 *
 * A panel holds 16 outputs side by side. Whatever the tile, each output is reduced over k by itself in ascending order
 * (float weights: one fused multiply-add per k; quantised ones: one whole-number sum per block of 32, then one
 * multiply-add per block). The order is the contract: Docs/Decisions/0002.
 *
 * An instruction set's file defines before the include:
 *     CK_ROW_TILE               rows of a tile, at most 8
 *     CK_PANELS(rows)           panels of a float tile of so many rows, at most CK_PANEL_TILE
 *     CK_QUANTISED_PANELS       panels of a quantised tile
 *     products_q8, products_q4  (weight, x, row, rows, panels, sums): the sums of a quantised tile
 */

/* Sums of `rows` rows with `panels` panels of a float weight. `rows` and `panels` are constants where this is used, so
 * that the sums stay in registers. */
#define CK_FLOAT_TILE(LOAD, ELEMENT)                                                                                   \
    CK_FUNCTION void products_##LOAD(                                                                                  \
        const ELEMENT *packed, size_t panel_step, int inputs, const float *x, size_t stride, const int rows,           \
        const int panels, tile_sums *sums) {                                                                           \
        lanes sum[CK_ROW_TILE][CK_PANEL_TILE];                                                                         \
        _Pragma("unroll") for (int r = 0; r < rows; r++)                                                               \
            _Pragma("unroll") for (int p = 0; p < panels; p++) sum[r][p] = lanes_fill(0);                              \
        for (int k = 0; k < inputs; k++) {                                                                             \
            lanes w[CK_PANEL_TILE];                                                                                    \
            _Pragma("unroll") for (int p = 0; p < panels; p++)                                                         \
                w[p] = LOAD(packed + (size_t)p * panel_step + (size_t)k * 16);                                         \
            _Pragma("unroll") for (int r = 0; r < rows; r++) {                                                         \
                lanes factor = lanes_fill(x[(size_t)r * stride + k]);                                                  \
                _Pragma("unroll") for (int p = 0; p < panels; p++) sum[r][p] = lanes_fma(w[p], factor, sum[r][p]);     \
            }                                                                                                          \
        }                                                                                                              \
        _Pragma("unroll") for (int p = 0; p < panels; p++)                                                             \
            _Pragma("unroll") for (int r = 0; r < rows; r++) lanes_store(sums[p][r], sum[r][p]);                       \
    }                                                                                                                  \
    static void float_tile_##LOAD(                                                                                     \
        const ELEMENT *packed, size_t panel_step, int inputs, const float *x, size_t stride, int rows, int panels,     \
        tile_sums *sums) {                                                                                             \
        CK_EACH_TILE(products_##LOAD, packed, panel_step, inputs, x, stride, sums)                                     \
    }

/* Calls `products` with constants for rows and panels: the full tile, or panels one by one at the right edge. */
#define CK_TILE_CASE(products, R, packed, step, inputs, x, stride, sums)                                               \
    case R:                                                                                                            \
        if (panels == CK_PANELS(R)) products(packed, step, inputs, x, stride, R, CK_PANELS(R), sums);                  \
        else                                                                                                           \
            for (int p = 0; p < panels; p++)                                                                           \
                products(packed + (size_t)p * step, step, inputs, x, stride, R, 1, sums + p);                          \
        break;

#if CK_ROW_TILE == 8
#define CK_EACH_TILE(products, ...)                                                                                    \
    switch (rows) {                                                                                                    \
        CK_TILE_CASE(products, 1, __VA_ARGS__)                                                                         \
        CK_TILE_CASE(products, 2, __VA_ARGS__)                                                                         \
        CK_TILE_CASE(products, 3, __VA_ARGS__)                                                                         \
        CK_TILE_CASE(products, 4, __VA_ARGS__)                                                                         \
        CK_TILE_CASE(products, 5, __VA_ARGS__)                                                                         \
        CK_TILE_CASE(products, 6, __VA_ARGS__)                                                                         \
        CK_TILE_CASE(products, 7, __VA_ARGS__)                                                                         \
        CK_TILE_CASE(products, 8, __VA_ARGS__)                                                                         \
    }
#elif CK_ROW_TILE == 4
#define CK_EACH_TILE(products, ...)                                                                                    \
    switch (rows) {                                                                                                    \
        CK_TILE_CASE(products, 1, __VA_ARGS__)                                                                         \
        CK_TILE_CASE(products, 2, __VA_ARGS__)                                                                         \
        CK_TILE_CASE(products, 3, __VA_ARGS__)                                                                         \
        CK_TILE_CASE(products, 4, __VA_ARGS__)                                                                         \
    }
#endif

CK_FLOAT_TILE(lanes_load, float)
CK_FLOAT_TILE(lanes_from_half, uint16_t)
CK_FLOAT_TILE(lanes_from_bfloat, uint16_t)

static inline int panels_at_once(ck_format format, int rows) {
    return format == CK_Q8_0 || format == CK_Q4_0 ? CK_QUANTISED_PANELS : CK_PANELS(rows);
}

/* Sums of one tile, whatever the weight's format. */
CK_FUNCTION void tile_products(
    const ck_weight *weight, const ck_activations *x, int panel, int panels, int row, int rows, tile_sums *sums) {
    const char *packed = (const char *)weight->packed + (size_t)panel * ck_panel_bytes(weight->format, weight->inputs);
    const float *floats = x->x + (size_t)row * x->stride;
    const size_t step = (size_t)weight->inputs * 16;
    switch (weight->format) {
    case CK_F32:
        float_tile_lanes_load((const float *)packed, step, weight->inputs, floats, x->stride, rows, panels, sums);
        break;
    case CK_F16:
        float_tile_lanes_from_half(
            (const uint16_t *)packed, step, weight->inputs, floats, x->stride, rows, panels, sums);
        break;
    case CK_BF16:
        float_tile_lanes_from_bfloat(
            (const uint16_t *)packed, step, weight->inputs, floats, x->stride, rows, panels, sums);
        break;
    case CK_Q8_0:
    case CK_Q4_0: {
        const ck_panels quantised = {
            .lines = (const uint8_t *)packed + ck_scale_bytes(weight->inputs),
            .scales = (const uint16_t *)packed,
            .panel_bytes = ck_panel_bytes(weight->format, weight->inputs),
            .blocks = weight->inputs / 32,
        };
        if (weight->format == CK_Q8_0) products_q8(&quantised, x, row, rows, panels, sums);
        else products_q4(&quantised, x, row, rows, panels, sums);
        break;
    }
    }
}

static void linear_piece(const ck_product *product, int first, int last, int row_begin, int row_end) {
    _Alignas(64) tile_sums sums[CK_PANEL_TILE];
    for (int row = row_begin; row < row_end; row += CK_ROW_TILE) {
        int rows = row_end - row < CK_ROW_TILE ? row_end - row : CK_ROW_TILE;
        int step = panels_at_once(product->weight.format, rows);
        for (int panel = first; panel < last; panel += step) {
            int panels = last - panel < step ? last - panel : step;
            tile_products(&product->weight, &product->x, panel, panels, row, rows, sums);
            for (int p = 0; p < panels; p++)
                for (int r = 0; r < rows; r++) {
                    size_t column = (size_t)(panel + p) * 16;
                    size_t place = (size_t)(row + r) * product->out_stride + column;
                    lanes v = lanes_load(sums[p][r]);
                    if (product->bias) v = v + lanes_load(product->bias + column);
                    v = lanes_activate(v, product->activation);
                    if (product->residual) v = v + lanes_load(product->residual + place);
                    lanes_store(product->out + place, v);
                }
        }
    }
}

static void gated_piece(const ck_product *product, int first, int last, int row_begin, int row_end) {
    _Alignas(64) tile_sums gates[CK_PANEL_TILE], ups[CK_PANEL_TILE];
    for (int row = row_begin; row < row_end; row += CK_ROW_TILE) {
        int rows = row_end - row < CK_ROW_TILE ? row_end - row : CK_ROW_TILE;
        int gate_step = panels_at_once(product->weight.format, rows), up_step = panels_at_once(product->up.format, rows);
        int step = gate_step < up_step ? gate_step : up_step;
        for (int panel = first; panel < last; panel += step) {
            int panels = last - panel < step ? last - panel : step;
            tile_products(&product->weight, &product->x, panel, panels, row, rows, gates);
            tile_products(&product->up, &product->x, panel, panels, row, rows, ups);
            for (int p = 0; p < panels; p++)
                for (int r = 0; r < rows; r++)
                    lanes_store(
                        product->out + (size_t)(row + r) * product->out_stride + (size_t)(panel + p) * 16,
                        lanes_swish(lanes_load(gates[p][r]), 1.0f) * lanes_load(ups[p][r]));
        }
    }
}

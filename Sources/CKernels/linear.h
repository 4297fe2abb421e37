/* linear.h — the pieces of a product: tiles of rows and panels, then bias, activation and residual.
 *
 *     out[r][o] = activation(sum over k of x[r][k] * w[o][k] + bias[o]) + residual[r][o]
 *
 * A panel holds 16 outputs side by side. Whatever the tile, each output is reduced over k by itself in ascending order
 * (float weights: one fused multiply-add per k; quantised ones: quantised.h). The order is the contract:
 * Docs/Decisions/0002. k is cut into stretches so that those of a tile's panels stay in the first-level cache while the
 * rows pass by; the sums wait in memory, and no bit depends on the cut.
 *
 * An instruction set's file defines before the include:
 *     CK_ROW_TILE               rows of a float tile, at most 8
 *     CK_PANELS(rows)           panels of a float tile of so many rows, at most CK_PANEL_TILE
 */

/* Rows that pass by one stretch of weights. */
enum { ROW_BLOCK = 64, STRETCH_BYTES = 12 * 1024 };

/* How far ahead one tile alone asks for weights, all of its panels together: enough lines under way to keep the stream from
 * memory going, and no more than arrive in time. */
enum { AHEAD = 4096 };

/* Sums of `rows` rows with `panels` panels of a float weight. `rows` and `panels` are constants where this is used, so
 * that the sums stay in registers. */
#define CK_FLOAT_TILE(LOAD, ELEMENT)                                                                                   \
    CK_FUNCTION void products_##LOAD(                                                                                  \
        const ELEMENT *packed, size_t panel_step, int first, int last, ptrdiff_t ahead, const float *x, size_t stride, \
        const int rows, const int panels, float (*sums)[16], int step) {                                               \
        lanes sum[CK_ROW_TILE][CK_PANEL_TILE];                                                                         \
        _Pragma("unroll") for (int r = 0; r < rows; r++)                                                               \
            _Pragma("unroll") for (int p = 0; p < panels; p++) sum[r][p] = lanes_load(sums[p * step + r]);             \
        for (int k = first; k < last; k++) {                                                                           \
            lanes w[CK_PANEL_TILE];                                                                                    \
            _Pragma("unroll") for (int p = 0; p < panels; p++) {                                                       \
                const ELEMENT *place = packed + (size_t)p * panel_step + (size_t)k * 16;                               \
                w[p] = LOAD(place);                                                                                    \
                /* Each line once. Many panels side by side the processor fetches better by itself. */                 \
                if (panels <= 2 && (sizeof(ELEMENT) == 4 || k % 2 == 0))                                               \
                    __builtin_prefetch((const char *)place + ahead);                                                   \
            }                                                                                                          \
            _Pragma("unroll") for (int r = 0; r < rows; r++) {                                                         \
                lanes factor = lanes_fill(x[(size_t)r * stride + k]);                                                  \
                _Pragma("unroll") for (int p = 0; p < panels; p++) sum[r][p] = lanes_fma(w[p], factor, sum[r][p]);     \
            }                                                                                                          \
        }                                                                                                              \
        _Pragma("unroll") for (int p = 0; p < panels; p++)                                                             \
            _Pragma("unroll") for (int r = 0; r < rows; r++) lanes_store(sums[p * step + r], sum[r][p]);               \
    }                                                                                                                  \
    static void float_tile_##LOAD(                                                                                     \
        const ELEMENT *packed, size_t panel_step, int first, int last, ptrdiff_t ahead, const float *x, size_t stride, \
        int rows, int panels, float (*sums)[16], int step) {                                                           \
        CK_EACH_TILE(products_##LOAD, packed, panel_step, first, last, ahead, x, stride, sums, step)                   \
    }

/* Calls `products` with constants for rows and panels: the full tile, or panels one by one at the right edge. */
#define CK_TILE_CASE(products, R, packed, panel_step, first, last, ahead, x, stride, sums, step)                       \
    case R:                                                                                                            \
        if (panels == CK_PANELS(R))                                                                                    \
            products(packed, panel_step, first, last, ahead, x, stride, R, CK_PANELS(R), sums, step);                  \
        else                                                                                                           \
            for (int p = 0; p < panels; p++)                                                                           \
                products(                                                                                              \
                    packed + (size_t)p * panel_step, panel_step, first, last, ahead, x, stride, R, 1,                  \
                    sums + p * step, step);                                                                            \
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
    if (ck_is_quantised(format)) return CK_QUANTISED_PANELS;
    return CK_PANELS(rows < CK_ROW_TILE ? rows : CK_ROW_TILE);
}

/* Adds k first..<last to the sums of one tile of a float weight. */
static void float_tile(
    const ck_weight *weight, const uint8_t *packed, const float *x, size_t stride, int rows, int panels, int first,
    int last, ptrdiff_t ahead, float (*sums)[16], int step) {
    const size_t panel_step = (size_t)weight->inputs * 16;
    if (weight->format == CK_F32)
        float_tile_lanes_load((const float *)packed, panel_step, first, last, ahead, x, stride, rows, panels, sums, step);
    else if (weight->format == CK_F16)
        float_tile_lanes_from_half(
            (const uint16_t *)packed, panel_step, first, last, ahead, x, stride, rows, panels, sums, step);
    else
        float_tile_lanes_from_bfloat(
            (const uint16_t *)packed, panel_step, first, last, ahead, x, stride, rows, panels, sums, step);
}

/* What is the same for all panels of a weight: looked up once, since a tile of a small weight takes no longer. */
typedef struct {
    const ck_weight *weight;
    bool quantised;
    /* Units are blocks of 32 k, of a float weight single k. */
    int length;
    size_t unit_bytes, panel_bytes, scale_bytes;
} panel_layout;

static panel_layout layout_of(const ck_weight *weight) {
    const bool quantised = ck_is_quantised(weight->format);
    return (panel_layout){
        weight, quantised, quantised ? weight->inputs / 32 : weight->inputs,
        quantised ? 64 * (size_t)ck_all_facts[weight->format].bits : 16 * ck_row_bytes(weight->format, 1),
        ck_panel_bytes(weight->format, weight->inputs),
        quantised ? ck_scale_bytes(weight->format, weight->inputs) : 0};
}

/* Blocks of 32 k, or single k of a float weight, that the rows of several tiles pass by before the next ones. */
static int stretch_of(size_t tile_bytes, int length) {
    if (length == 0) return 1;
    const int stretch = (int)(STRETCH_BYTES / (tile_bytes / (size_t)length));
    return stretch < 8 ? 8 : stretch;
}

/* Adds blocks (of a float weight: k) first..<last to the sums of all rows, tile by tile. The tiles share the asking for
 * what lies `ahead` of them. */
static void stretch_sums(
    const panel_layout *layout, const ck_panels *lines, const ck_activations *x, int panels, int row, int rows,
    int first, int last, const uint8_t *next, int ahead, float (*sums)[16]) {
    const ck_weight *weight = layout->weight;
    const bool quantised = layout->quantised;
    const int tile = quantised ? CK_ROW_GROUP : CK_ROW_TILE;
    /* A float tile asks at one distance for all of its panels; what follows their last stretch lies behind them all. */
    const size_t passed = first > 0 && last == layout->length ? (size_t)(panels - 1) * layout->panel_bytes : 0;
    const ptrdiff_t bytes = (ptrdiff_t)((size_t)ahead * layout->unit_bytes + passed);
    for (int r = 0; r < rows; r += tile) {
        const int taken = rows - r < tile ? rows - r : tile;
        if (quantised)
            products_of[weight->format](
                lines, ck_records(x, row + r, weight->inputs), taken, panels, first, last,
                (ck_ahead){next, ahead, r / tile, (rows + tile - 1) / tile}, sums + r, rows);
        else
            float_tile(
                weight, lines->lines, x->x + (size_t)(row + r) * x->stride, x->stride, taken, panels, first, last, bytes,
                sums + r, rows);
    }
}

/* The same for all k, where rows are more than a tile: stretch by stretch, so that its weights stay near. Not inlined: what
 * it keeps on the stack is nothing to a tile alone. */
static __attribute__((noinline)) void sums_by_stretches(
    const panel_layout *layout, ck_panels lines, const ck_activations *x, int panels, int row, int rows,
    const uint8_t *next, int nearest, float (*sums)[16]) {
    const ck_format format = layout->weight->format;
    const int length = layout->length;
    const size_t tile_bytes = (size_t)panels * layout->panel_bytes;
    unpacked_block unpacked[CK_QUANTISED_PANELS * UNPACKED_BLOCKS];
    if (is_unpacked_for(format, rows)) lines.unpacked = unpacked;
    const int stretch = lines.unpacked ? UNPACKED_BLOCKS : stretch_of(tile_bytes, length);
    for (int first = 0; first < length; first += stretch) {
        const int last = length - first < stretch ? length : first + stretch;
        /* The next stretch, which after the last one is the first of the next panels. A stretch alone asks nearer. */
        int ahead = nearest;
        if (stretch < length) ahead = last < length ? stretch : length - first;
        if (lines.unpacked) unpacking_of[format](&lines, panels, first, last, unpacked);
        stretch_sums(layout, &lines, x, panels, row, rows, first, last, next, ahead, sums);
    }
}

static const uint8_t *panel_of(const panel_layout *layout, int panel) {
    return (const uint8_t *)layout->weight->packed + (size_t)panel * layout->panel_bytes;
}

/* Sums of up to ROW_BLOCK rows with `panels` panels, whatever the weight's format: sums[p * rows + r]. `next` are the panels
 * that are wanted after these. */
static void panel_sums(
    const panel_layout *layout, const ck_activations *x, int panel, int panels, const uint8_t *next, int row, int rows,
    float (*sums)[16]) {
    const ck_weight *weight = layout->weight;
    const uint8_t *packed = panel_of(layout, panel);
    const ck_panels lines = {
        .lines = packed + layout->scale_bytes, .scales = packed, .panel_bytes = layout->panel_bytes,
        .blocks = weight->inputs / 32,
    };
    memset(sums, 0, sizeof *sums * (size_t)(panels * rows));
    const int far = AHEAD / panels / (int)layout->unit_bytes;
    const int nearest = far < layout->length ? far : layout->length;
    if (rows > (layout->quantised ? CK_ROW_GROUP : CK_ROW_TILE))
        sums_by_stretches(layout, lines, x, panels, row, rows, next, nearest, sums);
    else if (layout->quantised)
        products_of[weight->format](
            &lines, ck_records(x, row, weight->inputs), rows, panels, 0, lines.blocks, (ck_ahead){next, nearest, 0, 1},
            sums, rows);
    else
        float_tile(
            weight, lines.lines, x->x + (size_t)row * x->stride, x->stride, rows, panels, 0, weight->inputs,
            nearest * (ptrdiff_t)layout->unit_bytes, sums, rows);
}

/* One row with CK_PANEL_TILE panels, or a block of rows with two. */
enum { SUMS = 2 * ROW_BLOCK > 8 * CK_PANEL_TILE ? 2 * ROW_BLOCK : 8 * CK_PANEL_TILE };

static void linear_piece(const ck_product *product, int first, int last, int row_begin, int row_end) {
    _Alignas(64) float sums[SUMS][16];
    const panel_layout layout = layout_of(&product->weight);
    for (int row = row_begin; row < row_end; row += ROW_BLOCK) {
        const int rows = row_end - row < ROW_BLOCK ? row_end - row : ROW_BLOCK;
        const int step = panels_at_once(product->weight.format, rows);
        for (int panel = first; panel < last; panel += step) {
            const int panels = last - panel < step ? last - panel : step;
            panel_sums(&layout, &product->x, panel, panels, panel_of(&layout, panel + step), row, rows, sums);
            for (int p = 0; p < panels; p++)
                for (int r = 0; r < rows; r++) {
                    size_t column = (size_t)(panel + p) * 16;
                    size_t place = (size_t)(row + r) * product->out_stride + column;
                    lanes v = lanes_load(sums[p * rows + r]);
                    if (product->bias) v = v + lanes_load(product->bias + column);
                    v = lanes_activate(v, product->activation);
                    if (product->residual) v = v + lanes_load(product->residual + place);
                    lanes_store(product->out + place, v);
                }
        }
    }
}

static void gated_piece(const ck_product *product, int first, int last, int row_begin, int row_end) {
    _Alignas(64) float gates[SUMS][16], ups[SUMS][16];
    const panel_layout gate = layout_of(&product->weight), up = layout_of(&product->up);
    for (int row = row_begin; row < row_end; row += ROW_BLOCK) {
        const int rows = row_end - row < ROW_BLOCK ? row_end - row : ROW_BLOCK;
        const int gate_step = panels_at_once(product->weight.format, rows);
        const int up_step = panels_at_once(product->up.format, rows);
        const int step = gate_step < up_step ? gate_step : up_step;
        for (int panel = first; panel < last; panel += step) {
            const int panels = last - panel < step ? last - panel : step;
            panel_sums(&gate, &product->x, panel, panels, panel_of(&up, panel), row, rows, gates);
            panel_sums(&up, &product->x, panel, panels, panel_of(&gate, panel + step), row, rows, ups);
            for (int p = 0; p < panels; p++)
                for (int r = 0; r < rows; r++)
                    lanes_store(
                        product->out + (size_t)(row + r) * product->out_stride + (size_t)(panel + p) * 16,
                        lanes_swish(lanes_load(gates[p * rows + r]), 1.0f) * lanes_load(ups[p * rows + r]));
        }
    }
}

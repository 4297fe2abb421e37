/* operations.c — how the work of an operation is shared out. What a piece computes is in rows.h, linear.h, attention.h.
 *
 * Work below a few microseconds stays on the calling thread: handing it over would take longer. Nothing here can change
 * a bit, because pieces divide outputs.
 */
#include <string.h>

#include "formats.h"
#include "kernels.h"

typedef struct {
    const ck_kernels *kernels;
    ck_product product;
    int panels, panel_step, row_step, panel_pieces;
    bool gated;
} product_work;

static void product_piece(void *context, int piece, int thread) {
    (void)thread;
    const product_work *work = context;
    int first = piece % work->panel_pieces * work->panel_step, row = piece / work->panel_pieces * work->row_step;
    int last = first + work->panel_step, row_end = row + work->row_step;
    if (last > work->panels) last = work->panels;
    if (row_end > work->product.x.rows) row_end = work->product.x.rows;
    (work->gated ? work->kernels->gated : work->kernels->linear)(&work->product, first, last, row, row_end);
}

/* In nanoseconds: a hand-over costs about five hundred, a piece more about a hundred. */
enum { ALONE_BELOW = 1500, MANY_ABOVE = 5000, PIECES_PER_THREAD = 4 };

/* Nanoseconds that one thread needs for a product, roughly: weights from the cache, and the multiply-adds. */
static double product_time(const ck_product *product, bool gated) {
    const ck_weight *weight = &product->weight;
    const double numbers = (double)weight->outputs * weight->inputs * (gated ? 2 : 1);
    const double bytes = (double)ck_packed_bytes(weight->format, weight->outputs, weight->inputs) * (gated ? 2 : 1);
    return bytes / 40 + numbers * product->x.rows / (ck_is_quantised(weight->format) ? 200 : 50);
}

static int pieces_of(const ck_product *product, bool gated, int threads) {
    const double time = product_time(product, gated);
    if (threads == 1 || time < ALONE_BELOW) return 1;
    /* Where there is time for it a few pieces for each thread, so that a slow one does not hold up the others. */
    return time < MANY_ABOVE * threads ? threads : threads * PIECES_PER_THREAD;
}

static void run_product(ck_machine *machine, const ck_product *product, bool gated) {
    enum { PANEL_BYTES_AT_ONCE = 256 * 1024, TILE_PANELS = 2, LEAST_ROWS = 32 };
    const int rows = product->x.rows, threads = ck_machine_threads(machine);
    if (rows == 0) return;
    product_work work = {
        .kernels = ck_machine_kernels(machine),
        .product = *product,
        .panels = (product->weight.outputs + 15) / 16,
        .gated = gated,
    };
    const int wanted = pieces_of(product, gated, threads);
    work.panel_step = (work.panels + wanted - 1) / wanted;
    /* The panels of a piece stay in the second-level cache while the rows pass by. */
    size_t panel_bytes = ck_panel_bytes(product->weight.format, product->weight.inputs) * (gated ? 2 : 1);
    /* Whole tiles of two panels, even where two are more than that: a tile of one reads as many activations. */
    int cached = (int)(PANEL_BYTES_AT_ONCE / panel_bytes) / TILE_PANELS * TILE_PANELS;
    if (cached < TILE_PANELS) cached = TILE_PANELS;
    if (rows > 8 && work.panel_step > cached) work.panel_step = cached;
    work.panel_pieces = (work.panels + work.panel_step - 1) / work.panel_step;
    work.row_step = rows;
    while (threads > 1 && work.row_step >= 2 * LEAST_ROWS &&
           work.panel_pieces * ((rows + work.row_step - 1) / work.row_step) < wanted)
        /* Whole groups of rows. */
        work.row_step = (int)ck_round_up((size_t)work.row_step / 2, 2 * CK_ROW_GROUP);
    int pieces = work.panel_pieces * ((rows + work.row_step - 1) / work.row_step);
    ck_machine_run(machine, pieces, product_piece, &work);
}

void ck_linear(
    ck_machine *machine, ck_weight weight, ck_activations x, const float *bias, ck_activation activation,
    const float *residual, float *out, size_t out_stride) {
    ck_product product = {
        .weight = weight, .x = x, .bias = bias, .activation = activation, .residual = residual, .out = out,
        .out_stride = out_stride,
    };
    run_product(machine, &product, false);
}

void ck_gated(ck_machine *machine, ck_weight gate, ck_weight up, ck_activations x, float *out, size_t out_stride) {
    ck_product product = {.weight = gate, .up = up, .x = x, .out = out, .out_stride = out_stride};
    run_product(machine, &product, true);
}

void ck_finish(
    const ck_machine *machine, float *out, size_t stride, int32_t rows, int32_t columns, const float *bias,
    ck_activation activation, const float *residual) {
    ck_machine_kernels(machine)->finish(out, stride, rows, columns, bias, activation, residual);
}

/* ---- Rows. ---- */

typedef struct rows_work rows_work;
struct rows_work {
    const ck_kernels *kernels;
    void (*row)(const rows_work *work, int32_t row);
    int32_t rows, row_step, columns;
    size_t stride;
    const float *x, *gain, *bias;
    float epsilon;
    float *out;
    uint8_t *whole;
    int32_t heads, width;
    ck_pairing pairing;
    const int32_t *positions;
    const float *table;
};

static void rows_piece(void *context, int piece, int thread) {
    (void)thread;
    const rows_work *work = context;
    int32_t end = (piece + 1) * work->row_step;
    if (end > work->rows) end = work->rows;
    for (int32_t row = piece * work->row_step; row < end; row++) work->row(work, row);
}

static void run_rows(ck_machine *machine, rows_work *work) {
    enum { PIECES_PER_THREAD = 2, WORK_PER_NUMBER = 4 };
    if (work->rows == 0) return;
    const int threads = ck_machine_threads(machine);
    work->kernels = ck_machine_kernels(machine);
    bool shared = threads > 1 && (double)work->rows * work->columns * WORK_PER_NUMBER >= CK_WORTH_SHARING;
    int pieces = shared ? threads * PIECES_PER_THREAD : 1;
    work->row_step = (work->rows + pieces - 1) / pieces;
    ck_machine_run(machine, (work->rows + work->row_step - 1) / work->row_step, rows_piece, work);
}

static void quantize_one(const rows_work *work, int32_t row) {
    const int32_t first = row / CK_ROW_GROUP * CK_ROW_GROUP;
    work->kernels->quantize(
        work->x + (size_t)row * work->stride, work->columns, row - first, ck_group_width(work->rows, row),
        work->whole + ck_quantised_bytes(first, work->columns));
}

size_t ck_quantised_bytes(int32_t rows, int32_t columns) {
    return (size_t)rows * (size_t)(columns / 32) * CK_RECORD;
}

void ck_quantize(ck_machine *machine, const float *x, int32_t rows, int32_t columns, size_t stride, void *whole) {
    rows_work work = {
        .row = quantize_one, .rows = rows, .columns = columns, .stride = stride, .x = x, .whole = whole,
    };
    run_rows(machine, &work);
}

static void rms_norm_one(const rows_work *work, int32_t row) {
    const size_t place = (size_t)row * work->stride;
    work->kernels->rms_norm(work->x + place, work->columns, work->gain, work->epsilon, work->out + place);
}

void ck_rms_norm(
    ck_machine *machine, const float *x, int32_t rows, int32_t columns, size_t stride, const float *gain, float epsilon,
    float *out) {
    rows_work work = {
        .row = rms_norm_one, .rows = rows, .columns = columns, .stride = stride, .x = x, .gain = gain,
        .epsilon = epsilon, .out = out,
    };
    run_rows(machine, &work);
}

static void layer_norm_one(const rows_work *work, int32_t row) {
    const size_t place = (size_t)row * work->stride;
    work->kernels->layer_norm(
        work->x + place, work->columns, work->gain, work->bias, work->epsilon, work->out + place);
}

void ck_layer_norm(
    ck_machine *machine, const float *x, int32_t rows, int32_t columns, size_t stride, const float *gain,
    const float *bias, float epsilon, float *out) {
    rows_work work = {
        .row = layer_norm_one, .rows = rows, .columns = columns, .stride = stride, .x = x, .gain = gain, .bias = bias,
        .epsilon = epsilon, .out = out,
    };
    run_rows(machine, &work);
}

static void rotate_one(const rows_work *work, int32_t row) {
    const size_t place = (size_t)row * work->stride;
    const float *turn = work->table + (size_t)work->positions[row] * (size_t)work->width * 2;
    work->kernels->rotate(
        work->x + place, work->columns, work->heads, work->width, work->pairing, turn, work->out + place);
    for (size_t column = (size_t)work->columns; column < work->stride; column++) work->out[place + column] = 0;
}

void ck_rotate(
    ck_machine *machine, const float *x, int32_t rows, int32_t columns, size_t stride, int32_t heads, int32_t width,
    ck_pairing pairing, const int32_t *positions, const float *table, float *out) {
    rows_work work = {
        .row = rotate_one, .rows = rows, .columns = columns, .stride = stride, .x = x, .heads = heads, .width = width,
        .pairing = pairing, .positions = positions, .table = table, .out = out,
    };
    run_rows(machine, &work);
}

int32_t ck_argmax(const ck_machine *machine, const float *row, int32_t columns) {
    enum { AT_ONCE = 64 };
    const float largest = ck_machine_kernels(machine)->largest(row, columns);
    int32_t column = 0;
    /* Passes over runs without it by vectors: a loop that may end at every number is slower than the search for it. */
    for (bool found = false; column + AT_ONCE <= columns; column += AT_ONCE) {
        for (int32_t i = 0; i < AT_ONCE; i++) found |= row[column + i] == largest;
        if (found) break;
    }
    for (; column < columns; column++)
        if (row[column] == largest) return column;
    return 0;
}

void ck_best(
    const ck_machine *machine, const float *row, int32_t columns, int32_t count, int32_t *best_columns, float *best) {
    (void)machine;
    int32_t held = 0;
    for (int32_t column = 0; column < columns; column++) {
        const float number = row[column];
        if (held == count && !(number > best[count - 1])) continue;
        int32_t place = held < count ? held++ : count - 1;
        /* Strictly greater: an equal number from an earlier column stays ahead. */
        for (; place > 0 && number > best[place - 1]; place--) {
            best[place] = best[place - 1];
            best_columns[place] = best_columns[place - 1];
        }
        best[place] = number;
        best_columns[place] = column;
    }
}

/* ---- Attention. ---- */

/* Scores of a tile of queries, and the few that are picked out of them. */
size_t ck_attend_scratch(int32_t reach) { return ck_round_up((size_t)reach, 16) * (CK_QUERY_TILE + 1); }

typedef struct {
    const ck_kernels *kernels;
    ck_attention attention;
    int queries, tiles;
    float *scratch;
    size_t scratch_step;
} attention_work;

static void attention_piece(void *context, int piece, int thread) {
    const attention_work *work = context;
    int first = piece % work->tiles * CK_QUERY_TILE, last = first + CK_QUERY_TILE;
    work->kernels->attend(
        &work->attention, piece / work->tiles, first, last < work->queries ? last : work->queries,
        work->scratch + (size_t)thread * work->scratch_step);
}

void ck_attend(
    ck_machine *machine, ck_cache cache, const float *queries, size_t query_stride, int32_t query_heads, int32_t rows,
    int32_t committed, const ck_sight *sights, float *scratch, float *out, size_t out_stride) {
    if (rows == 0) return;
    int32_t reach = 0;
    for (int32_t row = 0; row < rows; row++)
        if (sights[row].reach > reach) reach = sights[row].reach;
    attention_work work = {
        .kernels = ck_machine_kernels(machine),
        .attention = {cache, queries, query_stride, query_heads, rows, committed, sights, out, out_stride},
        .queries = rows * (query_heads / cache.heads),
        .scratch = scratch,
        .scratch_step = ck_attend_scratch(reach),
    };
    work.tiles = (work.queries + CK_QUERY_TILE - 1) / CK_QUERY_TILE;
    int pieces = work.tiles * cache.heads;
    double size = 2.0 * rows * query_heads * reach * cache.width;
    if (size < CK_WORTH_SHARING)
        for (int piece = 0; piece < pieces; piece++) attention_piece(&work, piece, 0);
    else
        ck_machine_run(machine, pieces, attention_piece, &work);
}

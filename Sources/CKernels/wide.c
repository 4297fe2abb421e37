/* wide.c — weights for the products of wide.h, and how their work is shared out. Pieces divide outputs. */
#include <string.h>

#include "kernels.h"

bool ck_wide_available(const ck_machine *machine) { return ck_machine_kernels(machine)->wide != NULL; }

size_t ck_wide_weight_bytes(int32_t outputs, int32_t inputs) {
    return ck_round_up((size_t)outputs, 16) / 16 * ck_wide_panel_bytes(inputs);
}

static size_t groups_of(int32_t rows) { return ck_round_up((size_t)rows, CK_WIDE_ROWS) / CK_WIDE_ROWS; }

size_t ck_wide_row_bytes(int32_t rows, int32_t columns) {
    const size_t numbers = (size_t)columns * sizeof(int16_t), scales = (size_t)columns / CK_WIDE_BLOCK * sizeof(float);
    return groups_of(rows) * CK_WIDE_ROWS * (numbers + scales);
}

/* ---- Packing. ---- */

typedef struct {
    const ck_kernels *kernels;
    ck_format format;
    const uint8_t *rows;
    int32_t outputs, inputs;
    uint8_t *packed;
} pack_work;

static void pack_wide_panel(void *context, int panel, int thread) {
    (void)thread;
    enum { AT_ONCE = 256 }; /* whole blocks of every format */
    const pack_work *work = context;
    const int32_t inputs = work->inputs, left = work->outputs - panel * 16, blocks = inputs / CK_WIDE_BLOCK;
    uint8_t *place = work->packed + (size_t)panel * ck_wide_panel_bytes(inputs);
    float *scales = (float *)place;
    uint8_t *numbers = place + (size_t)blocks * 64;
    const size_t row_bytes = ck_row_bytes(work->format, inputs);
    memset(place, 0, ck_wide_panel_bytes(inputs));
    for (int32_t first = 0; first < inputs; first += AT_ONCE) {
        const int32_t count = inputs - first < AT_ONCE ? inputs - first : AT_ONCE;
        for (int32_t lane = 0; lane < (left < 16 ? left : 16); lane++) {
            _Alignas(64) float values[AT_ONCE], own[AT_ONCE / CK_WIDE_BLOCK * CK_WIDE_ROWS];
            _Alignas(64) int16_t words[AT_ONCE * CK_WIDE_ROWS];
            const uint8_t *row = work->rows + (size_t)(panel * 16 + lane) * row_bytes;
            ck_expand(work->format, row + ck_row_bytes(work->format, first), count, values);
            /* A group of one row: its pairs stand eight apart. */
            work->kernels->wide_group(values, AT_ONCE, 1, count, words, own);
            for (int32_t k = 0; k < count / 2; k++)
                memcpy(numbers + (size_t)(first / 2 + k) * 64 + lane * 4, words + k * 2 * CK_WIDE_ROWS, 4);
            for (int32_t block = 0; block < count / CK_WIDE_BLOCK; block++)
                scales[(first / CK_WIDE_BLOCK + block) * 16 + lane] = own[block * CK_WIDE_ROWS];
        }
    }
}

void ck_wide_pack(
    ck_machine *machine, ck_format format, const void *rows, int32_t outputs, int32_t inputs, void *packed) {
    pack_work work = {ck_machine_kernels(machine), format, rows, outputs, inputs, packed};
    ck_machine_run(machine, (outputs + 15) / 16, pack_wide_panel, &work);
}

/* ---- Rows. ---- */

typedef struct {
    const ck_kernels *kernels;
    const float *x;
    int32_t rows, columns;
    size_t stride;
    int16_t *numbers;
    float *scales;
} rows_work;

static void wide_rows_piece(void *context, int piece, int thread) {
    (void)thread;
    const rows_work *work = context;
    const int32_t row = piece * CK_WIDE_ROWS, left = work->rows - row;
    work->kernels->wide_group(
        work->x + (size_t)row * work->stride, work->stride, left < CK_WIDE_ROWS ? left : CK_WIDE_ROWS, work->columns,
        work->numbers + (size_t)row * (size_t)work->columns,
        work->scales + (size_t)row * (size_t)(work->columns / CK_WIDE_BLOCK));
}

static float *scales_after(const void *whole, int32_t rows, int32_t columns) {
    return (float *)((char *)whole + groups_of(rows) * CK_WIDE_ROWS * (size_t)columns * sizeof(int16_t));
}

void ck_wide_rows(ck_machine *machine, const float *x, int32_t rows, int32_t columns, size_t stride, void *whole) {
    rows_work work = {
        ck_machine_kernels(machine), x, rows, columns, stride, whole, scales_after(whole, rows, columns),
    };
    ck_machine_run(machine, (int)groups_of(rows), wide_rows_piece, &work);
}

/* ---- Products. ---- */

typedef struct {
    const ck_kernels *kernels;
    ck_wide_product product;
    int panels, groups, group_step, row_pieces;
} product_work;

static void wide_product_piece(void *context, int piece, int thread) {
    (void)thread;
    const product_work *work = context;
    /* All rows of a tile's panels before the next tile's: what one thread fetches the others find in the shared cache. */
    const int tile = piece / work->row_pieces, group = piece % work->row_pieces * work->group_step;
    int first = tile * CK_WIDE_TILE, panels = CK_WIDE_TILE;
    /* Twice two panels at the end rather than three and one: a tile of one panel waits for its own sums. */
    if (work->panels % CK_WIDE_TILE == 1 && tile > 0 && first + 1 == work->panels) first--, panels = 2;
    if (work->panels % CK_WIDE_TILE == 1 && first + 4 == work->panels) panels = 2;
    if (panels > work->panels - first) panels = work->panels - first;
    const int end = group + work->group_step;
    work->kernels->wide(&work->product, first, panels, group, end < work->groups ? end : work->groups);
}

void ck_wide_linear(
    ck_machine *machine, const void *packed, int32_t outputs, int32_t inputs, const void *whole, int32_t rows,
    const float *bias, ck_activation activation, const float *residual, float *out, size_t out_stride) {
    enum { GROUPS_AT_ONCE = 20 };
    product_work work = {
        .kernels = ck_machine_kernels(machine),
        .product = {
            .packed = packed, .outputs = outputs, .inputs = inputs, .numbers = whole,
            .scales = scales_after(whole, rows, inputs), .rows = rows, .bias = bias, .activation = activation,
            .residual = residual, .out = out, .out_stride = out_stride,
        },
        .panels = (outputs + 15) / 16,
        .groups = (int)groups_of(rows),
    };
    if (rows == 0) return;
    work.row_pieces = (work.groups + GROUPS_AT_ONCE - 1) / GROUPS_AT_ONCE;
    work.group_step = (work.groups + work.row_pieces - 1) / work.row_pieces;
    work.row_pieces = (work.groups + work.group_step - 1) / work.group_step;
    ck_machine_run(
        machine, (work.panels + CK_WIDE_TILE - 1) / CK_WIDE_TILE * work.row_pieces, wide_product_piece, &work);
}

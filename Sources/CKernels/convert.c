/* convert.c — rows of F32, F16 and BF16 numbers become blocks (convert.h) and at once panels (pack.c). */
#include <stdatomic.h>

#include "formats.h"
#include "kernels.h"

bool ck_make_row(const ck_machine *machine, ck_format to, const float *x, int32_t columns, void *row) {
    return ck_machine_kernels(machine)->make_row(to, x, columns, row);
}

static size_t floats_of_row(int32_t inputs) { return ck_round_up((size_t)inputs * sizeof(float), 64); }

size_t ck_convert_scratch(ck_format to, int32_t inputs) {
    return floats_of_row(inputs) + ck_round_up(16 * ck_row_bytes(to, inputs), 64);
}

typedef struct {
    const ck_kernels *kernels;
    ck_format from, to;
    const uint8_t *rows;
    int32_t outputs, inputs;
    uint8_t *scratch, *packed;
    atomic_bool is_bad;
} convert_work;

static void convert_panel(void *context, int panel, int thread) {
    convert_work *work = context;
    uint8_t *scratch = work->scratch + (size_t)thread * ck_convert_scratch(work->to, work->inputs);
    float *numbers = (float *)scratch;
    uint8_t *made = scratch + floats_of_row(work->inputs);
    const size_t row_bytes = ck_row_bytes(work->from, work->inputs);
    const int32_t lanes = work->outputs - panel * 16 < 16 ? work->outputs - panel * 16 : 16;
    for (int32_t lane = 0; lane < lanes; lane++) {
        ck_expand(work->from, work->rows + ((size_t)panel * 16 + (size_t)lane) * row_bytes, work->inputs, numbers);
        uint8_t *row = made + (size_t)lane * ck_row_bytes(work->to, work->inputs);
        if (!work->kernels->make_row(work->to, numbers, work->inputs, row)) atomic_store(&work->is_bad, true);
    }
    ck_pack_panel(
        work->to, made, lanes, work->inputs, work->packed + (size_t)panel * ck_panel_bytes(work->to, work->inputs));
}

bool ck_convert(
    ck_machine *machine, ck_format from, const void *rows, int32_t outputs, int32_t inputs, ck_format to, void *scratch,
    void *packed) {
    convert_work work = {ck_machine_kernels(machine), from, to, rows, outputs, inputs, scratch, packed, false};
    ck_machine_run(machine, (outputs + 15) / 16, convert_panel, &work);
    return !atomic_load(&work.is_bad);
}

/* pack.c — from the rows of a file to panels of sixteen outputs.
 *
 *     float formats:  panel[k][o]
 *     quantised:      scales (formats.h), padded to 64 bytes, then the lines of each block of 32
 *
 * Group g of a block is k = 4 g + j: one byte for each [o][j], so that four k of sixteen outputs fill 64 bytes. Lines of
 * 64 bytes are filled with the bits of the groups' codes like this:
 *
 *     8 bits:     line g: group g
 *     4, 5, 6:    lines 0-3: the low four bits of group l and, in the high half, of group l + 4
 *     5:          line 4: bit 4 of group g at bit g
 *     6:          lines 4, 5: bits 4 and 5 of groups 0-3 and 4-7, from the low bits up
 *     2, 3:       lines 0, 1: the low two bits of groups 0-3 and 4-7, from the low bits up
 *     3:          line 2: bit 2 of group g at bit g
 *
 * Outputs beyond the last are zero (quantised: scales and leasts are zero), so that every panel is whole.
 */
#include <string.h>

#include "formats.h"
#include "kernels.h"

size_t ck_panel_bytes(ck_format format, int32_t inputs) {
    const ck_facts *facts = &ck_all_facts[format];
    if (facts->bits == 0) return (size_t)inputs * 16 * (size_t)facts->bytes;
    return ck_scale_bytes(format, inputs) + (size_t)inputs / 32 * 64 * (size_t)facts->bits;
}

size_t ck_packed_bytes(ck_format format, int32_t outputs, int32_t inputs) {
    return ck_round_up((size_t)outputs, 16) / 16 * ck_panel_bytes(format, inputs);
}

typedef uint8_t line[64];

/* The codes' bits `from`... of `each` groups, `width` bits apart, gathered into one line. */
static void gather_bits(const line *groups, int each, int from, int width, uint8_t *restrict out) {
    const uint8_t mask = (uint8_t)((1 << width) - 1);
    for (int i = 0; i < 64; i++) out[i] = 0;
    for (int g = 0; g < each; g++)
        for (int i = 0; i < 64; i++) out[i] |= (uint8_t)((groups[g][i] >> from & mask) << (g * width));
}

static void write_lines(int bits, const line *groups, uint8_t *restrict lines) {
    if (bits == 8) {
        memcpy(lines, groups, 8 * sizeof(line));
        return;
    }
    const bool nibbles = bits >= 4;
    if (nibbles)
        for (int l = 0; l < 4; l++)
            for (int i = 0; i < 64; i++)
                lines[l * 64 + i] = (uint8_t)((groups[l][i] & 15) | groups[l + 4][i] << 4);
    uint8_t *twos = lines + (nibbles ? 256 : 0);
    if (bits == 6 || !nibbles)
        for (int half = 0; half < 2; half++)
            gather_bits(groups + half * 4, 4, nibbles ? 4 : 0, 2, twos + half * 64);
    if (bits == 5) gather_bits(groups, 8, 4, 1, lines + 256);
    if (bits == 3) gather_bits(groups, 8, 2, 1, lines + 128);
}

static void put_half(uint8_t *place, int lane, uint16_t half) { memcpy(place + lane * 2, &half, 2); }

/* Scales of block `block` of one output. */
static void write_scales(const ck_facts *facts, const ck_block *numbers, int32_t block, int lane, uint8_t *scales) {
    const int32_t record = facts->length == 256 ? block / 8 : block;
    const int part = block % 8;
    uint8_t *place = scales + (size_t)record * ck_scale_record(facts->scaling);
    put_half(place, lane, numbers->scale);
    switch (facts->scaling) {
    case CK_SCALE: break;
    case CK_SCALE_AND_LEAST: put_half(place + 32, lane, numbers->least); break;
    case CK_STEPS: place[32 + part * 16 + lane] = (uint8_t)numbers->steps[0]; break;
    case CK_STEPS_AND_LEAST:
        put_half(place + 32, lane, numbers->least);
        place[64 + part * 32 + lane] = (uint8_t)numbers->steps[0];
        place[64 + part * 32 + 16 + lane] = numbers->falls[0];
        break;
    case CK_FINE_STEPS:
        for (int half = 0; half < 2; half++)
            place[32 + part * 32 + half * 16 + lane] = (uint8_t)numbers->steps[half];
        break;
    case CK_FINE_STEPS_AND_LEAST:
        put_half(place + 32, lane, numbers->least);
        for (int half = 0; half < 2; half++)
            place[64 + part * 32 + half * 16 + lane] =
                (uint8_t)(numbers->steps[half] | numbers->falls[half] << 4);
        break;
    }
}

/* Some rows of a file, to become one panel. */
typedef struct {
    ck_format format;
    const uint8_t *rows;
    int32_t lanes, inputs;
    uint8_t *place;
} panel_work;

/* `width` is a constant where this is used. */
CK_FUNCTION void pack_floats(const panel_work *work, const size_t width) {
    enum { AT_ONCE = 128 };
    const size_t row_bytes = ck_row_bytes(work->format, work->inputs);
    /* Stretch by stretch, so that what sixteen rows write side by side is still in the cache when the next row comes. */
    for (int32_t first = 0; first < work->inputs; first += AT_ONCE) {
        const int32_t last = work->inputs - first < AT_ONCE ? work->inputs : first + AT_ONCE;
        for (int lane = 0; lane < work->lanes; lane++)
            for (int32_t k = first; k < last; k++)
                memcpy(
                    work->place + ((size_t)k * 16 + (size_t)lane) * width,
                    work->rows + (size_t)lane * row_bytes + (size_t)k * width, width);
    }
}

static void pack_codes(const panel_work *work) {
    const ck_facts *facts = &ck_all_facts[work->format];
    const size_t row_bytes = ck_row_bytes(work->format, work->inputs);
    uint8_t *lines = work->place + ck_scale_bytes(work->format, work->inputs);
    line groups[8];
    memset(groups, 0, sizeof groups);
    for (int32_t block = 0; block < work->inputs / 32; block++) {
        for (int lane = 0; lane < work->lanes; lane++) {
            ck_block numbers;
            ck_read_block(work->format, work->rows + (size_t)lane * row_bytes, block, &numbers);
            write_scales(facts, &numbers, block, lane, work->place);
            for (int g = 0; g < 8; g++) memcpy(groups[g] + lane * 4, numbers.codes + g * 4, 4);
        }
        write_lines(facts->bits, groups, lines + (size_t)block * 64 * (size_t)facts->bits);
    }
}

void ck_pack_panel(ck_format format, const uint8_t *rows, int32_t lanes, int32_t inputs, uint8_t *place) {
    const panel_work work = {format, rows, lanes, inputs, place};
    if (lanes < 16) memset(place, 0, ck_panel_bytes(format, inputs));
    if (ck_is_quantised(format)) {
        /* What pads the scales to whole lines is kept on disk with them. */
        const size_t scales = ck_scale_bytes(format, inputs);
        memset(place + scales - (scales < 64 ? scales : 64), 0, scales < 64 ? scales : 64);
        pack_codes(&work);
    } else if (format == CK_F32) pack_floats(&work, 4);
    else pack_floats(&work, 2);
}

typedef struct {
    ck_format format;
    const uint8_t *rows;
    int32_t outputs, inputs;
    uint8_t *packed;
} pack_work;

static void pack_panel(void *context, int panel, int thread) {
    (void)thread;
    const pack_work *work = context;
    const int32_t lanes = work->outputs - panel * 16 < 16 ? work->outputs - panel * 16 : 16;
    ck_pack_panel(
        work->format, work->rows + (size_t)panel * 16 * ck_row_bytes(work->format, work->inputs), lanes, work->inputs,
        work->packed + (size_t)panel * ck_panel_bytes(work->format, work->inputs));
}

void ck_pack(
    ck_machine *machine, ck_format format, const void *rows, int32_t outputs, int32_t inputs, void *packed) {
    pack_work work = {format, rows, outputs, inputs, packed};
    ck_machine_run(machine, (outputs + 15) / 16, pack_panel, &work);
}

/* pack.c — from the rows of a file to panels of sixteen outputs.
 *
 *     float formats:  panel[k][o]
 *     Q8_0 and Q4_0:  scales[block][o] (half precision), padded to 64 bytes, then lines[block][line][o][j]
 *         Q8_0: line l of 8 holds k = 4 l + j, plus 128
 *         Q4_0: line l of 4 holds k = 4 l + j in the low half of a byte and k = 16 + 4 l + j in the high half, plus 8
 *
 * Outputs beyond the last are zero (quantised: their scale is zero), so that every panel is whole.
 */
#include <string.h>

#include "kernels.h"

enum { Q8_BLOCK = 34, Q4_BLOCK = 18 };

size_t ck_panel_bytes(ck_format format, int32_t inputs) {
    size_t blocks = (size_t)inputs / 32;
    switch (format) {
    case CK_F32: return (size_t)inputs * 64;
    case CK_F16:
    case CK_BF16: return (size_t)inputs * 32;
    case CK_Q8_0: return ck_scale_bytes(inputs) + blocks * 512;
    case CK_Q4_0: return ck_scale_bytes(inputs) + blocks * 256;
    }
    return 0;
}

size_t ck_packed_bytes(ck_format format, int32_t outputs, int32_t inputs) {
    return ck_round_up((size_t)outputs, 16) / 16 * ck_panel_bytes(format, inputs);
}

static size_t row_bytes(ck_format format, int32_t columns) {
    switch (format) {
    case CK_F32: return (size_t)columns * 4;
    case CK_F16:
    case CK_BF16: return (size_t)columns * 2;
    case CK_Q8_0: return (size_t)columns / 32 * Q8_BLOCK;
    case CK_Q4_0: return (size_t)columns / 32 * Q4_BLOCK;
    }
    return 0;
}

static void pack_floats(size_t width, const uint8_t *row, int32_t inputs, int lane, uint8_t *panel) {
    for (int32_t k = 0; k < inputs; k++)
        memcpy(panel + ((size_t)k * 16 + (size_t)lane) * width, row + (size_t)k * width, width);
}

static void pack_q8(const uint8_t *row, int32_t inputs, int lane, uint8_t *panel) {
    uint8_t *lines = panel + ck_scale_bytes(inputs);
    for (int32_t block = 0; block < inputs / 32; block++) {
        const uint8_t *source = row + (size_t)block * Q8_BLOCK;
        memcpy(panel + ((size_t)block * 16 + (size_t)lane) * 2, source, 2);
        for (int k = 0; k < 32; k++)
            lines[(size_t)block * 512 + (size_t)(k / 4 * 64 + lane * 4 + k % 4)] = source[2 + k] ^ 0x80;
    }
}

static void pack_q4(const uint8_t *row, int32_t inputs, int lane, uint8_t *panel) {
    uint8_t *lines = panel + ck_scale_bytes(inputs);
    for (int32_t block = 0; block < inputs / 32; block++) {
        const uint8_t *source = row + (size_t)block * Q4_BLOCK;
        memcpy(panel + ((size_t)block * 16 + (size_t)lane) * 2, source, 2);
        /* The file, too, keeps k and k + 16 in one byte. */
        for (int k = 0; k < 16; k++)
            lines[(size_t)block * 256 + (size_t)(k / 4 * 64 + lane * 4 + k % 4)] = source[2 + k];
    }
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
    const size_t bytes = ck_panel_bytes(work->format, work->inputs);
    uint8_t *place = work->packed + (size_t)panel * bytes;
    memset(place, 0, bytes);
    for (int lane = 0; lane < 16 && panel * 16 + lane < work->outputs; lane++) {
        const uint8_t *row = work->rows + (size_t)(panel * 16 + lane) * row_bytes(work->format, work->inputs);
        switch (work->format) {
        case CK_F32: pack_floats(4, row, work->inputs, lane, place); break;
        case CK_F16:
        case CK_BF16: pack_floats(2, row, work->inputs, lane, place); break;
        case CK_Q8_0: pack_q8(row, work->inputs, lane, place); break;
        case CK_Q4_0: pack_q4(row, work->inputs, lane, place); break;
        }
    }
}

void ck_pack(
    ck_machine *machine, ck_format format, const void *rows, int32_t outputs, int32_t inputs, void *packed) {
    pack_work work = {format, rows, outputs, inputs, packed};
    ck_machine_run(machine, (outputs + 15) / 16, pack_panel, &work);
}

static float from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float half_at(const uint8_t *p) {
    uint16_t half;
    memcpy(&half, p, sizeof half);
    float magnitude = from_bits((uint32_t)(half & 0x7FFF) << 13) * 0x1p112f;
    uint32_t bits;
    memcpy(&bits, &magnitude, sizeof bits);
    if ((half & 0x7C00) == 0x7C00) bits |= 0x7F800000u;
    return from_bits(bits | (uint32_t)(half & 0x8000) << 16);
}

void ck_expand(ck_format format, const void *row, int32_t columns, float *out) {
    const uint8_t *bytes = row;
    switch (format) {
    case CK_F32: memcpy(out, row, (size_t)columns * 4); break;
    case CK_F16:
        for (int32_t c = 0; c < columns; c++) out[c] = half_at(bytes + (size_t)c * 2);
        break;
    case CK_BF16:
        for (int32_t c = 0; c < columns; c++) {
            uint16_t top;
            memcpy(&top, bytes + (size_t)c * 2, sizeof top);
            out[c] = from_bits((uint32_t)top << 16);
        }
        break;
    case CK_Q8_0:
        for (int32_t c = 0; c < columns; c++) {
            const uint8_t *block = bytes + (size_t)(c / 32) * Q8_BLOCK;
            out[c] = half_at(block) * (float)(int8_t)block[2 + c % 32];
        }
        break;
    case CK_Q4_0:
        for (int32_t c = 0; c < columns; c++) {
            const uint8_t *block = bytes + (size_t)(c / 32) * Q4_BLOCK;
            int place = c % 32;
            int nibble = place < 16 ? block[2 + place] & 15 : block[2 + place - 16] >> 4;
            out[c] = half_at(block) * (float)(nibble - 8);
        }
        break;
    }
}

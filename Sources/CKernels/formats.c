/* formats.c — from the bytes of a file: rows as float32, and blocks of 32 numbers as codes, steps and falls.
 *
 * Every product below is exact in float32 (a half has 11 bits, a step 7, a code 7), so a number is rounded at most once,
 * where `least` is added: the same bits as llama.cpp's reference, whatever either compiler fuses.
 */
#include <string.h>

#include "formats.h"
#include "kernels.h"

bool ck_is_quantised(ck_format format) { return ck_all_facts[format].bits != 0; }

size_t ck_row_bytes(ck_format format, int32_t columns) {
    return (size_t)columns / (size_t)ck_all_facts[format].length * (size_t)ck_all_facts[format].bytes;
}

static uint16_t word_at(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }

/* k and k + 16 share a byte of `bytes`; `high`, where there is one, has bit 4 of number k at bit k. */
static void read_nibbles(const uint8_t *bytes, const uint8_t *high, ck_block *out) {
    for (int k = 0; k < 16; k++) {
        out->codes[k] = bytes[k] & 15;
        out->codes[k + 16] = bytes[k] >> 4;
    }
    if (!high) return;
    for (int k = 0; k < 32; k++) out->codes[k] |= (uint8_t)((high[k / 8] >> (k % 8) & 1) << 4);
}

/* Q4_K and Q5_K: eight steps and eight falls of six bits in twelve bytes. */
static void read_packed_steps(const uint8_t *s, int part, ck_block *out) {
    int step = s[part] & 63, fall = s[part + 4] & 63;
    if (part >= 4) {
        step = (s[part + 4] & 15) | s[part - 4] >> 6 << 4;
        fall = s[part + 4] >> 4 | s[part] >> 6 << 4;
    }
    out->steps[0] = out->steps[1] = (int8_t)step;
    out->falls[0] = out->falls[1] = (uint8_t)fall;
}

static void read_q2_k(const uint8_t *block, int part, ck_block *out) {
    const uint8_t *twos = block + 16 + part / 4 * 32;
    out->scale = word_at(block + 80);
    out->least = word_at(block + 82);
    for (int half = 0; half < 2; half++) {
        out->steps[half] = block[2 * part + half] & 15;
        out->falls[half] = block[2 * part + half] >> 4;
    }
    for (int k = 0; k < 32; k++) out->codes[k] = twos[k] >> (part % 4 * 2) & 3;
}

static void read_q3_k(const uint8_t *block, int part, ck_block *out) {
    const uint8_t *twos = block + 32 + part / 4 * 32, *steps = block + 96;
    out->scale = word_at(block + 108);
    for (int half = 0; half < 2; half++) {
        const int i = 2 * part + half;
        const int low = i < 8 ? steps[i] & 15 : steps[i - 8] >> 4, high = steps[8 + i % 4] >> (i / 4 * 2) & 3;
        out->steps[half] = (int8_t)((low | high << 4) - 32);
    }
    for (int k = 0; k < 32; k++)
        out->codes[k] = (uint8_t)((twos[k] >> (part % 4 * 2) & 3) | (block[k] >> part & 1) << 2);
}

static void read_q4_k(const uint8_t *block, int part, ck_block *out) {
    const uint8_t *bytes = block + 16 + part / 2 * 32;
    out->scale = word_at(block);
    out->least = word_at(block + 2);
    read_packed_steps(block + 4, part, out);
    for (int k = 0; k < 32; k++) out->codes[k] = part % 2 ? bytes[k] >> 4 : bytes[k] & 15;
}

static void read_q5_k(const uint8_t *block, int part, ck_block *out) {
    const uint8_t *high = block + 16, *bytes = block + 48 + part / 2 * 32;
    out->scale = word_at(block);
    out->least = word_at(block + 2);
    read_packed_steps(block + 4, part, out);
    for (int k = 0; k < 32; k++)
        out->codes[k] = (uint8_t)((part % 2 ? bytes[k] >> 4 : bytes[k] & 15) | (high[k] >> part & 1) << 4);
}

static void read_q6_k(const uint8_t *block, int part, ck_block *out) {
    const uint8_t *bytes = block + part / 4 * 64 + part % 2 * 32, *high = block + 128 + part / 4 * 32;
    out->scale = word_at(block + 208);
    memcpy(out->steps, block + 192 + 2 * part, 2);
    for (int k = 0; k < 32; k++) {
        const int nibble = part % 4 < 2 ? bytes[k] & 15 : bytes[k] >> 4;
        out->codes[k] = (uint8_t)(nibble | (high[k] >> (part % 4 * 2) & 3) << 4);
    }
}

static void read_iq4_xs(const uint8_t *block, int part, ck_block *out) {
    const int low = block[4 + part / 2] >> (part % 2 * 4) & 15, high = word_at(block + 2) >> (2 * part) & 3;
    out->scale = word_at(block);
    out->steps[0] = out->steps[1] = (int8_t)((low | high << 4) - 32);
    read_nibbles(block + 8 + part * 16, NULL, out);
}

void ck_read_block(ck_format format, const uint8_t *row, int32_t block, ck_block *out) {
    const int parts = ck_all_facts[format].length / 32;
    const uint8_t *place = row + (size_t)(block / parts) * (size_t)ck_all_facts[format].bytes;
    const int part = block % parts;
    *out = (ck_block){.scale = word_at(place)};
    switch (format) {
    case CK_F32:
    case CK_F16:
    case CK_BF16: break; /* without codes */
    case CK_Q8_0:
        for (int k = 0; k < 32; k++) out->codes[k] = place[2 + k] ^ 0x80;
        break;
    case CK_IQ4_NL:
    case CK_Q4_0: read_nibbles(place + 2, NULL, out); break;
    case CK_Q4_1:
        out->least = word_at(place + 2);
        read_nibbles(place + 4, NULL, out);
        break;
    case CK_Q5_0: read_nibbles(place + 6, place + 2, out); break;
    case CK_Q5_1:
        out->least = word_at(place + 2);
        read_nibbles(place + 8, place + 4, out);
        break;
    case CK_Q2_K: read_q2_k(place, part, out); break;
    case CK_Q3_K: read_q3_k(place, part, out); break;
    case CK_Q4_K: read_q4_k(place, part, out); break;
    case CK_Q5_K: read_q5_k(place, part, out); break;
    case CK_Q6_K: read_q6_k(place, part, out); break;
    case CK_IQ4_XS: read_iq4_xs(place, part, out); break;
    }
}

static float from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

float ck_from_half(uint16_t half) {
    float magnitude = from_bits((uint32_t)(half & 0x7FFF) << 13) * 0x1p112f;
    uint32_t bits;
    memcpy(&bits, &magnitude, sizeof bits);
    if ((half & 0x7C00) == 0x7C00) bits |= 0x7F800000u;
    return from_bits(bits | (uint32_t)(half & 0x8000) << 16);
}

static void expand_block(const ck_facts *facts, const ck_block *block, float *out) {
    static const int8_t curve[16] = {CK_CURVE};
    const float scale = ck_from_half(block->scale), least = ck_from_half(block->least);
    for (int k = 0; k < 32; k++) {
        const int step = block->steps[k / 16], fall = block->falls[k / 16];
        const float code = facts->curve ? (float)curve[block->codes[k]] : (float)(block->codes[k] - facts->centre);
        switch (facts->scaling) {
        case CK_SCALE: out[k] = scale * code; break;
        case CK_SCALE_AND_LEAST: out[k] = scale * code + least; break;
        case CK_STEPS:
        case CK_FINE_STEPS: out[k] = scale * (float)step * code; break;
        case CK_STEPS_AND_LEAST:
        case CK_FINE_STEPS_AND_LEAST: out[k] = scale * (float)step * code - least * (float)fall; break;
        }
    }
}

void ck_expand(ck_format format, const void *row, int32_t columns, float *out) {
    const uint8_t *bytes = row;
    switch (format) {
    case CK_F32: memcpy(out, row, (size_t)columns * 4); return;
    case CK_F16:
        for (int32_t c = 0; c < columns; c++) out[c] = ck_from_half(word_at(bytes + (size_t)c * 2));
        return;
    case CK_BF16:
        for (int32_t c = 0; c < columns; c++) out[c] = from_bits((uint32_t)word_at(bytes + (size_t)c * 2) << 16);
        return;
    default: break;
    }
    for (int32_t block = 0; block < columns / 32; block++) {
        ck_block numbers;
        ck_read_block(format, bytes, block, &numbers);
        expand_block(&ck_all_facts[format], &numbers, out + (size_t)block * 32);
    }
}

/* kernel-check.c — the kernels against plain loops in double precision, and row exactness as equality of bytes.
 *
 * The Swift tests do this and more; this program is for what they do not reach: other processors (Scripts/check-arm64)
 * and the sanitizers (Scripts/check-kernels). It runs every instruction set that the machine has.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CKernels.h"

static uint32_t state = 1;

static uint32_t next(void) {
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

static float number(void) { return (float)(int)(next() % 2001) / 1000.0f - 1.0f; }

static size_t padded(size_t columns) { return (columns + 15) / 16 * 16; }

/* Exactly as many bytes as the kernels were promised, so that a sanitizer sees the first one too many. */
static void *memory(size_t bytes) {
    void *place;
    if (posix_memalign(&place, 64, bytes ? bytes : 1)) abort();
    memset(place, 0xFF, bytes);
    return place;
}

static float *matrix(int rows, int columns) {
    float *m = memory(rows * padded(columns) * sizeof *m);
    for (int r = 0; r < rows; r++)
        for (size_t c = 0; c < padded(columns); c++)
            m[r * padded(columns) + c] = c < (size_t)columns ? number() : 0;
    return m;
}

static int failures;

static void expect(bool good, const char *what, int isa, int a, int b, int c) {
    if (good) return;
    failures++;
    printf("FAILED: %s, instruction set %d, %d %d %d\n", what, isa, a, b, c);
}

/* A number that stands for every bit that the kernels have made so far. */
static uint64_t made;
/* The same for the products of wide.h, which not every instruction set has. */
static uint64_t made_wide;

static void note_in(uint64_t *hash, const float *numbers, size_t count) {
    const uint8_t *bytes = (const uint8_t *)numbers;
    for (size_t i = 0; i < count * sizeof *numbers; i++) *hash = (*hash ^ bytes[i]) * 0x100000001B3u;
}

static void note(const float *numbers, size_t count) { note_in(&made, numbers, count); }

/* Where a block's half-precision numbers stand: the scale, then what is added or taken away. */
static const struct {
    ck_format format;
    int bytes, halves[2];
} blocks[] = {
    {CK_Q8_0, 34, {0, 0}},   {CK_Q4_0, 18, {0, 0}},    {CK_Q4_1, 20, {0, 2}},   {CK_Q5_0, 22, {0, 0}},
    {CK_Q5_1, 24, {0, 2}},   {CK_Q2_K, 84, {80, 82}},  {CK_Q3_K, 110, {108, 108}}, {CK_Q4_K, 144, {0, 2}},
    {CK_Q5_K, 176, {0, 2}},  {CK_Q6_K, 210, {208, 208}}, {CK_IQ4_NL, 18, {0, 0}}, {CK_IQ4_XS, 136, {0, 0}},
};

/* Random GGUF rows of ordinary numbers. */
static uint8_t *file_rows(ck_format format, int outputs, int inputs) {
    size_t bytes = ck_row_bytes(format, inputs) * outputs;
    uint8_t *rows = memory(bytes);
    for (size_t i = 0; i < bytes; i++) rows[i] = (uint8_t)next();
    for (size_t i = 0; i < (size_t)outputs * inputs; i++) {
        float value = number();
        uint16_t top;
        memcpy(&top, (char *)&value + 2, 2);
        if (format == CK_F32) memcpy(rows + i * 4, &value, 4);
        if (format == CK_F16) rows[i * 2 + 1] = (uint8_t)((rows[i * 2 + 1] & 0x83) | 0x38);
        if (format == CK_BF16) memcpy(rows + i * 2, &top, 2);
    }
    for (size_t b = 0; b < sizeof blocks / sizeof *blocks; b++)
        if (blocks[b].format == format)
            for (size_t i = 0; i < bytes; i += blocks[b].bytes)
                for (int half = 0; half < 2; half++)
                    rows[i + blocks[b].halves[half] + 1] = (uint8_t)(0x1C | (next() & 0x83));
    return rows;
}

static ck_activations activations(ck_machine *machine, ck_format format, const float *x, int rows, int columns) {
    ck_activations a = {.rows = rows, .x = x, .stride = padded(columns)};
    if (!ck_is_quantised(format)) return a;
    void *whole = memory(ck_quantised_bytes(rows, columns));
    ck_quantize(machine, x, rows, columns, a.stride, whole);
    a.whole = whole;
    return a;
}

/* What a quantised weight sees in place of x[row][k]: groups of four rows, one record for each block of 32 columns. */
static double activation_at(ck_activations a, int columns, int row, int k) {
    if (!a.whole) return a.x[row * a.stride + k];
    const int first = row / 4 * 4, width = a.rows - first < 4 ? a.rows - first : 4;
    const uint8_t *record =
        (const uint8_t *)a.whole + ck_quantised_bytes(first, columns) + ck_quantised_bytes(width, k / 32 * 32);
    float scale;
    memcpy(&scale, record + width * 32 + (row - first) * 4, sizeof scale);
    return (double)(int8_t)record[(row - first) * 32 + k % 32] * scale;
}

static void check_linear(ck_machine *machine, int isa, ck_format format, int outputs, int inputs, int rows) {
    uint8_t *file = file_rows(format, outputs, inputs);
    void *packed = memory(ck_packed_bytes(format, outputs, inputs));
    ck_pack(machine, format, file, outputs, inputs, packed);
    ck_weight weight = {format, outputs, inputs, packed};
    float *x = matrix(rows, inputs), *bias = matrix(1, outputs), *residual = matrix(rows, outputs);
    size_t stride = padded(outputs);
    float *out = memory(rows * stride * sizeof *out), *alone = memory(stride * sizeof *alone);
    float *w = memory(inputs * sizeof *w);
    ck_activations all = activations(machine, format, x, rows, inputs);
    ck_linear(machine, weight, all, bias, CK_NONE, residual, out, stride);
    note(out, rows * stride);
    for (int o = 0; o < outputs; o++) {
        ck_expand(format, file + o * ck_row_bytes(format, inputs), inputs, w);
        for (int r = 0; r < rows; r++) {
            double sum = 0, size = 1;
            for (int k = 0; k < inputs; k++) {
                double product = activation_at(all, inputs, r, k) * w[k];
                sum += product;
                size += fabs(product);
            }
            sum += (double)bias[o] + residual[r * stride + o];
            expect(fabs(out[r * stride + o] - sum) < 2e-6 * size, "linear", isa, format, outputs, inputs);
        }
    }
    for (int r = 0; r < rows; r++) {
        ck_activations one = activations(machine, format, x + r * padded(inputs), 1, inputs);
        ck_linear(machine, weight, one, bias, CK_NONE, residual + r * stride, alone, stride);
        expect(!memcmp(alone, out + r * stride, stride * sizeof *out), "a row alone", isa, format, outputs, rows);
        free((void *)one.whole);
    }
    free((void *)all.whole);
    free(file), free(packed), free(x), free(bias), free(residual), free(out), free(alone), free(w);
}

static void check_rows(ck_machine *machine, int isa, int columns) {
    enum { ROWS = 3 };
    size_t stride = padded(columns);
    float *x = matrix(ROWS, columns), *gain = matrix(1, columns), *bias = matrix(1, columns);
    float *rms = memory(ROWS * stride * 4), *layer = memory(ROWS * stride * 4);
    ck_rms_norm(machine, x, ROWS, columns, stride, gain, 1e-5f, rms);
    ck_layer_norm(machine, x, ROWS, columns, stride, gain, bias, 1e-5f, layer);
    note(rms, ROWS * stride), note(layer, ROWS * stride);
    for (int r = 0; r < ROWS; r++) {
        const float *row = x + r * stride;
        double sum = 0, squares = 0, variance = 0;
        for (int c = 0; c < columns; c++) sum += row[c], squares += (double)row[c] * row[c];
        for (int c = 0; c < columns; c++) variance += pow(row[c] - sum / columns, 2);
        for (int c = 0; c < columns; c++) {
            double a = row[c] / sqrt(squares / columns + 1e-5) * gain[c];
            double b = (row[c] - sum / columns) / sqrt(variance / columns + 1e-5) * gain[c] + bias[c];
            expect(fabs(rms[r * stride + c] - a) < 1e-5, "rms norm", isa, columns, r, c);
            expect(fabs(layer[r * stride + c] - b) < 1e-4, "layer norm", isa, columns, r, c);
        }
        for (size_t c = (size_t)columns; c < stride; c++)
            expect(rms[r * stride + c] == 0 && layer[r * stride + c] == 0, "padding", isa, columns, r, (int)c);
    }
    free(x), free(gain), free(bias), free(rms), free(layer);
}

/* The number that half precision has for x, by the definition: 11 bits, and steps of 2^-24 below 2^-14. */
static float half(float x) {
    int exponent;
    frexpf(x, &exponent);
    const float step = ldexpf(1, exponent < -13 ? -24 : exponent - 11);
    return rintf(x / step) * step;
}

/* What a cache keeps of the numbers of rows of heads, by the definition. */
static void keep(ck_format format, float *x, int rows, int heads, int width) {
    for (int row = 0; row < rows; row++)
        for (int head = 0; head < heads; head++) {
            float *numbers = x + (size_t)row * padded((size_t)heads * width) + head * width;
            for (int d = 0; d < width && format == CK_F16; d++) numbers[d] = half(numbers[d]);
            for (int part = 0; part < width && format == CK_Q8_0; part += 32) {
                const int end = part + 32 < width ? part + 32 : width;
                float largest = 0;
                for (int d = part; d < end; d++) largest = fmaxf(largest, fabsf(numbers[d]));
                const float scale = largest / 127 < 0x1p-14f ? 0x1p-14f : half(largest / 127);
                for (int d = part; d < end; d++)
                    numbers[d] = fminf(127, fmaxf(-127, rintf(numbers[d] / scale))) * scale;
            }
        }
}

static void check_attention(
    ck_machine *machine, int isa, ck_format format, int query_heads, int heads, int width, int committed, int rows) {
    int slots = (int)padded((size_t)(committed + 2 * rows)), seen = committed + rows;
    ck_cache cache = {
        memory(ck_cache_key_bytes(format, slots, heads, width)), memory(ck_cache_value_bytes(format, slots, heads, width)),
        slots, heads, width, format,
    };
    float *keys = matrix(seen, heads * width), *values = matrix(seen, heads * width);
    float *queries = matrix(rows, query_heads * width);
    /* Rows of the pass lie in every other slot, the last first. */
    int32_t *places = memory((size_t)seen * 4);
    for (int i = 0; i < seen; i++) places[i] = i < committed ? i : committed + 2 * (seen - 1 - i);
    /* Numbers of every size that a half has, and some that it lacks. */
    for (size_t i = 0; i < seen * padded((size_t)heads * width); i += 7) keys[i] *= 1e-5f, values[i] *= 1e-7f;
    ck_cache_write(machine, cache, keys, values, padded((size_t)heads * width), places, seen);
    keep(format, keys, seen, heads, width), keep(format, values, seen, heads, width);
    float *stored = matrix(seen, heads * width), *other = matrix(seen, heads * width);
    ck_cache_read(cache, stored, other, padded((size_t)heads * width), places, seen);
    for (size_t i = 0; i < seen * padded((size_t)heads * width); i++)
        expect(
            (i % padded((size_t)heads * width) >= (size_t)(heads * width)) ||
                (stored[i] == keys[i] && other[i] == values[i]), "what a cache keeps", isa, format, width, (int)i);
    /* What was read and is written again stays as it is. */
    float *again = matrix(seen, heads * width), *values_again = matrix(seen, heads * width);
    ck_cache_write(machine, cache, stored, other, padded((size_t)heads * width), places, seen);
    ck_cache_read(cache, again, values_again, padded((size_t)heads * width), places, seen);
    const size_t used = (size_t)(heads * width) * sizeof *again;
    for (int i = 0; i < seen; i++)
        expect(
            !memcmp(again + (size_t)i * padded((size_t)heads * width), stored + (size_t)i * padded((size_t)heads * width), used) &&
                !memcmp(values_again + (size_t)i * padded((size_t)heads * width), other + (size_t)i * padded((size_t)heads * width), used),
            "a cache written again", isa, format, width, i);
    free(stored), free(other), free(again), free(values_again);
    ck_sight *sights = memory((size_t)rows * sizeof *sights);
    for (int r = 0; r < rows; r++)
        sights[r] = (ck_sight){places + committed, r + 1, committed, committed + 2 * rows};
    size_t stride = padded((size_t)query_heads * width);
    float *scratch = memory(4 * 2 * ck_attend_scratch(committed + 2 * rows)), *out = memory(rows * stride * 4);
    ck_attend(machine, cache, queries, stride, query_heads, rows, committed, sights, scratch, out, stride);
    for (int r = 0; r < rows; r++) note(out + r * stride, (size_t)query_heads * width);
    double *shares = memory((size_t)seen * sizeof *shares);
    for (int r = 0; r < rows; r++)
        for (int h = 0; h < query_heads; h++) {
            size_t first = (size_t)(h * heads / query_heads) * width, key_stride = padded((size_t)heads * width);
            double total = 0;
            for (int i = 0; i < committed + r + 1; i++) {
                double score = 0;
                for (int d = 0; d < width; d++)
                    score += (double)queries[r * stride + h * width + d] * keys[i * key_stride + first + d];
                total += shares[i] = exp(score / sqrt(width));
            }
            for (int d = 0; d < width; d++) {
                double sum = 0;
                for (int i = 0; i < committed + r + 1; i++) sum += shares[i] / total * values[i * key_stride + first + d];
                expect(fabs(out[r * stride + h * width + d] - sum) < 2e-6, "attention", isa, width, committed, r);
            }
        }
    free(cache.keys), free(cache.values), free(keys), free(values), free(queries), free(places), free(sights);
    free(scratch), free(out), free(shares);
}

/* Whole numbers of two bytes: exact but for rounding x and w, alone and in company the same; not-a-number stays. */
static void check_wide(ck_machine *machine, int isa, int outputs, int inputs, int rows) {
    if (!ck_wide_available(machine)) return;
    float *w = matrix(outputs, inputs), *x = matrix(rows, inputs), *bias = matrix(1, outputs);
    size_t stride = padded(outputs);
    float *residual = matrix(rows, outputs), *out = memory(rows * stride * sizeof *out);
    float *alone = memory(stride * sizeof *alone);
    if (rows > 2) x[2 * inputs + inputs / 2] = NAN;
    for (int k = 0; k < 64; k++) x[k] = 0;
    void *packed = memory(ck_wide_weight_bytes(outputs, inputs)), *whole = memory(ck_wide_row_bytes(rows, inputs));
    void *one = memory(ck_wide_row_bytes(1, inputs));
    ck_wide_pack(machine, CK_F32, w, outputs, inputs, packed);
    ck_wide_rows(machine, x, rows, inputs, inputs, whole);
    ck_wide_linear(machine, packed, outputs, inputs, whole, rows, bias, CK_NONE, residual, out, stride);
    for (int r = 0; r < rows; r++) {
        for (int o = 0; o < outputs; o++) {
            double sum = 0, size = 1;
            for (int k = 0; k < inputs; k++) {
                double product = (double)x[r * inputs + k] * w[o * inputs + k];
                sum += product;
                size += fabs(product);
            }
            if (r == 2) expect(isnan(out[r * stride + o]), "wide, not-a-number", isa, outputs, inputs, rows);
            else
                expect(
                    fabs(out[r * stride + o] - (sum + (double)bias[o] + residual[r * stride + o])) < 2e-4 * size,
                    "wide", isa, outputs, inputs, rows);
        }
        ck_wide_rows(machine, x + r * inputs, 1, inputs, inputs, one);
        ck_wide_linear(
            machine, packed, outputs, inputs, one, 1, bias, CK_NONE, residual + r * stride, alone, stride);
        expect(
            memcmp(alone, out + r * stride, outputs * sizeof *out) == 0, "wide, alone", isa, outputs, inputs, rows);
        if (r != 2) note_in(&made_wide, alone, outputs);
    }
    free(w), free(x), free(bias), free(residual), free(out), free(alone), free(packed), free(whole), free(one);
}

/* Converting is making rows and packing those; and it refuses what has no scale. */
static void check_convert(ck_machine *machine, int isa, ck_format from, ck_format to, int outputs, int inputs) {
    uint8_t *file = file_rows(from, outputs, inputs);
    const size_t bytes = ck_packed_bytes(to, outputs, inputs), row_bytes = ck_row_bytes(to, inputs);
    void *scratch = memory(2 * ck_convert_scratch(to, inputs));
    uint8_t *made = memory(row_bytes * outputs), *packed = memory(bytes), *expected = memory(bytes);
    float *numbers = memory(inputs * sizeof *numbers), *back = memory(inputs * sizeof *back);
    for (int o = 0; o < outputs; o++) {
        ck_expand(from, file + o * ck_row_bytes(from, inputs), inputs, numbers);
        bool good = ck_make_row(machine, to, numbers, inputs, made + o * row_bytes);
        ck_expand(to, made + o * row_bytes, inputs, back);
        for (int k = 0; k < inputs; k++) good &= fabsf(numbers[k] - back[k]) < (to == CK_Q8_0 ? 0.01f : 0.2f);
        expect(good, "make_row", isa, to, outputs, o);
    }
    ck_pack(machine, to, made, outputs, inputs, expected);
    expect(ck_convert(machine, from, file, outputs, inputs, to, scratch, packed), "convert", isa, from, to, outputs);
    expect(!memcmp(packed, expected, bytes), "convert is make_row and pack", isa, from, to, outputs);
    const float bad[] = {NAN, INFINITY, -INFINITY, 3e38f};
    for (int i = 0; i < 4; i++) {
        ck_expand(from, file, inputs, numbers);
        numbers[inputs - 1 - i] = bad[i];
        expect(!ck_make_row(machine, to, numbers, inputs, made), "make_row of what has no scale", isa, to, i, 0);
    }
    free(file), free(scratch), free(made), free(packed), free(expected), free(numbers), free(back);
}

/* Every length around the borders of stretches; and a sum that notices each word. */
static void check_checksum(ck_machine *machine, int isa) {
    const size_t stretch = 1 << 20, counts[] = {1, 3, 255, 256, 257, stretch - 1, stretch, 2 * stretch + 5};
    for (int i = 0; i < 8; i++) {
        uint8_t *bytes = memory(counts[i]);
        for (size_t b = 0; b < counts[i]; b++) bytes[b] = (uint8_t)next();
        const uint64_t sum = ck_checksum(machine, bytes, counts[i]);
        expect(sum == ck_checksum(machine, bytes, counts[i]), "checksum twice", isa, i, 0, 0);
        expect(sum != ck_checksum(machine, bytes, counts[i] - 1), "checksum of less", isa, i, 0, 0);
        for (int trial = 0; trial < 20; trial++) {
            const size_t place = trial ? ((size_t)next() << 8 ^ next()) % counts[i] : counts[i] - 1;
            bytes[place] ^= (uint8_t)(1 << trial % 8);
            expect(sum != ck_checksum(machine, bytes, counts[i]), "checksum of another byte", isa, i, trial, 0);
            bytes[place] ^= (uint8_t)(1 << trial % 8);
        }
        free(bytes);
    }
}

int main(void) {
    uint64_t portable = 0, fused = 0, wide = 0;
    for (int isa = CK_PORTABLE; isa < CK_ISAS; isa++) {
        if (!ck_isa_available(isa)) continue;
        state = 1, made = made_wide = 0xCBF29CE484222325u;
        ck_machine *machine = ck_machine_create(isa, 2);
        if (!machine) return 2;
        for (int format = CK_F32; format < CK_FORMATS; format++)
            for (int rows = 1; rows <= 70; rows += rows < 10 ? 1 : 20)
                for (int outputs = 1; outputs <= 81; outputs += 20) {
                    /* The shortest rows, and rows that are cut into stretches. */
                    const int step = !ck_is_quantised(format) ? 37 : ck_row_bytes(format, 32) ? 96 : 256;
                    check_linear(machine, isa, format, outputs, step, rows);
                    if (outputs == 21 && rows >= 5) check_linear(machine, isa, format, outputs, 9 * step, rows);
                }
        for (int from = CK_F32; from <= CK_BF16; from++)
            for (int outputs = 1; outputs <= 41; outputs += 20) {
                check_convert(machine, isa, from, CK_Q8_0, outputs, 96);
                check_convert(machine, isa, from, CK_Q4_0, outputs, 96);
                check_convert(machine, isa, from, CK_Q4_K, outputs, 512);
            }
        check_checksum(machine, isa);
        for (int columns = 1; columns < 100; columns += 11) check_rows(machine, isa, columns);
        for (int rows = 1; rows < 200; rows += rows < 10 ? 1 : 90)
            for (int panels = 1; panels < 9; panels++)
                check_wide(machine, isa, panels * 16 - panels % 3, 64 * (1 + rows % 5), rows);
        /* The same numbers for every instruction set, whether it has the products before or not. */
        state = 2;
        for (int rows = 1; rows < 12; rows += 3)
            for (int committed = 0; committed < 40; committed += 13) {
                for (int i = 0; i < 3; i++) {
                    const ck_format format = (ck_format[]){CK_F32, CK_F16, CK_Q8_0}[i];
                    check_attention(machine, isa, format, 4, 2, 12, committed, rows);
                    check_attention(machine, isa, format, 3, 3, 32, committed, rows);
                    check_attention(machine, isa, format, 8, 1, 80, committed, rows);
                    check_attention(machine, isa, format, 2, 2, 128, committed, rows);
                }
            }
        ck_machine_destroy(machine);
        /* On this processor both fuse multiply-adds, and nothing else could tell them apart. */
        if (isa == CK_PORTABLE) portable = made;
        if (isa == CK_NEON) expect(made == portable, "the same bits as the portable kernels", isa, 0, 0, 0);
        /* These fuse multiply-adds, so they differ from the portable kernels and agree with each other. */
        if (isa == CK_AVX2) fused = made;
        if (isa == CK_AVXVNNI || isa == CK_AVX512) expect(made == fused, "the same bits as AVX2", isa, 0, 0, 0);
        if (isa == CK_AVXVNNI) wide = made_wide;
        if (isa == CK_AVX512 && wide) expect(made_wide == wide, "the same bits as AVX-VNNI", isa, 0, 0, 0);
        printf("instruction set %d: %s\n", isa, failures ? "failed" : "good");
    }
    return failures ? 1 : 0;
}

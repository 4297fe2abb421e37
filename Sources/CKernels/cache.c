/* cache.c — keys and values by slot: where their numbers lie, and how they are written, read and copied.
 *
 *     keys:      [head][slot / 16][width][16], so that a score is a lane
 *     values:    [head][slot][width rounded up to 16]
 *     Q8_0 only: scales behind the numbers, floats: keys [head][slot / 16][parts][16], values [head][slot][parts]
 *
 * A part is 32 columns of one head, the last one what is left. Its scale is its largest magnitude / 127, as half precision
 * has it, between 2^-14 and 65504: with 11 bits code * scale is exact, and the numbers that are read, written again, are
 * kept as they are.
 */
#include <math.h>
#include <string.h>

#include "cache.h"
#include "formats.h"

/* Numbers that are converted at once: whole parts. */
enum { AT_ONCE = 64 };

size_t ck_cache_key_bytes(ck_format format, int32_t slots, int32_t heads, int32_t width) {
    const size_t rows = (size_t)slots * (size_t)heads;
    return rows * ((size_t)width * ck_cache_number(format) + ck_cache_scales(format, width) * sizeof(float));
}

size_t ck_cache_value_bytes(ck_format format, int32_t slots, int32_t heads, int32_t width) {
    const size_t rows = (size_t)slots * (size_t)heads;
    const size_t step = ck_round_up((size_t)width, 16);
    return rows * (step * ck_cache_number(format) + ck_cache_scales(format, width) * sizeof(float));
}

/* A key's first number and scale lie here, the next ones sixteen further each; a value's follow each other. */
typedef struct {
    void *key, *value;
    float *key_scales, *value_scales;
} place;

static place place_of(const ck_cache *cache, int32_t head, int32_t slot) {
    const ck_cached keys = ck_cached_keys(cache, head), values = ck_cached_values(cache, head);
    const size_t number = ck_cache_number(cache->format), parts = ck_cache_scales(cache->format, cache->width);
    const size_t block = (size_t)(slot / 16) * 16, lane = (size_t)(slot % 16);
    return (place){
        (char *)keys.numbers + (block * (size_t)cache->width + lane) * number,
        (char *)values.numbers + (size_t)slot * ck_round_up((size_t)cache->width, 16) * number,
        (float *)keys.scales + block * parts + lane,
        (float *)values.scales + (size_t)slot * parts,
    };
}

/* The scale of `count` numbers, and their codes. Not-a-number makes the scale that: it must not turn into a number. */
static float quantise(const ck_kernels *kernels, const float *x, int32_t count, int8_t *codes) {
    float largest = 0;
    bool broken = false;
    for (int32_t i = 0; i < count; i++) {
        const float size = fabsf(x[i]);
        broken |= size != size;
        largest = size > largest ? size : largest;
    }
    float wanted[16] = {largest / 127};
    uint16_t half[16];
    kernels->narrow(wanted, 1, half);
    const float scale = wanted[0] < 0x1p-14f ? 0x1p-14f : ck_from_half(half[0]);
    for (int32_t i = 0; i < count; i++) {
        float code = x[i] / scale;
        code = code < -127 ? -127 : code > 127 ? 127 : code;
        /* Adding 1.5 * 2^23 rounds to the nearest whole number, ties to even. */
        codes[i] = broken ? 0 : (int8_t)(code + 0x1.8p23f - 0x1.8p23f);
    }
    return broken ? NAN : scale;
}

static void write_floats(const ck_cache *cache, place to, const float *key, const float *value) {
    for (int32_t d = 0; d < cache->width; d++) ((float *)to.key)[(size_t)d * 16] = key[d];
    memcpy(to.value, value, (size_t)cache->width * sizeof *value);
}

static void write_halves(
    const ck_kernels *kernels, const ck_cache *cache, place to, const float *key, const float *value) {
    uint16_t *key_to = to.key, halves[AT_ONCE];
    for (int32_t d = 0; d < cache->width; d += AT_ONCE) {
        const int32_t count = cache->width - d < AT_ONCE ? cache->width - d : AT_ONCE;
        kernels->narrow(key + d, count, halves);
        for (int32_t i = 0; i < count; i++) key_to[(size_t)(d + i) * 16] = halves[i];
    }
    kernels->narrow(value, cache->width, to.value);
}

static void write_codes(
    const ck_kernels *kernels, const ck_cache *cache, place to, const float *key, const float *value) {
    int8_t *key_to = to.key, *value_to = to.value, codes[CK_CACHE_PART];
    for (int32_t d = 0, part = 0; d < cache->width; d += CK_CACHE_PART, part++) {
        const int32_t count = cache->width - d < CK_CACHE_PART ? cache->width - d : CK_CACHE_PART;
        to.key_scales[(size_t)part * 16] = quantise(kernels, key + d, count, codes);
        for (int32_t i = 0; i < count; i++) key_to[(size_t)(d + i) * 16] = codes[i];
        to.value_scales[part] = quantise(kernels, value + d, count, value_to + d);
    }
}

void ck_write_head(const ck_cache_rows *work, int head) {
    const ck_cache *cache = &work->cache;
    const size_t number = ck_cache_number(cache->format), width = (size_t)cache->width;
    for (int32_t row = 0; row < work->rows; row++) {
        const float *key = work->keys + (size_t)row * work->stride + (size_t)head * width;
        const float *value = work->values + (size_t)row * work->stride + (size_t)head * width;
        const place to = place_of(cache, head, work->slots[row]);
        if (cache->format == CK_F16) write_halves(work->kernels, cache, to, key, value);
        else if (cache->format == CK_Q8_0) write_codes(work->kernels, cache, to, key, value);
        else write_floats(cache, to, key, value);
        memset((char *)to.value + width * number, 0, (ck_round_up(width, 16) - width) * number);
    }
}

static void write_piece(void *context, int head, int thread) {
    (void)thread;
    ck_write_head(context, head);
}

void ck_cache_write(
    ck_machine *machine, ck_cache cache, const float *keys, const float *values, size_t stride, const int32_t *slots,
    int32_t rows) {
    ck_cache_rows work = {ck_machine_kernels(machine), cache, keys, values, stride, slots, rows};
    if ((double)rows * cache.heads * cache.width * 4 < CK_WORTH_SHARING)
        for (int32_t head = 0; head < cache.heads; head++) ck_write_head(&work, head);
    else
        ck_machine_run(machine, cache.heads, write_piece, &work);
}

/* Number `index` of a key or a value, whose scale stands at `scale`. */
static float number_at(const ck_cache *cache, const void *numbers, size_t index, const float *scale) {
    switch (cache->format) {
    case CK_F16: return ck_from_half(((const uint16_t *)numbers)[index]);
    case CK_Q8_0: return (float)((const int8_t *)numbers)[index] * *scale;
    default: return ((const float *)numbers)[index];
    }
}

void ck_cache_read(
    ck_cache cache, float *keys, float *values, size_t stride, const int32_t *slots, int32_t rows) {
    for (int32_t row = 0; row < rows; row++)
        for (int32_t head = 0; head < cache.heads; head++) {
            const size_t first = (size_t)row * stride + (size_t)head * (size_t)cache.width;
            const place from = place_of(&cache, head, slots[row]);
            for (int32_t d = 0; d < cache.width; d++) {
                const size_t part = (size_t)(d / CK_CACHE_PART);
                keys[first + (size_t)d] = number_at(&cache, from.key, (size_t)d * 16, from.key_scales + part * 16);
                values[first + (size_t)d] = number_at(&cache, from.value, (size_t)d, from.value_scales + part);
            }
        }
}

/* A key's numbers lie sixteen apart, so they are copied one by one, and by their type: thousands of copies of two bytes
 * each, one call for each of them, took longer than choosing the tokens. */
static void copy_key(const ck_cache *cache, const void *from, void *to) {
    const size_t number = ck_cache_number(cache->format), step = 16 * number, bytes = (size_t)cache->width * step;
    const char *source = from;
    char *target = to;
    switch (number) {
    case 4: for (size_t i = 0; i < bytes; i += step) memcpy(target + i, source + i, 4); break;
    case 2: for (size_t i = 0; i < bytes; i += step) memcpy(target + i, source + i, 2); break;
    default: for (size_t i = 0; i < bytes; i += step) target[i] = source[i]; break;
    }
}

void ck_cache_copy(ck_cache cache, int32_t from, int32_t to) {
    if (from == to) return;
    const size_t number = ck_cache_number(cache.format), parts = ck_cache_scales(cache.format, cache.width);
    for (int32_t head = 0; head < cache.heads; head++) {
        const place source = place_of(&cache, head, from), target = place_of(&cache, head, to);
        copy_key(&cache, source.key, target.key);
        for (size_t part = 0; part < parts; part++) target.key_scales[part * 16] = source.key_scales[part * 16];
        memcpy(target.value, source.value, ck_round_up((size_t)cache.width, 16) * number);
        memcpy(target.value_scales, source.value_scales, parts * sizeof(float));
    }
}

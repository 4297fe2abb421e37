/* choice.c — noise and sums over a row of logits. Plain loops that any vector unit can widen without changing a bit: no
   library function, no fused multiply-add (-ffp-contract=off), so every machine draws the same noise. */
#include "choice.h"
#include <string.h>

/* The same function once for each width of vector unit, picked when the program starts. */
#if defined(__x86_64__)
#define EVERY_WIDTH __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define EVERY_WIDTH
#endif

enum { blocks_at_once = 64 };

/* Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011) for many counters side by side:
   word w of counter i stands at words[w][i]. */
static inline __attribute__((always_inline)) void philox(
    uint32_t words[4][blocks_at_once], uint32_t key0, uint32_t key1) {
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < blocks_at_once; i++) {
            uint64_t product0 = (uint64_t)0xD2511F53u * words[0][i];
            uint64_t product1 = (uint64_t)0xCD9E8D57u * words[2][i];
            words[0][i] = (uint32_t)(product1 >> 32) ^ words[1][i] ^ key0;
            words[2][i] = (uint32_t)(product0 >> 32) ^ words[3][i] ^ key1;
            words[1][i] = (uint32_t)product1;
            words[3][i] = (uint32_t)product0;
        }
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
}

/* Natural logarithm of a positive normal number, within 2 units in the last place (Cephes' polynomial). */
static inline __attribute__((always_inline)) float natural_log(float x) {
    uint32_t bits;
    memcpy(&bits, &x, 4);
    /* Cut at sqrt(1/2) so that the remainder lies in [-0.293, 0.414). */
    uint32_t shifted = bits - 0x3F3504F3u;
    int32_t exponent = (int32_t)shifted >> 23;
    uint32_t mantissa = (shifted & 0x007FFFFFu) + 0x3F3504F3u;
    float m;
    memcpy(&m, &mantissa, 4);
    float r = m - 1.0f, square = r * r, e = (float)exponent;
    float p = 7.0376836292e-2f;
    p = p * r - 1.1514610310e-1f;
    p = p * r + 1.1676998740e-1f;
    p = p * r - 1.2420140846e-1f;
    p = p * r + 1.4249322787e-1f;
    p = p * r - 1.6668057665e-1f;
    p = p * r + 2.0000714765e-1f;
    p = p * r - 2.4999993993e-1f;
    p = p * r + 3.3333331174e-1f;
    float y = p * r * square;
    y = y + e * -2.12194440e-4f;
    y = y - 0.5f * square;
    return r + y + e * 0.693359375f;
}

/* exp(x) for x <= 0, within 2 units in the last place; 0 below the smallest normal number. */
static inline __attribute__((always_inline)) float natural_exp(float x) {
    float clamped = x < -87.3f ? -87.3f : x;
    float scaled = clamped * 1.44269504f;
    int32_t whole = (int32_t)(scaled - 0.5f);
    float n = (float)whole;
    float r = clamped - n * 0.693359375f - n * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    float y = p * r * r + r + 1.0f;
    uint32_t bits = (uint32_t)(whole + 127) << 23;
    float power;
    memcpy(&power, &bits, 4);
    return x < -87.3f ? 0.0f : y * power;
}

/* out[i] = -log(-log(u)), u = (word + 1/2) / 2^23 from the upper 23 bits of one Philox word.
   Token v takes word v % 4 of the counter (v / 4, 0, position): a function of (seed, position, v) alone. */
EVERY_WIDTH void ck_gumbel(uint64_t seed, uint64_t position, size_t count, float *out) {
    uint32_t words[4][blocks_at_once];
    float noise[4][blocks_at_once];
    for (size_t start = 0; start < count; start += 4 * blocks_at_once) {
        for (uint32_t i = 0; i < blocks_at_once; i++) {
            words[0][i] = (uint32_t)(start / 4) + i;
            words[1][i] = 0;
            words[2][i] = (uint32_t)position;
            words[3][i] = (uint32_t)(position >> 32);
        }
        philox(words, (uint32_t)seed, (uint32_t)(seed >> 32));
        for (int word = 0; word < 4; word++)
            for (int i = 0; i < blocks_at_once; i++) {
                float u = ((float)(int32_t)(words[word][i] >> 9) + 0.5f) * 0x1p-23f;
                noise[word][i] = -natural_log(-natural_log(u));
            }
        size_t length = count - start < 4 * blocks_at_once ? count - start : 4 * blocks_at_once;
        for (size_t i = 0; i < length; i++) out[start + i] = noise[i % 4][i / 4];
    }
}

EVERY_WIDTH void ck_divide(float *x, size_t count, float divisor) {
    for (size_t i = 0; i < count; i++) x[i] /= divisor;
}

EVERY_WIDTH void ck_add(float *x, size_t count, const float *y) {
    for (size_t i = 0; i < count; i++) x[i] += y[i];
}

EVERY_WIDTH float ck_sum_exp(const float *x, size_t count, float largest) {
    /* First many powers, which vectors take side by side, then their sum, which has an order. */
    enum { AT_ONCE = 128 };
    float lanes[8] = {0}, powers[AT_ONCE];
    for (size_t start = 0; start < count; start += AT_ONCE) {
        const size_t length = count - start < AT_ONCE ? count - start : AT_ONCE;
        if (length == AT_ONCE)
            for (size_t i = 0; i < AT_ONCE; i++) powers[i] = natural_exp(x[start + i] - largest);
        else
            for (size_t i = 0; i < length; i++) powers[i] = natural_exp(x[start + i] - largest);
        size_t i = 0;
        for (; i + 8 <= length; i += 8)
            for (size_t lane = 0; lane < 8; lane++) lanes[lane] += powers[i + lane];
        for (size_t lane = 0; i < length; i++, lane++) lanes[lane] += powers[i];
    }
    float sum = 0;
    for (size_t lane = 0; lane < 8; lane++) sum += lanes[lane];
    return sum;
}

EVERY_WIDTH size_t ck_largest(const float *x, size_t count) {
    /* First the number, which vectors find fast, then the place. */
    float lanes[16];
    for (int lane = 0; lane < 16; lane++) lanes[lane] = -__builtin_inff();
    size_t i = 0;
    for (; i + 16 <= count; i += 16)
        for (size_t lane = 0; lane < 16; lane++) lanes[lane] = x[i + lane] > lanes[lane] ? x[i + lane] : lanes[lane];
    for (size_t lane = 0; i < count; i++, lane++) lanes[lane] = x[i] > lanes[lane] ? x[i] : lanes[lane];
    float largest = lanes[0];
    for (int lane = 1; lane < 16; lane++) largest = lanes[lane] > largest ? lanes[lane] : largest;
    size_t index = 0;
    for (; index + 64 <= count; index += 64) {
        int found = 0;
        for (size_t place = 0; place < 64; place++) found |= x[index + place] == largest;
        if (found) break;
    }
    for (; index < count; index++)
        if (x[index] == largest) return index;
    return 0;
}

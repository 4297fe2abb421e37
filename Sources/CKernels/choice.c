/* choice.c — noise and sums over a row of logits. Plain loops that any vector unit can widen without changing a bit: no
   library function, no fused multiply-add (-ffp-contract=off), so every machine draws the same noise. */
#include "choice.h"
#include <string.h>

/* Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): four words for one counter. */
static void philox(uint32_t counter[4], uint32_t key0, uint32_t key1) {
    for (int round = 0; round < 10; round++) {
        uint64_t product0 = (uint64_t)0xD2511F53u * counter[0];
        uint64_t product1 = (uint64_t)0xCD9E8D57u * counter[2];
        uint32_t next0 = (uint32_t)(product1 >> 32) ^ counter[1] ^ key0;
        uint32_t next2 = (uint32_t)(product0 >> 32) ^ counter[3] ^ key1;
        counter[1] = (uint32_t)product1;
        counter[3] = (uint32_t)product0;
        counter[0] = next0;
        counter[2] = next2;
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
}

/* Natural logarithm of a positive normal number, within 2 units in the last place (Cephes' polynomial). */
static inline float natural_log(float x) {
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
static inline float natural_exp(float x) {
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

/* out[i] += -log(-log(u)), u = (word + 1/2) / 2^23 from the upper 23 bits of one Philox word.
   Token v takes word v % 4 of the counter (v / 4, 0, position): a function of (seed, position, v) alone. */
void ck_add_gumbel(uint64_t seed, uint64_t position, uint32_t first, size_t count, float *out) {
    enum { block = 256 };
    uint32_t words[block];
    for (size_t start = 0; start < count; start += block) {
        size_t length = count - start < block ? count - start : block;
        for (size_t i = 0; i < (length + 3) / 4; i++) {
            uint32_t counter[4] = {
                (uint32_t)((first + start) / 4 + i), 0, (uint32_t)position, (uint32_t)(position >> 32)};
            philox(counter, (uint32_t)seed, (uint32_t)(seed >> 32));
            memcpy(words + 4 * i, counter, sizeof counter);
        }
        for (size_t i = 0; i < length; i++) {
            float u = ((float)(words[i] >> 9) + 0.5f) * 0x1p-23f;
            out[start + i] += -natural_log(-natural_log(u));
        }
    }
}

float ck_sum_exp(const float *x, size_t count, float largest) {
    float lanes[8] = {0};
    size_t i = 0;
    for (; i + 8 <= count; i += 8)
        for (size_t lane = 0; lane < 8; lane++) lanes[lane] += natural_exp(x[i + lane] - largest);
    for (size_t lane = 0; i < count; i++, lane++) lanes[lane] += natural_exp(x[i] - largest);
    float sum = 0;
    for (size_t lane = 0; lane < 8; lane++) sum += lanes[lane];
    return sum;
}

size_t ck_largest(const float *x, size_t count) {
    float best[8];
    size_t where[8];
    for (size_t lane = 0; lane < 8; lane++) {
        best[lane] = -__builtin_inff();
        where[lane] = count;
    }
    for (size_t i = 0; i < count; i++) {
        size_t lane = i % 8;
        if (x[i] > best[lane]) {
            best[lane] = x[i];
            where[lane] = i;
        }
    }
    float largest = -__builtin_inff();
    size_t index = count;
    for (size_t lane = 0; lane < 8; lane++)
        if (where[lane] < count && (best[lane] > largest || (best[lane] == largest && where[lane] < index))) {
            largest = best[lane];
            index = where[lane];
        }
    return index < count ? index : 0;
}

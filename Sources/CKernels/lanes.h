/* lanes.h — sixteen floats at a time, and the functions of one float that we need on all of them.
 *
 * Included once by each instruction set's file, which says in CK_FUSED whether a * b + c rounds once. Every operation
 * acts on each lane alone, so a number's bits do not depend on the lane it falls in; the sums across lanes have one
 * fixed order.
 */
#ifndef CK_FUSED
#error "each instruction set's file defines CK_FUSED before they include lanes.h"
#endif
#include <math.h>
#include <string.h>

#include "formats.h"
#include "kernels.h"

/* No function that takes or returns vectors outlives inlining, so how they would be passed does not matter. */
#pragma clang diagnostic ignored "-Wpsabi"

typedef float lanes __attribute__((ext_vector_type(16)));
typedef int32_t whole_lanes __attribute__((ext_vector_type(16)));
typedef uint32_t bit_lanes __attribute__((ext_vector_type(16)));
typedef uint16_t half_lanes __attribute__((ext_vector_type(16)));
/* Four codes of each of sixteen outputs. */
typedef uint8_t code_bytes __attribute__((ext_vector_type(64)));
/* Two numbers of each of sixteen outputs. */
typedef int16_t word_pairs __attribute__((ext_vector_type(32)));

CK_FUNCTION lanes lanes_load(const float *p) {
    lanes v;
    memcpy(&v, p, sizeof v);
    return v;
}

CK_FUNCTION void lanes_store(float *p, lanes v) { memcpy(p, &v, sizeof v); }

CK_FUNCTION lanes lanes_fill(float x) { return (lanes)(x); }

/* a * b + c: one rounding where the processor has it, two elsewhere, the same everywhere within one build. */
CK_FUNCTION lanes lanes_fma(lanes a, lanes b, lanes c) {
#if CK_FUSED
    return __builtin_elementwise_fma(a, b, c);
#else
    return a * b + c;
#endif
}

CK_FUNCTION bit_lanes lanes_bits(lanes v) {
    bit_lanes bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

CK_FUNCTION lanes lanes_from_bits(bit_lanes bits) {
    lanes v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* Not-a-number stays what it is: a poisoned number must not turn into a plausible one. */
CK_FUNCTION lanes lanes_at_least(lanes v, float low) { return v < low ? lanes_fill(low) : v; }
CK_FUNCTION lanes lanes_at_most(lanes v, float high) { return v > high ? lanes_fill(high) : v; }
CK_FUNCTION lanes lanes_max(lanes a, lanes b) { return a < b ? b : a; }
CK_FUNCTION lanes lanes_magnitude(lanes v) { return lanes_from_bits(lanes_bits(v) & 0x7FFFFFFFu); }

typedef float half_of_lanes __attribute__((ext_vector_type(8)));
typedef float quarter_of_lanes __attribute__((ext_vector_type(4)));

/* ((0+8) + (4+12)) + ...: halves are added to halves. */
CK_FUNCTION float lanes_sum(lanes v) {
    half_of_lanes h = v.lo + v.hi;
    quarter_of_lanes q = h.lo + h.hi;
    return (q.x + q.z) + (q.y + q.w);
}

CK_FUNCTION float lanes_largest(lanes v) {
    half_of_lanes h = v.lo < v.hi ? v.hi : v.lo;
    quarter_of_lanes q = h.lo < h.hi ? h.hi : h.lo;
    float even = q.x < q.z ? q.z : q.x, odd = q.y < q.w ? q.w : q.y;
    return even < odd ? odd : even;
}

/* The first `count` lanes of v, zero in the others. */
CK_FUNCTION lanes lanes_first(lanes v, int count) {
    const whole_lanes index = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return index < count ? v : lanes_fill(0);
}

/* Half precision, subnormal numbers, infinities and all. */
CK_FUNCTION lanes lanes_from_half(const uint16_t *p) {
#if defined(CK_LOAD_HALF)
    return CK_LOAD_HALF(p);
#else
    half_lanes h;
    memcpy(&h, p, sizeof h);
    bit_lanes bits = __builtin_convertvector(h, bit_lanes);
    /* As if the exponent were float's, then moved by the difference of the biases: exact, subnormal numbers included. */
    lanes magnitude = lanes_from_bits((bits & 0x7FFFu) << 13) * 0x1p112f;
    bit_lanes infinite = lanes_bits(magnitude) | 0x7F800000u;
    bit_lanes value = (bits & 0x7C00u) == 0x7C00u ? infinite : lanes_bits(magnitude);
    return lanes_from_bits(value | (bits & 0x8000u) << 16);
#endif
}

typedef int8_t byte_lanes __attribute__((ext_vector_type(16)));

CK_FUNCTION lanes lanes_from_codes(const int8_t *p) {
    byte_lanes codes;
    memcpy(&codes, p, sizeof codes);
    return __builtin_convertvector(codes, lanes);
}

/* To half precision, to the nearest, ties to even; what is too large becomes the largest. Not-a-number stays. */
CK_FUNCTION void lanes_to_half(uint16_t *p, lanes v) {
    v = lanes_at_most(lanes_at_least(v, -65504.0f), 65504.0f);
#if defined(CK_STORE_HALF)
    CK_STORE_HALF(p, v);
#else
    const bit_lanes sign = lanes_bits(v) >> 16 & 0x8000u, size = lanes_bits(v) & 0x7FFFFFFFu;
    const bit_lanes normal = (size + 0xFFFu + (size >> 13 & 1u) - 0x38000000u) >> 13;
    /* Beside one half the last place of a float is the smallest half-precision number. */
    const bit_lanes small = lanes_bits(lanes_magnitude(v) + 0.5f) - 0x3F000000u;
    bit_lanes bits = size < 0x38800000u ? small : normal;
    bits = size > 0x7F800000u ? (bit_lanes)(0x7E00u) : bits;
    const half_lanes h = __builtin_convertvector(bits | sign, half_lanes);
    memcpy(p, &h, sizeof h);
#endif
}

CK_FUNCTION lanes lanes_from_bfloat(const uint16_t *p) {
    half_lanes h;
    memcpy(&h, p, sizeof h);
    return lanes_from_bits(__builtin_convertvector(h, bit_lanes) << 16);
}

/* Adding 1.5 * 2^23 leaves a number's nearest whole number (ties to even) in the low bits. */
#define CK_ROUNDER 12582912.0f

/* e^x within 1e-7 relative: x = n ln 2 + r, e^r by a polynomial fitted on |r| <= 0.35, then n into the exponent.
 * Below -87.3 it is 1e-38 rather than less, above 88 it is e^88; not-a-number stays. */
CK_FUNCTION lanes lanes_exp(lanes x) {
    x = lanes_at_most(lanes_at_least(x, -87.3f), 88.0f);
    lanes shifted = lanes_fma(x, lanes_fill(1.44269504f), lanes_fill(CK_ROUNDER));
    lanes n = shifted - CK_ROUNDER;
    /* ln 2 in two parts, the first of ten bits, so that n times it is exact. */
    lanes r = lanes_fma(n, lanes_fill(-0.693359375f), x);
    r = lanes_fma(n, lanes_fill(2.12194440e-4f), r);
    lanes p = lanes_fill(0.0013813383f);
    p = lanes_fma(p, r, lanes_fill(0.008369423f));
    p = lanes_fma(p, r, lanes_fill(0.041668452f));
    p = lanes_fma(p, r, lanes_fill(0.16666515f));
    p = lanes_fma(p, r, lanes_fill(0.49999993f));
    p = lanes_fma(p * r, r, r) + 1.0f;
    return p * lanes_from_bits((lanes_bits(shifted) << 23) + 0x3F800000u);
}

/* x / (1 + e^(-slope x)): silu at slope 1, CLIP's quick GELU at 1.702. */
CK_FUNCTION lanes lanes_swish(lanes x, float slope) { return x / (lanes_exp(x * -slope) + 1.0f); }

/* x * Phi(x). With z = |x| / sqrt 2: Phi(-|x|) = e^(-z^2) Q(t) / 2, t = 1 / (1 + 0.4 z), where Q was fitted to
 * e^(z^2) erfc(z) on 0 <= z <= 9.5 within 6e-8 relative. Taking the tail itself, not 1 minus it, keeps small results
 * accurate. */
CK_FUNCTION lanes lanes_gelu(lanes x) {
    lanes z = lanes_at_most(lanes_magnitude(x) * 0.70710678f, 9.5f);
    lanes t = 1.0f / lanes_fma(z, lanes_fill(0.4f), lanes_fill(1.0f));
    lanes q = lanes_fill(0.04026764f);
    q = lanes_fma(q, t, lanes_fill(-0.13547176f));
    q = lanes_fma(q, t, lanes_fill(0.07384351f));
    q = lanes_fma(q, t, lanes_fill(0.09972804f));
    q = lanes_fma(q, t, lanes_fill(0.07150936f));
    q = lanes_fma(q, t, lanes_fill(0.19696258f));
    q = lanes_fma(q, t, lanes_fill(0.20095870f));
    q = lanes_fma(q, t, lanes_fill(0.22657569f));
    q = lanes_fma(q, t, lanes_fill(0.22562630f));
    lanes tail = x * (lanes_exp(z * -z) * (q * t) * 0.5f);
    return x > 0.0f ? x - tail : tail;
}

CK_FUNCTION lanes lanes_activate(lanes v, ck_activation activation) {
    switch (activation) {
    case CK_QUICK_GELU: return lanes_swish(v, 1.702f);
    case CK_GELU: return lanes_gelu(v);
    case CK_NONE: break;
    }
    return v;
}

/* avx2.h — kernels for 256-bit registers with fused multiply-add: two of them hold sixteen outputs. avx2.c and avxvnni.c
 * are made of this text; the second has dot products of bytes, CK_VNNI.
 *
 * Without them VPMADDUBSW multiplies unsigned by signed bytes and adds neighbours in sixteen bits. Codes of up to six bits
 * leave room there for several products. Signed codes have their sign moved to the activations, |w| * sign(q, w), and are
 * widened pair by pair: 2 * 128 * 127 = 32512. With them codes are unsigned, as in avx512.c. The sums are whole numbers, so
 * both have the same bits.
 */
#define CK_FUSED 1
#define CK_ROW_TILE 4
#define CK_PANELS(rows) ((rows) == 1 ? 4 : (rows) == 2 ? 2 : 1)
#define CK_PANEL_TILE 4
#define CK_QUANTISED_PANELS 1
#define CK_SIGNED_BYTES !CK_VNNI
#define CK_UNPACKED_FROM 16
#define CK_SCORE_VECTORS 4
#define CK_VALUE_QUERIES 2
#define CK_VALUE_VECTORS 2

CK_FUNCTION void widen_halves(const uint16_t *p, __m256 *low, __m256 *high) {
    *low = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
    *high = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(p + 8)));
}

#define CK_LOAD_HALF(p)                                                                                                \
    ({                                                                                                                 \
        __m256 parts[2];                                                                                               \
        widen_halves(p, &parts[0], &parts[1]);                                                                         \
        lanes both;                                                                                                    \
        memcpy(&both, parts, sizeof both);                                                                             \
        both;                                                                                                          \
    })
#define CK_STORE_HALF(p, v)                                                                                            \
    ({                                                                                                                 \
        __m256 parts[2];                                                                                               \
        const lanes both = v;                                                                                          \
        memcpy(parts, &both, sizeof parts);                                                                            \
        _mm_storeu_si128((__m128i *)(p), _mm256_cvtps_ph(parts[0], _MM_FROUND_TO_NEAREST_INT));                        \
        _mm_storeu_si128((__m128i *)(p) + 1, _mm256_cvtps_ph(parts[1], _MM_FROUND_TO_NEAREST_INT));                    \
    })
#include "lanes.h"

typedef struct {
    __m256i part[2];
} two_halves;

CK_FUNCTION two_halves halves_of(code_bytes codes) {
    two_halves halves;
    memcpy(&halves, &codes, sizeof halves);
    return halves;
}

CK_FUNCTION code_bytes curve_of(code_bytes codes) {
    const __m256i points = _mm256_broadcastsi128_si256(_mm_setr_epi8(CK_CURVE));
    const __m256i curve = CK_VNNI ? _mm256_add_epi8(points, _mm256_set1_epi8((char)128)) : points;
    two_halves halves = halves_of(codes);
    _Pragma("unroll") for (int h = 0; h < 2; h++) halves.part[h] = _mm256_shuffle_epi8(curve, halves.part[h]);
    memcpy(&codes, &halves, sizeof codes);
    return codes;
}

#include "codes.h"

CK_FUNCTION __m256i spread(const int8_t *four) {
    int32_t word;
    memcpy(&word, four, sizeof word);
    return _mm256_set1_epi32(word);
}

#if CK_VNNI
/* One half of the block after the other: the sums of four rows take half of the registers. */
CK_FUNCTION void block_products(
    const ck_facts facts, const uint8_t *lines, size_t panel_bytes, const int8_t *q, const int rows, const int panels,
    whole_lanes (*whole)[CK_QUANTISED_PANELS][2]) {
    (void)panel_bytes, (void)panels; /* one: CK_QUANTISED_PANELS */
    _Pragma("unroll") for (int half = 0; half < 2; half++) {
        __m256i sums[CK_ROW_GROUP][2];
        _Pragma("unroll") for (int r = 0; r < rows; r++) memcpy(sums[r], &whole[r][0][half], sizeof sums[r]);
        _Pragma("unroll") for (int l = 0; l < 4; l++) {
            code_bytes codes[2];
            codes_of(facts, lines, l, codes);
            const two_halves sides = halves_of(codes[half]);
            _Pragma("unroll") for (int r = 0; r < rows; r++) {
                const __m256i x = spread(q + r * 32 + half * 16 + l * 4);
                _Pragma("unroll") for (int side = 0; side < 2; side++)
                    sums[r][side] = _mm256_dpbusd_avx_epi32(sums[r][side], sides.part[side], x);
            }
        }
        _Pragma("unroll") for (int r = 0; r < rows; r++) memcpy(&whole[r][0][half], sums[r], sizeof sums[r]);
    }
}

#define CK_WIDE_PANELS 1
#define CK_WIDE_ROWS_AT_ONCE 4

CK_FUNCTION whole_lanes add_pairs(whole_lanes sums, word_pairs pairs, int32_t pair) {
    __m256i sides[2], words[2];
    memcpy(sides, &sums, sizeof sides);
    memcpy(words, &pairs, sizeof words);
    _Pragma("unroll") for (int side = 0; side < 2; side++)
        sides[side] = _mm256_dpwssd_avx_epi32(sides[side], words[side], _mm256_set1_epi32(pair));
    memcpy(&sums, sides, sizeof sums);
    return sums;
}
#else
/* Eight outputs and sixteen k: pairs of products in sixteen bits, widened before they could overflow. */
CK_FUNCTION __m256i add_half(
    const ck_facts facts, __m256i sum, const code_bytes *codes, const int8_t *q, const int side) {
    const __m256i ones = _mm256_set1_epi16(1);
    const bool is_signed = facts.bits == 8 || facts.curve;
    /* 4 * 2 * 31 * 127 and 2 * 2 * 63 * 127 are below 32768; a pair of signed products leaves no room for another. */
    const int room = is_signed ? 1 : facts.bits == 6 ? 2 : 4;
    __m256i pairs = _mm256_setzero_si256();
    _Pragma("unroll") for (int l = 0; l < 4; l++) {
        const __m256i code = halves_of(codes[l]).part[side], x = spread(q + 4 * l);
        const __m256i pair = is_signed ? _mm256_maddubs_epi16(_mm256_abs_epi8(code), _mm256_sign_epi8(x, code))
                                       : _mm256_maddubs_epi16(code, x);
        pairs = l % room == 0 ? pair : _mm256_add_epi16(pairs, pair);
        if (l % room == room - 1) sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, ones));
    }
    return sum;
}

/* The codes wait in memory while the rows pass by: sixteen registers do not hold them and the sums. */
CK_FUNCTION void block_products(
    const ck_facts facts, const uint8_t *lines, size_t panel_bytes, const int8_t *q, const int rows, const int panels,
    whole_lanes (*whole)[CK_QUANTISED_PANELS][2]) {
    (void)panel_bytes, (void)panels; /* one: CK_QUANTISED_PANELS */
    code_bytes codes[2][4];
    _Pragma("unroll") for (int l = 0; l < 4; l++) {
        code_bytes both[2];
        codes_of(facts, lines, l, both);
        codes[0][l] = both[0];
        codes[1][l] = both[1];
    }
    _Pragma("unroll") for (int r = 0; r < rows; r++)
        _Pragma("unroll") for (int half = 0; half < 2; half++) {
            __m256i sides[2];
            memcpy(sides, &whole[r][0][half], sizeof sides);
            _Pragma("unroll") for (int side = 0; side < 2; side++)
                sides[side] = add_half(facts, sides[side], codes[half], q + r * 32 + half * 16, side);
            memcpy(&whole[r][0][half], sides, sizeof sides);
        }
}
#endif

#include "quantised.h"
#include "rows.h"
#include "linear.h"
#include "attention.h"
#if CK_VNNI
#include "wide.h"
#endif
#include "checksum.h"
#include "convert.h"

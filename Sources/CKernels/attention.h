/* attention.h — softmax(q * k^T / sqrt(width)) * v over what each row sees.
 *
 *     for i in 0..<n, the i-th thing seen in order of position:  score[i] = sum over d of q[d] * k[i][d], d ascending
 *     share[i] = e^(score[i] / sqrt(width) - largest);  total: lane i % 16 adds its shares in order, then lanes_sum
 *     out[d] = (sum over even i of share[i] * v[i][d] + sum over odd i) / total, each sum in order
 *
 * Everything is counted by i, never by slot: a row's bits are the same wherever its keys and values lie. Keys are kept
 * sixteen slots side by side, so that a score is a lane and needs no sum across lanes. Scores are taken for whole
 * sixteens of slots, seen or not, and those that a row sees are then picked in order.
 *
 * Keys and values are float32, half precision, which is widened as it is loaded, or codes, which are multiplied by their
 * scale as they are loaded: both exactly.
 *
 * An instruction set's file defines CK_SCORE_VECTORS (sums held in registers by the scores' loop), CK_VALUE_QUERIES
 * (queries that share a loaded value) and CK_VALUE_VECTORS (sixteens of columns that one query alone takes at once, so
 * that what memory delivers is read in runs).
 */

#include "cache.h"

/* How far ahead keys (in columns of a block) and values (in slots) are asked for. */
enum { KEYS_AHEAD = 128, VALUES_AHEAD = 32 };

/* Sixteen numbers of a cache from `place` on; `scale` is that of codes. */
CK_FUNCTION lanes cached(const void *numbers, size_t place, const ck_format format, lanes scale) {
    if (format == CK_F16) return lanes_from_half((const uint16_t *)numbers + place);
    if (format == CK_Q8_0) return lanes_from_codes((const int8_t *)numbers + place) * scale;
    return lanes_load((const float *)numbers + place);
}

/* Asks for `count` numbers that will be wanted later. */
CK_FUNCTION void ask_for_cached(const void *numbers, size_t place, const int count, const ck_format format) {
    const int bytes = (int)ck_cache_number(format);
    _Pragma("unroll") for (int i = 0; i < count * bytes; i += 64)
        __builtin_prefetch((const char *)numbers + place * (size_t)bytes + i);
}

/* Scores of `queries` queries with `blocks` blocks of sixteen slots. */
CK_FUNCTION void score_tile(
    ck_cached keys, const ck_format format, int width, const float *const *q, const int queries, const int blocks,
    float scale, float *const *scores, int block) {
    const size_t parts = ck_cache_scales(format, width);
    lanes sum[CK_QUERY_TILE][CK_SCORE_VECTORS];
    _Pragma("unroll") for (int e = 0; e < queries; e++)
        _Pragma("unroll") for (int b = 0; b < blocks; b++) sum[e][b] = lanes_fill(0);
    const size_t place = (size_t)block * (size_t)width * 16;
    lanes scales[CK_SCORE_VECTORS];
    for (int d = 0; d < width; d++) {
        lanes k[CK_SCORE_VECTORS];
        if (format == CK_Q8_0 && d % CK_CACHE_PART == 0)
            _Pragma("unroll") for (int b = 0; b < blocks; b++)
                scales[b] = lanes_load(keys.scales + ((size_t)(block + b) * parts + (size_t)d / CK_CACHE_PART) * 16);
        /* A few tiles run through the keys in one stream, and need help to keep ahead of it; many streams do not. */
        if (blocks <= 2) ask_for_cached(keys.numbers, place + (size_t)(d + KEYS_AHEAD) * 16, 16, format);
        _Pragma("unroll") for (int b = 0; b < blocks; b++)
            k[b] = cached(keys.numbers, place + (size_t)b * (size_t)width * 16 + (size_t)d * 16, format, scales[b]);
        _Pragma("unroll") for (int e = 0; e < queries; e++) {
            lanes factor = lanes_fill(q[e][d]);
            _Pragma("unroll") for (int b = 0; b < blocks; b++) sum[e][b] = lanes_fma(k[b], factor, sum[e][b]);
        }
    }
    _Pragma("unroll") for (int e = 0; e < queries; e++)
        _Pragma("unroll") for (int b = 0; b < blocks; b++)
            lanes_store(scores[e] + (size_t)(block + b) * 16, sum[e][b] * scale);
}

#define CK_SCORES(QUERIES, BLOCKS)                                                                                     \
    {                                                                                                                  \
        int block = 0;                                                                                                 \
        for (; block + (BLOCKS) <= blocks; block += (BLOCKS))                                                          \
            score_tile(keys, format, width, q, QUERIES, BLOCKS, scale, scores, block);                                       \
        for (; block < blocks; block++) score_tile(keys, format, width, q, QUERIES, 1, scale, scores, block);                \
    }

/* Scores of up to CK_QUERY_TILE queries with slots 0..<16 * blocks. */
CK_FUNCTION void all_scores(
    ck_cached keys, const ck_format format, int width, const float *const *q, int queries, int blocks, float scale,
    float *const *scores) {
    while (queries > 0) {
        int taken;
        if (queries >= 8 && CK_SCORE_VECTORS >= 8) { taken = 8; CK_SCORES(8, 1) }
        else if (queries >= 4) { taken = 4; CK_SCORES(4, CK_SCORE_VECTORS / 4) }
        else if (queries >= 2) { taken = 2; CK_SCORES(2, CK_SCORE_VECTORS / 2) }
        else { taken = 1; CK_SCORES(1, CK_SCORE_VECTORS) }
        queries -= taken;
        q += taken;
        scores += taken;
    }
}

/* Turns scores by slot into shares by order of position, in place, and returns their total. */
static float shares_in_order(float *scores, const ck_sight *sight, int committed, float *picked) {
    int seen = committed + sight->count;
    for (int i = sight->straight; i < seen; i++) picked[i - sight->straight] = scores[sight->tail[i - committed]];
    for (int i = sight->straight; i < seen; i++) scores[i] = picked[i - sight->straight];
    float largest = largest_of_row(scores, seen);
    lanes total = lanes_fill(0);
    for (int i = 0; i < seen; i += 16) {
        lanes share = lanes_first(lanes_exp(lanes_load(scores + i) - largest), seen - i);
        lanes_store(scores + i, share);
        total = total + share;
    }
    return lanes_sum(total);
}

typedef lanes value_sums[2][CK_VALUE_VECTORS];

/* Sixteen columns of a slot's value, from `column` on. */
CK_FUNCTION lanes cached_value(
    ck_cached values, const ck_format format, size_t slot, size_t step, size_t parts, int column) {
    lanes scale = lanes_fill(1);
    if (format == CK_Q8_0) scale = lanes_fill(values.scales[slot * parts + (size_t)column / CK_CACHE_PART]);
    return cached(values.numbers, slot * step + (size_t)column, format, scale);
}

/* Adds the shared things seen, an even number of them, to the sums of `queries` queries: [query][even, odd][vectors]. */
CK_FUNCTION void value_tile(
    ck_cached values, const ck_format format, int column, size_t step, size_t parts, int count, float *const *shares,
    const int queries, const int vectors, value_sums *sums) {
    value_sums sum[CK_VALUE_QUERIES];
    _Pragma("unroll") for (int e = 0; e < queries; e++)
        _Pragma("unroll") for (int c = 0; c < vectors; c++) sum[e][0][c] = sum[e][1][c] = lanes_fill(0);
    for (int i = 0; i < count; i += 2)
        _Pragma("unroll") for (int odd = 0; odd < 2; odd++) {
            const size_t ahead = (size_t)(i + odd + VALUES_AHEAD) * step + (size_t)column;
            ask_for_cached(values.numbers, ahead, vectors * 16, format);
            _Pragma("unroll") for (int c = 0; c < vectors; c++) {
                const lanes v = cached_value(values, format, (size_t)(i + odd), step, parts, column + c * 16);
                _Pragma("unroll") for (int e = 0; e < queries; e++)
                    sum[e][odd][c] = lanes_fma(v, lanes_fill(shares[e][i + odd]), sum[e][odd][c]);
            }
        }
    _Pragma("unroll") for (int e = 0; e < queries; e++)
        _Pragma("unroll") for (int odd = 0; odd < 2; odd++)
            _Pragma("unroll") for (int c = 0; c < vectors; c++) sums[e][odd][c] = sum[e][odd][c];
}

typedef struct {
    float *shares;
    float total;
    float *out;
    const ck_sight *sight;
} ck_query;

/* Values of `queries` queries, `vectors` sixteens of their columns from `column` on. */
CK_FUNCTION void weigh_values(
    ck_cached values, const ck_format format, int width, int column, int committed, const ck_query *query,
    const int queries, const int vectors) {
    const size_t step = ck_round_up((size_t)width, 16), parts = ck_cache_scales(format, width);
    float *shares[CK_VALUE_QUERIES];
    int shared = INT32_MAX;
    for (int e = 0; e < queries; e++) {
        shares[e] = query[e].shares;
        if (query[e].sight->straight < shared) shared = query[e].sight->straight;
    }
    shared &= ~1;
    value_sums sums[CK_VALUE_QUERIES];
    value_tile(values, format, column, step, parts, shared, shares, queries, vectors, sums);
    for (int e = 0; e < queries; e++) {
        const ck_sight *sight = query[e].sight;
        for (int i = shared; i < committed + sight->count; i++) {
            int slot = i < sight->straight ? i : sight->tail[i - committed];
            for (int c = 0; c < vectors; c++)
                sums[e][i & 1][c] = lanes_fma(
                    cached_value(values, format, (size_t)slot, step, parts, column + c * 16),
                    lanes_fill(shares[e][i]), sums[e][i & 1][c]);
        }
        for (int c = 0; c < vectors; c++) {
            int left = width - column - c * 16;
            _Alignas(64) float result[16];
            lanes_store(result, (sums[e][0][c] + sums[e][1][c]) / query[e].total);
            /* The next head's columns may begin within these sixteen. */
            memcpy(query[e].out + column + c * 16, result, sizeof(float) * (size_t)(left < 16 ? left : 16));
        }
    }
}

CK_FUNCTION void all_values(
    ck_cached values, const ck_format format, int width, int committed, const ck_query *query, int queries) {
    const int sixteens = (width + 15) / 16;
    for (int e = 0; e < queries;) {
        const bool full = queries - e >= CK_VALUE_QUERIES;
        for (int c = 0; c < sixteens;) {
            int taken = sixteens - c >= 2 ? 2 : 1;
            if (full && taken == 2) weigh_values(values, format, width, c * 16, committed, query + e, CK_VALUE_QUERIES, 2);
            else if (full) weigh_values(values, format, width, c * 16, committed, query + e, CK_VALUE_QUERIES, 1);
            else if (sixteens - c >= CK_VALUE_VECTORS) {
                taken = CK_VALUE_VECTORS;
                weigh_values(values, format, width, c * 16, committed, query + e, 1, CK_VALUE_VECTORS);
            } else if (taken == 2) weigh_values(values, format, width, c * 16, committed, query + e, 1, 2);
            else weigh_values(values, format, width, c * 16, committed, query + e, 1, 1);
            c += taken;
        }
        e += full ? CK_VALUE_QUERIES : 1;
    }
}

CK_FUNCTION void attend_of(
    const ck_attention *work, const ck_format format, int key_head, int first, int last, float *scratch) {
    const ck_cache *cache = &work->cache;
    const int width = cache->width, group = work->query_heads / cache->heads;
    ck_query query[CK_QUERY_TILE];
    const float *q[CK_QUERY_TILE];
    float *scores[CK_QUERY_TILE];
    int32_t reach = 0;
    for (int e = 0; e < last - first; e++) {
        int row = (first + e) / group, query_head = key_head * group + (first + e) % group;
        q[e] = work->queries + (size_t)row * work->query_stride + (size_t)query_head * width;
        query[e].out = work->out + (size_t)row * work->out_stride + (size_t)query_head * width;
        query[e].sight = &work->sights[row];
        if (query[e].sight->reach > reach) reach = query[e].sight->reach;
    }
    size_t step = ck_round_up((size_t)reach, 16);
    for (int e = 0; e < last - first; e++) query[e].shares = scores[e] = scratch + step * (size_t)e;
    float *picked = scratch + step * CK_QUERY_TILE;
    all_scores(
        ck_cached_keys(cache, key_head), format, width, q, last - first, (int)(step / 16), 1.0f / sqrtf((float)width), scores);
    for (int e = 0; e < last - first; e++)
        query[e].total = shares_in_order(query[e].shares, query[e].sight, work->committed, picked);
    all_values(ck_cached_values(cache, key_head), format, width, work->committed, query, last - first);
}

static void attend_floats(const ck_attention *work, int key_head, int first, int last, float *scratch) {
    attend_of(work, CK_F32, key_head, first, last, scratch);
}

static void attend_halves(const ck_attention *work, int key_head, int first, int last, float *scratch) {
    attend_of(work, CK_F16, key_head, first, last, scratch);
}

static void attend_codes(const ck_attention *work, int key_head, int first, int last, float *scratch) {
    attend_of(work, CK_Q8_0, key_head, first, last, scratch);
}

static void attend_piece(const ck_attention *work, int key_head, int first, int last, float *scratch) {
    switch (work->cache.format) {
    case CK_F16: return attend_halves(work, key_head, first, last, scratch);
    case CK_Q8_0: return attend_codes(work, key_head, first, last, scratch);
    default: return attend_floats(work, key_head, first, last, scratch);
    }
}

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
 * An instruction set's file defines CK_SCORE_VECTORS (sums held in registers by the scores' loop) and CK_VALUE_QUERIES
 * (queries that share a loaded value).
 */

/* Scores of `queries` queries with `blocks` blocks of sixteen slots. */
CK_FUNCTION void score_tile(
    const float *keys, int width, const float *const *q, const int queries, const int blocks, float scale,
    float *const *scores, int block) {
    lanes sum[CK_QUERY_TILE][CK_SCORE_VECTORS];
    _Pragma("unroll") for (int e = 0; e < queries; e++)
        _Pragma("unroll") for (int b = 0; b < blocks; b++) sum[e][b] = lanes_fill(0);
    const float *place = keys + (size_t)block * width * 16;
    for (int d = 0; d < width; d++) {
        lanes k[CK_SCORE_VECTORS];
        _Pragma("unroll") for (int b = 0; b < blocks; b++)
            k[b] = lanes_load(place + (size_t)b * width * 16 + (size_t)d * 16);
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
            score_tile(keys, width, q, QUERIES, BLOCKS, scale, scores, block);                                         \
        for (; block < blocks; block++) score_tile(keys, width, q, QUERIES, 1, scale, scores, block);                  \
    }

/* Scores of up to CK_QUERY_TILE queries with slots 0..<16 * blocks. */
static void all_scores(
    const float *keys, int width, const float *const *q, int queries, int blocks, float scale, float *const *scores) {
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

/* Adds the shared things seen, an even number of them, to the sums of `queries` queries: [query][even, odd][vectors]. */
CK_FUNCTION void value_tile(
    const float *values, size_t step, int count, float *const *shares, const int queries, const int vectors,
    lanes (*sums)[2][2]) {
    lanes sum[CK_VALUE_QUERIES][2][2];
    _Pragma("unroll") for (int e = 0; e < queries; e++)
        _Pragma("unroll") for (int c = 0; c < vectors; c++) sum[e][0][c] = sum[e][1][c] = lanes_fill(0);
    for (int i = 0; i < count; i += 2)
        _Pragma("unroll") for (int odd = 0; odd < 2; odd++) {
            lanes v[2];
            _Pragma("unroll") for (int c = 0; c < vectors; c++)
                v[c] = lanes_load(values + (size_t)(i + odd) * step + (size_t)c * 16);
            _Pragma("unroll") for (int e = 0; e < queries; e++) {
                lanes share = lanes_fill(shares[e][i + odd]);
                _Pragma("unroll") for (int c = 0; c < vectors; c++)
                    sum[e][odd][c] = lanes_fma(v[c], share, sum[e][odd][c]);
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
    const float *values, size_t step, int width, int column, int committed, const ck_query *query, const int queries,
    const int vectors) {
    float *shares[CK_VALUE_QUERIES];
    int shared = INT32_MAX;
    for (int e = 0; e < queries; e++) {
        shares[e] = query[e].shares;
        if (query[e].sight->straight < shared) shared = query[e].sight->straight;
    }
    shared &= ~1;
    lanes sums[CK_VALUE_QUERIES][2][2];
    value_tile(values + column, step, shared, shares, queries, vectors, sums);
    for (int e = 0; e < queries; e++) {
        const ck_sight *sight = query[e].sight;
        for (int i = shared; i < committed + sight->count; i++) {
            int slot = i < sight->straight ? i : sight->tail[i - committed];
            for (int c = 0; c < vectors; c++)
                sums[e][i & 1][c] = lanes_fma(
                    lanes_load(values + (size_t)slot * step + column + (size_t)c * 16), lanes_fill(shares[e][i]),
                    sums[e][i & 1][c]);
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

static void all_values(const float *values, int width, int committed, const ck_query *query, int queries) {
    size_t step = ck_round_up((size_t)width, 16);
    for (int column = 0; column < width;) {
        bool two = (int)step - column >= 32;
        for (int e = 0; e < queries;) {
            bool full = queries - e >= CK_VALUE_QUERIES;
            if (two && full) weigh_values(values, step, width, column, committed, query + e, CK_VALUE_QUERIES, 2);
            else if (two) weigh_values(values, step, width, column, committed, query + e, 1, 2);
            else if (full) weigh_values(values, step, width, column, committed, query + e, CK_VALUE_QUERIES, 1);
            else weigh_values(values, step, width, column, committed, query + e, 1, 1);
            e += full ? CK_VALUE_QUERIES : 1;
        }
        column += two ? 32 : 16;
    }
}

static void attend_piece(const ck_attention *work, int key_head, int first, int last, float *scratch) {
    const ck_cache *cache = &work->cache;
    const int width = cache->width, group = work->query_heads / cache->heads;
    const float *keys = cache->keys + (size_t)key_head * cache->slots * width;
    const float *values = cache->values + (size_t)key_head * cache->slots * ck_round_up((size_t)width, 16);
    ck_query query[CK_QUERY_TILE];
    const float *q[CK_QUERY_TILE];
    float *scores[CK_QUERY_TILE];
    int32_t reach = 0;
    for (int e = 0; e < last - first; e++) {
        int row = (first + e) / group, head = key_head * group + (first + e) % group;
        q[e] = work->queries + (size_t)row * work->query_stride + (size_t)head * width;
        query[e].out = work->out + (size_t)row * work->out_stride + (size_t)head * width;
        query[e].sight = &work->sights[row];
        if (query[e].sight->reach > reach) reach = query[e].sight->reach;
    }
    size_t step = ck_round_up((size_t)reach, 16);
    for (int e = 0; e < last - first; e++) query[e].shares = scores[e] = scratch + step * (size_t)e;
    float *picked = scratch + step * CK_QUERY_TILE;
    all_scores(keys, width, q, last - first, (int)(step / 16), 1.0f / sqrtf((float)width), scores);
    for (int e = 0; e < last - first; e++)
        query[e].total = shares_in_order(query[e].shares, query[e].sight, work->committed, picked);
    all_values(values, width, work->committed, query, last - first);
}

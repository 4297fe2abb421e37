/* quantised.h — tiles of a product with a quantised weight, one text for every format and instruction set.
 *
 * For each block of 32 k and output o, in ascending order of blocks:
 *     first, second = sum of q[k] * (code[o][k] - centre) over the block's first and second sixteen k: whole numbers
 *     SCALE, STEPS:        sum[o] += (first + second) * (scale[o] * scale of x)
 *     FINE_STEPS:          sum[o] += (first * step[o][0] + second * step[o][1]) * (d[o] * scale of x)
 *     ..._AND_LEAST:       then  sum[o] += least[o] * total of x   (FINE: for the first sixteen, then for the second)
 *
 * Each "+=" is one fused multiply-add; what is in brackets is a whole number below 2^24, or is rounded once. The order is
 * the contract: Docs/Decisions/0002.
 *
 * An instruction set's file defines before the include:
 *     CK_QUANTISED_PANELS                      panels of the largest tile
 *     CK_UNPACKED_FROM                         rows from which on stretches are unpacked
 *     block_products(facts, lines, panel_bytes, record, rows, panels, whole)
 *                                              adds first and second to whole[r][p]
 *
 * Where many rows pass by a stretch of k its codes are unpacked once, and its scales made floats once, for all of their
 * tiles (unpacked_block). The same numbers go into the same sums.
 */

/* What turns whole numbers into weights, for sixteen outputs of a block. Members that a format lacks are never read. */
typedef struct {
    lanes scale;
    lanes least[2];
    lanes step[2];
} block_scales;

/* A block of a panel made ready for many rows: codes[half][group], each in a byte of its own, as the lines of a format
 * of eight bits lie. */
typedef struct {
    code_bytes codes[2][4];
    block_scales scales;
} unpacked_block;

/* Does a format gain by it? One of whole bytes or of nibbles with nothing but a scale has hardly anything to unpack. */
CK_FUNCTION bool is_worth_unpacking(const ck_facts facts) {
    return facts.scaling != CK_SCALE || facts.curve || facts.bits == 5;
}

/* Blocks of a stretch that is unpacked: those of a tile's panels and what they meet fit in the first-level cache. */
enum { UNPACKED_BLOCKS = 12 };

typedef uint8_t small_lanes __attribute__((ext_vector_type(16)));
typedef int8_t signed_small_lanes __attribute__((ext_vector_type(16)));

CK_FUNCTION small_lanes small_at(const uint8_t *place) {
    small_lanes small;
    memcpy(&small, place, sizeof small);
    return small;
}

CK_FUNCTION lanes steps_at(const uint8_t *place) {
    signed_small_lanes small;
    memcpy(&small, place, sizeof small);
    return __builtin_convertvector(__builtin_convertvector(small, whole_lanes), lanes);
}

CK_FUNCTION lanes falls_of(const small_lanes small) {
    return -__builtin_convertvector(__builtin_convertvector(small, whole_lanes), lanes);
}

CK_FUNCTION block_scales scales_of(const ck_facts facts, const uint8_t *scales, int block) {
    const size_t record = (size_t)(facts.length == 256 ? block / 8 : block);
    const uint8_t *place = scales + record * ck_scale_record(facts.scaling);
    const int part = block % 8;
    block_scales s;
    s.scale = lanes_from_half((const uint16_t *)place);
    switch (facts.scaling) {
    case CK_SCALE: break;
    case CK_SCALE_AND_LEAST: s.least[0] = lanes_from_half((const uint16_t *)(place + 32)); break;
    case CK_STEPS: s.scale = s.scale * steps_at(place + 32 + part * 16); break;
    case CK_STEPS_AND_LEAST:
        s.scale = s.scale * steps_at(place + 64 + part * 32);
        s.least[0] = lanes_from_half((const uint16_t *)(place + 32)) * falls_of(small_at(place + 80 + part * 32));
        break;
    case CK_FINE_STEPS:
        s.step[0] = steps_at(place + 32 + part * 32);
        s.step[1] = steps_at(place + 48 + part * 32);
        break;
    case CK_FINE_STEPS_AND_LEAST: {
        const lanes least = lanes_from_half((const uint16_t *)(place + 32));
        _Pragma("unroll") for (int half = 0; half < 2; half++) {
            const small_lanes both = small_at(place + 64 + part * 32 + half * 16);
            s.step[half] = -falls_of(both & (uint8_t)15);
            s.least[half] = least * falls_of(both >> (uint8_t)4);
        }
        break;
    }
    }
    return s;
}

/* `whole` holds the sums over the first and the second sixteen k. */
CK_FUNCTION lanes add_block(
    const ck_facts facts, lanes sum, const whole_lanes *whole, const block_scales *s, float x_scale, float total,
    const int32_t *offsets) {
    lanes both;
    if (facts.scaling == CK_FINE_STEPS || facts.scaling == CK_FINE_STEPS_AND_LEAST)
        /* Whole numbers below 2^24: as floats they are exact, and products of floats are the quicker ones. */
        both = lanes_fma(
            __builtin_convertvector(whole[1], lanes), s->step[1],
            __builtin_convertvector(whole[0], lanes) * s->step[0]);
    else both = __builtin_convertvector(whole[0] + whole[1], lanes);
    sum = lanes_fma(both, s->scale * x_scale, sum);
    if (facts.scaling == CK_SCALE_AND_LEAST || facts.scaling == CK_STEPS_AND_LEAST)
        sum = lanes_fma(s->least[0], lanes_fill(total), sum);
    if (facts.scaling == CK_FINE_STEPS_AND_LEAST)
        _Pragma("unroll") for (int half = 0; half < 2; half++)
            sum = lanes_fma(s->least[half], lanes_fill((float)offsets[half] * (x_scale * -0.125f)), sum);
    return sum;
}

/* Blocks first..<last of `panels` panels made ready, those of panel p from ready[p * UNPACKED_BLOCKS] on. */
CK_FUNCTION void unpack_stretch(
    const ck_format format, const ck_panels *weight, int panels, int first, int last, unpacked_block *ready) {
    const ck_facts facts = ck_all_facts[format];
    for (int p = 0; p < panels; p++)
        for (int block = first; block < last; block++) {
            const size_t panel = (size_t)p * weight->panel_bytes;
            const uint8_t *lines = weight->lines + panel + (size_t)block * 64 * (size_t)facts.bits;
            unpacked_block *place = ready + p * UNPACKED_BLOCKS + block - first;
            _Pragma("unroll") for (int l = 0; l < 4; l++) {
                code_bytes codes[2];
                codes_of(facts, lines, l, codes);
                place->codes[0][l] = codes[0];
                place->codes[1][l] = codes[1];
            }
            place->scales = scales_of(facts, weight->scales + panel, block);
        }
}

/* Asks for what panel p wants `ahead.blocks` after `block`: the lines of codes, and the one of scales that is begun there. */
CK_FUNCTION void ask_ahead(const ck_facts facts, const ck_panels *weight, ck_ahead ahead, const int p, int block) {
    const int far = block + ahead.blocks;
    const bool beyond = far >= weight->blocks;
    const size_t place = (size_t)(beyond ? far - weight->blocks : far);
    const uint8_t *panel = (beyond ? ahead.next : weight->scales) + (size_t)p * weight->panel_bytes;
    const size_t record = ck_scale_record(facts.scaling);
    __builtin_prefetch(panel + (facts.length == 256 ? place * (record / 8) : place * record));
    ask_for(facts, panel + (weight->lines - weight->scales) + place * 64 * (size_t)facts.bits);
}

/* Adds blocks first..<last to the sums of a group of `rows` rows with `panels` panels; rows, panels and whether the
 * blocks are unpacked are constants where this is used. Row r of panel p stands at sums[p * step + r]. */
CK_FUNCTION void quantised_tile(
    const ck_format format, const bool unpacked, const ck_panels *weight, const uint8_t *records, const int rows,
    const int panels, int first, int last, ck_ahead ahead, float (*sums)[16], int step) {
    ck_facts facts = ck_all_facts[format];
    facts.unpacked = unpacked;
    lanes sum[CK_ROW_GROUP][CK_QUANTISED_PANELS];
    _Pragma("unroll") for (int r = 0; r < rows; r++)
        _Pragma("unroll") for (int p = 0; p < panels; p++) sum[r][p] = lanes_load(sums[p * step + r]);
    for (int block = first, wait = ahead.phase; block < last; block++, wait--) {
        const uint8_t *lines = weight->lines + (size_t)block * 64 * (size_t)facts.bits;
        const unpacked_block *ready = unpacked ? (const unpacked_block *)weight->unpacked + (block - first) : NULL;
        if (wait == 0) {
            wait = ahead.period;
            _Pragma("unroll") for (int p = 0; p < panels; p++) ask_ahead(facts, weight, ahead, p, block);
        }
        const uint8_t *record = records + (size_t)block * (size_t)rows * CK_RECORD;
        const float *x_scales = (const float *)(record + rows * 32), *totals = x_scales + rows;
        const int32_t *offsets = (const int32_t *)(totals + rows);
        whole_lanes whole[CK_ROW_GROUP][CK_QUANTISED_PANELS][2];
        _Pragma("unroll") for (int r = 0; r < rows; r++)
            _Pragma("unroll") for (int p = 0; p < panels; p++)
                _Pragma("unroll") for (int half = 0; half < 2; half++)
                    whole[r][p][half] = start_of(facts, offsets[2 * r + half]);
        if (unpacked)
            block_products(
                facts, (const uint8_t *)ready->codes, UNPACKED_BLOCKS * sizeof *ready, (const int8_t *)record, rows,
                panels, whole);
        else block_products(facts, lines, weight->panel_bytes, (const int8_t *)record, rows, panels, whole);
        _Pragma("unroll") for (int p = 0; p < panels; p++) {
            const block_scales scales =
                unpacked ? ready[p * UNPACKED_BLOCKS].scales
                         : scales_of(facts, weight->scales + (size_t)p * weight->panel_bytes, block);
            _Pragma("unroll") for (int r = 0; r < rows; r++)
                sum[r][p] =
                    add_block(facts, sum[r][p], whole[r][p], &scales, x_scales[r], totals[r], offsets + 2 * r);
        }
    }
    _Pragma("unroll") for (int r = 0; r < rows; r++)
        _Pragma("unroll") for (int p = 0; p < panels; p++) lanes_store(sums[p * step + r], sum[r][p]);
}

/* Is a stretch of this format unpacked before so many rows pass by it? */
static bool is_unpacked_for(ck_format format, int rows) {
    return is_worth_unpacking(ck_all_facts[format]) && rows >= CK_UNPACKED_FROM;
}

#define CK_QUANTISED_TILE(FORMAT, R, P)                                                                                \
    if (is_worth_unpacking(ck_all_facts[FORMAT]) && weight->unpacked)                                                  \
        quantised_tile(FORMAT, true, weight, records, R, P, first, last, ahead, sums, step);                           \
    else quantised_tile(FORMAT, false, weight, records, R, P, first, last, ahead, sums, step);

#if CK_QUANTISED_PANELS == 2
#define CK_QUANTISED_ROWS_CASE(FORMAT, R)                                                                              \
    case R:                                                                                                            \
        if (panels == 2) {                                                                                             \
            CK_QUANTISED_TILE(FORMAT, R, 2)                                                                            \
        } else {                                                                                                       \
            CK_QUANTISED_TILE(FORMAT, R, 1)                                                                            \
        }                                                                                                              \
        break;
#else
#define CK_QUANTISED_ROWS_CASE(FORMAT, R)                                                                              \
    case R: {                                                                                                          \
        CK_QUANTISED_TILE(FORMAT, R, 1)                                                                                \
        break;                                                                                                         \
    }
#endif

typedef void (*quantised_products)(
    const ck_panels *weight, const uint8_t *records, int rows, int panels, int first, int last, ck_ahead ahead,
    float (*sums)[16], int step);
typedef void (*quantised_unpacking)(
    const ck_panels *weight, int panels, int first, int last, unpacked_block *ready);

#define CK_QUANTISED_PRODUCTS(FORMAT)                                                                                  \
    static void unpack_##FORMAT(const ck_panels *weight, int panels, int first, int last, unpacked_block *ready) {     \
        unpack_stretch(FORMAT, weight, panels, first, last, ready);                                                    \
    }                                                                                                                  \
    static void products_##FORMAT(                                                                                     \
        const ck_panels *weight, const uint8_t *records, int rows, int panels, int first, int last, ck_ahead ahead,    \
        float (*sums)[16], int step) {                                                                                 \
        (void)panels;                                                                                                  \
        switch (rows) {                                                                                                \
            CK_QUANTISED_ROWS_CASE(FORMAT, 1)                                                                          \
            CK_QUANTISED_ROWS_CASE(FORMAT, 2)                                                                          \
            CK_QUANTISED_ROWS_CASE(FORMAT, 3)                                                                          \
            CK_QUANTISED_ROWS_CASE(FORMAT, 4)                                                                          \
        }                                                                                                              \
    }

CK_QUANTISED_PRODUCTS(CK_Q8_0)
CK_QUANTISED_PRODUCTS(CK_Q4_0)
CK_QUANTISED_PRODUCTS(CK_Q4_1)
CK_QUANTISED_PRODUCTS(CK_Q5_0)
CK_QUANTISED_PRODUCTS(CK_Q5_1)
CK_QUANTISED_PRODUCTS(CK_Q2_K)
CK_QUANTISED_PRODUCTS(CK_Q3_K)
CK_QUANTISED_PRODUCTS(CK_Q4_K)
CK_QUANTISED_PRODUCTS(CK_Q5_K)
CK_QUANTISED_PRODUCTS(CK_Q6_K)
CK_QUANTISED_PRODUCTS(CK_IQ4_NL)
CK_QUANTISED_PRODUCTS(CK_IQ4_XS)

static const quantised_products products_of[CK_FORMATS] = {
    [CK_Q8_0] = products_CK_Q8_0,     [CK_Q4_0] = products_CK_Q4_0,     [CK_Q4_1] = products_CK_Q4_1,
    [CK_Q5_0] = products_CK_Q5_0,     [CK_Q5_1] = products_CK_Q5_1,     [CK_Q2_K] = products_CK_Q2_K,
    [CK_Q3_K] = products_CK_Q3_K,     [CK_Q4_K] = products_CK_Q4_K,     [CK_Q5_K] = products_CK_Q5_K,
    [CK_Q6_K] = products_CK_Q6_K,     [CK_IQ4_NL] = products_CK_IQ4_NL, [CK_IQ4_XS] = products_CK_IQ4_XS,
};

static const quantised_unpacking unpacking_of[CK_FORMATS] = {
    [CK_Q8_0] = unpack_CK_Q8_0,     [CK_Q4_0] = unpack_CK_Q4_0,     [CK_Q4_1] = unpack_CK_Q4_1,
    [CK_Q5_0] = unpack_CK_Q5_0,     [CK_Q5_1] = unpack_CK_Q5_1,     [CK_Q2_K] = unpack_CK_Q2_K,
    [CK_Q3_K] = unpack_CK_Q3_K,     [CK_Q4_K] = unpack_CK_Q4_K,     [CK_Q5_K] = unpack_CK_Q5_K,
    [CK_Q6_K] = unpack_CK_Q6_K,     [CK_IQ4_NL] = unpack_CK_IQ4_NL, [CK_IQ4_XS] = unpack_CK_IQ4_XS,
};

/* convert.h — weights of floats become weights of whole numbers: blocks of Q8_0, Q4_0 and Q4_K. Used by convert.c.
 *
 *     Q8_0    scale = largest magnitude / 127;                code = round(x / scale)
 *     Q4_0    scale = the number of largest magnitude / -8;   code = floor(x / scale + 8.5), at most 15
 *     Q4_K    for each 32 numbers a scale and a least that make the sum of squared errors small, each as six bits of a
 *             half-precision number of the block of 256
 *
 * Q8_0 and Q4_0 are, bit for bit, what llama.cpp's reference makes; the search for Q4_K is our own. Sixteen lanes, sums in
 * one order and no fused multiply-add: every instruction set makes the same bits.
 */
typedef uint8_t lane_codes __attribute__((ext_vector_type(16)));

/* Thirty-two numbers. */
typedef struct {
    lanes low, high;
} part;

CK_FUNCTION part part_load(const float *x) { return (part){lanes_load(x), lanes_load(x + 16)}; }

CK_FUNCTION float largest_magnitude(part x) {
    const lanes low = lanes_magnitude(x.low), high = lanes_magnitude(x.high);
    return lanes_largest(low < high ? high : low);
}

/* Keeps not-a-number, which must not be turned into a whole number, from passing. */
CK_FUNCTION lanes between(lanes v, float low, float high) {
    v = v >= low ? v : (lanes)(low);
    return v <= high ? v : (lanes)(high);
}

/* To the nearest, halves away from zero. The difference is exact, which a sum with one half would not be. */
CK_FUNCTION whole_lanes nearest(lanes v) {
    const whole_lanes whole = __builtin_convertvector(v, whole_lanes);
    const lanes rest = v - __builtin_convertvector(whole, lanes);
    const whole_lanes none = 0, one = 1;
    return whole + (rest >= 0.5f ? one : none) - (rest <= -0.5f ? one : none);
}

/* To half precision, to the nearest, ties to even. */
static uint16_t half_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint32_t sign = bits >> 16 & 0x8000u, size = bits & 0x7FFFFFFFu;
    if (size >= 0x477FF000u) return (uint16_t)(sign | (size > 0x7F800000u ? 0x7E00u : 0x7C00u));
    if (size >= 0x38800000u) return (uint16_t)(sign | (size + 0xFFFu + (size >> 13 & 1u) - 0x38000000u) >> 13);
    /* Beside one half the last place of a float is the smallest half-precision number. */
    float small;
    memcpy(&small, &size, sizeof small);
    small += 0.5f;
    memcpy(&bits, &small, sizeof bits);
    return (uint16_t)(sign | (bits - 0x3F000000u));
}

static bool is_finite_half(uint16_t half) { return (half & 0x7C00) != 0x7C00; }

static void put_half(uint8_t *place, uint16_t half) {
    place[0] = (uint8_t)(half & 255);
    place[1] = (uint8_t)(half >> 8);
}

CK_FUNCTION void make_q8_0(const float *x, uint8_t *block) {
    const part p = part_load(x);
    const float scale = largest_magnitude(p) / 127.0f, inverse = scale != 0 ? 1.0f / scale : 0.0f;
    put_half(block, half_of(scale));
    const lane_codes low = __builtin_convertvector(nearest(between(p.low * inverse, -127, 127)), lane_codes);
    const lane_codes high = __builtin_convertvector(nearest(between(p.high * inverse, -127, 127)), lane_codes);
    memcpy(block + 2, &low, 16);
    memcpy(block + 18, &high, 16);
}

CK_FUNCTION void make_q4_0(const float *x, uint8_t *block) {
    const part p = part_load(x);
    const float most = largest_magnitude(p);
    /* The first one of that magnitude, with its sign. */
    int place = 0;
    while (place < 31 && x[place] != most && x[place] != -most) place++;
    const float scale = (most > 0 ? x[place] : 0) / -8.0f, inverse = scale != 0 ? 1.0f / scale : 0.0f;
    put_half(block, half_of(scale));
    const whole_lanes low = __builtin_convertvector(between(p.low * inverse + 8.5f, 0, 15), whole_lanes);
    const whole_lanes high = __builtin_convertvector(between(p.high * inverse + 8.5f, 0, 15), whole_lanes);
    const lane_codes both = __builtin_convertvector(low | high << 4, lane_codes);
    memcpy(block + 2, &both, 16);
}

/* How thirty-two numbers are written: x is about scale * code - fall, with scale and fall not negative. */
typedef struct {
    float scale, fall, error;
} fit;

/* Codes 0 to 15 of numbers that lie on scale * code - fall. */
CK_FUNCTION part codes_on(part x, float inverse, float fall) {
    part q;
    q.low = __builtin_convertvector(
        __builtin_convertvector(between((x.low + fall) * inverse + 0.5f, 0, 15), whole_lanes), lanes);
    q.high = __builtin_convertvector(
        __builtin_convertvector(between((x.high + fall) * inverse + 0.5f, 0, 15), whole_lanes), lanes);
    return q;
}

CK_FUNCTION float error_of(part x, part q, float scale, float fall) {
    const lanes low = q.low * scale - fall - x.low, high = q.high * scale - fall - x.high;
    return lanes_sum(low * low + high * high);
}

/* The scale and fall of least squared error for these codes. */
CK_FUNCTION fit fit_to(part x, part q, float sum_x) {
    const float sum_q = lanes_sum(q.low + q.high), sum_qq = lanes_sum(q.low * q.low + q.high * q.high);
    const float sum_qx = lanes_sum(q.low * x.low + q.high * x.high), determinant = 32 * sum_qq - sum_q * sum_q;
    fit f = {0, 0, 0};
    if (determinant > 0) {
        f.scale = (32 * sum_qx - sum_q * sum_x) / determinant;
        f.fall = (sum_q * sum_qx - sum_qq * sum_x) / determinant;
    }
    /* A least above zero cannot be written. */
    if (f.fall < 0) f = (fit){sum_qq > 0 ? sum_qx / sum_qq : 0, 0, 0};
    if (f.scale < 0) f.scale = 0;
    f.error = error_of(x, q, f.scale, f.fall);
    return f;
}

/* Tries codes as if the numbers' range were a little wider or narrower than it is: the ends may be cut where that makes
 * the steps between finer. The best one is then fitted to its own codes. */
CK_FUNCTION fit search(part x) {
    enum { TRIES = 9, REFINEMENTS = 2 };
    const lanes either = x.low < x.high ? x.high : x.low, smaller = x.low < x.high ? x.low : x.high;
    const float most = lanes_largest(either), least = -lanes_largest(-smaller), fall = least < 0 ? -least : 0;
    const float range = most + fall, sum_x = lanes_sum(x.low + x.high);
    if (!(range > 0)) return (fit){0, fall, 0};
    fit best = {range / 15, fall, 0};
    best.error = error_of(x, codes_on(x, 15 / range, fall), best.scale, best.fall);
    for (int try = 0; try < TRIES; try++) {
        const fit found = fit_to(x, codes_on(x, (14.2f + 0.35f * (float)try) / range, fall), sum_x);
        if (found.error < best.error) best = found;
    }
    for (int turn = 0; turn < REFINEMENTS && best.scale > 0; turn++) {
        const fit found = fit_to(x, codes_on(x, 1 / best.scale, best.fall), sum_x);
        if (!(found.error < best.error)) break;
        best = found;
    }
    return best;
}

/* `part`'s step and fall of six bits each, as Q4_K interleaves them. */
static void put_steps(uint8_t *s, int part, int step, int fall) {
    if (part < 4) {
        s[part] |= (uint8_t)step;
        s[part + 4] |= (uint8_t)fall;
    } else {
        s[part + 4] = (uint8_t)((step & 15) | (fall & 15) << 4);
        s[part - 4] |= (uint8_t)(step >> 4 << 6);
        s[part] |= (uint8_t)(fall >> 4 << 6);
    }
}

static int six_bits(float x, float inverse) {
    const float scaled = x * inverse + 0.5f;
    return scaled < 63 ? (int)scaled : 63;
}

CK_FUNCTION void make_q4_k(const float *x, uint8_t *block) {
    fit fits[8];
    float most_scale = 0, most_fall = 0;
    for (int i = 0; i < 8; i++) {
        fits[i] = search(part_load(x + 32 * i));
        most_scale = most_scale < fits[i].scale ? fits[i].scale : most_scale;
        most_fall = most_fall < fits[i].fall ? fits[i].fall : most_fall;
    }
    const uint16_t scale_half = half_of(most_scale / 63), fall_half = half_of(most_fall / 63);
    memset(block, 0, 16);
    put_half(block, scale_half);
    put_half(block + 2, fall_half);
    if (!is_finite_half(scale_half) || !is_finite_half(fall_half)) return;
    const float scale = ck_from_half(scale_half), fall = ck_from_half(fall_half);
    const float scale_inverse = scale > 0 ? 1 / scale : 0, fall_inverse = fall > 0 ? 1 / fall : 0;
    lane_codes last[2] = {0};
    for (int i = 0; i < 8; i++) {
        const part p = part_load(x + 32 * i);
        const int fall_steps = six_bits(fits[i].fall, fall_inverse), middle = six_bits(fits[i].scale, scale_inverse);
        /* The step that six bits leave may be better one up or down, now that the fall is what it is. */
        int step = middle;
        float error = 0;
        part q = {0, 0};
        for (int turn = 0; turn < 3; turn++) {
            const int candidate = middle + (turn == 0 ? 0 : turn == 1 ? -1 : 1);
            if (candidate < 0 || candidate > 63) continue;
            const float exact = scale * (float)candidate, taken = fall * (float)fall_steps;
            const part made = codes_on(p, exact > 0 ? 1 / exact : 0, taken);
            const float found = error_of(p, made, exact, taken);
            if (turn == 0 || found < error) {
                step = candidate;
                error = found;
                q = made;
            }
        }
        put_steps(block + 4, i, step, fall_steps);
        const lane_codes low = __builtin_convertvector(q.low, lane_codes);
        const lane_codes high = __builtin_convertvector(q.high, lane_codes);
        if (i % 2 == 0) {
            last[0] = low;
            last[1] = high;
        } else {
            const lane_codes first = last[0] | low << 4, second = last[1] | high << 4;
            memcpy(block + 16 + i / 2 * 32, &first, 16);
            memcpy(block + 32 + i / 2 * 32, &second, 16);
        }
    }
}

static bool make_row(ck_format to, const float *x, int32_t columns, uint8_t *row) {
    const int length = ck_all_facts[to].length, bytes = ck_all_facts[to].bytes;
    /* Any number that is not finite has all bits of its exponent set. */
    bool is_good = true;
    for (int32_t k = 0; k < columns; k++) {
        uint32_t bits;
        memcpy(&bits, x + k, sizeof bits);
        is_good &= (bits & 0x7F800000u) != 0x7F800000u;
    }
    for (int32_t block = 0; block < columns / length; block++) {
        uint8_t *place = row + (size_t)block * (size_t)bytes;
        const float *numbers = x + (size_t)block * (size_t)length;
        if (to == CK_Q8_0) make_q8_0(numbers, place);
        else if (to == CK_Q4_0) make_q4_0(numbers, place);
        else make_q4_k(numbers, place);
        is_good &= is_finite_half((uint16_t)(place[0] | place[1] << 8));
        if (to == CK_Q4_K) is_good &= is_finite_half((uint16_t)(place[2] | place[3] << 8));
    }
    return is_good;
}

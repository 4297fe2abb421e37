/* rows.h — what happens to a row alone: norms, rotary embedding, whole-number activations, the largest number.
 *
 *     rotate:     y[j] = x[j] * cosine[j] + x[partner of j] * sine[j], the sine negative at the first of a pair
 *     rms norm:   y[c] = x[c] / sqrt(mean(x^2) + epsilon) * gain[c]
 *     layer norm: y[c] = (x[c] - mean) / sqrt(variance + epsilon) * gain[c] + bias[c]
 *     quantize:   scale = max |x| / 127 of each block of 32, q = x / scale to the nearest whole number
 *
 * Sums over a row: lane i adds columns i, i + 16, ... in order, then lanes_sum. Rows are never looked at together.
 */

static void rms_norm_row(const float *x, int columns, const float *gain, float epsilon, float *out) {
    lanes squares = lanes_fill(0);
    for (int c = 0; c < columns; c += 16) {
        lanes v = lanes_load(x + c);
        squares = lanes_fma(v, v, squares);
    }
    lanes scale = lanes_fill(1.0f / sqrtf(lanes_sum(squares) / (float)columns + epsilon));
    for (int c = 0; c < columns; c += 16)
        lanes_store(out + c, lanes_load(x + c) * scale * lanes_load(gain + c));
}

static void layer_norm_row(
    const float *x, int columns, const float *gain, const float *bias, float epsilon, float *out) {
    lanes sums = lanes_fill(0);
    for (int c = 0; c < columns; c += 16) sums = sums + lanes_load(x + c);
    lanes mean = lanes_fill(lanes_sum(sums) / (float)columns);
    lanes squares = lanes_fill(0);
    for (int c = 0; c < columns; c += 16) {
        /* Beyond the columns lies zero, whose distance from the mean must not count. */
        lanes v = lanes_first(lanes_load(x + c) - mean, columns - c);
        squares = lanes_fma(v, v, squares);
    }
    lanes scale = lanes_fill(1.0f / sqrtf(lanes_sum(squares) / (float)columns + epsilon));
    for (int c = 0; c < columns; c += 16) {
        lanes v = (lanes_load(x + c) - mean) * scale;
        lanes_store(out + c, lanes_fma(v, lanes_load(gain + c), lanes_load(bias + c)));
    }
}

/* turn: the cosines of `width` numbers, then their signed sines. Products and sums round by themselves, so a number that
 * falls into a short remainder has the bits that a whole vector gives. */
static void rotate_row(
    const float *x, int columns, int heads, int width, ck_pairing pairing, const float *turn, float *out) {
    const int head_width = columns / heads, half = width / 2;
    const float *cosine = turn, *sine = turn + width;
    for (int head = 0; head < heads; head++, x += head_width, out += head_width) {
        int j = 0;
        if (pairing == CK_ADJACENT) {
            for (; j + 16 <= width; j += 16) {
                lanes v = lanes_load(x + j);
                lanes partner = __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
                lanes_store(out + j, v * lanes_load(cosine + j) + partner * lanes_load(sine + j));
            }
            for (; j < width; j++) out[j] = x[j] * cosine[j] + x[j ^ 1] * sine[j];
        } else {
            for (; j < half; j++) out[j] = x[j] * cosine[j] + x[j + half] * sine[j];
            for (; j < width; j++) out[j] = x[j] * cosine[j] + x[j - half] * sine[j];
        }
        for (; j < head_width; j++) out[j] = x[j];
    }
}

static void quantize_row(const float *x, int columns, int row, int width, uint8_t *records) {
    typedef int8_t byte_lanes __attribute__((ext_vector_type(16)));
    for (int block = 0; block < columns / 32; block++, records += (size_t)width * CK_RECORD) {
        int8_t *q = (int8_t *)records + row * 32;
        float *scales = (float *)(records + width * 32), *totals = scales + width;
        int32_t *offsets = (int32_t *)(totals + width);
        lanes a = lanes_load(x + 32 * block), b = lanes_load(x + 32 * block + 16);
        float largest = lanes_largest(lanes_max(lanes_magnitude(a), lanes_magnitude(b)));
        float inverse = largest > 0 ? 127.0f / largest : 0;
        /* Not a product with 1/127: the scale must be the same wherever it is computed. */
        const float scale = largest / 127.0f;
        whole_lanes wa = (whole_lanes)lanes_bits(a * inverse + CK_ROUNDER) - 0x4B400000;
        whole_lanes wb = (whole_lanes)lanes_bits(b * inverse + CK_ROUNDER) - 0x4B400000;
        byte_lanes qa = __builtin_convertvector(wa, byte_lanes), qb = __builtin_convertvector(wb, byte_lanes);
        memcpy(q, &qa, 16);
        memcpy(q + 16, &qb, 16);
        const int32_t first = __builtin_reduce_add(wa), second = __builtin_reduce_add(wb);
        scales[row] = scale;
        totals[row] = scale * (float)(first + second);
        offsets[2 * row] = -8 * first;
        offsets[2 * row + 1] = -8 * second;
    }
}

static void narrow_numbers(const float *x, int count, uint16_t *out) {
    int i = 0;
    for (; i + 16 <= count; i += 16) lanes_to_half(out + i, lanes_load(x + i));
    if (i == count) return;
    _Alignas(64) float rest[16] = {0};
    uint16_t halves[16];
    memcpy(rest, x + i, sizeof(float) * (size_t)(count - i));
    lanes_to_half(halves, lanes_load(rest));
    memcpy(out + i, halves, sizeof(uint16_t) * (size_t)(count - i));
}

static float largest_of_row(const float *row, int columns) {
    lanes best = lanes_fill(row[0]);
    int c = 0;
    for (; c + 16 <= columns; c += 16) best = lanes_max(best, lanes_load(row + c));
    float largest = lanes_largest(best);
    for (; c < columns; c++) largest = largest < row[c] ? row[c] : largest;
    return largest;
}

static void finish_rows(
    float *out, size_t stride, int rows, int columns, const float *bias, ck_activation activation,
    const float *residual) {
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c += 16) {
            float *place = out + (size_t)r * stride + c;
            lanes v = lanes_load(place);
            if (bias) v = v + lanes_load(bias + c);
            v = lanes_activate(v, activation);
            if (residual) v = v + lanes_load(residual + (size_t)r * stride + c);
            lanes_store(place, v);
        }
}

/* choice.h — the noise of Rule 1 of the decoding contract, and the sums that rank a row of logits. */
#ifndef CKERNELS_CHOICE_H
#define CKERNELS_CHOICE_H
#include <stddef.h>
#include <stdint.h>

/* out[v] = gumbel(seed, position, v) for each token v < count. */
void ck_gumbel(uint64_t seed, uint64_t position, size_t count, float *out);

/* x[i] /= divisor */
void ck_divide(float *x, size_t count, float divisor);

/* x[i] += y[i] */
void ck_add(float *x, size_t count, const float *y);

/* sum_i exp(x[i] - largest), i ascending in 8 lanes, the lanes added in order. */
float ck_sum_exp(const float *x, size_t count, float largest);

/* Index of the largest number, the lowest on a tie; NaN never wins. count > 0. */
size_t ck_largest(const float *x, size_t count);

#endif

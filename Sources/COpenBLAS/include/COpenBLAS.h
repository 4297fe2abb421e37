/* COpenBLAS.h — products of float32 matrices by OpenBLAS, a library that is looked for when it is first needed. */
#ifndef COPENBLAS_H
#define COPENBLAS_H

/* Looks for OpenBLAS, and sees to it that it computes on the calling thread alone. NULL when it is ready, otherwise what
 * the system says. Any thread may call, any number of times; the first call decides. */
const char *ob_load(void);

/* OpenBLAS's configuration and the kernels that it chose for this processor; empty where it was not loaded. */
const char *ob_description(void);

/* out = x * weight^T, all row by row: [rows, inputs] by [outputs, inputs]. After ob_load gave NULL. */
void ob_multiply(
    int rows, int outputs, int inputs, const float *x, int x_stride, const float *weight, float *out, int out_stride);

#endif

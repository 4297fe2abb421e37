/* avxvnni.c — kernels for AVX2 with dot products of 256 bits (AVX-VNNI): the text of avx2.h, for processors that have them
 * without AVX-512.
 */
#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avxvnni"))), apply_to = function)

#define CK_VNNI 1
#include "avx2.h"

#pragma clang attribute pop

const ck_kernels ck_avxvnni_kernels = {
    linear_piece,   gated_piece, finish_rows,    quantize_row, rms_norm_row,
    layer_norm_row, rotate_row,  largest_of_row, narrow_numbers, make_row,     sum_of_stretch, attend_piece,
    wide_piece,     wide_group,
};
#endif

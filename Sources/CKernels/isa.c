/* isa.c — which instruction sets this processor and system run, and the kernels of each. */
#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

#include "kernels.h"

const ck_kernels *ck_kernels_of(ck_isa isa) {
#if defined(__x86_64__)
    if (isa == CK_AVX512) return &ck_avx512_kernels;
    if (isa == CK_AVXVNNI) return &ck_avxvnni_kernels;
    if (isa == CK_AVX2) return &ck_avx2_kernels;
#elif defined(__aarch64__)
    if (isa == CK_NEON) return &ck_neon_kernels;
#endif
    return &ck_portable_kernels;
}

#if defined(__x86_64__)
/* Dot products of 256 bits, encoded as AVX2's instructions are: not every compiler's list of features has them. */
static bool has_avxvnni(void) {
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & 1u << 4) != 0;
}
#endif

bool ck_isa_available(ck_isa isa) {
    if (isa == CK_PORTABLE) return true;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (isa == CK_AVX2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    if (isa == CK_AVXVNNI) return has_avxvnni() && ck_isa_available(CK_AVX2);
    if (isa == CK_AVX512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni") &&
               ck_isa_available(CK_AVX2);
#elif defined(__aarch64__) && defined(__linux__)
    if (isa == CK_NEON) return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#elif defined(__aarch64__)
    if (isa == CK_NEON) return true; /* every Mac of this kind has the dot products */
#endif
    return false;
}

ck_isa ck_isa_best(void) {
    ck_isa best = CK_PORTABLE;
    for (ck_isa isa = CK_PORTABLE; isa < CK_ISAS; isa++)
        if (ck_isa_available(isa)) best = isa;
    return best;
}

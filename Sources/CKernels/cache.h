/* cache.h — where a head's keys and values lie in a cache. The layout is told in cache.c. */
#ifndef CK_CACHE_H
#define CK_CACHE_H
#include "kernels.h"

/* Columns of a head that share a scale. */
enum { CK_CACHE_PART = 32 };

/* One head's keys or values, and their scales where the format has some. */
typedef struct {
    const void *numbers;
    const float *scales;
} ck_cached;

/* Bytes of a number. */
static inline size_t ck_cache_number(ck_format format) { return format == CK_F32 ? 4 : format == CK_F16 ? 2 : 1; }

/* Scales of one key or value of one head. */
static inline size_t ck_cache_scales(ck_format format, int32_t width) {
    return format == CK_Q8_0 ? (size_t)(width + CK_CACHE_PART - 1) / CK_CACHE_PART : 0;
}

static inline ck_cached ck_cached_rows(const ck_cache *cache, const void *start, size_t width, int32_t head) {
    const size_t rows = (size_t)cache->slots, number = ck_cache_number(cache->format);
    const char *scales = (const char *)start + (size_t)cache->heads * rows * width * number;
    return (ck_cached){
        (const char *)start + (size_t)head * rows * width * number,
        (const float *)scales + (size_t)head * rows * ck_cache_scales(cache->format, cache->width),
    };
}

static inline ck_cached ck_cached_keys(const ck_cache *cache, int32_t head) {
    return ck_cached_rows(cache, cache->keys, (size_t)cache->width, head);
}

static inline ck_cached ck_cached_values(const ck_cache *cache, int32_t head) {
    return ck_cached_rows(cache, cache->values, ck_round_up((size_t)cache->width, 16), head);
}

#endif

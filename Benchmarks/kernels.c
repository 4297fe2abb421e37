/* kernels.c — the speed of row-exact products at the shapes of a 7B model, without the program around them.
 *
 *     clang -std=gnu17 -O3 -ffp-contract=off -fno-math-errno -ISources/CKernels/include Sources/CKernels/[a-z]*.c \
 *         Benchmarks/kernels.c -lm -lpthread -o /tmp/kernels
 *     /tmp/kernels [threads] [formats, such as Q4_0,Q6_K] [rows, such as 1,8,64] [layers] [passes]
 *
 * Each pass runs the seven products of `layers` layers (hidden 4096, inner 11008) on weights that no cache can hold.
 * Printed is the best pass: milliseconds for 32 layers, the time against one row's, gigabytes and whole-number operations
 * a second. With one thread the time is the processor's, so that other programs count little.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "CKernels.h"

enum { HIDDEN = 4096, INNER = 11008, LAYERS_OF_MODEL = 32, MOST_ROWS = 1024 };

static const char *const names[CK_FORMATS] = {
    "F32",  "F16",  "BF16", "Q8_0", "Q4_0", "Q4_1",   "Q5_0",   "Q5_1",
    "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS",
};

typedef struct {
    ck_weight query, key, value, output, gate, up, down;
} layer;

static void *memory(size_t bytes) {
    const size_t page = 2 << 20;
    void *place = aligned_alloc(page, (bytes + page - 1) / page * page);
    if (!place) abort();
    madvise(place, (bytes + page - 1) / page * page, MADV_HUGEPAGE);
    return place;
}

static uint64_t state = 88172645463325252ull;

static uint64_t next(void) {
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

/* Random codes; bytes below 0x30 keep every half-precision number small, wherever the format has its halves. */
static ck_weight make_weight(ck_machine *machine, ck_format format, int outputs, int inputs) {
    const size_t bytes = ck_row_bytes(format, inputs) * (size_t)outputs;
    uint8_t *rows = memory(bytes);
    for (size_t i = 0; i + 8 <= bytes; i += 8) {
        const uint64_t numbers = next() & 0x2F2F2F2F2F2F2F2Full;
        memcpy(rows + i, &numbers, 8);
    }
    void *packed = memory(ck_packed_bytes(format, outputs, inputs));
    ck_pack(machine, format, rows, outputs, inputs, packed);
    free(rows);
    return (ck_weight){format, outputs, inputs, packed};
}

typedef struct {
    float *x;
    void *whole;
} numbers;

static numbers make_numbers(int columns) {
    const size_t count = (size_t)MOST_ROWS * (size_t)columns;
    numbers made = {memory(count * 4), memory(ck_quantised_bytes(MOST_ROWS, columns))};
    for (size_t i = 0; i < count; i++) made.x[i] = (float)(int)(next() % 2001) / 1000.0f - 1.0f;
    return made;
}

static ck_activations activations(ck_machine *machine, numbers n, int rows, int columns) {
    ck_quantize(machine, n.x, rows, columns, (size_t)columns, n.whole);
    return (ck_activations){rows, n.x, (size_t)columns, n.whole};
}

static double seconds(int threads) {
    struct timespec now;
    clock_gettime(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void run_layer(ck_machine *machine, const layer *l, ck_activations x, ck_activations inner, float *out) {
    ck_linear(machine, l->query, x, NULL, CK_NONE, NULL, out, HIDDEN);
    ck_linear(machine, l->key, x, NULL, CK_NONE, NULL, out, HIDDEN);
    ck_linear(machine, l->value, x, NULL, CK_NONE, NULL, out, HIDDEN);
    ck_linear(machine, l->output, x, NULL, CK_NONE, NULL, out, HIDDEN);
    ck_gated(machine, l->gate, l->up, x, out, INNER);
    ck_linear(machine, l->down, inner, NULL, CK_NONE, NULL, out, HIDDEN);
}

static void measure(ck_machine *machine, ck_format format, const char *rows, int threads, int layers, int passes) {
    layer *all = calloc((size_t)layers, sizeof *all);
    for (int i = 0; i < layers; i++) {
        ck_weight *square = &all[i].query;
        for (int w = 0; w < 4; w++) square[w] = make_weight(machine, format, HIDDEN, HIDDEN);
        all[i].gate = make_weight(machine, format, INNER, HIDDEN);
        all[i].up = make_weight(machine, format, INNER, HIDDEN);
        all[i].down = make_weight(machine, format, HIDDEN, INNER);
    }
    const numbers wide = make_numbers(HIDDEN), wider = make_numbers(INNER);
    float *out = memory((size_t)MOST_ROWS * INNER * 4);
    const double numbers = 4.0 * HIDDEN * HIDDEN + 3.0 * HIDDEN * INNER;
    const double bytes = 4.0 * (double)ck_packed_bytes(format, HIDDEN, HIDDEN) +
                         2.0 * (double)ck_packed_bytes(format, INNER, HIDDEN) +
                         (double)ck_packed_bytes(format, HIDDEN, INNER);
    double alone = 0;
    for (const char *place = rows; *place; place += strcspn(place, ","), place += *place == ',') {
        const int count = atoi(place);
        const ck_activations x = activations(machine, wide, count, HIDDEN);
        const ck_activations inner = activations(machine, wider, count, INNER);
        double best = 1e9;
        for (int pass = 0; pass < passes; pass++) {
            const double start = seconds(threads);
            for (int i = 0; i < layers; i++) run_layer(machine, &all[i], x, inner, out);
            const double time = (seconds(threads) - start) / layers;
            if (time < best) best = time;
        }
        if (alone == 0) alone = best;
        printf(
            "%-6s %2d threads %4d rows %9.2f ms  x%6.2f  %6.1f GB/s  %6.0f GOP/s\n", names[format], threads, count,
            best * LAYERS_OF_MODEL * 1e3, best / alone, bytes / best * 1e-9, 2 * numbers * count / best * 1e-9);
        fflush(stdout);
    }
    for (int i = 0; i < layers; i++)
        for (int w = 0; w < 7; w++) free((void *)(&all[i].query)[w].packed);
    free(all), free(out), free(wide.x), free(wide.whole), free(wider.x), free(wider.whole);
}

/* Attention of one row, or of a tree's rows, over `context` slots: 32 heads of 128. */
static void measure_attention(ck_machine *machine, ck_format format, const char *rows, int threads, int layers, int passes) {
    enum { HEADS = 32, WIDTH = 128, CONTEXT = 640 };
    const int slots = (CONTEXT + MOST_ROWS + 15) / 16 * 16;
    const size_t each = ck_cache_key_bytes(format, slots, HEADS, WIDTH);
    ck_cache *caches = calloc((size_t)layers, sizeof *caches);
    const numbers x = make_numbers(HIDDEN);
    int32_t *places = memory(sizeof *places * (size_t)slots);
    for (int i = 0; i < slots; i++) places[i] = i;
    for (int i = 0; i < layers; i++) {
        caches[i] = (ck_cache){memory(each), memory(each), slots, HEADS, WIDTH, format};
        for (int slot = 0; slot < slots; slot += MOST_ROWS)
            ck_cache_write(
                machine, caches[i], x.x, x.x, HIDDEN, places + slot,
                slots - slot < MOST_ROWS ? slots - slot : MOST_ROWS);
    }
    float *scratch = memory(4 * (size_t)threads * ck_attend_scratch(slots)), *out = memory(MOST_ROWS * HIDDEN * 4);
    ck_sight *sights = memory(sizeof *sights * MOST_ROWS);
    for (const char *place = rows; *place; place += strcspn(place, ","), place += *place == ',') {
        const int count = atoi(place);
        for (int r = 0; r < count; r++) sights[r] = (ck_sight){places + CONTEXT, r + 1, CONTEXT + r + 1, CONTEXT + r + 1};
        double best = 1e9;
        for (int pass = 0; pass < passes; pass++) {
            const double start = seconds(threads);
            for (int i = 0; i < layers; i++)
                ck_attend(machine, caches[i], x.x, HIDDEN, HEADS, count, CONTEXT, sights, scratch, out, HIDDEN);
            const double time = (seconds(threads) - start) / layers;
            if (time < best) best = time;
        }
        const double seen = CONTEXT + (count + 1) / 2.0;
        printf(
            "attend over %s %2d threads %4d rows after %d: %8.3f ms  %6.1f GB/s  %6.0f GFLOP/s\n", names[format], threads,
            count, CONTEXT, best * LAYERS_OF_MODEL * 1e3,
            2.0 * (CONTEXT + count) * ((double)each / slots) / best * 1e-9,
            4.0 * seen * HIDDEN * count / best * 1e-9);
        fflush(stdout);
    }
    for (int i = 0; i < layers; i++) free(caches[i].keys), free(caches[i].values);
    free(caches), free(x.x), free(x.whole), free(places), free(scratch), free(out), free(sights);
}

int main(int count, char **arguments) {
    const int threads = count > 1 ? atoi(arguments[1]) : ck_physical_cores();
    const char *formats = count > 2 ? arguments[2] : "Q4_0,Q4_K,Q6_K,Q8_0";
    const char *rows = count > 3 ? arguments[3] : "1,2,3,4,6,8,12,16,32,64,128,640";
    const int layers = count > 4 ? atoi(arguments[4]) : 4, passes = count > 5 ? atoi(arguments[5]) : 5;
    const char *isa = getenv("SPECCHAT_ISA");
    ck_isa set = !isa ? ck_isa_best() : CK_AVX512;
    if (isa && !strcmp(isa, "scalar")) set = CK_PORTABLE;
    if (isa && !strcmp(isa, "avx2")) set = CK_AVX2;
    if (isa && !strcmp(isa, "avxvnni")) set = CK_AVXVNNI;
    if (isa && !strcmp(isa, "neon")) set = CK_NEON;
    ck_machine *machine = ck_machine_create(set, threads);
    if (!machine) return 2;
    for (int format = 0; format < CK_FORMATS; format++) {
        const char *found = strstr(formats, names[format]);
        const size_t length = strlen(names[format]);
        while (found && (found[length] != ',' && found[length] != 0)) found = strstr(found + 1, names[format]);
        const bool floats = format == CK_F32 || format == CK_F16;
        if (found && (floats || format == CK_Q8_0)) measure_attention(machine, format, rows, threads, layers, passes);
        if (found && !floats) measure(machine, format, rows, threads, layers, passes);
    }
    ck_machine_destroy(machine);
    return 0;
}

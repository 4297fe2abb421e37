/* blocks.c — the blocks of a small decoder in one go against their operations one by one, without the program around them.
 *
 *     clang -std=gnu17 -O3 -ffp-contract=off -fno-math-errno -ISources/CKernels/include Sources/CKernels/[a-z]*.c \
 *         Benchmarks/blocks.c -lm -lpthread -o /tmp/blocks
 *     /tmp/blocks [threads] [passes]
 *
 * The shapes are those of the demo's target and of its small draft, random weights in Q8_0, after 110 rows of text, logits
 * included; each in turn, so that one pushes the other's weights out of the nearest cache as in a round. Printed are the
 * shortest passes in microseconds, and first how long a word takes from a core to another and back: where the system
 * moves the threads to distant cores, that is five times as long, and sharing a small product hardly pays.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "CKernels.h"

enum { CONTEXT = 110, SLOTS = 512, MOST_ROWS = 16, MOST_COLUMNS = 2048 };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec * 1e-3;
}

static uint64_t state = 88172645463325252ull;

static uint64_t next(void) {
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static void *memory(size_t bytes) {
    const size_t rounded = (bytes + 4095) / 4096 * 4096;
    void *place = aligned_alloc(4096, rounded);
    if (!place) abort();
    return memset(place, 0, rounded);
}

/* ---- From core to core. ---- */

enum { ROUND_TRIPS = 100000 };
static _Alignas(64) _Atomic int there;
static _Alignas(64) _Atomic int back;

static void *answer(void *nothing) {
    for (int i = 1; i <= ROUND_TRIPS; i++) {
        while (atomic_load_explicit(&there, memory_order_acquire) != i) {}
        atomic_store_explicit(&back, i, memory_order_release);
    }
    return nothing;
}

static void measure_distance(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, answer, NULL) != 0) abort();
    const double start = now();
    for (int i = 1; i <= ROUND_TRIPS; i++) {
        atomic_store_explicit(&there, i, memory_order_release);
        while (atomic_load_explicit(&back, memory_order_acquire) != i) {}
    }
    printf("from core to core and back: %.0f ns\n", (now() - start) * 1e3 / ROUND_TRIPS);
    pthread_join(thread, NULL);
}

/* ---- Models. ---- */

typedef struct {
    int hidden, inner, count;
    ck_decoder_block blocks[8];
    ck_weight head;
} model;

static ck_weight weight(ck_machine *machine, int outputs, int inputs) {
    const size_t bytes = ck_row_bytes(CK_Q8_0, inputs) * (size_t)outputs;
    uint8_t *rows = memory(bytes + 8);
    /* Bytes below 0x20 keep every scale small. */
    for (size_t i = 0; i < bytes; i += 8) {
        const uint64_t numbers = next() & 0x1F1F1F1F1F1F1F1Full;
        memcpy(rows + i, &numbers, 8);
    }
    void *packed = memory(ck_packed_bytes(CK_Q8_0, outputs, inputs));
    ck_pack(machine, CK_Q8_0, rows, outputs, inputs, packed);
    free(rows);
    return (ck_weight){CK_Q8_0, outputs, inputs, packed};
}

static model make(ck_machine *machine, int hidden, int inner, int heads, int count, int vocabulary) {
    model made = {.hidden = hidden, .inner = inner, .count = count, .head = weight(machine, vocabulary, hidden)};
    const int width = hidden / heads;
    float *gain = memory(sizeof *gain * (size_t)hidden), *turns = memory(sizeof *turns * SLOTS * 2 * (size_t)width);
    for (int i = 0; i < hidden; i++) gain[i] = 1;
    for (int i = 0; i < SLOTS * 2 * width; i++) turns[i] = 0.5f;
    for (int i = 0; i < count; i++)
        made.blocks[i] = (ck_decoder_block){
            .query = weight(machine, hidden, hidden), .key = weight(machine, hidden, hidden),
            .value = weight(machine, hidden, hidden), .output = weight(machine, hidden, hidden),
            .gate = weight(machine, inner, hidden), .up = weight(machine, inner, hidden),
            .down = weight(machine, hidden, inner), .attention_gain = gain, .feed_forward_gain = gain,
            .attention_epsilon = 1e-5f, .feed_forward_epsilon = 1e-5f, .turns = turns, .turned = width,
            .pairing = CK_ADJACENT, .query_heads = heads,
            .cache = {
                memory(ck_cache_key_bytes(CK_F16, SLOTS, heads, width)),
                memory(ck_cache_value_bytes(CK_F16, SLOTS, heads, width)), SLOTS, heads, width, CK_F16}};
    return made;
}

/* ---- Passes. ---- */

static float *x, *normal, *query, *turned, *key, *turned_key, *value, *attended, *between, *inner, *logits;
static void *whole, *scratch;

static void run_operations(ck_machine *machine, const ck_decoder_block *b, int hidden, ck_text_rows text, float *out) {
    const size_t stride = (size_t)hidden, wide = (size_t)b->gate.outputs;
    const int rows = text.rows, width = hidden / b->query_heads;
    const ck_activations input = {rows, normal, stride, whole};
    ck_rms_norm(machine, out, rows, hidden, stride, b->attention_gain, b->attention_epsilon, normal);
    ck_quantize(machine, normal, rows, hidden, stride, whole);
    ck_linear(machine, b->query, input, NULL, CK_NONE, NULL, query, stride);
    ck_linear(machine, b->key, input, NULL, CK_NONE, NULL, key, stride);
    ck_linear(machine, b->value, input, NULL, CK_NONE, NULL, value, stride);
    ck_rotate(machine, query, rows, hidden, stride, b->query_heads, width, b->pairing, text.positions, b->turns, turned);
    ck_rotate(machine, key, rows, hidden, stride, b->query_heads, width, b->pairing, text.positions, b->turns, turned_key);
    ck_cache_write(machine, b->cache, turned_key, value, stride, text.slots, rows);
    ck_attend(
        machine, b->cache, turned, stride, b->query_heads, rows, text.committed, text.sights, scratch, attended, stride);
    ck_quantize(machine, attended, rows, hidden, stride, whole);
    ck_linear(
        machine, b->output, (ck_activations){rows, attended, stride, whole}, NULL, CK_NONE, out, between, stride);
    ck_rms_norm(machine, between, rows, hidden, stride, b->feed_forward_gain, b->feed_forward_epsilon, normal);
    ck_quantize(machine, normal, rows, hidden, stride, whole);
    ck_gated(machine, b->gate, b->up, input, inner, wide);
    ck_quantize(machine, inner, rows, b->gate.outputs, wide, whole);
    ck_linear(machine, b->down, (ck_activations){rows, inner, wide, whole}, NULL, CK_NONE, between, out, stride);
}

static double pass(ck_machine *machine, const model *m, ck_text_rows text, bool in_one_go) {
    static float out[MOST_ROWS * MOST_COLUMNS] __attribute__((aligned(64)));
    const size_t stride = (size_t)m->hidden;
    const double start = now();
    if (in_one_go) {
        ck_run_blocks(machine, m->blocks, m->count, x, stride, text, out, scratch);
    } else {
        memcpy(out, x, sizeof *out * stride * (size_t)text.rows);
        for (int i = 0; i < m->count; i++) run_operations(machine, &m->blocks[i], m->hidden, text, out);
    }
    ck_rms_norm(machine, out, text.rows, m->hidden, stride, m->blocks->attention_gain, 1e-5f, normal);
    ck_quantize(machine, normal, text.rows, m->hidden, stride, whole);
    ck_linear(
        machine, m->head, (ck_activations){text.rows, normal, stride, whole}, NULL, CK_NONE, NULL, logits,
        (size_t)m->head.outputs);
    for (int row = 0; row < text.rows; row++)
        ck_argmax(machine, logits + (size_t)row * (size_t)m->head.outputs, m->head.outputs);
    return now() - start;
}

int main(int count, char **arguments) {
    const int threads = count > 1 ? atoi(arguments[1]) : ck_physical_cores();
    const int passes = count > 2 ? atoi(arguments[2]) : 400;
    ck_machine *machine = ck_machine_create(ck_isa_best(), threads);
    if (!machine) return 2;
    float **all[] = {&x, &normal, &query, &turned, &key, &turned_key, &value, &attended, &between, &inner, &logits};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) *all[i] = memory(sizeof(float) * MOST_ROWS * MOST_COLUMNS);
    whole = memory(1 << 20);
    scratch = memory(8 << 20);
    if (threads > 1) measure_distance();
    const model target = make(machine, 256, 704, 8, 8, 1536), draft = make(machine, 192, 512, 12, 1, 1536);
    int32_t slots[MOST_ROWS];
    ck_sight sights[MOST_ROWS];
    for (int row = 0; row < MOST_ROWS; row++) {
        slots[row] = CONTEXT + row;
        sights[row] = (ck_sight){slots, row + 1, CONTEXT + row + 1, CONTEXT + row + 1};
    }
    for (int i = 0; i < MOST_ROWS * MOST_COLUMNS; i++) x[i] = (float)(next() % 2001) / 1000 - 1;
    printf("%d threads, us     target: operations  in one go      draft: operations  in one go\n", threads);
    for (int rows = 1; rows <= MOST_ROWS; rows += rows < 6 ? 1 : rows < 8 ? 2 : 4) {
        const ck_text_rows text = {rows, slots, slots, CONTEXT, sights};
        double best[4] = {1e9, 1e9, 1e9, 1e9};
        for (int turn = 0; turn < passes; turn++)
            for (int kind = 0; kind < 4; kind++) {
                const double time = pass(machine, kind < 2 ? &target : &draft, text, kind % 2 == 1);
                if (time < best[kind]) best[kind] = time;
            }
        printf("%9d rows %24.1f %11.1f %22.1f %11.1f\n", rows, best[0], best[1], best[2], best[3]);
        fflush(stdout);
    }
    ck_machine_destroy(machine);
    return 0;
}

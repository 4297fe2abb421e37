/* block.c — blocks of a small decoder without a pause between their operations.
 *
 *     for each block:
 *         attention   x' = norm(x); q, k, v = x' * weights, q and k turned; k, v into the cache; attend    by key head
 *         output      h = attended * weight + x                                                            by output
 *         gated       x' = norm(h); inner = silu(x' * gate) * (x' * up)                                    by output
 *         down        x = inner * weight + h                                                               by output
 *
 * Bit for bit what the operations give one by one: the same functions on the same rows. What differs is who waits for
 * whom. A product of a small model takes a thread about as long as handing it over, so here all threads walk through the
 * blocks together, with four meetings in each; what a product reads (norms, whole numbers of whole rows) every thread
 * makes for itself rather than wait for it, and whole numbers of a part of a row are made by whoever made that part.
 */
#include "formats.h"
#include "kernels.h"

/* Meetings of the threads in each block. */
enum { STEPS = 4 };

/* Where the numbers of a pass lie. Matrices are shared, the rest is each thread's own. */
typedef struct {
    const ck_kernels *kernels;
    const ck_decoder_block *blocks;
    ck_text_rows text;
    const float *x;
    float *out;
    size_t stride;
    float *queries, *keys, *values, *attended, *between, *inner;
    uint8_t *whole_attended, *whole_inner;
    char *own;
    size_t own_bytes, own_whole, own_scores;
    int pieces;
} block_work;

typedef struct {
    int first, last;
} range;

/* Panels of a piece, in pairs, so that whole numbers, which have a scale for each 32, can be made part by part. */
static range panels_of(const block_work *work, int outputs, int piece) {
    const int panels = (outputs + 15) / 16, pairs = (panels + 1) / 2;
    const int first = pairs * piece / work->pieces * 2, last = pairs * (piece + 1) / work->pieces * 2;
    return (range){first, last < panels ? last : panels};
}

/* The fewest key heads whose columns are whole blocks of 32. */
static int head_unit(int width) {
    int unit = 1;
    while (unit * width % 32 != 0) unit *= 2;
    return unit;
}

static range heads_of(const block_work *work, const ck_cache *cache, int piece) {
    const int unit = head_unit(cache->width), units = cache->heads / unit;
    return (range){units * piece / work->pieces * unit, units * (piece + 1) / work->pieces * unit};
}

/* Whole numbers of columns first..<last of all rows; the row has `columns`. */
static void quantize_part(
    const block_work *work, const float *x, size_t stride, int columns, int first, int last, uint8_t *whole) {
    const int rows = work->text.rows;
    for (int row = 0; row < rows; row++) {
        const int group = row / CK_ROW_GROUP * CK_ROW_GROUP, width = ck_group_width(rows, row);
        work->kernels->quantize(
            x + (size_t)row * stride + first, last - first, row - group, width,
            whole + ck_quantised_bytes(group, columns) + (size_t)(first / 32 * width) * CK_RECORD);
    }
}

/* Asks for numbers that other threads have just made, all at once: from another core they come slowly, one by one. */
static void fetch(const void *numbers, size_t bytes) {
    for (size_t place = 0; place < bytes; place += 64) __builtin_prefetch((const char *)numbers + place);
}

static bool reads_whole(const ck_weight *a, const ck_weight *b) {
    return ck_is_quantised(a->format) || ck_is_quantised(b->format);
}

/* Rows normalised, and as whole numbers if they are wanted, in the thread's own memory. */
static ck_activations normalized(
    const block_work *work, const float *x, const float *gain, float epsilon, bool whole, int thread) {
    const int columns = work->blocks->query.inputs;
    char *own = work->own + (size_t)thread * work->own_bytes;
    float *rows = (float *)own;
    fetch(x, (size_t)work->text.rows * work->stride * sizeof *x);
    for (int row = 0; row < work->text.rows; row++)
        work->kernels->rms_norm(
            x + (size_t)row * work->stride, columns, gain, epsilon, rows + (size_t)row * work->stride);
    uint8_t *numbers = (uint8_t *)own + work->own_whole;
    if (whole) quantize_part(work, rows, work->stride, columns, 0, columns, numbers);
    return (ck_activations){work->text.rows, rows, work->stride, numbers};
}

static void multiply(
    const block_work *work, const ck_weight *weight, ck_activations x, const float *residual, float *out,
    size_t stride, range panels) {
    const ck_product product = {
        .weight = *weight, .x = x, .residual = residual, .out = out, .out_stride = stride,
    };
    work->kernels->linear(&product, panels.first, panels.last, 0, x.rows);
}

/* Turns heads of every row. `out` is not x: a number and its partner each want what the other was. */
static void turn(
    const block_work *work, const ck_decoder_block *block, const float *x, size_t stride, range heads, float *out) {
    const int width = block->cache.width;
    for (int row = 0; row < work->text.rows; row++) {
        const size_t place = (size_t)row * stride + (size_t)(heads.first * width);
        work->kernels->rotate(
            x + place, (heads.last - heads.first) * width, heads.last - heads.first, block->turned, block->pairing,
            block->turns + (size_t)work->text.positions[row] * (size_t)block->turned * 2, out + place);
    }
}

static void attention_step(const block_work *work, const ck_decoder_block *block, const float *x, int piece, int thread) {
    const ck_cache *cache = &block->cache;
    const range heads = heads_of(work, cache, piece);
    if (heads.first == heads.last) return;
    const int group = block->query_heads / cache->heads, width = cache->width;
    const bool whole = reads_whole(&block->query, &block->key) || ck_is_quantised(block->value.format);
    const ck_activations rows =
        normalized(work, x, block->attention_gain, block->attention_epsilon, whole, thread);
    const size_t query_stride = (size_t)block->query.outputs, stride = (size_t)block->key.outputs;
    const range queries = {heads.first * group, heads.last * group};
    const range query_panels = {queries.first * width / 16, queries.last * width / 16};
    const range panels = {heads.first * width / 16, heads.last * width / 16};
    /* What is not turned yet lies where something else of the same heads will be written later. */
    float *straight_queries = work->attended, *straight_keys = work->values;
    multiply(work, &block->query, rows, NULL, straight_queries, query_stride, query_panels);
    turn(work, block, straight_queries, query_stride, queries, work->queries);
    multiply(work, &block->key, rows, NULL, straight_keys, stride, panels);
    turn(work, block, straight_keys, stride, heads, work->keys);
    multiply(work, &block->value, rows, NULL, work->values, stride, panels);
    const ck_cache_rows written = {
        work->kernels, *cache, work->keys, work->values, stride, work->text.slots, work->text.rows};
    const ck_attention attention = {
        *cache, work->queries, query_stride, block->query_heads, work->text.rows, work->text.committed,
        work->text.sights, work->attended, query_stride};
    float *scores = (float *)(work->own + (size_t)thread * work->own_bytes + work->own_scores);
    for (int head = heads.first; head < heads.last; head++) {
        ck_write_head(&written, head);
        for (int first = 0; first < work->text.rows * group; first += CK_QUERY_TILE) {
            const int last = work->text.rows * group;
            work->kernels->attend(
                &attention, head, first, last < first + CK_QUERY_TILE ? last : first + CK_QUERY_TILE, scores);
        }
    }
    if (ck_is_quantised(block->output.format))
        quantize_part(
            work, work->attended, query_stride, (int)query_stride, queries.first * width, queries.last * width,
            work->whole_attended);
}

static void gated_step(const block_work *work, const ck_decoder_block *block, int piece, int thread) {
    const ck_activations rows = normalized(
        work, work->between, block->feed_forward_gain, block->feed_forward_epsilon,
        reads_whole(&block->gate, &block->up), thread);
    const int columns = block->gate.outputs;
    const range panels = panels_of(work, columns, piece);
    const ck_product product = {
        .weight = block->gate, .up = block->up, .x = rows, .out = work->inner, .out_stride = (size_t)columns,
    };
    work->kernels->gated(&product, panels.first, panels.last, 0, rows.rows);
    if (ck_is_quantised(block->down.format))
        quantize_part(
            work, work->inner, (size_t)columns, columns, panels.first * 16, panels.last * 16, work->whole_inner);
}

static void block_step(void *context, int step, int piece, int thread) {
    const block_work *work = context;
    const ck_decoder_block *block = &work->blocks[step / STEPS];
    /* The first block's rows are the caller's; from then on they are where the last one left them. */
    const float *x = step < STEPS ? work->x : work->out;
    const int hidden = block->output.outputs, rows = work->text.rows;
    switch (step % STEPS) {
    case 0: attention_step(work, block, x, piece, thread); break;
    case 1: {
        const size_t columns = (size_t)block->output.inputs;
        fetch(work->whole_attended, ck_quantised_bytes(rows, block->output.inputs));
        multiply(
            work, &block->output, (ck_activations){rows, work->attended, columns, work->whole_attended}, x,
            work->between, work->stride, panels_of(work, hidden, piece));
        break;
    }
    case 2: gated_step(work, block, piece, thread); break;
    case 3: {
        const size_t columns = (size_t)block->down.inputs;
        fetch(work->whole_inner, ck_quantised_bytes(rows, block->down.inputs));
        multiply(
            work, &block->down, (ck_activations){rows, work->inner, columns, work->whole_inner}, work->between,
            work->out, work->stride, panels_of(work, hidden, piece));
        break;
    }
    }
}

/* ---- Memory. ---- */

static size_t take_bytes(size_t *used, size_t bytes) {
    const size_t place = *used;
    *used += ck_round_up(bytes, 64);
    return place;
}

static int32_t reach_of(const ck_text_rows *text) {
    int32_t reach = 0;
    for (int32_t row = 0; row < text->rows; row++)
        if (text->sights[row].reach > reach) reach = text->sights[row].reach;
    return reach;
}

/* Lays a pass out from `start` on; with NULL for it, only to count. All blocks have the sizes of the first. */
static size_t lay_out(block_work *work, char *start, int threads) {
    const ck_decoder_block *block = work->blocks;
    const int rows = work->text.rows;
    const size_t number = sizeof(float) * (size_t)rows;
    /* A number, since nothing may be added to no place at all. */
    const uintptr_t base = (uintptr_t)start;
    size_t used = 0, own = 0;
    work->queries = (float *)(base + take_bytes(&used, number * (size_t)block->query.outputs));
    work->keys = (float *)(base + take_bytes(&used, number * (size_t)block->key.outputs));
    work->values = (float *)(base + take_bytes(&used, number * (size_t)block->key.outputs));
    work->attended = (float *)(base + take_bytes(&used, number * (size_t)block->query.outputs));
    work->between = (float *)(base + take_bytes(&used, number * work->stride));
    work->inner = (float *)(base + take_bytes(&used, number * (size_t)block->gate.outputs));
    work->whole_attended = (uint8_t *)(base + take_bytes(&used, ck_quantised_bytes(rows, block->query.outputs)));
    work->whole_inner = (uint8_t *)(base + take_bytes(&used, ck_quantised_bytes(rows, block->gate.outputs)));
    take_bytes(&own, number * work->stride);
    work->own_whole = take_bytes(&own, ck_quantised_bytes(rows, block->query.inputs));
    work->own_scores = take_bytes(&own, sizeof(float) * ck_attend_scratch(reach_of(&work->text)));
    work->own_bytes = own;
    work->own = (char *)(base + used);
    return used + own * (size_t)threads;
}

/* ---- Which blocks. ---- */

/* Weights of a block beyond which its products take so long that handing them over one by one costs nothing. */
enum { MOST_NUMBERS = 2000000 };

static bool has_shape(const ck_weight *weight, int32_t outputs, int32_t inputs) {
    return weight->outputs == outputs && weight->inputs == inputs;
}

static bool fits(const ck_decoder_block *block, int32_t hidden, int32_t inner) {
    const ck_cache *cache = &block->cache;
    const int32_t width = cache->width, keys = cache->heads * width, queries = block->query_heads * width;
    /* Rows of any other length are padded, and heads of any other width share panels. */
    const bool even = hidden % 32 == 0 && inner % 32 == 0 && keys % 32 == 0 && queries % 32 == 0 && width % 16 == 0;
    return even && cache->heads % head_unit(width) == 0 && block->query_heads % cache->heads == 0 &&
           has_shape(&block->query, queries, hidden) && has_shape(&block->key, keys, hidden) &&
           has_shape(&block->value, keys, hidden) && has_shape(&block->output, hidden, queries) &&
           has_shape(&block->gate, inner, hidden) && has_shape(&block->up, inner, hidden) &&
           has_shape(&block->down, hidden, inner) && block->turned <= width && block->turned % 2 == 0;
}

bool ck_runs_blocks(const ck_decoder_block *blocks, int32_t count, int32_t rows) {
    if (count < 1 || rows < 1 || rows > CK_MOST_BLOCK_ROWS) return false;
    const int32_t hidden = blocks->query.inputs, queries = blocks->query.outputs, inner = blocks->gate.outputs;
    const int32_t keys = blocks->key.outputs;
    if ((double)hidden * (2.0 * queries + 2.0 * keys + 3.0 * inner) > MOST_NUMBERS) return false;
    for (int32_t i = 0; i < count; i++)
        if (!fits(&blocks[i], hidden, inner) || blocks[i].query.outputs != queries || blocks[i].key.outputs != keys)
            return false;
    return true;
}

size_t ck_blocks_bytes(ck_machine *machine, const ck_decoder_block *blocks, size_t stride, ck_text_rows text) {
    block_work work = {.blocks = blocks, .text = text, .stride = stride};
    return lay_out(&work, NULL, ck_machine_threads(machine));
}

void ck_run_blocks(
    ck_machine *machine, const ck_decoder_block *blocks, int32_t count, const float *x, size_t stride, ck_text_rows text,
    float *out, void *scratch) {
    block_work work = {
        .kernels = ck_machine_kernels(machine), .blocks = blocks, .text = text, .x = x, .out = out, .stride = stride,
    };
    const int threads = ck_machine_threads(machine);
    lay_out(&work, scratch, threads);
    const int units = blocks->cache.heads / head_unit(blocks->cache.width);
    work.pieces = units < threads ? units : threads;
    ck_machine_run_steps(machine, count * STEPS, work.pieces, block_step, &work);
}

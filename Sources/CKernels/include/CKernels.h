/* CKernels.h — the language model's arithmetic in C: row exact for any number of rows, threads and tree shape.
 *
 * Called only by Backend/CPU, which checks lengths before each call. No function exits, throws or keeps a pointer.
 *
 * Matrices are float32, row by row. A row takes `stride` floats: its columns rounded up to a multiple of 16, and the
 * numbers beyond the columns are zero. Every pointer to floats is 64-byte aligned and may be read in whole sixteens.
 */
#ifndef CKERNELS_H
#define CKERNELS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "choice.h"

/* ---- The machine: an instruction set and a pool of threads. ------------------------------------------------------ */

/* The later the better, of those that one processor has. */
typedef enum { CK_PORTABLE = 0, CK_AVX2 = 1, CK_AVXVNNI = 2, CK_AVX512 = 3, CK_NEON = 4 } ck_isa;
enum { CK_ISAS = CK_NEON + 1 };

/* Does this processor (and system) run that instruction set? */
bool ck_isa_available(ck_isa isa);
/* The best one that it runs. */
ck_isa ck_isa_best(void);

/* Physical cores that this process may use: CPU affinity and the control group's quota taken into account. */
int ck_physical_cores(void);

typedef struct ck_machine ck_machine;

/* `threads` counts the calling thread. NULL if the system gives no memory or threads, or lacks the instruction set. */
ck_machine *ck_machine_create(ck_isa isa, int threads);
/* Ends the pool's threads. No other call may be in progress. */
void ck_machine_destroy(ck_machine *machine);

/* Does one piece of a work. `thread` is below the machine's thread count and runs one piece at a time. */
typedef void (*ck_piece)(void *context, int piece, int thread);

/* Runs pieces 0..<pieces, in any order, on any thread, and returns when all are done. */
void ck_machine_run(ck_machine *machine, int pieces, ck_piece work, void *context);

/* Does one piece of one step of a work. */
typedef void (*ck_step)(void *context, int step, int piece, int thread);

/* Runs steps 0..<steps in order, each of pieces 0..<pieces, at most as many as there are threads: all pieces of a step are
 * done before one of the next begins. Piece p is thread p's own, so that what it reads again stays in that core's caches;
 * another thread does it only while that one is away. */
void ck_machine_run_steps(ck_machine *machine, int steps, int pieces, ck_step work, void *context);

/* ---- Weights and products. ---------------------------------------------------------------------------------------- */

/* Names and blocks are GGUF's. */
typedef enum {
    CK_F32,
    CK_F16,
    CK_BF16,
    CK_Q8_0,
    CK_Q4_0,
    CK_Q4_1,
    CK_Q5_0,
    CK_Q5_1,
    CK_Q2_K,
    CK_Q3_K,
    CK_Q4_K,
    CK_Q5_K,
    CK_Q6_K,
    CK_IQ4_NL,
    CK_IQ4_XS,
} ck_format;
enum { CK_FORMATS = CK_IQ4_XS + 1 };

/* Are its products taken with whole-number activations? */
bool ck_is_quantised(ck_format format);
/* Bytes of a row in a file. `columns` is a multiple of the format's block: 32, 256 for K and IQ4_XS, 1 for floats. */
size_t ck_row_bytes(ck_format format, int32_t columns);

/* A weight [outputs, inputs], packed by ck_pack. */
typedef struct {
    ck_format format;
    int32_t outputs;
    int32_t inputs;
    const void *packed;
} ck_weight;

/* Bytes that ck_pack writes. */
size_t ck_packed_bytes(ck_format format, int32_t outputs, int32_t inputs);
/* Packs GGUF rows into 64-byte aligned memory. `inputs` is a multiple of the format's block. */
void ck_pack(
    ck_machine *machine, ck_format format, const void *rows, int32_t outputs, int32_t inputs, void *packed);
/* The same from rows of F32, F16 or BF16 numbers, which first become blocks of Q8_0, Q4_0 or Q4_K. `scratch` holds
 * threads * ck_convert_scratch(to, inputs) bytes, 64-byte aligned. False where a number is not finite, or too large to
 * have a scale in half precision. The bits do not depend on the instruction set. */
bool ck_convert(
    ck_machine *machine, ck_format from, const void *rows, int32_t outputs, int32_t inputs, ck_format to, void *scratch,
    void *packed);
size_t ck_convert_scratch(ck_format to, int32_t inputs);
/* One GGUF row of Q8_0, Q4_0 or Q4_K, made of float32 numbers; false as above. */
bool ck_make_row(const ck_machine *machine, ck_format to, const float *x, int32_t columns, void *row);

/* A number that differs wherever a single word of 4 bytes does, and else with all likelihood: for what is kept on disk. */
uint64_t ck_checksum(ck_machine *machine, const void *bytes, size_t count);

/* One GGUF row as float32. */
void ck_expand(ck_format format, const void *row, int32_t columns, float *out);

/* Rows of activations, as floats and, for a quantised weight, as the whole numbers that ck_quantize made of them. */
typedef struct {
    int32_t rows;
    const float *x;
    size_t stride;
    const void *whole;
} ck_activations;

/* Bytes that ck_quantize writes; columns is a multiple of 32. */
size_t ck_quantised_bytes(int32_t rows, int32_t columns);
/* Rows as whole numbers of one byte with a scale for each 32, in 64-byte aligned memory (kernels.h: ck_record). */
void ck_quantize(
    ck_machine *machine, const float *x, int32_t rows, int32_t columns, size_t stride, void *whole);

typedef enum { CK_NONE = 0, CK_QUICK_GELU = 1, CK_GELU = 2 } ck_activation;

/* out = activation(x * weight^T + bias) + residual; bias and residual may be NULL. */
void ck_linear(
    ck_machine *machine, ck_weight weight, ck_activations x, const float *bias, ck_activation activation,
    const float *residual, float *out, size_t out_stride);

/* out = silu(x * gate^T) * (x * up^T); the weights have the same shape. */
void ck_gated(
    ck_machine *machine, ck_weight gate, ck_weight up, ck_activations x, float *out, size_t out_stride);

/* In place on a block of a product made elsewhere: activation(out + bias) + residual. On the calling thread.
 * `columns` is a multiple of 16; bias and residual (of the same stride) start at the block's first column. */
void ck_finish(
    const ck_machine *machine, float *out, size_t stride, int32_t rows, int32_t columns, const float *bias,
    ck_activation activation, const float *residual);

/* ---- Products of fixed shape, on whole numbers of two bytes (wide.h). ----------------------------------------------- */

/* Inputs come in whole blocks of so many numbers. */
enum { CK_WIDE_BLOCK = 64 };

/* Does the machine's instruction set do these products faster than float32's? Only then the others here may be called. */
bool ck_wide_available(const ck_machine *machine);

/* Bytes that ck_wide_pack writes. */
size_t ck_wide_weight_bytes(int32_t outputs, int32_t inputs);
/* Packs GGUF rows of any format into 64-byte aligned memory. */
void ck_wide_pack(
    ck_machine *machine, ck_format format, const void *rows, int32_t outputs, int32_t inputs, void *packed);

/* Bytes that ck_wide_rows writes. */
size_t ck_wide_row_bytes(int32_t rows, int32_t columns);
/* Rows of activations as whole numbers, in 64-byte aligned memory. */
void ck_wide_rows(ck_machine *machine, const float *x, int32_t rows, int32_t columns, size_t stride, void *whole);

/* out = activation(x * weight^T + bias) + residual for `rows` rows that ck_wide_rows made; bias and residual may be NULL. */
void ck_wide_linear(
    ck_machine *machine, const void *packed, int32_t outputs, int32_t inputs, const void *whole, int32_t rows,
    const float *bias, ck_activation activation, const float *residual, float *out, size_t out_stride);

/* ---- Rows. ------------------------------------------------------------------------------------------------------- */

void ck_rms_norm(
    ck_machine *machine, const float *x, int32_t rows, int32_t columns, size_t stride, const float *gain, float epsilon,
    float *out);
void ck_layer_norm(
    ck_machine *machine, const float *x, int32_t rows, int32_t columns, size_t stride, const float *gain,
    const float *bias, float epsilon, float *out);

typedef enum { CK_ADJACENT = 0, CK_HALVES = 1 } ck_pairing;

/* Turns every head of every row. The table holds for each position the cosine of each of a head's `width` numbers, then
 * the sine, negative for the first number of a pair. */
void ck_rotate(
    ck_machine *machine, const float *x, int32_t rows, int32_t columns, size_t stride, int32_t heads, int32_t width,
    ck_pairing pairing, const int32_t *positions, const float *table, float *out);

/* The column of the largest number, the lowest on a tie. */
int32_t ck_argmax(const ck_machine *machine, const float *row, int32_t columns);
/* The `count` largest numbers, largest first, the lower column first on a tie; count <= columns. */
void ck_best(
    const ck_machine *machine, const float *row, int32_t columns, int32_t count, int32_t *best_columns, float *best);

/* ---- Attention. -------------------------------------------------------------------------------------------------- */

/* Keys and values of one layer; cache.c tells how they lie. */
typedef struct {
    void *keys;
    void *values;
    int32_t slots; /* a multiple of 16 */
    int32_t heads;
    int32_t width;
    ck_format format; /* CK_F32; CK_F16: half the bytes to read; CK_Q8_0: 9 bits a number */
} ck_cache;

size_t ck_cache_key_bytes(ck_format format, int32_t slots, int32_t heads, int32_t width);
size_t ck_cache_value_bytes(ck_format format, int32_t slots, int32_t heads, int32_t width);

/* Writes row r of keys and values (heads * width columns) to slots[r]. Numbers are rounded to the nearest, ties to even:
 * in half precision, where one beyond 65504 becomes that, or to codes from -127 to 127 with a scale for each 32. What
 * was read before is written as it was. */
void ck_cache_write(
    ck_machine *machine, ck_cache cache, const float *keys, const float *values, size_t stride, const int32_t *slots,
    int32_t rows);
/* Reads what stands in slots[r] to row r of keys and values, exactly. */
void ck_cache_read(
    ck_cache cache, float *keys, float *values, size_t stride, const int32_t *slots, int32_t rows);
/* Copies keys and values from one slot to another, bit for bit. */
void ck_cache_copy(ck_cache cache, int32_t from, int32_t to);

/* What a row sees, in order of position: slots 0..<committed, then tail[0..<count]. */
typedef struct {
    const int32_t *tail;
    int32_t count;
    int32_t straight; /* the i-th thing seen lies in slot i for all i below this; at least committed */
    int32_t reach;    /* every slot seen lies below this */
} ck_sight;

/* Floats of scratch memory that each thread needs for rows of this reach. */
size_t ck_attend_scratch(int32_t reach);

/* out = softmax(q * k^T / sqrt(width)) * v over what each row sees; query head h reads key head h * heads / query_heads.
 * `scratch` holds threads * ck_attend_scratch(largest reach) floats. */
void ck_attend(
    ck_machine *machine, ck_cache cache, const float *queries, size_t query_stride, int32_t query_heads, int32_t rows,
    int32_t committed, const ck_sight *sights, float *scratch, float *out, size_t out_stride);

/* ---- Blocks. ----------------------------------------------------------------------------------------------------- */

/* One block of a LLaMA decoder. Its norms are root mean squares. */
typedef struct {
    ck_weight query, key, value, output, gate, up, down;
    const float *attention_gain, *feed_forward_gain;
    float attention_epsilon, feed_forward_epsilon;
    const float *turns; /* as ck_rotate's table */
    int32_t turned;     /* numbers of a head that turn */
    ck_pairing pairing;
    int32_t query_heads;
    ck_cache cache;
} ck_decoder_block;

/* Rows of text: their positions, their slots in every cache, and what each sees. */
typedef struct {
    int32_t rows;
    const int32_t *positions;
    const int32_t *slots;
    int32_t committed;
    const ck_sight *sights;
} ck_text_rows;

/* Beyond so many rows the threads would make the same numbers longer than they wait for each other. */
enum { CK_MOST_BLOCK_ROWS = 16 };

/* Whether ck_run_blocks takes these blocks: small ones of equal sizes that need no padding, and few rows. */
bool ck_runs_blocks(const ck_decoder_block *blocks, int32_t count, int32_t rows);
/* Bytes of scratch memory that it wants; 64-byte aligned. */
size_t ck_blocks_bytes(ck_machine *machine, const ck_decoder_block *blocks, size_t stride, ck_text_rows text);
/* Runs rows x through the blocks, bit for bit as the operations one by one would. `out` is not x. */
void ck_run_blocks(
    ck_machine *machine, const ck_decoder_block *blocks, int32_t count, const float *x, size_t stride, ck_text_rows text,
    float *out, void *scratch);

#endif

/* kernels.h — what an instruction set offers. portable.c, avx2.c, avxvnni.c, avx512.c and neon.c each fill one table. */
#ifndef CK_KERNELS_H
#define CK_KERNELS_H
#include "CKernels.h"

#define CK_FUNCTION static inline __attribute__((always_inline))
#define CK_LANES 16

static inline size_t ck_round_up(size_t count, size_t step) { return (count + step - 1) / step * step; }

/* A product and what is done to it. `up` is used by ck_gated only. */
typedef struct {
    ck_weight weight, up;
    ck_activations x;
    const float *bias;
    ck_activation activation;
    const float *residual;
    float *out;
    size_t out_stride;
} ck_product;

/* Rows of activations that stand side by side as whole numbers, and that a tile of a quantised product has: the rows from
 * 4 g on, as many as there are, in one record for each block of 32 columns. A record of w rows holds
 *
 *     int8 q[w][32], float scale[w], float total[w], int32 offset[w][2]:  x = q * scale, total = scale * (sum of q),
 *                                                  offset = -8 * (sum of q over the first and the second sixteen)
 *
 * so that a tile reads one stream, whatever the length of a row. */
enum { CK_ROW_GROUP = 4, CK_RECORD = 48 };

static inline int ck_group_width(int rows, int row) {
    const int left = rows - row / CK_ROW_GROUP * CK_ROW_GROUP;
    return left < CK_ROW_GROUP ? left : CK_ROW_GROUP;
}

/* The records of the group that begins with `row`, a multiple of CK_ROW_GROUP. */
static inline const uint8_t *ck_records(const ck_activations *x, int row, int columns) {
    return (const uint8_t *)x->whole + (size_t)row * (size_t)(columns / 32) * CK_RECORD;
}

/* Panels of a quantised weight, from the first one of a tile on: panel p begins panel_bytes * p further. `unpacked` are
 * the blocks of a stretch as quantised.h makes them ready for many rows, or NULL. */
typedef struct {
    const uint8_t *lines, *scales;
    size_t panel_bytes;
    int blocks;
    const void *unpacked;
} ck_panels;

/* Weights come from memory once. A tile asks for the block that lies `blocks` ahead, and beyond its panels' last block for
 * the first ones of `next`, the panels that are read after them; it does so at every period-th block, from block `phase`
 * of its stretch on: the tiles of a stretch share the asking, so that memory never rests. */
typedef struct {
    const uint8_t *next;
    int blocks, phase, period;
} ck_ahead;

typedef struct {
    ck_cache cache;
    const float *queries;
    size_t query_stride;
    int32_t query_heads, rows, committed;
    const ck_sight *sights;
    float *out;
    size_t out_stride;
} ck_attention;

/* A product of wide.h: panels of `outputs`, groups of `rows`. */
typedef struct {
    const uint8_t *packed;
    int32_t outputs, inputs;
    const int16_t *numbers;
    const float *scales;
    int32_t rows;
    const float *bias;
    ck_activation activation;
    const float *residual;
    float *out;
    size_t out_stride;
} ck_wide_product;

/* Rows of a group, panels of a tile, and the largest of a block's numbers: CK_WIDE_BLOCK of its squares are below 2^31. */
enum { CK_WIDE_ROWS = 8, CK_WIDE_TILE = 3, CK_WIDE_REACH = 5792 };

/* Bytes between two panels of a weight of wide.h: scales, then numbers. */
static inline size_t ck_wide_panel_bytes(int32_t inputs) {
    return (size_t)inputs / CK_WIDE_BLOCK * 64 + (size_t)inputs * 32;
}

typedef struct {
    /* Outputs of panels first..<last for rows row..<row_end. */
    void (*linear)(const ck_product *product, int first, int last, int row, int row_end);
    void (*gated)(const ck_product *product, int first, int last, int row, int row_end);
    void (*finish)(
        float *out, size_t stride, int rows, int columns, const float *bias, ck_activation activation,
        const float *residual);
    /* Row `row` of a group of `width` rows, whose records begin at `records`. */
    void (*quantize)(const float *x, int columns, int row, int width, uint8_t *records);
    void (*rms_norm)(const float *x, int columns, const float *gain, float epsilon, float *out);
    void (*layer_norm)(const float *x, int columns, const float *gain, const float *bias, float epsilon, float *out);
    void (*rotate)(
        const float *x, int columns, int heads, int width, ck_pairing pairing, const float *turn, float *out);
    float (*largest)(const float *row, int columns);
    /* Rounds `count` numbers to half precision. */
    void (*narrow)(const float *x, int count, uint16_t *out);
    /* One GGUF row of Q8_0, Q4_0 or Q4_K; false where a number is not finite or has no scale. */
    bool (*make_row)(ck_format to, const float *x, int32_t columns, uint8_t *row);
    /* At most a stretch of what is summed. */
    uint64_t (*sum_of_stretch)(const uint8_t *bytes, size_t count);
    /* Queries first..<last of one key head; a query is row * group + head within the group. */
    void (*attend)(const ck_attention *attention, int key_head, int first, int last, float *scratch);
    /* Products of wide.h, where the instruction set has what makes them fast; otherwise NULL. */
    void (*wide)(const ck_wide_product *product, int first, int panels, int group, int group_end);
    void (*wide_group)(const float *x, size_t stride, int rows, int columns, int16_t *numbers, float *scales);
} ck_kernels;

/* Rows of keys and values on their way into a cache. */
typedef struct {
    const ck_kernels *kernels;
    ck_cache cache;
    const float *keys, *values;
    size_t stride;
    const int32_t *slots;
    int32_t rows;
} ck_cache_rows;

/* Writes one head of every row to its slot. */
void ck_write_head(const ck_cache_rows *rows, int head);

extern const ck_kernels ck_portable_kernels;
#if defined(__x86_64__)
extern const ck_kernels ck_avx2_kernels;
extern const ck_kernels ck_avxvnni_kernels;
extern const ck_kernels ck_avx512_kernels;
#elif defined(__aarch64__)
extern const ck_kernels ck_neon_kernels;
#endif

/* The table of an instruction set that is available. */
const ck_kernels *ck_kernels_of(ck_isa isa);

/* Bytes between two panels of a packed weight. */
size_t ck_panel_bytes(ck_format format, int32_t inputs);
/* Packs `lanes` (at most 16) GGUF rows into one panel. */
void ck_pack_panel(ck_format format, const uint8_t *rows, int32_t lanes, int32_t inputs, uint8_t *place);

/* Multiply-adds that one thread does in the time of a hand-over, roughly. */
enum { CK_WORTH_SHARING = 32768 };

const ck_kernels *ck_machine_kernels(const ck_machine *machine);
int ck_machine_threads(const ck_machine *machine);

/* Queries that one attention piece takes: the rows of a tile share what they load of the cache. */
#define CK_QUERY_TILE 8

#endif

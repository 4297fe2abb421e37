/* openblas.c — finds OpenBLAS at run time. Nothing is linked: who never shows a picture neither needs the library nor
 * waits for it, and its pool of threads, which would be made with it, never is. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "COpenBLAS.h"

extern char **environ;

/* cblas.h's: row by row, as it is, transposed. */
enum { ROW_MAJOR = 101, NO_TRANSPOSE = 111, TRANSPOSE = 112 };

typedef void (*multiply)(
    int order, int x_transpose, int weight_transpose, int rows, int outputs, int inputs, float alpha, const float *x,
    int x_stride, const float *weight, int weight_stride, float beta, float *out, int out_stride);

static pthread_once_t once = PTHREAD_ONCE_INIT;
static multiply product;
static char problem[512], description[256];

/* Opens the library with a pool of no more threads than the caller. OpenBLAS asks the environment for their number while
 * it is loaded. Other threads may read the environment meanwhile, so it is not changed: another one, of the same
 * variables and one more in front, stands in for it. */
static void *open_alone(const char *name) {
    size_t count = 0;
    while (environ && environ[count]) count++;
    char **lent = malloc((count + 2) * sizeof *lent);
    if (!lent) return dlopen(name, RTLD_NOW | RTLD_LOCAL);
    static char alone[] = "OPENBLAS_NUM_THREADS=1";
    lent[0] = alone;
    if (count > 0) memcpy(lent + 1, environ, count * sizeof *lent);
    lent[count + 1] = NULL;
    char **own = environ;
    environ = lent;
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    environ = own;
    /* Never freed: a thread may still be reading it. */
    return library;
}

static void load(void) {
#if defined(__APPLE__)
    static const char *const names[] = {"libopenblas.0.dylib", "libopenblas.dylib"};
#else
    static const char *const names[] = {"libopenblas.so.0", "libopenblas.so"};
#endif
    void *library = open_alone(names[0]);
    if (!library) {
        const char *said = dlerror();
        snprintf(problem, sizeof problem, "%s", said ? said : names[0]);
        library = open_alone(names[1]);
    }
    if (!library) return;
    problem[0] = 0;
    product = (multiply)dlsym(library, "cblas_sgemm");
    void (*set_threads)(int) = (void (*)(int))dlsym(library, "openblas_set_num_threads");
    char *(*configuration)(void) = (char *(*)(void))dlsym(library, "openblas_get_config");
    char *(*core)(void) = (char *(*)(void))dlsym(library, "openblas_get_corename");
    if (!product || !set_threads || !configuration || !core) {
        snprintf(problem, sizeof problem, "what is found as %s lacks functions of OpenBLAS", names[0]);
        return;
    }
    /* Its pieces, and so its bits, would follow the thread count. */
    set_threads(1);
    snprintf(description, sizeof description, "%s; %s", configuration(), core());
}

const char *ob_load(void) {
    pthread_once(&once, load);
    return problem[0] ? problem : NULL;
}

const char *ob_description(void) { return description; }

void ob_multiply(
    int rows, int outputs, int inputs, const float *x, int x_stride, const float *weight, float *out, int out_stride) {
    product(
        ROW_MAJOR, NO_TRANSPOSE, TRANSPOSE, rows, outputs, inputs, 1, x, x_stride, weight, inputs, 0, out, out_stride);
}

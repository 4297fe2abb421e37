/* CKernels.h — the language model's arithmetic in C: row exact for any number of rows, threads and tree shape. */
#ifndef CKERNELS_H
#define CKERNELS_H
#include <stddef.h>
#include <stdint.h>
#include "choice.h"
int ck_version(void);
#endif

/* CFileGuard.h — a mapped file that shrinks costs an error message, not the program. Called by FileBytes alone. */
#ifndef CFILEGUARD_H
#define CFILEGUARD_H

#include <stddef.h>

/* Guards the mapping at `start`: where its file has no bytes any more, or they cannot be read, it reads as zeros from
 * then on, and `fg_lost` says so. Returns the guard's number, or -1 where too many mappings are guarded. */
int fg_guard(void *start, size_t length);

/* Ends a guard. Before the mapping goes: another one may take its place at once. */
void fg_release(int guard);

/* Whether the mapping has lost bytes. */
int fg_lost(int guard);

/* Sees to it that the handler is in place, where somebody else has put one over it meanwhile. */
void fg_renew(void);

#endif

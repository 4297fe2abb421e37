/* guard.c — SIGBUS inside a guarded mapping puts zeros in the place of what is lost; any other goes to whom it would
 * have gone to. The handler calls nothing but mmap, sigaction and raise: no lock, no memory. */
#include "CFileGuard.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A model has a file or some fifteen; a process has a few models. */
enum { guards = 1024, free_slot = 0, taken_slot = 1 };

/* `start` is set last and cleared first, so that whoever sees an address sees its length. */
static struct {
    _Atomic(uintptr_t) start;
    _Atomic(uintptr_t) end;
    atomic_int lost;
} ranges[guards];

static uintptr_t page_size;
static struct sigaction before;
static pthread_mutex_t installing = PTHREAD_MUTEX_INITIALIZER;

static int put_zeros(uintptr_t place) {
    for (int i = 0; i < guards; i++) {
        uintptr_t start = atomic_load(&ranges[i].start), end = atomic_load(&ranges[i].end);
        if (start <= taken_slot || place < start || place >= end) continue;
        /* To the end: a model that has lost a page is no model any more, and one fault is enough. */
        uintptr_t page = place & ~(page_size - 1);
        void *zeros = mmap((void *)page, end - page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        if (zeros == MAP_FAILED) return 0;
        atomic_store(&ranges[i].lost, 1);
        return 1;
    }
    return 0;
}

static void on_bus_error(int number, siginfo_t *reason, void *context) {
    (void)context;
    int kept = errno;
    int is_access = reason->si_code > 0; /* else somebody has sent the signal */
    if (!is_access || !put_zeros((uintptr_t)reason->si_addr)) {
        /* Not ours: the access comes again when this handler returns, and meets the one before. */
        sigaction(number, &before, NULL);
        if (!is_access) raise(number);
    }
    errno = kept;
}

void fg_renew(void) {
    struct sigaction now;
    if (sigaction(SIGBUS, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_bus_error) return;
    pthread_mutex_lock(&installing);
    sigaction(SIGBUS, NULL, &now);
    if (!(now.sa_flags & SA_SIGINFO) || now.sa_sigaction != on_bus_error) {
        page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
        before = now;
        struct sigaction ours;
        memset(&ours, 0, sizeof ours);
        ours.sa_sigaction = on_bus_error;
        ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
        sigemptyset(&ours.sa_mask);
        sigaction(SIGBUS, &ours, NULL);
    }
    pthread_mutex_unlock(&installing);
}

int fg_guard(void *start, size_t length) {
    fg_renew();
    for (int i = 0; i < guards; i++) {
        uintptr_t expected = free_slot;
        if (!atomic_compare_exchange_strong(&ranges[i].start, &expected, taken_slot)) continue;
        atomic_store(&ranges[i].lost, 0);
        atomic_store(&ranges[i].end, ((uintptr_t)start + length + page_size - 1) & ~(page_size - 1));
        atomic_store(&ranges[i].start, (uintptr_t)start);
        return i;
    }
    return -1;
}

void fg_release(int guard) { atomic_store(&ranges[guard].start, free_slot); }

int fg_lost(int guard) { return atomic_load(&ranges[guard].lost); }

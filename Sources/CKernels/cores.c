/* cores.c — how many threads are worth starting.
 *
 *     cores = distinct (package, core) pairs among the processors of our affinity mask, at most the quota of the group
 *
 * A second thread on one core shares its vector units, and threads beyond the quota are stopped by the scheduler in the
 * middle of a piece while all others wait.
 */
#if defined(__linux__)
#define _GNU_SOURCE
#include <sched.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "CKernels.h"

#if defined(__linux__)

static bool read_number(const char *path, long *number) {
    FILE *file = fopen(path, "r");
    if (!file) return false;
    bool good = fscanf(file, "%ld", number) == 1;
    fclose(file);
    return good;
}

static long topology(int processor, const char *what) {
    char path[96];
    long number;
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/%s", processor, what);
    /* Without topology every processor counts as a core of its own. */
    return read_number(path, &number) ? number : processor;
}

/* Whole cores of the control group's quota; 0 if there is none. */
static int quota_cores(void) {
    long quota = 0, period = 0;
    FILE *file = fopen("/sys/fs/cgroup/cpu.max", "r");
    if (file) {
        /* "max 100000" without a quota: then nothing is read. */
        if (fscanf(file, "%ld %ld", &quota, &period) != 2) quota = 0;
        fclose(file);
    } else if (!read_number("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", &quota) ||
               !read_number("/sys/fs/cgroup/cpu/cpu.cfs_period_us", &period)) {
        quota = 0;
    }
    if (quota <= 0 || period <= 0) return 0;
    return quota < period ? 1 : (int)(quota / period);
}

int ck_physical_cores(void) {
    enum { MOST = CPU_SETSIZE };
    static const int fallback = 1;
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return fallback;
    long seen[MOST];
    int cores = 0;
    for (int processor = 0; processor < MOST; processor++) {
        if (!CPU_ISSET(processor, &allowed)) continue;
        long place = topology(processor, "physical_package_id") * 65536 + topology(processor, "core_id");
        bool known = false;
        for (int index = 0; index < cores && !known; index++) known = seen[index] == place;
        if (!known) seen[cores++] = place;
    }
    int quota = quota_cores();
    if (quota > 0 && quota < cores) cores = quota;
    return cores > 0 ? cores : fallback;
}

#else

int ck_physical_cores(void) {
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}

#endif

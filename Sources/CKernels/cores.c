/* cores.c — how many threads are worth starting.
 *
 *     cores = distinct (package, core) pairs among the processors of our affinity mask, at most the quota of our control
 *             group and of those above it
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
#include <string.h>
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

/* Whole cores of one control group's quota; 0 if it has none. */
static int quota_of(const char *root, const char *group, bool unified) {
    char path[4352];
    long quota = 0, period = 0;
    snprintf(path, sizeof path, "%s%s/%s", root, group, unified ? "cpu.max" : "cpu.cfs_quota_us");
    if (unified) {
        FILE *file = fopen(path, "r");
        if (!file) return 0;
        /* "max 100000" without a quota: then nothing is read. */
        if (fscanf(file, "%ld %ld", &quota, &period) != 2) quota = 0;
        fclose(file);
    } else {
        if (!read_number(path, &quota)) return 0;
        snprintf(path, sizeof path, "%s%s/cpu.cfs_period_us", root, group);
        if (!read_number(path, &period)) return 0;
    }
    if (quota <= 0 || period <= 0) return 0;
    return quota < period ? 1 : (int)(quota / period);
}

static int least(int cores, int others) { return cores == 0 || (others > 0 && others < cores) ? others : cores; }

static bool names_processors(const char *controllers) {
    const char *found = strstr(controllers, "cpu");
    while (found && !((found == controllers || found[-1] == ',') && (found[3] == 0 || found[3] == ',')))
        found = strstr(found + 1, "cpu");
    return found != NULL;
}

/* Whole cores that the process's control group and every group above it allow; 0 if there is no quota. */
static int quota_cores(void) {
    int cores = 0;
    char line[4096];
    FILE *file = fopen("/proc/self/cgroup", "r");
    if (!file) return 0;
    /* "0::/group" in the unified hierarchy, "4:cpu,cpuacct:/group" in one of its own. */
    while (fgets(line, sizeof line, file)) {
        char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group) continue;
        *group++ = 0;
        group[strcspn(group, "\n")] = 0;
        const bool unified = controllers[1] == 0;
        if (!unified && !names_processors(controllers + 1)) continue;
        /* In a container the group's own folder may not be there; the root's then tells. */
        const char *root = unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu";
        cores = least(cores, quota_of(root, group, unified));
        for (char *slash = strrchr(group, '/'); slash; slash = strrchr(group, '/')) {
            *slash = 0;
            cores = least(cores, quota_of(root, group, unified));
        }
    }
    fclose(file);
    return cores;
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

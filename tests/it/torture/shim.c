/* Loaded before the C library: the n-th call of one function fails, or changes a file while the program reads it.
 *
 *   SHIM_CALL    read, write, fsync, rename, link, open; grow, shrink (which count reads); or clock: from the n-th look on, it is
 *                a hundred years earlier
 *   SHIM_NTH     which call, from 1
 *   SHIM_FILE    the file that grow and shrink change
 *   SHIM_MARK    this file is made when the call has come
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static atomic_int calls;

static int is_wanted(const char *name) {
    const char *call = getenv("SHIM_CALL");
    return call && !strcmp(call, name);
}

static int comes(const char *name) {
    const char *nth = getenv("SHIM_NTH"), *mark = getenv("SHIM_MARK");
    if (!is_wanted(name) || !nth || atomic_fetch_add(&calls, 1) + 1 != atoi(nth)) return 0;
    if (mark) {
        long fd = syscall(SYS_openat, AT_FDCWD, mark, O_WRONLY | O_CREAT, 0644);
        if (fd >= 0) syscall(SYS_close, fd);
    }
    return 1;
}

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

ssize_t read(int fd, void *to, size_t count) {
    const char *file = getenv("SHIM_FILE");
    if (comes("read")) { errno = EIO; return -1; }
    if (file && comes("grow")) {
        long other = syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_APPEND, 0);
        syscall(SYS_write, other, "and more", 8);
        syscall(SYS_close, other);
    }
    if (file && comes("shrink")) syscall(SYS_truncate, file, 10);
    return REAL(ssize_t, read, int, void *, size_t)(fd, to, count);
}

ssize_t write(int fd, const void *from, size_t count) {
    /* What goes to the terminal is left alone, so that errors can be read. */
    if (fd > 2 && comes("write")) {
        errno = ENOSPC;
        /* Half of it was written, as on a disk that fills up. */
        return count > 1 ? REAL(ssize_t, write, int, const void *, size_t)(fd, from, count / 2) : -1;
    }
    if (fd > 2 && is_wanted("write") && atomic_load(&calls) >= atoi(getenv("SHIM_NTH"))) {
        errno = ENOSPC;
        return -1;
    }
    return REAL(ssize_t, write, int, const void *, size_t)(fd, from, count);
}

int fsync(int fd) {
    if (comes("fsync")) { errno = EIO; return -1; }
    return REAL(int, fsync, int)(fd);
}

int rename(const char *from, const char *to) {
    if (comes("rename")) { errno = EIO; return -1; }
    return REAL(int, rename, const char *, const char *)(from, to);
}

int linkat(int a, const char *from, int b, const char *to, int flags) {
    if (comes("link")) { errno = EPERM; return -1; }
    return REAL(int, linkat, int, const char *, int, const char *, int)(a, from, b, to, flags);
}

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = va_arg(more, mode_t);
    va_end(more);
    if (comes("open")) { errno = EMFILE; return -1; }
    return REAL(int, open64, const char *, int, ...)(path, flags, mode);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int done = REAL(int, clock_gettime, clockid_t, struct timespec *)(clock, time);
    if (clock == CLOCK_REALTIME && is_wanted("clock")) {
        comes("clock");
        if (atomic_load(&calls) >= atoi(getenv("SHIM_NTH"))) time->tv_sec -= 100L * 365 * 24 * 3600;
    }
    return done;
}

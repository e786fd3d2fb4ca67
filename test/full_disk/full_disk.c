/*
 * A disk that is full while a test wants it to be. Preloaded into a server (LD_PRELOAD), it makes every
 * write that would lengthen a file fail with ENOSPC as long as the file HERD_FULL_DISK_FLAG exists, for
 * files below the directory HERD_FULL_DISK_DIR only: what is there already can be written, as on a real
 * disk, and logs elsewhere go on.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static bool is_full(void)
{
    const char *flag = getenv("HERD_FULL_DISK_FLAG");
    return flag != NULL && access(flag, F_OK) == 0;
}

static bool is_on_disk(int fd)
{
    const char *directory = getenv("HERD_FULL_DISK_DIR");
    char name[64];
    char path[PATH_MAX];
    ssize_t length;

    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    length = readlink(name, path, sizeof path - 1);
    if (directory == NULL || length < 0)
        return false;
    path[length] = '\0';
    return strncmp(path, directory, strlen(directory)) == 0;
}

/* Whether there is no room for the file to reach that length. */
static bool no_room(int fd, off_t length)
{
    int error = errno;
    struct stat file;
    bool full = is_full() && fstat(fd, &file) == 0 && S_ISREG(file.st_mode) && length > file.st_size &&
                is_on_disk(fd);

    errno = full ? ENOSPC : error;
    return full;
}

static off_t total(const struct iovec *parts, int count)
{
    off_t sum = 0;

    for (int i = 0; i < count; i++)
        sum += parts[i].iov_len;
    return sum;
}

static void *real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    if (function == NULL)
        abort();
    return function;
}

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__)) real(name))

ssize_t write(int fd, const void *bytes, size_t count)
{
    static ssize_t (*next)(int, const void *, size_t);
    off_t at;

    if (next == NULL)
        next = REAL(ssize_t, "write", int, const void *, size_t);
    if (is_full())
    {
        int error = errno;

        at = lseek(fd, 0, SEEK_CUR);
        errno = error;
        if (at >= 0 && no_room(fd, at + count))
            return -1;
    }
    return next(fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at)
{
    static ssize_t (*next)(int, const void *, size_t, off_t);

    if (next == NULL)
        next = REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
    return no_room(fd, at + count) ? -1 : next(fd, bytes, count, at);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
    static ssize_t (*next)(int, const struct iovec *, int, off_t);

    if (next == NULL)
        next = REAL(ssize_t, "pwritev", int, const struct iovec *, int, off_t);
    return no_room(fd, at + total(parts, count)) ? -1 : next(fd, parts, count, at);
}

int ftruncate(int fd, off_t length)
{
    static int (*next)(int, off_t);

    if (next == NULL)
        next = REAL(int, "ftruncate", int, off_t);
    return no_room(fd, length) ? -1 : next(fd, length);
}

int posix_fallocate(int fd, off_t at, off_t length)
{
    static int (*next)(int, off_t, off_t);

    if (next == NULL)
        next = REAL(int, "posix_fallocate", int, off_t, off_t);
    return no_room(fd, at + length) ? ENOSPC : next(fd, at, length);
}

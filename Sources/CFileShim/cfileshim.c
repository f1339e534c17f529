#define _GNU_SOURCE
#include "cfileshim.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

static int64_t nanoseconds(struct statx_timestamp time) {
    return (int64_t)((uint64_t)time.tv_sec * 1000000000u + time.tv_nsec);
}

static int information(int directory, const char *path, int flags, mr_file_information *result) {
    struct statx answer;
    if (statx(directory, path, flags, STATX_BASIC_STATS | STATX_BTIME, &answer) != 0) return -1;
    result->inode = answer.stx_ino;
    result->device = makedev(answer.stx_dev_major, answer.stx_dev_minor);
    result->size = (int64_t)answer.stx_size;
    result->modified = nanoseconds(answer.stx_mtime);
    result->created = answer.stx_mask & STATX_BTIME ? nanoseconds(answer.stx_btime) : 0;
    result->mode = answer.stx_mode;
    result->links = answer.stx_nlink;
    return 0;
}

int mr_file_information_of_path(const char *path, mr_file_information *result) {
    return information(AT_FDCWD, path, 0, result);
}

int mr_file_information_of_descriptor(int descriptor, mr_file_information *result) {
    return information(descriptor, "", AT_EMPTY_PATH, result);
}

int mr_rename_to_new(const char *from, const char *to) {
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return -1;
    // A file system without the flag: a second link never replaces anything.
    if (link(from, to) == 0) return unlink(from);
    if (errno != EPERM && errno != EOPNOTSUPP && errno != EMLINK) return -1;
    // A file system without links: look, and rename.
    if (access(to, F_OK) == 0) {
        errno = EEXIST;
        return -1;
    }
    return rename(from, to);
}

static int64_t product(uint64_t count, uint64_t size) {
    int64_t result;
    return __builtin_mul_overflow(count, size, &result) ? INT64_MAX : result;
}

int mr_room_of_path(const char *path, mr_file_system_room *result) {
    struct statfs answer;
    if (statfs(path, &answer) != 0) return -1;
    uint64_t block = (uint64_t)(answer.f_frsize > 0 ? answer.f_frsize : answer.f_bsize);
    result->free_bytes = product(answer.f_bavail, block);
    result->total_bytes = product(answer.f_blocks, block);
    result->free_files = product(answer.f_ffree, 1);
    result->total_files = product(answer.f_files, 1);
    result->kind = (uint32_t)answer.f_type;
    return 0;
}

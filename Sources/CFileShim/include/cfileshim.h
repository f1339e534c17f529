#pragma once
/// Calls of the file system that Swift's importer does not see.
#include <stdint.h>

/// What the file system says of a file.
typedef struct {
    uint64_t inode;
    uint64_t device;
    int64_t size;
    /// Nanoseconds since the epoch.
    int64_t modified;
    /// Nanoseconds since the epoch, or 0 where the file system does not keep it.
    int64_t created;
    uint32_t mode;
    uint32_t links;
} mr_file_information;

/// Asks about a path, following links. Returns 0, or -1 with `errno`.
int mr_file_information_of_path(const char *path, mr_file_information *result);

/// Asks about an open file. Returns 0, or -1 with `errno`.
int mr_file_information_of_descriptor(int descriptor, mr_file_information *result);

/// Renames unless the target exists (EEXIST). Returns 0, or -1 with `errno`.
int mr_rename_to_new(const char *from, const char *to);

/// What a file system has left.
typedef struct {
    /// Bytes that this process may write, and all bytes.
    int64_t free_bytes, total_bytes;
    /// Files that can be made, and all files; both 0 where their number has no limit of its own.
    int64_t free_files, total_files;
    /// The kind of file system, as in <linux/magic.h>.
    uint32_t kind;
} mr_file_system_room;

/// Asks about the file system of a path. Returns 0, or -1 with `errno`.
int mr_room_of_path(const char *path, mr_file_system_room *result);

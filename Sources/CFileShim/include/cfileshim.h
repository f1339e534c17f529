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

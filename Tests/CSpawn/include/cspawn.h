#pragma once
/// What posix_spawn can do in a new program beyond POSIX; glibc hides it unless asked for.
#include <spawn.h>

/// Has the new program start in a directory.
int mr_spawn_in_directory(posix_spawn_file_actions_t *actions, const char *directory);

/// Has every descriptor from `first` on be closed in the new program.
int mr_spawn_close_from(posix_spawn_file_actions_t *actions, int first);

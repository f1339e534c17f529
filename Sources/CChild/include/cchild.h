#pragma once
/// Starting programs: fork and what happens in the child before exec, which must be C, since only
/// async-signal-safe calls are allowed there.
#include <sys/types.h>

/// What went wrong, and where.
struct mr_child_failure {
    int error;
    /// 0 in the parent, 1 the directory, 2 the program.
    int stage;
};

/// Starts a program in a process group of its own, and returns its id, or -1.
///
/// All signals are unblocked and at their defaults there, whatever the calling thread has. When
/// the calling thread ends, by kill -9 too, the program is killed. Descriptors but the three given
/// are closed.
pid_t mr_child_start(char *const arguments[], char *const environment[], const char *directory,
                     const int descriptors[3], struct mr_child_failure *failure);

/// How a child has ended: 0 while it runs, 1 with its exit code, 2 with its signal in `*value`.
///
/// It stays a zombie, so that its id, which is also its group's, is nobody else's.
int mr_child_ending(pid_t child, int *value);

/// Makes a pipe that other programs do not inherit.
int mr_child_pipe(int ends[2]);

/// Makes reads and writes of a descriptor return at once.
void mr_child_unblock(int descriptor);

/// Gives a pipe room for a mebibyte, if the system allows it.
void mr_child_widen(int descriptor);

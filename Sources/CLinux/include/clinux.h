#pragma once
/// Calls of Linux that its headers hide unless GNU extensions are asked for.
#include <pthread.h>
#include <stdint.h>

/// Has the disk begin with writing the dirty pages of a range, without waiting for it. Errors stay
/// with the file, for fdatasync to report.
void mr_start_writing(int file, int64_t offset, int64_t length);

/// Names the calling thread for debuggers and `top`; at most 15 bytes count.
void mr_name_thread(const char *name);

/// Makes a descriptor that becomes readable when it is raised; -1 with `errno` when it cannot.
int mr_make_event(void);

/// Makes an event readable, for good.
void mr_raise_event(int event);

#pragma once
/// Calls of Linux that its headers hide unless GNU extensions are asked for.
#include <pthread.h>
#include <stdint.h>

/// Has the disk begin with writing the dirty pages of a range, without waiting for it. Errors stay
/// with the file, for fdatasync to report.
void mr_start_writing(int file, int64_t offset, int64_t length);

/// Names the calling thread for debuggers and `top`; at most 15 bytes count.
void mr_name_thread(const char *name);

/// Waits for a thread's end, at most so many milliseconds; returns 0, or ETIMEDOUT, and then the
/// thread goes on and is to be detached.
int mr_join_thread(pthread_t thread, int64_t milliseconds);

/// Makes a descriptor that becomes readable when it is raised; -1 with `errno` when it cannot.
int mr_make_event(void);

/// Makes an event readable, for good.
void mr_raise_event(int event);

struct sockaddr_storage;

/// Receives what datagrams there are, at most `count`, without waiting: datagram `i` goes to
/// `room + i * size`, its length to `lengths[i]`, whether it was longer than `size` to `cut[i]`, and
/// its sender to `senders[i]`. Returns their number, 0 when there are none, or -1 and `errno`.
int mr_receive_datagrams(int socket, void *room, uint32_t size, uint32_t count,
                         uint32_t *lengths, uint8_t *cut, struct sockaddr_storage *senders);

/// How many datagrams the kernel has dropped for want of room in a socket's buffer; -1 and `errno`
/// when it does not say.
int64_t mr_dropped_datagrams(int socket);

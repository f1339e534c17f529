#define _GNU_SOURCE
#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>

void mr_start_writing(int file, int64_t offset, int64_t length) {
    (void)sync_file_range(file, offset, length, SYNC_FILE_RANGE_WRITE);
}

void mr_name_thread(const char *name) {
    char text[16];
    strncpy(text, name, sizeof text - 1);
    text[sizeof text - 1] = 0;
    (void)pthread_setname_np(pthread_self(), text);
}

int mr_make_event(void) { return eventfd(0, EFD_CLOEXEC); }

void mr_raise_event(int event) { (void)eventfd_write(event, 1); }

/* How many datagrams one call asks for. */
#define MOST_DATAGRAMS 64

int mr_receive_datagrams(int socket, void *room, uint32_t size, uint32_t count,
                         uint32_t *lengths, uint8_t *cut, struct sockaddr_storage *senders) {
    struct mmsghdr headers[MOST_DATAGRAMS];
    struct iovec parts[MOST_DATAGRAMS];
    if (count > MOST_DATAGRAMS) count = MOST_DATAGRAMS;
    for (uint32_t i = 0; i < count; i++) {
        parts[i] = (struct iovec){(char *)room + (size_t)i * size, size};
        headers[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &senders[i],
                                                  .msg_namelen = sizeof senders[i],
                                                  .msg_iov = &parts[i],
                                                  .msg_iovlen = 1}};
        /* A sender without an address leaves it as it is. */
        senders[i].ss_family = AF_UNSPEC;
    }
    int received;
    do received = recvmmsg(socket, headers, count, MSG_DONTWAIT, NULL);
    while (received < 0 && errno == EINTR);
    if (received < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
    for (int i = 0; i < received; i++) {
        lengths[i] = headers[i].msg_len;
        cut[i] = (headers[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
    }
    return received;
}

int64_t mr_dropped_datagrams(int socket) {
    uint32_t counters[SK_MEMINFO_VARS] = {0};
    socklen_t size = sizeof counters;
    if (getsockopt(socket, SOL_SOCKET, SO_MEMINFO, counters, &size) != 0) return -1;
    return counters[SK_MEMINFO_DROPS];
}

int mr_join_thread(pthread_t thread, int64_t milliseconds) {
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += milliseconds / 1000;
    end.tv_nsec += milliseconds % 1000 * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000;
    }
    return pthread_timedjoin_np(thread, NULL, &end);
}

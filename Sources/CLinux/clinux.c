#define _GNU_SOURCE
#include "clinux.h"

#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>

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

#define _GNU_SOURCE
#include "cterminal.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <unistd.h>

// ioctl is variadic, which Swift cannot call.
int mr_terminal_columns(int descriptor) {
    struct winsize size;
    return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static int stop_pipe[2] = {-1, -1};

// Only write(2) is called: a handler may run between any two instructions.
static void note_signal(int number) {
    int saved = errno;
    unsigned char byte = (unsigned char)number;
    ssize_t written = write(stop_pipe[1], &byte, 1);
    (void)written;
    errno = saved;
}

int mr_catch_stop_signals(void) {
    if (pipe2(stop_pipe, O_CLOEXEC) != 0) return -1;
    struct sigaction action = {.sa_handler = note_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGINT, &action, NULL) != 0 || sigaction(SIGTERM, &action, NULL) != 0) return -1;
    return stop_pipe[0];
}

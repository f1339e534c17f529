#include "cterminal.h"
#include <sys/ioctl.h>

// ioctl is variadic, which Swift cannot call.
int mr_terminal_columns(int descriptor) {
    struct winsize size;
    return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

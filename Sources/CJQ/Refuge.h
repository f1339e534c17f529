#pragma once

#include <setjmp.h>

/* Where this thread goes on when libjq cannot; NULL while libjq is not at work. What it returns there
   is one of these reasons. */
extern _Thread_local jmp_buf *mr_jq_refuge;

enum {
    MR_REFUGE_ASSERTION = 1, /* libjq met what it asserts not to happen */
    MR_REFUGE_MEMORY = 2     /* libjq asked for more memory at once than it may have */
};

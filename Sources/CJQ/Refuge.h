#pragma once

#include <setjmp.h>

/* Where this thread goes on when libjq finds that it cannot; NULL while libjq is not at work. */
extern _Thread_local jmp_buf *mr_jq_refuge;

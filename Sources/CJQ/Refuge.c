#define _GNU_SOURCE
#include "Refuge.h"

#include <assert.h>
#include <dlfcn.h>
#include <stdlib.h>

_Thread_local jmp_buf *mr_jq_refuge;

/* Takes the place of the C library's function for the whole process, since libjq looks for its name
   in the program first. libjq asserts what some data makes untrue, such as that an index is a number,
   before it does anything with it; this ends the run, and not the process. */
void __assert_fail(const char *assertion, const char *file, unsigned int line,
                   const char *function) {
    if (mr_jq_refuge != NULL) longjmp(*mr_jq_refuge, MR_REFUGE_ASSERTION);
    void (*fail)(const char *, const char *, unsigned int, const char *) =
        (__typeof__(fail))dlsym(RTLD_NEXT, "__assert_fail");
    if (fail != NULL) fail(assertion, file, line, function);
    abort();
}

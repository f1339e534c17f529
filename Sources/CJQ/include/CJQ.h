#pragma once

#include <stddef.h>

/* Programs in jq's language, run by libjq, which is loaded when it is first needed.

   Everything of libjq's own types stays behind this header. A program is used by one thread at a
   time, but for mr_jq_stop, which any thread may call. */

typedef struct mr_jq mr_jq;

/* What mr_jq_next found. */
enum {
    MR_JQ_END = 0,    /* the program gives nothing more for this input */
    MR_JQ_VALUE = 1,  /* a value: its JSON text */
    MR_JQ_ERROR = 2,  /* the program ended with an error: its message */
    MR_JQ_STOPPED = 3 /* the program was stopped, or stopped itself by `halt` */
};

/* Loads libjq once. Returns NULL, or why it cannot be used; the text lives for ever.
   Must have returned NULL before any other function is called. Safe from any thread. */
const char *mr_jq_load(void);

/* Compiles a program. Returns NULL when it is none; *messages is then what libjq says, one message
   a line, for the caller to free. */
mr_jq *mr_jq_compile(const char *text, char **messages);

void mr_jq_free(mr_jq *program);

/* Begins to run the program with a JSON text as its input. Returns 0 when libjq refuses the text,
   as it does where values are nested too deeply. */
int mr_jq_start(mr_jq *program, const char *json, size_t count);

/* Goes on to the next value. *text and *count are valid until the next call for this program. */
int mr_jq_next(mr_jq *program, const char **text, size_t *count);

/* Lets go of what the program still holds of its last input. */
void mr_jq_finish(mr_jq *program);

/* Has the program end at its next step, if `run` is the one that it is in: mr_jq_run says. */
void mr_jq_stop(mr_jq *program, unsigned long run);

/* The number of the run that the program is in, or 0 for none. Safe from any thread. */
unsigned long mr_jq_run(mr_jq *program);

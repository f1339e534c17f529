#pragma once

#include <stddef.h>
#include <stdint.h>

/* Programs in jq's language, run by libjq, which is loaded when it is first needed.

   Everything of libjq's own types stays behind this header. A program is used by one thread at a
   time, but for mr_jq_stop, which any thread may call. */

typedef struct mr_jq mr_jq;

/* What mr_jq_next found. */
enum {
    MR_JQ_END = 0,    /* the program gives nothing more for this input */
    MR_JQ_VALUE = 1,  /* a value: its JSON text */
    MR_JQ_ERROR = 2,  /* the program ended with an error: its message */
    MR_JQ_STOPPED = 3, /* the program was stopped, or stopped itself by `halt` */
    /* libjq could not go on with what it was given. The run is over. What the step had in hand, such
       as the value that was indexed, stays in memory for ever, but for large blocks. */
    MR_JQ_FAILED = 4,
    MR_JQ_MEMORY = 5, /* as before, for it wanted more memory at once than mr_jq_compile was told */
    MR_JQ_FAR = 6     /* the program ended with the error of an index that is too far out for that */
};

/* Loads libjq once. Returns NULL, or why it cannot be used; the text lives for ever.
   Must have returned NULL before any other function is called. Safe from any thread. */
const char *mr_jq_load(void);

/* Compiles a program that may have `limit` bytes of memory at once, a mebibyte or more. Returns NULL
   when it is none; *messages is then what libjq says, one message a line, for the caller to free. */
mr_jq *mr_jq_compile(const char *text, size_t limit, char **messages);

void mr_jq_free(mr_jq *program);

/* One value as Swift's `Cell` has it, whose layout and tags are these. */
typedef struct {
    uint64_t bits;
    uint32_t length;
    uint8_t tag;
    uint8_t scale;
    uint16_t flags;
} mr_jq_cell;

/* How a run began. */
enum {
    MR_JQ_REFUSED = 0, /* not: libjq does not take the value, which is nested too deeply */
    MR_JQ_STARTED = 1, /* it did */
    MR_JQ_AS_TEXT = 2  /* not: the input has a value that only its JSON text can hand over */
};

/* Begins to run the program with a JSON text as its input. */
int mr_jq_start(mr_jq *program, const char *json, size_t count);

/* Begins to run the program with a text, which is UTF-8, as its input. */
int mr_jq_start_text(mr_jq *program, const char *utf8, size_t count);

/* Names the fields of mr_jq_start_fields: `names` one behind the other, each up to its end. Returns
   0 when there is no memory for it; the object then has no fields. */
int mr_jq_name_fields(mr_jq *program, const char *names, const size_t *ends, size_t count);

/* Begins to run the program with an object: a cell for each field that was named. */
int mr_jq_start_fields(mr_jq *program, const mr_jq_cell *cells);

/* Goes on to the next value. */
int mr_jq_next(mr_jq *program);

/* The JSON text of the value, or the message of the error, that mr_jq_next found last. Valid until
   the next call for this program. */
void mr_jq_text(mr_jq *program, const char **text, size_t *count);

/* Whether the text of a value, or of a member, was left empty since it found no room. The run is
   over. */
int mr_jq_has_failed(mr_jq *program);

/* Whether the value that mr_jq_next found last is neither false nor null. */
int mr_jq_is_true(mr_jq *program);

/* A member of an object. A number that the cell has no room for is a slice of its JSON text, and so
   is an object or array. */
typedef struct {
    const char *name;
    size_t name_count;
    mr_jq_cell cell;
} mr_jq_member;

/* The members, in order, of the object that mr_jq_next found last: their number, or -1 when it is
   no object, or one whose text is to be read. Valid until the next call for this program. */
long mr_jq_members(mr_jq *program, const mr_jq_member **members);

/* Lets go of what the program still holds of its last input. */
void mr_jq_finish(mr_jq *program);

/* Has the program end at its next step, if `run` is the one that it is in: mr_jq_run says. */
void mr_jq_stop(mr_jq *program, unsigned long run);

/* The number of the run that the program is in, or 0 for none. Safe from any thread. */
unsigned long mr_jq_run(mr_jq *program);

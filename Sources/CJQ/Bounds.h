#pragma once

#include <stddef.h>

#include <jq.h>

/* How many large blocks of one run are known by address. */
#define MR_JQ_LARGE_BLOCKS 64

/* What a run may have at once, and the large blocks that it has. */
struct mr_jq_blocks {
    size_t limit;
    size_t count;
    void *large[MR_JQ_LARGE_BLOCKS];
};

/* The blocks of the run that this thread is in; NULL between runs. */
extern _Thread_local struct mr_jq_blocks *mr_jq_blocks;

/* The message of the error of an index that would make an array larger than the limit. */
extern const char mr_jq_far_index[];

/* Has a library that was loaded as libjq ask here for memory, and for a place in an array. */
void mr_jq_bound(void *library);

/* Frees the large blocks that a run has left behind that could not go on. Nothing reaches them any
   more once the interpreter was reset. */
void mr_jq_free_blocks(struct mr_jq_blocks *blocks);

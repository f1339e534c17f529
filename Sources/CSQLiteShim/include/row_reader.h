#pragma once

/* Rows of a statement as cells. */

#include <stdint.h>

#include "batch_table.h"

/* Memory that text and bytes are copied into. */
typedef struct mr_slab {
    uint8_t *next;
    uint8_t *end;
    /* Set when the row did not fit: the bytes that its text and bytes need together. */
    int64_t needed;
} mr_slab;

/* What mr_row_read returns beside 0. */
enum { MR_ROW_NEEDS_ROOM = -1, MR_ROW_NO_MEMORY = -2 };

/* Reads columns `first` ..< `first` + `count` of the current row into cells. `booleans[i]` says
   that 0 and 1 in column i mean false and true.
   Returns 0, MR_ROW_NEEDS_ROOM, after which the call may be repeated with a larger slab, or
   1 + the number of a column whose text is not UTF-8. */
int mr_row_read(struct sqlite3_stmt *statement, int first, int count, const uint8_t *booleans,
                mr_cell *cells, mr_slab *slab);

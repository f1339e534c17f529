#pragma once

/* Rows of a statement as cells. */

#include <stdint.h>

#include "batch_table.h"

/* Memory that text and bytes are copied into, and what was found. */
typedef struct mr_slab {
    uint8_t *next;
    uint8_t *end;
    /* The bytes that the row's text and bytes need together. */
    int64_t needed;
    /* The column that the result is about. */
    int32_t column;
} mr_slab;

/* What is known of a column. */
typedef struct mr_read_column {
    /* Bit n says that cells of tag n are allowed. Where a bool is, 0 and 1 are made one. */
    uint16_t allowed;
    /* For a column of decimals the places that it declares, else MR_NO_DECIMALS. Numbers in it
       are read as decimals of so many places where they have no more, else with their own. */
    int16_t scale;
} mr_read_column;

enum { MR_NO_DECIMALS = -1 };

enum {
    MR_ROW_READ = 0,
    /* The slab is too small; the call may be repeated with a larger one. */
    MR_ROW_NEEDS_ROOM,
    MR_ROW_NO_MEMORY,
    MR_ROW_NOT_UTF8,
    /* A value's type is not among those allowed. */
    MR_ROW_OTHER_TYPE
};

/* Reads columns `first` ..< `first` + `count` of the current row into cells. Without `columns` any
   value will do, and text may be any bytes. */
int mr_row_read(struct sqlite3_stmt *statement, int first, int count,
                const mr_read_column *columns, mr_cell *cells, mr_slab *slab);

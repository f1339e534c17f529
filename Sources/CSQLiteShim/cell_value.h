#pragma once

/* What SQLite is to be given for a cell. Private to this target. */

#include "batch_table.h"

enum { MR_TAG_MISSING = 0, MR_TAG_NULL, MR_TAG_BOOL, MR_TAG_INT, MR_TAG_DOUBLE, MR_TAG_DECIMAL,
       MR_TAG_NUMBER, MR_TAG_STRING, MR_TAG_BYTES, MR_TAG_JSON, MR_TAG_DATE, MR_TAG_TIME,
       MR_TAG_TIMESTAMP, MR_TAG_LOCAL_TIMESTAMP };

enum { MR_NIL, MR_INTEGER, MR_REAL,
       MR_TEXT,         /* in the batch's memory */
       MR_SCRATCH_TEXT, /* in `scratch` */
       MR_BLOB,
       MR_REFUSED /* the target column would change the value */ };

typedef struct mr_value {
    int kind;
    int64_t integer;
    double real;
    const char *text;
    uint64_t length;
    char scratch[80];
} mr_value;

/* Whether a column treats a cell's value as it is, whatever it is; looks no closer than that. */
int mr_value_is_certain(const mr_cell *cell, uint8_t target);

/* Decides what is given for a cell whose column treats values as `target` says. */
void mr_value_of_cell(const mr_cell *cell, uint8_t target, mr_value *out);

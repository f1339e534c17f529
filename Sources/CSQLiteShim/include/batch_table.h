#pragma once

/* A batch of records as SQLite sees it: a virtual table to select from, or rows to bind.

   The batch is ConnectorSDK's: row-major cells of 16 bytes. Nothing is copied out of it, so what
   it points to must stay in place while a statement runs. */

#include <stdint.h>

struct sqlite3;
struct sqlite3_stmt;

/* One value, laid out as ConnectorSDK.Cell. */
typedef struct mr_cell {
    uint64_t bits;
    uint32_t length;
    uint8_t tag;
    uint8_t scale;
    uint16_t flags;
} mr_cell;

/* Where a column's values come from. */
enum { MR_FROM_VALUE = 0, MR_FROM_KEY = 1, MR_FROM_TOPIC = 2, MR_FROM_PARTITION = 3,
       MR_FROM_OFFSET = 4 };

/* What the target column does to a value (SQLite's affinity), so that no digit is lost there. */
enum { MR_TARGET_ANY = 0, MR_TARGET_TEXT = 1, MR_TARGET_NUMERIC = 2, MR_TARGET_REAL = 3,
       /* Flag: part of the key, where "007" and 7 must not become one. */
       MR_TARGET_IS_KEY = 16,
       /* Flags: what the column refuses. */
       MR_TARGET_NOT_NULL = 32, MR_TARGET_ROW_ID = 64 };

typedef struct mr_column {
    int32_t cell;
    uint8_t source;
    uint8_t target;
    uint16_t reserved;
} mr_column;

/* The rows that the next statement is to see. */
typedef struct mr_batch {
    const mr_cell *values;
    const mr_cell *keys;
    /* RecordMetadata, of which the offset is read. */
    const uint8_t *metadata;
    const mr_column *columns;
    /* Row numbers in the order to be visited; NULL for `first`, `first` + 1 and so on. */
    const uint32_t *order;
    const char *topic;
    int64_t first;
    int64_t count;
    int32_t value_stride;
    int32_t key_stride;
    int32_t metadata_stride;
    int32_t offset_position;
    int32_t column_count;
    int32_t topic_length;
    int32_t partition;
    /* Set when a value would lose digits in its target column: the index of the column, else -1. */
    int32_t refused_column;
} mr_batch;

/* Makes the batch selectable as a table `name` with columns c0, c1 and so on. `batch` must live as
   long as the connection. Returns an SQLite result code. */
int mr_batch_table_register(struct sqlite3 *connection, const char *name, int column_count,
                            mr_batch *batch);

/* Whether no value of the batch can be refused by its column; 0 where that is not certain. The
   order and number of rows do not matter, and rows that are deletions are looked at as well. */
int mr_batch_is_certain(const mr_batch *batch, int64_t count, const mr_column *columns,
                        int column_count);

/* What mr_batch_execute returns when a row was to change something and did not. */
#define MR_NOTHING_CHANGED (-1)

/* Runs a statement once for each row, with column i bound to parameter i + 1. Stops at the first
   error, and with MR_NOTHING_CHANGED if `must_change` is set and a run changed no row.
   Returns 0 when all rows are done. */
int mr_batch_execute(struct sqlite3_stmt *statement, mr_batch *batch, int must_change);

/* Stores the number of pages in the write-ahead log at `pages` after each commit on the
   connection, instead of checkpointing then. `pages` must live as long as the connection. */
void mr_watch_wal(struct sqlite3 *connection, int64_t *pages);

#include "batch_table.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cell_value.h"

/* Where a column's cell is; fills `made` for what the batch holds once, not per row. */
static const mr_cell *cell_at(const mr_batch *batch, int64_t row, const mr_column *column,
                              mr_cell *made) {
    switch (column->source) {
    case MR_FROM_VALUE: return batch->values + row * batch->value_stride + column->cell;
    case MR_FROM_KEY: return batch->keys + row * batch->key_stride + column->cell;
    case MR_FROM_TOPIC:
        made->tag = MR_TAG_STRING;
        made->bits = (uint64_t)(uintptr_t)batch->topic;
        made->length = (uint32_t)batch->topic_length;
        return made;
    case MR_FROM_PARTITION:
        made->tag = MR_TAG_INT;
        made->bits = (uint64_t)(int64_t)batch->partition;
        return made;
    default:
        made->tag = MR_TAG_INT;
        memcpy(&made->bits,
               batch->metadata + row * batch->metadata_stride + batch->offset_position, 8);
        return made;
    }
}

static int64_t row_number(const mr_batch *batch, int64_t index) {
    return batch->order ? batch->order[index] : batch->first + index;
}

/* -- the table ------------------------------------------------------------------------------ */

typedef struct module_state {
    mr_batch *batch;
    char *declaration;
} module_state;

typedef struct batch_table {
    sqlite3_vtab base;
    mr_batch *batch;
} batch_table;

typedef struct batch_cursor {
    sqlite3_vtab_cursor base;
    mr_batch *batch;
    int64_t index;
    int64_t row;
} batch_cursor;

static int table_connect(sqlite3 *connection, void *state, int count, const char *const *arguments,
                         sqlite3_vtab **table, char **message) {
    (void)count, (void)arguments, (void)message;
    module_state *module = state;
    int code = sqlite3_declare_vtab(connection, module->declaration);
    if (code != SQLITE_OK) return code;
    /* Not to be read by a trigger or view of the target database. */
    sqlite3_vtab_config(connection, SQLITE_VTAB_DIRECTONLY);
    batch_table *made = calloc(1, sizeof *made);
    if (!made) return SQLITE_NOMEM;
    made->batch = module->batch;
    *table = &made->base;
    return SQLITE_OK;
}

static int table_disconnect(sqlite3_vtab *table) {
    free(table);
    return SQLITE_OK;
}

static int table_best_index(sqlite3_vtab *table, sqlite3_index_info *info) {
    (void)table;
    info->estimatedCost = 1;
    info->estimatedRows = 4096;
    return SQLITE_OK;
}

static int cursor_open(sqlite3_vtab *table, sqlite3_vtab_cursor **cursor) {
    batch_cursor *made = calloc(1, sizeof *made);
    if (!made) return SQLITE_NOMEM;
    made->batch = ((batch_table *)table)->batch;
    *cursor = &made->base;
    return SQLITE_OK;
}

static int cursor_close(sqlite3_vtab_cursor *cursor) {
    free(cursor);
    return SQLITE_OK;
}

static int cursor_filter(sqlite3_vtab_cursor *cursor, int number, const char *string, int count,
                         sqlite3_value **values) {
    (void)number, (void)string, (void)count, (void)values;
    batch_cursor *at = (batch_cursor *)cursor;
    at->index = 0;
    if (at->batch->count > 0) at->row = row_number(at->batch, 0);
    return SQLITE_OK;
}

static int cursor_next(sqlite3_vtab_cursor *cursor) {
    batch_cursor *at = (batch_cursor *)cursor;
    if (++at->index < at->batch->count) at->row = row_number(at->batch, at->index);
    return SQLITE_OK;
}

static int cursor_is_at_end(sqlite3_vtab_cursor *cursor) {
    batch_cursor *at = (batch_cursor *)cursor;
    return at->index >= at->batch->count;
}

static int cursor_row_id(sqlite3_vtab_cursor *cursor, sqlite3_int64 *row) {
    *row = ((batch_cursor *)cursor)->row;
    return SQLITE_OK;
}

static int give_slowly(sqlite3_context *context, mr_batch *batch, int column,
                       const mr_cell *cell) {
    mr_value value;
    mr_value_of_cell(cell, batch->columns[column].target, &value);
    switch (value.kind) {
    case MR_INTEGER: sqlite3_result_int64(context, value.integer); break;
    case MR_REAL: sqlite3_result_double(context, value.real); break;
    case MR_TEXT:
        sqlite3_result_text64(context, value.text, value.length, SQLITE_STATIC, SQLITE_UTF8);
        break;
    case MR_SCRATCH_TEXT:
        sqlite3_result_text64(context, value.text, value.length, SQLITE_TRANSIENT, SQLITE_UTF8);
        break;
    case MR_BLOB:
        sqlite3_result_blob64(context, value.text, value.length, SQLITE_STATIC);
        break;
    case MR_REFUSED:
        batch->refused_column = column;
        sqlite3_result_error(context, "the column would change the value", -1);
        sqlite3_result_error_code(context, SQLITE_MISMATCH);
        break;
    default: sqlite3_result_null(context); break;
    }
    return SQLITE_OK;
}

static int cursor_column(sqlite3_vtab_cursor *cursor, sqlite3_context *context, int index) {
    batch_cursor *at = (batch_cursor *)cursor;
    mr_batch *batch = at->batch;
    if (index >= batch->column_count) return SQLITE_OK;
    const mr_column *column = batch->columns + index;
    mr_cell made = {0};
    const mr_cell *cell = cell_at(batch, at->row, column, &made);
    if (cell->tag == MR_TAG_INT && (column->target & 15) != MR_TARGET_REAL) {
        sqlite3_result_int64(context, (int64_t)cell->bits);
        return SQLITE_OK;
    }
    if (cell->tag == MR_TAG_STRING && (column->target & 15) < MR_TARGET_NUMERIC && cell->bits) {
        sqlite3_result_text64(context, (const char *)(uintptr_t)cell->bits, cell->length,
                              SQLITE_STATIC, SQLITE_UTF8);
        return SQLITE_OK;
    }
    return give_slowly(context, batch, index, cell);
}

static const sqlite3_module batch_module = {
    /* Without a create method the table exists by its name alone, in no database. */
    .xConnect = table_connect,
    .xBestIndex = table_best_index,
    .xDisconnect = table_disconnect,
    .xDestroy = table_disconnect,
    .xOpen = cursor_open,
    .xClose = cursor_close,
    .xFilter = cursor_filter,
    .xNext = cursor_next,
    .xEof = cursor_is_at_end,
    .xColumn = cursor_column,
    .xRowid = cursor_row_id,
};

static void free_module(void *state) {
    module_state *module = state;
    free(module->declaration);
    free(module);
}

int mr_batch_table_register(struct sqlite3 *connection, const char *name, int column_count,
                            mr_batch *batch) {
    module_state *module = calloc(1, sizeof *module);
    /* "CREATE TABLE x(c0,c1,…)": a comma, a letter and at most ten digits a column. */
    size_t size = (size_t)column_count * 12 + 32;
    char *declaration = malloc(size);
    if (!module || !declaration) {
        free(module);
        free(declaration);
        return SQLITE_NOMEM;
    }
    int length = snprintf(declaration, size, "CREATE TABLE x(c0");
    for (int i = 1; i < column_count; i++)
        length += snprintf(declaration + length, size - (size_t)length, ",c%d", i);
    snprintf(declaration + length, size - (size_t)length, ")");
    module->batch = batch;
    module->declaration = declaration;
    return sqlite3_create_module_v2(connection, name, &batch_module, module, free_module);
}

/* -- looking ahead -------------------------------------------------------------------------- */

/* SQLite refuses rows of a thousand million bytes; long before that a value is looked at closely. */
static const uint32_t length_limit = 1 << 24;

int mr_batch_is_certain(const mr_batch *batch, int64_t count, const mr_column *columns,
                        int column_count) {
    for (int64_t row = 0; row < count; row++) {
        for (int i = 0; i < column_count; i++) {
            mr_cell made = {0};
            const mr_cell *cell = cell_at(batch, row, columns + i, &made);
            if (cell->length > length_limit && cell->tag >= MR_TAG_NUMBER &&
                cell->tag <= MR_TAG_JSON)
                return 0;
            if (!mr_value_is_certain(cell, columns[i].target)) return 0;
        }
    }
    return 1;
}

/* -- row by row ----------------------------------------------------------------------------- */

static int bind_cell(sqlite3_stmt *statement, int parameter, mr_batch *batch, int column,
                     const mr_cell *cell) {
    mr_value value;
    mr_value_of_cell(cell, batch->columns[column].target, &value);
    switch (value.kind) {
    case MR_INTEGER: return sqlite3_bind_int64(statement, parameter, value.integer);
    case MR_REAL: return sqlite3_bind_double(statement, parameter, value.real);
    case MR_TEXT:
        return sqlite3_bind_text64(statement, parameter, value.text, value.length, SQLITE_STATIC,
                                   SQLITE_UTF8);
    case MR_SCRATCH_TEXT:
        return sqlite3_bind_text64(statement, parameter, value.text, value.length,
                                   SQLITE_TRANSIENT, SQLITE_UTF8);
    case MR_BLOB:
        return sqlite3_bind_blob64(statement, parameter, value.text, value.length, SQLITE_STATIC);
    case MR_REFUSED: batch->refused_column = column; return SQLITE_MISMATCH;
    default: return sqlite3_bind_null(statement, parameter);
    }
}

int mr_batch_execute(struct sqlite3_stmt *statement, mr_batch *batch, int must_change) {
    sqlite3 *connection = sqlite3_db_handle(statement);
    for (int64_t index = 0; index < batch->count; index++) {
        int64_t row = row_number(batch, index);
        for (int column = 0; column < batch->column_count; column++) {
            mr_cell made = {0};
            const mr_cell *cell = cell_at(batch, row, batch->columns + column, &made);
            int code = bind_cell(statement, column + 1, batch, column, cell);
            if (code != SQLITE_OK) return code;
        }
        int code = sqlite3_step(statement);
        if (code != SQLITE_DONE) return code;
        code = sqlite3_reset(statement);
        if (code != SQLITE_OK) return code;
        if (must_change && sqlite3_changes(connection) == 0) return MR_NOTHING_CHANGED;
    }
    return SQLITE_OK;
}

/* -- the write-ahead log -------------------------------------------------------------------- */

static int note_pages(void *state, sqlite3 *connection, const char *database, int pages) {
    (void)connection, (void)database;
    *(int64_t *)state = pages;
    return SQLITE_OK;
}

void mr_watch_wal(struct sqlite3 *connection, int64_t *pages) {
    sqlite3_wal_hook(connection, note_pages, pages);
}

#include "row_reader.h"

#include <sqlite3.h>
#include <string.h>

#include "cell_value.h"
#include "decimal_text.h"

#define HIGH_BITS 0x8080808080808080u

static uint64_t word_at(const uint8_t *p) {
    uint64_t word;
    memcpy(&word, p, 8);
    return word;
}

/* Whether all bytes are ASCII; the last words may overlap. */
static int is_ascii(const uint8_t *p, const uint8_t *end) {
    if (end - p >= 8) {
        uint64_t found = 0;
        for (; end - p > 32; p += 32)
            found |= word_at(p) | word_at(p + 8) | word_at(p + 16) | word_at(p + 24);
        for (; end - p > 8; p += 8) found |= word_at(p);
        return ((found | word_at(end - 8)) & HIGH_BITS) == 0;
    }
    uint8_t found = 0;
    while (p < end) found |= *p++;
    return found < 0x80;
}

/* Whether bytes are UTF-8: shortest forms only, no surrogates, nothing beyond U+10FFFF. */
static int is_utf8(const uint8_t *p, const uint8_t *end) {
    if (is_ascii(p, end)) return 1;
    while (p < end) {
        if (end - p >= 8) {
            if ((word_at(p) & HIGH_BITS) == 0) {
                p += 8;
                continue;
            }
        }
        uint8_t lead = *p++;
        if (lead < 0x80) continue;
        int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
        if (lead < 0xc2 || lead > 0xf4 || end - p < more) return 0;
        uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
        uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
        if (*p < low || *p > high) return 0;
        for (p++; --more > 0; p++)
            if ((*p & 0xc0) != 0x80) return 0;
    }
    return 1;
}

/* Copies a value's bytes into the slab; counts them in any case. */
static uint8_t *copy(mr_slab *slab, const void *bytes, int64_t count) {
    slab->needed += count;
    if (slab->end - slab->next < count) return NULL;
    uint8_t *start = slab->next;
    if (count > 0) memcpy(start, bytes, (size_t)count);
    slab->next += count;
    return start;
}

/* Reads text or bytes. Their cell has no address when the slab has no room. */
static int read_slice(sqlite3_value *value, int is_text, int must_be_utf8, mr_cell *cell,
                      mr_slab *slab) {
    const void *bytes =
        is_text ? (const void *)sqlite3_value_text(value) : sqlite3_value_blob(value);
    int64_t length = sqlite3_value_bytes(value);
    if (!bytes && (is_text || length > 0)) return MR_ROW_NO_MEMORY;
    if (must_be_utf8 && !is_utf8(bytes, (const uint8_t *)bytes + length)) return MR_ROW_NOT_UTF8;
    uint8_t *copied = copy(slab, bytes, length);
    cell->bits = (uint64_t)(uintptr_t)copied;
    cell->length = (uint32_t)length;
    cell->tag = is_text ? MR_TAG_STRING : MR_TAG_BYTES;
    return copied ? MR_ROW_READ : MR_ROW_NEEDS_ROOM;
}

/* Gives text made here a place in the slab. */
static int read_number(const char *text, int length, mr_cell *cell, mr_slab *slab) {
    uint8_t *copied = copy(slab, text, length);
    cell->bits = (uint64_t)(uintptr_t)copied;
    cell->length = (uint32_t)length;
    cell->tag = MR_TAG_NUMBER;
    return copied ? MR_ROW_READ : MR_ROW_NEEDS_ROOM;
}

/* A number in a column of decimals: as many places as the column declares, if it has no more. */
static int read_decimal(sqlite3_value *value, int type, int scale, mr_cell *cell, mr_slab *slab) {
    int64_t mantissa;
    double real = sqlite3_value_double(value);
    int is_whole = type == SQLITE_INTEGER;
    if (is_whole ? mr_decimal_of_integer(sqlite3_value_int64(value), scale, &mantissa)
                 : mr_decimal_of_real(real, scale, &mantissa)) {
        cell->bits = (uint64_t)mantissa;
        cell->scale = (uint8_t)scale;
        cell->tag = scale == 0 ? MR_TAG_INT : MR_TAG_DECIMAL;
        return MR_ROW_READ;
    }
    if (is_whole) {
        cell->bits = (uint64_t)sqlite3_value_int64(value);
        cell->tag = MR_TAG_INT;
        return MR_ROW_READ;
    }
    char text[MR_REAL_TEXT_SIZE];
    int length = mr_text_of_real(real, text);
    if (length > 0) return read_number(text, length, cell, slab);
    memcpy(&cell->bits, &real, 8); /* infinite */
    cell->tag = MR_TAG_DOUBLE;
    return MR_ROW_READ;
}

static int read_value(sqlite3_value *value, const mr_read_column *column, mr_cell *cell,
                      mr_slab *slab) {
    int type = sqlite3_value_type(value);
    int is_decimal = column && column->scale != MR_NO_DECIMALS;
    switch (type) {
    case SQLITE_INTEGER:
        if (is_decimal) return read_decimal(value, type, column->scale, cell, slab);
        cell->bits = (uint64_t)sqlite3_value_int64(value);
        cell->tag = MR_TAG_INT;
        if (column && column->allowed & 1 << MR_TAG_BOOL && cell->bits <= 1)
            cell->tag = MR_TAG_BOOL;
        return MR_ROW_READ;
    case SQLITE_FLOAT: {
        if (is_decimal) return read_decimal(value, type, column->scale, cell, slab);
        double real = sqlite3_value_double(value);
        memcpy(&cell->bits, &real, 8);
        cell->tag = MR_TAG_DOUBLE;
        return MR_ROW_READ;
    }
    case SQLITE_TEXT:
    case SQLITE_BLOB: {
        int result =
            read_slice(value, type == SQLITE_TEXT, type == SQLITE_TEXT && column, cell, slab);
        if (is_decimal && result == MR_ROW_READ && type == SQLITE_TEXT &&
            mr_is_decimal_text((const char *)(uintptr_t)cell->bits, cell->length))
            cell->tag = MR_TAG_NUMBER;
        return result;
    }
    default: cell->tag = MR_TAG_NULL; return MR_ROW_READ;
    }
}

int mr_row_read(struct sqlite3_stmt *statement, int first, int count,
                const mr_read_column *columns, mr_cell *cells, mr_slab *slab) {
    uint8_t *start = slab->next;
    int fits = 1;
    slab->needed = 0;
    for (int i = 0; i < count; i++) {
        mr_cell cell = {0};
        sqlite3_value *value = sqlite3_column_value(statement, first + i);
        int result = read_value(value, columns ? columns + i : NULL, &cell, slab);
        if (result == MR_ROW_NEEDS_ROOM) fits = 0;
        if (result == MR_ROW_READ && columns && !(columns[i].allowed & 1 << cell.tag))
            result = MR_ROW_OTHER_TYPE;
        cells[i] = cell;
        if (result > MR_ROW_NEEDS_ROOM) {
            slab->next = start;
            slab->column = i;
            return result;
        }
    }
    if (fits) return MR_ROW_READ;
    slab->next = start;
    return MR_ROW_NEEDS_ROOM;
}

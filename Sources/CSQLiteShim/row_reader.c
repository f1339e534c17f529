#include "row_reader.h"

#include <sqlite3.h>
#include <string.h>

#include "cell_value.h"

/* Whether bytes are UTF-8: shortest forms only, no surrogates, nothing beyond U+10FFFF. */
static int is_utf8(const uint8_t *p, const uint8_t *end) {
    while (p < end) {
        if (end - p >= 8) {
            uint64_t word;
            memcpy(&word, p, 8);
            if ((word & 0x8080808080808080u) == 0) {
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

int mr_row_read(struct sqlite3_stmt *statement, int first, int count, const uint8_t *booleans,
                mr_cell *cells, mr_slab *slab) {
    uint8_t *start = slab->next;
    int fits = 1;
    slab->needed = 0;
    for (int i = 0; i < count; i++) {
        sqlite3_value *value = sqlite3_column_value(statement, first + i);
        mr_cell cell = {0};
        int type = sqlite3_value_type(value);
        if (type == SQLITE_INTEGER) {
            cell.bits = (uint64_t)sqlite3_value_int64(value);
            cell.tag = booleans[i] && cell.bits <= 1 ? MR_TAG_BOOL : MR_TAG_INT;
        } else if (type == SQLITE_FLOAT) {
            double real = sqlite3_value_double(value);
            memcpy(&cell.bits, &real, 8);
            cell.tag = MR_TAG_DOUBLE;
        } else if (type == SQLITE_TEXT || type == SQLITE_BLOB) {
            int is_text = type == SQLITE_TEXT;
            const void *bytes = is_text ? (const void *)sqlite3_value_text(value)
                                        : sqlite3_value_blob(value);
            int64_t length = sqlite3_value_bytes(value);
            if (!bytes && (is_text || length > 0)) return MR_ROW_NO_MEMORY;
            if (is_text && !is_utf8(bytes, (const uint8_t *)bytes + length)) {
                slab->next = start;
                return 1 + i;
            }
            uint8_t *copied = copy(slab, bytes, length);
            if (!copied) fits = 0;
            cell.bits = (uint64_t)(uintptr_t)copied;
            cell.length = (uint32_t)length;
            cell.tag = is_text ? MR_TAG_STRING : MR_TAG_BYTES;
        } else {
            cell.tag = MR_TAG_NULL;
        }
        cells[i] = cell;
    }
    if (fits) return 0;
    slab->next = start;
    return MR_ROW_NEEDS_ROOM;
}

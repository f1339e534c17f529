#include "cell_value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decimal_text.h"

_Static_assert(sizeof(mr_cell) == 16, "a cell is what ConnectorSDK.Cell is");

/* Up to this many digits any decimal survives the way through a double. */
#define DIGITS_ALWAYS_KEPT 15
/* With more digits than this none is looked at: a reader prints at most 17. */
#define DIGITS_EVER_KEPT 17
/* Longer number texts are not put into a double. */
#define LONGEST_NUMBER 72

static void set_integer(mr_value *out, int64_t integer) {
    out->kind = MR_INTEGER;
    out->integer = integer;
}

static void set_real(mr_value *out, double real) {
    out->kind = MR_REAL;
    out->real = real;
}

static void set_text(mr_value *out, const char *text, uint64_t length) {
    out->kind = MR_TEXT;
    out->text = text ? text : ""; /* SQLite takes a null address for NULL */
    out->length = length;
}

static void set_scratch(mr_value *out, int length) {
    out->kind = length > 0 && length < (int)sizeof out->scratch ? MR_SCRATCH_TEXT : MR_REFUSED;
    out->text = out->scratch;
    out->length = (uint64_t)length;
}

/* -- numbers -------------------------------------------------------------------------------- */

/* The parts of a number text: digits without leading and trailing zeros, and where they stand. */
typedef struct number {
    char digits[DIGITS_EVER_KEPT + 1];
    int count;      /* significant digits; may exceed what `digits` holds */
    int64_t power;  /* the value is 0.DIGITS times ten to this power */
    int negative;
    int is_integer; /* neither a point nor an exponent */
    int is_valid;
    int is_canonical; /* an integer as anybody would write it */
} number;

static int is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static int is_digit(char c) { return c >= '0' && c <= '9'; }

/* Takes apart what SQLite would take for a number: white space around it is allowed. */
static number parse_number(const char *text, uint64_t length) {
    number n = {.is_integer = 1};
    const char *p = text, *end = text + length;
    int64_t point = 0, exponent = 0, place = 0, last = 0;
    int any = 0;
    while (p < end && is_space(*p)) p++;
    const char *start = p;
    if (p < end && (*p == '-' || *p == '+')) n.negative = *p++ == '-';
    const char *first = p;
    int seen_point = 0;
    for (; p < end && (is_digit(*p) || (*p == '.' && !seen_point)); p++) {
        if (*p == '.') {
            seen_point = 1;
            n.is_integer = 0;
            continue;
        }
        any = 1;
        if (!seen_point) point++;
        place++;
        if (*p == '0') continue;
        if (last == 0) n.power = -(place - 1);
        last = place;
    }
    if (!any) return n;
    if (p < end && (*p == 'e' || *p == 'E')) {
        n.is_integer = 0;
        p++;
        int minus = 0, digits = 0;
        if (p < end && (*p == '-' || *p == '+')) minus = *p++ == '-';
        for (; p < end && is_digit(*p); p++, digits++)
            if (exponent < 100000000) exponent = exponent * 10 + (*p - '0');
        if (!digits) return n;
        if (minus) exponent = -exponent;
    }
    const char *stop = p;
    while (p < end && is_space(*p)) p++;
    if (p != end) return n;
    n.is_valid = 1;
    n.is_canonical = n.is_integer && start == text && stop == end && *start != '+' &&
                     (*first != '0' || (stop - first == 1 && !n.negative));
    if (last == 0) return n; /* zero */
    int64_t leading = -n.power;
    n.count = last - leading > DIGITS_EVER_KEPT ? DIGITS_EVER_KEPT + 1 : (int)(last - leading);
    n.power = point - leading + exponent;
    int64_t at = 0;
    int kept = 0;
    for (const char *q = first; q < stop && kept < n.count && kept < DIGITS_EVER_KEPT; q++) {
        if (*q == '.') continue;
        if (at++ < leading) continue;
        n.digits[kept++] = *q;
    }
    return n;
}

/* Whether a double, printed with as many digits as the number has, is the number again. */
static int survives(const number *n, double real) {
    if (n->count == 0) return 1;
    if (n->count > DIGITS_EVER_KEPT || !isfinite(real) || real == 0) return 0;
    if (n->count <= DIGITS_ALWAYS_KEPT && fabs(real) >= 2.3e-308) return 1;
    char printed[40];
    int length = snprintf(printed, sizeof printed, "%.*e", n->count - 1, fabs(real));
    if (length <= 0 || length >= (int)sizeof printed) return 0;
    char *e = strchr(printed, 'e');
    if (!e || strtoll(e + 1, NULL, 10) != n->power - 1) return 0;
    if (printed[0] != n->digits[0]) return 0;
    return n->count == 1 || memcmp(printed + 2, n->digits + 1, (size_t)n->count - 1) == 0;
}

/* Gives a number text as INTEGER or REAL. Returns 0 when neither holds it. */
static int set_number(mr_value *out, const char *text, uint64_t length, const number *n) {
    if (length > LONGEST_NUMBER) return 0;
    memcpy(out->scratch, text, length);
    out->scratch[length] = 0;
    if (n->is_integer && !(n->negative && n->count == 0)) {
        char *start = out->scratch;
        while (is_space(*start)) start++;
        char *end;
        __extension__ const __int128 limit = INT64_MAX;
        __int128 value = 0;
        for (end = start + (*start == '-' || *start == '+'); is_digit(*end); end++) {
            value = value * 10 + (*end - '0');
            if (value > limit + 1) break;
        }
        if (n->negative) value = -value;
        if (!is_digit(*end) && value >= (__int128)INT64_MIN && value <= limit) {
            set_integer(out, (int64_t)value);
            return 1;
        }
    }
    double real = strtod(out->scratch, NULL);
    if (!survives(n, real)) return 0;
    set_real(out, real);
    return 1;
}

/* A REAL column turns integers into doubles; refuses one that would not come back. */
static void check_integer(mr_value *out, uint8_t target) {
    if (out->kind != MR_INTEGER || target != MR_TARGET_REAL) return;
    double real = (double)out->integer;
    if (real >= 9223372036854775808.0 || (int64_t)real != out->integer) out->kind = MR_REFUSED;
}

static void number_value(mr_value *out, const char *text, uint64_t length, uint8_t target) {
    if (target == MR_TARGET_TEXT) {
        set_text(out, text, length);
        return;
    }
    number n = parse_number(text, length);
    if (n.is_valid && set_number(out, text, length, &n)) {
        check_integer(out, target);
        return;
    }
    if (target == MR_TARGET_ANY || !n.is_valid)
        set_text(out, text, length);
    else
        out->kind = MR_REFUSED;
}

static int format_decimal(char *into, int64_t mantissa, unsigned scale) {
    char digits[24];
    uint64_t magnitude = mantissa < 0 ? 0 - (uint64_t)mantissa : (uint64_t)mantissa;
    int count = snprintf(digits, sizeof digits, "%0*llu", (int)scale + 1,
                         (unsigned long long)magnitude);
    char *p = into;
    if (mantissa < 0) *p++ = '-';
    int whole = count - (int)scale;
    memcpy(p, digits, (size_t)whole);
    p += whole;
    if (scale > 0) {
        *p++ = '.';
        memcpy(p, digits + whole, scale);
        p += scale;
    }
    *p = 0;
    return (int)(p - into);
}

static void decimal_value(mr_value *out, const mr_cell *cell, uint8_t target) {
    int64_t mantissa = (int64_t)cell->bits;
    unsigned scale = cell->scale <= 18 ? cell->scale : 18;
    if (target != MR_TARGET_TEXT) {
        if (scale == 0) {
            set_integer(out, mantissa);
            check_integer(out, target);
            return;
        }
        if (mantissa > -1000000000000000 && mantissa < 1000000000000000) {
            set_real(out, (double)mantissa / mr_powers_of_ten[scale]);
            return;
        }
    }
    int length = format_decimal(out->scratch, mantissa, scale);
    if (target == MR_TARGET_TEXT) {
        set_scratch(out, length);
        return;
    }
    char text[48];
    memcpy(text, out->scratch, (size_t)length);
    number_value(out, text, (uint64_t)length, target);
    if (out->kind != MR_TEXT) return;
    memcpy(out->scratch, text, (size_t)length); /* the text lives here, and not in `text` */
    set_scratch(out, length);
}

static void double_value(mr_value *out, double real, uint8_t target) {
    if (isnan(real)) { /* SQLite would store NULL */
        set_text(out, "NaN", 3);
        return;
    }
    set_real(out, real);
    if (target != MR_TARGET_TEXT) return;
    /* SQLite itself would print 15 digits. */
    int length = mr_text_of_real(real, out->scratch);
    if (length == 0) length = snprintf(out->scratch, sizeof out->scratch, "%g", real);
    set_scratch(out, length);
}

static void string_value(mr_value *out, const char *text, uint64_t length, uint8_t target) {
    set_text(out, text, length);
    uint8_t affinity = target & 15;
    if (affinity < MR_TARGET_NUMERIC || length == 0) return;
    char first = out->text[0];
    if (first > '9') return; /* no number starts so */
    number n = parse_number(out->text, length);
    if (!n.is_valid) return;
    if ((target & MR_TARGET_IS_KEY && !n.is_canonical) ||
        !set_number(out, text, length, &n)) {
        out->kind = MR_REFUSED;
        return;
    }
    check_integer(out, affinity);
}

/* -- times ---------------------------------------------------------------------------------- */

static int64_t floor_divide(int64_t value, int64_t by, int64_t *rest) {
    int64_t quotient = value / by;
    *rest = value % by;
    if (*rest < 0) {
        *rest += by;
        quotient--;
    }
    return quotient;
}

/* Writes a day of the proleptic Gregorian calendar; 0 when it is beyond any calendar. */
static int format_date(char *into, size_t size, int64_t days) {
    int64_t day_of_era, shifted;
    if (__builtin_add_overflow(days, 719468, &shifted)) return 0;
    int64_t era = floor_divide(shifted, 146097, &day_of_era);
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    int day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    month += month < 10 ? 3 : -9;
    int64_t year = year_of_era + era * 400 + (month <= 2);
    return snprintf(into, size, year < 0 ? "%05lld-%02d-%02d" : "%04lld-%02d-%02d",
                    (long long)year, (int)month, day);
}

/* All six places are written, so that the order of texts is the order of times. */
static int format_time(char *into, size_t size, int64_t micros) {
    int64_t seconds = micros / 1000000;
    return snprintf(into, size, "%02d:%02d:%02d.%06d", (int)(seconds / 3600 % 100),
                    (int)(seconds / 60 % 60), (int)(seconds % 60), (int)(micros % 1000000));
}

static int format_zone(char *into, size_t size, int32_t offset) {
    if (offset == 0) return snprintf(into, size, "Z");
    int64_t seconds = offset < 0 ? -(int64_t)offset : offset;
    char sign = offset < 0 ? '-' : '+';
    int length = snprintf(into, size, "%c%02d:%02d", sign, (int)(seconds / 3600 % 100),
                          (int)(seconds / 60 % 60));
    if (seconds % 60)
        length += snprintf(into + length, size - (size_t)length, ":%02d", (int)(seconds % 60));
    return length;
}

static void date_value(mr_value *out, int64_t days) {
    set_scratch(out, format_date(out->scratch, sizeof out->scratch, days));
}

static void time_value(mr_value *out, int64_t micros) {
    if (micros < 0) {
        out->kind = MR_REFUSED;
        return;
    }
    set_scratch(out, format_time(out->scratch, sizeof out->scratch, micros));
}

static void timestamp_value(mr_value *out, int64_t micros, int32_t offset, int has_zone) {
    int64_t local, of_day;
    if (__builtin_add_overflow(micros, (int64_t)offset * 1000000, &local)) {
        local = micros;
        offset = 0;
    }
    int64_t days = floor_divide(local, 86400000000, &of_day);
    char *p = out->scratch, *end = out->scratch + sizeof out->scratch;
    p += format_date(p, (size_t)(end - p), days);
    *p++ = 'T';
    p += format_time(p, (size_t)(end - p), of_day);
    if (has_zone) p += format_zone(p, (size_t)(end - p), offset);
    set_scratch(out, (int)(p - out->scratch));
}

/* ------------------------------------------------------------------------------------------- */

void mr_value_of_cell(const mr_cell *cell, uint8_t target, mr_value *out) {
    uint8_t affinity = target & 15;
    const char *slice = (const char *)(uintptr_t)cell->bits;
    switch (cell->tag) {
    case MR_TAG_BOOL: set_integer(out, cell->bits != 0); return;
    case MR_TAG_INT:
        set_integer(out, (int64_t)cell->bits);
        check_integer(out, affinity);
        return;
    case MR_TAG_DOUBLE: {
        double real;
        memcpy(&real, &cell->bits, sizeof real);
        double_value(out, real, affinity);
        return;
    }
    case MR_TAG_DECIMAL: decimal_value(out, cell, affinity); return;
    case MR_TAG_NUMBER: number_value(out, slice ? slice : "", cell->length, affinity); return;
    case MR_TAG_STRING: string_value(out, slice ? slice : "", cell->length, target); return;
    case MR_TAG_JSON: set_text(out, slice, cell->length); return;
    case MR_TAG_BYTES:
        set_text(out, slice, cell->length);
        out->kind = MR_BLOB;
        return;
    case MR_TAG_DATE: date_value(out, (int64_t)cell->bits); return;
    case MR_TAG_TIME: time_value(out, (int64_t)cell->bits); return;
    case MR_TAG_TIMESTAMP:
        timestamp_value(out, (int64_t)cell->bits, (int32_t)cell->length, 1);
        return;
    case MR_TAG_LOCAL_TIMESTAMP: timestamp_value(out, (int64_t)cell->bits, 0, 0); return;
    default: out->kind = MR_NIL; return;
    }
}

/* Nine thousand years, either way: what is written with at most six digits of years. */
static int is_usual_time(int64_t value, int64_t per_day) {
    const int64_t days = 3300000;
    return value / per_day > -days && value / per_day < days;
}

int mr_value_is_certain(const mr_cell *cell, uint8_t target) {
    uint8_t affinity = target & 15;
    int64_t integer = (int64_t)cell->bits;
    if (target & MR_TARGET_ROW_ID) return cell->tag == MR_TAG_INT;
    switch (cell->tag) {
    case MR_TAG_MISSING:
    case MR_TAG_NULL: return !(target & MR_TARGET_NOT_NULL);
    case MR_TAG_BOOL:
    case MR_TAG_DOUBLE:
    case MR_TAG_JSON:
    case MR_TAG_BYTES: return 1;
    case MR_TAG_INT:
        return affinity != MR_TARGET_REAL || (integer > -(1LL << 53) && integer < 1LL << 53);
    case MR_TAG_DECIMAL:
        return affinity < MR_TARGET_NUMERIC ||
               (integer > -1000000000000000 && integer < 1000000000000000);
    case MR_TAG_NUMBER: return affinity < MR_TARGET_NUMERIC;
    case MR_TAG_STRING:
        /* No number starts with what is behind the digits. */
        return affinity < MR_TARGET_NUMERIC || cell->length == 0 ||
               *(const char *)(uintptr_t)cell->bits > '9';
    case MR_TAG_DATE: return is_usual_time(integer, 1);
    case MR_TAG_TIME: return integer >= 0;
    case MR_TAG_TIMESTAMP:
    case MR_TAG_LOCAL_TIMESTAMP: return is_usual_time(integer, 86400000000);
    default: return 0;
    }
}

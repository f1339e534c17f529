#include "decimal_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Up to this many digits any decimal survives the way through a double. */
static const double mantissa_limit = 1e15;

const double mr_powers_of_ten[MR_LARGEST_SCALE + 1] = {
    1,    1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
    1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};

int mr_decimal_of_integer(int64_t integer, int scale, int64_t *mantissa) {
    *mantissa = integer;
    for (int i = 0; i < scale; i++)
        if (__builtin_mul_overflow(*mantissa, 10, mantissa)) return 0;
    return scale <= MR_LARGEST_SCALE;
}

int mr_decimal_of_real(double real, int scale, int64_t *mantissa) {
    if (scale > MR_LARGEST_SCALE) return 0;
    double power = mr_powers_of_ten[scale];
    double scaled = real * power;
    if (!(fabs(scaled) < mantissa_limit)) return 0;
    double rounded = nearbyint(scaled);
    /* Both are exact, so the quotient is the double next to the decimal. */
    if (rounded / power != real || (real == 0 && signbit(real))) return 0;
    *mantissa = (int64_t)rounded;
    return 1;
}

int mr_text_of_real(double real, char text[MR_REAL_TEXT_SIZE]) {
    if (!isfinite(real)) return 0;
    int length = 0;
    for (int digits = 15; digits <= 17; digits++) {
        length = snprintf(text, MR_REAL_TEXT_SIZE, "%.*g", digits, real);
        if (strtod(text, NULL) == real) break;
    }
    /* A double never reads as a whole number of some other type. */
    if (!strpbrk(text, ".e")) length += snprintf(text + length, 3, ".0");
    return length;
}

static int is_digit(char c) { return c >= '0' && c <= '9'; }

int mr_is_decimal_text(const char *text, uint32_t length) {
    const char *p = text, *end = text + length;
    if (p < end && *p == '-') p++;
    if (p == end || !is_digit(*p)) return 0;
    if (*p++ != '0')
        while (p < end && is_digit(*p)) p++;
    if (p < end && *p == '.') {
        if (++p == end || !is_digit(*p)) return 0;
        while (p < end && is_digit(*p)) p++;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '-' || *p == '+')) p++;
        if (p == end || !is_digit(*p)) return 0;
        while (p < end && is_digit(*p)) p++;
    }
    return p == end;
}

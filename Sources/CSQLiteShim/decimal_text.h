#pragma once

/* Decimals in columns of SQLite, which has integers, doubles and texts. Private to this target. */

#include <stdint.h>

enum { MR_LARGEST_SCALE = 18 };

/* Exact, as is every whole number of at most 15 digits; so their quotient is rounded once. */
extern const double mr_powers_of_ten[MR_LARGEST_SCALE + 1];

/* The mantissa of a whole number with `scale` places; 0 when it does not fit. */
int mr_decimal_of_integer(int64_t integer, int scale, int64_t *mantissa);

/* The mantissa of the decimal with `scale` places that a double stands for; 0 when there is no
   such decimal of at most 15 digits. Storing the decimal as a double gives the same double. */
int mr_decimal_of_real(double real, int scale, int64_t *mantissa);

enum { MR_REAL_TEXT_SIZE = 40 };

/* The shortest decimal that reads as the double, in JSON's grammar; returns its length, or 0 for
   what is no number. */
int mr_text_of_real(double real, char text[MR_REAL_TEXT_SIZE]);

/* Whether a text is a number in JSON's grammar. */
int mr_is_decimal_text(const char *text, uint32_t length);

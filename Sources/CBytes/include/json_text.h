#pragma once
/// What reading and writing JSON needs beside the scanners of `scan.h`.
#include <stddef.h>
#include <stdint.h>
#include "scan.h"

/// Which of 16 bytes are `"`, `[`, `]`, `{` or `}`, the bytes that structure hangs on.
static inline uint32_t mr_json_brackets16(const void *p) {
    __auto_type v = mr_load16(p);
    __auto_type objects = mr_or16(mr_equal16(v, '{'), mr_equal16(v, '}'));
    __auto_type arrays = mr_or16(mr_equal16(v, '['), mr_equal16(v, ']'));
    return mr_mask16(mr_or16(mr_or16(objects, arrays), mr_equal16(v, '"')));
}

/// Whether `count` bytes are all ASCII. Reads no byte outside of them.
static inline int mr_json_is_ascii(const void *from, size_t count) {
    const uint8_t *p = (const uint8_t *)from;
    if (count < 16) {
        uint8_t all = 0;
        for (size_t i = 0; i < count; i++) all |= p[i];
        return all < 0x80;
    }
    for (size_t i = 0; i + 16 <= count; i += 16)
        if (mr_nonascii16(p + i)) return 0;
    return mr_nonascii16(p + count - 16) == 0;
}

/// The two digits of a number below 100, the tens in the low byte.
static inline uint16_t mr_two_digits(uint32_t value) {
    static const char digits[] =
        "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
        "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
        "8081828384858687888990919293949596979899";
    return (uint16_t)((uint8_t)digits[2 * value] | (uint8_t)digits[2 * value + 1] << 8);
}

/// 10 to the power of 0 ... 19; 0 for other exponents.
static inline uint64_t mr_power_of_ten(uint32_t exponent) {
    static const uint64_t powers[] = {
        1ULL, 10ULL, 100ULL, 1000ULL, 10000ULL, 100000ULL, 1000000ULL, 10000000ULL,
        100000000ULL, 1000000000ULL, 10000000000ULL, 100000000000ULL, 1000000000000ULL,
        10000000000000ULL, 100000000000000ULL, 1000000000000000ULL, 10000000000000000ULL,
        100000000000000000ULL, 1000000000000000000ULL, 10000000000000000000ULL,
    };
    return exponent > 19 ? 0 : powers[exponent];
}

/// Which of 16 bytes are the same in both places.
static inline uint32_t mr_json_same16(const void *a, const void *b) {
#if defined(__SSE2__)
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(mr_load16(a), mr_load16(b)));
#elif defined(__ARM_NEON) && defined(__aarch64__)
    return mr_mask16(vceqq_u8(mr_load16(a), mr_load16(b)));
#else
    const uint8_t *left = (const uint8_t *)a, *right = (const uint8_t *)b;
    uint32_t mask = 0;
    for (int i = 0; i < 16; i++) mask |= (uint32_t)(left[i] == right[i]) << i;
    return mask;
#endif
}

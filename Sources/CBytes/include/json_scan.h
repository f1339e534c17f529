#pragma once
#include <stddef.h>
#include <stdint.h>

// Scanning for JSON, 16 bytes at a time. Every load is of 16 bytes, so that many must be readable
// from the address given. The functions are `static inline`, which Swift inlines into its loops.

#if defined(__SSE2__)
#include <emmintrin.h>

/// Bit i says that byte i is `"`, `\` or a control character.
static inline uint32_t mr_json_special16(const void *from) {
    __m128i v = _mm_loadu_si128((const __m128i *)from);
    __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
    __m128i escape = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
    return (uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, escape), control));
}

/// Copies 16 bytes and says of each whether it is `"`, `\` or a control character.
static inline uint32_t mr_json_copy_special16(void *to, const void *from) {
    _mm_storeu_si128((__m128i *)to, _mm_loadu_si128((const __m128i *)from));
    return mr_json_special16(from);
}

/// Bit i says that byte i is `"`, `[`, `]`, `{` or `}`, the bytes that structure hangs on.
static inline uint32_t mr_json_brackets16(const void *from) {
    __m128i v = _mm_loadu_si128((const __m128i *)from);
    __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
    // `[` and `{`, `]` and `}` differ in bit 5 alone.
    __m128i folded = _mm_or_si128(v, _mm_set1_epi8(0x20));
    __m128i open = _mm_cmpeq_epi8(folded, _mm_set1_epi8('{'));
    __m128i close = _mm_cmpeq_epi8(folded, _mm_set1_epi8('}'));
    return (uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(open, close), quote));
}

/// Bit i says that byte i is not ASCII.
static inline uint32_t mr_json_high16(const void *from) {
    return (uint32_t)_mm_movemask_epi8(_mm_loadu_si128((const __m128i *)from));
}

#else

static inline uint32_t mr_json_mask16(const uint8_t *from, int (*test)(uint8_t)) {
    uint32_t mask = 0;
    for (int i = 0; i < 16; i++) mask |= (uint32_t)(test(from[i]) != 0) << i;
    return mask;
}
static inline int mr_json_is_special(uint8_t c) { return c == '"' || c == '\\' || c < 0x20; }
static inline int mr_json_is_bracket(uint8_t c) {
    return c == '"' || (c | 0x20) == '{' || (c | 0x20) == '}';
}
static inline int mr_json_is_high(uint8_t c) { return c >> 7; }

static inline uint32_t mr_json_special16(const void *from) {
    return mr_json_mask16((const uint8_t *)from, mr_json_is_special);
}
static inline uint32_t mr_json_copy_special16(void *to, const void *from) {
    __builtin_memmove(to, from, 16);
    return mr_json_special16(from);
}
static inline uint32_t mr_json_brackets16(const void *from) {
    return mr_json_mask16((const uint8_t *)from, mr_json_is_bracket);
}
static inline uint32_t mr_json_high16(const void *from) {
    return mr_json_mask16((const uint8_t *)from, mr_json_is_high);
}

#endif

/// Whether all of `count` bytes are ASCII. Reads no byte outside of them.
static inline int mr_json_is_ascii(const void *from, size_t count) {
    const uint8_t *p = (const uint8_t *)from;
    uint8_t all = 0;
    if (count < 16) {
        for (size_t i = 0; i < count; i++) all |= p[i];
        return all < 0x80;
    }
    size_t i = 0;
    for (; i + 16 <= count; i += 16)
        if (mr_json_high16(p + i)) return 0;
    return mr_json_high16(p + count - 16) == 0;
}

/// The two digits of a number below 100, the tens in the low byte.
static inline uint16_t mr_json_two_digits(uint32_t value) {
    static const char digits[] =
        "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
        "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
        "8081828384858687888990919293949596979899";
    return (uint16_t)((uint8_t)digits[2 * value] | (uint16_t)(uint8_t)digits[2 * value + 1] << 8);
}

/// 10 to the power of 0 ... 18.
static inline uint64_t mr_json_power_of_ten(uint32_t exponent) {
    static const uint64_t powers[] = {
        1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000,
        100000000000, 1000000000000, 10000000000000, 100000000000000, 1000000000000000,
        10000000000000000, 100000000000000000, 1000000000000000000,
    };
    return exponent > 18 ? 0 : powers[exponent];
}

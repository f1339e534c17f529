#pragma once
/// Scanners over 16 bytes at any alignment. Each result has one bit a byte, the first byte lowest,
/// so the first hit is `mask.trailingZeroBitCount`. They read 16 bytes whatever they find.
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>

static inline __m128i mr_load16(const void *p) { return _mm_loadu_si128((const __m128i *)p); }

static inline __m128i mr_equal16(__m128i v, uint8_t byte) {
    return _mm_cmpeq_epi8(v, _mm_set1_epi8((char)byte));
}

static inline uint32_t mr_mask16(__m128i v) { return (uint32_t)_mm_movemask_epi8(v); }

static inline __m128i mr_or16(__m128i a, __m128i b) { return _mm_or_si128(a, b); }

static inline __m128i mr_below16(__m128i v, uint8_t limit) {
    return _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8((char)(limit - 1))), v);
}

static inline void mr_store16(void *p, __m128i v) { _mm_storeu_si128((__m128i *)p, v); }

static inline uint32_t mr_high16(__m128i v) { return (uint32_t)_mm_movemask_epi8(v); }

#elif defined(__ARM_NEON) && defined(__aarch64__)
#include <arm_neon.h>

static inline uint8x16_t mr_load16(const void *p) { return vld1q_u8((const uint8_t *)p); }

static inline uint8x16_t mr_equal16(uint8x16_t v, uint8_t byte) {
    return vceqq_u8(v, vdupq_n_u8(byte));
}

static inline uint32_t mr_mask16(uint8x16_t v) {
    static const uint8_t weights[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t bits = vandq_u8(v, vld1q_u8(weights));
    return (uint32_t)vaddv_u8(vget_low_u8(bits)) | (uint32_t)vaddv_u8(vget_high_u8(bits)) << 8;
}

static inline uint8x16_t mr_or16(uint8x16_t a, uint8x16_t b) { return vorrq_u8(a, b); }

static inline uint8x16_t mr_below16(uint8x16_t v, uint8_t limit) {
    return vcltq_u8(v, vdupq_n_u8(limit));
}

static inline void mr_store16(void *p, uint8x16_t v) { vst1q_u8((uint8_t *)p, v); }

static inline uint32_t mr_high16(uint8x16_t v) {
    return mr_mask16(vcgeq_u8(v, vdupq_n_u8(0x80)));
}

#else

/// Sixteen bytes, and after a comparison sixteen truth values of 0 or 1.
typedef struct {
    uint8_t byte[16];
} mr_bytes16;

static inline mr_bytes16 mr_load16(const void *p) {
    mr_bytes16 v;
    memcpy(v.byte, p, 16);
    return v;
}

static inline mr_bytes16 mr_equal16(mr_bytes16 v, uint8_t byte) {
    for (int i = 0; i < 16; i++) v.byte[i] = v.byte[i] == byte;
    return v;
}

static inline uint32_t mr_mask16(mr_bytes16 v) {
    uint32_t mask = 0;
    for (int i = 0; i < 16; i++) mask |= (uint32_t)(v.byte[i] & 1) << i;
    return mask;
}

static inline mr_bytes16 mr_or16(mr_bytes16 a, mr_bytes16 b) {
    for (int i = 0; i < 16; i++) a.byte[i] |= b.byte[i];
    return a;
}

static inline mr_bytes16 mr_below16(mr_bytes16 v, uint8_t limit) {
    for (int i = 0; i < 16; i++) v.byte[i] = v.byte[i] < limit;
    return v;
}

static inline void mr_store16(void *p, mr_bytes16 v) { memcpy(p, v.byte, 16); }

static inline uint32_t mr_high16(mr_bytes16 v) {
    for (int i = 0; i < 16; i++) v.byte[i] >>= 7;
    return mr_mask16(v);
}

#endif

/// Which of 16 bytes need care in a JSON string: `"`, `\` and control characters below 0x20.
static inline uint32_t mr_special16(const void *p) {
    __auto_type v = mr_load16(p);
    return mr_mask16(
        mr_or16(mr_or16(mr_equal16(v, '"'), mr_equal16(v, '\\')), mr_below16(v, 0x20)));
}

/// Copies 16 bytes to `to`, and tells which of them need care in a JSON string.
static inline uint32_t mr_copy_special16(void *to, const void *p) {
    __auto_type v = mr_load16(p);
    mr_store16(to, v);
    return mr_mask16(
        mr_or16(mr_or16(mr_equal16(v, '"'), mr_equal16(v, '\\')), mr_below16(v, 0x20)));
}

/// Which of 16 bytes equal `a`.
static inline uint32_t mr_match1_16(const void *p, uint8_t a) {
    return mr_mask16(mr_equal16(mr_load16(p), a));
}

/// Which of 16 bytes equal `a` or `b`.
static inline uint32_t mr_match2_16(const void *p, uint8_t a, uint8_t b) {
    __auto_type v = mr_load16(p);
    return mr_mask16(mr_or16(mr_equal16(v, a), mr_equal16(v, b)));
}

/// Which of 16 bytes equal `a`, `b` or `c`.
static inline uint32_t mr_match3_16(const void *p, uint8_t a, uint8_t b, uint8_t c) {
    __auto_type v = mr_load16(p);
    return mr_mask16(mr_or16(mr_or16(mr_equal16(v, a), mr_equal16(v, b)), mr_equal16(v, c)));
}

/// Which of 16 bytes equal `a`, `b`, `c` or `d`.
static inline uint32_t mr_match4_16(
    const void *p, uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
    __auto_type v = mr_load16(p);
    return mr_mask16(mr_or16(
        mr_or16(mr_equal16(v, a), mr_equal16(v, b)), mr_or16(mr_equal16(v, c), mr_equal16(v, d))));
}

/// Which of 16 bytes are below `limit`, which must not be 0.
static inline uint32_t mr_less16(const void *p, uint8_t limit) {
    return mr_mask16(mr_below16(mr_load16(p), limit));
}

/// Which of 16 bytes are not ASCII.
static inline uint32_t mr_nonascii16(const void *p) { return mr_high16(mr_load16(p)); }

#include "cbytes.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#define MR_CRC_TARGET __attribute__((target("sse4.2")))
#define MR_CRC64(crc, word) ((uint32_t)_mm_crc32_u64((crc), (word)))
#define MR_CRC8(crc, byte) _mm_crc32_u8((crc), (byte))
#define MR_CRC_HARDWARE "sse4.2"
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#include <arm_acle.h>
#include <sys/auxv.h>
#define MR_CRC_TARGET __attribute__((target("crc")))
#define MR_CRC64(crc, word) __crc32cd((crc), (word))
#define MR_CRC8(crc, byte) __crc32cb((crc), (byte))
#define MR_CRC_HARDWARE "armv8 crc"
#endif

#define POLYNOMIAL 0x82f63b78u

/// `table[k][b]` is the CRC of byte `b` followed by `k` zero bytes.
static uint32_t table[8][256];

static void make_table(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ POLYNOMIAL : crc >> 1;
        table[0][byte] = crc;
    }
    for (int byte = 0; byte < 256; byte++) {
        for (int zeros = 1; zeros < 8; zeros++) {
            uint32_t before = table[zeros - 1][byte];
            table[zeros][byte] = (before >> 8) ^ table[0][before & 0xff];
        }
    }
}

/// Slice-by-8: eight bytes a step through eight tables.
static uint32_t crc_by_table(uint32_t crc, const void *bytes, size_t length) {
    const uint8_t *p = bytes;
    uint32_t c = ~crc;
    for (; length >= 8; p += 8, length -= 8) {
        c ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        c = table[7][c & 0xff] ^ table[6][c >> 8 & 0xff] ^ table[5][c >> 16 & 0xff] ^
            table[4][c >> 24] ^ table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^ table[0][p[7]];
    }
    for (; length > 0; length--) c = table[0][(c ^ *p++) & 0xff] ^ (c >> 8);
    return ~c;
}

#if defined(MR_CRC_HARDWARE)

/// The instruction takes three cycles but starts every cycle, so three stretches run at once and
/// are joined. 4096 keeps the joins rare in a large batch; 256 serves what is left of it.
enum { long_stretch = 4096, short_stretch = 256 };

/// `shift[k][b]`: byte `k` of a CRC with value `b`, carried over a stretch of zero bytes.
static uint32_t long_shift[4][256];
static uint32_t short_shift[4][256];

/// Carrying over zeros is linear, so what happens to 32 single bits tells everything.
static void make_shift(uint32_t shift[4][256], const uint32_t carried[32]) {
    for (int position = 0; position < 4; position++) {
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t sum = 0;
            for (int bit = 0; bit < 8; bit++) {
                if (byte >> bit & 1) sum ^= carried[position * 8 + bit];
            }
            shift[position][byte] = sum;
        }
    }
}

static inline uint32_t carry(uint32_t shift[4][256], uint32_t crc) {
    return shift[0][crc & 0xff] ^ shift[1][crc >> 8 & 0xff] ^ shift[2][crc >> 16 & 0xff] ^
           shift[3][crc >> 24];
}

static void make_shifts(void) {
    uint32_t carried[32];
    for (int bit = 0; bit < 32; bit++) {
        uint32_t crc = 1u << bit;
        for (int i = 0; i < short_stretch; i++) crc = table[0][crc & 0xff] ^ (crc >> 8);
        carried[bit] = crc;
    }
    make_shift(short_shift, carried);
    for (int bit = 0; bit < 32; bit++) {
        for (int i = 1; i < long_stretch / short_stretch; i++) {
            carried[bit] = carry(short_shift, carried[bit]);
        }
    }
    make_shift(long_shift, carried);
}

static inline uint64_t word(const uint8_t *p) {
    uint64_t value;
    memcpy(&value, p, 8);
    return value;
}

MR_CRC_TARGET static uint32_t crc_by_instruction(uint32_t crc, const void *bytes, size_t length) {
    const uint8_t *p = bytes;
    uint32_t c = ~crc;
    for (; length >= 8; p += 8, length -= 8) c = MR_CRC64(c, word(p));
    for (; length > 0; length--) c = MR_CRC8(c, *p++);
    return ~c;
}

MR_CRC_TARGET static inline __attribute__((always_inline)) uint32_t three_stretches(
    uint32_t crc, const uint8_t *p, size_t stretch, uint32_t shift[4][256]) {
    uint32_t second = 0, third = 0;
    const uint8_t *end = p + stretch;
    for (; p < end; p += 8) {
        crc = MR_CRC64(crc, word(p));
        second = MR_CRC64(second, word(p + stretch));
        third = MR_CRC64(third, word(p + 2 * stretch));
    }
    return carry(shift, carry(shift, crc) ^ second) ^ third;
}

MR_CRC_TARGET static uint32_t crc_interleaved(uint32_t crc, const void *bytes, size_t length) {
    const uint8_t *p = bytes;
    uint32_t c = ~crc;
    for (; length >= 3 * long_stretch; p += 3 * long_stretch, length -= 3 * long_stretch) {
        c = three_stretches(c, p, long_stretch, long_shift);
    }
    for (; length >= 3 * short_stretch; p += 3 * short_stretch, length -= 3 * short_stretch) {
        c = three_stretches(c, p, short_stretch, short_shift);
    }
    return crc_by_instruction(~c, p, length);
}

static int has_instruction(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.2") != 0;
#else
    return (getauxval(AT_HWCAP) & (1 << 7)) != 0;  // HWCAP_CRC32
#endif
}

#endif

typedef uint32_t (*implementation)(uint32_t, const void *, size_t);

static implementation implementations[3] = {crc_by_table};
static const char *names[3] = {"table"};
static int count = 1;

/// Runs before `main`, so the tables need no lock; it takes some 30 µs.
__attribute__((constructor)) static void choose_implementation(void) {
    make_table();
#if defined(MR_CRC_HARDWARE)
    if (!has_instruction()) return;
    make_shifts();
    implementations[1] = crc_by_instruction;
    names[1] = MR_CRC_HARDWARE;
    implementations[2] = crc_interleaved;
    names[2] = MR_CRC_HARDWARE ", interleaved";
    count = 3;
#endif
}

uint32_t mr_crc32c(uint32_t crc, const void *bytes, size_t length) {
    return implementations[count - 1](crc, bytes, length);
}

int mr_crc32c_implementation_count(void) { return count; }

uint32_t mr_crc32c_with(int index, uint32_t crc, const void *bytes, size_t length) {
    if (index < 0 || index >= count) index = 0;
    return implementations[index](crc, bytes, length);
}

const char *mr_crc32c_name(int index) {
    return index < 0 || index >= count ? names[0] : names[index];
}

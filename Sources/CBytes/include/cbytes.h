#pragma once
/// Byte scanners that Swift inlines, and CRC-32C.
#include <stddef.h>
#include <stdint.h>
#include "json_text.h"
#include "scan.h"

/// The CRC-32C (Castagnoli) of `length` bytes, continuing from `crc`; begin with 0.
///
/// Uses the processor's instruction where there is one. Safe on any thread.
uint32_t mr_crc32c(uint32_t crc, const void *bytes, size_t length);

/// The number of implementations that this processor can run.
int mr_crc32c_implementation_count(void);

/// Computes with implementation `index`, for tests that compare them; 0 is the table.
uint32_t mr_crc32c_with(int index, uint32_t crc, const void *bytes, size_t length);

/// The name of implementation `index`.
const char *mr_crc32c_name(int index);

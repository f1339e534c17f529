import CBytes
import Testing

@Suite("CRC-32C")
struct ChecksumTests {
    /// The definition, bit by bit.
    static func reference(_ bytes: ArraySlice<UInt8>, _ start: UInt32 = 0) -> UInt32 {
        var crc = ~start
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82f6_3b78 : crc >> 1 }
        }
        return ~crc
    }

    @Test("every implementation agrees with the definition, at every length and alignment")
    func agrees() {
        let data = (0..<40_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 11) }
        let lengths = Array(0..<70) + [255, 256, 767, 768, 769, 1_543, 12_287, 12_288, 25_000]
        for length in lengths {
            for start in [0, 1, 3, 7, 8] {
                let slice = data[start..<start + length]
                let expected = Self.reference(slice)
                data.withUnsafeBytes { bytes in
                    guard let base = bytes.baseAddress else { return }
                    #expect(mr_crc32c(0, base + start, length) == expected)
                    for index in 0..<mr_crc32c_implementation_count() {
                        let crc = mr_crc32c_with(index, 0, base + start, length)
                        #expect(crc == expected, "\(String(cString: mr_crc32c_name(index)))")
                    }
                }
            }
        }
    }

    @Test("it goes on from an earlier result")
    func continues() {
        let data = Array("123456789".utf8)
        #expect(mr_crc32c(0, data, 9) == 0xe306_9283)
        #expect(mr_crc32c(mr_crc32c(0, data, 4), Array(data[4...]), 5) == 0xe306_9283)
    }

    @Test("this processor's instruction is used where there is one")
    func usesHardware() {
        #if arch(x86_64)
        #expect(mr_crc32c_implementation_count() == 3)
        #endif
    }
}

@Suite("Scanning 16 bytes")
struct ScanTests {
    @Test("every byte value is told right in every place")
    func scans() {
        for place in 0..<16 {
            for value in UInt8.min...UInt8.max {
                var data = [UInt8](repeating: 0x61, count: 16)
                data[place] = value
                let bit = UInt32(1) << UInt32(place)
                let isSpecial = value == 0x22 || value == 0x5c || value < 0x20
                #expect(mr_special16(data) == (isSpecial ? bit : 0))
                var copy = [UInt8](repeating: 0, count: 16)
                #expect(mr_copy_special16(&copy, data) == (isSpecial ? bit : 0))
                #expect(copy == data)
                #expect(mr_nonascii16(data) == (value >= 0x80 ? bit : 0))
                #expect(mr_less16(data, 0x30) == (value < 0x30 ? bit : 0))
                guard value != 0x61 else { continue }
                #expect(mr_match1_16(data, value) == bit)
                #expect(mr_match2_16(data, 0, value) == bit)
                #expect(mr_match3_16(data, 0, 1, value) == bit)
                #expect(mr_match4_16(data, 0, 1, value, 2) == bit)
                #expect(mr_match3_16(data, value &+ 1, value &+ 2, value &+ 3) & bit == 0)
            }
        }
    }
}

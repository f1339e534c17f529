import Testing

@testable import PipelineEngine

@Suite("Dead letters that were seen to")
struct HandledOffsetsTests {
    @Test("are remembered in whatever order they were seen to")
    func anyOrder() {
        for seed in 0..<200 as Range<UInt64> {
            var random = SplitMix(state: seed)
            var handled = HandledOffsets(next: 5)
            var expected = Set<Int64>(0..<5)
            for offset in (5..<25 as Range<Int64>).shuffled(using: &random).prefix(12) {
                handled.insert(offset)
                expected.insert(offset)
                for other in 0..<30 as Range<Int64> {
                    #expect(handled.contains(other) == expected.contains(other))
                }
                #expect(HandledOffsets(next: handled.next, text: handled.text) == handled)
                let remaining = (3..<27 as Range<Int64>).filter { !expected.contains($0) }.count
                #expect(handled.remaining(in: 3..<27) == Int64(remaining))
                #expect(!expected.contains(handled.next), "the offset is as high as it can be")
            }
        }
    }

    // D6: offsets of a topic that was deleted say nothing of the one made anew.
    @Test("are forgotten when the group's offset is not what it was")
    func otherLife() {
        var handled = HandledOffsets(next: 0)
        handled.insert(3)
        #expect(HandledOffsets(next: nil, text: handled.text) == HandledOffsets(next: 0))
        #expect(HandledOffsets(next: 2, text: handled.text) == HandledOffsets(next: 2))
        #expect(HandledOffsets(next: 0, text: handled.text) == handled)
    }

    @Test(
        "are none where the text is damaged",  // D9
        arguments: [
            "", "nonsense", "{\"next\":1,\"handled\":[[3,2]]}", "{\"next\":1,\"handled\":[[3]]}",
            "{\"next\":1,\"handled\":[[5,6],[3,4]]}", "{\"next\":1,\"handled\":[[1,4]]}",
            "{\"next\":1,\"handled\":[[-9,9223372036854775807999]]}",
        ]
    )
    func damaged(text: String) {
        #expect(HandledOffsets(next: 1, text: text) == HandledOffsets(next: 1))
    }
}

/// A generator that repeats.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

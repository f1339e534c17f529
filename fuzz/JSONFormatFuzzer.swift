internal import ConnectorSDK
internal import JSONFormat

/// What was read of a stream: the place and text of each record and rejection, and how it ended.
private struct Contents: Equatable {
    var records: [[UInt8]] = []
    var places: [Int64] = []
    var rejected: [Int64] = []
    var failed = false
    var positions: [ReaderPosition] = []
}

/// The first byte chooses the settings and the pieces, the rest is the stream.
///
/// A stream gives the same records however it is cut, and from every position the rest of them.
func feedJSONFormat(_ input: UnsafeBufferPointer<UInt8>) {
    guard let choice = input.first else { return }
    let stream = Array(input.dropFirst())
    var values = ["max.record.bytes": "1024"]
    switch choice & 7 {
    case 1: values["json.style"] = "lines"
    case 2: values["json.style"] = "array"
    case 3: values["record.path"] = "/a"
    case 4: values["record.path"] = "/a/1/b"
    default: break
    }
    let whole = read(stream, values, from: nil, piece: 1 << 16, window: 1 << 16)
    let piece = Int(choice >> 3 & 7) + 1
    let cut = read(stream, values, from: nil, piece: piece, window: Int(choice >> 6) * 20 + 1)
    precondition(whole.records == cut.records && whole.places == cut.places)
    precondition(whole.rejected == cut.rejected && whole.failed == cut.failed)
    for position in whole.positions where !whole.failed {
        let rest = read(stream, values, from: position, piece: piece, window: 16)
        let done = Int(position.record)
        let total = whole.records.count + whole.rejected.count
        precondition(rest.records.count + rest.rejected.count == total - done)
        precondition(rest.records.elementsEqual(whole.records.suffix(rest.records.count)))
    }
}

private func read(
    _ stream: [UInt8],
    _ values: [String: String],
    from start: ReaderPosition?,
    piece: Int,
    window: Int
) -> Contents {
    var contents = Contents()
    do throws(ConnectorError) {
        let reader = try JSONFormat(configuration: Configuration(values)).makeReader(at: start)
        var at = Int(start?.byte ?? 0)
        let input = ByteInput(offset: Int64(at), chunkSize: window) { room in
            let count = min(room.count, piece, stream.count - at)
            room.copyBytes(from: stream[at..<(at + count)])
            at += count
            return count
        }
        var goesOn = true
        while goesOn {
            let batch = RecordBatch()
            do throws(ConnectorError) {
                goesOn = try reader.read(input, into: batch)
            } catch {
                contents.failed = true
                goesOn = false
            }
            for row in batch.indices {
                contents.records.append(Array(batch[metadata: row].raw))
                contents.places.append(batch[metadata: row].offset)
            }
            contents.rejected += batch.takeRejections().map(\.offset)
            contents.positions.append(reader.position)
        }
    } catch {
        fatalError("The settings are refused: \(error)")
    }
    return contents
}

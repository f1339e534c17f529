internal import ConnectorSDK
internal import HTTPRequests
internal import JSONRecords

/// The input is the body of a form.
func feedForm(_ input: UnsafeBufferPointer<UInt8>) {
    // Of the exact size, so that reading past its end is seen.
    let bytes = Array(input)
    let result = bytes.withUnsafeBytes { bytes in
        do throws(FormBody.Problem) {
            return Result<FormBody, FormBody.Problem>.success(try FormBody(bytes))
        } catch {
            return .failure(error)
        }
    }
    switch result {
    case .success(let form):
        precondition(Set(form.names).count == form.names.count, "A name is there twice.")
        check(form, bytes)
    case .failure(let problem):
        precondition((0...bytes.count).contains(problem.byte), "A place is not in the body.")
    }
}

private func check(_ form: FormBody, _ bytes: [UInt8]) {
    let batch = RecordBatch()
    batch.reset(topic: "t", schema: Schema(form.names))
    form.append(to: batch)
    precondition(batch.count == 1, "A form is one record.")
    var values = 0
    for column in form.names.indices {
        let cell = batch[0, column]
        precondition(JSONRecordParser.isValidUTF8(cell.slice), "A value is not UTF-8.")
        values += 1
        guard cell.tag != .string else { continue }
        precondition(cell.tag == .json, "A cell of another kind.")
        // A copy with the padding that the check asks for.
        let text = Chunk(copying: cell.slice)
        precondition(
            JSONText.error(in: UnsafeRawBufferPointer(text.bytes)) == nil,
            "Several values are not JSON."
        )
    }
    let pairs = bytes.split(separator: UInt8(ascii: "&")).count
    precondition(values <= pairs, "More fields than there were.")
    precondition(pairs == 0 || values > 0, "Fields are gone.")
}

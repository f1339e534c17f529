import ConnectorSDK
import ConnectorTesting
import Testing
import XMLFormat

@Suite("XML format")
struct XMLConformanceTests {
    static let keys = [
        "record.path": "/orders/order", "xml.root": "orders", "xml.record": "order",
    ]

    @Test("meets the contract of formats", arguments: FormatRequirement.allCases)
    func conforms(_ requirement: FormatRequirement) throws {
        try FormatScenario(
            format: {
                try XMLFormat(configuration: Configuration(Self.keys))
            }
        ) { count in
            guard count > 0 else { return [] }
            var text = "<?xml version=\"1.0\"?>\n<!-- <order> --><orders>\n"
            for index in 0..<count {
                text += "  <order id=\"\(index)\">\n    <note>a > b &amp; \"é\" \(index)</note>"
                if index % 3 == 0 { text += "<tag>x</tag><!-- - --><tag>y</tag>" }
                if index % 4 == 0 { text += "<to country='>'><city><![CDATA[<Ö]]></city>\n</to>" }
                text += "</order>\n"
            }
            return Array((text + "</orders>").utf8)
        }.verify(requirement)
    }
}

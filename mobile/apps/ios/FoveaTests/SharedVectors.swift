import Foundation
import FoveaCore

@testable import Fovea

/// The vectors of all ports, carried by the test bundle so that they reach a phone.
enum SharedVectors {
    private final class Anchor {}

    static func url(_ path: String) throws -> URL {
        guard let root = Bundle(for: Anchor.self).resourceURL else {
            throw FoveaError("the test bundle has no resources; build the tests again")
        }
        return root.appendingPathComponent("vectors").appendingPathComponent(path)
    }

    static func cases<Case: Decodable>(_ list: String) throws -> [Case] {
        let top = try JSONSerialization.jsonObject(with: Data(contentsOf: url("vectors.json"))) as? [String: Any]
        let listed = top?[list] as? [Any] ?? []
        guard !listed.isEmpty else { throw FoveaError("vectors.json has no cases in the list \(list)") }
        return try JSONDecoder().decode([Case].self, from: JSONSerialization.data(withJSONObject: listed))
    }

    static func picture(_ path: String) throws -> Picture { try PhotoDecoder.decode(url(path)).picture }
}

import Foundation

@testable import FoveaCore

/// The vectors that every port of the apps must reproduce.
enum Vectors {
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("vectors")

    static func url(_ path: String) -> URL { folder.appendingPathComponent(path) }

    static func array(_ path: String) throws -> FloatArray { try FloatArray(npy: url(path)) }

    static func picture(_ path: String) throws -> Picture { try PNGReader.read(url(path)) }

    static func colours() throws -> [[UInt8]] {
        try Layers.colours(json: Data(contentsOf: url("colours.json")))
    }

    /// The cases of one list. An empty list would pass every test, so it fails here.
    static func cases<Case: Decodable>(_ list: String, of kind: Case.Type = Case.self) -> [Case] {
        do {
            let data = try Data(contentsOf: url("vectors.json"))
            let top = try JSONSerialization.jsonObject(with: data) as? [String: Any]
            guard let listed = top?[list] as? [Any], !listed.isEmpty else {
                fatalError("vectors.json has no cases in the list \(list)")
            }
            let decoder = JSONDecoder()
            return try decoder.decode([Case].self, from: JSONSerialization.data(withJSONObject: listed))
        } catch {
            fatalError("vectors.json: \(error)")
        }
    }
}

/// The largest difference of two pictures in some channels.
func difference(_ a: Picture, _ b: Picture, channels: Range<Int>) -> Int {
    guard a.width == b.width, a.height == b.height, a.channels == b.channels else { return .max }
    return a.bytes.indices.filter { channels.contains($0 % a.channels) }
        .map { abs(Int(a.bytes[$0]) - Int(b.bytes[$0])) }.max() ?? 0
}

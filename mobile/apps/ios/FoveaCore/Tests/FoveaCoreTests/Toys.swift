import Foundation

@testable import FoveaCore

/// Engines without a runtime, and bundles to run them on.
final class ToyEngine: Engine {
    let runtime = "toy"
    let runtimeVersion = "1"
    let delegation = Delegation(asked: "none", obtained: "none")
    let answer: @Sendable (FloatArray) throws -> FloatArray

    init(_ answer: @escaping @Sendable (FloatArray) throws -> FloatArray) {
        self.answer = answer
    }

    func run(_ input: FloatArray) throws -> FloatArray { try answer(input) }
}

/// Loads a toy for recipes it has one for; the rest fail, as a runtime would.
struct ToyLoader: EngineLoader {
    let engines: [String: ToyEngine]

    func load(_ recipe: String, of bundle: ModelBundle) async throws -> any Engine {
        guard let engine = engines[recipe] else { throw FoveaError("broken") }
        return engine
    }
}

/// A copy of a whole bundle of the vectors, its manifest changed; removed with the object.
final class ToyBundle {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    let bundle: ModelBundle

    init(_ name: String, change: (inout [String: Any]) -> Void = { _ in }) throws {
        try FileManager.default.copyItem(at: Vectors.url("manifests/\(name)"), to: folder)
        let path = folder.appendingPathComponent("manifest.json")
        var top = try JSONSerialization.jsonObject(with: Data(contentsOf: path)) as! [String: Any]
        change(&top)
        try JSONSerialization.data(withJSONObject: top).write(to: path)
        bundle = try ModelBundle(folder: folder)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// The artefact again under other recipes and backends.
    static func recipes(_ backends: [String: String]) -> (inout [String: Any]) -> Void {
        { top in
            let artefacts = top["artefacts"] as! [String: [String: Any]]
            let any = artefacts.values.first!
            top["artefacts"] = backends.mapValues { backend in any.merging(["backend": backend]) { $1 } }
        }
    }
}

import Foundation

/// From the bytes of `manifest.json` to a `Manifest` that this version understands.
enum ManifestReader {
    static let fileName = "manifest.json"
    static let schema = 1
    private static let again = "install the bundle again"

    static func read(_ folder: URL) throws -> Manifest {
        let path = folder.appendingPathComponent(fileName)
        guard let data = try? Data(contentsOf: path) else {
            throw BundleError(
                .missingManifest, "\(folder.lastPathComponent) is not a bundle: it has no \(fileName); \(again)")
        }
        return try decode(data)
    }

    static func decode(_ data: Data) throws -> Manifest {
        guard let json = try? JSONSerialization.jsonObject(with: data), let top = json as? [String: Any]
        else {
            throw BundleError(.notJSON, "\(fileName) is not a JSON object; \(again)")
        }
        // Before anything else: a newer schema may have moved every other part.
        guard let stated = top["schema"] as? Int else {
            throw BundleError(.missingPart, "\(fileName) lacks schema; \(again)")
        }
        guard stated <= schema else {
            throw BundleError(
                .schema,
                "\(fileName) has schema \(stated) (known here: \(schema)): made by a newer Fovea; update the app")
        }
        let manifest: Manifest
        do {
            manifest = try JSONDecoder().decode(Manifest.self, from: data)
        } catch let error as DecodingError {
            throw BundleError(.missingPart, "\(fileName): \(described(error)); \(again)")
        }
        try check(manifest)
        return manifest
    }

    private static func check(_ manifest: Manifest) throws {
        func unknown(_ kind: BundleError.Kind, _ what: String, _ known: [String]) -> BundleError {
            BundleError(
                kind, "\(fileName): \(what) is unknown; known: \(known.joined(separator: ", ")). Update the app")
        }
        guard ModelTask(rawValue: manifest.spec.task) != nil else {
            throw unknown(.task, "task \"\(manifest.spec.task)\"", ModelTask.allCases.map(\.rawValue))
        }
        guard Meaning(rawValue: manifest.output.meaning) != nil else {
            let what = "an output that means \"\(manifest.output.meaning)\""
            throw unknown(.meaning, what, Meaning.allCases.map(\.rawValue))
        }
        guard manifest.input.resize.name == Resize.name else {
            throw unknown(.resize, "the resize \"\(manifest.input.resize.name)\"", [Resize.name])
        }
        let input = manifest.input
        guard input.color == "RGB", input.range == [0, 255], input.dtype == "float32" else {
            let what = "an input of \(input.dtype) \(input.color) in \(input.range)"
            throw unknown(.input, what, ["float32 RGB in [0.0, 255.0]"])
        }
        let shape = manifest.output.shape
        guard shape.count == 4, shape.allSatisfy({ $0 > 0 }), input.height > 0, input.width > 0 else {
            throw BundleError(.missingPart, "\(fileName): input or output has no size; \(again)")
        }
        if let classes = manifest.output.classes, classes.count != shape[1] {
            let what = "output.classes names \(classes.count) classes, output.shape has \(shape[1])"
            throw BundleError(.missingPart, "\(fileName): \(what); \(again)")
        }
        guard !manifest.artefacts.isEmpty else {
            throw BundleError(.missingPart, "\(fileName): artefacts is empty; \(again)")
        }
    }

    private static func described(_ error: DecodingError) -> String {
        func at(_ context: DecodingError.Context, _ last: (any CodingKey)? = nil) -> String {
            (context.codingPath + (last.map { [$0] } ?? [])).map(\.stringValue).joined(separator: ".")
        }
        switch error {
        case .keyNotFound(let key, let context): return "lacks \(at(context, key))"
        case .valueNotFound(_, let context): return "\(at(context)) is empty"
        case .typeMismatch(_, let context): return "\(at(context)) is of another type than expected"
        case .dataCorrupted(let context): return "\(at(context)) is damaged"
        @unknown default: return "is damaged"
        }
    }
}

import Foundation

/// A bundle that is whole: every listed file was there with its length and SHA-256 when it was opened.
public struct ModelBundle: Sendable {
    public let folder: URL
    public let manifest: Manifest
    public let task: ModelTask
    public let meaning: Meaning

    /// Opens and verifies `folder`. Throws `BundleError` with the first problem.
    public init(folder: URL) throws {
        let manifest = try ManifestReader.read(folder)
        for (name, entry) in manifest.files.sorted(by: { $0.key < $1.key }) {
            try Self.check(name, entry, in: folder)
        }
        try Self.checkReferences(manifest)
        // Both are known: the reader refuses others.
        self.task = ModelTask(rawValue: manifest.spec.task)!
        self.meaning = Meaning(rawValue: manifest.output.meaning)!
        self.folder = folder
        self.manifest = manifest
    }

    public var name: String { manifest.spec.name }

    /// Where a path of the manifest lies on this device.
    public func url(_ path: String) -> URL { folder.appendingPathComponent(path) }

    /// Recipes, the one to try first in front: what Apple's own runtime opens, then ExecuTorch.
    public var recipes: [String] {
        let order = ["coreml", "executorch_coreml", "executorch"]
        return manifest.artefacts.keys.sorted { first, second in
            let ranks = [first, second].map { recipe in
                order.firstIndex(of: manifest.artefacts[recipe]?.backend ?? "") ?? order.count
            }
            return ranks[0] == ranks[1] ? first < second : ranks[0] < ranks[1]
        }
    }

    /// The classes by index; numbered, in colours of their own, where the bundle names none.
    public var classes: [Manifest.ClassEntry] {
        manifest.output.classes
            ?? (0..<manifest.output.shape[1]).map {
                Manifest.ClassEntry(name: "class \($0)", colour: HexColour.numbered($0))
            }
    }

    private static func check(_ name: String, _ entry: Manifest.FileEntry, in folder: URL) throws {
        guard staysInside(name) else {
            throw BundleError(.outside, "\(name) points outside of the bundle; do not use it, build it again")
        }
        let path = folder.appendingPathComponent(name)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path.path, isDirectory: &isFolder), !isFolder.boolValue
        else {
            throw BundleError(.missingFile, "\(name) is missing; install the bundle again")
        }
        let found = try FileManager.default.attributesOfItem(atPath: path.path)[.size] as? Int ?? -1
        guard found == entry.bytes else {
            throw BundleError(
                .length,
                "\(name) has \(found) bytes, the manifest says \(entry.bytes); install the bundle again")
        }
        let digest = try Digest.sha256(of: path)
        guard digest == entry.sha256.lowercased() else {
            throw BundleError(
                .hash,
                "\(name) has sha256 \(digest.prefix(12))…, the manifest says \(entry.sha256.prefix(12))…; install the bundle again"
            )
        }
    }

    /// A file that nothing vouches for is not opened, whatever names it.
    private static func checkReferences(_ manifest: Manifest) throws {
        func require(_ path: String, for what: String) throws {
            guard staysInside(path) else {
                throw BundleError(.outside, "\(what): \(path) points outside of the bundle; do not use it")
            }
            let listed =
                manifest.files[path] != nil
                || manifest.files.keys.contains { $0.hasPrefix(path + "/") }
            guard listed else {
                throw BundleError(
                    .missingFile, "\(what): \(path) is not among the listed files; install the bundle again")
            }
        }
        for (recipe, artefact) in manifest.artefacts {
            try require(artefact.path, for: "artefact \(recipe)")
        }
        for golden in manifest.golden {
            try require(golden.input, for: "golden \(golden.name)")
            try require(golden.torch, for: "golden \(golden.name)")
            for (recipe, own) in golden.outputs {
                try require(own.path, for: "golden \(golden.name) of \(recipe)")
            }
        }
    }

    private static func staysInside(_ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return !path.isEmpty && !path.hasPrefix("/") && !path.contains("\0") && !parts.contains("..")
    }
}

/// Which bundles an app's folder of bundles holds.
public struct BundleIndex: Decodable, Sendable, Equatable {
    public let schema: Int
    public let bundles: [String]

    /// Reads `index.json`. Throws `FoveaError` saying how to install a bundle where there is none.
    public static func read(_ folder: URL) throws -> BundleIndex {
        let path = folder.appendingPathComponent("index.json")
        guard let data = try? Data(contentsOf: path) else {
            throw FoveaError(
                "no bundle is installed; run: fovea bundle install STUDENT --app ios, then build the app again")
        }
        guard let index = try? JSONDecoder().decode(BundleIndex.self, from: data) else {
            throw FoveaError("index.json is damaged; install a bundle again")
        }
        guard index.schema <= 1 else {
            throw FoveaError("index.json has schema \(index.schema), made by a newer Fovea; update the app")
        }
        return index
    }
}

import CoreML
import FoveaCore

/// Compiled Core ML models, kept by the hash of the package they come from.
enum CompiledModels {
    /// The compiled model of `package`: compiled on first use, then taken from the caches folder,
    /// which the system may empty at any time.
    static func url(of package: URL, sha256: String) async throws -> URL {
        let files = FileManager.default
        let home = try files.url(for: .cachesDirectory, in: .userDomainMask, appropriateFor: nil, create: true)
            .appendingPathComponent("compiled", isDirectory: true)
        let kept = home.appendingPathComponent("\(sha256)-\(system).mlmodelc", isDirectory: true)
        if files.fileExists(atPath: kept.path) { return kept }
        let fresh = try await MLModel.compileModel(at: package)
        try files.createDirectory(at: home, withIntermediateDirectories: true)
        do {
            try files.moveItem(at: fresh, to: kept)
        } catch  where files.fileExists(atPath: kept.path) {
            // Another task was quicker; both are of the same package.
            try? files.removeItem(at: fresh)
        }
        return kept
    }

    /// A new system may compile differently.
    private static var system: String {
        let version = ProcessInfo.processInfo.operatingSystemVersion
        return "\(version.majorVersion).\(version.minorVersion).\(version.patchVersion)"
    }
}

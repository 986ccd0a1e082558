import Foundation

/// Why a bundle was refused: the kind for programs, the message for people.
public struct BundleError: Error, Equatable, Sendable, LocalizedError {
    /// Names as the shared vectors use them.
    public enum Kind: String, Sendable, CaseIterable {
        case missingManifest = "missing-manifest"
        case notJSON = "not-json"
        case missingPart = "missing-part"
        case missingFile = "missing-file"
        case length
        case hash
        case outside
        case schema
        case task
        case meaning
        case resize
        case input
    }

    public let kind: Kind
    /// What is wrong, in which file, and what to do.
    public let message: String

    public var errorDescription: String? { message }

    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }
}

/// Anything else that a person has to be told.
public struct FoveaError: Error, Equatable, Sendable, LocalizedError {
    public let message: String

    public var errorDescription: String? { message }

    public init(_ message: String) {
        self.message = message
    }
}

/// The words of any error, for the screen: its own, or the system's where it brought some.
public func words(of error: any Error) -> String {
    if let said = (error as? any LocalizedError)?.errorDescription { return said }
    return (error as NSError).userInfo[NSLocalizedDescriptionKey] as? String ?? String(describing: error)
}

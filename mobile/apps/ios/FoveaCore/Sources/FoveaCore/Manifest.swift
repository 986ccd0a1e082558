import Foundation

/// What an app reads of `manifest.json`; keys it does not know are ignored.
public struct Manifest: Decodable, Sendable, Equatable {
    public let schema: Int
    public let spec: Spec
    public let input: Input
    public let output: Output
    /// By recipe.
    public let artefacts: [String: Artefact]
    public let golden: [Golden]
    /// By path inside the bundle.
    public let files: [String: FileEntry]

    public struct Spec: Decodable, Sendable, Equatable {
        public let name: String
        public let task: String
        /// Where the model comes from.
        public let source: String?
    }

    public struct Input: Decodable, Sendable, Equatable {
        public let height: Int
        public let width: Int
        public let color: String
        public let range: [Double]
        public let dtype: String
        public let resize: NamedResize

        public struct NamedResize: Decodable, Sendable, Equatable {
            public let name: String
        }
    }

    public struct Output: Decodable, Sendable, Equatable {
        public let meaning: String
        /// `[1, C, H, W]`.
        public let shape: [Int]
        /// Absent in older bundles.
        public let classes: [ClassEntry]?
    }

    public struct ClassEntry: Decodable, Sendable, Equatable {
        public let name: String
        /// `#rrggbb`.
        public let colour: String
    }

    public struct Artefact: Decodable, Sendable, Equatable {
        public let path: String
        public let backend: String
        public let precision: String
        public let bytes: Int
        public let sha256: String
        /// Whether the file ran where the bundle was built.
        public let executed: Bool
        public let input: Port
        public let output: Port
        public let bounds: Limits
    }

    public struct Port: Decodable, Sendable, Equatable {
        public let name: String
        public let shape: [Int]
        public let layout: Layout?
    }

    /// How far an output may be from the one it is compared with.
    public struct Limits: Decodable, Sendable, Equatable {
        /// Nil: no such bound.
        public let maxAbs: Double?
        public let minCC: Double

        enum CodingKeys: String, CodingKey {
            case maxAbs = "max_abs"
            case minCC = "min_cc"
        }

        public init(maxAbs: Double?, minCC: Double) {
            self.maxAbs = maxAbs
            self.minCC = minCC
        }
    }

    public struct Golden: Decodable, Sendable, Equatable {
        public let name: String
        public let input: String
        public let torch: String
        public let outputs: [String: Own]

        /// What a file gave where the bundle was built.
        public struct Own: Decodable, Sendable, Equatable {
            public let path: String
            public let tolerance: Limits
        }
    }

    public struct FileEntry: Decodable, Sendable, Equatable {
        public let sha256: String
        public let bytes: Int
    }
}

/// The order of a tensor's axes.
public enum Layout: String, Decodable, Sendable, Equatable {
    case nchw = "NCHW"
    case nhwc = "NHWC"
}

/// What a model is for.
public enum ModelTask: String, Sendable, CaseIterable {
    case saliency
    case salientObject = "salient_object"
    case semantic
}

/// How the numbers of an output are to be read.
public enum Meaning: String, Sendable, CaseIterable {
    case logits
    case logDensity = "log-density"
    case classLogits = "class-logits"
}

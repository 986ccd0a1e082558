import Foundation

/// A model file in its runtime, ready to run. One at a time uses it: see `Predictor`.
public protocol Engine: AnyObject, Sendable {
    /// What a latency row calls it.
    var runtime: String { get }
    var runtimeVersion: String { get }
    /// Which processors were asked for and, where the runtime tells, what runs where.
    var delegation: Delegation { get }

    /// `input` in the file's own layout; the output in the file's own layout.
    func run(_ input: FloatArray) throws -> FloatArray
}

public struct Delegation: Sendable, Equatable {
    public let asked: String
    public let obtained: String
    public let nodesDelegated: Int?
    public let nodesTotal: Int?

    public init(asked: String, obtained: String, nodesDelegated: Int? = nil, nodesTotal: Int? = nil) {
        self.asked = asked
        self.obtained = obtained
        self.nodesDelegated = nodesDelegated
        self.nodesTotal = nodesTotal
    }
}

/// Opens files: the app's knows Core ML and ExecuTorch, a test's whatever it needs.
public protocol EngineLoader: Sendable {
    func load(_ recipe: String, of bundle: ModelBundle) async throws -> any Engine
}

/// The engine that came up, and those that did not.
public struct Launch: Sendable {
    public let recipe: String
    public let engine: any Engine
    public let loadMs: Double
    /// Recipes that failed before this one, each with its runtime's words.
    public let refusals: [Refusal]

    public struct Refusal: Sendable, Equatable {
        public let recipe: String
        public let reason: String
    }

    /// What the screen says where another file had to step in; nil where nothing failed.
    public var notice: String? {
        guard !refusals.isEmpty else { return nil }
        let failed = refusals.map { "\($0.recipe) failed to load (\($0.reason))" }.joined(separator: "; ")
        return "\(failed). Using \(recipe) instead."
    }

    /// Tries `preferred` first, then the bundle's other files in its own order.
    /// Throws `FoveaError` with every reason where none loads.
    public static func first(
        of bundle: ModelBundle, preferring preferred: String? = nil, loader: any EngineLoader
    ) async throws -> Launch {
        let order = bundle.recipes.filter { $0 == preferred } + bundle.recipes.filter { $0 != preferred }
        var refusals: [Refusal] = []
        for recipe in order {
            do {
                let clock = Stopwatch()
                let engine = try await loader.load(recipe, of: bundle)
                return Launch(recipe: recipe, engine: engine, loadMs: clock.ms, refusals: refusals)
            } catch {
                refusals.append(Refusal(recipe: recipe, reason: words(of: error)))
            }
        }
        let reasons = refusals.map { "\($0.recipe): \($0.reason)" }.joined(separator: "; ")
        throw FoveaError("no file of \(bundle.name) loads on this device (\(reasons)); export another recipe")
    }
}

/// Milliseconds since it was made.
public struct Stopwatch: Sendable {
    private let start = ContinuousClock.now

    public init() {}

    public var ms: Double {
        let (seconds, attoseconds) = (ContinuousClock.now - start).components
        return Double(seconds) * 1e3 + Double(attoseconds) * 1e-15
    }
}

import Foundation

/// A bundle with one of its files loaded: the whole way from pixels to a layer.
///
/// An actor, because runtimes take one inference at a time.
public actor Predictor {
    public nonisolated let bundle: ModelBundle
    public nonisolated let recipe: String
    private let engine: any Engine
    private let artefact: Manifest.Artefact

    /// Throws `FoveaError` where `bundle` has no such recipe.
    public init(bundle: ModelBundle, recipe: String, engine: any Engine) throws {
        guard let artefact = bundle.manifest.artefacts[recipe] else {
            throw FoveaError("\(bundle.name) has no artefact \(recipe)")
        }
        self.bundle = bundle
        self.recipe = recipe
        self.engine = engine
        self.artefact = artefact
    }

    public init(bundle: ModelBundle, launch: Launch) throws {
        try self.init(bundle: bundle, recipe: launch.recipe, engine: launch.engine)
    }

    /// Runs on RGB in 0–255 that already has the model's size (h, w, 3).
    public func run(resized pixels: FloatArray) throws -> FloatArray {
        try output(of: input(pixels))
    }

    /// Runs on an upright photograph.
    public func predict(_ photo: Picture) throws -> Prediction {
        let clock = Stopwatch()
        let size = bundle.manifest.input
        return try predict(Resize.triangle(photo, height: size.height, width: size.width), since: clock)
    }

    /// Runs on pixels that are only borrowed, such as a camera's; `read` hands them out.
    public func predict(
        reading read: @Sendable ((PixelView) -> FloatArray) throws -> FloatArray
    ) throws -> Prediction {
        let clock = Stopwatch()
        let size = bundle.manifest.input
        let pixels = try read { Resize.triangle($0, height: size.height, width: size.width) }
        return try predict(pixels, since: clock)
    }

    private func predict(_ pixels: FloatArray, since clock: Stopwatch) throws -> Prediction {
        let tensor = input(pixels)
        let before = clock.ms
        let output = try output(of: tensor)
        let between = clock.ms
        let map = Maps.of(output, meaning: bundle.meaning)
        return Prediction(
            output: output, map: map, beforeMs: before, modelMs: between - before, afterMs: clock.ms - between)
    }

    private func input(_ pixels: FloatArray) -> FloatArray {
        Tensors.input(pixels, layout: artefact.input.layout ?? .nchw)
    }

    /// (h, w), or (C, h, w) of class logits.
    private func output(of tensor: FloatArray) throws -> FloatArray {
        let raw = try engine.run(tensor)
        let output = try Tensors.output(raw, layout: artefact.output.layout ?? .nchw)
        guard output.shape == Array(bundle.manifest.output.shape.dropFirst()) else {
            let stated = bundle.manifest.output.shape
            throw FoveaError(
                "\(recipe) gave the shape \(raw.shape), the manifest says \(stated); install the bundle again")
        }
        guard output.values.allSatisfy(\.isFinite) else {
            throw FoveaError("\(recipe) gave values that are no numbers; choose another file of \(bundle.name)")
        }
        return bundle.meaning == .classLogits ? output : output.squeezed(to: 2)
    }
}

/// What a model said about one picture.
public struct Prediction: Sendable {
    /// (h, w), or (C, h, w) of class logits.
    public let output: FloatArray
    /// The same in 0–1.
    public let map: FloatArray
    /// Resize and layout.
    public let beforeMs: Double
    public let modelMs: Double
    /// From the output to the map.
    public let afterMs: Double

    public init(output: FloatArray, map: FloatArray, beforeMs: Double, modelMs: Double, afterMs: Double) {
        self.output = output
        self.map = map
        self.beforeMs = beforeMs
        self.modelMs = modelMs
        self.afterMs = afterMs
    }

    /// What pre- and post-processing cost, in shares of the model's own time; `layerMs` is what
    /// making the map visible took.
    public func overhead(layerMs: Double = 0) -> Double { (beforeMs + afterMs + layerMs) / modelMs }
}

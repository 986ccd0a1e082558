import Foundation

/// Whether a file gives on this device what it should.
public struct GoldenVerdict: Sendable, Equatable, Identifiable {
    public let name: String
    public let recipe: String
    /// Compared with what this file gave where the bundle was built, or else with torch.
    public let againstOwn: Bool
    public let maxAbs: Double
    /// Pearson's correlation of the maps; nil: undefined.
    public let cc: Double?
    public let limits: Manifest.Limits
    public let passed: Bool

    public var id: String { "\(recipe)/\(name)" }

    /// One line for the screen.
    public var line: String {
        let correlation = cc.map { String(format: "CC %.5f (≥ %g)", $0, limits.minCC) } ?? "CC undefined"
        let bound = limits.maxAbs.map { String(format: "(≤ %g)", $0) } ?? "(no bound)"
        let difference = String(format: "|difference| %.3g", maxAbs)
        return "\(name): \(difference) \(bound), \(correlation), against \(againstOwn ? "its own output" : "torch")"
    }
}

public enum GoldenJudge {
    /// Runs every golden input of `predictor`'s bundle. `decode` reads a PNG at model size.
    public static func check(
        _ predictor: Predictor, decode: @Sendable (URL) throws -> Picture
    ) async throws -> [GoldenVerdict] {
        let (bundle, recipe) = (predictor.bundle, predictor.recipe)
        var verdicts: [GoldenVerdict] = []
        for golden in bundle.manifest.golden {
            let picture = try decode(bundle.url(golden.input)).onWhite()
            let size = bundle.manifest.input
            guard picture.height == size.height, picture.width == size.width else {
                throw FoveaError(
                    "\(golden.input) is \(picture.width) × \(picture.height), "
                        + "not \(size.width) × \(size.height); install the bundle again")
            }
            let pixels = FloatArray(unchecked: [size.height, size.width, 3], picture.bytes.map(Float.init))
            let obtained = try await predictor.run(resized: pixels)
            verdicts.append(try judge(obtained, golden: golden, recipe: recipe, bundle: bundle))
        }
        return verdicts
    }

    /// Compares one output, (h, w) or (C, h, w), with the golden one that speaks for `recipe`.
    static func judge(
        _ obtained: FloatArray, golden: Manifest.Golden, recipe: String, bundle: ModelBundle
    ) throws -> GoldenVerdict {
        let own = golden.outputs[recipe]
        guard let limits = own?.tolerance ?? bundle.manifest.artefacts[recipe]?.bounds else {
            throw FoveaError("\(bundle.name) has no artefact \(recipe)")
        }
        let expected = try FloatArray(npy: bundle.url(own?.path ?? golden.torch)).squeezed(to: obtained.shape.count)
        guard expected.shape == obtained.shape else {
            throw FoveaError(
                "\(golden.name): the golden output has the shape \(expected.shape), "
                    + "the file gave \(obtained.shape); install the bundle again")
        }
        return verdict(
            obtained, expected, meaning: bundle.meaning, limits: limits, name: golden.name, recipe: recipe,
            againstOwn: own != nil)
    }

    static func verdict(
        _ obtained: FloatArray, _ expected: FloatArray, meaning: Meaning, limits: Manifest.Limits,
        name: String, recipe: String, againstOwn: Bool
    ) -> GoldenVerdict {
        let maps = [obtained, expected].map { forComparison($0, meaning) }
        let cc = Correlation.pearson(maps[0], maps[1])
        let maxAbs = Correlation.maxAbs(obtained.values, expected.values)
        let near = limits.maxAbs.map { maxAbs <= $0 } ?? true
        // A dead runtime gives a constant: without a bound on the difference nothing else would tell.
        let alike = cc.map { $0 >= limits.minCC } ?? (limits.maxAbs != nil || Correlation.isConstant(maps[1]))
        return GoldenVerdict(
            name: name, recipe: recipe, againstOwn: againstOwn, maxAbs: maxAbs, cc: cc, limits: limits,
            passed: near && alike && maxAbs.isFinite)
    }

    /// The peak at 1 or the sum at 1: a correlation does not see the difference.
    private static func forComparison(_ output: FloatArray, _ meaning: Meaning) -> [Float] {
        Maps.of(output, meaning: meaning).values
    }
}

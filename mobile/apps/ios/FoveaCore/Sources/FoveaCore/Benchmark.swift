import Foundation

/// How long to measure: the pipeline's own defaults.
public struct BenchmarkPlan: Sendable, Equatable {
    public var warmups = 5
    public var repeats = 3
    public var iterations = 20
    /// A repeat stops after this long, but never before `leastIterations`.
    public var repeatSeconds = 30.0
    public var leastIterations = 5

    public init() {}
}

/// The device, without a name of a person or a phone.
public struct Place: Sendable, Equatable {
    public let device: String
    public let os: String

    public init(device: String, os: String) {
        self.device = device
        self.os = os
    }
}

public enum Benchmark {
    /// Times the model alone on `pixels` (h, w, 3) at model size, as every row of the pipeline does.
    ///
    /// `thermal` gives the system's word for how hot the device is; the row keeps the hottest.
    public static func row(
        _ bundle: ModelBundle, recipe: String, loader: any EngineLoader, pixels: FloatArray,
        plan: BenchmarkPlan, place: Place, thermal: @Sendable () -> ThermalWord
    ) async throws -> LatencyRow {
        guard let artefact = bundle.manifest.artefacts[recipe] else {
            throw FoveaError("\(bundle.name) has no artefact \(recipe)")
        }
        let loading = Stopwatch()
        let engine = try await loader.load(recipe, of: bundle)
        let loadMs = loading.ms
        let tensor = Tensors.input(pixels, layout: artefact.input.layout ?? .nchw)
        let firstRunMs = try once(engine, tensor)
        for _ in 0..<plan.warmups { _ = try once(engine, tensor) }
        var hottest = thermal()
        var samples: [[Double]] = []
        for _ in 0..<plan.repeats {
            samples.append(try timed(engine, tensor, plan))
            hottest = max(hottest, thermal())
            try Task.checkCancellation()
            await Task.yield()
        }
        let planar = Tensors.input(pixels, layout: .nchw)
        return LatencyRow(
            artefactSHA256: artefact.sha256, student: bundle.name, recipe: recipe,
            delegateAsked: engine.delegation.asked, delegateObtained: engine.delegation.obtained,
            nodesDelegated: engine.delegation.nodesDelegated, nodesTotal: engine.delegation.nodesTotal,
            device: place.device, os: place.os, runtime: engine.runtime, runtimeVersion: engine.runtimeVersion,
            inputShape: planar.shape, inputSHA256: Digest.sha256(planar.littleEndianBytes),
            loadMs: loadMs, firstRunMs: firstRunMs, warmups: plan.warmups, repeats: plan.repeats,
            iterations: plan.iterations, timeBounded: samples.contains { $0.count < plan.iterations },
            statistics: try Statistics(samples: samples), host: fingerprint(place),
            thermalStatus: hottest.rawValue)
    }

    private static func timed(_ engine: any Engine, _ tensor: FloatArray, _ plan: BenchmarkPlan) throws -> [Double] {
        let clock = Stopwatch()
        var times: [Double] = []
        while times.count < plan.iterations {
            times.append(try once(engine, tensor))
            if times.count >= plan.leastIterations, clock.ms > 1e3 * plan.repeatSeconds { break }
        }
        return times
    }

    private static func once(_ engine: any Engine, _ tensor: FloatArray) throws -> Double {
        let clock = Stopwatch()
        _ = try engine.run(tensor)
        return clock.ms
    }

    /// Equal where milliseconds may be compared: the runtime is part of the row, not of the host.
    private static func fingerprint(_ place: Place) -> String {
        String(Digest.sha256(Data("\(place.device)\n\(place.os)".utf8)).prefix(16))
    }
}

/// iOS's thermal states by the names that rows use, coolest first.
public enum ThermalWord: String, Sendable, Comparable, CaseIterable {
    case nominal, fair, serious, critical

    public static func < (first: ThermalWord, second: ThermalWord) -> Bool {
        allCases.firstIndex(of: first)! < allCases.firstIndex(of: second)!
    }
}

import Foundation
import Testing

@testable import FoveaCore

/// The check that every bundle carries, and the row that a benchmark writes.
@Suite struct GoldenTests {
    private let limits = Manifest.Limits(maxAbs: 0.5, minCC: 0.9)

    private func passes(
        _ obtained: [Float], _ expected: [Float], _ limits: Manifest.Limits, _ meaning: Meaning = .logits
    ) throws -> Bool {
        GoldenJudge.verdict(
            try FloatArray(shape: [2, 2], values: obtained), try FloatArray(shape: [2, 2], values: expected),
            meaning: meaning, limits: limits, name: "image0", recipe: "toy", againstOwn: true
        ).passed
    }

    @Test func bothBoundsCount() throws {
        #expect(try passes([0.1, 1, 2, 3], [0, 1, 2, 3], limits))
        #expect(try !passes([0.6, 1, 2, 3], [0, 1, 2, 3], limits))
        #expect(try !passes([0.2, 0, 0.2, 0], [0, 0.2, 0, 0.2], limits))
        let unbounded = Manifest.Limits(maxAbs: nil, minCC: 0.9)
        #expect(try passes([0, 2, 4, 6], [0, 1, 2, 3], unbounded))
        #expect(try !passes([3, 2, 1, 0], [0, 1, 2, 3], unbounded))
        #expect(try !passes([0, 1, 2, .nan], [0, 1, 2, 3], limits))
    }

    @Test func constantMapsAreJudgedByTheDifferenceAlone() throws {
        #expect(try passes([1, 1, 1, 1], [1.2, 1.2, 1.2, 1.2], limits))
        #expect(try !passes([1, 1, 1, 1], [2, 2, 2, 2], limits))
        // A runtime that gives the same number everywhere must not pass for want of a bound.
        #expect(try !passes([0, 0, 0, 0], [0, 1, 2, 3], Manifest.Limits(maxAbs: nil, minCC: 0.9)))
    }

    @Test func mapsAreComparedNotLogits() throws {
        // Far apart as logits, one map as sigmoids: saturation.
        let saturated = Manifest.Limits(maxAbs: nil, minCC: 0.999)
        #expect(try passes([-90, -80, 80, 90], [-50, -60, 60, 50], saturated))
        // A constant on top of a log-density is nothing.
        #expect(try passes([10, 11, 12, 13], [0, 1, 2, 3], saturated, .logDensity))
    }

    /// The toy's own golden output, given back as it is, and disturbed.
    private func verdicts(shift: Float, without recipe: String? = nil) async throws -> [GoldenVerdict] {
        let toy = try ToyBundle("whole") { top in
            guard recipe != nil else { return }
            var golden = top["golden"] as! [[String: Any]]
            golden[0]["outputs"] = [String: Any]()
            top["golden"] = golden
        }
        let golden = toy.bundle.manifest.golden[0]
        let own = try FloatArray(npy: toy.bundle.url(golden.torch))
        let seen = try PNGReader.read(toy.bundle.url(golden.input)).bytes.map(Float.init)
        let engine = ToyEngine { input in
            // NHWC and no resize: the golden pixels arrive as they are.
            #expect(input.values == seen)
            return try FloatArray(shape: own.shape, values: own.values.map { $0 + shift })
        }
        let launch = try await Launch.first(of: toy.bundle, loader: ToyLoader(engines: ["litert_fp32": engine]))
        return try await GoldenJudge.check(try Predictor(bundle: toy.bundle, launch: launch)) { try PNGReader.read($0) }
    }

    @Test func aBundleIsCheckedAgainstItsOwnOutputs() async throws {
        let same = try await verdicts(shift: 0)
        #expect(same.map(\.passed) == [true] && same[0].againstOwn && same[0].maxAbs == 0)
        let shifted = try await verdicts(shift: 0.01)
        #expect(shifted.map(\.passed) == [false])
        #expect(shifted[0].line.contains("image0"))
    }

    @Test func orAgainstTorchWhereTheFileWasNotRun() async throws {
        let verdict = try await verdicts(shift: 0, without: "litert_fp32")[0]
        #expect(verdict.passed && !verdict.againstOwn)
        #expect(verdict.line.contains("torch"))
    }

    /// Also handed to the pipeline's own reader, where a file for it is named.
    @Test func aBenchmarkWritesARow() async throws {
        let toy = try ToyBundle("whole")
        let (h, w) = (toy.bundle.manifest.input.height, toy.bundle.manifest.input.width)
        let output = try FloatArray(shape: [1, 1, h, w], values: [Float](repeating: 0, count: h * w))
        let engine = ToyEngine { _ in
            Thread.sleep(forTimeInterval: 0.0005)
            return output
        }
        let pixels = try FloatArray(shape: [h, w, 3], values: (0..<h * w * 3).map(Float.init))
        let states = States([.nominal, .serious, .fair])
        let row = try await Benchmark.row(
            toy.bundle, recipe: "litert_fp32", loader: ToyLoader(engines: ["litert_fp32": engine]),
            pixels: pixels, plan: BenchmarkPlan(), place: Place(device: "toy", os: "iOS 17"), thermal: states.next)
        let line = try row.line()
        let read = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(read["thermal_status"] as? String == "serious")
        #expect(read["source"] as? String == "device")
        #expect(read["input_shape"] as? [Int] == [1, 3, h, w])
        #expect(read["temperature_c"] is NSNull && read["partitions"] is NSNull)
        #expect(try #require(read["p50_ms"] as? Double) >= 0.5)
        #expect((read["repeat_p50_ms"] as? [Double])?.count == 3)
        if let path = ProcessInfo.processInfo.environment["FOVEA_LATENCY_ROWS"] {
            try Data((line + "\n").utf8).write(to: URL(fileURLWithPath: path))
        }
    }
}

/// Thermal states one after the other, the last again.
private final class States: @unchecked Sendable {
    private var left: [ThermalWord]
    private let lock = NSLock()

    init(_ states: [ThermalWord]) { left = states }

    func next() -> ThermalWord {
        lock.withLock { left.count > 1 ? left.removeFirst() : left[0] }
    }
}

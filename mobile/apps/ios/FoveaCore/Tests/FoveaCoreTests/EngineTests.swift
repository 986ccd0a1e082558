import Foundation
import Testing

@testable import FoveaCore

/// Loading with a fallback, and the way from a photograph to a map.
@Suite struct EngineTests {
    private let backends = [
        "executorch_int8": "executorch", "coreml_fp16": "coreml", "executorch_coreml": "executorch_coreml",
        "coreml_palette6": "coreml", "litert_fp32": "litert",
    ]

    @Test func appleRuntimesComeFirst() throws {
        let toy = try ToyBundle("whole", change: ToyBundle.recipes(backends))
        #expect(
            toy.bundle.recipes
                == ["coreml_fp16", "coreml_palette6", "executorch_coreml", "executorch_int8", "litert_fp32"])
    }

    @Test func aFileThatFailsIsReplacedAndNamed() async throws {
        let toy = try ToyBundle("whole", change: ToyBundle.recipes(backends))
        let loader = ToyLoader(engines: ["executorch_int8": ToyEngine { $0 }])
        let launch = try await Launch.first(of: toy.bundle, preferring: "coreml_palette6", loader: loader)
        #expect(launch.recipe == "executorch_int8")
        #expect(launch.refusals.map(\.recipe) == ["coreml_palette6", "coreml_fp16", "executorch_coreml"])
        let notice = try #require(launch.notice)
        #expect(notice.contains("coreml_fp16 failed to load (broken)") && notice.contains("Using executorch_int8"))
    }

    @Test func nothingIsSaidWhereTheFirstLoads() async throws {
        let toy = try ToyBundle("whole")
        let loader = ToyLoader(engines: ["litert_fp32": ToyEngine { $0 }])
        #expect(try await Launch.first(of: toy.bundle, loader: loader).notice == nil)
    }

    @Test func whereNothingLoadsEveryReasonIsGiven() async throws {
        let toy = try ToyBundle("whole", change: ToyBundle.recipes(["a": "coreml", "b": "executorch"]))
        do {
            _ = try await Launch.first(of: toy.bundle, loader: ToyLoader(engines: [:]))
            Issue.record("an engine came from nowhere")
        } catch {
            #expect(words(of: error).contains("a: broken; b: broken"))
        }
    }

    private func predictor(
        _ toy: ToyBundle, _ answer: @escaping @Sendable (FloatArray) throws -> FloatArray
    ) async throws -> Predictor {
        let loader = ToyLoader(engines: ["litert_fp32": ToyEngine(answer)])
        return try Predictor(bundle: toy.bundle, launch: try await Launch.first(of: toy.bundle, loader: loader))
    }

    @Test func aPhotographGoesInAsTheManifestSays() async throws {
        let toy = try ToyBundle("whole")
        let size = toy.bundle.manifest.input
        let photo = try Picture(
            width: 8, height: 6, channels: 3, bytes: (0..<48).flatMap { _ in [UInt8(10), 20, 30] })
        // Which is NHWC for this file: red, green, blue of the first pixel come first.
        let predictor = try await predictor(toy) { input in
            #expect(input.shape == [1, size.height, size.width, 3])
            #expect(input.values.prefix(3).elementsEqual([10, 20, 30]) { abs($0 - $1) < 1e-4 })
            let count = size.height * size.width
            let values = (0..<count).map { Float($0) - 3 }
            return try FloatArray(shape: [1, 1, size.height, size.width], values: values)
        }
        let prediction = try await predictor.predict(photo)
        #expect(prediction.map.shape == [size.height, size.width])
        #expect(abs(prediction.map.values[3] - 0.5) < 1e-6)
        #expect(prediction.beforeMs > 0 && prediction.modelMs > 0 && prediction.afterMs > 0)
    }

    @Test func outputsChannelsLastAreTurned() async throws {
        let toy = try ToyBundle("whole_semantic") { top in
            var artefacts = top["artefacts"] as! [String: [String: Any]]
            var output = artefacts["litert_fp32"]!["output"] as! [String: Any]
            output["layout"] = "NHWC"
            artefacts["litert_fp32"]!["output"] = output
            top["artefacts"] = artefacts
        }
        let (h, w) = (toy.bundle.manifest.input.height, toy.bundle.manifest.input.width)
        let predictor = try await predictor(toy) { _ in
            try FloatArray(shape: [1, h, w, 3], values: (0..<h * w).flatMap { _ in [Float(0), 5, 1] })
        }
        let pixels = try FloatArray(shape: [h, w, 3], values: [Float](repeating: 0, count: h * w * 3))
        let output = try await predictor.run(resized: pixels)
        #expect(output.shape == [3, h, w])
        let planes: [Float] = [0, 5, 1].flatMap { [Float](repeating: $0, count: h * w) }
        #expect(output.values == planes)
    }

    @Test func anotherShapeOrNoNumbersAreRefused() async throws {
        let toy = try ToyBundle("whole")
        let (h, w) = (toy.bundle.manifest.input.height, toy.bundle.manifest.input.width)
        let pixels = try FloatArray(shape: [h, w, 3], values: [Float](repeating: 0, count: h * w * 3))
        let small = try await predictor(toy) { _ in try FloatArray(shape: [1, 1, 1, 1], values: [0]) }
        await #expect(throws: FoveaError.self) { try await small.run(resized: pixels) }
        let broken = try await predictor(toy) { _ in
            try FloatArray(shape: [1, 1, h, w], values: [Float](repeating: .nan, count: h * w))
        }
        await #expect(throws: FoveaError.self) { try await broken.run(resized: pixels) }
    }
}

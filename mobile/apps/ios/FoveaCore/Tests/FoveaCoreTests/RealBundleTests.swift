import Foundation
import Testing

@testable import FoveaCore

/// Bundles as the pipeline writes them. `FOVEA_BUNDLES` lists folders, separated by colons;
/// `FOVEA_NATIVE_LIBRARY` is the pipeline's ExecuTorch runner.
private enum Given {
    private static let environment = ProcessInfo.processInfo.environment
    static let bundles = (environment["FOVEA_BUNDLES"] ?? "").split(separator: ":").map(String.init)
    static let library = environment["FOVEA_NATIVE_LIBRARY"]

    /// Those with a file that the runner opens.
    static let runnable = library == nil ? [] : bundles.filter { !recipes(of: $0).isEmpty }

    static func recipes(of path: String) -> [String] {
        let bundle = try? ModelBundle(folder: URL(fileURLWithPath: path))
        return bundle?.recipes.filter { bundle?.manifest.artefacts[$0]?.backend == "executorch" } ?? []
    }
}

@Suite(.enabled(if: !Given.bundles.isEmpty, "FOVEA_BUNDLES is not set"))
struct RealBundleTests {
    @Test(arguments: Given.bundles) func opens(_ path: String) throws {
        let bundle = try ModelBundle(folder: URL(fileURLWithPath: path))
        #expect(!bundle.recipes.isEmpty && !bundle.manifest.golden.isEmpty)
        for entry in bundle.classes { #expect(try HexColour.rgb(entry.colour).count == 3) }
    }

    @Test(arguments: Given.bundles) func aFlippedBitIsNoticed(_ path: String) throws {
        let copy = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: copy) }
        try FileManager.default.copyItem(at: URL(fileURLWithPath: path), to: copy)
        let bundle = try ModelBundle(folder: copy)
        let victim = try #require(bundle.manifest.files.keys.sorted().first)
        var data = try Data(contentsOf: bundle.url(victim))
        data[data.count / 2] ^= 1
        try data.write(to: bundle.url(victim))
        do {
            _ = try ModelBundle(folder: copy)
            Issue.record("a changed \(victim) was accepted")
        } catch let error as BundleError {
            #expect(error.kind == .hash && error.message.contains(victim))
        }
    }

    /// Golden inputs through this package's own code and the real runtime.
    @Test(.enabled(if: !Given.runnable.isEmpty, "FOVEA_NATIVE_LIBRARY is not set"), arguments: Given.runnable)
    func goldenVectorsPass(_ path: String) async throws {
        let bundle = try ModelBundle(folder: URL(fileURLWithPath: path))
        let loader = NativeLoader(functions: try .init(library: try #require(Given.library)))
        for recipe in Given.recipes(of: path) {
            let launch = try await Launch.first(of: bundle, preferring: recipe, loader: loader)
            #expect(launch.recipe == recipe)
            let predictor = try Predictor(bundle: bundle, launch: launch)
            let verdicts = try await GoldenJudge.check(predictor) { try PNGReader.read($0) }
            #expect(verdicts.count == bundle.manifest.golden.count)
            for verdict in verdicts {
                print(recipe, verdict.line)
                #expect(verdict.passed, "\(verdict.line)")
            }
        }
    }

    /// Red and blue exchanged: what the golden vectors are there to find.
    @Test(.enabled(if: !Given.runnable.isEmpty, "FOVEA_NATIVE_LIBRARY is not set"), arguments: Given.runnable)
    func exchangedChannelsFail(_ path: String) async throws {
        let bundle = try ModelBundle(folder: URL(fileURLWithPath: path))
        let loader = NativeLoader(functions: try .init(library: try #require(Given.library)))
        for recipe in Given.recipes(of: path) {
            let launch = try await Launch.first(of: bundle, preferring: recipe, loader: loader)
            let verdicts = try await GoldenJudge.check(try Predictor(bundle: bundle, launch: launch)) { path in
                let picture = try PNGReader.read(path)
                var bytes = picture.bytes
                for pixel in stride(from: 0, to: bytes.count, by: 3) { bytes.swapAt(pixel, pixel + 2) }
                return try Picture(width: picture.width, height: picture.height, channels: 3, bytes: bytes)
            }
            #expect(verdicts.contains { !$0.passed })
        }
    }

    /// A camera's borrowed, padded BGRA rows and a photograph of the same pixels. Times are printed,
    /// not judged: a host is no phone, and a debug build is no app.
    @Test(.enabled(if: !Given.runnable.isEmpty, "FOVEA_NATIVE_LIBRARY is not set"), arguments: Given.runnable)
    func aFrameGivesWhatItsPictureGives(_ path: String) async throws {
        let bundle = try ModelBundle(folder: URL(fileURLWithPath: path))
        let loader = NativeLoader(functions: try .init(library: try #require(Given.library)))
        let recipe = try #require(Given.recipes(of: path).first)
        let launch = try await Launch.first(of: bundle, preferring: recipe, loader: loader)
        let predictor = try Predictor(bundle: bundle, launch: launch)
        let (width, height, padding) = (1280, 720, 64)
        let rowBytes = 4 * width + padding
        let frame = (0..<rowBytes * height).map { UInt8(truncatingIfNeeded: $0 / 7 &* 2_654_435_761 >> 9) }
        let pixels = (0..<height).flatMap { y in
            (0..<width).flatMap { x in [2, 1, 0].map { frame[y * rowBytes + 4 * x + $0] } }
        }
        let photo = try Picture(width: width, height: height, channels: 3, bytes: pixels)
        let expected = try await predictor.predict(photo)
        var times: [Prediction] = []
        for _ in 0..<12 {
            let prediction = try await predictor.predict { resize in
                frame.withUnsafeBufferPointer {
                    resize(
                        PixelView(
                            base: $0.baseAddress!, width: width, height: height, rowBytes: rowBytes,
                            pixelBytes: 4, order: [2, 1, 0]))
                }
            }
            #expect(prediction.output == expected.output)
            times.append(prediction)
        }
        let middle = times.sorted { $0.overhead() < $1.overhead() }[6]
        let kind = LayerKind.available(for: bundle)[0]
        let shown = try Presentation(middle, of: bundle, as: kind, photo: photo, colours: Vectors.colours())
        let figures = [middle.beforeMs, middle.modelMs, middle.afterMs, shown.ms].map { String(format: "%.2f", $0) }
        print(bundle.name, recipe, "before, model, after, layer in ms:", figures.joined(separator: ", "))
    }
}

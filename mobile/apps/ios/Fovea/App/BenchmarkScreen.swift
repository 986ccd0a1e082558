import FoveaCore
import SwiftUI

/// Times of every file, as rows that the pipeline compares.
struct BenchmarkScreen: View {
    @Environment(AppModel.self) private var model
    @State private var rows: [LatencyRow] = []
    @State private var problems: [String] = []
    @State private var running: String?
    @State private var thermal = DeviceState.thermal()

    var body: some View {
        NavigationStack {
            List {
                Section {
                    LabeledContent("Thermal state", value: thermal.rawValue)
                    Button(running.map { "Timing \($0) …" } ?? "Time every file") { Task { await run() } }
                        .disabled(running != nil || model.predictor == nil)
                } footer: {
                    Text("Close other apps, take the phone off its charger and let it cool to nominal first.")
                }
                if DeviceState.isSimulator {
                    NoticeView(
                        text: "A simulator's times say nothing about a phone; no row is written.", isFailure: false)
                }
                ForEach(rows, id: \.recipe) { row in
                    LabeledContent(row.recipe) {
                        Text(
                            String(
                                format: "%.2f ms (p90 %.2f), %@", row.statistics.p50, row.statistics.p90,
                                row.thermalStatus)
                        )
                        .monospacedDigit()
                    }
                }
                ForEach(problems, id: \.self) { NoticeView(text: $0, isFailure: true) }
            }
            .navigationTitle("Times")
            .toolbar { if LatencyLog.exists { ShareLink(item: LatencyLog.file) } }
            .onReceive(NotificationCenter.default.publisher(for: ProcessInfo.thermalStateDidChangeNotification)) { _ in
                Task { @MainActor in thermal = DeviceState.thermal() }
            }
        }
    }

    private func run() async {
        guard let bundle = model.predictor?.bundle else { return }
        rows = []
        problems = []
        defer { running = nil }
        for recipe in bundle.recipes {
            running = recipe
            do {
                rows.append(try await time(recipe, of: bundle))
            } catch {
                problems.append("\(recipe): \(words(of: error))")
            }
        }
        do {
            if !DeviceState.isSimulator { try LatencyLog.append(rows) }
        } catch {
            problems.append(words(of: error))
        }
    }

    private func time(_ recipe: String, of bundle: ModelBundle) async throws -> LatencyRow {
        guard let golden = bundle.manifest.golden.first else {
            throw FoveaError("\(bundle.name) has no golden input to time; install the bundle again")
        }
        let (loader, place) = (model.loader, DeviceState.place)
        return try await Task.detached(priority: .userInitiated) {
            let size = bundle.manifest.input
            let picture = try PhotoDecoder.decode(bundle.url(golden.input)).picture
            return try await Benchmark.row(
                bundle, recipe: recipe, loader: loader,
                pixels: Resize.triangle(picture, height: size.height, width: size.width),
                plan: BenchmarkPlan(), place: place, thermal: DeviceState.thermal)
        }.value
    }
}

/// All rows of this phone, one JSON line each: `fovea compare` reads the file.
enum LatencyLog {
    static var file: URL { URL.documentsDirectory.appendingPathComponent("latency.jsonl") }

    static var exists: Bool { FileManager.default.fileExists(atPath: file.path) }

    static func append(_ rows: [LatencyRow]) throws {
        guard !rows.isEmpty else { return }
        var text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        for row in rows { text += try row.line() + "\n" }
        try text.write(to: file, atomically: true, encoding: .utf8)
    }
}

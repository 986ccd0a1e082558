import FoveaCore
import SwiftUI

/// Whether every file of the bundle gives on this phone what it should.
struct CheckScreen: View {
    @Environment(AppModel.self) private var model
    @State private var verdicts: [GoldenVerdict] = []
    @State private var problems: [String] = []
    @State private var isRunning = false

    var body: some View {
        NavigationStack {
            List {
                Section {
                    Button(isRunning ? "Checking …" : "Run the golden vectors") { Task { await run() } }
                        .disabled(isRunning || model.predictor == nil)
                } footer: {
                    Text(
                        "Golden inputs go through this app and are compared with what the bundle expects of each file.")
                }
                ForEach(verdicts) { verdict in
                    Label {
                        VStack(alignment: .leading) {
                            Text(verdict.recipe).font(.subheadline)
                            Text(verdict.line).font(.caption).monospacedDigit()
                        }
                    } icon: {
                        Image(systemName: verdict.passed ? "checkmark.circle.fill" : "xmark.circle.fill")
                            .foregroundStyle(verdict.passed ? .green : .red)
                    }
                }
                ForEach(problems, id: \.self) { NoticeView(text: $0, isFailure: true) }
            }
            .navigationTitle("Check")
        }
    }

    private func run() async {
        guard let bundle = model.predictor?.bundle else { return }
        isRunning = true
        defer { isRunning = false }
        verdicts = []
        problems = []
        for recipe in bundle.recipes {
            do {
                verdicts += try await BundleCheck.verdicts(of: recipe, in: bundle, loader: model.loader)
            } catch {
                problems.append("\(recipe): \(words(of: error))")
            }
        }
    }
}

/// The same check for the screen and for the app's tests.
enum BundleCheck {
    static func verdicts(
        of recipe: String, in bundle: ModelBundle, loader: any EngineLoader
    ) async throws -> [GoldenVerdict] {
        // Not `Launch`: a check must not be passed by the file that stepped in.
        let engine = try await loader.load(recipe, of: bundle)
        let predictor = try Predictor(bundle: bundle, recipe: recipe, engine: engine)
        return try await GoldenJudge.check(predictor) { try PhotoDecoder.decode($0).picture }
    }
}

import FoveaCore
import SwiftUI

/// What is installed, which file is in use, and where the model comes from.
struct BundlesScreen: View {
    @Environment(AppModel.self) private var model

    var body: some View {
        NavigationStack {
            List {
                ForEach(model.bundles, id: \.name) { bundle in
                    Section(bundle.name) {
                        ForEach(bundle.recipes, id: \.self) { recipe in
                            Button {
                                Task { await model.use(bundle, recipe: recipe) }
                            } label: {
                                RecipeRow(bundle: bundle, recipe: recipe, isUsed: isUsed(bundle, recipe))
                            }
                            .disabled(model.isLoading)
                        }
                        if let source = bundle.manifest.spec.source {
                            Text("\(bundle.manifest.spec.task), after \(source)").font(.caption)
                        }
                    }
                }
                if !model.refused.isEmpty {
                    Section("Refused") {
                        ForEach(model.refused, id: \.self) { NoticeView(text: $0, isFailure: true) }
                    }
                }
            }
            .overlay { if model.isLoading { ProgressView() } }
            .navigationTitle("Bundles")
        }
    }

    private func isUsed(_ bundle: ModelBundle, _ recipe: String) -> Bool {
        model.predictor?.bundle.name == bundle.name && model.predictor?.recipe == recipe
    }
}

private struct RecipeRow: View {
    let bundle: ModelBundle
    let recipe: String
    let isUsed: Bool

    var body: some View {
        HStack {
            VStack(alignment: .leading) {
                Text(recipe)
                if let artefact = bundle.manifest.artefacts[recipe] {
                    Text("\(artefact.precision), \(artefact.bytes.formatted(.byteCount(style: .file)))").font(.caption)
                }
            }
            Spacer()
            if isUsed { Image(systemName: "checkmark") }
        }
    }
}

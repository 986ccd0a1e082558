import FoveaCore
import PhotosUI
import SwiftUI

/// One photograph: the model's layer and, for saliency, Apple's map beside it.
struct PhotoScreen: View {
    @Environment(AppModel.self) private var model
    @State private var choice: PhotosPickerItem?
    @State private var shown: ShownPhoto?
    @State private var photo: Photo?
    @State private var problem: String?
    @State private var isBusy = false

    var body: some View {
        NavigationStack {
            ScrollView {
                VStack(alignment: .leading, spacing: 14) {
                    if let shown {
                        ShownPhotoView(shown: shown, opacity: model.opacity)
                        LayerControls()
                    } else {
                        ContentUnavailableView(
                            "No photograph", systemImage: "photo",
                            description: Text("Choose one; it stays on this device."))
                    }
                    if let notice = photo?.notice { NoticeView(text: notice, isFailure: false) }
                    if let problem { NoticeView(text: problem, isFailure: true) }
                }
                .padding()
            }
            .overlay { if isBusy { ProgressView() } }
            .navigationTitle(model.predictor?.bundle.name ?? "Fovea")
            .toolbar {
                PhotosPicker(selection: $choice, matching: .images) { Label("Choose", systemImage: "photo.badge.plus") }
            }
        }
        .task(id: choice) { await read() }
        .task(id: Wish(model: model, photo: photo?.id)) { await show() }
    }

    private func read() async {
        guard let choice else { return }
        isBusy = true
        defer { isBusy = false }
        do {
            guard let data = try await choice.loadTransferable(type: Data.self) else {
                throw FoveaError(
                    "the photograph cannot be loaded; it may still be in iCloud. Choose it again, or another")
            }
            let decoded = try await Task.detached { try PhotoDecoder.decode(data) }.value
            problem = nil
            photo = decoded
        } catch {
            problem = words(of: error)
        }
    }

    private func show() async {
        guard let photo, let predictor = model.predictor else { return }
        isBusy = true
        defer { isBusy = false }
        do {
            shown = try await ShownPhoto.make(photo.picture, predictor, kind: model.kind, colours: model.colours)
            problem = nil
        } catch {
            problem = words(of: error)
        }
    }

    /// What makes the picture on screen out of date.
    private struct Wish: Equatable {
        let recipe: String?
        let kind: LayerKind
        let photo: UUID?

        @MainActor init(model: AppModel, photo: UUID?) {
            recipe = model.predictor.map { "\($0.bundle.name)/\($0.recipe)" }
            kind = model.kind
            self.photo = photo
        }
    }
}

import FoveaCore
import SwiftUI
import UIKit

/// The camera's picture with the model's layer, live.
struct CameraScreen: View {
    @Environment(AppModel.self) private var model
    @Environment(\.scenePhase) private var phase
    @State private var live: LiveFrame?
    @State private var problem: String?
    @State private var isVisible = false

    var body: some View {
        VStack(spacing: 12) {
            if let live {
                OverlayView(photo: live.photo, layer: live.layer, kind: live.kind, opacity: model.opacity)
                    .frame(maxWidth: .infinity, maxHeight: .infinity)
                LegendView(entries: live.legend)
                Text(live.times).font(.caption).monospacedDigit()
                LayerControls()
            } else if let problem {
                ContentUnavailableView {
                    Label("No camera", systemImage: "camera.fill")
                } description: {
                    Text(problem)
                } actions: {
                    if let settings = URL(string: UIApplication.openSettingsURLString) {
                        Link("Settings", destination: settings)
                    }
                }
            } else {
                ProgressView().frame(maxWidth: .infinity, maxHeight: .infinity)
            }
        }
        .padding()
        .onAppear { isVisible = true }
        .onDisappear { isVisible = false }
        .task(id: Running(isOn: isVisible && phase == .active, model: model)) { await run() }
    }

    /// Until the screen goes away or another model is chosen.
    private func run() async {
        guard isVisible, phase == .active, let predictor = model.predictor else { return }
        let feed = CameraFeed()
        defer { feed.stop() }
        do {
            try await feed.start()
            problem = nil
            for await frame in feed.frames {
                try Task.checkCancellation()
                live = try await LiveFrame.make(frame, predictor, kind: model.kind, colours: model.colours)
            }
        } catch is CancellationError {
            return
        } catch {
            live = nil
            problem = words(of: error)
        }
    }

    private struct Running: Equatable {
        let isOn: Bool
        let recipe: String?

        @MainActor init(isOn: Bool, model: AppModel) {
            self.isOn = isOn
            recipe = model.predictor.map { "\($0.bundle.name)/\($0.recipe)" }
        }
    }
}

/// A frame and its layer: they belong together, so the layer never lags behind the picture.
struct LiveFrame: @unchecked Sendable {  // CGImage never changes
    let photo: CGImage
    let layer: CGImage?
    let kind: LayerKind
    let legend: [LegendEntry]
    let times: String

    static func make(
        _ frame: Frame, _ predictor: Predictor, kind: LayerKind, colours: [[UInt8]]
    ) async throws -> LiveFrame {
        let prediction = try await predictor.predict { resize in try frame.read(resize) }
        let bundle = predictor.bundle
        return try await Task.detached {
            let picture = try frame.picture()
            let shown = try Presentation(prediction, of: bundle, as: kind, photo: picture, colours: colours)
            guard let photo = picture.image(opaque: true) else {
                throw FoveaError("the camera's picture cannot be shown; choose a photograph instead")
            }
            return LiveFrame(
                photo: photo, layer: shown.layer.image(opaque: false), kind: kind, legend: shown.legend,
                times: ShownPhoto.line(prediction, shown))
        }.value
    }
}

import CoreGraphics
import FoveaCore
import SwiftUI

/// A photograph with all that is shown of it.
struct ShownPhoto: @unchecked Sendable {  // CGImage never changes
    let photo: CGImage
    let layer: CGImage?
    let kind: LayerKind
    let legend: [LegendEntry]
    let times: String
    /// Apple's attention map of the same photograph, for saliency alone.
    let baseline: CGImage?
    /// How alike the two maps are, or why there is no second one.
    let comparison: String?

    static func make(
        _ picture: Picture, _ predictor: Predictor, kind: LayerKind, colours: [[UInt8]]
    ) async throws -> ShownPhoto {
        let prediction = try await predictor.predict(picture)
        let bundle = predictor.bundle
        return try await Task.detached {
            let shown = try Presentation(prediction, of: bundle, as: kind, photo: picture, colours: colours)
            guard let photo = picture.image(opaque: true) else {
                throw FoveaError("the photograph cannot be shown; choose another one")
            }
            var baseline: CGImage?
            var comparison: String?
            if bundle.task == .saliency {
                do {
                    let attention = try AttentionBaseline.map(of: picture)
                    baseline = Layers.heat(attention, colours: colours).image(opaque: false)
                    comparison = alike(prediction.map, attention)
                } catch {
                    comparison = words(of: error)
                }
            }
            return ShownPhoto(
                photo: photo, layer: shown.layer.image(opaque: false), kind: kind, legend: shown.legend,
                times: line(prediction, shown), baseline: baseline, comparison: comparison)
        }.value
    }

    static func line(_ prediction: Prediction, _ shown: Presentation) -> String {
        String(
            format: "%.1f ms model, %.1f ms before and after it (%.0f %%)", prediction.modelMs,
            prediction.beforeMs + prediction.afterMs + shown.ms, 100 * prediction.overhead(layerMs: shown.ms))
    }

    private static func alike(_ ours: FloatArray, _ attention: FloatArray) -> String {
        let fitted = Resize.triangle(map: ours, height: attention.shape[0], width: attention.shape[1])
        guard let cc = Correlation.pearson(fitted.values, attention.values) else {
            return "Apple's attention: one of the maps is flat"
        }
        return String(format: "Apple's attention: CC %.2f with ours", cc)
    }
}

struct ShownPhotoView: View {
    let shown: ShownPhoto
    let opacity: Double

    var body: some View {
        VStack(alignment: .leading, spacing: 10) {
            OverlayView(photo: shown.photo, layer: shown.layer, kind: shown.kind, opacity: opacity)
            if shown.kind == .cutout, let layer = shown.layer {
                ShareLink(
                    item: Image(decorative: layer, scale: 1),
                    preview: SharePreview("Cut-out", image: Image(decorative: layer, scale: 1)))
            }
            LegendView(entries: shown.legend)
            Text(shown.times).font(.caption).monospacedDigit()
            if let baseline = shown.baseline {
                OverlayView(photo: shown.photo, layer: baseline, kind: .heat, opacity: opacity)
            }
            if let comparison = shown.comparison { Text(comparison).font(.caption) }
        }
    }
}

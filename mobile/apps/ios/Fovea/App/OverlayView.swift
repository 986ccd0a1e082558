import FoveaCore
import SwiftUI

/// A photograph with a layer over it; a cut-out takes its place, on a chequered ground.
struct OverlayView: View {
    let photo: CGImage
    let layer: CGImage?
    let kind: LayerKind
    let opacity: Double

    var body: some View {
        if kind == .cutout, let layer {
            Image(decorative: layer, scale: 1)
                .resizable()
                .scaledToFit()
                .background(Chequers())
        } else {
            Image(decorative: photo, scale: 1)
                .resizable()
                .scaledToFit()
                .overlay {
                    if let layer {
                        Image(decorative: layer, scale: 1)
                            .resizable()
                            .interpolation(kind == .classes ? .none : .high)
                            .opacity(opacity)
                    }
                }
        }
    }
}

/// What transparency is shown on.
struct Chequers: View {
    var body: some View {
        Canvas { context, size in
            let side: CGFloat = 10
            for row in 0..<Int(size.height / side) + 1 {
                for column in 0..<Int(size.width / side) + 1 where (row + column) % 2 == 0 {
                    let square = CGRect(x: CGFloat(column) * side, y: CGFloat(row) * side, width: side, height: side)
                    context.fill(Path(square), with: .color(.gray.opacity(0.3)))
                }
            }
        }
    }
}

/// The classes that occur, the largest share first.
struct LegendView: View {
    let entries: [LegendEntry]

    var body: some View {
        LazyVGrid(columns: [GridItem(.adaptive(minimum: 130), alignment: .leading)], spacing: 6) {
            ForEach(entries) { entry in
                HStack(spacing: 6) {
                    RoundedRectangle(cornerRadius: 3)
                        .fill(entry.swatch)
                        .frame(width: 14, height: 14)
                    Text("\(entry.name) \(entry.share)").font(.caption)
                }
                .accessibilityElement(children: .combine)
            }
        }
    }
}

extension LegendEntry {
    var swatch: Color {
        Color(red: Double(colour[0]) / 255, green: Double(colour[1]) / 255, blue: Double(colour[2]) / 255)
    }
}

/// How the layer is shown: its opacity, or another way where a bundle has two.
struct LayerControls: View {
    @Environment(AppModel.self) private var model

    var body: some View {
        @Bindable var model = model
        let kinds = model.predictor.map { LayerKind.available(for: $0.bundle) } ?? []
        VStack(spacing: 8) {
            if kinds.count > 1 {
                Picker("Layer", selection: $model.kind) {
                    ForEach(kinds) { Text($0.title).tag($0) }
                }
                .pickerStyle(.segmented)
            }
            if model.kind != .cutout {
                Slider(value: $model.opacity, in: 0...1) { Text("Opacity") }
            }
        }
    }
}

extension LayerKind {
    var title: String {
        switch self {
        case .heat: "Heat map"
        case .classes: "Classes"
        case .cutout: "Cut-out"
        }
    }
}

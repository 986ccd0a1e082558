import SwiftUI

@main
struct FoveaApp: App {
    @State private var model = AppModel()

    var body: some Scene {
        WindowGroup {
            RootView()
                .environment(model)
                .task { await model.open() }
        }
    }
}

struct RootView: View {
    @Environment(AppModel.self) private var model

    var body: some View {
        TabView {
            PhotoScreen().tabItem { Label("Photo", systemImage: "photo") }
            CameraScreen().tabItem { Label("Camera", systemImage: "camera") }
            BenchmarkScreen().tabItem { Label("Times", systemImage: "stopwatch") }
            CheckScreen().tabItem { Label("Check", systemImage: "checkmark.seal") }
            BundlesScreen().tabItem { Label("Bundles", systemImage: "shippingbox") }
        }
        .safeAreaInset(edge: .top) {
            if let notice = model.failure ?? model.notice {
                NoticeView(text: notice, isFailure: model.failure != nil)
            }
        }
    }
}

/// A line that stays on screen while what it says is true.
struct NoticeView: View {
    let text: String
    let isFailure: Bool

    var body: some View {
        Label(text, systemImage: isFailure ? "xmark.octagon.fill" : "info.circle")
            .font(.footnote)
            .frame(maxWidth: .infinity, alignment: .leading)
            .padding(10)
            .background(isFailure ? Color.red.opacity(0.15) : Color.yellow.opacity(0.2))
    }
}

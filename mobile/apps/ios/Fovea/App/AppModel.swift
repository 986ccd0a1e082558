import Foundation
import FoveaCore
import Observation

/// What all screens share: the bundles, the model in use and how its output is shown.
@MainActor
@Observable
final class AppModel {
    private(set) var bundles: [ModelBundle] = []
    /// Bundles that were refused, each with the reason.
    private(set) var refused: [String] = []
    private(set) var predictor: Predictor?
    /// A file that stepped in for another.
    private(set) var notice: String?
    /// Why there is no model.
    private(set) var failure: String?
    private(set) var isLoading = false

    var opacity = 0.8
    var kind = LayerKind.heat

    let colours: [[UInt8]]
    let loader = DeviceLoader()

    init() {
        let found = Bundle.main.url(forResource: "colours", withExtension: "json").flatMap { try? Data(contentsOf: $0) }
        do {
            colours = try Layers.colours(json: found ?? Data())
        } catch {
            // Grey levels keep the app usable where its own resource is damaged.
            colours = (0..<256).map { [UInt8](repeating: UInt8($0), count: 3) }
            failure = words(of: error)
        }
    }

    /// Verifies what is installed, then loads the first whole bundle.
    func open() async {
        guard bundles.isEmpty, !isLoading else { return }
        isLoading = true
        let opened = await Task.detached { BundleStore.openAll() }.value
        isLoading = false
        bundles = opened.bundles
        refused = opened.refused
        if let first = bundles.first {
            await use(first)
        } else {
            failure = opened.refused.first ?? failure
        }
    }

    /// Loads `recipe` of `bundle`, or another file where that one fails; says so then.
    func use(_ bundle: ModelBundle, recipe: String? = nil) async {
        isLoading = true
        defer { isLoading = false }
        do {
            let launch = try await Launch.first(of: bundle, preferring: recipe, loader: loader)
            predictor = try Predictor(bundle: bundle, launch: launch)
            kind = LayerKind.available(for: bundle)[0]
            notice = launch.notice
            failure = nil
        } catch {
            predictor = nil
            notice = nil
            failure = words(of: error)
        }
    }
}

/// Bundles inside the app, as `fovea bundle install` lays them.
enum BundleStore {
    struct Opened: Sendable {
        var bundles: [ModelBundle] = []
        var refused: [String] = []
    }

    static var folder: URL? { Bundle.main.resourceURL?.appendingPathComponent("Bundles") }

    static func openAll() -> Opened {
        var opened = Opened()
        do {
            guard let folder else { throw FoveaError("the app has no folder of bundles; build it again") }
            for name in try BundleIndex.read(folder).bundles {
                do {
                    opened.bundles.append(try ModelBundle(folder: folder.appendingPathComponent(name)))
                } catch {
                    opened.refused.append("\(name): \(words(of: error))")
                }
            }
        } catch {
            opened.refused.append(words(of: error))
        }
        return opened
    }
}

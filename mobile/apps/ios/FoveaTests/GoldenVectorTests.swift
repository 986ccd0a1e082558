import Foundation
import FoveaCore
import Testing

@testable import Fovea

/// Every file of every installed bundle, on this device, through the app's own decoder and runtimes.
@Suite struct GoldenVectorTests {
    @Test func everyInstalledFileGivesWhatItShould() async throws {
        let opened = BundleStore.openAll()
        #expect(opened.refused == [])
        try #require(!opened.bundles.isEmpty, "install a bundle first: fovea bundle install STUDENT --app ios")
        for bundle in opened.bundles {
            for recipe in bundle.recipes {
                let verdicts = try await BundleCheck.verdicts(of: recipe, in: bundle, loader: DeviceLoader())
                #expect(verdicts.count == bundle.manifest.golden.count)
                for verdict in verdicts { #expect(verdict.passed, "\(bundle.name) \(recipe) \(verdict.line)") }
            }
        }
    }

    /// Vision's saliency does not run in every simulator.
    @Test(.enabled(if: !DeviceState.isSimulator, "needs a phone")) func theBaselineIsAMap() throws {
        let bundle = try #require(BundleStore.openAll().bundles.first, "install a bundle first")
        let golden = try #require(bundle.manifest.golden.first)
        let attention = try AttentionBaseline.map(of: PhotoDecoder.decode(bundle.url(golden.input)).picture)
        #expect(attention.shape.count == 2)
        #expect(attention.values.allSatisfy { (0...1).contains($0) })
        #expect(!Correlation.isConstant(attention.values))
    }
}

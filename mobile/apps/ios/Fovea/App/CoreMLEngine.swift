import CoreML
import FoveaCore
import UIKit

/// A `.mlpackage` on whatever units Core ML chooses.
///
/// Unchecked: `MLModel` may be used from any thread, and nothing here changes after `init`.
final class CoreMLEngine: Engine, @unchecked Sendable {
    let runtime = "Core ML"
    let runtimeVersion: String
    let delegation: Delegation
    private let model: MLModel
    private let inputName: String
    private let outputName: String

    static func load(_ package: URL, artefact: Manifest.Artefact) async throws -> CoreMLEngine {
        let compiled = try await CompiledModels.url(of: package, sha256: artefact.sha256)
        let configuration = MLModelConfiguration()
        configuration.computeUnits = .all
        let model = try await MLModel.load(contentsOf: compiled, configuration: configuration)
        let delegation = await ComputeUnits.delegation(of: compiled, configuration: configuration)
        return CoreMLEngine(
            model, artefact: artefact, delegation: delegation, version: await UIDevice.current.systemVersion)
    }

    private init(_ model: MLModel, artefact: Manifest.Artefact, delegation: Delegation, version: String) {
        self.model = model
        self.inputName = artefact.input.name
        self.outputName = artefact.output.name
        self.delegation = delegation
        // Core ML comes with the system and has no version of its own.
        self.runtimeVersion = version
    }

    func run(_ input: FloatArray) throws -> FloatArray {
        let array = MLShapedArray<Float>(scalars: input.values, shape: input.shape)
        let features = try MLDictionaryFeatureProvider(
            dictionary: [inputName: MLFeatureValue(shapedArray: array)])
        let result = try model.prediction(from: features)
        // A shaped array: its scalars are in C order, however the system padded its rows.
        guard let output = result.featureValue(for: outputName)?.shapedArrayValue(of: Float.self) else {
            throw FoveaError("the Core ML file gives no float32 array called \(outputName); install the bundle again")
        }
        return try FloatArray(shape: output.shape, values: output.scalars)
    }
}

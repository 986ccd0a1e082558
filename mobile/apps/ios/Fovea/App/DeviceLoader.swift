import FoveaCore

/// Opens a bundle's files with the runtime that each is for.
struct DeviceLoader: EngineLoader {
    func load(_ recipe: String, of bundle: ModelBundle) async throws -> any Engine {
        guard let artefact = bundle.manifest.artefacts[recipe] else {
            throw FoveaError("\(bundle.name) has no artefact \(recipe)")
        }
        let file = bundle.url(artefact.path)
        switch artefact.backend {
        case "coreml":
            return try await CoreMLEngine.load(file, artefact: artefact)
        case "executorch", "executorch_coreml":
            return try ExecuTorchEngine.load(file, backend: artefact.backend)
        default:
            throw FoveaError("\(artefact.backend) has no runtime in this app; export a Core ML or ExecuTorch recipe")
        }
    }
}

import Foundation
import FoveaCore

#if canImport(ExecuTorch)
    import ExecuTorch

    /// A `.pte`, by its path.
    ///
    /// Unchecked: a `Module` takes one run at a time, which `Predictor` sees to.
    final class ExecuTorchEngine: Engine, @unchecked Sendable {
        /// Of the Swift package in the project; the runtime itself does not tell.
        static let version = "1.5.0"

        let runtime = "ExecuTorch"
        let runtimeVersion = ExecuTorchEngine.version
        let delegation: Delegation
        private let module: Module

        static func load(_ file: URL, backend: String) throws -> any Engine {
            let module = Module(filePath: file.path, loadMode: .mmap)
            try module.load("forward")
            let asked = backend == "executorch_coreml" ? "CoreML" : "XNNPACK"
            let names = try module.methodMetadata("forward").backendNames
            return ExecuTorchEngine(
                module,
                delegation: Delegation(asked: asked, obtained: names.isEmpty ? "none" : names.joined(separator: "+")))
        }

        private init(_ module: Module, delegation: Delegation) {
            self.module = module
            self.delegation = delegation
        }

        func run(_ input: FloatArray) throws -> FloatArray {
            let tensor = Tensor<Float>(input.values, shape: input.shape)
            let output: Tensor<Float> = try module.forward(tensor)
            return try FloatArray(shape: output.shape, values: output.scalars())
        }
    }
#else
    /// Where the package is taken out of the project, Core ML alone is left.
    enum ExecuTorchEngine {
        static func load(_ file: URL, backend: String) throws -> any Engine {
            throw FoveaError("this build has no ExecuTorch; add its Swift package, or choose a Core ML file")
        }
    }
#endif

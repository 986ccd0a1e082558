import Foundation

@testable import FoveaCore

/// ExecuTorch through the pipeline's own C interface (`fovea/native/pte.cpp`), for machines without
/// Apple's frameworks: the same runtime and the same files as on a phone, in another wrapping.
final class NativeEngine: Engine, @unchecked Sendable {
    let runtime = "ExecuTorch"
    let runtimeVersion = "native"
    let delegation = Delegation(asked: "XNNPACK", obtained: "unreadable")
    private let handle: UnsafeMutableRawPointer
    private let functions: Functions
    private let shape: [Int]

    init(_ file: URL, functions: Functions) throws {
        var sides = [Int32](repeating: 0, count: 8)
        var error: Int32 = 0
        guard let handle = functions.open(file.path, 1, &sides, &error) else {
            throw FoveaError("ExecuTorch does not open \(file.lastPathComponent) (error \(error))")
        }
        self.handle = handle
        self.functions = functions
        self.shape = sides.suffix(4).map(Int.init)
    }

    deinit { functions.close(handle) }

    func run(_ input: FloatArray) throws -> FloatArray {
        var values = input.values
        var output = [Float](repeating: 0, count: shape.reduce(1, *))
        let error = functions.run(handle, &values, &output)
        guard error == 0 else { throw FoveaError("ExecuTorch does not run (error \(error))") }
        return try FloatArray(shape: shape, values: output)
    }

    /// The library's entry points.
    struct Functions: @unchecked Sendable {
        typealias Open = @convention(c) (
            UnsafePointer<CChar>, Int32, UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int32>
        ) -> UnsafeMutableRawPointer?
        typealias Run = @convention(c) (
            UnsafeMutableRawPointer, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>
        ) -> Int32
        typealias Close = @convention(c) (UnsafeMutableRawPointer) -> Void

        let open: Open
        let run: Run
        let close: Close

        init(library: String) throws {
            guard let found = dlopen(library, RTLD_NOW) else {
                throw FoveaError("\(library) does not load: \(String(cString: dlerror()))")
            }
            func symbol<Function>(_ name: String, _ kind: Function.Type) throws -> Function {
                guard let address = dlsym(found, name) else { throw FoveaError("\(library) has no \(name)") }
                return unsafeBitCast(address, to: kind)
            }
            open = try symbol("fovea_open", Open.self)
            run = try symbol("fovea_run", Run.self)
            close = try symbol("fovea_close", Close.self)
        }
    }
}

struct NativeLoader: EngineLoader {
    let functions: NativeEngine.Functions

    func load(_ recipe: String, of bundle: ModelBundle) async throws -> any Engine {
        guard let artefact = bundle.manifest.artefacts[recipe], artefact.backend == "executorch" else {
            throw FoveaError("not a file for ExecuTorch")
        }
        return try NativeEngine(bundle.url(artefact.path), functions: functions)
    }
}

import CoreML
import FoveaCore

/// Which processors Core ML means to use, by its own compute plan.
enum ComputeUnits {
    static func delegation(of compiled: URL, configuration: MLModelConfiguration) async -> Delegation {
        let asked = "all"
        guard #available(iOS 17.4, *),
            let plan = try? await MLComputePlan.load(contentsOf: compiled, configuration: configuration),
            case .program(let program) = plan.modelStructure,
            let operations = program.functions["main"]?.block.operations
        else {
            return Delegation(asked: asked, obtained: "unreadable")
        }
        var neural = 0
        var graphics = 0
        var processor = 0
        // Constants are in the program, too, but run nowhere: they have no usage.
        for operation in operations {
            switch plan.deviceUsage(for: operation)?.preferred {
            case .neuralEngine: neural += 1
            case .gpu: graphics += 1
            case .cpu: processor += 1
            default: break
            }
        }
        let most = max(neural, graphics)
        return Delegation(
            asked: asked, obtained: most == 0 ? "none" : neural >= graphics ? "neural engine" : "GPU",
            nodesDelegated: neural + graphics, nodesTotal: neural + graphics + processor)
    }
}

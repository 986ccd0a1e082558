import Foundation
import Testing

@testable import FoveaCore

/// Whole or not at all: the list `manifests`.
@Suite struct BundleVectorTests {
    struct ManifestCase: Decodable, Sendable {
        let folder: String
        let problem: String?
        let names: [String]
    }

    @Test(arguments: Vectors.cases("manifests", of: ManifestCase.self))
    func manifests(_ each: ManifestCase) throws {
        let folder = Vectors.url(each.folder)
        guard let problem = each.problem else {
            let bundle = try ModelBundle(folder: folder)
            #expect(!bundle.recipes.isEmpty)
            return
        }
        do {
            _ = try ModelBundle(folder: folder)
            Issue.record("\(each.folder) was opened")
        } catch let error as BundleError {
            #expect(error.kind.rawValue == problem)
            for name in each.names { #expect(error.message.contains(name)) }
        }
    }

    /// A whole bundle's manifest, one value of it changed.
    private func refusal(_ change: (inout [String: Any]) -> Void) throws -> BundleError? {
        let path = Vectors.url("manifests/whole_semantic/manifest.json")
        var top = try #require(JSONSerialization.jsonObject(with: Data(contentsOf: path)) as? [String: Any])
        change(&top)
        do {
            _ = try ManifestReader.decode(JSONSerialization.data(withJSONObject: top))
            return nil
        } catch let error as BundleError {
            return error
        }
    }

    @Test func unknownKeysAreIgnored() throws {
        #expect(try refusal { $0["something_new"] = ["a": 1] } == nil)
    }

    @Test func aNewerSchemaIsSaidBeforeWhatItMayHaveMoved() throws {
        let error = try refusal {
            $0 = ["schema": 7]
        }
        #expect(error?.kind == .schema)
        #expect(error?.message.contains("update the app") == true)
    }

    @Test(arguments: ["spec", "input", "output", "artefacts", "golden", "files", "schema"])
    func everyPartIsNeeded(_ part: String) throws {
        let error = try refusal { $0[part] = nil }
        #expect(error?.kind == .missingPart)
        #expect(error?.message.contains(part) == true)
    }

    @Test func anInputThatIsNotRGBIsRefused() throws {
        let error = try refusal {
            var input = $0["input"] as! [String: Any]
            input["color"] = "BGR"
            $0["input"] = input
        }
        #expect(error?.kind == .input)
    }

    @Test func classesMustFitTheOutput() throws {
        let error = try refusal {
            var output = $0["output"] as! [String: Any]
            output["classes"] = [["name": "sky", "colour": "#112233"]]
            $0["output"] = output
        }
        #expect(error?.message.contains("output.classes") == true)
    }

    @Test func unnamedClassesAreNumbered() throws {
        let semantic = try ModelBundle(folder: Vectors.url("manifests/whole_semantic"))
        #expect(semantic.classes.map(\.name) == ["background", "sky", "people"])
        let unnamed = try ModelBundle(folder: Vectors.url("manifests/whole"))
        #expect(unnamed.classes.map(\.name) == ["class 0"])
    }

    @Test func anArtefactThatIsNotListedIsRefused() throws {
        let copy = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: copy) }
        try FileManager.default.copyItem(at: Vectors.url("manifests/whole"), to: copy)
        let path = copy.appendingPathComponent("manifest.json")
        var text = try String(contentsOf: path, encoding: .utf8)
        text = text.replacingOccurrences(
            of: "\"path\": \"artefacts/litert_fp32/model.tflite\"", with: "\"path\": \"golden/image0\"")
        try text.write(to: path, atomically: true, encoding: .utf8)
        #expect(throws: BundleError.self) { try ModelBundle(folder: copy) }
    }

    @Test func theIndexSaysWhatIsInstalled() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let index = folder.appendingPathComponent("index.json")
        do {
            _ = try BundleIndex.read(folder)
            Issue.record("no index was read")
        } catch {
            #expect(words(of: error).contains("fovea bundle install"))
        }
        try Data(#"{"schema": 1, "bundles": ["a", "b"]}"#.utf8).write(to: index)
        #expect(try BundleIndex.read(folder).bundles == ["a", "b"])
        try Data(#"{"schema": 2, "bundles": []}"#.utf8).write(to: index)
        #expect(throws: FoveaError.self) { try BundleIndex.read(folder) }
    }
}

import Foundation
import Testing

@testable import FoveaCore

/// Hashes and arrays as files.
@Suite struct FileTests {
    /// Known answers of FIPS 180-4, and lengths around the block size, where padding goes wrong.
    @Test func knownHashes() {
        let million = Data(repeating: 0x61, count: 1_000_000)
        let known: [(Data, String)] = [
            (Data(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (Data("abc".utf8), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (million, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
        ]
        for (data, digest) in known {
            #expect(portable(data) == digest)
            #expect(Digest.sha256(data) == digest)
        }
    }

    @Test(arguments: [54, 55, 56, 63, 64, 65, 119, 120, 128])
    func chunksDoNotMatter(_ length: Int) {
        let data = Data((0..<length).map { UInt8(truncatingIfNeeded: $0 * 31) })
        var hash = PortableSHA256()
        for byte in data { hash.update(Data([byte])) }
        #expect(Digest.hexadecimal(hash.finish()) == Digest.sha256(data))
        #expect(portable(data) == Digest.sha256(data))
    }

    private func portable(_ data: Data) -> String {
        var hash = PortableSHA256()
        hash.update(data)
        return Digest.hexadecimal(hash.finish())
    }

    private func npy(_ header: String, _ values: [Float], version: UInt8 = 1) -> Data {
        let padded = header + String(repeating: " ", count: 117 - header.count) + "\n"
        var data = Data([0x93] + Array("NUMPY".utf8) + [version, 0, UInt8(padded.utf8.count), 0])
        data += Data(padded.utf8)
        for value in values { withUnsafeBytes(of: value.bitPattern.littleEndian) { data += Data($0) } }
        return data
    }

    @Test func arraysAreReadInCOrder() throws {
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
        let array = try FloatArray(npy: npy(header, [1, 2, 3, 4, 5, -6.5]), name: "a.npy")
        #expect(array.shape == [2, 3])
        #expect(array.values == [1, 2, 3, 4, 5, -6.5])
        let line = try FloatArray(
            npy: npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", [1, 2]), name: "a")
        #expect(line.shape == [2])
    }

    @Test(arguments: [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }",
        "{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }",
        "{'descr': '<f4', 'fortran_order': True, 'shape': (2,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }",
        "{'descr': '<f4', 'fortran_order': False}",
    ])
    func otherArraysAreRefusedByName(_ header: String) {
        do {
            _ = try FloatArray(npy: npy(header, [1, 2]), name: "image0.npy")
            Issue.record("\(header) was read")
        } catch {
            #expect(words(of: error).contains("image0.npy"))
        }
    }

    @Test func filesThatAreNoArraysAreRefused() {
        #expect(throws: FoveaError.self) { try FloatArray(npy: Data("no".utf8), name: "a") }
        #expect(throws: FoveaError.self) { try FloatArray(npy: npy("{}", [], version: 2), name: "a") }
        #expect(throws: FoveaError.self) { try FloatArray(shape: [2, 2], values: [1]) }
    }

    @Test func errorsSpeakForThemselves() {
        struct Bare: Error {}
        let system = NSError(domain: "runtime", code: 7, userInfo: [NSLocalizedDescriptionKey: "no such unit"])
        #expect(words(of: FoveaError("say this")) == "say this")
        #expect(words(of: system) == "no such unit")
        #expect(words(of: NSError(domain: "runtime", code: 7)).contains("runtime"))
        #expect(words(of: Bare()).contains("Bare"))
    }
}

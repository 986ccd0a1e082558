import Foundation

#if canImport(CryptoKit)
    import CryptoKit
#endif

/// SHA-256 as lower-case hexadecimal digits: Apple's where there is one.
public enum Digest {
    private static let chunk = 1 << 20

    public static func sha256(_ data: Data) -> String {
        #if canImport(CryptoKit)
            return hexadecimal(SHA256.hash(data: data))
        #else
            var hash = PortableSHA256()
            hash.update(data)
            return hexadecimal(hash.finish())
        #endif
    }

    /// Of a file, a mebibyte at a time: models are larger than memory should be asked for.
    public static func sha256(of path: URL) throws -> String {
        let file = try FileHandle(forReadingFrom: path)
        defer { try? file.close() }
        #if canImport(CryptoKit)
            var hash = SHA256()
            while let data = try file.read(upToCount: chunk), !data.isEmpty {
                hash.update(data: data)
            }
            return hexadecimal(hash.finalize())
        #else
            var hash = PortableSHA256()
            while let data = try file.read(upToCount: chunk), !data.isEmpty {
                hash.update(data)
            }
            return hexadecimal(hash.finish())
        #endif
    }

    static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}

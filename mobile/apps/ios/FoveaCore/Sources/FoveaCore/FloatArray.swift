import Foundation

/// Numbers with a shape, in C order: tensors, maps, golden outputs.
public struct FloatArray: Equatable, Sendable {
    public let shape: [Int]
    public let values: [Float]

    /// Throws `FoveaError` where the shape does not hold as many values as given.
    public init(shape: [Int], values: [Float]) throws {
        guard shape.allSatisfy({ $0 >= 0 }), shape.reduce(1, *) == values.count else {
            throw FoveaError("\(values.count) values do not fill the shape \(shape)")
        }
        self.shape = shape
        self.values = values
    }

    /// The same values without leading axes of size 1, down to `rank` axes.
    public func squeezed(to rank: Int) -> FloatArray {
        var shape = shape
        while shape.count > rank, shape.first == 1 { shape.removeFirst() }
        return FloatArray(unchecked: shape, values)
    }

    /// For shapes that follow from the values.
    init(unchecked shape: [Int], _ values: [Float]) {
        self.shape = shape
        self.values = values
    }
}

extension FloatArray {
    /// Reads `.npy`: version 1.0, little-endian float32, C order. `name` goes into messages.
    public init(npy data: Data, name: String) throws {
        let bytes = [UInt8](data)
        func refused(_ why: String) -> FoveaError {
            FoveaError("\(name): \(why); expected .npy 1.0 of little-endian float32 in C order")
        }
        guard bytes.count >= 10, bytes.starts(with: [0x93] + Array("NUMPY".utf8)) else {
            throw refused("not an .npy file")
        }
        guard bytes[6] == 1, bytes[7] == 0 else {
            throw refused("version \(bytes[6]).\(bytes[7])")
        }
        let start = 10 + Int(bytes[8]) + Int(bytes[9]) << 8
        guard bytes.count >= start, let header = String(bytes: bytes[10..<start], encoding: .ascii) else {
            throw refused("the header is cut short")
        }
        guard Self.value(of: "descr", in: header)?.contains("<f4") == true else {
            throw refused("another type of number")
        }
        guard Self.value(of: "fortran_order", in: header)?.hasPrefix("False") == true else {
            throw refused("Fortran order")
        }
        guard let listed = Self.value(of: "shape", in: header)?.split(separator: ")").first else {
            throw refused("no shape")
        }
        let sides = listed.dropFirst().split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        let shape = sides.filter { !$0.isEmpty }.compactMap { Int($0) }
        guard shape.reduce(1, *) * 4 == bytes.count - start else {
            throw refused("\(bytes.count - start) bytes for the shape \(shape)")
        }
        let values = bytes.withUnsafeBytes { raw in
            (0..<(bytes.count - start) / 4).map { index in
                Float(
                    bitPattern: UInt32(
                        littleEndian: raw.loadUnaligned(fromByteOffset: start + 4 * index, as: UInt32.self)))
            }
        }
        try self.init(shape: shape, values: values)
    }

    public init(npy path: URL) throws {
        guard let data = try? Data(contentsOf: path) else {
            throw FoveaError("\(path.lastPathComponent) cannot be read; install the bundle again")
        }
        try self.init(npy: data, name: path.lastPathComponent)
    }

    /// The values as bytes, little-endian: what fingerprints are taken of.
    public var littleEndianBytes: Data {
        var data = Data(capacity: 4 * values.count)
        for value in values {
            withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
        }
        return data
    }

    private static func value(of key: String, in header: String) -> Substring? {
        guard let found = header.range(of: "'\(key)':") else { return nil }
        return header[found.upperBound...].drop { $0 == " " }
    }
}

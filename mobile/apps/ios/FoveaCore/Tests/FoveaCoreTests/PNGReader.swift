import CZlib
import Foundation

@testable import FoveaCore

/// PNG of 8 bits a channel, RGB or RGBA, not interlaced: what the vectors and golden inputs are.
/// Apple's ImageIO reads them in the app; these tests run without it.
enum PNGReader {
    static func read(_ path: URL) throws -> Picture {
        let data = [UInt8](try Data(contentsOf: path))
        func refused(_ why: String) -> FoveaError { FoveaError("\(path.lastPathComponent): \(why)") }
        guard data.starts(with: [137, 80, 78, 71, 13, 10, 26, 10]) else { throw refused("no PNG") }
        var (at, header, packed): (Int, [UInt8], [UInt8]) = (8, [], [])
        while at + 12 <= data.count {
            let length = number(data, at)
            let kind = String(decoding: data[at + 4..<at + 8], as: UTF8.self)
            let content = data[at + 8..<at + 8 + length]
            if kind == "IHDR" { header = Array(content) }
            if kind == "IDAT" { packed += content }
            at += 12 + length
        }
        guard header.count == 13, header[8] == 8, header[12] == 0, let channels = [2: 3, 6: 4][header[9]] else {
            throw refused("of another form than the vectors")
        }
        let (width, height) = (number(header, 0), number(header, 4))
        let lines = try inflated(packed, count: height * (width * channels + 1))
        let pixels = unfiltered(lines, width: width * channels, height: height, back: channels)
        return try Picture(width: width, height: height, channels: channels, bytes: pixels)
    }

    private static func number(_ bytes: [UInt8], _ at: Int) -> Int {
        bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
    }

    private static func inflated(_ packed: [UInt8], count: Int) throws -> [UInt8] {
        var size = uLongf(count)
        var plain = [UInt8](repeating: 0, count: count)
        guard uncompress(&plain, &size, packed, uLong(packed.count)) == Z_OK, Int(size) == count else {
            throw FoveaError("the PNG's data is damaged")
        }
        return plain
    }

    private static func unfiltered(_ lines: [UInt8], width: Int, height: Int, back: Int) -> [UInt8] {
        var pixels = [UInt8](repeating: 0, count: width * height)
        for y in 0..<height {
            let filter = lines[y * (width + 1)]
            for x in 0..<width {
                let left = x >= back ? Int(pixels[y * width + x - back]) : 0
                let up = y > 0 ? Int(pixels[(y - 1) * width + x]) : 0
                let corner = x >= back && y > 0 ? Int(pixels[(y - 1) * width + x - back]) : 0
                let guess =
                    switch filter {
                    case 1: left
                    case 2: up
                    case 3: (left + up) / 2
                    case 4: paeth(left, up, corner)
                    default: 0
                    }
                pixels[y * width + x] = lines[y * (width + 1) + 1 + x] &+ UInt8(guess)
            }
        }
        return pixels
    }

    private static func paeth(_ left: Int, _ up: Int, _ corner: Int) -> Int {
        let distances = [left, up, corner].map { abs(left + up - corner - $0) }
        if distances[0] <= distances[1], distances[0] <= distances[2] { return left }
        return distances[1] <= distances[2] ? up : corner
    }
}

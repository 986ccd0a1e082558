import Foundation

/// Colours as `#rrggbb`.
public enum HexColour {
    /// Red, green and blue. Throws `FoveaError` for anything else than six hexadecimal digits.
    public static func rgb(_ text: String) throws -> [UInt8] {
        let digits = text.hasPrefix("#") ? text.dropFirst() : Substring(text)
        guard digits.count == 6, digits.allSatisfy(\.isHexDigit), let value = UInt32(digits, radix: 16) else {
            throw FoveaError("\"\(text)\" is no colour; expected #rrggbb")
        }
        return [16, 8, 0].map { UInt8(truncatingIfNeeded: value >> UInt32($0)) }
    }

    /// A colour for a class without one: hues a golden angle apart are never alike in a row.
    public static func numbered(_ index: Int) -> String {
        let hue = (Double(index) * 0.618034).truncatingRemainder(dividingBy: 1) * 6
        let part = hue.truncatingRemainder(dividingBy: 1)
        let (rising, falling) = (part, 1 - part)
        let wheel: [[Double]] = [
            [1, rising, 0], [falling, 1, 0], [0, 1, rising], [0, falling, 1], [rising, 0, 1], [1, 0, falling],
        ]
        let pale = wheel[Int(hue)].map { Int((64 + 176 * $0).rounded()) }
        return "#" + pale.map { String(format: "%02x", $0) }.joined()
    }
}

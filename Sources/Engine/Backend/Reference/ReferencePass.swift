// ReferencePass.swift — the operations of a pass as plain loops. Made by ReferenceBackend.

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A pass that computes at once: an operation's matrix is ready when it returns, so no read ever fails.
final class ReferencePass: ForwardPass {
    private let plan: ForwardPlan

    init(plan: ForwardPlan) {
        self.plan = plan
    }

    func load(_ values: [Float], columns: Int) -> any Matrix {
        ReferenceMatrix(columns: columns, values: values)
    }

    func embed(_ tokens: [Int32], from table: any Weight) -> any Matrix {
        let table = own(table)
        return ReferenceMatrix(columns: table.inputs, values: tokens.flatMap { table.output(Int($0)) })
    }

    func gather(_ rows: [Int], of source: any Matrix) -> any Matrix {
        let source = own(source)
        return ReferenceMatrix(columns: source.columns, values: rows.flatMap { source.row($0) })
    }

    func normalize(_ x: any Matrix, by norm: Normalization) -> any Matrix {
        mapRows(own(x)) { row in
            let count = Double(row.count)
            switch norm {
            case .rootMeanSquare(let gain, let epsilon):
                let meanSquare = row.reduce(0) { $0 + Double($1) * Double($1) } / count
                let scale = 1 / (meanSquare + Double(epsilon)).squareRoot()
                return zip(row, self.own(gain).values).map { Float(Double($0) * scale * Double($1)) }
            case .layer(let gain, let bias, let epsilon):
                let mean = row.reduce(0) { $0 + Double($1) } / count
                let variance = row.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / count
                let scale = 1 / (variance + Double(epsilon)).squareRoot()
                let gains = self.own(gain).values, biases = self.own(bias).values
                return zip(row, zip(gains, biases)).map {
                    Float((Double($0) - mean) * scale * Double($1.0) + Double($1.1))
                }
            }
        }
    }

    func linear(
        _ x: any Matrix, _ weight: any Weight, bias: (any Weight)?, activation: Activation?, residual: (any Matrix)?
    ) -> any Matrix {
        let x = own(x), weight = own(weight)
        precondition(x.columns == weight.inputs, "linear: \(x.columns) inputs, weight wants \(weight.inputs)")
        let biases = bias.map { own($0).values }, residuals = residual.map { own($0).values }
        var result: [Float] = []
        result.reserveCapacity(x.rows * weight.outputs)
        for row in 0..<x.rows {
            for output in 0..<weight.outputs {
                var sum = dot(x.row(row), weight.output(output))
                if let biases { sum += Double(biases[output]) }
                if let activation { sum = apply(activation, to: sum) }
                if let residuals { sum += Double(residuals[row * weight.outputs + output]) }
                result.append(Float(sum))
            }
        }
        return ReferenceMatrix(columns: weight.outputs, values: result)
    }

    func gated(_ x: any Matrix, gate: any Weight, up: any Weight) -> any Matrix {
        let gates = own(linear(x, gate)), ups = own(linear(x, up))
        let values = zip(gates.values, ups.values).map { (gate: Float, up: Float) -> Float in
            let sigmoid: Double = 1 / (1 + exp(-Double(gate)))
            return Float(Double(gate) * sigmoid * Double(up))
        }
        return ReferenceMatrix(columns: gates.columns, values: values)
    }

    func rotate(_ x: any Matrix, heads: Int, by rotary: Rotary) -> any Matrix {
        let x = own(x)
        let headWidth = x.columns / heads
        precondition(x.columns % heads == 0 && rotary.width <= headWidth && rotary.width % 2 == 0, "rotate: widths")
        precondition(x.rows == plan.rows, "rotate: \(x.rows) rows, the plan has \(plan.rows)")
        var values = x.values
        let frequencies = rotary.frequencies
        for row in 0..<x.rows {
            for (pair, frequency) in frequencies.enumerated() {
                let angle = Double(plan.positions[row]) * frequency
                let cosine = rotary.magnitude * cos(angle), sine = rotary.magnitude * sin(angle)
                for head in 0..<heads {
                    let start = row * x.columns + head * headWidth
                    let (a, b) = rotary.places(ofPair: pair)
                    let first = Double(x.values[start + a]), second = Double(x.values[start + b])
                    values[start + a] = Float(first * cosine - second * sine)
                    values[start + b] = Float(first * sine + second * cosine)
                }
            }
        }
        return ReferenceMatrix(columns: x.columns, values: values)
    }

    func attend(
        queries: any Matrix, keys: any Matrix, values: any Matrix, heads: AttentionHeads, cache: (any CacheLayer)?
    ) -> any Matrix {
        let queries = own(queries), keys = own(keys), values = own(values)
        let seen: (Int) -> [(key: ArraySlice<Float>, value: ArraySlice<Float>)]
        if let cache {
            let layer = own(cache)
            for (row, slot) in plan.slots.enumerated() {
                layer.write(key: keys.row(row), value: values.row(row), at: Int(slot))
            }
            seen = { row in self.plan.slotsSeen(by: row).map { (layer.key(Int($0)), layer.value(Int($0))) } }
        } else {
            precondition(plan.committed == 0, "attend: committed text needs a cache")
            seen = { row in self.plan.rowsSeen(by: row).map { (keys.row($0), values.row($0)) } }
        }
        var result: [Float] = []
        for row in 0..<queries.rows {
            let visible = seen(row)
            for head in 0..<heads.queries {
                let query = part(queries.row(row), head, heads.width), keyHead = head * heads.keys / heads.queries
                result += attendHead(
                    query, keys: visible.map { part($0.key, keyHead, heads.width) },
                    values: visible.map { part($0.value, keyHead, heads.width) })
            }
        }
        return ReferenceMatrix(columns: heads.queries * heads.width, values: result)
    }

    func read(_ x: any Matrix) throws -> [Float] { own(x).values }

    func argmax(_ x: any Matrix) throws -> [Int32] {
        try best(1, of: x).map { $0[0].token }
    }

    func best(_ count: Int, of x: any Matrix) throws -> [[ScoredToken]] {
        let x = own(x)
        return (0..<x.rows).map { row in
            let tokens = x.row(row).enumerated().map { ScoredToken(token: Int32($0.offset), logit: $0.element) }
            let ranked = tokens.sorted { $0.logit > $1.logit || ($0.logit == $1.logit && $0.token < $1.token) }
            return Array(ranked.prefix(count))
        }
    }
}

extension ReferencePass {
    private func own(_ x: any Matrix) -> ReferenceMatrix {
        guard let x = x as? ReferenceMatrix else { preconditionFailure("reference: a matrix of another backend") }
        return x
    }

    private func own(_ weight: any Weight) -> ReferenceWeight {
        guard let weight = weight as? ReferenceWeight else {
            preconditionFailure("reference: a weight of another backend")
        }
        return weight
    }

    private func own(_ layer: any CacheLayer) -> ReferenceCacheLayer {
        guard let layer = layer as? ReferenceCacheLayer else {
            preconditionFailure("reference: a cache layer of another backend")
        }
        return layer
    }

    private func mapRows(_ x: ReferenceMatrix, _ change: (ArraySlice<Float>) -> [Float]) -> ReferenceMatrix {
        ReferenceMatrix(columns: x.columns, values: (0..<x.rows).flatMap { change(x.row($0)) })
    }

    // A while loop over raw memory: this is where unoptimised builds, which run the tests, spend their time.
    private func dot(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Double {
        precondition(a.count == b.count, "dot: \(a.count) numbers meet \(b.count)")
        return a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                guard let left = a.baseAddress, let right = b.baseAddress else { return 0 }
                var sum = 0.0, index = 0
                while index < a.count {
                    sum += Double(left[index]) * Double(right[index])
                    index += 1
                }
                return sum
            }
        }
    }

    private func part(_ row: ArraySlice<Float>, _ head: Int, _ width: Int) -> ArraySlice<Float> {
        row[row.startIndex + head * width..<row.startIndex + (head + 1) * width]
    }

    /// softmax(query · keysᵀ / sqrt(width)) · values for one head of one row.
    private func attendHead(
        _ query: ArraySlice<Float>, keys: [ArraySlice<Float>], values: [ArraySlice<Float>]
    ) -> [Float] {
        let scores = keys.map { dot(query, $0) / Double(query.count).squareRoot() }
        let largest = scores.max() ?? 0
        let shares = scores.map { exp($0 - largest) }
        let total = shares.reduce(0, +)
        var result = [Double](repeating: 0, count: query.count)
        for (share, value) in zip(shares, values) {
            for (index, number) in value.enumerated() { result[index] += share / total * Double(number) }
        }
        return result.map { Float($0) }
    }

    private func apply(_ activation: Activation, to x: Double) -> Double {
        switch activation {
        case .quickGELU: x / (1 + exp(-1.702 * x))
        case .gelu: x / 2 * (1 + erf(x / 2.0.squareRoot()))
        }
    }
}

extension Rotary {
    /// Where the two numbers of a pair stand in their head.
    func places(ofPair pair: Int) -> (Int, Int) {
        switch pairing {
        case .adjacent: (2 * pair, 2 * pair + 1)
        case .halves: (pair, pair + width / 2)
        }
    }
}

extension ForwardPlan {
    /// The cache slots that a row sees, in order of position, its own last.
    func slotsSeen(by row: Int) -> [Int32] {
        switch sight {
        case .everyRow: slots
        case .causal: Array(0..<Int32(committed)) + slots[...row]
        case .ancestors(let lists): Array(0..<Int32(committed)) + lists[row] + [slots[row]]
        }
    }

    /// The rows of this pass that a row sees when there is no cache.
    func rowsSeen(by row: Int) -> [Int] {
        switch sight {
        case .everyRow: Array(0..<rows)
        case .causal: Array(0...row)
        case .ancestors: preconditionFailure("attend: ancestors are slots of a cache, and there is none")
        }
    }
}

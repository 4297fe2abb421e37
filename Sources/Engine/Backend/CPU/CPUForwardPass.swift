// CPUForwardPass.swift — the operations of a pass, each one call of the C kernels. Made by CPUBackend.

import CKernels

/// A pass that computes at once, on the backend's threads. Nothing in it can fail but a table that is read in its file.
final class CPUForwardPass: ForwardPass {
    let plan: ForwardPlan
    let backend: CPUBackend
    /// What the next read throws.
    private var failure: (any Error)?
    /// The file that the model's packed weights lie in, if they do: looked at before every read.
    private var weightFile: (any TensorBytes)?
    private(set) lazy var sights = CPUSights(plan, inCache: true, pool: backend.pool)

    init(plan: ForwardPlan, backend: CPUBackend) {
        self.plan = plan
        self.backend = backend
    }

    func load(_ values: [Float], columns: Int) -> any Matrix {
        precondition(columns > 0 && values.count % columns == 0, "load: \(values.count) numbers, \(columns) columns")
        let result = matrix(rows: values.count / columns, columns: columns)
        values.withUnsafeBufferPointer { values in
            guard let start = values.baseAddress else { return }
            for row in 0..<result.rows {
                result.row(row).update(from: start + row * columns, count: columns)
                result.clearPadding(ofRow: row)
            }
        }
        return result
    }

    func embed(_ tokens: [Int32], from table: any Weight) -> any Matrix {
        let table = own(table)
        guard case .table(let tensor) = table.packing else { preconditionFailure("embed: not packed as a table") }
        let result = matrix(rows: tokens.count, columns: table.inputs)
        for (row, token) in tokens.enumerated() {
            tensor.expand(row: Int(token), to: result.row(row))
            result.clearPadding(ofRow: row)
        }
        do { try tensor.checkBytes() } catch { failure = failure ?? error }
        return result
    }

    func gather(_ rows: [Int], of source: any Matrix) -> any Matrix {
        let source = own(source)
        let result = matrix(rows: rows.count, columns: source.columns)
        for (target, row) in rows.enumerated() {
            precondition(row >= 0 && row < source.rows, "gather: row \(row) of \(source.rows)")
            result.row(target).update(from: source.row(row), count: source.stride)
        }
        return result
    }

    func normalize(_ x: any Matrix, by norm: Normalization) -> any Matrix {
        let x = own(x), result = matrix(rows: x.rows, columns: x.columns)
        let rows = Int32(x.rows), columns = Int32(x.columns)
        switch norm {
        case .rootMeanSquare(let gain, let epsilon):
            ck_rms_norm(
                backend.machine.pointer, x.floats, rows, columns, x.stride, own(gain).vector(of: x.columns), epsilon,
                result.floats)
        case .layer(let gain, let bias, let epsilon):
            ck_layer_norm(
                backend.machine.pointer, x.floats, rows, columns, x.stride, own(gain).vector(of: x.columns),
                own(bias).vector(of: x.columns), epsilon, result.floats)
        }
        return result
    }

    func linear(
        _ x: any Matrix, _ weight: any Weight, bias: (any Weight)?, activation: Activation?, residual: (any Matrix)?
    ) -> any Matrix {
        let weight = ownPanels(weight)
        let product = CPULinear(
            x: own(x), weight: weight, bias: bias.map { own($0) }, activation: activation,
            residual: residual.map { own($0) })
        let result = matrix(rows: x.rows, columns: weight.outputs)
        product.run(into: result, on: backend.machine)
        return result
    }

    func gated(_ x: any Matrix, gate: any Weight, up: any Weight) -> any Matrix {
        let x = own(x), gate = ownPanels(gate), up = ownPanels(up)
        guard case .panels(let gatePanels, _) = gate.packing, case .panels(let upPanels, _) = up.packing else {
            preconditionFailure("gated: the weights were packed for another use")
        }
        precondition(
            gate.inputs == x.columns && up.inputs == x.columns && gate.outputs == up.outputs, "gated: shapes differ")
        let result = matrix(rows: x.rows, columns: gate.outputs)
        // If only one of the two is quantised, its whole numbers serve; the other one reads the floats.
        let format = [gatePanels.format, upPanels.format].first(where: ck_is_quantised) ?? CK_F32
        ck_gated(
            backend.machine.pointer, gatePanels, upPanels, x.activations(for: format, on: backend.machine),
            result.floats, result.stride)
        return result
    }

    func rotate(_ x: any Matrix, heads: Int, by rotary: Rotary) -> any Matrix {
        let x = own(x)
        precondition(x.columns % heads == 0 && rotary.width <= x.columns / heads, "rotate: heads of the wrong width")
        precondition(rotary.width % 2 == 0 && x.rows == plan.rows, "rotate: \(x.rows) rows, the plan has \(plan.rows)")
        precondition(plan.positions.allSatisfy { $0 >= 0 }, "rotate: a negative position")
        let result = matrix(rows: x.rows, columns: x.columns)
        let table = backend.table(for: rotary, upTo: Int(plan.positions.max() ?? 0))
        ck_rotate(
            backend.machine.pointer, x.floats, Int32(x.rows), Int32(x.columns), x.stride, Int32(heads),
            Int32(rotary.width), rotary.pairing == .adjacent ? CK_ADJACENT : CK_HALVES, plan.positions, table.start,
            result.floats)
        return result
    }

    func attend(
        queries: any Matrix, keys: any Matrix, values: any Matrix, heads: AttentionHeads, cache: (any CacheLayer)?
    ) -> any Matrix {
        let queries = own(queries), keys = own(keys), values = own(values)
        precondition(
            queries.rows == plan.rows && keys.rows == plan.rows && values.rows == plan.rows,
            "attend: \(queries.rows) rows, the plan has \(plan.rows)")
        precondition(
            queries.columns == heads.queries * heads.width && keys.columns == heads.keys * heads.width
                && values.columns == keys.columns && heads.queries % heads.keys == 0, "attend: heads do not fit")
        guard let cache else { return attendWithoutCache(queries, keys, values, heads) }
        guard let layer = cache as? CPUCacheLayer else { preconditionFailure("cpu: a layer of another backend") }
        precondition(layer.view.heads == heads.keys && layer.view.width == heads.width, "attend: the cache's heads")
        precondition(plan.slots.allSatisfy { $0 >= 0 && $0 < layer.capacity }, "attend: a slot beyond the cache")
        return attend(queries, keys, values, heads, sights, slots: plan.slots, in: layer.view)
    }

    private func attendWithoutCache(
        _ queries: CPUMatrix, _ keys: CPUMatrix, _ values: CPUMatrix, _ heads: AttentionHeads
    ) -> CPUMatrix {
        precondition(plan.committed == 0, "attend: committed text needs a cache")
        let slots = Int32(plan.rows.roundedUp(to: 16)), keyHeads = Int32(heads.keys), width = Int32(heads.width)
        let keyBytes = ck_cache_key_bytes(CK_F32, slots, keyHeads, width)
        let valueBytes = ck_cache_value_bytes(CK_F32, slots, keyHeads, width)
        let memory = PooledMemory(bytes: keyBytes + valueBytes, from: backend.pool)
        return withExtendedLifetime(memory) {
            let view = ck_cache(
                keys: memory.start, values: memory.start + keyBytes, slots: slots, heads: keyHeads, width: width,
                format: CK_F32)
            let sights = CPUSights(plan, inCache: false, pool: backend.pool)
            return attend(queries, keys, values, heads, sights, slots: sights.slots, in: view)
        }
    }

    private func attend(
        _ queries: CPUMatrix, _ keys: CPUMatrix, _ values: CPUMatrix, _ heads: AttentionHeads, _ sights: CPUSights,
        slots: [Int32], in view: ck_cache
    ) -> CPUMatrix {
        precondition(sights.reach <= Int(view.slots), "attend: a row sees slot \(sights.reach - 1) beyond the cache")
        let machine = backend.machine, result = matrix(rows: plan.rows, columns: queries.columns)
        ck_cache_write(machine.pointer, view, keys.floats, values.floats, keys.stride, slots, Int32(plan.rows))
        let scratch = PooledMemory(
            bytes: 4 * machine.threads * ck_attend_scratch(Int32(sights.reach)), from: backend.pool)
        withExtendedLifetime((scratch, sights)) {
            ck_attend(
                machine.pointer, view, queries.floats, queries.stride, Int32(heads.queries), Int32(plan.rows),
                Int32(plan.committed), sights.start, scratch.floats, result.floats, result.stride)
        }
        for row in 0..<result.rows { result.clearPadding(ofRow: row) }
        return result
    }

    func read(_ x: any Matrix) throws -> [Float] {
        try throwFailure()
        let x = own(x)
        return [Float](unsafeUninitializedCapacity: x.rows * x.columns) { target, count in
            for row in 0..<x.rows {
                _ = UnsafeMutableBufferPointer(rebasing: target[(row * x.columns)...])
                    .update(from: UnsafeBufferPointer(start: x.row(row), count: x.columns))
            }
            count = x.rows * x.columns
        }
    }

    func argmax(_ x: any Matrix) throws -> [Int32] {
        try throwFailure()
        let x = own(x)
        return (0..<x.rows).map { ck_argmax(backend.machine.pointer, x.row($0), Int32(x.columns)) }
    }

    func best(_ count: Int, of x: any Matrix) throws -> [[ScoredToken]] {
        try throwFailure()
        let x = own(x), count = min(count, x.columns)
        var columns = [Int32](repeating: 0, count: count), numbers = [Float](repeating: 0, count: count)
        return (0..<x.rows).map { row in
            ck_best(backend.machine.pointer, x.row(row), Int32(x.columns), Int32(count), &columns, &numbers)
            return zip(columns, numbers).map { ScoredToken(token: $0, logit: $1) }
        }
    }
}

extension CPUForwardPass {
    func matrix(rows: Int, columns: Int) -> CPUMatrix {
        CPUMatrix(rows: rows, columns: columns, pool: backend.pool)
    }

    func own(_ x: any Matrix) -> CPUMatrix {
        guard let x = x as? CPUMatrix else { preconditionFailure("cpu: a matrix of another backend") }
        return x
    }

    /// The first thing that went wrong.
    private func throwFailure() throws {
        if let failure { throw failure }
        do { try weightFile?.check() } catch {
            failure = error
            throw error
        }
    }

    /// A product's weight. All that a model has on disk lies in one file.
    func ownPanels(_ weight: any Weight) -> CPUWeight {
        let weight = own(weight)
        if weightFile == nil { weightFile = weight.file }
        return weight
    }

    func own(_ weight: any Weight) -> CPUWeight {
        guard let weight = weight as? CPUWeight else { preconditionFailure("cpu: a weight of another backend") }
        return weight
    }
}

extension CPUMatrix {
    /// The kernels count on zeros beyond the columns.
    func clearPadding(ofRow index: Int) {
        (row(index) + columns).update(repeating: 0, count: stride - columns)
    }
}

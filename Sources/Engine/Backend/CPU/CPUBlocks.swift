// CPUBlocks.swift — the blocks of a small decoder in one go, where handing over each product would take as long as it.

import CKernels

extension CPUForwardPass {
    func decode(
        _ x: any Matrix, through layers: [DecoderLayer], caches: [any CacheLayer], wanted: WantedRows
    ) -> any Matrix {
        precondition(layers.count == caches.count, "decode: \(caches.count) caches for \(layers.count) layers")
        guard x.rows == plan.rows, x.rows <= CK_MOST_BLOCK_ROWS, !layers.isEmpty else {
            return decodeByOperations(x, through: layers, caches: caches, wanted: wanted)
        }
        let stride = MemoryLayout<ck_decoder_block>.stride
        let memory = PooledMemory(bytes: layers.count * stride, from: backend.pool)
        let blocks = memory.start.bindMemory(to: ck_decoder_block.self, capacity: layers.count)
        let furthest = Int(plan.positions.max() ?? 0)
        for (index, layer) in layers.enumerated() {
            guard let block = block(layer, cache: caches[index], upTo: furthest) else {
                return decodeByOperations(x, through: layers, caches: caches, wanted: wanted)
            }
            (blocks + index).initialize(to: block)
        }
        guard ck_runs_blocks(blocks, Int32(layers.count), Int32(x.rows)) else {
            return decodeByOperations(x, through: layers, caches: caches, wanted: wanted)
        }
        return rows(wanted, of: withExtendedLifetime(memory) { run(blocks, count: layers.count, on: own(x)) })
    }

    private func run(_ blocks: UnsafePointer<ck_decoder_block>, count: Int, on x: CPUMatrix) -> CPUMatrix {
        precondition(
            Int(blocks.pointee.query.inputs) == x.columns, "decode: the layers do not take \(x.columns) columns")
        precondition(plan.positions.allSatisfy { $0 >= 0 }, "decode: a negative position")
        let result = matrix(rows: x.rows, columns: x.columns)
        let sights = sights, machine = backend.machine.pointer
        plan.positions.withUnsafeBufferPointer { positions in
            plan.slots.withUnsafeBufferPointer { slots in
                let text = ck_text_rows(
                    rows: Int32(x.rows), positions: positions.baseAddress, slots: slots.baseAddress,
                    committed: Int32(plan.committed), sights: sights.start)
                let scratch = PooledMemory(bytes: ck_blocks_bytes(machine, blocks, x.stride, text), from: backend.pool)
                withExtendedLifetime((scratch, sights)) {
                    ck_run_blocks(
                        machine, blocks, Int32(count), x.floats, x.stride, text, result.floats, scratch.start)
                }
            }
        }
        return result
    }

    /// The layer as the kernels read it; absent where they have no such layer.
    private func block(
        _ layer: DecoderLayer, cache: any CacheLayer, upTo furthest: Int
    ) -> ck_decoder_block? {
        guard case .rootMeanSquare(let attentionGain, let attentionEpsilon) = layer.attentionNorm,
            case .rootMeanSquare(let feedForwardGain, let feedForwardEpsilon) = layer.feedForwardNorm
        else { return nil }
        guard let cache = cache as? CPUCacheLayer else { preconditionFailure("cpu: a layer of another backend") }
        let query = ownPanels(layer.query), rotary = layer.rotary
        precondition(
            cache.view.heads == layer.heads.keys && cache.view.width == layer.heads.width, "decode: the cache's heads")
        precondition(plan.slots.allSatisfy { $0 >= 0 && $0 < cache.capacity }, "decode: a slot beyond the cache")
        return ck_decoder_block(
            query: query.panels, key: ownPanels(layer.key).panels, value: ownPanels(layer.value).panels,
            output: ownPanels(layer.output).panels, gate: ownPanels(layer.gate).panels, up: ownPanels(layer.up).panels,
            down: ownPanels(layer.down).panels, attention_gain: own(attentionGain).vector(of: query.inputs),
            feed_forward_gain: own(feedForwardGain).vector(of: query.inputs), attention_epsilon: attentionEpsilon,
            feed_forward_epsilon: feedForwardEpsilon, turns: backend.table(for: rotary, upTo: furthest).start,
            turned: Int32(rotary.width),
            pairing: rotary.pairing == .adjacent ? CK_ADJACENT : CK_HALVES, query_heads: Int32(layer.heads.queries),
            cache: cache.view)
    }
}

extension CPUWeight {
    /// Panels for the row-exact kernels.
    fileprivate var panels: ck_weight {
        guard case .panels(let packed, _) = packing else {
            preconditionFailure("decode: a weight was packed for another use")
        }
        return packed
    }
}

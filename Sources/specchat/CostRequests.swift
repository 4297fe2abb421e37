// CostRequests.swift — passes timed one request at a time, so that another program can take its turn in between. Asked for
// by `bench --costs --requests`; Benchmarks/run is who asks.

import Engine
import Foundation

/// Requests on the standard input, one JSON object a line with the fields of `CostRequest`; a `CostReport` for each.
struct CostRequests {
    let engine: ChatEngine

    /// Answers until the standard input ends. Throws on a line that is no request.
    func answer() async throws {
        try await follow(engine.load())
        while let line = readLine() {
            let report = try await engine.measureCosts(Self.request(line)) { _ in }
            try TextOutput.standard.line(JSONText.line(report))
        }
    }

    static func request(_ line: String) throws(CommandFailure) -> CostRequest {
        guard let request = try? JSONDecoder().decode(CostRequest.self, from: Data(line.utf8)), request.isSensible
        else {
            throw CommandFailure(
                .usage,
                "the standard input has a line that is no request: \(harmless(line)). A request looks like "
                    + #"{"contexts":[0],"rows":[1,8],"prompts":[64],"repeats":3,"picture":false,"warmsUp":true}."#)
        }
        return request
    }
}

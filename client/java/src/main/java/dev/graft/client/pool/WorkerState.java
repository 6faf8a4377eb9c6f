package dev.graft.client.pool;

import dev.graft.v1.DescribeWorkerResponse;
import java.util.Optional;

/**
 * A worker of a pool as it is now.
 *
 * @param worker its address
 * @param description what it said of itself when it turned healthy; empty while it is down
 * @param outstandingTokens estimated tokens of the calls that it has
 */
public record WorkerState(
    String worker, Optional<DescribeWorkerResponse> description, long outstandingTokens) {}

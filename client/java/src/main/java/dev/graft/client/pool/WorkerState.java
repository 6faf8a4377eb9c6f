package dev.graft.client.pool;

import dev.graft.v1.DescribeWorkerResponse;
import java.util.Optional;

/**
 * A worker of a pool as it is now.
 *
 * @param worker its address
 * @param description what it said of itself when it turned healthy; empty while it is down
 * @param whyDown why it is down, as it last was; of no meaning while it is up
 * @param outstandingTokens estimated tokens of the calls that it has
 */
public record WorkerState(
    String worker,
    Optional<DescribeWorkerResponse> description,
    String whyDown,
    long outstandingTokens) {}

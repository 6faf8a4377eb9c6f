package dev.graft.server.rpc;

/**
 * What clients must keep to.
 *
 * @param maxMessageBytes largest message, in both directions
 * @param maxConcurrentCalls Extract and Train calls at the same time
 * @param maxFileBytes largest uploaded file
 */
record WorkerLimits(int maxMessageBytes, int maxConcurrentCalls, long maxFileBytes) {}

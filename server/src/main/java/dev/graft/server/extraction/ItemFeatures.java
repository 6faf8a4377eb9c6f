package dev.graft.server.extraction;

/**
 * The result of one item.
 *
 * @param values {@code [rows, size]}, row-major; one row, or with {@link Pooling#NONE} one for each
 *     token
 * @param tokens how many were computed; 0 where the feature came ready
 */
public record ItemFeatures(long slot, float[] values, int tokens, int truncatedTokens) {}

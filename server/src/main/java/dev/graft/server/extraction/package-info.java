/**
 * Features of items on a frozen backbone: tokenizing, windows and batches by token budget, pooling,
 * and the feature cache.
 *
 * <p>The bytes of a stream's features follow from its specification, its items and their order
 * alone: windows end by count of tokens, never by time, and what the cache holds is a whole batch
 * under the digest of all that decides it.
 */
package dev.graft.server.extraction;

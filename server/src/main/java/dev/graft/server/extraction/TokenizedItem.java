package dev.graft.server.extraction;

/**
 * One item as the backbone gets it.
 *
 * @param slot the caller's number of it
 * @param ids at least one
 * @param typeIds segments, or null when all are 0
 * @param truncatedTokens how many were cut off
 */
public record TokenizedItem(long slot, int[] ids, int[] typeIds, int truncatedTokens) {}
